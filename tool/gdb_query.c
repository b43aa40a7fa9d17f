/* SPDX-License-Identifier: BSD-2-Clause */
/* What gdb asks of the server, of the VM's vCPUs, and in its user's own words. */
#include <stdio.h>
#include <string.h>

#include "lib/bits.h"
#include "tool/gdb_commands.h"
#include "tool/gdb_registers.h"

void gdb_command_supported(struct gdb_session *s, const char *at)
{
    char words[200];

    snprintf(words, sizeof(words),
             "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;qXfer:threads:read+;"
             "swbreak+;hwbreak+;vContSupported+",
             GDB_PACKET_MAX);
    gdb_reply(s, words);
}

void gdb_command_no_acks(struct gdb_session *s, const char *at)
{
    gdb_reply(s, "OK");
    s->no_acks = true;
}

/* H: a thread for what follows; 0 and -1 are any. T: whether it is there. */
void gdb_command_thread(struct gdb_session *s, const char *at)
{
    uint64_t thread;

    at++;
    bool any = !gdb_number(&at, &thread) || thread == 0;
    if (!any && thread > s->target->vcpus) {
        gdb_reply(s, "E01");
        return;
    }
    if (s->packet.data[1] == 'g' && !any)
        gdb_target_choose(s->target, (unsigned)thread - 1);
    gdb_reply(s, "OK");
}

void gdb_command_alive(struct gdb_session *s, const char *at)
{
    uint64_t thread;

    gdb_reply_whether(s, gdb_number(&at, &thread) && thread > 0 && thread <= s->target->vcpus &&
                             gdb_target_is_on(s->target, (unsigned)thread - 1));
}

/* "OFFSET,SIZE" of a document. */
static void transfer(struct gdb_session *s, const char *at, const char *document)
{
    uint64_t offset, size, length = strlen(document);

    if (!gdb_address_and_size(at, &offset, &size, '\0', &at)) {
        gdb_reply(s, "E01");
        return;
    }
    offset = min_u64(offset, length);
    size = min_u64(min_u64(size, length - offset), GDB_DATA_MAX);
    s->out[0] = offset + size < length ? 'm' : 'l';
    memcpy(s->out + 1, document + offset, size);
    gdb_reply_bytes(s, s->out, size + 1);
}

void gdb_command_description(struct gdb_session *s, const char *at)
{
    transfer(s, at, gdb_description);
}

void gdb_command_threads(struct gdb_session *s, const char *at)
{
    char document[64 + 64 * PLAN_MAX_VCPUS];
    int used = snprintf(document, sizeof(document), "<?xml version=\"1.0\"?>\n<threads>\n");

    for (unsigned i = 0; i < s->target->vcpus; i++)
        if (gdb_target_is_on(s->target, i))
            used += snprintf(document + used, sizeof(document) - (size_t)used,
                             "<thread id=\"%x\" core=\"%u\" name=\"vCPU %u\"/>\n", i + 1, i, i);
    snprintf(document + used, sizeof(document) - (size_t)used, "</threads>\n");
    transfer(s, at, document);
}

void gdb_command_first_threads(struct gdb_session *s, const char *at)
{
    int used = snprintf(s->out, sizeof(s->out), "m1");

    for (unsigned i = 1; i < s->target->vcpus; i++)
        if (gdb_target_is_on(s->target, i))
            used += snprintf(s->out + used, sizeof(s->out) - (size_t)used, ",%x", i + 1);
    gdb_reply(s, s->out);
}

void gdb_command_more_threads(struct gdb_session *s, const char *at)
{
    gdb_reply(s, "l");
}

void gdb_command_current_thread(struct gdb_session *s, const char *at)
{
    char words[16];

    snprintf(words, sizeof(words), "QC%x", s->target->vcpu + 1);
    gdb_reply(s, words);
}

void gdb_command_attached(struct gdb_session *s, const char *at)
{
    gdb_reply(s, "1");
}

void gdb_command_monitor(struct gdb_session *s, const char *at)
{
    char command[200] = "", answer[4000] = "";
    size_t size = strlen(at) / 2;

    if (size >= sizeof(command) || !gdb_hex_read(at, command, size)) {
        gdb_reply(s, "E01");
        return;
    }
    gdb_monitor(s->target, command, answer, sizeof(answer));
    gdb_reply_bytes(s, s->out, (size_t)(gdb_hex_write(s->out, answer, strlen(answer)) - s->out));
}
