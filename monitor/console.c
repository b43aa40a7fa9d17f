/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/console.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "monitor/gate.h"

static void open_end(struct console *c, unsigned number)
{
    channel_open(&c->channel, gate_channel(number), number, false);
    channel_sleep(&c->channel); /* for good: it is looked at when there is an event */
}

void console_restored(struct console *c)
{
    if (c->open)
        open_end(c, c->channel.number);
}

void console_open(struct console *c, const struct process_info *info)
{
    for (unsigned n = 0; n < info->channel_count && !c->open; n++) {
        if (info->channels[n].kind != PLAN_CHANNEL_CONSOLE)
            continue;
        c->open = true;
        c->is = &info->channels[n];
        c->silent = info->channels[n].read_only;
        c->virtio = !c->silent && strcmp(info->channels[n].label, CONSOLE_VIRTIO) == 0;
        open_end(c, n);
    }
}

void console_flush(struct console *c)
{
    size_t put = 0;

    if (!c->open)
        return;
    while (put < c->gathered) {
        struct console_entry entry = {.length =
                                          (uint16_t)min_u64(c->gathered - put, CONSOLE_BYTES)};
        memcpy(entry.bytes, c->output + put, entry.length);
        if (!channel_put(&c->channel, &entry))
            break;
        put += entry.length;
    }
    c->gathered -= put;
    memmove(c->output, c->output + put, c->gathered);
    channel_flush(&c->channel);
}

/* No more is gathered than the channel has places for. */
static size_t room(struct console *c)
{
    size_t places = (CHANNEL_ENTRIES - channel_used(&c->channel)) * CONSOLE_BYTES;
    size_t most = min_u64(places, CONSOLE_GATHERED);

    return most > c->gathered ? most - c->gathered : 0;
}

static void put_when_clear(struct console *c)
{
    if (channel_has_room(&c->channel, 1))
        console_flush(c);
}

size_t console_put(struct console *c, const char *bytes, size_t count)
{
    if (!c->open || c->silent || c->is->ended)
        return count;
    size_t n = min_u64(count, room(c));

    memcpy(c->output + c->gathered, bytes, n);
    c->gathered += n;
    put_when_clear(c);
    return n;
}

size_t console_get(struct console *c, char *bytes, size_t max)
{
    size_t n = 0;

    while (n < max && console_pending(c))
        bytes[n++] = c->input[c->head++ % CONSOLE_INPUT];
    return n;
}

static void take(struct console *c, const struct console_entry *entry)
{
    if (entry->what == CONSOLE_ASK)
        c->asked = true;
    for (unsigned i = 0; i < min_u64(entry->length, CONSOLE_BYTES); i++)
        if (c->tail - c->head < CONSOLE_INPUT)
            c->input[c->tail++ % CONSOLE_INPUT] = entry->bytes[i];
}

bool console_events(struct console *c, uint64_t events)
{
    struct console_entry entry;

    if (!c->open || !(events & EVENT_CHANNEL(c->channel.number)))
        return false;
    for (unsigned i = 0; i < CHANNEL_ENTRIES && channel_get(&c->channel, &entry); i++)
        take(c, &entry);
    if (c->gathered > 0)
        put_when_clear(c);
    channel_flush(&c->channel);
    return true;
}
