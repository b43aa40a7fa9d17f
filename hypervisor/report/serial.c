/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/report/serial.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/port.h"
#include "lib/uart.h"

#define PORT 0x3f8

/* How often a status is asked for: longer than a full FIFO takes, at the speed of a processor or of
 * an emulated one. */
#define PATIENCE 0x100000u

void serial_init(void)
{
    static const uint8_t setup[] = {UART_SETUP(UART_FIFO_TELLS)};

    for (size_t i = 0; i < sizeof(setup); i += 2)
        outb(PORT + setup[i], setup[i + 1]);
}

/* A port that is not there is ready at once: it reads as FFh. */
static bool wait_for(uint8_t status, uint32_t patience)
{
    while (!(inb(PORT + UART_LINE_STATUS) & status))
        if (patience-- == 0)
            return false;
    return true;
}

void serial_put(char c)
{
    static bool stands;

    stands = !wait_for(UART_TRANSMIT_EMPTY, stands ? 0 : PATIENCE);
    if (!stands)
        outb(PORT + UART_DATA, (uint8_t)c);
}

void serial_flush(void)
{
    wait_for(UART_TRANSMITTER_EMPTY, PATIENCE);
}
