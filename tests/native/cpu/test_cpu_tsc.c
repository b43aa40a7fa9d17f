/* SPDX-License-Identifier: BSD-2-Clause */
/* The TSC is measured on machines with clocks that stand still, that are not there, and that SMIs
 * disturb. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/report/panic.h"
#include "lib/bits.h"

#define PM_TIMER    0x408
#define PM_TIMER_HZ 3579545.0
#define PIT_HZ      1193182.0
#define IN_NS       1000 /* what reading a port takes */
#define SMI_NS      700000
#define NEVER       UINT64_MAX

static struct machine {
    uint64_t khz; /* of its TSC */
    uint64_t ns;
    bool pm_timer, pit, rtc;
    bool rtc_runs; /* a second with each access */
    uint64_t smi;  /* the time of the next, and */
    unsigned smis; /* how many there will be */
    uint64_t smi_distance;
    uint32_t pit_count, pit_bytes;
    uint64_t pit_start;
    uint8_t rtc_index;
    struct cpuid_result highest, crystal, base;
    bool has_adjust;
    uint64_t adjust; /* IA32_TSC_ADJUST */
} machine;

static jmp_buf stop;

void log_record(enum log_kind kind, uint8_t vm, const char *fmt, ...)
{
}

void machine_end(void)
{
    longjmp(stop, 1);
}

/* Each access takes its time, and an SMI comes when it is due, before or behind what the access
 * does. */
static void pass(uint64_t ns)
{
    machine.ns += ns;
    if (machine.smis > 0 && machine.ns >= machine.smi) {
        machine.smis--;
        machine.ns += SMI_NS;
        machine.smi = machine.ns + machine.smi_distance;
    }
}

uint64_t rdtsc(void)
{
    pass(7);
    return (uint64_t)((unsigned __int128)machine.ns * machine.khz / 1000000);
}

struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    if (leaf == 7)
        return (struct cpuid_result){.ebx = machine.has_adjust ? CPUID_7_EBX_TSC_ADJUST : 0};
    return leaf == 0 ? machine.highest : leaf == 0x15 ? machine.crystal : machine.base;
}

uint64_t rdmsr(uint32_t index)
{
    assert_int_equal(index, MSR_IA32_TSC_ADJUST);
    assert_true(machine.has_adjust);
    return machine.adjust;
}

void wrmsr(uint32_t index, uint64_t value)
{
    assert_int_equal(index, MSR_IA32_TSC_ADJUST);
    assert_true(machine.has_adjust);
    machine.adjust = value;
}

uint32_t inl(uint16_t port)
{
    uint32_t ticks;

    assert_int_equal(port, PM_TIMER);
    pass(IN_NS / 2);
    ticks = machine.pm_timer ? (uint32_t)((double)machine.ns * PM_TIMER_HZ / 1e9) : UINT32_MAX;
    pass(IN_NS / 2);
    return ticks;
}

static const uint8_t rtc[] = {0x59, 0, 0x59, 0, 0x23, 0, 0, 0x31, 0x12, 0x24, 0x26, 0x02};

static uint8_t read_rtc(void)
{
    if (!machine.rtc)
        return 0xff;
    if (machine.rtc_runs && machine.rtc_index == 0)
        return (uint8_t)(machine.ns / IN_NS % 60);
    assert_in_range(machine.rtc_index, 0, ARRAY_SIZE(rtc) - 1);
    return rtc[machine.rtc_index];
}

uint8_t inb(uint16_t port)
{
    bool over = (double)(machine.ns - machine.pit_start) * PIT_HZ / 1e9 >= machine.pit_count;

    pass(IN_NS);
    if (port == 0x71)
        return read_rtc();
    assert_int_equal(port, 0x61);
    return machine.pit && machine.pit_bytes == 2 && over ? 0x20 : 0;
}

void outb(uint16_t port, uint8_t value)
{
    pass(IN_NS);
    if (port == 0x70)
        machine.rtc_index = value;
    if (port == 0x43)
        machine.pit_bytes = machine.pit_count = 0;
    if (port == 0x42) {
        machine.pit_count |= (uint32_t)value << 8 * machine.pit_bytes++;
        machine.pit_start = machine.ns;
    }
}

static int setup(void **state)
{
    machine =
        (struct machine){.khz = 2893300, .pm_timer = true, .pit = true, .rtc = true, .smi = NEVER};
    return 0;
}

/* To a thousandth. */
static void is_measured(void)
{
    assert_in_range(tsc_khz(), machine.khz - machine.khz / 1000, machine.khz + machine.khz / 1000);
}

/* What is said to be exact is, and tsc_khz's own unit is the least error. */
static void is_measured_exactly(void)
{
    assert_true(tsc_is_exact());
    assert_in_range(tsc_khz(), machine.khz - machine.khz / 100000 - 1,
                    machine.khz + machine.khz / 100000 + 1);
}

static void pm_timer(void **state)
{
    static const uint64_t frequencies[] = {10000, 800000, 2893300, 5700000};

    for (unsigned i = 0; i < ARRAY_SIZE(frequencies); i++)
        for (unsigned start = 0; start < 50; start++) {
            machine.khz = frequencies[i];
            machine.ns = 4600000000 + start * 4000000; /* the timer's 24 bits go round meanwhile */
            tsc_measure(PM_TIMER);
            is_measured_exactly();
        }
}

/* Wherever it comes, the end of the measurement that it disturbs is not taken. */
static void smi(void **state)
{
    for (uint64_t at = 0; at < 21000000; at += at < 10000 || at > 19990000 ? 331 : 99991) {
        setup(NULL);
        machine.smi = at;
        machine.smis = 3;
        machine.smi_distance = 21000000;
        tsc_measure(PM_TIMER);
        is_measured_exactly();
    }
}

/* Without end, and faster than any measurement: it is not exact, or it is not said to be. */
static void smis(void **state)
{
    machine.smi = 0;
    machine.smis = UINT32_MAX;
    machine.smi_distance = 900;
    tsc_measure(PM_TIMER);
    assert_false(tsc_is_exact());
}

/* Leaf 15h: to a thousandth off it is right, and the measurement is not; more, and it is not
 * believed. */
static void crystal(void **state)
{
    static const int off[] = {-4000, -2800, 0, 1, 2800, 4000};

    machine.highest.eax = 0x16;
    for (unsigned i = 0; i < ARRAY_SIZE(off); i++) {
        uint64_t told = machine.khz + (uint64_t)(int64_t)off[i];
        machine.crystal = (struct cpuid_result){1, (uint32_t)(told / 100), 100000, 0};
        told = told / 100 * 100;
        tsc_measure(PM_TIMER);
        assert_true(tsc_is_exact());
        if (off[i] > -3000 && off[i] < 3000)
            assert_int_equal(tsc_khz(), told);
        else
            is_measured_exactly();
        tsc_measure(0); /* the PIT alone has too few ticks */
        assert_int_equal(tsc_is_exact(), off[i] > -3000 && off[i] < 3000);
        is_measured();
    }
}

static void pit(void **state)
{
    tsc_measure(0);
    is_measured();
}

static void pm_timer_stands(void **state)
{
    machine.pm_timer = false;
    tsc_measure(PM_TIMER);
    is_measured();
}

static void both_stand(void **state)
{
    machine.pm_timer = machine.pit = false;
    machine.highest.eax = 0x16;
    machine.crystal = (struct cpuid_result){2, 302, 19200000, 0};
    machine.base.eax = 1234;
    tsc_measure(PM_TIMER);
    assert_int_equal(tsc_khz(), 2899200);
    assert_true(tsc_is_exact());
    machine.crystal.ecx = 0;
    tsc_measure(PM_TIMER);
    assert_int_equal(tsc_khz(), 1234000);
    assert_false(tsc_is_exact());
    machine.highest.eax = 0x14;
    if (setjmp(stop) == 0) {
        tsc_measure(PM_TIMER);
        fail_msg("there is no clock");
    }
}

static void wall_clock(void **state)
{
    static const uint8_t none[sizeof(rtc)];
    uint8_t registers[sizeof(rtc)];
    uint64_t tsc;

    rtc_read(registers, sizeof(registers), &tsc);
    assert_memory_equal(registers, rtc, sizeof(rtc));
    machine.rtc = false;
    rtc_read(registers, sizeof(registers), &tsc);
    assert_memory_equal(registers, none, sizeof(none));
    machine.rtc = machine.rtc_runs = true;
    rtc_read(registers, sizeof(registers), &tsc);
    assert_memory_equal(registers, none, sizeof(none));
}

/* From where the firmware left it. */
static void moved(void **state)
{
    assert_false(tsc_move(5));
    machine.has_adjust = true;
    machine.adjust = 100;
    assert_true(tsc_move(-101));
    assert_int_equal(machine.adjust, UINT64_MAX);
    assert_true(tsc_move(8));
    assert_int_equal(machine.adjust, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pm_timer, setup),   cmocka_unit_test_setup(smi, setup),
        cmocka_unit_test_setup(smis, setup),       cmocka_unit_test_setup(crystal, setup),
        cmocka_unit_test_setup(pit, setup),        cmocka_unit_test_setup(pm_timer_stands, setup),
        cmocka_unit_test_setup(both_stand, setup), cmocka_unit_test_setup(wall_clock, setup),
        cmocka_unit_test_setup(moved, setup),
    };

    return cmocka_run_group_tests_name("the TSC's frequency", tests, NULL, NULL);
}
