/* SPDX-License-Identifier: BSD-2-Clause */
/* Capabilities and the choice of controls (R1, R2, R3, R10), on real CPUs' values and on
 * random ones. */
#include "hypervisor/vmx/caps.h"
#include "tests/native/vmx/vmcs_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A CPU by its registers. An MSR that is not in the list gives #GP: the test fails. */
struct cpu {
    struct {
        uint32_t index;
        uint64_t value;
    } msrs[32];
    uint32_t signature, features, physical;
    unsigned reads;
};

static const struct cpu coffee_lake_cpu = {
    .msrs = {{0x3a, 0x20005},
             {0x480, 0xda040000000004},
             {0x481, 0x7f00000016},
             {0x482, 0xfff9fffe0401e172},
             {0x483, 0x1ffffff00036dff},
             {0x484, 0x3ffff000011ff},
             {0x485, 0x7004c1e7},
             {0x486, 0x80000021},
             {0x487, 0xffffffff},
             {0x488, 0x2000},
             {0x489, 0x3727ff},
             {0x48a, 0x2e},
             {0x48b, 0x5fbcff00000000},
             {0x48c, 0xf0106734141},
             {0x48d, 0x7f00000016},
             {0x48e, 0xfff9fffe04006172},
             {0x48f, 0x1ffffff00036dfb},
             {0x490, 0x3ffff000011fb}},
    .signature = 0x906ea,
    .features = 0x7ffafbbf,
    .physical = 0x3027,
};

/* The first 64-bit CPUs with VT-x: no TRUE MSRs, no secondary controls. */
static const struct cpu first_cpu = {
    .msrs = {{0x3a, 0x5},
             {0x480, 0x5a080000000003},
             {0x481, 0x1f00000016},
             {0x482, 0x7781fffe0401e172},
             {0x483, 0x3ffff00036dff},
             {0x484, 0x3fff000011ff},
             {0x485, 0x403c0},
             {0x486, 0x80000021},
             {0x487, 0xffffffff},
             {0x488, 0x2000},
             {0x489, 0x27ff},
             {0x48a, 0x2c}},
    .signature = 0xf64,
    .features = 0x20,
    .physical = 0x3024,
};

static uint64_t cpu_rdmsr(void *ctx, uint32_t index)
{
    struct cpu *cpu = ctx;

    cpu->reads++;
    for (size_t i = 0; i < ARRAY_SIZE(cpu->msrs); i++)
        if (cpu->msrs[i].index == index)
            return cpu->msrs[i].value;
    fail_msg("RDMSR of %x, which this CPU does not have", index);
    return 0;
}

static void cpu_cpuid(void *ctx, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    const struct cpu *cpu = ctx;

    memset(out, 0, 16);
    if (leaf == 1) {
        out[0] = cpu->signature;
        out[2] = cpu->features;
    } else if (leaf == 0x80000000) {
        out[0] = cpu->physical ? 0x80000008 : 0x80000004;
    } else {
        assert_int_equal(leaf, 0x80000008);
        out[0] = cpu->physical;
    }
}

static void read_cpu(struct vmx_caps *caps, struct cpu *cpu)
{
    memset(caps, 0xff, sizeof(*caps));
    vmx_caps_read(caps, &(struct caps_reader){cpu_rdmsr, cpu_cpuid, cpu});
}

static uint64_t flaws_rdmsr(void *ctx, uint32_t index)
{
    assert_int_equal(index, 0x10a);
    return 0x123456789;
}

static void flaws_cpuid(void *ctx, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    const uint32_t *last = ctx;

    assert_int_equal(leaf, 7);
    assert_true(subleaf == 0 || (subleaf == 2 && *last >= 2));
    out[0] = *last;
    out[1] = 1u << 11;
    out[2] = ~0u;
    out[3] = 0x11110000 + subleaf;
}

/* Subleaf 2 where there is one. */
static void test_read_flaws(void **test)
{
    for (uint32_t last = 0; last < 4; last++) {
        struct mitigation_facts facts;
        caps_read_flaws(&facts, &(struct caps_reader){flaws_rdmsr, flaws_cpuid, &last});
        assert_int_equal(facts.features, 0x11110000);
        assert_int_equal(facts.controls, last >= 2 ? 0x11110002 : 0);
        assert_true(facts.rtm);
        assert_int_equal(facts.capabilities, 0x123456789);
    }
}

static void test_read(void **test)
{
    struct vmx_caps caps;
    struct cpu cpu = coffee_lake_cpu;

    read_cpu(&caps, &cpu);
    assert_memory_equal(&caps, &coffee_lake, sizeof(caps));

    cpu = first_cpu;
    read_cpu(&caps, &cpu);
    assert_int_equal(caps.proc, 0x7781fffe0401e172);
    assert_int_equal(caps.proc2, 0);
    assert_int_equal(caps.ept_vpid, 0);
    assert_int_equal(caps.physical_bits, 36);
    assert_int_equal(caps.linear_bits, 48);

    cpu.physical = 0x392e;
    read_cpu(&caps, &cpu);
    assert_int_equal(caps.physical_bits, 46);
    assert_int_equal(caps.linear_bits, 57);

    cpu.features = 0;
    cpu.physical = 0;
    cpu.reads = 0;
    read_cpu(&caps, &cpu);
    assert_int_equal(cpu.reads, 0);
    assert_int_equal(caps.physical_bits, 36);
    assert_int_equal(vmx_permission(&caps), VMX_ABSENT);
}

/* A preemption timer with a wrong rate is none, whatever the capability says. */
static void test_errata(void **test)
{
    static const uint32_t signatures[][2] = {{0x20652, false}, {0x30020655, false},
                                             {0x306a8, false}, {0x206c2, true},
                                             {0x306a9, true},  {0x20654, true}};

    for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
        struct cpu cpu = coffee_lake_cpu;
        struct vmx_controls controls;
        enum control_id missing;
        struct vmx_caps caps;

        cpu.signature = signatures[i][0];
        read_cpu(&caps, &cpu);
        assert_true(vmx_controls_choose(&caps, 0, &controls, &missing));
        assert_int_equal(control_has(&controls, CONTROL_PREEMPTION_TIMER), signatures[i][1]);
    }
}

static void test_permission(void **test)
{
    struct vmx_caps caps = coffee_lake;

    assert_int_equal(vmx_permission(&caps), VMX_USABLE);
    caps.feature_control = 0;
    assert_int_equal(vmx_permission(&caps), VMX_SET_AND_LOCK);
    assert_int_equal(vmx_feature_control_value(&caps), 5);
    caps.feature_control = 0x20000;
    assert_int_equal(vmx_feature_control_value(&caps), 0x20005);
    caps.feature_control = 4;
    assert_int_equal(vmx_permission(&caps), VMX_SET_AND_LOCK);
    caps.feature_control = 1;
    assert_int_equal(vmx_permission(&caps), VMX_LOCKED_OFF);
    caps.feature_control = 3; /* inside SMX only */
    assert_int_equal(vmx_permission(&caps), VMX_LOCKED_OFF);
    assert_non_null(strstr(vmx_permission_words(VMX_LOCKED_OFF), "firmware's setup"));
}

static void test_regions(void **test)
{
    struct vmx_caps caps = coffee_lake;

    assert_int_equal(vmx_revision(&caps), 4);
    assert_null(vmx_region_fault(&caps, 0x7ffffff000));
    assert_non_null(vmx_region_fault(&caps, 0x8000000000));
    assert_non_null(vmx_region_fault(&caps, 0x800));
    caps.basic |= BIT(48);
    assert_null(vmx_region_fault(&caps, 0xfffff000));
    assert_non_null(vmx_region_fault(&caps, 0x100000000));
    caps = coffee_lake;
    caps.basic |= 0x1001ULL << 32;
    assert_non_null(strstr(vmx_region_fault(&caps, 0), "larger than 4 KiB"));
    caps = coffee_lake;
    caps.basic &= ~(0xfULL << 50);
    assert_non_null(strstr(vmx_region_fault(&caps, 0), "write-back"));
}

static void test_fixed_bits(void **test)
{
    const uint64_t fixed0 = coffee_lake.cr0_fixed0, fixed1 = coffee_lake.cr0_fixed1;

    assert_true(vmx_fixed_ok(0x80000021, fixed0, fixed1));
    assert_true(vmx_fixed_ok(0x80000031, fixed0, fixed1));
    assert_false(vmx_fixed_ok(0x180000031, fixed0, fixed1));
    assert_false(vmx_fixed_ok(0x31, fixed0, fixed1));
    assert_int_equal(vmx_preemption_timer_shift(&coffee_lake), 7);
}

/* Used whole or not at all: client CPUs lack two of them. */
static const uint64_t apic_controls =
    BIT(CONTROL_TPR_SHADOW) | BIT(CONTROL_VIRTUALIZE_X2APIC_MODE) |
    BIT(CONTROL_APIC_REGISTER_VIRTUALIZATION) | BIT(CONTROL_VIRTUAL_INTERRUPT_DELIVERY);

/* What came later than Coffee Lake. */
static const uint64_t later_controls =
    BIT(CONTROL_INSTRUCTION_TIMEOUT) | BIT(CONTROL_BUS_LOCK_DETECTION) |
    BIT(CONTROL_LOAD_GUEST_PKRS) | BIT(CONTROL_XSAVES) | BIT(CONTROL_LOAD_GUEST_CET);

static struct vmx_caps with_all_controls(void)
{
    struct vmx_caps caps = coffee_lake;

    caps.proc2 |=
        (uint64_t)(CONTROL_MASK(APIC_REGISTER_VIRTUALIZATION) |
                   CONTROL_MASK(VIRTUAL_INTERRUPT_DELIVERY) | CONTROL_MASK(INSTRUCTION_TIMEOUT))
        << 32;
    caps.proc2 |= (uint64_t)(CONTROL_MASK(XSAVES) | CONTROL_MASK(BUS_LOCK_DETECTION)) << 32;
    caps.entry |= (uint64_t)(CONTROL_MASK(LOAD_GUEST_PKRS) | CONTROL_MASK(LOAD_GUEST_CET)) << 32;
    return caps;
}

static void test_apic_controls(void **test)
{
    const struct vmx_caps caps = with_all_controls();
    struct vmx_controls controls;
    enum control_id missing;

    assert_true(vmx_controls_choose(&caps, 0, &controls, &missing));
    assert_int_equal(controls.have, BIT(CONTROL_COUNT) - 1);
    assert_int_equal(controls.proc, 0xb5186dfa); /* 0 until a guest wants them */
    assert_int_equal(controls.proc2, 0xc01094ea);
    for (unsigned id = 0; id < CONTROL_COUNT; id++)
        if (apic_controls & BIT(id)) {
            assert_true(vmx_controls_choose(&caps, BIT(id), &controls, &missing));
            assert_int_equal(controls.have, (BIT(CONTROL_COUNT) - 1) & ~apic_controls);
        }
}

static void test_choose_coffee_lake(void **test)
{
    struct vmx_controls controls;
    enum control_id missing;

    assert_true(vmx_controls_choose(&coffee_lake, 0, &controls, &missing));
    assert_int_equal(missing, CONTROL_NONE);
    assert_int_equal(controls.pin, 0x7f);
    assert_int_equal(controls.proc, 0xb5186dfa);
    assert_int_equal(controls.proc2, 0x94ea);
    assert_int_equal(controls.exit, 0x3fefff);
    assert_int_equal(controls.entry, 0xd1ff);
    assert_int_equal(controls.have, (BIT(CONTROL_COUNT) - 1) & ~apic_controls & ~later_controls);
}

static void test_choose_ivy_bridge(void **test)
{
    static const enum control_id lacks[] = {CONTROL_PAUSE_LOOP_EXITING, CONTROL_INVPCID,
                                            CONTROL_EPT_1G, CONTROL_EPT_ACCESSED_DIRTY,
                                            CONTROL_ENCLS_EXITING};
    struct vmx_controls controls;
    enum control_id missing;
    uint64_t have = (BIT(CONTROL_COUNT) - 1) & ~apic_controls & ~later_controls;

    for (size_t i = 0; i < ARRAY_SIZE(lacks); i++)
        have &= ~BIT(lacks[i]);
    assert_true(vmx_controls_choose(&ivy_bridge, 0, &controls, &missing));
    assert_int_equal(controls.have, have);
    assert_int_equal(controls.proc2, 0xea);
}

/* A needed one that is hidden is what is missing, and the others can be done without. */
static void test_hidden(void **test)
{
    const struct vmx_caps caps = with_all_controls();
    struct vmx_controls controls;
    enum control_id missing;

    for (unsigned id = 0; id < CONTROL_COUNT; id++) {
        bool needed = control_rows[id].need == CONTROL_NEEDED;
        assert_int_equal(vmx_controls_choose(&caps, BIT(id), &controls, &missing), !needed);
        assert_int_equal(missing, needed ? id : CONTROL_NONE);
        assert_false(controls.have & BIT(id));
    }
}

/* A CPU without EPT (Penryn: WBINVD exiting and little more) gets the verdict on the first needed
 * thing. */
static void test_missing(void **test)
{
    struct vmx_caps caps = coffee_lake;
    struct vmx_controls controls;
    enum control_id missing;
    struct cpu cpu = first_cpu;

    caps.proc2 = 0x4100000000;
    caps.ept_vpid = 0;
    assert_false(vmx_controls_choose(&caps, 0, &controls, &missing));
    assert_string_equal(control_rows[missing].name, "ept");
    read_cpu(&caps, &cpu);
    assert_false(vmx_controls_choose(&caps, 0, &controls, &missing));
    assert_int_equal(controls.proc2, 0);
    caps = coffee_lake;
    caps.proc = 0xfff9fffe0401e172; /* without the TRUE MSRs, CR3 accesses exit */
    assert_false(vmx_controls_choose(&caps, 0, &controls, &missing));
    assert_int_equal(missing, CONTROL_CR3_LOAD_EXITING);
    caps = coffee_lake;
    caps.proc |= CONTROL_MASK(INTERRUPT_WINDOW_EXITING); /* cannot be switched off */
    assert_false(vmx_controls_choose(&caps, 0, &controls, &missing));
    assert_int_equal(missing, CONTROL_INTERRUPT_WINDOW_EXITING);
}

/* Hiding one control hides it, what is used with it, and nothing else. */
static void test_hide_each(void **test)
{
    const struct vmx_caps caps = with_all_controls();

    for (unsigned id = 0; id < CONTROL_COUNT; id++) {
        const struct control_row *row = &control_rows[id];
        struct vmx_controls controls;
        enum control_id missing;
        bool chosen = vmx_controls_choose(&caps, BIT(id), &controls, &missing);

        assert_false(control_has(&controls, id));
        if (row->need == CONTROL_NEEDED)
            assert_false(chosen);
        if (chosen)
            assert_int_equal(row->need, CONTROL_WANTED);
        for (unsigned other = 0; other < CONTROL_COUNT; other++)
            if (other != id && !control_has(&controls, other))
                assert_int_not_equal(control_rows[other].with, CONTROL_NONE);
    }
}

static void test_groups(void **test)
{
    static const enum control_id efer[] = {CONTROL_SAVE_EFER, CONTROL_LOAD_HOST_EFER,
                                           CONTROL_LOAD_GUEST_EFER};
    struct vmx_controls controls;
    enum control_id missing;

    for (unsigned i = 0; i < 3; i++) {
        assert_true(vmx_controls_choose(&coffee_lake, BIT(efer[i]), &controls, &missing));
        for (unsigned j = 0; j < 3; j++)
            assert_false(control_has(&controls, efer[j]));
        assert_int_equal(controls.exit & (CONTROL_MASK(SAVE_EFER) | CONTROL_MASK(LOAD_HOST_EFER)),
                         0);
        assert_int_equal(controls.entry & CONTROL_MASK(LOAD_GUEST_EFER), 0);
        assert_true(control_has(&controls, CONTROL_SAVE_PAT));
    }
    assert_true(vmx_controls_choose(&coffee_lake, BIT(CONTROL_INVVPID), &controls, &missing));
    assert_false(control_has(&controls, CONTROL_VPID));
    assert_int_equal(controls.proc2 & CONTROL_MASK(VPID), 0);
    assert_true(vmx_controls_choose(&coffee_lake, BIT(CONTROL_EPT_2M), &controls, &missing));
    assert_false(control_has(&controls, CONTROL_EPT_1G));
}

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* A capability word as CPUs have it: what must be 1 may be 1. */
static uint64_t random_word(uint64_t real)
{
    uint32_t may = (uint32_t)(real >> 32) & (uint32_t)(random_u64() | random_u64() | random_u64());
    uint32_t must = (uint32_t)real & may;

    if (random_u64() % 4 == 0)
        must |= may & (uint32_t)(random_u64() & random_u64() & random_u64());
    return (uint64_t)may << 32 | must;
}

static void check_word(uint32_t value, uint64_t caps)
{
    assert_int_equal(value & ~(uint32_t)(caps >> 32), 0);
    assert_int_equal((uint32_t)caps & ~value, 0);
}

/* R10 holds for whatever a CPU may say: 100,000 invented CPUs, some controls hidden. */
static void test_choose_random(void **test)
{
    for (unsigned round = 0; round < 100000; round++) {
        struct vmx_caps caps = coffee_lake;
        const uint64_t hidden =
            random_u64() & random_u64() & random_u64() & (BIT(CONTROL_COUNT) - 1);
        struct vmx_controls controls, all;
        enum control_id missing, none;
        bool chosen, needed_all = true;

        caps.pin = random_word(caps.pin);
        caps.proc = random_word(caps.proc);
        caps.proc2 = random_word(caps.proc2);
        caps.exit = random_word(caps.exit);
        caps.entry = random_word(caps.entry);
        caps.ept_vpid &= random_u64() | random_u64();
        chosen = vmx_controls_choose(&caps, hidden, &controls, &missing);
        vmx_controls_choose(&caps, 0, &all, &none);
        check_word(controls.pin, caps.pin);
        check_word(controls.proc, caps.proc);
        check_word(controls.proc2, caps.proc2);
        check_word(controls.exit, caps.exit);
        check_word(controls.entry, caps.entry);
        assert_int_equal(controls.have & hidden, 0);
        assert_int_equal(controls.have & ~all.have, 0);
        for (unsigned id = 0; id < CONTROL_COUNT; id++) {
            const struct control_row *row = &control_rows[id];

            if (row->need == CONTROL_NEEDED && !control_has(&controls, id)) {
                if (needed_all)
                    assert_int_equal(missing, id);
                needed_all = false;
            }
        }
        assert_int_equal(chosen, needed_all);
        if (control_has(&controls, CONTROL_INTERRUPT_WINDOW_EXITING))
            assert_int_equal(controls.proc & CONTROL_MASK(INTERRUPT_WINDOW_EXITING), 0);
    }
}

/* The table itself: names are kebab-case and unique, no bit twice, and chains of `with` end or
 * close. */
static void test_rows(void **test)
{
    for (unsigned i = 0; i < CONTROL_COUNT; i++) {
        const struct control_row *row = &control_rows[i];
        enum control_id link = row->with;

        assert_int_equal(strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
                         strlen(row->name));
        assert_true(strlen(row->lost) > 10);
        assert_int_equal(row->use == CONTROL_PRESENT, row->word == CONTROL_WORD_EPT_VPID);
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(row->name, control_rows[j].name);
            assert_false(row->word == control_rows[j].word && row->bit == control_rows[j].bit);
        }
        for (unsigned steps = 0; link != CONTROL_NONE && link != i; steps++) {
            assert_true(steps < 8);
            link = control_rows[link].with;
        }
    }
}

static void test_verdicts(void **test)
{
    struct vmx_controls controls;
    enum control_id missing;
    unsigned ok = 0, wanted = 0, needed = 0;

    vmx_controls_choose(&ivy_bridge, BIT(CONTROL_UNRESTRICTED_GUEST), &controls, &missing);
    for (unsigned id = 0; id < CONTROL_COUNT; id++) {
        const char *verdict = vmx_control_verdict(&controls, id);

        ok += strcmp(verdict, "ok") == 0;
        wanted += strcmp(verdict, "absent (wanted)") == 0;
        needed += strcmp(verdict, "absent (needed)") == 0;
    }
    assert_int_equal(wanted, 14);
    assert_int_equal(needed, 1);
    assert_int_equal(ok, CONTROL_COUNT - 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_flaws),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_errata),
        cmocka_unit_test(test_permission),
        cmocka_unit_test(test_regions),
        cmocka_unit_test(test_fixed_bits),
        cmocka_unit_test(test_apic_controls),
        cmocka_unit_test(test_choose_coffee_lake),
        cmocka_unit_test(test_choose_ivy_bridge),
        cmocka_unit_test(test_hidden),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_hide_each),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_choose_random),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_verdicts),
    };

    return cmocka_run_group_tests_name("vmx capabilities", tests, NULL, NULL);
}
