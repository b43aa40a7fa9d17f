/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/gdb_session.h"

#include <stdlib.h>
#include <string.h>

#include "tool/gdb_commands.h"

void gdb_reply_bytes(struct gdb_session *s, const char *data, size_t size)
{
    s->last_size = gdb_packet_make(s->last, data, size);
    s->send(s->context, s->last, s->last_size);
}

void gdb_reply(struct gdb_session *s, const char *data)
{
    gdb_reply_bytes(s, data, strlen(data));
}

void gdb_reply_whether(struct gdb_session *s, bool good)
{
    gdb_reply(s, good ? "OK" : "E01");
}

bool gdb_number(const char **at, uint64_t *value)
{
    char *end;

    *value = strtoull(*at, &end, 16);
    bool good = end != *at && **at != '-' && **at != '+' && **at != ' ';
    *at = end;
    return good;
}

bool gdb_address_and_size(const char *at, uint64_t *address, uint64_t *size, char behind,
                          const char **rest)
{
    if (!gdb_number(&at, address) || *at++ != ',' || !gdb_number(&at, size) || *at != behind)
        return false;
    *rest = at + (behind != '\0');
    return true;
}

static const struct {
    const char *name;
    void (*answer)(struct gdb_session *s, const char *at);
} commands[] = {
#define GDB_COMMAND(words, name) {words, gdb_command_##name},
#include "tool/gdb_commands.def"
#undef GDB_COMMAND
};

/* Nothing for what is not known, which is how gdb finds out. While it runs gdb asks nothing. */
static void answer(struct gdb_session *s)
{
    const char *data = (const char *)s->packet.data;

    if (s->runs || s->ends)
        return;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        size_t length = strlen(commands[i].name);
        if (strncmp(data, commands[i].name, length) == 0 &&
            (length > 1 || data[0] != 'q' || data[1] == '\0')) {
            commands[i].answer(s, data + length);
            return;
        }
    }
    gdb_reply(s, "");
}

static void interrupt(struct gdb_session *s)
{
    if (!s->runs)
        return;
    s->runs = false;
    gdb_session_stop(s);
    if (!gdb_target_is_on(s->target, s->target->vcpu))
        gdb_target_choose(s->target, 0); /* which always is */
    s->stopped = s->target->vcpu;
    gdb_reply_stopped(s);
}

void gdb_session_take(struct gdb_session *s, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < size && !s->ends; i++) {
        if (at[i] == '-' && s->packet.at == GDB_OUTSIDE && !s->no_acks)
            s->send(s->context, s->last, s->last_size);
        switch (gdb_packet_take(&s->packet, at[i])) {
        case GDB_PACKET:
            if (!s->no_acks)
                s->send(s->context, "+", 1);
            answer(s);
            break;
        case GDB_DAMAGED:
            if (!s->no_acks)
                s->send(s->context, "-", 1);
            break;
        case GDB_INTERRUPT:
            interrupt(s);
            break;
        case GDB_NOTHING:
            break;
        }
    }
}
