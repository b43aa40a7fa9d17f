/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's few devices that every test kernel needs: the first UART, power and
 * reset, CMOS RAM. */
#pragma once

#include <stdint.h>

#define UART      0x3f8
#define UART_DATA (UART + 0)
#define UART_DLL  (UART + 0)
#define UART_IER  (UART + 1)
#define UART_DLM  (UART + 1)
#define UART_IIR  (UART + 2)
#define UART_FCR  (UART + 2)
#define UART_LCR  (UART + 3)
#define UART_MCR  (UART + 4)
#define UART_LSR  (UART + 5)
#define UART_MSR  (UART + 6)
#define UART_SCR  (UART + 7)

#define UART_LCR_8N1  0x03
#define UART_LCR_DLAB 0x80
#define UART_LSR_DR   0x01
#define UART_LSR_THRE 0x20
#define UART_LSR_TEMT 0x40

#define PM1_CONTROL   0xb004
#define PM_TIMER      0xb008
#define PM1_SLEEP_OFF 0x2000 /* SLP_EN with the sleep type of S5 */
#define RESET_CONTROL 0xcf9
#define CMOS_INDEX    0x70
#define CMOS_DATA     0x71

/* Brings the UART to 8N1 and masks the two 8259s. Called before guest_main. */
void machine_init(void);

/* Returns when the last byte has left the UART: nothing is lost by what comes next. */
void serial_write(const char *text);

/* What the VM's description says behind cmdline; empty on the bare machine. */
const char *command_line(void);

uint8_t cmos_read(uint8_t index);
void cmos_write(uint8_t index, uint8_t value);

/* Waits until the last byte has left the UART, then powers off (ACPI S5) or resets
 * by port 0xcf9. */
_Noreturn void power_off(void);
_Noreturn void reset(void);
