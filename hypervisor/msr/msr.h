/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MSR table (R25-R35, R38, R44-R46): msr/table.def is the only place that says anything about
 * an MSR, and this is what the rest of the hypervisor sees of it. All functions are pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hypervisor/msr/spec_ctrl.h"

/* Where the guest's value lives, and what moves it. */
enum msr_class {
    MSR_CLASS_VMCS,     /* a guest field; row->field */
    MSR_CLASS_RESIDENT, /* the CPU, until somebody else needs that MSR */
    MSR_CLASS_EMULATED, /* the msr_file, or a handler's own state */
    MSR_CLASS_DIRECT,   /* the hardware's own, shown to the guest */
};

/* What INIT does to it (reset sets row->reset always). */
enum msr_init { MSR_INIT_KEEP, MSR_INIT_RESET };

/* Which accesses do not exit. */
enum msr_pass {
    MSR_PASS_NONE,
    MSR_PASS_READ,
    MSR_PASS_READ_WRITE,
    MSR_PASS_WRITE,
    /* reads, while the guest's value and the CPU's own are known to be the same */
    MSR_PASS_READ_EQUAL,
};

/* What must be true of a value beyond the mask, see constrain.h. */
enum msr_check {
    MSR_CHECK_MASK, /* nothing */
    MSR_CHECK_CANONICAL,
    MSR_CHECK_CET, /* likewise, and no state of the tracker that there is not */
    MSR_CHECK_PAT,
    MSR_CHECK_MTRR_VARIABLE,
    MSR_CHECK_MTRR_FIXED,
    MSR_CHECK_MTRR_DEF_TYPE,
    MSR_CHECK_IGNORE,    /* nothing; and the write has no effect */
    MSR_CHECK_CONSTANT,  /* bits outside the mask must be those of the reset value */
    MSR_CHECK_READ_ONLY, /* a write is #GP */
};

/* Which VMCS controls the row rests on: without them the VM-entry and VM-exit MSR areas have it. */
enum msr_control { MSR_CONTROL_NONE, MSR_CONTROL_EFER = 1, MSR_CONTROL_PAT = 2 };

/* Who answers. vm/ has a table with one handler for each. */
enum msr_handler {
    MSR_HANDLER_NONE,       /* msr_read and msr_write do it all */
    MSR_HANDLER_VMCS,       /* the value is the guest field row->field */
    MSR_HANDLER_WRITE_ONLY, /* a write has no effect, a read is #GP */
    MSR_HANDLER_RESIDENT,   /* msr_switch_write */
    MSR_HANDLER_SPEC_CTRL,  /* beside the guest's bits the CPU holds ring 0's */
    MSR_HANDLER_EFER,       /* LME and LMA depend on CR0.PG */
    MSR_HANDLER_TSC,
    MSR_HANDLER_TSC_ADJUST,
    MSR_HANDLER_TSC_DEADLINE,
    MSR_HANDLER_APIC_BASE,
    MSR_HANDLER_X2APIC,
    MSR_HANDLER_KVM_WALL_CLOCK,
    MSR_HANDLER_KVM_SYSTEM_TIME,
    MSR_HANDLER_COUNT
};

/* The CPUID bits that MSRs depend on: name, leaf, subleaf, register (0: EAX), bit. Without its bit
 * a row is #GP. */
#define MSR_FEATURES(F)                                                                            \
    F(TSC, 0x1, 0, 3, 4)                                                                           \
    F(APIC, 0x1, 0, 3, 9)                                                                          \
    F(SEP, 0x1, 0, 3, 11)                                                                          \
    F(MTRR, 0x1, 0, 3, 12)                                                                         \
    F(MCA, 0x1, 0, 3, 14)                                                                          \
    F(PAT, 0x1, 0, 3, 16)                                                                          \
    F(X2APIC, 0x1, 0, 2, 21)                                                                       \
    F(TSC_DEADLINE, 0x1, 0, 2, 24)                                                                 \
    F(TSC_ADJUST, 0x7, 0, 1, 1)                                                                    \
    F(CET, 0x7, 0, 2, 7)                                                                           \
    F(PKS, 0x7, 0, 2, 31)                                                                          \
    F(SPEC_CTRL, 0x7, 0, 3, 26)                                                                    \
    F(FLUSH_CMD, 0x7, 0, 3, 28)                                                                    \
    F(ARCH_CAPABILITIES, 0x7, 0, 3, 29)                                                            \
    F(XSAVES, 0xd, 1, 0, 3)                                                                        \
    F(SYSCALL, 0x80000001, 0, 3, 11)                                                               \
    F(RDTSCP, 0x80000001, 0, 3, 27)                                                                \
    F(LM, 0x80000001, 0, 3, 29)                                                                    \
    F(KVM_CLOCK, 0x40000001, 0, 0, 3)

enum msr_feature_number {
#define F(name, leaf, subleaf, reg, bit) MSR_FEATURE_NUMBER_##name,
    MSR_FEATURES(F)
#undef F
        MSR_FEATURE_NUMBERS
};
enum msr_feature {
#define F(name, leaf, subleaf, reg, bit) MSR_FEATURE_##name = 1 << MSR_FEATURE_NUMBER_##name,
    MSR_FEATURES(F)
#undef F
};

/* IA32_MISC_ENABLE, from the rows of its bits. */
enum msr_misc_enable {
    MISC_ENABLE_RESET = 0
#define BIT_ROW(bit, name, reset, writable, why) | (reset##ULL << (bit))
#include "hypervisor/msr/misc_enable.def"
    ,
    MISC_ENABLE_WRITABLE = 0
#define BIT_ROW(bit, name, reset, writable, why) | (writable##ULL << (bit))
#include "hypervisor/msr/misc_enable.def"
};

/* What a guest may set of IA32_DEBUGCTL, from the rows of its bits. */
enum msr_debugctl {
    DEBUGCTL_WRITABLE = 0
#define BIT_ROW(bit, name, writable, why) | ((writable) << (bit))
#include "hypervisor/msr/debugctl.def"
};

/* What a guest sees of IA32_ARCH_CAPABILITIES, and what is always set, from the rows of its bits.
 */
enum msr_arch_capabilities {
    ARCH_CAPABILITIES_SHOWN = 0
#define CAPABILITY(bit, ...) | (1ULL << (bit))
#include "hypervisor/msr/arch_capabilities.def"
    ,
    ARCH_CAPABILITIES_ALWAYS = 0
#define CAPABILITY(bit, name, always, why) | (always##ULL << (bit))
#include "hypervisor/msr/arch_capabilities.def"
};

/* What can be set in IA32_U_CET and IA32_S_CET, and the components of XSAVES in IA32_XSS. */
#define CET_BITS    (~0x3c0ULL)
#define CET_TRACKER 0xc00ULL /* it waits, and is suppressed: not both */
#define XSS_CET     0x1800ULL

/* One for each row, in the order of the table: by index. */
enum msr_row_number {
#define MSR(id, ...)       MSR_ROW_##id,
#define MSR_RANGE(id, ...) MSR_ROW_##id,
#include "hypervisor/msr/table.def"
    MSR_ROW_COUNT
};

/*
 * Where a value is. That of a row which is one MSR has the row's number, so that one word can say
 * which are meant: a set of MSRs has bit n for slot n. Behind these are the values of the others.
 */
enum msr_slot {
#define MSR(id, ...) MSR_SLOT_##id = MSR_ROW_##id,
#define MSR_RANGE(...)
#include "hypervisor/msr/table.def"
    MSR_SLOT_BEFORE_RANGES = MSR_ROW_COUNT - 1,
#define MSR(...)
#define MSR_RANGE(id, first, last, stride, ...)                                                    \
    MSR_SLOT_##id, MSR_SLOT_##id##_LAST = MSR_SLOT_##id + ((last) - (first)) * (stride),
#include "hypervisor/msr/table.def"
    MSR_SLOT_COUNT
};
_Static_assert(MSR_ROW_COUNT <= 64, "a set of MSRs is one word");

#define MSR_SET(id) (1ULL << MSR_SLOT_##id)

/* The resident ones whose values a guest changes without an exit. */
#define MSR_UNSEEN                                                                                 \
    (MSR_SET(KERNEL_GS_BASE) | MSR_SET(U_CET) | MSR_SET(PL0_SSP) | MSR_SET(PL1_SSP) |              \
     MSR_SET(PL2_SSP) | MSR_SET(PL3_SSP))

struct msr_row {
    uint32_t first, last; /* index; equal unless the row covers several */
    uint8_t slot;         /* enum msr_slot of first */
    uint8_t stride;       /* 1: each index has its own value; 0: the row has one, or a handler's */
    uint8_t class;        /* enum msr_class */
    uint8_t init;         /* enum msr_init */
    uint8_t pass;         /* enum msr_pass */
    uint8_t check;        /* enum msr_check */
    uint8_t control;      /* enum msr_control: all of these are needed */
    uint8_t handler;      /* enum msr_handler */
    uint32_t features;    /* all of these MSR_FEATURE_* are needed */
    uint32_t field;       /* the encoding of the guest VMCS field, or 0 */
    uint64_t reset;
    uint64_t mask; /* bits that a write may set; one outside it is #GP */
    const char *name;
};

extern const struct msr_row msr_rows[MSR_ROW_COUNT];
extern const uint64_t msr_index[MSR_ROW_COUNT]; /* of rows that are one MSR */

/* The row of an index that is not one of the hot ones, or a null pointer: #GP (R27). */
const struct msr_row *msr_search(uint32_t index);

#define IA32_TSC_DEADLINE_INDEX 0x6e0

/* The row of an index, or a null pointer: #GP (R27). */
static inline const struct msr_row *msr_find(uint32_t index)
{
    if (index >> 8 == 0x8)
        return &msr_rows[MSR_ROW_X2APIC];
    if (index == IA32_TSC_DEADLINE_INDEX)
        return &msr_rows[MSR_ROW_TSC_DEADLINE];
    return msr_search(index);
}

/* The values of one vCPU. For rows whose value lives elsewhere the slot is unused. */
struct msr_file {
    uint32_t features; /* MSR_FEATURE_* of this VM, from its CPUID table */
    uint32_t physical_width;
    uint64_t value[MSR_SLOT_COUNT];
};

enum msr_result { MSR_OK, MSR_GP, MSR_HANDLER };

void msr_file_reset(struct msr_file *file, uint32_t features, uint32_t physical_width);
void msr_file_init(struct msr_file *file); /* INIT */

/*
 * What firmware leaves in the MTRRs, for a VM that starts without one: all memory is write-back,
 * and [hole, hole + size) is uncached. size is a power of two, hole a multiple of it.
 */
void msr_file_firmware(struct msr_file *file, uint64_t hole, uint64_t size);

/*
 * RDMSR and WRMSR by row. MSR_HANDLER: the row exists for this VM, the value (for a write) passes
 * its mask and check, and row->handler goes on; *value is what the file has.
 */
enum msr_result msr_read(const struct msr_file *file, const struct msr_row *row, uint32_t index,
                         uint64_t *value);
enum msr_result msr_write(struct msr_file *file, const struct msr_row *row, uint32_t index,
                          uint64_t value);

/*
 * Whether writes of the row's MSRs need not exit on a CPU with linear addresses of this width: it
 * refuses an address that is not canonical by its own width, which must not be more than a guest's
 * (SDM volume 3, "5-Level Paging": CR4.LA57 does not matter to WRMSR).
 */
bool msr_write_passes(const struct msr_row *row, unsigned linear_width);

/*
 * The 4 KiB MSR bitmap: all ones but for what a row always passes (R25; SDM volume 3, "MSR-Bitmap
 * Address"). What passes at times exits until somebody says that it is such a time.
 */
void msr_bitmap(uint8_t bitmap[4096], uint32_t features, unsigned linear_width);

/* Whether RDMSR or WRMSR of an index below 2000h, or from c0000000h to c0001fffh, exits. */
void msr_bitmap_set(uint8_t bitmap[4096], uint32_t index, bool write, bool exits);

/* The set that the MSR areas switch on each transition for want of these controls, enum msr_control
 * (R26, R29). */
uint64_t msr_area(uint32_t controls);

/* The set of class resident that exists where there are these features. */
uint64_t msr_resident(uint32_t features);

/* Whether value may be loaded into the row's MSR: the mask, then the check. */
bool msr_valid(const struct msr_row *row, uint32_t index, uint64_t value, uint32_t physical_width);
