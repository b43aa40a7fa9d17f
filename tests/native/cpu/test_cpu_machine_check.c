/* SPDX-License-Identifier: BSD-2-Clause */
/* Machine checks (R44), with the banks of a simulated CPU: no emulator here has any. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/machine_check.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/panic.h"
#include "lib/bits.h"

#define BANKS   4
#define MCG_CAP 0x179
#define MC0_CTL 0x400

#define VAL       BIT(63)
#define UC        BIT(61)
#define PCC       BIT(57)
#define CORRECTED (VAL | 0x17a)

static struct {
    uint64_t cap, mcg_status, mcg_ctl, ctl[BANKS], status[BANKS];
    unsigned lines, interrupts;
    char last[LOG_LINE_MAX];
} cpu;
static jmp_buf panicked;

static uint64_t *find(uint32_t index)
{
    switch (index) {
    case MCG_CAP:
        return &cpu.cap;
    case MCG_CAP + 1:
        return &cpu.mcg_status;
    case MCG_CAP + 2:
        assert_true(cpu.cap & 0x100);
        return &cpu.mcg_ctl;
    default:
        assert_in_range(index, MC0_CTL, MC0_CTL + 4 * (cpu.cap & 0xff) - 1);
        assert_in_range(index % 4, 0, 1);
        return index % 4 == 0 ? &cpu.ctl[(index - MC0_CTL) / 4]
                              : &cpu.status[(index - MC0_CTL) / 4];
    }
}

uint64_t rdmsr(uint32_t index)
{
    return *find(index);
}

uint64_t rdmsr_or_zero(uint32_t index)
{
    return rdmsr(index);
}

void wrmsr(uint32_t index, uint64_t value)
{
    *find(index) = value;
}

void apic_interrupt_self(uint8_t vector)
{
    assert_int_equal(vector, VECTOR_MC_CAME);
    cpu.interrupts++;
}

void log_record(enum log_kind kind, uint8_t vm, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(cpu.last, sizeof(cpu.last), fmt, args);
    va_end(args);
    cpu.lines++;
}

void panic_begin(void)
{
}

void panic_finish_here(void)
{
    longjmp(panicked, 1);
}

static void reset(uint64_t cap)
{
    memset(&cpu, 0, sizeof(cpu));
    cpu.cap = cap;
    cpu.mcg_status = 1; /* RIPV */
}

/* What the firmware left is told once and taken away; all banks report, and MCG_CTL where it is. */
static void stale(void **state)
{
    for (unsigned has_ctl = 0; has_ctl < 2; has_ctl++) {
        reset(BANKS | has_ctl << 8);
        cpu.status[2] = CORRECTED | UC | PCC;
        cpu.status[3] = CORRECTED & ~VAL;
        machine_check_init();
        assert_int_equal(cpu.lines, 1);
        assert_string_equal(cpu.last, "machine check: bank 2, status a20000000000017a");
        assert_int_equal(cpu.status[2], 0);
        for (unsigned i = 0; i < BANKS; i++)
            assert_int_equal(cpu.ctl[i], UINT64_MAX);
        assert_int_equal(cpu.mcg_ctl, has_ctl ? UINT64_MAX : 0);
    }
}

/* As in the emulator: CPUID says that there are machine checks, and nothing else is there. */
static void no_banks(void **state)
{
    reset(0);
    machine_check_init();
    machine_check_report();
    assert_int_equal(cpu.lines, 0);
}

/* In the #MC no line is written: what is there stays for the interrupt. */
static void corrected(void **state)
{
    reset(BANKS);
    cpu.status[0] = cpu.status[3] = CORRECTED;
    machine_check();
    assert_int_equal(cpu.mcg_status, 0);
    assert_int_equal(cpu.interrupts, 1);
    assert_int_equal(cpu.lines, 0);
    assert_true(cpu.status[0] & cpu.status[3] & VAL);
    machine_check_report();
    assert_int_equal(cpu.lines, 2);
    assert_int_equal(cpu.status[0] | cpu.status[3], 0);
}

static void is_fatal(uint64_t mcg_status, uint64_t status)
{
    reset(BANKS);
    cpu.mcg_status = mcg_status;
    cpu.status[1] = status;
    if (setjmp(panicked) == 0) {
        machine_check();
        fail();
    }
    assert_int_equal(cpu.lines, status & VAL ? 2 : 1);
    assert_non_null(strstr(cpu.last, "panic: machine check, IA32_MCG_STATUS"));
    assert_int_equal(cpu.interrupts, 0);
}

static void fatal(void **state)
{
    is_fatal(0, CORRECTED);
    is_fatal(0, 0);
    is_fatal(1, CORRECTED | UC);
    is_fatal(1, CORRECTED | PCC);
}

/* A bank that says so without being valid says nothing. */
static void not_valid(void **state)
{
    reset(BANKS);
    cpu.status[1] = UC | PCC;
    machine_check();
    assert_int_equal(cpu.interrupts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stale), cmocka_unit_test(no_banks),  cmocka_unit_test(corrected),
        cmocka_unit_test(fatal), cmocka_unit_test(not_valid),
    };

    return cmocka_run_group_tests_name("machine checks", tests, NULL, NULL);
}
