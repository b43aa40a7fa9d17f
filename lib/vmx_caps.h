/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CPU's VT-x can do, and the VMX controls chosen from it (R1, R10), for ring 0 and for
 * `lintel caps`. vmx_caps.c has the first, vmx_controls.c the second.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/vmcs.h"
#include "lib/bits.h"
#include "lib/mitigations.h"

/* How the capabilities are reached: the hypervisor's instructions, or Linux's device files. */
struct caps_reader {
    uint64_t (*rdmsr)(void *ctx, uint32_t index);
    void (*cpuid)(void *ctx, uint32_t leaf, uint32_t subleaf,
                  uint32_t out[4]); /* EAX, EBX, ECX, EDX */
    void *ctx;
};

/* Reads only the MSRs that exist by what was read before, so that no read gives #GP. What an
 * erratum spoils is taken out. */
void vmx_caps_read(struct vmx_caps *caps, const struct caps_reader *reader);

/* What the CPU says of its flaws; its MSR reads as 0 where it is not there. */
void caps_read_flaws(struct mitigation_facts *facts, const struct caps_reader *reader);

/* The rows of lib/mitigations.def, for `lintel caps`: "mitigation-NAME". */
struct caps_mitigation {
    const char *name, *flaw;
};
extern const struct caps_mitigation caps_mitigations[MITIGATION_ROWS];

/* "needed", "needed (missing)" or "not needed". */
const char *caps_mitigation_verdict(const struct mitigation_facts *facts, enum mitigation id);

/* IA32_FEATURE_CONTROL (R1). SDM volume 3, "Enabling and Entering VMX Operation". */
#define FEATURE_CONTROL_LOCK        0x1ULL
#define FEATURE_CONTROL_OUTSIDE_SMX 0x4ULL

enum vmx_permission {
    VMX_USABLE,
    VMX_SET_AND_LOCK, /* unlocked: write vmx_feature_control_value(), then VMXON may be used */
    VMX_LOCKED_OFF,
    VMX_ABSENT, /* CPUID says that there is no VMX */
};

enum vmx_permission vmx_permission(const struct vmx_caps *caps);

/* A sentence for the user; where VMX cannot be used, with what to do about it. */
const char *vmx_permission_words(enum vmx_permission permission);

/* The controls that Lintel knows by name: the rows of controls.def. */
enum control_id {
#define CONTROL(id, word, bit, name, need, use, with, lost) CONTROL_##id,
#include "abi/controls.def"
#undef CONTROL
    CONTROL_COUNT,
    CONTROL_NONE = CONTROL_COUNT,
};

enum control_word {
    CONTROL_WORD_PIN,
    CONTROL_WORD_PROC,
    CONTROL_WORD_PROC2,
    CONTROL_WORD_EXIT,
    CONTROL_WORD_ENTRY,
    CONTROL_WORD_EPT_VPID, /* capabilities: a word that is not set */
};

enum control_need { CONTROL_NEEDED, CONTROL_WANTED };

enum control_use { CONTROL_SET, CONTROL_TOGGLED, CONTROL_CLEAR, CONTROL_PRESENT };

struct control_row {
    const char *name;
    const char *lost;
    enum control_word word;
    uint8_t bit;
    enum control_need need;
    enum control_use use;
    enum control_id with;
};

/* One row for each enum control_id. */
extern const struct control_row control_rows[CONTROL_COUNT];

/* The first values of the control words. Toggled controls are 0 in them. */
struct vmx_controls {
    union {
        struct {
            uint32_t pin, proc, proc2, exit, entry;
        };
        uint32_t word[CONTROL_WORD_EPT_VPID]; /* the same, by enum control_word */
    };
    uint64_t have; /* bit n: enum control_id n may be used */
};

_Static_assert(CONTROL_COUNT <= 64, "vmx_controls.have and the hidden set are 64 bits");

static inline bool control_has(const struct vmx_controls *controls, enum control_id id)
{
    return controls->have & BIT(id);
}

/*
 * Chooses the control words (R10): what must be 1 is 1, what may not be 1 is 0, what controls.def
 * asks for where it is allowed, and 0 otherwise. `hidden` has a bit for each enum control_id to be
 * treated as absent. Returns false where a needed control is absent, and the first such in
 * *missing; *out is valid in either case. SDM volume 3, appendix "VMX Capability Reporting
 * Facility".
 */
bool vmx_controls_choose(const struct vmx_caps *caps, uint64_t hidden, struct vmx_controls *out,
                         enum control_id *missing);

/* Parses the value of the boot option hide=: control names joined by commas, or nothing. Returns
 * false on a name that controls.def does not have. */
bool vmx_control_parse(const char *list, uint64_t *hidden);

/* What the boot check and `lintel caps` say about a row: "ok", "absent (wanted)" where row->lost is
 * the price, "absent (needed)" where it is the reason to stop. */
const char *vmx_control_verdict(const struct vmx_controls *controls, enum control_id id);
