/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/control/control.h"

#include "lib/control_frame.h"
#include "lib/string.h"
#include "runtime/gate.h"
#include "services/control/answer.h"
#include "services/control/hold.h"
#include "services/control/uart.h"

/* More than a port has that works, before others have the CPU. */
#define LOOKS 16
#define READS 32 /* for each of them */

static bool interrupts; /* the port has one */
static uint64_t ms;     /* in ticks of the TSC */
static struct {
    uint8_t bytes[CONTROL_HEAD];
    size_t count;
} in;
static struct control_answer out;
static size_t out_size, out_sent;

bool control_start(const struct process_info *info, const struct log_ring *log,
                   const struct trace_ring *trace)
{
    interrupts = info->interrupt_count > 0;
    ms = info->tsc_khz;
    in.count = 0;
    out_size = out_sent = 0;
    answer_init(info, log, trace);
    return uart_init(info->ports[0].first);
}

/* A whole request that comes while an answer is under way is dropped: the protocol has one at a
 * time. */
static void take_request(void)
{
    struct control_request request;

    memcpy(&request, in.bytes, sizeof(request));
    in.count = 0;
    if (out_sent < out_size)
        return;
    answer(&request, &out);
    out_size = control_seal(&out);
    out_sent = 0;
}

static void take_byte(uint8_t byte)
{
    size_t size;

    in.bytes[in.count++] = byte;
    for (;;) {
        switch (control_frame(in.bytes, in.count, CONTROL_REQUEST, &size)) {
        case CONTROL_FRAME_WHOLE:
            take_request();
            return;
        case CONTROL_FRAME_SHORT:
            return;
        default:
            memmove(in.bytes, in.bytes + 1, --in.count);
        }
    }
}

static void take_input(void)
{
    for (int i = 0, byte; i < READS && (byte = uart_read()) >= 0; i++)
        take_byte((uint8_t)byte);
}

/* Until nothing is pending: the interrupt is edge-triggered. A port that does not come to that
 * point is left alone for a while. */
void control_work(uint64_t events)
{
    bool pending = true;

    for (int i = 0; i < LOOKS && pending; i++) {
        take_input();
        out_sent += uart_write((const uint8_t *)&out + out_sent, out_size - out_sent);
        uart_ask(true, out_sent < out_size);
        pending = uart_pending();
    }
    uart_ask(!pending, !pending && out_sent < out_size);
    gate_interrupts_done(EVENT_INTERRUPTS(events));
    unsigned wait = hold_look();
    if (!interrupts)
        wait = CONTROL_POLL_MS;
    else if (pending || out_sent < out_size)
        wait = CONTROL_PATIENCE_MS;
    if (wait > 0)
        gate_timer(gate_tsc() + wait * ms);
}
