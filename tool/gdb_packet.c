/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/gdb_packet.h"

#include <string.h>

#define ESCAPE     '}'
#define ESCAPE_XOR 0x20
#define CTRL_C     3

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void add(struct gdb_packet *p, uint8_t byte)
{
    if (p->size < GDB_PACKET_MAX)
        p->data[p->size++] = byte;
    else
        p->wrong = true;
}

static void begin(struct gdb_packet *p)
{
    p->size = 0;
    p->sum = p->told = 0;
    p->wrong = false;
    p->at = GDB_INSIDE;
}

/* The data and its "}"s; the sum is of the bytes as they come. */
static void take_inside(struct gdb_packet *p, uint8_t byte)
{
    if (byte == '#') {
        p->at = GDB_SUM_HIGH;
        return;
    }
    p->sum += byte;
    if (p->at == GDB_ESCAPED)
        add(p, byte ^ ESCAPE_XOR);
    else if (byte != ESCAPE)
        add(p, byte);
    p->at = p->at == GDB_INSIDE && byte == ESCAPE ? GDB_ESCAPED : GDB_INSIDE;
}

enum gdb_input gdb_packet_take(struct gdb_packet *p, uint8_t byte)
{
    int value = digit(byte);

    if (byte == '$') {
        begin(p);
        return GDB_NOTHING;
    }
    switch (p->at) {
    case GDB_OUTSIDE:
        return byte == CTRL_C ? GDB_INTERRUPT : GDB_NOTHING;
    case GDB_INSIDE:
    case GDB_ESCAPED:
        take_inside(p, byte);
        return GDB_NOTHING;
    default:
        p->wrong |= value < 0;
        p->told = (uint8_t)(p->told << 4 | (value & 15));
    }
    if (p->at == GDB_SUM_HIGH) {
        p->at = GDB_SUM_LOW;
        return GDB_NOTHING;
    }
    p->at = GDB_OUTSIDE;
    p->data[p->size] = 0;
    return p->wrong || p->told != p->sum ? GDB_DAMAGED : GDB_PACKET;
}

size_t gdb_packet_make(char *to, const char *data, size_t size)
{
    char *at = to;
    uint8_t sum = 0;

    *at++ = '$';
    for (size_t i = 0; i < size; i++) {
        if (strchr("#$}*", data[i]) != NULL && data[i] != '\0') {
            *at++ = ESCAPE;
            *at++ = data[i] ^ ESCAPE_XOR;
        } else {
            *at++ = data[i];
        }
    }
    for (const char *i = to + 1; i < at; i++)
        sum += (uint8_t)*i;
    *at++ = '#';
    return (size_t)(gdb_hex_write(at, &sum, 1) - to);
}

char *gdb_hex_write(char *to, const void *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;

    for (size_t i = 0; i < size; i++) {
        *to++ = digits[from[i] >> 4];
        *to++ = digits[from[i] & 15];
    }
    return to;
}

bool gdb_hex_read(const char *from, void *bytes, size_t size)
{
    uint8_t *to = bytes;

    for (size_t i = 0; i < size; i++) {
        int high = digit((uint8_t)from[2 * i]),
            low = high < 0 ? -1 : digit((uint8_t)from[2 * i + 1]);
        if (low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
