/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/console/clients.h"

#include "abi/console.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"
#include "runtime/channel.h"
#include "runtime/gate.h"
#include "services/console/log.h"
#include "services/console/output.h"
#include "services/console/port.h"

#define ESCAPE  0x1d         /* Ctrl-] */
#define BACKLOG CONSOLE_KEPT /* bytes kept of each VM; a power of two */

/* What a VM wrote last is shown again when it gets the line: so many lines, if they are no longer
 * than this. */
#define LAST_LINES 4
#define LAST_BYTES 0x400u

/* How far the line may be behind with what running VMs write, and for Ctrl-] n to be heeded: the
 * rest of the port's queue is for lines, and for what VMs have kept back when they end. */
#define BEHIND     0x5000u
#define BEHIND_ALL 0xe000u

#define LOOK_ENTRIES 16     /* taken from a VM's channel in one look */
#define LOOK_PART    128    /* of the time, for all looks */
#define LAST_SHARE   0x4000 /* bytes of the line for what a VM that ended has left */

struct backlog {
    char byte[BACKLOG];
    uint32_t head, tail; /* free-running; head: what has been shown */
};

static struct client {
    struct channel_end channel;
    char name[PLAN_NAME_SIZE];
    uint32_t vm; /* its index in the plan */
    bool running;
    bool silent;        /* it has no share of the line, and can only be asked where it is */
    bool wants;         /* it may have written something */
    uint64_t next_look; /* not before */
    /* Behind head: what waits while another VM has the line, or the line that is not whole yet. */
    struct backlog output;
    int32_t share;              /* with console=lines: bytes that it may still write this round */
    struct console_entry typed; /* input that is not in the channel yet */
    bool watched;
    struct channel_end watcher;
    uint32_t told; /* of the output; free-running, as there */
} clients[PROCESS_CHANNELS];

static unsigned count;
static struct client *focus;
static bool by_lines, escaped;
static uint64_t pause;

/* Whether it has a share of the line. */
static bool shares(const struct client *c)
{
    return c->running && !c->silent;
}

static uint32_t kept(const struct backlog *b)
{
    return b->tail - b->head;
}

static void keep(struct backlog *b, const char *text, size_t length)
{
    for (size_t n; length > 0; text += n, length -= n) {
        n = min_u64(length, BACKLOG - b->tail % BACKLOG);
        memcpy(&b->byte[b->tail % BACKLOG], text, n);
        b->tail += (uint32_t)n;
    }
}

/* All that was not shown yet, as far as it was kept. */
static void show(struct backlog *b)
{
    if (kept(b) > BACKLOG)
        b->head = b->tail - BACKLOG;
    while (kept(b) > 0) {
        uint32_t start = b->head % BACKLOG, n = (uint32_t)min_u64(kept(b), BACKLOG - start);
        output_text(&b->byte[start], n);
        b->head += n;
    }
}

/* Goes back to the start of the last lines, if they have been shown. */
static void show_again(struct backlog *b)
{
    uint32_t back = 0, newlines = 0, most = (uint32_t)min_u64(b->tail, LAST_BYTES);

    for (; back < most; back++)
        if (b->byte[(b->tail - back - 1) % BACKLOG] == '\n' && newlines++ == LAST_LINES)
            break;
    if (back > kept(b))
        b->head = b->tail - back;
    show(b);
}

/* Whose output the next is. */
static void announce(const struct client *c, uint32_t lost)
{
    if (lost > 0)
        output_format("console of vm %s, %u bytes not kept", c->name, lost);
    else
        output_format("console of vm %s", c->name);
}

/* The client that a channel's label names. */
static struct client *watched_by(const struct process_channel *is)
{
    for (unsigned i = 0; i < count; i++)
        if (is->label[0] == (char)('0' + clients[i].vm) && is->label[1] == '\0')
            return &clients[i];
    return NULL;
}

static bool watches(const struct process_channel *is)
{
    return is->peer_index >= PLAN_PROCESS;
}

static void open_watchers(const struct process_info *info, char *pages)
{
    for (unsigned i = 0; i < info->channel_count; i++) {
        const struct process_channel *is = &info->channels[i];
        struct client *c = is->server && watches(is) ? watched_by(is) : NULL;
        if (c == NULL)
            continue;
        c->watched = true;
        channel_open(&c->watcher, pages + i * PROCESS_CHANNEL_STRIDE, i, true);
        channel_sleep(&c->watcher); /* for ever: an event comes for all that it sends */
    }
}

void clients_init(const struct process_info *info, void *pages, bool lines, uint64_t ticks)
{
    count = 0;
    by_lines = lines;
    escaped = false;
    pause = ticks;
    focus = NULL;
    for (unsigned i = 0; i < info->channel_count; i++) {
        const struct process_channel *is = &info->channels[i];
        if (is->kind != PLAN_CHANNEL_CONSOLE || !is->server || watches(is))
            continue;
        struct client *c = &clients[count++];
        *c = (struct client){.vm = is->peer_index,
                             .running = !is->ended || log_tells_end(is->peer_index),
                             .silent = is->read_only,
                             .wants = true};
        memcpy(c->name, is->peer, sizeof(c->name));
        channel_open(&c->channel, (char *)pages + i * PROCESS_CHANNEL_STRIDE, i, true);
        if (focus == NULL && shares(c))
            focus = c;
    }
    open_watchers(info, pages);
    if (info->starts > 1 && focus != NULL) /* somebody else may have had it */
        announce(focus, 0);
}

static uint32_t not_kept(const struct backlog *b)
{
    return kept(b) > BACKLOG ? kept(b) - BACKLOG : 0;
}

static void show_line(struct client *c)
{
    char name[PLAN_NAME_SIZE + 4];
    int length = format(name, sizeof(name), "[%s] ", c->name);

    c->share -= length + (int32_t)kept(&c->output);
    output_text(name, (size_t)length);
    show(&c->output);
}

/* As far as the line goes, or as one can be kept. */
static size_t line_part(const struct client *c, const char *text, size_t length)
{
    size_t n = 0, most = min_u64(length, BACKLOG - kept(&c->output));

    while (n < most && text[n++] != '\n')
        ;
    return n;
}

/* What a VM says: for when it has the line, or a line with the end of it. */
static void consume(struct client *c, const char *text, size_t length)
{
    for (size_t n; length > 0; text += n, length -= n) {
        n = by_lines ? line_part(c, text, length) : length;
        keep(&c->output, text, n);
        if (by_lines && (text[n - 1] == '\n' || kept(&c->output) == BACKLOG))
            show_line(c);
    }
}

/* The next entry of its channel, if there is one; its bytes, which are what the VM says. */
static bool next_entry(struct client *c, struct console_entry *entry)
{
    if (!channel_get(&c->channel, entry))
        return false;
    if (entry->what != CONSOLE_TEXT || entry->length > CONSOLE_BYTES)
        entry->length = 0;
    return true;
}

static bool take_entry(struct client *c)
{
    struct console_entry entry;

    if (!next_entry(c, &entry))
        return false;
    consume(c, entry.bytes, entry.length);
    if (!by_lines && c == focus)
        show(&c->output);
    return true;
}

/* Once there is room for what all may write in it, the next round begins. */
static void next_round(void)
{
    if (port_queued() > BEHIND - 2 * BACKLOG)
        return;
    for (unsigned i = 0; i < count; i++)
        clients[i].share =
            (clients[i].share < 0 ? clients[i].share : 0) + (int32_t)(BACKLOG / count);
}

static bool has_room(const struct client *c)
{
    if (!by_lines)
        return c != focus || port_queued() <= BEHIND - CONSOLE_BYTES;
    if (c->share <= 0)
        next_round();
    return c->share > 0 && port_queued() <= BEHIND - BACKLOG;
}

/* There is something to do in a look: it is not begun for an entry or two, as each time the VM is
 * told that there is room. */
static bool may_look(const struct client *c)
{
    return has_room(c) &&
           (by_lines || c != focus || port_queued() <= BEHIND - LOOK_ENTRIES * CONSOLE_BYTES);
}

static unsigned take(struct client *c)
{
    unsigned taken = 0;

    while (taken < LOOK_ENTRIES && has_room(c) && take_entry(c))
        taken++;
    return taken;
}

uint64_t clients_next(uint64_t now)
{
    return now - now % pause + pause;
}

static unsigned running(void)
{
    unsigned running = 0;

    for (unsigned i = 0; i < count; i++)
        running += clients[i].running;
    return running;
}

bool clients_compete(void)
{
    return count == 0 || running() > 1;
}

/* A VM whose pause brought nothing new is to notify when it writes again. The pause is longer after
 * a look that took long: all VMs together take no more than a part of the time. */
static void look(struct client *c, uint64_t now)
{
    uint64_t begin = gate_tsc();

    channel_awake(&c->channel);
    if (take(c) == 0)
        c->wants = !channel_sleep(&c->channel);
    c->next_look = clients_next(now + (gate_tsc() - begin) * LOOK_PART * running());
}

void clients_take(uint64_t events, uint64_t now)
{
    for (unsigned i = 0; i < count; i++) {
        struct client *c = &clients[i];
        c->wants |= (events & EVENT_CHANNEL(c->channel.number)) != 0;
        if (shares(c) && c->wants && now >= c->next_look && may_look(c))
            look(c, now);
    }
}

uint64_t clients_due(void)
{
    uint64_t due = CLIENTS_NEVER;

    for (unsigned i = 0; i < count; i++)
        if (shares(&clients[i]) && clients[i].wants && may_look(&clients[i]))
            due = min_u64(due, clients[i].next_look);
    return due;
}

/* The next running VM gets the line, and shows what it wrote last. */
static void switch_focus(void)
{
    struct client *next = focus;

    for (unsigned i = 1; focus != NULL && i <= count; i++) {
        struct client *c = &clients[(focus - clients + i) % count];
        if (shares(c)) {
            next = c;
            break;
        }
    }
    if (next == focus)
        return;
    focus = next;
    if (by_lines) {
        announce(next, 0);
        return;
    }
    announce(next, not_kept(&next->output));
    show_again(&next->output);
}

static struct client *client_of(uint32_t vm)
{
    for (unsigned i = 0; i < count; i++)
        if (clients[i].vm == vm && clients[i].running)
            return &clients[i];
    return NULL;
}

/* All that its channel holds, unless the line is behind with much more than what VMs may write;
 * what it has had of the line in advance its share lacks later. */
void clients_before_line(uint32_t vm)
{
    struct client *c = client_of(vm);

    if (c == NULL || !shares(c))
        return;
    for (unsigned i = 0; i < CHANNEL_ENTRIES; i++)
        if (c->share <= -LAST_SHARE || port_queued() > BEHIND_ALL || !take_entry(c))
            break;
}

/* What is left in the channel is no more than that holds; and of the line, than anybody may have.
 */
static uint32_t take_rest(struct client *c)
{
    struct console_entry entry;
    uint32_t lost = 0;

    c->share = LAST_SHARE;
    for (unsigned i = 0; i < CHANNEL_ENTRIES && next_entry(c, &entry); i++)
        if (c->share > 0)
            consume(c, entry.bytes, entry.length);
        else
            lost += entry.length;
    return lost;
}

void clients_before_end(uint32_t vm)
{
    struct client *c = client_of(vm);

    if (c == NULL || !shares(c))
        return;
    if (!by_lines && c == focus)
        show(&c->output);
    uint32_t lost = take_rest(c);

    if (by_lines && kept(&c->output) > 0)
        show_line(c);
    if (lost > 0 || (!by_lines && c != focus && kept(&c->output) > 0))
        announce(c, lost + not_kept(&c->output));
    if (!by_lines)
        show(&c->output);
}

void clients_ended(uint32_t vm)
{
    struct client *c = client_of(vm);

    if (c == NULL)
        return;
    c->running = false;
    if (c == focus)
        switch_focus();
}

static void give_typed(struct client *c)
{
    if (c->typed.length > 0 && channel_put(&c->channel, &c->typed))
        c->typed = (struct console_entry){0};
}

/* While its channel has room. */
static void type_for(struct client *c, char byte)
{
    if (c == NULL || !shares(c))
        return;
    if (c->typed.length == CONSOLE_BYTES)
        give_typed(c);
    if (c->typed.length < CONSOLE_BYTES)
        c->typed.bytes[c->typed.length++] = byte;
}

/* Goes to who has the line. */
static void type(char byte)
{
    type_for(focus, byte);
}

/* What it has written since the last time, as far as it was kept and there is room. */
static void tell(struct client *c)
{
    const struct backlog *b = &c->output;

    if (b->tail - c->told > BACKLOG)
        c->told = b->tail - BACKLOG;
    while (c->told != b->tail) {
        uint32_t start = c->told % BACKLOG;
        struct console_entry entry = {
            .length =
                (uint16_t)min_u64(min_u64(b->tail - c->told, BACKLOG - start), CONSOLE_BYTES)};
        memcpy(entry.bytes, &b->byte[start], entry.length);
        if (!channel_put(&c->watcher, &entry))
            return;
        c->told += entry.length;
    }
}

/* No more than a ring has. */
static void serve(struct client *c)
{
    struct console_entry entry;
    bool asked = false;

    for (unsigned n = 0; n < CHANNEL_ENTRIES && channel_get(&c->watcher, &entry); n++) {
        asked |= entry.what == CONSOLE_ASK;
        for (unsigned i = 0; entry.what == CONSOLE_TEXT && i < entry.length && i < CONSOLE_BYTES;
             i++)
            type_for(c, entry.bytes[i]);
    }
    if (asked)
        tell(c);
    channel_flush(&c->watcher);
}

/* What comes meanwhile is for the next time. */
void clients_watch(void)
{
    for (unsigned i = 0; i < count; i++)
        if (clients[i].watched)
            serve(&clients[i]);
}

/* Each running VM's monitor prints where its guest is. */
static void ask_all(void)
{
    static const struct console_entry ask = {.what = CONSOLE_ASK};

    log_ask();
    for (unsigned i = 0; i < count; i++)
        if (clients[i].running)
            channel_put(&clients[i].channel, &ask);
}

/* After the escape: n switches, d asks where the guests are, the escape itself is meant as it is,
 * and for anything else both are. */
void clients_input(char c)
{
    if (!escaped) {
        escaped = c == ESCAPE;
        if (!escaped)
            type(c);
        return;
    }
    escaped = false;
    switch (c) {
    case 'n':
        if (port_queued() <= BEHIND_ALL) /* the line is not behind with earlier ones */
            switch_focus();
        return;
    case 'd':
        ask_all();
        return;
    default:
        type(ESCAPE);
        if (c != ESCAPE)
            type(c);
    }
}

void clients_flush(void)
{
    for (unsigned i = 0; i < count; i++) {
        struct client *c = &clients[i];
        if (!c->running)
            continue;
        give_typed(c);
        channel_flush(&c->channel);
    }
}
