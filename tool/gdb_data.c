/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers, memory and breakpoints, for gdb. */
#include <string.h>

#include "lib/bits.h"
#include "tool/gdb_commands.h"
#include "tool/gdb_registers.h"

/* The bytes of a register, as gdb has them; false: it has none. */
static bool read_register(struct gdb_target *t, const struct gdb_register *is, uint8_t bytes[16])
{
    const struct gate_registers *r = gdb_target_registers(t);
    uint64_t value;

    memset(bytes, 0, 16);
    if (!r)
        return false;
    switch (is->source) {
    case GDB_STATE:
        memcpy(bytes, (const uint8_t *)&r->state + is->offset, is->size);
        return true;
    case GDB_SELECTOR:
        memcpy(bytes, (const uint8_t *)&r->state + is->offset, sizeof(uint16_t));
        return true;
    case GDB_VECTORS:
        memcpy(bytes, r->vectors + is->offset, is->size);
        return true;
    case GDB_FPU:
        memcpy(bytes, r->vectors + is->offset, sizeof(uint16_t));
        return true;
    case GDB_MSR:
        if (!gdb_target_msr(t, is->offset, &value))
            return false;
        memcpy(bytes, &value, sizeof(value));
        return true;
    default:
        return true;
    }
}

static bool write_register(struct gdb_target *t, const struct gdb_register *is,
                           const uint8_t bytes[16])
{
    uint8_t now[16];

    if (read_register(t, is, now) && memcmp(now, bytes, is->size) == 0)
        return true;
    return is->source == GDB_STATE && gdb_target_set(t, is->offset, bytes, is->size);
}

void gdb_command_read_registers(struct gdb_session *s, const char *at)
{
    char *to = s->out;
    uint8_t bytes[16];

    for (size_t i = 0; i < gdb_register_count; i++) {
        size_t size = gdb_registers[i].size;
        if (read_register(s->target, &gdb_registers[i], bytes))
            to = gdb_hex_write(to, bytes, size);
        else
            to = (char *)memset(to, 'x', 2 * size) + 2 * size;
    }
    gdb_reply_bytes(s, s->out, (size_t)(to - s->out));
}

void gdb_command_write_registers(struct gdb_session *s, const char *at)
{
    uint8_t bytes[16];
    bool good = true;

    for (size_t i = 0; good && i < gdb_register_count; i++) {
        size_t size = gdb_registers[i].size;
        if (strnlen(at, 2 * size) < 2 * size)
            break;
        if (at[0] != 'x') /* not available */
            good = gdb_hex_read(at, bytes, size) &&
                   write_register(s->target, &gdb_registers[i], bytes);
        at += 2 * size;
    }
    gdb_reply_whether(s, good);
}

void gdb_command_read_register(struct gdb_session *s, const char *at)
{
    uint8_t bytes[16];
    uint64_t n;

    if (!gdb_number(&at, &n) || n >= gdb_register_count ||
        !read_register(s->target, &gdb_registers[n], bytes))
        gdb_reply(s, "E01");
    else
        gdb_reply_bytes(s, s->out,
                        (size_t)(gdb_hex_write(s->out, bytes, gdb_registers[n].size) - s->out));
}

void gdb_command_write_register(struct gdb_session *s, const char *at)
{
    uint8_t bytes[16];
    uint64_t n;

    gdb_reply_whether(s, gdb_number(&at, &n) && n < gdb_register_count && *at++ == '=' &&
                             gdb_hex_read(at, bytes, gdb_registers[n].size) &&
                             write_register(s->target, &gdb_registers[n], bytes));
}

void gdb_command_read_memory(struct gdb_session *s, const char *at)
{
    static uint8_t bytes[GDB_DATA_MAX];
    uint64_t address, size;

    if (!gdb_address_and_size(at, &address, &size, '\0', &at)) {
        gdb_reply(s, "E01");
        return;
    }
    size_t done = gdb_target_read(s->target, address, bytes, min_u64(size, GDB_DATA_MAX));
    if (done == 0 && size > 0)
        gdb_reply(s, "E0e");
    else
        gdb_reply_bytes(s, s->out, (size_t)(gdb_hex_write(s->out, bytes, done) - s->out));
}

void gdb_command_write_memory(struct gdb_session *s, const char *at)
{
    static uint8_t bytes[GDB_DATA_MAX];
    uint64_t address, size;

    gdb_reply_whether(s, gdb_address_and_size(at, &address, &size, ':', &at) &&
                             size <= GDB_DATA_MAX && gdb_hex_read(at, bytes, size) &&
                             gdb_target_write(s->target, address, bytes, size));
}

void gdb_command_write_binary(struct gdb_session *s, const char *at)
{
    const char *end = (const char *)s->packet.data + s->packet.size;
    uint64_t address, size;

    gdb_reply_whether(s, gdb_address_and_size(at, &address, &size, ':', &at) &&
                             size == (uint64_t)(end - at) &&
                             gdb_target_write(s->target, address, at, size));
}

/* Z and z: "TYPE,ADDRESS,KIND". */
static void breakpoint(struct gdb_session *s, const char *at, bool on)
{
    static const uint8_t kinds[] = {[1] = 0, [2] = 1, [4] = 3};
    static const uint8_t lengths[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
    uint64_t type, address, kind;

    if (!gdb_number(&at, &type) || *at++ != ',' ||
        !gdb_address_and_size(at, &address, &kind, '\0', &at)) {
        gdb_reply(s, "E01");
    } else if (type == 0) {
        gdb_reply_whether(s, gdb_target_patch(s->target, address, on));
    } else if (type == 3 || type > 4) { /* for reads alone there are none */
        gdb_reply(s, "");
    } else {
        kind = type == 1 ? 1 : kind;
        bool good = (kind == 1 || kind == 2 || kind == 4 || kind == 8) && address % kind == 0;
        gdb_reply_whether(
            s, good &&
                   gdb_target_hardware(s->target, address,
                                       (uint8_t)(kinds[type] | lengths[good ? kind : 1] << 2), on));
    }
}

void gdb_command_insert(struct gdb_session *s, const char *at)
{
    breakpoint(s, at, true);
}

void gdb_command_remove(struct gdb_session *s, const char *at)
{
    breakpoint(s, at, false);
}
