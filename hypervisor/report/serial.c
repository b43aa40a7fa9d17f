/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/report/serial.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/port.h"

#define PORT 0x3f8

enum serial_register {
    DATA,
    INTERRUPT_ENABLE,
    FIFO_CONTROL,
    LINE_CONTROL,
    MODEM_CONTROL,
    LINE_STATUS
};

#define TRANSMIT_EMPTY    0x20 /* the FIFO */
#define TRANSMITTER_EMPTY 0x40 /* the FIFO and the shift register */

/* How often a status is asked for: longer than a full FIFO takes, at the speed of a processor or of
 * an emulated one. */
#define PATIENCE 0x100000u

void serial_init(void)
{
    outb(PORT + INTERRUPT_ENABLE, 0);
    outb(PORT + LINE_CONTROL, 0x80); /* divisor latch: 1 is 115200 baud */
    outb(PORT + DATA, 1);
    outb(PORT + INTERRUPT_ENABLE, 0);
    outb(PORT + LINE_CONTROL, 0x03);  /* 8N1 */
    outb(PORT + FIFO_CONTROL, 0xc7);  /* on, cleared, receive at 14 bytes or a pause */
    outb(PORT + MODEM_CONTROL, 0x0b); /* DTR, RTS, OUT2: the interrupt line */
}

/* A port that is not there is ready at once: it reads as FFh. */
static bool wait_for(uint8_t status, uint32_t patience)
{
    while (!(inb(PORT + LINE_STATUS) & status))
        if (patience-- == 0)
            return false;
    return true;
}

void serial_put(char c)
{
    static bool stands;

    stands = !wait_for(TRANSMIT_EMPTY, stands ? 0 : PATIENCE);
    if (!stands)
        outb(PORT + DATA, (uint8_t)c);
}

void serial_flush(void)
{
    wait_for(TRANSMITTER_EMPTY, PATIENCE);
}
