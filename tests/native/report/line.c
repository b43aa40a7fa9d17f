/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/native/report/line.h"

#include <stdio.h>
#include <string.h>

#include "hypervisor/report/serial.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/vm.h"

struct port port;

struct vm vms[PLAN_MAX_VMS];
uint32_t vm_count;

static struct plan_vm plans[PLAN_MAX_VMS];
static struct vcpu vcpus[PLAN_MAX_VMS];
static struct process_info infos[PLAN_MAX_VMS];

void line_reset(unsigned count)
{
    memset(&port, 0, sizeof(port));
    memset(vms, 0, sizeof(vms));
    memset(vcpus, 0, sizeof(vcpus));
    vm_count = count;
    for (unsigned i = 0; i < count; i++) {
        plans[i].console = PLAN_CONSOLE_SERIAL;
        snprintf(plans[i].name, sizeof(plans[i].name), "vm%u", i);
        vcpus[i].vm = &vms[i];
        vms[i].index = i;
        snprintf(infos[i].name, sizeof(infos[i].name), "vm%u", i);
        vms[i].process.info = &infos[i];
        vms[i].plan = &plans[i];
        vms[i].vcpu = &vcpus[i];
        vms[i].running = true;
    }
}

void line_send(size_t bytes)
{
    port.queued -= bytes < port.queued ? bytes : port.queued;
}

unsigned line_count(const char *text)
{
    unsigned count = 0;

    for (const char *at = port.sent; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

bool line_woken(unsigned vm)
{
    bool woken = vcpus[vm].thread.events != 0;

    vcpus[vm].thread.events = 0;
    return woken;
}

void sched_post(struct thread *t, uint64_t events)
{
    t->events |= events;
}

size_t serial_room(void)
{
    return LINE_QUEUE - port.queued;
}

bool serial_queued(void)
{
    return port.queued > 0;
}

size_t serial_write(const char *text, size_t length)
{
    size_t n = length < serial_room() ? length : serial_room();

    memcpy(port.sent + port.length, text, n);
    port.length += n;
    port.queued += n;
    return n;
}

bool serial_push(void)
{
    port.accesses++;
    return false;
}

void serial_flush(void)
{
    port.flushes++;
    port.queued = 0;
}

void serial_ask(bool on)
{
    port.asks = on;
}

bool serial_pending(void)
{
    port.accesses++;
    return port.babbles;
}

int serial_read(void)
{
    port.accesses++;
    if (port.babbles)
        return 'x';
    return port.typed != NULL && *port.typed != '\0' ? *port.typed++ : -1;
}
