/* SPDX-License-Identifier: BSD-2-Clause */
/* The bits by which CPUs tell of their flaws, and the profiles made of them (profiles.def). */
#pragma once

#include "lib/mitigations.h"

#define IBPB (1u << MITIGATION_IBPB)
#define VERW (1u << MITIGATION_VERW)
#define L1D  (1u << MITIGATION_L1D)
#define BHB  (1u << MITIGATION_BHB)
#define ITLB (1u << MITIGATION_ITLB)
#define TSX  (1u << MITIGATION_TSX)

#define BTI      (1u << MITIGATION_BTI)
#define ITS      (1u << MITIGATION_ITS)
#define MELTDOWN (1u << MITIGATION_MELTDOWN)

/* CPUID leaf 7, EDX. */
#define MD_CLEAR  (1u << 10)
#define SPEC_CTRL (1u << 26)
#define L1D_FLUSH (1u << 28)
#define ARCH_CAP  (1u << 29)

/* The same of subleaf 2. */
#define BHI_CTRL (1u << 4)

/* IA32_ARCH_CAPABILITIES. */
#define RDCL_NO    (1 << 0)
#define IBRS_ALL   (1 << 1)
#define SKIP_L1D   (1 << 3)
#define MDS_NO     (1 << 5)
#define PSCHANGE   (1 << 6)
#define TSX_CTRL   (1 << 7)
#define TAA_NO     (1 << 8)
#define MMIO_NO    (7 << 13)
#define FB_CLEAR   (1 << 17)
#define BHI_NO     (1 << 20)
#define RFDS_NO    (1 << 27)
#define RFDS_CLEAR (1 << 28)
#define ITS_NO     (1ULL << 62)

struct profile {
    const char *name;
    struct mitigation_facts facts;
    uint32_t needed, missing;
};

static const struct profile profiles[] = {
#define PROFILE(name, features, controls, rtm, capabilities, needed, missing)                      \
    {name, {features, controls, rtm, capabilities}, needed, missing},
#include "tests/native/cpu/profiles.def"
};
