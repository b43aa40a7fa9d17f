/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which event the next VM entry injects (R14, R15, R16, R40): decisions from what an exit reported,
 * without access to hardware. SDM volume 3, "Handling VM Exits Due to Exceptions" and "Event
 * Injection".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/vmcs.h"
#include "lib/x86.h"

/* The three VM-entry fields of an event. info == 0: no event. */
struct event {
    uint32_t info;
    uint32_t error_code; /* where info has EVENT_ERROR_CODE */
    uint32_t length;     /* of the instruction, for software interrupts and exceptions */
};

/* What an exit reported; each member is the VMCS field of that name. */
struct event_exit {
    uint32_t vectoring_info;
    uint32_t vectoring_error_code;
    uint32_t exit_info; /* 0 where the exit has none */
    uint32_t exit_error_code;
    uint32_t instruction_length;
    uint32_t interruptibility;
    bool protected_mode; /* the guest's CR0.PE: without it no event has an error code */
};

struct event_decision {
    struct event inject;       /* for the VM-entry fields */
    uint32_t interruptibility; /* the new value of the guest's interruptibility state */
    bool triple_fault;         /* nothing is injected: the VM is to be shut down (R17) */
};

/* The guest goes on after an exit that is no fault of its own: what the exit interrupted is
 * injected again (R15). */
struct event_decision event_resume(const struct event_exit *exit);

/* An exception that exited goes to the guest after all (R14), on top of what
 * it interrupted (R15). */
struct event_decision event_reflect(const struct event_exit *exit);

/* The guest gets a hardware exception found by emulation; error_code is used where the vector has
 * one. */
struct event_decision event_raise(const struct event_exit *exit, uint8_t vector,
                                  uint32_t error_code);

/* `info` of an event without an error code. */
#define EVENT_INFO(type, vector) (EVENT_VALID | (uint32_t)(type) << 8 | (vector))

/*
 * The interruptibility state with blocking by NMI restored where a fault hit the IRET that had
 * ended it (R16). `nmi_unblocked`: bit 12 of the exit's interruption information, or of the
 * qualification of an EPT violation.
 */
uint32_t event_restore_nmi_blocking(uint32_t interruptibility, bool nmi_unblocked,
                                    uint32_t vectoring_info);

/* What decides whether an event may be injected with the next entry. No guest is ever in another
 * activity state than active. */
struct inject_state {
    uint64_t rflags;
    uint32_t interruptibility;
    uint32_t entry_info; /* what is to be injected already: one event for each entry */
    /* a trap that waits for the entry: it comes first, and would be lost behind an event */
    uint64_t pending_debug;
};

/* R40; the caller has already compared the vector with the virtual PPR. False: set interrupt-window
 * or NMI-window exiting, and try again at that exit. */
bool inject_takes_interrupt(const struct inject_state *state);
bool inject_takes_nmi(const struct inject_state *state);
