/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a VM has stopped, and how it goes on. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/exit_reasons.h"
#include "tool/gdb_commands.h"

#define LOOK_MS 2
#define TRIES   1000 /* of looks for a vCPU to stand: its monitor answers an exit first */

#define SIGNAL_INT  2
#define SIGNAL_TRAP 5
#define SIGNAL_SEGV 11

#define VECTOR_DB 1
#define VECTOR_BP 3
#define DR6_BS    0x4000u

/* A breakpoint of ours, and the words for it. */
static void tell_breakpoint(struct gdb_session *s, char *to, size_t size)
{
    const struct gate_stopped *is = &s->target->stopped[s->stopped];
    const struct gdb_hardware *h = s->target->hardware;

    to[0] = '\0';
    if (is->why != GATE_STOPPED_EXIT || is->reason != EXIT_REASON_EXCEPTION_NMI)
        return;
    if (EVENT_VECTOR(is->event) == VECTOR_BP) {
        snprintf(to, size, "swbreak:;");
        return;
    }
    for (unsigned i = 0; i < GDB_HARDWARE; i++)
        if (is->qualification >> i & 1 && h[i].used && (h[i].bits & 3) == 0)
            snprintf(to, size, "hwbreak:;");
        else if (is->qualification >> i & 1 && h[i].used)
            snprintf(to, size, "%s:%" PRIx64 ";", (h[i].bits & 3) == 1 ? "watch" : "awatch",
                     h[i].address);
}

static bool is_triple_fault(const struct gate_stopped *is)
{
    return is->why == GATE_STOPPED_EXIT && is->reason != EXIT_REASON_EXCEPTION_NMI;
}

static void end(struct gdb_session *s, const char *how)
{
    gdb_reply(s, how);
    s->runs = false;
    s->ends = true;
}

void gdb_reply_stopped(struct gdb_session *s)
{
    const struct gate_stopped *is = &s->target->stopped[s->stopped];
    char words[64], text[128];
    int signal = is_triple_fault(is)             ? SIGNAL_SEGV
                 : is->why == GATE_STOPPED_ASKED ? SIGNAL_INT
                                                 : SIGNAL_TRAP;

    if (s->target->gone || is->why == GATE_STOPPED_NOT) {
        end(s, s->target->gone ? "X09" : "W00");
        return;
    }
    tell_breakpoint(s, words, sizeof(words));
    snprintf(text, sizeof(text), "T%02xthread:%x;%s", signal, s->stopped + 1, words);
    gdb_reply(s, text);
}

bool gdb_session_await(struct gdb_session *s, unsigned vcpu)
{
    static const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    struct gdb_target *t = s->target;

    for (unsigned i = 0; i < TRIES && !t->gone; i++) {
        if (t->stopped[vcpu].why != GATE_STOPPED_NOT)
            return true;
        nanosleep(&pause, NULL);
        gdb_target_look(t, vcpu);
    }
    return false;
}

bool gdb_session_stop(struct gdb_session *s)
{
    struct gdb_target *t = s->target;

    if (!gdb_target_command(t, 0, GATE_DEBUG_STOP))
        return false;
    for (unsigned i = 0; i < t->vcpus; i++) {
        gdb_target_look(t, i);
        if (!gdb_session_await(s, i))
            return false;
    }
    return true;
}

void gdb_session_end(struct gdb_session *s)
{
    struct gdb_target *t = s->target;

    s->runs = false;
    if (!t->gone && gdb_target_state(t) != CONTROL_VM_ENDED)
        gdb_session_stop(s);
    gdb_target_command(t, 0, GATE_DEBUG_END);
    if (s->killed)
        gdb_target_act(t, CONTROL_CALL_STOP);
}

/* A triple fault, or a single step of the guest's own beside a breakpoint, has its effect now. */
static bool goes_on(struct gdb_session *s, unsigned vcpu, bool step)
{
    const struct gate_stopped *is = &s->target->stopped[vcpu];
    bool guests = is_triple_fault(is) ||
                  (is->why == GATE_STOPPED_EXIT && is->reason == EXIT_REASON_EXCEPTION_NMI &&
                   EVENT_VECTOR(is->event) == VECTOR_DB && is->qualification & DR6_BS);

    return gdb_target_command(s->target, vcpu,
                              GATE_DEBUG_GO | (guests ? GATE_DEBUG_REFLECT : 0) |
                                  (step ? GATE_DEBUG_STEP : 0));
}

/* gdb is told of a VM that has ended, or that somebody has stopped. */
static void look_for_end(struct gdb_session *s)
{
    enum control_vm_state state = gdb_target_state(s->target);

    if (state == CONTROL_VM_STOPPED)
        end(s, "X0f"); /* SIGTERM */
    else if (state == CONTROL_VM_ENDED)
        end(s, s->target->gone ? "X09" : "W00");
}

/* `steps`: a vCPU + 1, which executes one instruction; `alone`: the others stand. */
static void resume(struct gdb_session *s, unsigned steps, bool alone)
{
    struct gdb_target *t = s->target;

    s->steps = steps;
    s->alone = alone;
    s->runs = true;
    for (unsigned i = 0; i < t->vcpus; i++)
        if (gdb_target_is_on(t, i) && (!alone || i + 1 == steps) &&
            !goes_on(s, i, i + 1 == steps)) {
            look_for_end(s); /* or gdb_session_look finds what it does instead */
            break;
        }
}

/* Whether gdb is to hear of it: an exception that none of its breakpoints has caused is the guest's
 * own. */
static bool is_ours(struct gdb_target *t, unsigned vcpu)
{
    const struct gate_stopped *is = &t->stopped[vcpu];
    bool ours = false, physical = t->physical;

    if (is->why != GATE_STOPPED_EXIT || is->reason != EXIT_REASON_EXCEPTION_NMI)
        return true;
    for (unsigned i = 0; i < GDB_HARDWARE; i++)
        ours |= EVENT_VECTOR(is->event) == VECTOR_DB && is->qualification >> i & 1 &&
                t->hardware[i].used;
    if (EVENT_VECTOR(is->event) != VECTOR_BP)
        return ours;
    gdb_target_choose(t, vcpu);
    const struct gate_registers *r = gdb_target_registers(t);
    t->physical = false;
    ours = r && gdb_target_patched(t, r->state.segment[SEG_CS].base + r->state.rip);
    t->physical = physical;
    return ours;
}

static bool reflect(struct gdb_session *s, unsigned vcpu)
{
    unsigned step = s->steps == vcpu + 1 ? GATE_DEBUG_STEP : 0;

    return gdb_target_command(s->target, vcpu, GATE_DEBUG_GO | GATE_DEBUG_REFLECT | step);
}

void gdb_session_look(struct gdb_session *s)
{
    struct gdb_target *t = s->target;

    for (unsigned i = 0; i < t->vcpus; i++) {
        if (s->alone && i + 1 != s->steps)
            continue; /* it has not gone on */
        enum gate_stop_why why = gdb_target_look(t, i);
        if (why != GATE_STOPPED_NOT && why != GATE_STOPPED_OFF &&
            (is_ours(t, i) || !reflect(s, i))) {
            s->stopped = i;
            s->runs = false;
            gdb_session_stop(s);
            gdb_target_choose(t, i);
            gdb_reply_stopped(s);
            return;
        }
    }
    look_for_end(s);
}

void gdb_command_query_stop(struct gdb_session *s, const char *at)
{
    gdb_reply_stopped(s);
}

void gdb_command_continue(struct gdb_session *s, const char *at)
{
    uint64_t address;

    if (gdb_number(&at, &address))
        gdb_target_set(s->target, offsetof(struct guest_state, rip), &address, sizeof(address));
    resume(s, 0, false);
}

void gdb_command_step(struct gdb_session *s, const char *at)
{
    resume(s, s->target->vcpu + 1, false);
}

/* "vCont;ACTION[:THREAD]...": an action with no thread is for those that have none. */
void gdb_command_vcont(struct gdb_session *s, const char *at)
{
    unsigned steps = 0;
    bool others = false;
    uint64_t thread;

    while (*at == ';') {
        char action = at[1];
        at += strcspn(at + 1, ";:") + 1;
        bool named = *at == ':' && at[1] != '-';
        thread = s->target->vcpu + 1;
        if (*at == ':') {
            at++;
            at += *at == '-';
            if (!gdb_number(&at, &thread) && named)
                break;
        }
        if (action == 's' && !steps && thread <= s->target->vcpus && thread > 0)
            steps = (unsigned)thread;
        else if (action == 'c' || action == 'C')
            others |= !named || thread != steps;
    }
    resume(s, steps, steps > 0 && !others);
}

void gdb_command_vcont_what(struct gdb_session *s, const char *at)
{
    gdb_reply(s, "vCont;c;C;s;S");
}

void gdb_command_detach(struct gdb_session *s, const char *at)
{
    gdb_reply(s, "OK");
    s->ends = true;
}

void gdb_command_kill(struct gdb_session *s, const char *at)
{
    s->ends = s->killed = true;
    if (s->packet.data[0] == 'v')
        gdb_reply(s, "OK");
}
