/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMCS: its fields, the values of those that are bit fields, and what the CPU that it is for
 * can do. Ring 0 makes VMCSs of this; a monitor, which gets the values when its guest could not be
 * entered, says in words which of the processor's checks failed (R9).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum vmcs_field {
#define FIELD(id, encoding, name) VMCS_##id = (encoding),
#include "abi/vmcs.def"
#undef FIELD
};

/* Where each field stands in vmcs.def: an index for tables of fields. */
enum vmcs_index {
#define FIELD(id, encoding, name) VMCS_INDEX_##id,
#include "abi/vmcs.def"
#undef FIELD
    VMCS_FIELD_COUNT,
};

/* Whether a field is of the host's state: SDM volume 3, "Field Encoding in VMCS". */
#define VMCS_IS_HOST(field) (((field) >> 10 & 3) == 3)

/* Whether it is a control or of the guest's state: neither the host's nor read-only. */
#define VMCS_IS_WRITTEN(field) (((field) >> 10 & 1) == 0)

/*
 * A CPU's capability MSRs. Control words are as in the MSRs: bits 31:0 must be 1, bits 63:32 may be
 * 1; they are the TRUE MSRs' where IA32_VMX_BASIC[55] is set. What the CPU does not have is 0.
 */
struct vmx_caps {
    uint64_t basic;
    uint64_t misc;
    uint64_t feature_control;
    union {
        struct {
            uint64_t pin, proc, proc2, exit, entry;
        };
        uint64_t control[5]; /* the same, by enum control_word of lib/vmx_caps.h */
    };
    uint64_t cr0_fixed0, cr0_fixed1;
    uint64_t cr4_fixed0, cr4_fixed1;
    uint64_t ept_vpid;
    uint32_t signature;    /* CPUID 1 EAX: family, model, stepping */
    uint8_t physical_bits; /* width of a physical address */
    uint8_t linear_bits;   /* and of a linear one: 57 where there is 5-level paging */
    bool cpuid_vmx;
};

/* A VMCS that could not be entered. Fields that the CPU does not have are 0, and so are the host's:
 * they are ring 0's own. */
struct vmcs_values {
    struct vmx_caps caps;
    uint64_t field[VMCS_FIELD_COUNT]; /* by enum vmcs_index */
};

/* The number of each control's bit in its word: the rows of controls.def. */
enum control_bit {
#define CONTROL(id, word, bit, name, need, use, with, lost) CONTROL_BIT_##id = (bit),
#include "abi/controls.def"
#undef CONTROL
};

/* A control's mask in its word: CONTROL_MASK(INTERRUPT_WINDOW_EXITING). */
#define CONTROL_MASK(id) (1U << CONTROL_BIT_##id)

/* The VM-instruction error of an entry whose control fields are wrong: SDM volume 3, "VM
 * Instruction Error Numbers". */
#define VM_ERROR_ENTRY_CONTROLS 7

/* The VMCS link pointer where VMCS shadowing is not used. */
#define VMCS_NO_LINK UINT64_MAX

/* Guest interruptibility state: SDM volume 3, "Guest Non-Register State". */
#define BLOCKING_BY_STI    0x1U
#define BLOCKING_BY_MOV_SS 0x2U
#define BLOCKING_BY_SMI    0x4U
#define BLOCKING_BY_NMI    0x8U
#define ENCLAVE_INTERRUPT  0x10U

/* Guest activity state: the same section. */
enum activity { ACTIVITY_ACTIVE, ACTIVITY_HLT, ACTIVITY_SHUTDOWN, ACTIVITY_WAIT_FOR_SIPI };

/* Pending debug exceptions. */
#define PENDING_DEBUG_ENABLED_BREAKPOINT 0x1000ULL
#define PENDING_DEBUG_BS                 0x4000ULL
#define PENDING_DEBUG_RTM                0x10000ULL

/* Access rights of a segment: SDM volume 3, "Guest Register State". */
#define ACCESS_TYPE(ar)  ((ar) & 0xf)
#define ACCESS_S         0x10U
#define ACCESS_DPL_SHIFT 5
#define ACCESS_DPL(ar)   (((ar) >> ACCESS_DPL_SHIFT) & 3)
#define ACCESS_P         0x80U
#define ACCESS_L         0x2000U
#define ACCESS_DB        0x4000U
#define ACCESS_G         0x8000U
#define ACCESS_UNUSABLE  0x10000U

#define TYPE_TSS_BUSY_16 3U
#define TYPE_TSS_BUSY    11U

/* The interruption-information format, the same in the VM-entry, VM-exit and IDT-vectoring fields
 * but for bit 12. */
#define EVENT_VECTOR(info)  ((info) & 0xffU)
#define EVENT_TYPE(info)    (((info) >> 8) & 7U)
#define EVENT_ERROR_CODE    0x800U
#define EVENT_NMI_UNBLOCKED 0x1000U /* VM-exit only: an IRET had just ended blocking by NMI */
#define EVENT_VALID         0x80000000U

enum event_type {
    EVENT_TYPE_INTERRUPT = 0,
    EVENT_TYPE_NMI = 2,
    EVENT_TYPE_EXCEPTION = 3,
    EVENT_TYPE_SOFTWARE_INTERRUPT = 4,            /* INT n */
    EVENT_TYPE_PRIVILEGED_SOFTWARE_EXCEPTION = 5, /* INT1 */
    EVENT_TYPE_SOFTWARE_EXCEPTION = 6,            /* INT3, INTO */
    EVENT_TYPE_OTHER = 7,
};

/* Exceptions that push an error code in protected mode: #DF, #TS, #NP, #SS, #GP, #PF, #AC,
 * #CP. SDM volume 3, "Exception and Interrupt Reference". */
#define EVENT_ERROR_CODE_VECTORS 0x227d00U

static inline bool event_has_error_code(unsigned vector)
{
    return vector < 32 && EVENT_ERROR_CODE_VECTORS >> vector & 1;
}
