/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/console/console.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "runtime/gate.h"
#include "runtime/log.h"
#include "services/console/clients.h"
#include "services/console/log.h"
#include "services/console/output.h"
#include "services/console/port.h"

/* More than a port has that works, before it is looked at again. */
#define LOOKS 16
#define READS 64 /* for each of them */

#define RECORDS 8 /* of the log, before the port and the VMs are looked at again */

/* What one record of the log may add to the port's queue, with all that a VM has left behind. */
#define RECORD_ROOM 0x8000u

static uint64_t ms;        /* in ticks of the TSC */
static bool interrupts;    /* the port has one */
static bool babbles;       /* it did not stop asking */
static uint64_t next_look; /* at the port, at the latest */
static uint64_t took;      /* all that was done with the last one, in ticks */
static uint64_t armed;     /* what GATE_TIMER was given last */
static uint64_t next_log;  /* when the log is looked at, while nobody tells of its lines */
static struct log_reader *kept;
static uint64_t end_by; /* unless the port moves on */
static size_t end_queued;

static void begin_end(uint64_t now)
{
    end_by = now + ms * CONSOLE_END_PATIENCE_MS;
    end_queued = port_queued();
}

void console_start(const struct process_info *info, void *channels, void *log)
{
    ms = info->tsc_khz;
    interrupts = info->interrupt_count > 0;
    kept = log;
    babbles = false;
    next_look = took = 0;
    next_log = armed = UINT64_MAX;
    port_init(info->ports[0].first, kept);
    log_open(kept);
    begin_end(gate_tsc());
    clients_init(info, channels, strcmp(info->arguments, "console=lines") == 0,
                 ms * CONSOLE_PAUSE_MS);
    port_ask(true, true);
}

/* Whether VMs lose more by an interrupt for each FIFO than by a line that is slower. */
static bool spares(void)
{
    return took * CONSOLE_DEAR > ms && clients_compete() && !kept->ending;
}

static uint64_t look_after(uint64_t now)
{
    if (spares())
        return clients_next(now);
    return now + ms * (interrupts ? CONSOLE_PATIENCE_MS : CONSOLE_POLL_PATIENCE_MS);
}

static void take_input(void)
{
    for (int i = 0, c; i < READS && (c = port_read()) >= 0; i++)
        clients_input((char)c);
}

/*
 * Until nothing is pending: the interrupt is edge-triggered, and what stays pending makes no new
 * edge. A port that does not come to that point is left alone for a while.
 */
static void look_at_port(uint64_t now)
{
    bool pending = true;

    for (int i = 0; i < LOOKS && pending; i++) {
        take_input();
        port_push();
        pending = port_pending();
    }
    babbles = pending;
    port_ask(!pending, !pending && !spares());
    next_look = look_after(now);
}

/* When the port is to be looked at although it does not interrupt. */
static uint64_t port_due(void)
{
    return babbles || !interrupts || kept->ending || port_queued() > 0 ? next_look : UINT64_MAX;
}

/* The log's records, in their order: what they say of a VM comes behind what it has written. */
static unsigned take_records(uint64_t now)
{
    struct log_entry entry;
    unsigned i;

    for (i = 0; i < RECORDS && port_room() >= RECORD_ROOM && log_peek(&entry); i++) {
        if (entry.is.kind == LOG_VM_ENDED)
            clients_before_end(entry.is.vm);
        else
            clients_before_line(entry.is.vm);
        output_line(entry.text, entry.is.length);
        if (entry.is.kind == LOG_VM_ENDED)
            clients_ended(entry.is.vm);
        else if (entry.is.kind == LOG_END) {
            begin_end(now);
            kept->ending = true;
        }
        log_next(&entry);
    }
    return i;
}

/* Where VMs are spared, the next line does not wake us: it is read when they are looked at. */
static void take_log(uint64_t now)
{
    bool any;

    if (now < next_log && next_log != UINT64_MAX)
        return;
    any = take_records(now) > 0;
    if (!any && next_log != UINT64_MAX) {
        log_look(false);
        any = take_records(now) > 0;
    }
    next_log = any && spares() ? clients_next(now) : UINT64_MAX;
    log_look(next_log != UINT64_MAX);
}

/* The run is over when all has left the port. One that stands still holds nobody up. */
static void finish(uint64_t now)
{
    if (port_queued() != end_queued)
        end_by = now + ms * CONSOLE_END_PATIENCE_MS;
    end_queued = port_queued();
    if (port_sent() || now >= end_by)
        log_stop(GATE_STOP_POWER_OFF, "the run is over");
    next_look = min_u64(next_look, now + ms);
}

/* The timer may come too early, which costs a look at the time; so it need not be set each time.
 * None is left behind: each entry of a guest would look at it. */
static void set_timer(uint64_t now)
{
    struct log_entry entry;
    uint64_t due = min_u64(min_u64(port_due(), clients_due()), next_log);

    if (port_room() >= RECORD_ROOM && log_peek(&entry))
        due = min_u64(due, clients_next(now));
    if (due == armed || (now < armed && armed <= due && due != UINT64_MAX))
        return;
    armed = due;
    gate_timer(due);
}

void console_work(uint64_t events)
{
    uint64_t now = gate_tsc();
    bool looks = events & EVENT_INTERRUPT(0) || now >= port_due();

    if (looks) {
        look_at_port(now);
        gate_interrupts_done(EVENT_INTERRUPTS(events));
    }
    bool idle = port_queued() == 0;
    take_log(now);
    clients_take(events, now);
    clients_watch();
    if (port_queued() > 0)
        port_push();
    if (idle && port_queued() > 0)
        next_look = look_after(now);
    clients_flush();
    if (kept->ending)
        finish(now);
    set_timer(now);
    if (looks)
        took = gate_tsc() - now;
}
