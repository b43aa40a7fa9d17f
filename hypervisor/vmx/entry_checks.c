/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks on VMX controls and on the host's state (R9). Controls that controls.def does not have
 * are 0 in each of Lintel's VMCSs; the checks that come with them are left out.
 */
#include "hypervisor/vmx/entry_checks.h"

#include "hypervisor/vmx/entry_state.h"
#include "hypervisor/vmx/inject.h"

#include <stddef.h>

#define MISC_CR3_TARGETS(misc) (((misc) >> 16) & 0x1ff)
#define MISC_ZERO_LENGTH       BIT(30)
#define BASIC_ANY_ERROR_CODE   BIT(56)

#define ENTRY_TO_SMM          0x400U
#define ENTRY_DEACTIVATE_DUAL 0x800U

#define EPTP_TYPE(eptp)        ((eptp) & 7)
#define EPTP_LEVELS(eptp)      (((eptp) >> 3) & 7)
#define EPTP_ACCESSED_DIRTY    BIT(6)
#define EPTP_RESERVED          0xf80ULL
#define EPT_CAP_UC             BIT(8)
#define EPT_CAP_WB             BIT(14)
#define EPT_CAP_ACCESSED_DIRTY BIT(21)

#define SELECTOR_RPL_TI 7U
#define MSR_AREA_ENTRY  16ULL

struct entry_state entry_state_read(const struct vmcs_view *vmcs)
{
    struct entry_state state = {.vmcs = vmcs};

    state.pin = (uint32_t)entry_field(&state, VMCS_PIN_CONTROLS);
    state.proc = (uint32_t)entry_field(&state, VMCS_PROC_CONTROLS);
    if (state.proc & CONTROL_MASK(SECONDARY_CONTROLS))
        state.proc2 = (uint32_t)entry_field(&state, VMCS_PROC2_CONTROLS);
    state.exit = (uint32_t)entry_field(&state, VMCS_EXIT_CONTROLS);
    state.entry = (uint32_t)entry_field(&state, VMCS_ENTRY_CONTROLS);
    state.event = (uint32_t)entry_field(&state, VMCS_ENTRY_INTERRUPTION_INFO);
    state.cr0 = entry_field(&state, VMCS_GUEST_CR0);
    state.cr4 = entry_field(&state, VMCS_GUEST_CR4);
    state.rflags = entry_field(&state, VMCS_GUEST_RFLAGS);
    state.unrestricted = state.proc2 & CONTROL_MASK(UNRESTRICTED_GUEST);
    state.ia32e = state.entry & CONTROL_MASK(IA32E_MODE_GUEST);
    state.virtual_8086 = state.rflags & RFLAGS_VM;
    return state;
}

bool entry_pat_ok(uint64_t pat)
{
    for (unsigned i = 0; i < 64; i += 8) {
        const uint64_t type = (pat >> i) & 0xff;

        if (type > 7 || type == 2 || type == 3)
            return false;
    }
    return true;
}

static const char *check_reserved(const struct entry_state *state)
{
    const struct vmx_caps *caps = state->vmcs->caps;
    const struct {
        uint64_t caps;
        uint32_t value;
        const char *low, *high;
    } rows[] = {
        {caps->pin, state->pin, "pin-based VM-execution controls: a bit that must be 1 is 0",
         "pin-based VM-execution controls: a bit that must be 0 is 1"},
        {caps->proc, state->proc,
         "primary processor-based VM-execution controls: a bit that must be 1 is 0",
         "primary processor-based VM-execution controls: a bit that must be 0 is 1"},
        {caps->proc2, state->proc2,
         "secondary processor-based VM-execution controls: a bit that must be 1 is 0",
         "secondary processor-based VM-execution controls: a bit that must be 0 is 1"},
        {caps->exit, state->exit, "VM-exit controls: a bit that must be 1 is 0",
         "VM-exit controls: a bit that must be 0 is 1"},
        {caps->entry, state->entry, "VM-entry controls: a bit that must be 1 is 0",
         "VM-entry controls: a bit that must be 0 is 1"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        REQUIRE(!((uint32_t)rows[i].caps & ~rows[i].value), rows[i].low);
        REQUIRE(!(rows[i].value & ~(uint32_t)(rows[i].caps >> 32)), rows[i].high);
    }
    return NULL;
}

/* SDM volume 3, "VM-Execution Control Fields". */
static const char *check_execution(const struct entry_state *state)
{
    const bool nmi_exiting = state->pin & CONTROL_MASK(NMI_EXITING);
    const bool virtual_nmis = state->pin & CONTROL_MASK(VIRTUAL_NMIS);

    REQUIRE(entry_field(state, VMCS_CR3_TARGET_COUNT) <= MISC_CR3_TARGETS(state->vmcs->caps->misc),
            "CR3-target count: more than IA32_VMX_MISC allows");
    if (state->proc & CONTROL_MASK(USE_MSR_BITMAPS))
        REQUIRE(entry_address_ok(state, entry_field(state, VMCS_MSR_BITMAPS), PAGE_SIZE),
                "address of MSR bitmaps: not 4-KiB aligned, or beyond the physical address width");
    REQUIRE(nmi_exiting || !virtual_nmis,
            "pin-based VM-execution controls: virtual NMIs without NMI exiting");
    REQUIRE(
        virtual_nmis || !(state->proc & CONTROL_MASK(NMI_WINDOW_EXITING)),
        "primary processor-based VM-execution controls: NMI-window exiting without virtual NMIs");
    if (state->proc2 & CONTROL_MASK(VPID))
        REQUIRE(entry_field(state, VMCS_VPID), "VPID: 0 with VPIDs enabled");
    REQUIRE(!state->unrestricted || (state->proc2 & CONTROL_MASK(EPT)),
            "secondary processor-based VM-execution controls: unrestricted guest without EPT");
    return NULL;
}

/* SDM volume 3, "VM-Execution Control Fields": the local APIC. With virtual-interrupt delivery the
 * TPR threshold is free. */
static const char *check_apic(const struct entry_state *state)
{
    const bool delivery = state->proc2 & CONTROL_MASK(VIRTUAL_INTERRUPT_DELIVERY);
    const uint32_t shadowed = CONTROL_MASK(VIRTUALIZE_X2APIC_MODE) |
                              CONTROL_MASK(APIC_REGISTER_VIRTUALIZATION) |
                              CONTROL_MASK(VIRTUAL_INTERRUPT_DELIVERY);

    REQUIRE(!delivery || (state->pin & CONTROL_MASK(EXTERNAL_INTERRUPT_EXITING)),
            "secondary processor-based VM-execution controls: virtual-interrupt delivery without "
            "external-interrupt exiting");
    if (!(state->proc & CONTROL_MASK(TPR_SHADOW))) {
        REQUIRE(!(state->proc2 & shadowed), "secondary processor-based VM-execution controls: APIC "
                                            "virtualization without a TPR shadow");
        return NULL;
    }
    REQUIRE(entry_address_ok(state, entry_field(state, VMCS_VIRTUAL_APIC_ADDRESS), PAGE_SIZE),
            "virtual-APIC address: not 4-KiB aligned, or beyond the physical address width");
    REQUIRE(delivery || !(entry_field(state, VMCS_TPR_THRESHOLD) & ~0xfULL),
            "TPR threshold: bits 31:4 are not 0");
    return NULL;
}

static const char *check_ept_pointer(const struct entry_state *state)
{
    const uint64_t eptp = entry_field(state, VMCS_EPT_POINTER);
    const uint64_t caps = state->vmcs->caps->ept_vpid;

    if (!(state->proc2 & CONTROL_MASK(EPT)))
        return NULL;
    REQUIRE((EPTP_TYPE(eptp) == 0 && (caps & EPT_CAP_UC)) ||
                (EPTP_TYPE(eptp) == 6 && (caps & EPT_CAP_WB)),
            "EPT pointer: the CPU does not have this memory type");
    REQUIRE(EPTP_LEVELS(eptp) == 3, "EPT pointer: not 4 levels");
    REQUIRE(!(eptp & EPTP_ACCESSED_DIRTY) || (caps & EPT_CAP_ACCESSED_DIRTY),
            "EPT pointer: accessed and dirty flags, which the CPU does not have");
    REQUIRE(!(eptp & EPTP_RESERVED), "EPT pointer: bits 11:7 are not 0");
    REQUIRE(entry_address_ok(state, eptp, 1), "EPT pointer: beyond the physical address width");
    return NULL;
}

/* R26: an MSR area is looked at only where it has entries. */
static const char *check_msr_areas(const struct entry_state *state)
{
    static const struct {
        enum vmcs_field count, address;
        const char *words;
    } areas[] = {
        {VMCS_EXIT_MSR_STORE_COUNT, VMCS_EXIT_MSR_STORE_ADDRESS,
         "VM-exit MSR-store address: not 16-byte aligned, or beyond the physical address width"},
        {VMCS_EXIT_MSR_LOAD_COUNT, VMCS_EXIT_MSR_LOAD_ADDRESS,
         "VM-exit MSR-load address: not 16-byte aligned, or beyond the physical address width"},
        {VMCS_ENTRY_MSR_LOAD_COUNT, VMCS_ENTRY_MSR_LOAD_ADDRESS,
         "VM-entry MSR-load address: not 16-byte aligned, or beyond the physical address width"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(areas); i++) {
        const uint64_t count = entry_field(state, areas[i].count);
        const uint64_t address = entry_field(state, areas[i].address);

        if (count)
            REQUIRE(entry_address_ok(state, address, MSR_AREA_ENTRY) &&
                        entry_address_ok(state, address + count * MSR_AREA_ENTRY - 1, 1),
                    areas[i].words);
    }
    return NULL;
}

/* Whether the error-code bit of an event is what its type, its vector and the guest's
 * mode ask for. */
static bool error_code_ok(const struct entry_state *state)
{
    const bool delivers = state->event & EVENT_ERROR_CODE;
    const bool exception = EVENT_TYPE(state->event) == EVENT_TYPE_EXCEPTION;

    if (!exception || (state->unrestricted && !(state->cr0 & CR0_PE)))
        return !delivers;
    if (state->vmcs->caps->basic & BASIC_ANY_ERROR_CODE)
        return true;
    return delivers == event_has_error_code(EVENT_VECTOR(state->event));
}

/* SDM volume 3, "VM-Entry Control Fields". */
static const char *check_event(const struct entry_state *state)
{
    const unsigned type = EVENT_TYPE(state->event);
    const unsigned vector = EVENT_VECTOR(state->event);
    const uint64_t length = entry_field(state, VMCS_ENTRY_INSTRUCTION_LENGTH);

    if (!(state->event & EVENT_VALID))
        return NULL;
    /* Type 7 asks for a monitor-trap-flag exit, which Lintel does not use. */
    REQUIRE(type != 1 && type != EVENT_TYPE_OTHER,
            "VM-entry interruption-information field: reserved type");
    REQUIRE(type != EVENT_TYPE_NMI || vector == VECTOR_NMI,
            "VM-entry interruption-information field: an NMI whose vector is not 2");
    REQUIRE(
        type != EVENT_TYPE_EXCEPTION || vector < 32,
        "VM-entry interruption-information field: a hardware exception whose vector is above 31");
    REQUIRE(error_code_ok(state),
            "VM-entry interruption-information field: the error-code bit does not go with the "
            "type, the vector and the guest's CR0.PE");
    REQUIRE(!(state->event & 0x7ffff000U),
            "VM-entry interruption-information field: bits 30:12 are not 0");
    if (state->event & EVENT_ERROR_CODE)
        REQUIRE(!(entry_field(state, VMCS_ENTRY_EXCEPTION_ERROR_CODE) >> 16),
                "VM-entry exception error code: bits 31:16 are not 0");
    if (type >= EVENT_TYPE_SOFTWARE_INTERRUPT)
        REQUIRE(length <= 15 && (length || (state->vmcs->caps->misc & MISC_ZERO_LENGTH)),
                "VM-entry instruction length: not 1 to 15 for a software interrupt or exception");
    return NULL;
}

const char *entry_check_controls(const struct vmcs_view *vmcs)
{
    static const char *(*const checks[])(const struct entry_state *) = {
        check_reserved,    check_execution, check_apic,
        check_ept_pointer, check_msr_areas, check_event,
    };
    const struct entry_state state = entry_state_read(vmcs);

    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        const char *words = checks[i](&state);

        if (words)
            return words;
    }
    REQUIRE(!(state.entry & (ENTRY_TO_SMM | ENTRY_DEACTIVATE_DUAL)),
            "VM-entry controls: entry to SMM, or deactivate dual-monitor treatment, outside SMM");
    return NULL;
}

/* SDM volume 3, "Checks on Host Control Registers, MSRs, and SSP". */
static const char *check_host_registers(const struct entry_state *state)
{
    const struct vmx_caps *caps = state->vmcs->caps;
    const uint64_t efer = entry_field(state, VMCS_HOST_EFER);

    REQUIRE(vmx_fixed_ok(entry_field(state, VMCS_HOST_CR0), caps->cr0_fixed0, caps->cr0_fixed1),
            "host CR0: not as IA32_VMX_CR0_FIXED0 and FIXED1 demand");
    REQUIRE(vmx_fixed_ok(entry_field(state, VMCS_HOST_CR4), caps->cr4_fixed0, caps->cr4_fixed1),
            "host CR4: not as IA32_VMX_CR4_FIXED0 and FIXED1 demand");
    REQUIRE(entry_address_ok(state, entry_field(state, VMCS_HOST_CR3), 1),
            "host CR3: beyond the physical address width");
    if (state->exit & CONTROL_MASK(LOAD_HOST_PAT))
        REQUIRE(entry_pat_ok(entry_field(state, VMCS_HOST_PAT)),
                "host IA32_PAT: a reserved memory type");
    if (state->exit & CONTROL_MASK(LOAD_HOST_EFER)) {
        REQUIRE(!(efer & ~EFER_DEFINED), "host IA32_EFER: a reserved bit is 1");
        REQUIRE((efer & EFER_LMA) && (efer & EFER_LME),
                "host IA32_EFER: LMA or LME is 0 for a 64-bit host");
    }
    REQUIRE(state->exit & CONTROL_MASK(HOST_ADDRESS_SPACE_SIZE),
            "VM-exit controls: host address-space size is 0 for a 64-bit host");
    REQUIRE(entry_field(state, VMCS_HOST_CR4) & CR4_PAE, "host CR4: PAE is 0 for a 64-bit host");
    return NULL;
}

/* SDM volume 3, "Checks on Host Segment and Descriptor-Table Registers". */
static const char *check_host_selectors(const struct entry_state *state)
{
    static const struct {
        enum vmcs_field field;
        bool may_be_0;
        const char *bits, *zero;
    } rows[] = {
        {VMCS_HOST_ES_SELECTOR, true, "host ES selector: RPL or TI is not 0", NULL},
        {VMCS_HOST_CS_SELECTOR, false, "host CS selector: RPL or TI is not 0",
         "host CS selector: 0"},
        {VMCS_HOST_SS_SELECTOR, true, "host SS selector: RPL or TI is not 0", NULL},
        {VMCS_HOST_DS_SELECTOR, true, "host DS selector: RPL or TI is not 0", NULL},
        {VMCS_HOST_FS_SELECTOR, true, "host FS selector: RPL or TI is not 0", NULL},
        {VMCS_HOST_GS_SELECTOR, true, "host GS selector: RPL or TI is not 0", NULL},
        {VMCS_HOST_TR_SELECTOR, false, "host TR selector: RPL or TI is not 0",
         "host TR selector: 0"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const uint64_t selector = entry_field(state, rows[i].field);

        REQUIRE(!(selector & SELECTOR_RPL_TI), rows[i].bits);
        REQUIRE(selector || rows[i].may_be_0, rows[i].zero);
    }
    return NULL;
}

static const char *check_host_addresses(const struct entry_state *state)
{
    static const struct {
        enum vmcs_field field;
        const char *words;
    } rows[] = {
        {VMCS_HOST_SYSENTER_ESP, "host IA32_SYSENTER_ESP: not canonical"},
        {VMCS_HOST_SYSENTER_EIP, "host IA32_SYSENTER_EIP: not canonical"},
        {VMCS_HOST_FS_BASE, "host FS base: not canonical"},
        {VMCS_HOST_GS_BASE, "host GS base: not canonical"},
        {VMCS_HOST_TR_BASE, "host TR base: not canonical"},
        {VMCS_HOST_GDTR_BASE, "host GDTR base: not canonical"},
        {VMCS_HOST_IDTR_BASE, "host IDTR base: not canonical"},
        {VMCS_HOST_RIP, "host RIP: not canonical"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        REQUIRE(is_canonical(entry_field(state, rows[i].field)), rows[i].words);
    return NULL;
}

const char *entry_check_host(const struct vmcs_view *vmcs)
{
    const struct entry_state state = entry_state_read(vmcs);
    const char *words = check_host_registers(&state);

    if (!words)
        words = check_host_selectors(&state);
    return words ? words : check_host_addresses(&state);
}

const char *entry_check(const struct vmcs_view *vmcs)
{
    const char *words = entry_check_controls(vmcs);

    if (!words)
        words = entry_check_host(vmcs);
    return words ? words : entry_check_guest(vmcs);
}
