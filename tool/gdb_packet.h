/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of GDB's remote serial protocol ("GDB Remote Serial Protocol", Overview): "$DATA#SUM",
 * with "}" before each byte that is not itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GDB_PACKET_MAX 0x4000 /* bytes of data */

/* What has come, byte by byte. */
struct gdb_packet {
    uint8_t data[GDB_PACKET_MAX + 1]; /* without "}"; a 0 follows */
    size_t size;
    enum { GDB_OUTSIDE, GDB_INSIDE, GDB_ESCAPED, GDB_SUM_HIGH, GDB_SUM_LOW } at;
    uint8_t sum, told;
    bool wrong;
};

enum gdb_input {
    GDB_NOTHING,   /* more must come */
    GDB_PACKET,    /* `data` is one */
    GDB_DAMAGED,   /* one was damaged, or too long */
    GDB_INTERRUPT, /* who debugs has pressed Ctrl-C */
};

/* Takes one byte. All zeros is how it starts. */
enum gdb_input gdb_packet_take(struct gdb_packet *packet, uint8_t byte);

/* Writes the packet with this data, with "}" where there must be one, into `to`, which has room for
 * 2 * size + 4 bytes. Returns its size. */
size_t gdb_packet_make(char *to, const char *data, size_t size);

/* Hexadecimal digits. The first returns the end of what it has written, and writes no 0; the second
 * whether all `size` bytes were there. */
char *gdb_hex_write(char *to, const void *bytes, size_t size);
bool gdb_hex_read(const char *from, void *bytes, size_t size);
