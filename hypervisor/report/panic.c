/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/report/panic.h"

#include "hypervisor/report/serial.h"
#include "lib/port.h"

uint32_t machine_end_port;

static void nothing(void)
{
}

void (*machine_stop_others)(void) = nothing;
void (*machine_leave)(void) = nothing;

void (*panic_tell[PANIC_TELLERS])(uint64_t rbp);

void machine_hang(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* Once: a panic while panicking ends the run with what has been printed. */
void panic_begin(void)
{
    static bool panicking;

    __asm__ volatile("cli" : : : "memory");
    machine_stop_others();
    if (panicking)
        machine_hang();
    panicking = true;
    log_take_back();
}

void panic_finish(uint64_t rbp)
{
    for (unsigned i = 0; i < PANIC_TELLERS; i++)
        if (panic_tell[i] != NULL)
            panic_tell[i](rbp);
    machine_end();
}

void panic_finish_here(void)
{
    panic_finish((uint64_t)__builtin_frame_address(0));
}

void machine_end(void)
{
    machine_stop_others();
    machine_leave();
    log_take_back();
    serial_flush();
    /* What ends QEMU (isa-debug-exit: with 2 * 16 + 1), Bochs's debugger, and Bochs without it. */
    for (const char *c = "\020DShutdown"; machine_end_port != 0 && *c != '\0'; c++)
        outb((uint16_t)machine_end_port, (uint8_t)*c);
    log_line("the machine is halted; switch it off or reset it");
    serial_flush();
    machine_hang();
}
