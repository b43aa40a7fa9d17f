/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/report/console.h"

#include "hypervisor/report/log.h"
#include "hypervisor/report/serial.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/vm.h"
#include "lib/bits.h"
#include "lib/format.h"

#define ESCAPE     0x1d    /* Ctrl-] */
#define QUEUE_SIZE 0x1000u /* a power of two */

/* What a VM wrote last is shown again when it gets the line: so many lines, if they are no longer
 * than this. */
#define LAST_LINES 4
#define LAST_BYTES 0x400u

/* More than a port has that works, before it is looked at again. */
#define LOOKS 16
#define READS 64 /* for each of them */

struct queue {
    char byte[QUEUE_SIZE];
    uint32_t head, tail; /* free-running */
};

static struct line {
    struct queue input;
    /* head: what has been shown. The rest is the backlog while another VM has the line, or the line
     * that is not whole yet. */
    struct queue output;
    int32_t share; /* with console=lines: the bytes that it may still write in this round */
    bool starved;  /* a write was cut: the monitor waits for room */
} lines[PLAN_MAX_VMS];

bool console_lines;
uint64_t console_next_look, console_due = TIME_NEVER;
uint64_t console_patience;
static bool polled; /* the port has no interrupt */

static struct vm *focus;
static bool escaped;

static bool has_console(const struct vm *vm)
{
    return vm->plan->console == PLAN_CONSOLE_SERIAL;
}

static uint32_t used(const struct queue *q)
{
    return q->tail - q->head;
}

void console_init(uint64_t patience, bool interrupts)
{
    console_patience = patience;
    polled = !interrupts;
    console_due = polled ? 0 : TIME_NEVER;
}

void console_start(void)
{
    for (uint32_t i = vm_count; i-- > 0;)
        if (has_console(&vms[i]))
            focus = &vms[i];
    serial_ask(true);
}

static void put(struct queue *q, char c)
{
    q->byte[q->tail++ % QUEUE_SIZE] = c;
}

/* All that was not shown yet, as far as it was kept. */
static void show(struct queue *q)
{
    if (used(q) > QUEUE_SIZE)
        q->head = q->tail - QUEUE_SIZE;
    while (used(q) > 0) {
        uint32_t start = q->head % QUEUE_SIZE, n = (uint32_t)min_u64(used(q), QUEUE_SIZE - start);
        log_text(&q->byte[start], n);
        q->head += n;
    }
}

/* Goes back to the start of the last lines, if they have been shown. */
static void show_again(struct queue *q)
{
    uint32_t back = 0, newlines = 0, most = (uint32_t)min_u64(q->tail, LAST_BYTES);

    for (; back < most; back++)
        if (q->byte[(q->tail - back - 1) % QUEUE_SIZE] == '\n' && newlines++ == LAST_LINES)
            break;
    if (back > used(q))
        q->head = q->tail - back;
}

/* Whose output the next is. */
static void announce(const struct vm *vm)
{
    uint32_t n = used(&lines[vm->index].output);

    if (n > QUEUE_SIZE)
        log_line("console of vm %s, %u bytes not kept", vm->plan->name, n - QUEUE_SIZE);
    else
        log_line("console of vm %s", vm->plan->name);
}

static void show_line(struct vm *vm)
{
    char name[PLAN_NAME_SIZE + 4];

    log_text(name, (size_t)format(name, sizeof(name), "[%s] ", vm->plan->name));
    show(&lines[vm->index].output);
}

/* Once there is room for what all may write in it, the next round begins. */
static void next_round(void)
{
    if (log_room() < 2 * QUEUE_SIZE)
        return;
    for (uint32_t i = 0; i < vm_count; i++) {
        struct line *line = &lines[i];
        line->share = (line->share < 0 ? line->share : 0) + (int32_t)(QUEUE_SIZE / vm_count);
        if (line->starved)
            sched_post(&vms[i].vcpu->thread, EVENT_CONSOLE);
        line->starved = false;
    }
}

/* Takes whole lines; the longest of them may be more than its share, and counts in the next
 * rounds. */
static size_t write_lines(struct vm *vm, const char *text, size_t length)
{
    struct line *line = &lines[vm->index];
    struct queue *q = &line->output;

    for (size_t i = 0; i < length; i++) {
        if (line->share <= 0)
            next_round();
        if (line->share <= 0 || log_room() < QUEUE_SIZE + PLAN_NAME_SIZE + 4)
            return i;
        put(q, text[i]);
        if (text[i] == '\n' || used(q) == QUEUE_SIZE) {
            line->share -= (int32_t)used(q);
            show_line(vm);
        }
    }
    return length;
}

/* Behind what is not shown yet, or at once if the VM has the line. */
static size_t write_stream(struct vm *vm, const char *text, size_t length)
{
    struct queue *q = &lines[vm->index].output;
    size_t n = vm == focus ? min_u64(length, log_room()) : length;

    for (size_t i = 0; i < n; i++)
        put(q, text[i]);
    if (vm == focus)
        show(q);
    return n;
}

size_t console_write(struct vm *vm, const char *text, size_t length)
{
    if (!has_console(vm))
        return length;
    size_t n = console_lines ? write_lines(vm, text, length) : write_stream(vm, text, length);
    lines[vm->index].starved = n < length;
    return n;
}

size_t console_read(struct vm *vm, char *text, size_t max)
{
    struct queue *q = &lines[vm->index].input;
    size_t n = 0;

    while (n < max && q->head != q->tail)
        text[n++] = q->byte[q->head++ % QUEUE_SIZE];
    return n;
}

/* The next running VM with a console gets the line, and shows what it wrote last. */
static void switch_focus(void)
{
    struct vm *next = focus;

    for (uint32_t i = 1; focus != NULL && i <= vm_count; i++) {
        struct vm *vm = &vms[(focus->index + i) % vm_count];
        if (has_console(vm) && vm->running) {
            next = vm;
            break;
        }
    }
    if (next == focus)
        return;
    focus = next;
    announce(next);
    if (console_lines)
        return;
    show_again(&lines[next->index].output);
    show(&lines[next->index].output);
}

void console_show_rest(struct vm *vm)
{
    struct queue *output = &lines[vm->index].output;

    if (used(output) > 0 && console_lines) {
        show_line(vm);
    } else if (used(output) > 0) {
        announce(vm);
        show(output);
    }
}

void console_stopped(struct vm *vm)
{
    if (vm == focus)
        switch_focus();
}

static void put_input(char c)
{
    struct queue *q;

    if (focus == NULL || !focus->running)
        return;
    q = &lines[focus->index].input;
    if (used(q) < QUEUE_SIZE)
        put(q, c);
    sched_post(&focus->vcpu->thread, EVENT_CONSOLE);
}

/* Each running VM's monitor prints where its guest is. */
static void report_guests(void)
{
    for (uint32_t i = 0; i < vm_count; i++)
        if (vms[i].running) {
            vms[i].process.log = (struct bucket){0}; /* whatever it has said before */
            sched_post(&vms[i].vcpu->thread, EVENT_REPORT);
        }
}

/* After the escape: n switches, d asks where the guests are, the escape itself is meant as it is,
 * and for anything else both are. */
static void take_input(char c)
{
    if (!escaped) {
        escaped = c == ESCAPE;
        if (!escaped)
            put_input(c);
        return;
    }
    escaped = false;
    switch (c) {
    case 'n':
        if (serial_room() >= 2 * QUEUE_SIZE) /* the line is not behind with earlier ones */
            switch_focus();
        return;
    case 'd':
        report_guests();
        return;
    default:
        put_input(ESCAPE);
        if (c != ESCAPE)
            put_input(c);
    }
}

static void take_all_input(void)
{
    for (int i = 0, c; i < READS && (c = serial_read()) >= 0; i++)
        take_input((char)c);
}

/*
 * Until nothing is pending: the interrupt is edge-triggered, and what stays pending makes no new
 * edge. A port that does not come to that point is left alone for a while.
 */
void console_interrupt(uint64_t now)
{
    bool pending = true;

    for (int i = 0; i < LOOKS && pending; i++) {
        take_all_input();
        serial_push();
        pending = serial_pending();
    }
    serial_ask(!pending);
    console_next_look = now + console_patience;
    console_due = pending || polled ? console_next_look : TIME_NEVER;
    next_round();
}
