/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads lines from its serial port, and says what it has heard, until that is "bye". */
#include "guests/lib/guest.h"
#include "lib/string.h"

#define LINE 80

static char read(void)
{
    while (!(inb(UART_LSR) & UART_LSR_DR))
        __asm__ volatile("pause");
    return (char)inb(UART_DATA);
}

/* What does not fit is dropped. */
static const char *read_line(void)
{
    static char line[LINE];
    size_t length = 0;
    char c;

    while ((c = read()) != '\n' && c != '\r')
        if (length < LINE - 1)
            line[length++] = c;
    line[length] = '\0';
    return line;
}

void guest_main(void)
{
    const char *line;

    serial_write("# ready\r\n");
    do {
        line = read_line();
        serial_write("# heard ");
        serial_write(line);
        serial_write("\r\n");
    } while (strcmp(line, "bye") != 0);
    ok(true, "it was told to end");
}
