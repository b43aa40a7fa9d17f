/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/report/console.h"

#include "hypervisor/lib/bits.h"
#include "hypervisor/lib/string.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/serial.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/vm.h"

#define ESCAPE       0x1d /* Ctrl-] */
#define QUEUE_SIZE   0x1000u /* a power of two */
/* The log has this much of the serial queue for itself. */
#define LOG_RESERVE  0x1000u

struct queue {
    char byte[QUEUE_SIZE];
    uint32_t head, tail; /* free-running */
};

static struct {
    struct queue input;
    struct queue backlog; /* while another VM has the line */
    uint32_t lost;        /* bytes of backlog overwritten */
    bool starved;         /* a write was cut: the monitor waits for room */
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

static size_t keep_backlog(struct vm *vm, const char *text, size_t length)
{
    struct queue *q = &lines[vm->index].backlog;

    for (size_t i = 0; i < length; i++) {
        if (used(q) == QUEUE_SIZE) {
            q->head++;
            lines[vm->index].lost++;
        }
        q->byte[q->tail++ % QUEUE_SIZE] = text[i];
    }
    return length;
}

size_t console_write(struct vm *vm, const char *text, size_t length)
{
    if (!has_console(vm))
        return length;
    if (vm != focus)
        return keep_backlog(vm, text, length);
    size_t room = serial_room(), n = room > LOG_RESERVE ? min_u64(length, room - LOG_RESERVE) : 0;
    serial_write(text, n);
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

/* The next VM with a console gets the line, and shows what it wrote meanwhile. */
static void switch_focus(void)
{
    struct vm *next = focus;

    for (uint32_t i = 1; i <= vm_count && next == focus; i++) {
        struct vm *vm = &vms[(focus->index + i) % vm_count];
        if (has_console(vm))
            next = vm;
    }
    focus = next;
    struct queue *q = &lines[next->index].backlog;
    log_text("\r\n");
    log_line("console of vm %s, %u bytes not kept", next->plan->name, lines[next->index].lost);
    lines[next->index].lost = 0;
    for (; q->head != q->tail; q->head++)
        log_text((char[]){q->byte[q->head % QUEUE_SIZE], '\0'});
}

static void put_input(char c)
{
    struct queue *q = &lines[focus->index].input;

    if (used(q) < QUEUE_SIZE)
        q->byte[q->tail++ % QUEUE_SIZE] = c;
    events_monitor(focus->vcpu, EXIT_EVENT_CONSOLE);
}

/* After the escape: n switches, the escape itself is meant as it is, and for anything else both are. */
static void take_input(char c)
{
    if (focus == NULL)
        return;
    if (!escaped) {
        escaped = c == ESCAPE;
        if (!escaped)
            put_input(c);
        return;
    }
    escaped = false;
    if (c == 'n') {
        switch_focus();
        return;
    }
    put_input(ESCAPE);
    if (c != ESCAPE)
        put_input(c);
}

void console_interrupt(void)
{
    int c;

    while ((c = serial_read()) >= 0)
        take_input((char)c);
    serial_push();
    if (focus != NULL && lines[focus->index].starved && serial_room() > 2 * LOG_RESERVE) {
        lines[focus->index].starved = false;
        events_monitor(focus->vcpu, EXIT_EVENT_CONSOLE);
    }
}
