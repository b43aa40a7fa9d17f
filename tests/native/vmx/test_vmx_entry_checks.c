/* SPDX-License-Identifier: BSD-2-Clause */
/* The entry checks (R9): VMCSs that a CPU enters pass, and each single fault in them is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/entry/checks.h"
#include "tests/native/vmx/vmcs_model.h"

static struct vmcs_model model;

static void test_good(void **test)
{
    static void (*const guests[])(struct vmcs_model *) = {
        model_long_mode,
        model_real_mode,
        model_pae_mode,
        model_virtual_8086,
    };

    for (size_t i = 0; i < ARRAY_SIZE(guests); i++) {
        guests[i](&model);
        assert_null(entry_check(&model.values));
    }
}

/* Values that look odd and are allowed. */
static void test_allowed(void **test)
{
    static const struct {
        void (*guest)(struct vmcs_model *);
        enum vmcs_field field;
        uint64_t value;
    } rows[] = {
        {model_long_mode, VMCS_GUEST_RIP, 0x0000800000000000}, /* the end of the lower half */
        {model_long_mode, VMCS_GUEST_SS_ACCESS_RIGHTS, ACCESS_UNUSABLE},
        {model_long_mode, VMCS_GUEST_DS_ACCESS_RIGHTS, ACCESS_UNUSABLE | 0xfff},
        {model_long_mode, VMCS_GUEST_ACTIVITY, ACTIVITY_HLT},
        {model_long_mode, VMCS_GUEST_FS_BASE, 0xffff888000000000},
        {model_long_mode, VMCS_GUEST_CR0, 0xe0000031}, /* CD and NW */
        {model_long_mode, VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_BY_NMI},
        {model_long_mode, VMCS_GUEST_CS_SELECTOR, 0x901}, /* unrestricted guest: RPLs are free */
        {model_real_mode, VMCS_GUEST_CS_ACCESS_RIGHTS, 0x93},
        {model_real_mode, VMCS_GUEST_TR_ACCESS_RIGHTS, 0x83},
        {model_pae_mode, VMCS_GUEST_PDPTE3, 0x7ffffff019},
        {model_real_mode, VMCS_GUEST_PDPTE0, 0x1e7},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        rows[i].guest(&model);
        model_write(&model, rows[i].field, rows[i].value);
        if (entry_check(&model.values))
            fail_msg("row %zu: %s", i, entry_check(&model.values));
    }
}

struct fault {
    enum vmcs_field field;
    uint64_t value;
    const char *words; /* the beginning of the answer */
};

static void check_faults(void (*guest)(struct vmcs_model *), const struct fault *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *words;

        guest(&model);
        model_write(&model, rows[i].field, rows[i].value);
        words = entry_check(&model.values);
        if (!words || strncmp(words, rows[i].words, strlen(rows[i].words)) != 0)
            fail_msg("%s = %llx: got '%s', not '%s'", vmcs_field_name(rows[i].field),
                     (unsigned long long)rows[i].value, words ? words : "nothing", rows[i].words);
    }
}

static void test_control_faults(void **test)
{
    static const struct fault rows[] = {
        {VMCS_PIN_CONTROLS, 0x7d, "pin-based VM-execution controls: a bit that must be 1 is 0"},
        {VMCS_PIN_CONTROLS, 0xff, "pin-based VM-execution controls: a bit that must be 0 is 1"},
        {VMCS_PIN_CONTROLS, 0x77,
         "pin-based VM-execution controls: virtual NMIs without NMI exiting"},
        {VMCS_PROC2_CONTROLS, 0x14e8,
         "secondary processor-based VM-execution controls: unrestricted"},
        {VMCS_ENTRY_CONTROLS, 0xd7ff, "VM-entry controls: entry to SMM"},
        {VMCS_CR3_TARGET_COUNT, 5, "CR3-target count"},
        {VMCS_MSR_BITMAPS, 0x200800, "address of MSR bitmaps"},
        {VMCS_MSR_BITMAPS, BIT(39), "address of MSR bitmaps"},
        {VMCS_VPID, 0, "VPID: 0"},
        {VMCS_EPT_POINTER, 0x20201c, "EPT pointer: the CPU does not have this memory type"},
        {VMCS_EPT_POINTER, 0x202006, "EPT pointer: not 4 levels"},
        {VMCS_EPT_POINTER, 0x20209e, "EPT pointer: bits 11:7"},
        {VMCS_EPT_POINTER, BIT(39) | 0x1e, "EPT pointer: beyond"},
    };

    check_faults(model_long_mode, rows, ARRAY_SIZE(rows));
    /* Without virtual NMIs, NMI-window exiting must be 0; without secondary controls, they count as
     * 0. */
    model_long_mode(&model);
    model_write(&model, VMCS_PIN_CONTROLS, 0x5f);
    assert_null(entry_check(&model.values));
    model_write(&model, VMCS_PROC_CONTROLS, model_read(&model, VMCS_PROC_CONTROLS) | BIT(22));
    assert_non_null(strstr(entry_check(&model.values), "NMI-window exiting without virtual NMIs"));
    model_long_mode(&model);
    model_write(&model, VMCS_PROC_CONTROLS, 0x35206dfa);
    model_write(&model, VMCS_PROC2_CONTROLS, UINT32_MAX);
    assert_null(entry_check(&model.values));
}

/* The controls of the local APIC go together, and with the virtual-APIC page. */
static void test_apic(void **test)
{
    const uint32_t proc = CONTROL_MASK(TPR_SHADOW);
    const uint32_t delivery = CONTROL_MASK(VIRTUAL_INTERRUPT_DELIVERY);
    const uint32_t proc2 = CONTROL_MASK(VIRTUALIZE_X2APIC_MODE) |
                           CONTROL_MASK(APIC_REGISTER_VIRTUALIZATION) | delivery;
    static const struct {
        uint32_t proc, proc2; /* masks that are left of the above */
        uint64_t page, threshold;
        uint32_t pin_cleared;
        const char *words;
    } rows[] = {
        {UINT32_MAX, UINT32_MAX, 0x300000, 0, 0, NULL},
        {UINT32_MAX, 0, 0x300000, 0xf, 0, NULL},
        {0, 0, 1, 0x10, 0, NULL}, /* nothing of it is looked at */
        {UINT32_MAX, UINT32_MAX, 0x300000, 0x10, 0, NULL},
        {UINT32_MAX, 0, 0x300000, 0x10, 0, "TPR threshold"},
        {UINT32_MAX, UINT32_MAX, 0x300800, 0, 0, "virtual-APIC address"},
        {UINT32_MAX, 0, BIT(39), 0, 0, "virtual-APIC address"},
        {0, CONTROL_MASK(VIRTUALIZE_X2APIC_MODE), 0x300000, 0, 0,
         "secondary processor-based VM-execution controls: APIC"},
        {0, CONTROL_MASK(APIC_REGISTER_VIRTUALIZATION), 0x300000, 0, 0,
         "secondary processor-based VM-execution controls: APIC"},
        {0, CONTROL_MASK(VIRTUAL_INTERRUPT_DELIVERY), 0x300000, 0, 0,
         "secondary processor-based VM-execution controls: APIC"},
        {UINT32_MAX, UINT32_MAX, 0x300000, 0, CONTROL_MASK(EXTERNAL_INTERRUPT_EXITING),
         "secondary processor-based VM-execution controls: virtual-interrupt delivery without"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *words;

        model_long_mode(&model);
        model.values.caps.proc2 |= (uint64_t)proc2 << 32;
        model.values.caps.pin &= ~(uint64_t)rows[i].pin_cleared;
        model_write(&model, VMCS_PIN_CONTROLS,
                    model_read(&model, VMCS_PIN_CONTROLS) & ~(uint64_t)rows[i].pin_cleared);
        model_write(&model, VMCS_PROC_CONTROLS,
                    model_read(&model, VMCS_PROC_CONTROLS) | (proc & rows[i].proc));
        model_write(&model, VMCS_PROC2_CONTROLS,
                    model_read(&model, VMCS_PROC2_CONTROLS) | (proc2 & rows[i].proc2));
        model_write(&model, VMCS_VIRTUAL_APIC_ADDRESS, rows[i].page);
        model_write(&model, VMCS_TPR_THRESHOLD, rows[i].threshold);
        words = entry_check(&model.values);
        if ((words == NULL) != (rows[i].words == NULL) ||
            (words && strncmp(words, rows[i].words, strlen(rows[i].words)) != 0))
            fail_msg("row %zu: got '%s'", i, words ? words : "nothing");
    }
}

static void test_msr_areas(void **test)
{
    static const struct {
        enum vmcs_field count, address;
        const char *words;
    } rows[] = {
        {VMCS_EXIT_MSR_STORE_COUNT, VMCS_EXIT_MSR_STORE_ADDRESS, "VM-exit MSR-store address"},
        {VMCS_EXIT_MSR_LOAD_COUNT, VMCS_EXIT_MSR_LOAD_ADDRESS, "VM-exit MSR-load address"},
        {VMCS_ENTRY_MSR_LOAD_COUNT, VMCS_ENTRY_MSR_LOAD_ADDRESS, "VM-entry MSR-load address"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        model_long_mode(&model);
        model_write(&model, rows[i].address, 8); /* not looked at while it is empty */
        assert_null(entry_check(&model.values));
        model_write(&model, rows[i].count, 1);
        assert_ptr_equal(strstr(entry_check(&model.values), rows[i].words),
                         entry_check(&model.values));
        model_write(&model, rows[i].address, BIT(39) - 32);
        model_write(&model, rows[i].count, 2);
        assert_null(entry_check(&model.values));
        model_write(&model, rows[i].count, 3);
        assert_non_null(entry_check(&model.values));
    }
}

static void test_event_faults(void **test)
{
    static const struct fault rows[] = {
        {VMCS_ENTRY_INTERRUPTION_INFO, 0x80000120,
         "VM-entry interruption-information field: reserved type"},
        {VMCS_ENTRY_INTERRUPTION_INFO, 0x80000700,
         "VM-entry interruption-information field: reserved type"},
        {VMCS_ENTRY_INTERRUPTION_INFO, 0x80000203,
         "VM-entry interruption-information field: an NMI"},
        {VMCS_ENTRY_INTERRUPTION_INFO, 0x80000320,
         "VM-entry interruption-information field: a hardware exc"},
        {VMCS_ENTRY_INTERRUPTION_INFO, 0x8000030d,
         "VM-entry interruption-information field: the error-code"},
        {VMCS_ENTRY_INTERRUPTION_INFO, 0x80000b06,
         "VM-entry interruption-information field: the error-code"},
        {VMCS_ENTRY_INTERRUPTION_INFO, 0x80001b0d,
         "VM-entry interruption-information field: bits 30:12"},
        {VMCS_ENTRY_INTERRUPTION_INFO, 0x80000020, "guest RFLAGS: IF is 0"},
    };

    check_faults(model_long_mode, rows, ARRAY_SIZE(rows));
    model_real_mode(&model);
    model_write(&model, VMCS_ENTRY_INTERRUPTION_INFO,
                0x80000b0d); /* real mode has no error codes */
    assert_non_null(entry_check(&model.values));
    model_write(&model, VMCS_ENTRY_INTERRUPTION_INFO, 0x8000030d);
    assert_null(entry_check(&model.values));
    model_long_mode(&model);
    model_write(&model, VMCS_ENTRY_INTERRUPTION_INFO, 0x80000b0d);
    assert_null(entry_check(&model.values));
    model_write(&model, VMCS_ENTRY_EXCEPTION_ERROR_CODE, 0x10000);
    assert_non_null(entry_check(&model.values));
    model_long_mode(&model);
    model_write(&model, VMCS_ENTRY_INTERRUPTION_INFO,
                0x80000480); /* INT 80h; Coffee Lake takes a length of 0 */
    assert_null(entry_check(&model.values));
    model_write(&model, VMCS_ENTRY_INSTRUCTION_LENGTH, 16);
    assert_non_null(entry_check(&model.values));
    model.values.caps.misc &= ~BIT(30);
    model_write(&model, VMCS_ENTRY_INSTRUCTION_LENGTH, 0);
    assert_non_null(entry_check(&model.values));
    model_write(&model, VMCS_ENTRY_INSTRUCTION_LENGTH, 2);
    assert_null(entry_check(&model.values));
}

static void test_guest_register_faults(void **test)
{
    static const struct fault rows[] = {
        {VMCS_GUEST_CR0, 0x80000011, "guest CR0: a bit of IA32_VMX_CR0_FIXED0"},
        {VMCS_GUEST_CR0, BIT(32) | 0x80000031, "guest CR0: a bit outside"},
        {VMCS_GUEST_CR0, 0x80000030, "guest CR0: PG is 1 and PE is 0"},
        {VMCS_GUEST_CR0, 0x31, "guest CR0: PG is 0 with IA-32e"},
        {VMCS_GUEST_CR4, 0x20, "guest CR4: a bit of IA32_VMX_CR4_FIXED0"},
        {VMCS_GUEST_CR4, 0x802020, "guest CR4: a bit outside"},
        {VMCS_GUEST_CR4, 0x2000, "guest CR4: PAE is 0"},
        {VMCS_GUEST_CR3, BIT(39), "guest CR3"},
        {VMCS_GUEST_DEBUGCTL, 8, "guest IA32_DEBUGCTL"},
        {VMCS_GUEST_DR7, BIT(32), "guest DR7"},
        {VMCS_GUEST_SYSENTER_ESP, BIT(47), "guest IA32_SYSENTER_ESP"},
        {VMCS_GUEST_SYSENTER_EIP, BIT(47), "guest IA32_SYSENTER_EIP"},
        {VMCS_GUEST_PAT, 0x0300, "guest IA32_PAT"},
        {VMCS_GUEST_EFER, 0xd03, "guest IA32_EFER: a reserved bit"},
        {VMCS_GUEST_EFER, 0x901, "guest IA32_EFER: LMA differs from IA-32e"},
        {VMCS_GUEST_EFER, 0xc01, "guest IA32_EFER: LMA differs from LME"},
        {VMCS_GUEST_GDTR_BASE, BIT(47), "guest GDTR base"},
        {VMCS_GUEST_IDTR_BASE, BIT(47), "guest IDTR base"},
        {VMCS_GUEST_GDTR_LIMIT, 0x10000, "guest GDTR limit"},
        {VMCS_GUEST_IDTR_LIMIT, 0x10000, "guest IDTR limit"},
        {VMCS_GUEST_RIP, BIT(48), "guest RIP: bits 63:48"},
        {VMCS_GUEST_RFLAGS, 0, "guest RFLAGS: bit 1"},
        {VMCS_GUEST_RFLAGS, 0x8002, "guest RFLAGS: a reserved bit"},
        {VMCS_GUEST_RFLAGS, 0x22, "guest RFLAGS: a reserved bit"},
        {VMCS_GUEST_RFLAGS, BIT(22) | 2, "guest RFLAGS: a reserved bit"},
        {VMCS_GUEST_ACTIVITY, 4, "guest activity state: the CPU"},
        {VMCS_GUEST_INTERRUPTIBILITY, 0x20, "guest interruptibility state: bits 31:5"},
        {VMCS_GUEST_INTERRUPTIBILITY, 3, "guest interruptibility state: blocking by both"},
        {VMCS_GUEST_INTERRUPTIBILITY, 1,
         "guest interruptibility state: blocking by STI with RFLAGS.IF"},
        {VMCS_GUEST_INTERRUPTIBILITY, 4, "guest interruptibility state: blocking by SMI"},
        {VMCS_GUEST_INTERRUPTIBILITY, 0x12, "guest interruptibility state: enclave"},
        {VMCS_GUEST_PENDING_DEBUG, 0x10, "guest pending debug exceptions: a reserved bit"},
        {VMCS_GUEST_PENDING_DEBUG, BIT(17), "guest pending debug exceptions: a reserved bit"},
        {VMCS_GUEST_PENDING_DEBUG, BIT(16), "guest pending debug exceptions: RTM"},
        {VMCS_LINK_POINTER, 0x800, "VMCS link pointer"},
    };

    check_faults(model_long_mode, rows, ARRAY_SIZE(rows));
}

static void test_other_mode_faults(void **test)
{
    static const struct fault pae[] = {
        {VMCS_GUEST_CR4, 0x22020, "guest CR4: PCIDE"},
        {VMCS_GUEST_RIP, BIT(32), "guest RIP: bits 63:32"},
        {VMCS_GUEST_PDPTE0, 3, "guest PDPTE0"},
        {VMCS_GUEST_PDPTE2, BIT(39) | 1, "guest PDPTE2"},
        {VMCS_GUEST_PDPTE3, 0x101, "guest PDPTE3"},
        {VMCS_GUEST_EFER, 0x400, "guest IA32_EFER: LMA differs from IA-32e"},
        {VMCS_GUEST_EFER, 0x100, "guest IA32_EFER: LMA differs from LME"},
    };
    static const struct fault virtual_8086[] = {
        {VMCS_GUEST_DS_BASE, 0, "guest DS base: not the selector"},
        {VMCS_GUEST_ES_LIMIT, 0xfffff, "guest ES limit: not ffffh"},
        {VMCS_GUEST_SS_ACCESS_RIGHTS, 0x93, "guest SS access rights: not f3h"},
        {VMCS_GUEST_TR_ACCESS_RIGHTS, 0x89, "guest TR access rights: a type"},
        {VMCS_GUEST_ACTIVITY, ACTIVITY_HLT, "guest activity state: HLT with an SS DPL"},
    };

    check_faults(model_pae_mode, pae, ARRAY_SIZE(pae));
    check_faults(model_virtual_8086, virtual_8086, ARRAY_SIZE(virtual_8086));
    check_faults(model_real_mode,
                 &(struct fault){VMCS_GUEST_RFLAGS, 0x20002, "guest ES access rights: not f3h"}, 1);
    model_virtual_8086(&model);
    model_write(&model, VMCS_GUEST_CR0, 0x30);
    assert_string_equal(entry_check(&model.values),
                        "guest RFLAGS: VM is 1 in IA-32e or in real mode");
}

static void test_segment_faults(void **test)
{
    static const struct fault rows[] = {
        {VMCS_GUEST_TR_SELECTOR, 4, "guest TR selector: TI"},
        {VMCS_GUEST_TR_BASE, BIT(47), "guest TR base: not canonical"},
        {VMCS_GUEST_FS_BASE, BIT(47), "guest FS base: not canonical"},
        {VMCS_GUEST_GS_BASE, BIT(47), "guest GS base: not canonical"},
        {VMCS_GUEST_CS_BASE, BIT(32), "guest CS base: bits 63:32"},
        {VMCS_GUEST_SS_BASE, BIT(32), "guest SS base: bits 63:32"},
        {VMCS_GUEST_DS_BASE, BIT(32), "guest DS base: bits 63:32"},
        {VMCS_GUEST_ES_BASE, BIT(32), "guest ES base: bits 63:32"},
        {VMCS_GUEST_CS_ACCESS_RIGHTS, 0xa09a, "guest CS access rights: a type"},
        {VMCS_GUEST_CS_ACCESS_RIGHTS, 0xa097, "guest CS access rights: a type"},
        {VMCS_GUEST_CS_ACCESS_RIGHTS, 0xa08b, "guest CS access rights: S"},
        {VMCS_GUEST_CS_ACCESS_RIGHTS, 0xa0fb, "guest CS access rights: DPL"},
        {VMCS_GUEST_CS_ACCESS_RIGHTS, 0xa0ff, "guest CS access rights: DPL"},
        {VMCS_GUEST_CS_ACCESS_RIGHTS, 0xa0f3, "guest CS access rights: DPL"},
        {VMCS_GUEST_CS_ACCESS_RIGHTS, 0xa01b, "guest CS access rights: P"},
        {VMCS_GUEST_CS_ACCESS_RIGHTS, 0xa19b, "guest CS access rights: a reserved bit"},
        {VMCS_GUEST_CS_ACCESS_RIGHTS, 0x2a09b, "guest CS access rights: a reserved bit"},
        {VMCS_GUEST_CS_ACCESS_RIGHTS, 0xe09b, "guest CS access rights: both D and L"},
        {VMCS_GUEST_CS_ACCESS_RIGHTS, 0x209b, "guest CS limit"},
        {VMCS_GUEST_CS_LIMIT, 0xfffffffe, "guest CS limit"},
        {VMCS_GUEST_SS_ACCESS_RIGHTS, 0xc095, "guest SS access rights: a type"},
        {VMCS_GUEST_SS_ACCESS_RIGHTS, 0xc013, "guest SS access rights: P"},
        {VMCS_GUEST_DS_ACCESS_RIGHTS, 0xc092, "guest DS access rights: a type"},
        {VMCS_GUEST_ES_ACCESS_RIGHTS, 0xc099, "guest ES access rights: a type"},
        {VMCS_GUEST_FS_ACCESS_RIGHTS, 0xc083, "guest FS access rights: S"},
        {VMCS_GUEST_GS_ACCESS_RIGHTS, 0x40c093, "guest GS access rights: a reserved bit"},
        {VMCS_GUEST_GS_LIMIT, 0, "guest GS limit"},
        {VMCS_GUEST_TR_ACCESS_RIGHTS, 0x83, "guest TR access rights: a type"},
        {VMCS_GUEST_TR_ACCESS_RIGHTS, 0x1008b, "guest TR access rights: unusable"},
        {VMCS_GUEST_TR_ACCESS_RIGHTS, 0x9b, "guest TR access rights: S"},
        {VMCS_GUEST_TR_ACCESS_RIGHTS, 0x0b, "guest TR access rights: P"},
        {VMCS_GUEST_LDTR_ACCESS_RIGHTS, 0x83, "guest LDTR access rights: a type"},
        {VMCS_GUEST_LDTR_ACCESS_RIGHTS, 0x02, "guest LDTR access rights: P"},
    };

    check_faults(model_long_mode, rows, ARRAY_SIZE(rows));
    check_faults(model_real_mode,
                 &(struct fault){VMCS_GUEST_SS_ACCESS_RIGHTS, 0xf3, "guest CS access rights: DPL"},
                 1);
    model_real_mode(&model);
    model_write(&model, VMCS_GUEST_SS_ACCESS_RIGHTS, 0xf3);
    model_write(&model, VMCS_GUEST_CS_ACCESS_RIGHTS, 0xfb);
    assert_string_equal(entry_check(&model.values),
                        "guest SS access rights: DPL does not go with the type, RPL, CS or SS");
}

/* Without unrestricted guest, CR0 and the segments' privilege levels are checked harder. */
static void test_restricted(void **test)
{
    static const struct fault rows[] = {
        {VMCS_GUEST_CR0, 0x30, "guest CR0: a bit of IA32_VMX_CR0_FIXED0"},
        {VMCS_GUEST_CS_SELECTOR, 3, "guest SS selector: RPL"},
        {VMCS_GUEST_CS_ACCESS_RIGHTS, 0xa093, "guest CS access rights: a type"},
        {VMCS_GUEST_DS_SELECTOR, 3, "guest DS access rights: DPL"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *words;

        model_long_mode(&model);
        model_write(&model, VMCS_PROC2_CONTROLS, 0x146a);
        assert_null(entry_check(&model.values));
        model_write(&model, rows[i].field, rows[i].value);
        words = entry_check(&model.values);
        assert_non_null(words);
        assert_int_equal(strncmp(words, rows[i].words, strlen(rows[i].words)), 0);
    }
    model_long_mode(&model);
    model_write(&model, VMCS_PROC2_CONTROLS, 0x146a);
    model_write(&model, VMCS_GUEST_CS_SELECTOR, 3);
    model_write(&model, VMCS_GUEST_SS_SELECTOR, 3);
    assert_non_null(strstr(entry_check(&model.values), "guest SS access rights: DPL"));
}

static void test_cet(void **test)
{
    model_long_mode(&model);
    model.values.caps.cr4_fixed1 |= BIT(23);
    model_write(&model, VMCS_GUEST_CR4, 0x802020);
    assert_string_equal(entry_check(&model.values), "guest CR4: CET is 1 with CR0.WP 0");
    model_write(&model, VMCS_GUEST_CR0, 0x80010031);
    assert_null(entry_check(&model.values));
}

static void test_pkrs(void **test)
{
    uint64_t entry;

    model_long_mode(&model);
    entry = model_read(&model, VMCS_ENTRY_CONTROLS);
    model.values.caps.entry |= (uint64_t)CONTROL_MASK(LOAD_GUEST_PKRS) << 32;
    model_write(&model, VMCS_GUEST_PKRS, BIT(32));
    assert_null(entry_check(&model.values));
    model_write(&model, VMCS_ENTRY_CONTROLS, entry | CONTROL_MASK(LOAD_GUEST_PKRS));
    assert_string_equal(entry_check(&model.values), "guest IA32_PKRS: bits 63:32 are not 0");
    model_write(&model, VMCS_GUEST_PKRS, 0xffffffff);
    assert_null(entry_check(&model.values));
}

static void test_cet_state(void **test)
{
    static const struct {
        enum vmcs_field field;
        uint64_t value;
        const char *words;
    } rows[] = {
        {VMCS_GUEST_S_CET, 0x40, "guest IA32_S_CET"},
        {VMCS_GUEST_S_CET, 0xc00, "guest IA32_S_CET"},
        {VMCS_GUEST_S_CET, BIT(47), "guest IA32_S_CET"},
        {VMCS_GUEST_SSP, 2, "guest SSP"},
        {VMCS_GUEST_SSP, BIT(47), "guest SSP"},
        {VMCS_GUEST_SSP_TABLE_ADDRESS, BIT(47), "guest IA32_INTERRUPT_SSP_TABLE_ADDR"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        model_long_mode(&model);
        uint64_t entry = model_read(&model, VMCS_ENTRY_CONTROLS);
        model.values.caps.entry |= (uint64_t)CONTROL_MASK(LOAD_GUEST_CET) << 32;
        model_write(&model, rows[i].field, rows[i].value);
        assert_null(entry_check(&model.values));
        model_write(&model, VMCS_ENTRY_CONTROLS, entry | CONTROL_MASK(LOAD_GUEST_CET));
        assert_non_null(strstr(entry_check(&model.values), rows[i].words));
        model_write(&model, rows[i].field, rows[i].field == VMCS_GUEST_S_CET ? 0x83f : 0x7ff8);
        assert_null(entry_check(&model.values));
    }
}

/* Faults that take two fields. */
static void test_pairs(void **test)
{
    static const struct {
        enum vmcs_field first;
        uint64_t first_value;
        enum vmcs_field second;
        uint64_t second_value;
        const char *words;
    } rows[] = {
        {VMCS_GUEST_LDTR_ACCESS_RIGHTS, 0x82, VMCS_GUEST_LDTR_SELECTOR, 4,
         "guest LDTR selector: TI is 1"},
        {VMCS_GUEST_LDTR_ACCESS_RIGHTS, 0x82, VMCS_GUEST_LDTR_BASE, BIT(47),
         "guest LDTR base: not canonical"},
        {VMCS_GUEST_PENDING_DEBUG, 0x11000, VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_BY_MOV_SS,
         "guest pending debug exceptions: RTM with blocking by MOV SS"},
        {VMCS_GUEST_ACTIVITY, ACTIVITY_HLT, VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_BY_MOV_SS,
         "guest activity state: not active with blocking by STI or MOV SS"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        model_long_mode(&model);
        model_write(&model, rows[i].first, rows[i].first_value);
        assert_null(entry_check(&model.values));
        model_write(&model, rows[i].second, rows[i].second_value);
        assert_string_equal(entry_check(&model.values), rows[i].words);
    }
    model_long_mode(&model);
    model_write(&model, VMCS_EPT_POINTER, 0x20205e);
    assert_null(entry_check(&model.values));
    model.values.caps.ept_vpid = ivy_bridge.ept_vpid;
    assert_non_null(strstr(entry_check(&model.values), "accessed and dirty"));
}

/* A held single-step trap must be pending (R43). */
static void test_single_step(void **test)
{
    model_long_mode(&model);
    model_write(&model, VMCS_GUEST_RFLAGS, 0x302);
    assert_null(entry_check(&model.values));
    model_write(&model, VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_BY_STI);
    assert_non_null(strstr(entry_check(&model.values), "BS does not go"));
    model_write(&model, VMCS_GUEST_PENDING_DEBUG, PENDING_DEBUG_BS);
    assert_null(entry_check(&model.values));
    model_write(&model, VMCS_GUEST_DEBUGCTL, 2);
    assert_non_null(strstr(entry_check(&model.values), "BS does not go"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_control_faults),
        cmocka_unit_test(test_apic),
        cmocka_unit_test(test_msr_areas),
        cmocka_unit_test(test_event_faults),
        cmocka_unit_test(test_guest_register_faults),
        cmocka_unit_test(test_other_mode_faults),
        cmocka_unit_test(test_segment_faults),
        cmocka_unit_test(test_restricted),
        cmocka_unit_test(test_cet),
        cmocka_unit_test(test_pkrs),
        cmocka_unit_test(test_cet_state),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_single_step),
    };

    return cmocka_run_group_tests_name("entry checks", tests, NULL, NULL);
}
