/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMCS's fields (vmcs.def), the values of those that are bit fields, and the errors of VMX
 * instructions (R5, R8). */
#ifndef VMX_VMCS_H
#define VMX_VMCS_H

#include "lib/bits.h"

#include <stdbool.h>
#include <stdint.h>

enum vmcs_field {
#define FIELD(id, encoding, name) VMCS_##id = (encoding),
#include "hypervisor/vmx/vmcs.def"
#undef FIELD
};

/* Where each field stands in vmcs.def: an index for tables of fields. */
enum vmcs_index {
#define FIELD(id, encoding, name) VMCS_INDEX_##id,
#include "hypervisor/vmx/vmcs.def"
#undef FIELD
    VMCS_FIELD_COUNT,
};

/* Bytes of a field: 2, 4 or 8 (natural width is 8, the host being 64-bit). */
static inline unsigned vmcs_field_size(enum vmcs_field field)
{
    static const uint8_t size[4] = {2, 8, 4, 8};
    return size[(field >> 13) & 3];
}

/* Whether a field is one of VM-exit information, which only the CPU writes. */
static inline bool vmcs_field_read_only(enum vmcs_field field)
{
    return ((field >> 10) & 3) == 1;
}

/* The field in row `index` of vmcs.def, index < VMCS_FIELD_COUNT. */
enum vmcs_field vmcs_field_at(unsigned index);

/* The SDM's name of a field, or "unknown field". */
const char *vmcs_field_name(enum vmcs_field field);

/* What the VM-instruction error field says, in words (R8). SDM volume 3, "VM Instruction Error
 * Numbers". */
const char *vm_instruction_error_name(uint32_t error);

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
#define PENDING_DEBUG_ENABLED_BREAKPOINT BIT(12)
#define PENDING_DEBUG_BS                 BIT(14)
#define PENDING_DEBUG_RTM                BIT(16)

/* Access rights of a segment: SDM volume 3, "Guest Register State". */
#define ACCESS_TYPE(ar) ((ar) & 0xf)
#define ACCESS_S        0x10U
#define ACCESS_DPL(ar)  (((ar) >> 5) & 3)
#define ACCESS_P        0x80U
#define ACCESS_L        0x2000U
#define ACCESS_DB       0x4000U
#define ACCESS_G        0x8000U
#define ACCESS_UNUSABLE 0x10000U

#define TYPE_TSS_BUSY_16 3U
#define TYPE_TSS_BUSY    11U

#endif
