/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/report/panic.h"

#include "hypervisor/boot/options.h"
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/serial.h"
#include "hypervisor/vmx/vmx.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"

#define BACKTRACE_DEPTH 24

/* ELF-64 object file format, symbol table. */
struct elf_symbol {
    uint32_t name;
    uint8_t info, other;
    uint16_t section;
    uint64_t value, size;
};
#define SYMBOL_FUNCTION 2

static const struct elf_symbol *symbols;
static uint64_t symbol_count;
static const char *names;
static uint64_t names_size;

void symbols_init(const void *table, uint64_t table_size, const char *strings,
                  uint64_t strings_size)
{
    symbols = table;
    symbol_count = table_size / sizeof(*symbols);
    names = strings;
    names_size = strings_size;
}

static void print_address(const char *what, uint64_t address)
{
    for (uint64_t i = 0; i < symbol_count; i++) {
        const struct elf_symbol *s = &symbols[i];
        if ((s->info & 15) == SYMBOL_FUNCTION && address >= s->value &&
            address < s->value + s->size && s->name < names_size) {
            log_line("  %s %016lx %s+0x%lx", what, address, names + s->name, address - s->value);
            return;
        }
    }
    log_line("  %s %016lx", what, address);
}

/* Follows the frame pointers, as long as they stay on this CPU's stacks. */
static void print_backtrace(uint64_t rbp)
{
    uint64_t start = (uint64_t)this_cpu(), end = start + CPU_BLOCK_SIZE - 16;

    for (int i = 0; i < BACKTRACE_DEPTH && rbp >= start && rbp <= end && is_aligned(rbp, 8); i++) {
        const uint64_t *frame = (const uint64_t *)rbp;
        print_address("from", frame[1]);
        rbp = frame[0];
    }
}

static void print_frame(const struct trap_frame *f)
{
    log_line("  rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    log_line("  rsi %016lx rdi %016lx rbp %016lx rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
    log_line("  r8  %016lx r9  %016lx r10 %016lx r11 %016lx", f->r8, f->r9, f->r10, f->r11);
    log_line("  r12 %016lx r13 %016lx r14 %016lx r15 %016lx", f->r12, f->r13, f->r14, f->r15);
    log_line("  rflags %08lx cs %02lx ss %02lx cr0 %08lx cr2 %016lx cr3 %lx cr4 %lx", f->rflags,
             f->cs, f->ss, read_cr0(), read_cr2(), read_cr3(), read_cr4());
}

/* Once: a panic while panicking ends the run with what has been printed. */
static void begin(void)
{
    static bool panicking;

    cli();
    if (panicking)
        hang();
    panicking = true;
}

static void __attribute__((noreturn)) finish(uint64_t rbp)
{
    print_backtrace(rbp);
    vmx_print_current_vmcs();
    machine_end();
}

void panic(const char *fmt, ...)
{
    char text[200];
    va_list args;

    begin();
    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
    log_line("panic: %s", text);
    finish((uint64_t)__builtin_frame_address(0));
}

void panic_trap(const struct trap_frame *frame)
{
    begin();
    log_line("panic: %s in the hypervisor, error code 0x%lx", exception_name(frame->vector),
             frame->error_code);
    print_address("at  ", frame->rip);
    print_frame(frame);
    finish(frame->rbp);
}

void stopped(const char *fmt, ...)
{
    char text[220];
    va_list args;

    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
    log_line("stopped: %s", text);
    machine_end();
}

void machine_end(void)
{
    vmx_disable();
    serial_flush();
    options_end();
    log_line("the machine is halted; switch it off or reset it");
    serial_flush();
    hang();
}
