/* SPDX-License-Identifier: BSD-2-Clause */
/* The checks on the guest's registers, but for segments, and on its non-register state (R9). */
#include <stddef.h>

#include "monitor/entry/state.h"

/* LBR, BTF, bus-lock detection, TR, BTS to the freeze controls, RTM. */
#define DEBUGCTL_DEFINED 0xffc7ULL
#define DEBUGCTL_BTF     BIT(1)

/* IA32_S_CET: bits 9:6; and the tracker's two, of which one may be set. */
#define CET_RESERVED 0x3c0ULL
#define CET_TRACKER  0xc00ULL

/* 63:22, 15, 5 and 3 are 0. */
#define RFLAGS_RESERVED 0xffffffffffc08028ULL

#define INTERRUPTIBILITY_RESERVED 0xffffffe0U

/* 63:17, 15, 13 and 11:4 are 0. */
#define PENDING_DEBUG_RESERVED 0xfffffffffffeaff0ULL

#define PDPTE_P BIT(0)

/* IA32_VMX_MISC: the activity states from HLT on that the CPU has. */
#define MISC_ACTIVITY(state) BIT(5 + (state))

/* SDM volume 3, "Checks on Guest Control Registers, Debug Registers, and MSRs". */
static const char *check_control_registers(const struct entry_state *state)
{
    const struct vmx_caps *caps = &state->vmcs->caps;
    /* R12 */
    const uint64_t fixed0 =
        caps->cr0_fixed0 & ~(state->unrestricted ? (uint64_t)(CR0_PE | CR0_PG) : 0);

    REQUIRE((state->cr0 & fixed0) == fixed0, "guest CR0: a bit of IA32_VMX_CR0_FIXED0 is 0");
    REQUIRE(!(state->cr0 & ~caps->cr0_fixed1), "guest CR0: a bit outside IA32_VMX_CR0_FIXED1 is 1");
    REQUIRE(!(state->cr0 & CR0_PG) || (state->cr0 & CR0_PE), "guest CR0: PG is 1 and PE is 0");
    REQUIRE((state->cr4 & caps->cr4_fixed0) == caps->cr4_fixed0,
            "guest CR4: a bit of IA32_VMX_CR4_FIXED0 is 0");
    REQUIRE(!(state->cr4 & ~caps->cr4_fixed1), "guest CR4: a bit outside IA32_VMX_CR4_FIXED1 is 1");
    REQUIRE(!(state->cr4 & CR4_CET) || (state->cr0 & CR0_WP), "guest CR4: CET is 1 with CR0.WP 0");
    if (state->ia32e) {
        REQUIRE(state->cr0 & CR0_PG, "guest CR0: PG is 0 with IA-32e mode guest");
        REQUIRE(state->cr4 & CR4_PAE, "guest CR4: PAE is 0 with IA-32e mode guest");
    } else {
        REQUIRE(!(state->cr4 & CR4_PCIDE), "guest CR4: PCIDE is 1 without IA-32e mode guest");
    }
    REQUIRE(entry_address_ok(state, entry_field(state, GUEST_CR3), 1),
            "guest CR3: beyond the physical address width");
    return NULL;
}

/* Whether each of the eight entries of a PAT value is a memory type. */
static bool pat_ok(uint64_t pat)
{
    for (unsigned i = 0; i < 64; i += 8) {
        const uint64_t type = (pat >> i) & 0xff;

        if (type > 7 || type == 2 || type == 3)
            return false;
    }
    return true;
}

static const char *check_msrs(const struct entry_state *state)
{
    const uint64_t efer = entry_field(state, GUEST_EFER);

    if (state->entry & CONTROL_MASK(LOAD_DEBUG_CONTROLS)) {
        REQUIRE(!(entry_field(state, GUEST_DEBUGCTL) & ~DEBUGCTL_DEFINED),
                "guest IA32_DEBUGCTL: a reserved bit is 1");
        REQUIRE(!(entry_field(state, GUEST_DR7) >> 32), "guest DR7: bits 63:32 are not 0");
    }
    REQUIRE(is_canonical(entry_field(state, GUEST_SYSENTER_ESP)),
            "guest IA32_SYSENTER_ESP: not canonical");
    REQUIRE(is_canonical(entry_field(state, GUEST_SYSENTER_EIP)),
            "guest IA32_SYSENTER_EIP: not canonical");
    if (state->entry & CONTROL_MASK(LOAD_GUEST_PAT))
        REQUIRE(pat_ok(entry_field(state, GUEST_PAT)), "guest IA32_PAT: a reserved memory type");
    if (state->entry & CONTROL_MASK(LOAD_GUEST_CET)) {
        const uint64_t cet = entry_field(state, GUEST_S_CET);

        REQUIRE(!(cet & CET_RESERVED) && (cet & CET_TRACKER) != CET_TRACKER && is_canonical(cet),
                "guest IA32_S_CET: a reserved bit is 1, the tracker waits and is suppressed, or "
                "the bitmap's address is not canonical");
        REQUIRE(!(entry_field(state, GUEST_SSP) & 3) && is_canonical(entry_field(state, GUEST_SSP)),
                "guest SSP: not canonical, or not aligned to 4 bytes");
        REQUIRE(is_canonical(entry_field(state, GUEST_SSP_TABLE_ADDRESS)),
                "guest IA32_INTERRUPT_SSP_TABLE_ADDR: not canonical");
    }
    if (state->entry & CONTROL_MASK(LOAD_GUEST_PKRS))
        REQUIRE(!(entry_field(state, GUEST_PKRS) >> 32), "guest IA32_PKRS: bits 63:32 are not 0");
    if (state->entry & CONTROL_MASK(LOAD_GUEST_EFER)) {
        REQUIRE(!(efer & ~EFER_DEFINED), "guest IA32_EFER: a reserved bit is 1");
        REQUIRE(((efer & EFER_LMA) != 0) == state->ia32e,
                "guest IA32_EFER: LMA differs from IA-32e mode guest");
        REQUIRE(!(state->cr0 & CR0_PG) || ((efer & EFER_LMA) != 0) == ((efer & EFER_LME) != 0),
                "guest IA32_EFER: LMA differs from LME with paging on");
    }
    return NULL;
}

/* SDM volume 3, "Checks on Guest Descriptor-Table Registers". */
static const char *check_tables(const struct entry_state *state)
{
    REQUIRE(is_canonical(entry_field(state, GUEST_GDTR_BASE)), "guest GDTR base: not canonical");
    REQUIRE(is_canonical(entry_field(state, GUEST_IDTR_BASE)), "guest IDTR base: not canonical");
    REQUIRE(!(entry_field(state, GUEST_GDTR_LIMIT) >> 16),
            "guest GDTR limit: bits 31:16 are not 0");
    REQUIRE(!(entry_field(state, GUEST_IDTR_LIMIT) >> 16),
            "guest IDTR limit: bits 31:16 are not 0");
    return NULL;
}

/* SDM volume 3, "Checks on Guest RIP, RFLAGS, and SSP". */
static const char *check_rip_rflags(const struct entry_state *state)
{
    const uint64_t rip = entry_field(state, GUEST_RIP);
    const bool long_code = state->ia32e && (entry_field(state, GUEST_CS_ACCESS_RIGHTS) & ACCESS_L);
    const uint64_t high = rip >> 48;

    /* Not the canonical form: bit 47 is free, since RIP may have run to the end of
     * the lower half. */
    if (long_code)
        REQUIRE(high == 0 || high == 0xffff, "guest RIP: bits 63:48 differ from each other");
    else
        REQUIRE(!(rip >> 32), "guest RIP: bits 63:32 are not 0 outside 64-bit mode");
    REQUIRE(!(state->rflags & RFLAGS_RESERVED), "guest RFLAGS: a reserved bit is 1");
    REQUIRE(state->rflags & RFLAGS_FIXED, "guest RFLAGS: bit 1 is 0");
    if (state->virtual_8086)
        REQUIRE(!state->ia32e && (state->cr0 & CR0_PE),
                "guest RFLAGS: VM is 1 in IA-32e or in real mode");
    if ((state->event & EVENT_VALID) && EVENT_TYPE(state->event) == EVENT_TYPE_INTERRUPT)
        REQUIRE(state->rflags & RFLAGS_IF,
                "guest RFLAGS: IF is 0 with an external interrupt to inject");
    return NULL;
}

/* Whether the event may be injected in this activity state. */
static bool activity_takes(uint32_t activity, uint32_t event)
{
    const bool machine_check =
        EVENT_TYPE(event) == EVENT_TYPE_EXCEPTION && EVENT_VECTOR(event) == VECTOR_MC;
    const bool debug =
        EVENT_TYPE(event) == EVENT_TYPE_EXCEPTION && EVENT_VECTOR(event) == VECTOR_DB;
    const bool nmi = EVENT_TYPE(event) == EVENT_TYPE_NMI;

    switch (activity) {
    case ACTIVITY_ACTIVE:
        return true;
    case ACTIVITY_HLT:
        return nmi || machine_check || debug || EVENT_TYPE(event) == EVENT_TYPE_INTERRUPT;
    case ACTIVITY_SHUTDOWN:
        return nmi || machine_check;
    default:
        return false;
    }
}

/* SDM volume 3, "Checks on Guest Non-Register State". */
static const char *check_activity(const struct entry_state *state)
{
    const uint32_t activity = (uint32_t)entry_field(state, GUEST_ACTIVITY);
    const uint32_t blocking = (uint32_t)entry_field(state, GUEST_INTERRUPTIBILITY);
    const uint32_t ss = (uint32_t)entry_field(state, GUEST_SS_ACCESS_RIGHTS);

    REQUIRE(activity == ACTIVITY_ACTIVE || (activity <= ACTIVITY_WAIT_FOR_SIPI &&
                                            (state->vmcs->caps.misc & MISC_ACTIVITY(activity))),
            "guest activity state: the CPU does not have it");
    REQUIRE(activity != ACTIVITY_HLT || ACCESS_DPL(ss) == 0,
            "guest activity state: HLT with an SS DPL above 0");
    REQUIRE(activity == ACTIVITY_ACTIVE || !(blocking & (BLOCKING_BY_STI | BLOCKING_BY_MOV_SS)),
            "guest activity state: not active with blocking by STI or MOV SS");
    REQUIRE(!(state->event & EVENT_VALID) || activity_takes(activity, state->event),
            "guest activity state: it does not take the event to inject");
    return NULL;
}

static const char *check_interruptibility(const struct entry_state *state)
{
    const uint32_t blocking = (uint32_t)entry_field(state, GUEST_INTERRUPTIBILITY);
    const bool sti = blocking & BLOCKING_BY_STI;
    const bool mov_ss = blocking & BLOCKING_BY_MOV_SS;
    const bool valid = state->event & EVENT_VALID;
    const bool interrupt = valid && EVENT_TYPE(state->event) == EVENT_TYPE_INTERRUPT;
    const bool nmi = valid && EVENT_TYPE(state->event) == EVENT_TYPE_NMI;

    REQUIRE(!(blocking & INTERRUPTIBILITY_RESERVED),
            "guest interruptibility state: bits 31:5 are not 0");
    REQUIRE(!sti || !mov_ss, "guest interruptibility state: blocking by both STI and MOV SS");
    REQUIRE(!sti || (state->rflags & RFLAGS_IF),
            "guest interruptibility state: blocking by STI with RFLAGS.IF 0");
    REQUIRE(!interrupt || (!sti && !mov_ss), "guest interruptibility state: blocking by STI or MOV "
                                             "SS with an external interrupt to inject");
    REQUIRE(!nmi || !mov_ss,
            "guest interruptibility state: blocking by MOV SS with an NMI to inject");
    REQUIRE(!(blocking & BLOCKING_BY_SMI),
            "guest interruptibility state: blocking by SMI outside SMM");
    /* The SDM lets CPUs differ; Lintel keeps to the strict ones. */
    REQUIRE(!nmi || !sti, "guest interruptibility state: blocking by STI with an NMI to inject");
    REQUIRE(!nmi || !(state->pin & CONTROL_MASK(VIRTUAL_NMIS)) || !(blocking & BLOCKING_BY_NMI),
            "guest interruptibility state: blocking by NMI with an NMI to inject");
    REQUIRE(!(blocking & ENCLAVE_INTERRUPT) || !mov_ss,
            "guest interruptibility state: enclave interruption with blocking by MOV SS");
    return NULL;
}

static const char *check_pending_debug(const struct entry_state *state)
{
    const uint64_t pending = entry_field(state, GUEST_PENDING_DEBUG);
    const uint64_t blocking = entry_field(state, GUEST_INTERRUPTIBILITY);
    const bool held = (blocking & (BLOCKING_BY_STI | BLOCKING_BY_MOV_SS)) ||
                      entry_field(state, GUEST_ACTIVITY) == ACTIVITY_HLT;
    const bool single_step =
        (state->rflags & RFLAGS_TF) && !(entry_field(state, GUEST_DEBUGCTL) & DEBUGCTL_BTF);

    REQUIRE(!(pending & PENDING_DEBUG_RESERVED),
            "guest pending debug exceptions: a reserved bit is 1");
    REQUIRE(!held || ((pending & PENDING_DEBUG_BS) != 0) == single_step,
            "guest pending debug exceptions: BS does not go with RFLAGS.TF and IA32_DEBUGCTL.BTF "
            "while debug "
            "exceptions are held back");
    if (pending & PENDING_DEBUG_RTM) {
        REQUIRE(!(pending & ~(PENDING_DEBUG_RTM | PENDING_DEBUG_ENABLED_BREAKPOINT)) &&
                    (pending & PENDING_DEBUG_ENABLED_BREAKPOINT),
                "guest pending debug exceptions: RTM with other bits than bit 12");
        REQUIRE(!(blocking & BLOCKING_BY_MOV_SS),
                "guest pending debug exceptions: RTM with blocking by MOV SS");
    }
    return NULL;
}

static const char *check_link_pointer(const struct entry_state *state)
{
    const uint64_t link = entry_field(state, LINK_POINTER);

    REQUIRE(link == VMCS_NO_LINK || entry_address_ok(state, link, PAGE_SIZE),
            "VMCS link pointer: not 4-KiB aligned, or beyond the physical address width");
    return NULL;
}

/* SDM volume 3, "Checks on Guest Page-Directory-Pointer-Table Entries" (R23). */
static const char *check_pdptes(const struct entry_state *state)
{
    static const char *const words[] = {
        "guest PDPTE0: present with a reserved bit 1",
        "guest PDPTE1: present with a reserved bit 1",
        "guest PDPTE2: present with a reserved bit 1",
        "guest PDPTE3: present with a reserved bit 1",
    };

    if (!(state->cr0 & CR0_PG) || !(state->cr4 & CR4_PAE) || state->ia32e ||
        !(state->proc2 & CONTROL_MASK(EPT)))
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        const uint64_t pdpte = state->vmcs->field[VMCS_INDEX_GUEST_PDPTE0 + i];

        REQUIRE(!(pdpte & PDPTE_P) ||
                    (!(pdpte & PDPTE_RESERVED) && entry_address_ok(state, pdpte, 1)),
                words[i]);
    }
    return NULL;
}

const char *entry_check_guest(const struct vmcs_values *vmcs)
{
    static const char *(*const checks[])(const struct entry_state *) = {
        check_control_registers, check_msrs,     entry_check_segments,   check_tables,
        check_rip_rflags,        check_activity, check_interruptibility, check_pending_debug,
        check_link_pointer,      check_pdptes,
    };
    const struct entry_state state = entry_state_read(vmcs);

    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        const char *words = checks[i](&state);

        if (words)
            return words;
    }
    return NULL;
}
