/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets an exit: every reason, known or not, with each of the field's high bits (R9, R46). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hypervisor/cpu/machine_check.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/panic.h"
#include "hypervisor/vm/debug.h"
#include "hypervisor/vm/enter.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/exit.h"
#include "hypervisor/vm/vm.h"

#define REASONS 128

PER_CPU struct sched sched;
PER_CPU struct vm_cpu vm_cpu;

static struct plan_vm plan = {.name = "test"};
static struct vm vm = {.plan = &plan};
static struct exit_page page;
static struct vcpu vcpu;

static uint64_t field; /* the exit reason's */
static const char *taken;
static bool stopped_vm, machine_checked;
static enum exit_shutdown shutdown;
static uint32_t shutdown_detail;
static const uint64_t *handed_over;
static jmp_buf stop;

uint64_t vmread(enum vmcs_field which)
{
    return which == VMCS_EXIT_REASON ? field : 0;
}

void exit_shutdown(struct vcpu *v, enum exit_shutdown reason, uint32_t detail)
{
    stopped_vm = true;
    shutdown = reason;
    shutdown_detail = detail;
    longjmp(stop, 1);
}

/* Each handler, and the reasons that are its own. */
#define HANDLERS(H)                                                                                \
    H(exit_exception_nmi, 0)                                                                       \
    H(exit_external_interrupt, 1)                                                                  \
    H(exit_triple_fault, 2)                                                                        \
    H(exit_window, 7, 8)                                                                           \
    H(exit_task_switch, 9)                                                                         \
    H(exit_cpuid, 10)                                                                              \
    H(exit_undefined, 11, 19, 20, 21, 22, 23, 24, 25, 26, 27, 36, 39, 50, 53, 60, 76, 77, 84, 85)  \
    H(exit_hlt, 12)                                                                                \
    H(exit_invd, 13, 54)                                                                           \
    H(exit_general_protection, 15)                                                                 \
    H(exit_vmcall, 18)                                                                             \
    H(exit_cr_access, 28)                                                                          \
    H(debug_exit, 29)                                                                              \
    H(exit_io, 30)                                                                                 \
    H(exit_rdmsr, 31)                                                                              \
    H(exit_wrmsr, 32)                                                                              \
    H(exit_pause, 40)                                                                              \
    H(exit_virtualized_eoi, 45)                                                                    \
    H(exit_ept_violation, 48)                                                                      \
    H(exit_preemption_timer, 52)                                                                   \
    H(exit_xsetbv, 55)                                                                             \
    H(exit_apic_write, 56)                                                                         \
    H(exit_instruction_timeout, 74, 75)

#define STUB(name, ...)                                                                            \
    void name(struct vcpu *v)                                                                      \
    {                                                                                              \
        taken = #name;                                                                             \
    }
HANDLERS(STUB)

static const char *expected[REASONS];

static int setup(void **state)
{
#define EXPECT(name, ...)                                                                          \
    for (size_t i = 0; i < sizeof((int[]){__VA_ARGS__}) / sizeof(int); i++)                        \
        expected[((int[]){__VA_ARGS__})[i]] = #name;
    HANDLERS(EXPECT)
    sched.next_event = TIME_NEVER;
    /* On a CPU whose block is at 0, so that all of it is where the linker has put it. */
    vcpu = (struct vcpu){.vm = &vm, .page = &page, .started = true};
    return 0;
}

static void dispatch(uint64_t reason)
{
    field = reason;
    taken = NULL;
    handed_over = NULL;
    stopped_vm = machine_checked = false;
    vcpu.started = true;
    if (setjmp(stop) == 0)
        assert_ptr_equal(exit_dispatch(&vcpu), &vcpu);
}

static void is_handled(uint32_t basic)
{
    if (expected[basic] != NULL) {
        assert_false(stopped_vm);
        assert_string_equal(taken, expected[basic]);
    } else {
        assert_null(taken);
        assert_true(stopped_vm && vcpu.started);
        assert_int_equal(shutdown, SHUTDOWN_UNSUPPORTED);
        assert_int_equal(shutdown_detail, basic);
    }
}

static void each_reason(void **state)
{
    for (uint32_t basic = 0; basic < REASONS; basic++) {
        dispatch(basic);
        is_handled(basic);
    }
    dispatch(0xffff);
    assert_true(stopped_vm);
}

/* They tell more of an exit: of enclaves, bus locks, the monitor trap flag. */
static void each_high_bit(void **state)
{
    for (unsigned bit = 16; bit < 31; bit++)
        for (uint32_t basic = 0; basic < REASONS; basic++) {
            dispatch(basic | 1U << bit);
            is_handled(basic);
        }
}

/* Bit 31 alone, whatever the number. */
static void failed_entries(void **state)
{
    for (uint32_t basic = 0; basic < REASONS; basic++) {
        dispatch(basic | EXIT_REASON_ENTRY_FAILED);
        assert_true(stopped_vm && taken == NULL && !vcpu.started);
        assert_int_equal(shutdown, SHUTDOWN_ENTRY_FAILED);
        assert_int_equal(shutdown_detail, basic);
        assert_ptr_equal(handed_over, page.vmcs.field);
        assert_int_equal(machine_checked, basic == 41);
    }
}

/* What else exit.c and its headers call. */
struct vmx vmx;

void vmcs_read_values(uint64_t field[VMCS_FIELD_COUNT])
{
    handed_over = field;
}

void machine_check(void)
{
    machine_checked = true;
}

void vcpu_forget_launch(struct vcpu *v)
{
}

void events_work(struct vcpu *v)
{
    fail_msg("there is no work");
}

void events_arm_timer(struct vcpu *v)
{
    fail_msg("there is no timer");
}

void vcpu_enter(struct vcpu *v)
{
    fail_msg("the entry cannot be put right");
    __builtin_unreachable();
}

void msr_switch_exit(struct msr_cpu *cpu)
{
}

void msr_switch_entry(struct msr_cpu *cpu)
{
}

void log_record(enum log_kind kind, uint8_t vm, const char *fmt, ...)
{
}

void process_log(struct process *p, const char *fmt, ...)
{
}

void vmx_instruction_failed(const char *instruction, uint64_t operand)
{
    fail_msg("%s", instruction);
    __builtin_unreachable();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason),
        cmocka_unit_test(each_high_bit),
        cmocka_unit_test(failed_entries),
    };

    return cmocka_run_group_tests_name("who gets an exit", tests, setup, NULL);
}
