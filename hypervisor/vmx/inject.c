/* SPDX-License-Identifier: BSD-2-Clause */
/* Event injection: re-delivery, reflection, double and triple faults, windows (R14, R15, R16, R17,
 * R40). */
#include "hypervisor/vmx/inject.h"

#include "hypervisor/cpu/registers.h"
#include "lib/bits.h"

/* SDM volume 3, table "Interrupt and Exception Classes" of the double fault. */
#define CONTRIBUTORY                                                                               \
    (BIT(VECTOR_DE) | BIT(VECTOR_TS) | BIT(VECTOR_NP) | BIT(VECTOR_SS) | BIT(VECTOR_GP) |          \
     BIT(VECTOR_CP))
#define PAGE_FAULTS (BIT(VECTOR_PF) | BIT(VECTOR_VE))

/* The high half of the error-code field is reserved. */
#define ERROR_CODE_MASK 0xffffU

static bool in_set(uint64_t set, uint8_t vector)
{
    return vector < 64 && (set & BIT(vector));
}

/* Whether the event is a software interrupt or exception, which needs the length of its
 * instruction. */
static bool has_length(enum event_type type)
{
    return type == EVENT_TYPE_SOFTWARE_INTERRUPT || type == EVENT_TYPE_SOFTWARE_EXCEPTION ||
           type == EVENT_TYPE_PRIVILEGED_SOFTWARE_EXCEPTION;
}

static bool has_type(uint32_t info, enum event_type type)
{
    return (info & EVENT_VALID) && EVENT_TYPE(info) == type;
}

/*
 * R14: only what belongs in the entry fields. Whether there is an error code follows from the
 * vector and the mode, not from what the exit reported, since the entry is refused unless it does.
 * In real mode nothing pushes one.
 */
static struct event make_event(enum event_type type, uint8_t vector, bool protected_mode,
                               uint32_t error_code, uint32_t length)
{
    struct event event = {.info = EVENT_INFO(type, vector)};

    if (type == EVENT_TYPE_EXCEPTION && protected_mode && event_has_error_code(vector)) {
        event.info |= EVENT_ERROR_CODE;
        event.error_code = error_code & ERROR_CODE_MASK;
    }
    if (has_length(type))
        event.length = length;
    return event;
}

static struct event event_from_info(uint32_t info, uint32_t error_code,
                                    const struct event_exit *exit)
{
    if (!(info & EVENT_VALID))
        return (struct event){0};
    return make_event(EVENT_TYPE(info), EVENT_VECTOR(info), exit->protected_mode, error_code,
                      exit->instruction_length);
}

/* R16: SDM volume 3, "Resuming Guest Software After Handling an Exception". */
uint32_t event_restore_nmi_blocking(uint32_t interruptibility, bool nmi_unblocked,
                                    uint32_t vectoring_info)
{
    /* With an event under way the bit says nothing. */
    if (nmi_unblocked && !(vectoring_info & EVENT_VALID))
        return interruptibility | BLOCKING_BY_NMI;
    return interruptibility;
}

struct event_decision event_resume(const struct event_exit *exit)
{
    /* The exit of a double fault leaves bit 12 undefined. */
    const bool nmi_unblocked = (exit->exit_info & EVENT_VALID) &&
                               (exit->exit_info & EVENT_NMI_UNBLOCKED) &&
                               EVENT_VECTOR(exit->exit_info) != VECTOR_DF;
    struct event_decision decision = {
        .inject = event_from_info(exit->vectoring_info, exit->vectoring_error_code, exit),
        .interruptibility =
            event_restore_nmi_blocking(exit->interruptibility, nmi_unblocked, exit->vectoring_info),
    };

    /* An NMI whose delivery exited has blocked NMIs already; to deliver it once more, they must not
     * be blocked. */
    if (has_type(exit->vectoring_info, EVENT_TYPE_NMI))
        decision.interruptibility &= ~BLOCKING_BY_NMI;
    return decision;
}

enum fault_class { BENIGN, CONTRIBUTORY_FAULT, PAGE_FAULT, DOUBLE_FAULT };

static enum fault_class classify(uint32_t info)
{
    /* INT 13 is no #GP. */
    if (!has_type(info, EVENT_TYPE_EXCEPTION))
        return BENIGN;
    if (EVENT_VECTOR(info) == VECTOR_DF)
        return DOUBLE_FAULT;
    if (in_set(CONTRIBUTORY, EVENT_VECTOR(info)))
        return CONTRIBUTORY_FAULT;
    return in_set(PAGE_FAULTS, EVENT_VECTOR(info)) ? PAGE_FAULT : BENIGN;
}

/*
 * R15, R17: SDM volume 3, "Interrupt 8--Double Fault Exception (#DF)". Where the two are to be
 * handled one after the other, the second is delivered and the first is dropped, as the CPU does: a
 * fault or software event comes again when its instruction is restarted.
 */
static struct event_decision deliver(const struct event_exit *exit, struct event event)
{
    enum outcome { SERIAL, DOUBLE, TRIPLE };
    static const enum outcome outcomes[4][4] = {
        [CONTRIBUTORY_FAULT] = {[CONTRIBUTORY_FAULT] = DOUBLE},
        [PAGE_FAULT] = {[CONTRIBUTORY_FAULT] = DOUBLE, [PAGE_FAULT] = DOUBLE},
        [DOUBLE_FAULT] = {[CONTRIBUTORY_FAULT] = TRIPLE, [PAGE_FAULT] = TRIPLE},
    };
    /* Delivery ends blocking by STI and MOV SS; left in place, it would want BS in the pending
     * debug exceptions. */
    struct event_decision decision = {
        .inject = event,
        .interruptibility = exit->interruptibility & ~(BLOCKING_BY_STI | BLOCKING_BY_MOV_SS),
    };

    switch (outcomes[classify(exit->vectoring_info)][classify(event.info)]) {
    case SERIAL:
        break;
    case DOUBLE:
        decision.inject = make_event(EVENT_TYPE_EXCEPTION, VECTOR_DF, exit->protected_mode, 0, 0);
        break;
    case TRIPLE:
        decision.inject = (struct event){0};
        decision.triple_fault = true;
        break;
    }
    return decision;
}

/* Blocking by NMI stays as the exit left it: the guest sees its own fault, and an IRET unblocks
 * NMIs even if it faults. */
struct event_decision event_reflect(const struct event_exit *exit)
{
    return deliver(exit, event_from_info(exit->exit_info, exit->exit_error_code, exit));
}

struct event_decision event_raise(const struct event_exit *exit, uint8_t vector,
                                  uint32_t error_code)
{
    return deliver(exit,
                   make_event(EVENT_TYPE_EXCEPTION, vector, exit->protected_mode, error_code, 0));
}

/*
 * One event for each entry: a second one waits for the window that follows the first. A debug trap
 * that is pending (R43) has precedence, and the entry drops it when it delivers something else (SDM
 * volume 3, "Delivery of Pending Debug Exceptions after VM Entry").
 */
static bool takes(const struct inject_state *state, uint32_t blocking)
{
    return !(state->entry_info & EVENT_VALID) && state->pending_debug == 0 &&
           !(state->interruptibility & blocking);
}

bool inject_takes_interrupt(const struct inject_state *state)
{
    return state->rflags & RFLAGS_IF && takes(state, BLOCKING_BY_STI | BLOCKING_BY_MOV_SS);
}

/* Blocking by STI holds NMIs too: some CPUs refuse the entry otherwise. */
bool inject_takes_nmi(const struct inject_state *state)
{
    return takes(state, BLOCKING_BY_STI | BLOCKING_BY_MOV_SS | BLOCKING_BY_NMI);
}
