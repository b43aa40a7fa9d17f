/* SPDX-License-Identifier: BSD-2-Clause */
/* Which mitigations a CPU needs, of those that lib/mitigations.def has. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/bits.h"

enum mitigation {
#define MITIGATION(id, ...) MITIGATION_##id,
#define MISSING             MITIGATION
#include "lib/mitigations.def"
    MITIGATION_ROWS,
    MITIGATION_COUNT = MITIGATION_BTI /* of those that ring 0 has */
};

/* What a CPU says of itself. */
struct mitigation_facts {
    uint32_t features;     /* CPUID leaf 7, EDX */
    uint32_t controls;     /* the same of subleaf 2, or 0 */
    bool rtm;              /* the same, EBX bit 11 */
    uint64_t capabilities; /* IA32_ARCH_CAPABILITIES, or 0 */
};

/* A bit for each row. Also built into `lintel caps`. */
static inline uint32_t mitigations_needed(const struct mitigation_facts *f)
{
#define HAS(bit)                          ((f->features & BIT(bit)) != 0)
#define CAN(bit)                          ((f->capabilities & BIT(bit)) != 0)
#define MITIGATION(id, name, needed, ...) | ((needed) ? BIT(MITIGATION_##id) : 0)
#define MISSING                           MITIGATION
    return 0
#include "lib/mitigations.def"
        ;
#undef HAS
#undef CAN
}
