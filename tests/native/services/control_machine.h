/* SPDX-License-Identifier: BSD-2-Clause */
/* What the control process has around it: a port, VMs and processes at the gate, ring 0's log and
 * traces, and a console; and who asks at the port. */
#pragma once

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>

#include "abi/control.h"
#include "abi/log.h"
#include "abi/trace.h"
#include "runtime/channel.h"

#define BASE      0x2f8
#define VMS       3 /* of which the last may not be controlled */
#define PROCESSES 3
#define RINGS     2

#define MEMORY 0x600000u
#define FULL   0x1ff000u /* the one page with something in it */

extern struct machine {
    struct {
        uint8_t typed[0x1000], sent[0x4000];
        size_t typed_at, typed_count, sent_count;
        uint8_t scratch;
        bool absent, babbles;
        unsigned accesses;
    } port;
    struct {
        enum gate_vm_state state;
        unsigned resets, presses;
    } vms[VMS];
    struct log_ring log;
    uint64_t poked, poked_before;
    struct guest_state set_state;
    struct {
        unsigned vms, processes; /* traced: a bit for each */
    } traced;
    struct channel_end console; /* VM 1's */
    unsigned acts;              /* calls that change something */
    uint64_t timer, tsc;
    unsigned lines; /* that it has logged */
    jmp_buf end;    /* where its end leads */
} machine;

extern const struct gate_process processes[PROCESSES];

/* A ring of the trace. */
struct trace_ring *ring_of(unsigned n);

/* A machine whose control process has just been started; one that the machine's end waits for. */
void begin(void);
void begin_awaited(void);

/* Who asks types this. */
void type(const void *bytes, size_t count);

/* All that was typed is read, and all is sent. */
void settle(void);

/* A whole request, with a tag of its own. */
struct control_request request(enum control_call call, uint8_t vm, uint64_t argument);

/* What is answered to a request; its answer is all that comes. */
struct control_answer ask(enum control_call call, uint8_t vm, uint64_t argument);

/* The same, of which only the error counts. */
void expect(enum control_call call, uint8_t vm, enum control_error error);
