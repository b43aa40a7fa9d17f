/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/report/console.h"

#include "hypervisor/boot/options.h"
#include "hypervisor/lib/bits.h"
#include "hypervisor/lib/format.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/serial.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/vm.h"

#define ESCAPE     0x1d    /* Ctrl-] */
#define QUEUE_SIZE 0x1000u /* a power of two */
/* The log has this much of the serial queue for itself. */
#define LOG_RESERVE 0x1000u

struct queue {
    char byte[QUEUE_SIZE];
    uint32_t head, tail; /* free-running */
};

static struct line {
    struct queue input;
    /* the backlog while another VM has the line, or the line that is not whole yet */
    struct queue output;
    uint32_t lost; /* bytes of backlog overwritten */
    bool starved;  /* a write was cut: the monitor waits for room */
} lines[PLAN_MAX_VMS];

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

void console_init(void)
{
    for (uint32_t i = vm_count; i-- > 0;)
        if (has_console(&vms[i]))
            focus = &vms[i];
    serial_enable_interrupts();
}

static bool push(struct queue *q, char c)
{
    if (used(q) == QUEUE_SIZE)
        return false;
    q->byte[q->tail++ % QUEUE_SIZE] = c;
    return true;
}

/* All that is queued goes out. */
static void show_output(struct queue *q)
{
    for (; q->head != q->tail; q->head++)
        log_text(&q->byte[q->head % QUEUE_SIZE], 1);
}

static size_t keep_backlog(struct line *line, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!push(&line->output, text[i])) {
            line->output.head++;
            line->lost++;
            push(&line->output, text[i]);
        }
    return length;
}

/* Whose output the next is. */
static void announce(const struct vm *vm)
{
    struct line *line = &lines[vm->index];

    if (line->lost > 0)
        log_line("console of vm %s, %u bytes not kept", vm->plan->name, line->lost);
    else
        log_line("console of vm %s", vm->plan->name);
    line->lost = 0;
}

static void show_line(struct vm *vm)
{
    char name[PLAN_NAME_SIZE + 4];

    log_text(name, (size_t)format(name, sizeof(name), "[%s] ", vm->plan->name));
    show_output(&lines[vm->index].output);
}

/* Takes whole lines while there is room for the longest. */
static size_t write_lines(struct vm *vm, const char *text, size_t length)
{
    struct queue *q = &lines[vm->index].output;

    for (size_t i = 0; i < length; i++) {
        if (serial_room() < LOG_RESERVE + QUEUE_SIZE)
            return i;
        push(q, text[i]);
        if (text[i] == '\n' || used(q) == QUEUE_SIZE)
            show_line(vm);
    }
    return length;
}

static size_t write_focused(const char *text, size_t length)
{
    size_t room = serial_room(), n = room > LOG_RESERVE ? min_u64(length, room - LOG_RESERVE) : 0;

    log_text(text, n);
    return n;
}

size_t console_write(struct vm *vm, const char *text, size_t length)
{
    struct line *line = &lines[vm->index];
    size_t n = length;

    if (!has_console(vm))
        return length;
    if (options.console_lines)
        n = write_lines(vm, text, length);
    else if (vm != focus)
        n = keep_backlog(line, text, length);
    else
        n = write_focused(text, length);
    line->starved = n < length;
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

/* The next running VM with a console gets the line, and shows what it wrote meanwhile. */
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
    if (!options.console_lines)
        show_output(&lines[next->index].output);
}

void console_show_rest(struct vm *vm)
{
    struct queue *output = &lines[vm->index].output;

    if (used(output) > 0 && options.console_lines) {
        show_line(vm);
    } else if (used(output) > 0) {
        announce(vm);
        show_output(output);
    }
}

void console_stopped(struct vm *vm)
{
    if (vm == focus)
        switch_focus();
}

static void put_input(char c)
{
    if (focus == NULL || !focus->running)
        return;
    push(&lines[focus->index].input, c);
    events_monitor(focus->vcpu, EXIT_EVENT_CONSOLE);
}

/* Each running VM's monitor prints where its guest is. */
static void report_guests(void)
{
    for (uint32_t i = 0; i < vm_count; i++)
        if (vms[i].running)
            events_monitor(vms[i].vcpu, EXIT_EVENT_REPORT);
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

void console_interrupt(void)
{
    int c;

    /* Until nothing is pending: the interrupt is edge-triggered, and what stays pending makes no
     * new edge. */
    do {
        while ((c = serial_read()) >= 0)
            take_input((char)c);
        serial_push();
    } while (serial_pending());
    if (serial_room() < LOG_RESERVE + 2 * QUEUE_SIZE)
        return;
    for (uint32_t i = 0; i < vm_count; i++)
        if (lines[i].starved) {
            lines[i].starved = false;
            events_monitor(vms[i].vcpu, EXIT_EVENT_CONSOLE);
        }
}
