/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's few devices that every test kernel needs. */
#include "guests/lib/machine.h"

#include "guests/lib/cpu.h"

#define PIC1_DATA   0x21
#define PIC2_DATA   0xa1
#define RESET_ARMED 0x02
#define RESET_NOW   0x06

static void wait_for_line_status(uint8_t bits)
{
    while ((inb(UART_LSR) & bits) != bits)
        cpu_relax();
}

void machine_init(void)
{
    outb(PIC1_DATA, 0xff);
    outb(PIC2_DATA, 0xff);
    outb(UART_LCR, UART_LCR_8N1);
    outb(UART_IER, 0);
}

void serial_write(const char *text)
{
    for (; *text != '\0'; text++) {
        wait_for_line_status(UART_LSR_THRE);
        outb(UART_DATA, (uint8_t)*text);
    }
    wait_for_line_status(UART_LSR_TEMT);
}

uint8_t cmos_read(uint8_t index)
{
    outb(CMOS_INDEX, index);
    return inb(CMOS_DATA);
}

void cmos_write(uint8_t index, uint8_t value)
{
    outb(CMOS_INDEX, index);
    outb(CMOS_DATA, value);
}

static _Noreturn void stay_off(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

void power_off(void)
{
    outw(PM1_CONTROL, PM1_SLEEP_OFF);
    stay_off();
}

void reset(void)
{
    outb(RESET_CONTROL, RESET_ARMED);
    outb(RESET_CONTROL, RESET_NOW);
    stay_off();
}
