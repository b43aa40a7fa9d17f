/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second local APIC, as slow and plain as can be: sets are arrays of bool, priorities are found
 * by searching, and the timer counts tick by tick. The tests run it beside the real one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct model {
    bool irr[256], isr[256], tmr[256];
    uint64_t base;
    uint32_t id, tpr, svr, ldr, dfr, esr, errors, icr_low, icr_high;
    uint32_t lvt[6]; /* timer, thermal, performance, LINT0, LINT1, error */
    uint32_t initial, count, phase, divide;
    uint64_t tsc_deadline; /* 0: disarmed */
    uint64_t now;
};

/* What a write does outside. */
struct model_effect {
    int eoi; /* vector, or -1 */
    bool ipi;
};

void model_reset(struct model *m, uint32_t id, uint64_t base);
int model_pending(const struct model *m);
void model_accept(struct model *m);
int model_eoi(struct model *m);
bool model_deliver(struct model *m, unsigned vector, bool level);
void model_tick(struct model *m);
void model_write_deadline(struct model *m, uint64_t tsc);
uint32_t model_read(const struct model *m, unsigned offset);

/* Whether a register is there, can be read, can be written in the model's mode. */
bool model_exists(const struct model *m, unsigned offset);
bool model_readable(const struct model *m, unsigned offset);
bool model_writable(const struct model *m, unsigned offset);

/* The bits that are #GP when set by WRMSR of this register. */
uint64_t model_reserved(unsigned offset);

/* A write that is allowed; high is the ICR's upper half in x2APIC mode. */
struct model_effect model_write(struct model *m, unsigned offset, uint32_t value, uint32_t high);

/* An access to a register that is not there. */
void model_error(struct model *m, uint32_t bit);
