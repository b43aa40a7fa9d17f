/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/control/watch.h"

#include "abi/console.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "runtime/channel.h"

static struct watched {
    bool there;
    struct channel_end channel;
    uint32_t tail;  /* how much it has written, as far as it was fetched; free-running */
    uint64_t typed; /* what was typed last: two who type at once may have given it one number */
    char byte[CONSOLE_KEPT];
} watched[PLAN_MAX_VMS];

void watch_open(const struct process_info *info, void *pages)
{
    for (unsigned vm = 0; vm < PLAN_MAX_VMS; vm++)
        watched[vm] = (struct watched){0};
    for (unsigned i = 0; i < info->channel_count; i++) {
        unsigned vm = (unsigned)(info->channels[i].label[0] - '0');
        if (info->channels[i].kind != PLAN_CHANNEL_CONSOLE || vm >= PLAN_MAX_VMS)
            continue;
        watched[vm].there = true;
        channel_open(&watched[vm].channel, (char *)pages + i * PROCESS_CHANNEL_STRIDE, i, false);
    }
}

static struct watched *watched_vm(uint8_t vm)
{
    return vm < PLAN_MAX_VMS && watched[vm].there ? &watched[vm] : NULL;
}

/* What has come since the last time, and asks for more. */
static void fetch(struct watched *w)
{
    struct console_entry entry;

    for (unsigned n = 0; n < CHANNEL_ENTRIES && channel_get(&w->channel, &entry); n++)
        for (unsigned i = 0; i < entry.length && i < CONSOLE_BYTES; i++)
            w->byte[w->tail++ % CONSOLE_KEPT] = entry.bytes[i];
    entry = (struct console_entry){.what = CONSOLE_ASK};
    channel_put(&w->channel, &entry);
    channel_flush(&w->channel);
}

enum control_error watch_console(const struct control_request *r, struct control_answer *a)
{
    struct watched *w = watched_vm(r->vm);
    struct control_console is = {.at = (uint32_t)r->argument};

    if (w == NULL)
        return CONTROL_NO_VM;
    fetch(w);
    is.typed = (uint32_t)(w->typed >> 56);
    if (w->tail - is.at > min_u64(w->tail, CONSOLE_KEPT))
        is.at = w->tail - (uint32_t)min_u64(w->tail, CONSOLE_KEPT);
    size_t count = min_u64(w->tail - is.at, CONTROL_DATA - sizeof(is));
    memcpy(a->data, &is, sizeof(is));
    for (size_t i = 0; i < count; i++)
        a->data[sizeof(is) + i] = (uint8_t)w->byte[(is.at + i) % CONSOLE_KEPT];
    a->size = (uint16_t)(sizeof(is) + count);
    return CONTROL_OK;
}

enum control_error watch_type(const struct control_request *r, struct control_answer *a)
{
    struct watched *w = watched_vm(r->vm);
    struct console_entry entry = {.length = (uint8_t)(r->argument >> 48)};

    if (w == NULL || entry.length > CONTROL_TYPED_MAX)
        return CONTROL_NO_VM;
    if (r->argument == w->typed)
        return CONTROL_OK;
    memcpy(entry.bytes, &r->argument, entry.length);
    if (!channel_put(&w->channel, &entry))
        return CONTROL_STATE;
    channel_flush(&w->channel);
    w->typed = r->argument;
    return CONTROL_OK;
}
