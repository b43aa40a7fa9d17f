/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks on VMX controls and on the host's state (R9). Controls that controls.def does not have
 * are 0 in each of Lintel's VMCSs; the checks that come with them are left out.
 */
#include <stddef.h>

#include "monitor/entry/state.h"

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

#define MSR_AREA_ENTRY 16ULL

struct entry_state entry_state_read(const struct vmcs_values *vmcs)
{
    struct entry_state state = {.vmcs = vmcs};

    state.pin = (uint32_t)entry_field(&state, PIN_CONTROLS);
    state.proc = (uint32_t)entry_field(&state, PROC_CONTROLS);
    if (state.proc & CONTROL_MASK(SECONDARY_CONTROLS))
        state.proc2 = (uint32_t)entry_field(&state, PROC2_CONTROLS);
    state.exit = (uint32_t)entry_field(&state, EXIT_CONTROLS);
    state.entry = (uint32_t)entry_field(&state, ENTRY_CONTROLS);
    state.event = (uint32_t)entry_field(&state, ENTRY_INTERRUPTION_INFO);
    state.cr0 = entry_field(&state, GUEST_CR0);
    state.cr4 = entry_field(&state, GUEST_CR4);
    state.rflags = entry_field(&state, GUEST_RFLAGS);
    state.unrestricted = state.proc2 & CONTROL_MASK(UNRESTRICTED_GUEST);
    state.ia32e = state.entry & CONTROL_MASK(IA32E_MODE_GUEST);
    state.virtual_8086 = state.rflags & RFLAGS_VM;
    return state;
}

static const char *check_reserved(const struct entry_state *state)
{
    const struct vmx_caps *caps = &state->vmcs->caps;
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

    REQUIRE(entry_field(state, CR3_TARGET_COUNT) <= MISC_CR3_TARGETS(state->vmcs->caps.misc),
            "CR3-target count: more than IA32_VMX_MISC allows");
    if (state->proc & CONTROL_MASK(USE_MSR_BITMAPS))
        REQUIRE(entry_address_ok(state, entry_field(state, MSR_BITMAPS), PAGE_SIZE),
                "address of MSR bitmaps: not 4-KiB aligned, or beyond the physical address width");
    REQUIRE(nmi_exiting || !virtual_nmis,
            "pin-based VM-execution controls: virtual NMIs without NMI exiting");
    REQUIRE(
        virtual_nmis || !(state->proc & CONTROL_MASK(NMI_WINDOW_EXITING)),
        "primary processor-based VM-execution controls: NMI-window exiting without virtual NMIs");
    if (state->proc2 & CONTROL_MASK(VPID))
        REQUIRE(entry_field(state, VPID), "VPID: 0 with VPIDs enabled");
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
    REQUIRE(entry_address_ok(state, entry_field(state, VIRTUAL_APIC_ADDRESS), PAGE_SIZE),
            "virtual-APIC address: not 4-KiB aligned, or beyond the physical address width");
    REQUIRE(delivery || !(entry_field(state, TPR_THRESHOLD) & ~0xfULL),
            "TPR threshold: bits 31:4 are not 0");
    return NULL;
}

static const char *check_ept_pointer(const struct entry_state *state)
{
    const uint64_t eptp = entry_field(state, EPT_POINTER);
    const uint64_t caps = state->vmcs->caps.ept_vpid;

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
        enum vmcs_index count, address;
        const char *words;
    } areas[] = {
        {VMCS_INDEX_EXIT_MSR_STORE_COUNT, VMCS_INDEX_EXIT_MSR_STORE_ADDRESS,
         "VM-exit MSR-store address: not 16-byte aligned, or beyond the physical address width"},
        {VMCS_INDEX_EXIT_MSR_LOAD_COUNT, VMCS_INDEX_EXIT_MSR_LOAD_ADDRESS,
         "VM-exit MSR-load address: not 16-byte aligned, or beyond the physical address width"},
        {VMCS_INDEX_ENTRY_MSR_LOAD_COUNT, VMCS_INDEX_ENTRY_MSR_LOAD_ADDRESS,
         "VM-entry MSR-load address: not 16-byte aligned, or beyond the physical address width"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(areas); i++) {
        const uint64_t count = state->vmcs->field[areas[i].count];
        const uint64_t address = state->vmcs->field[areas[i].address];

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
    if (state->vmcs->caps.basic & BASIC_ANY_ERROR_CODE)
        return true;
    return delivers == event_has_error_code(EVENT_VECTOR(state->event));
}

/* SDM volume 3, "VM-Entry Control Fields". */
static const char *check_event(const struct entry_state *state)
{
    const unsigned type = EVENT_TYPE(state->event);
    const unsigned vector = EVENT_VECTOR(state->event);
    const uint64_t length = entry_field(state, ENTRY_INSTRUCTION_LENGTH);

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
        REQUIRE(!(entry_field(state, ENTRY_EXCEPTION_ERROR_CODE) >> 16),
                "VM-entry exception error code: bits 31:16 are not 0");
    if (type >= EVENT_TYPE_SOFTWARE_INTERRUPT)
        REQUIRE(length <= 15 && (length || (state->vmcs->caps.misc & MISC_ZERO_LENGTH)),
                "VM-entry instruction length: not 1 to 15 for a software interrupt or exception");
    return NULL;
}

const char *entry_check_controls(const struct vmcs_values *vmcs)
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

const char *entry_check(const struct vmcs_values *vmcs)
{
    const char *words = entry_check_controls(vmcs);

    return words ? words : entry_check_guest(vmcs);
}
