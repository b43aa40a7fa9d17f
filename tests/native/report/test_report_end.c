/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's end: when all that are awaited have ended and the console has printed that,
 * whatever other CPUs do meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hypervisor/process/channel.h"
#include "hypervisor/process/process.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/panic.h"

static struct process_info info = {.name = "web"};
static struct thread thread;
static struct process vm = {.info = &info, .thread = &thread};
static bool console;        /* it runs */
static bool ends_meanwhile; /* the VM, while the log is taken back */
static jmp_buf ended;

void process_log_left_out(struct process *p)
{
}

void channel_end_all(const struct process *p)
{
}

void log_record(enum log_kind kind, uint8_t is, const char *fmt, ...)
{
}

bool log_is_handed_over(void)
{
    return console;
}

void log_take_back(void)
{
    if (ends_meanwhile)
        process_end(&vm, false, "the guest switched itself off");
    console = false;
}

void machine_end(void)
{
    longjmp(ended, 1);
}

static bool ends(void (*what)(void))
{
    if (setjmp(ended) != 0)
        return true;
    what();
    return false;
}

static void end_vm(void)
{
    process_end(&vm, false, "the guest switched itself off");
}

static int begin(void **state)
{
    console = true;
    ends_meanwhile = false;
    process_await(&vm, "VMs"); /* one more each time */
    return 0;
}

static void console_ends_last(void **state)
{
    assert_false(ends(end_vm));
    assert_true(ends(process_printed));
}

static void vm_ends_last(void **state)
{
    assert_false(ends(process_printed));
    assert_true(ends(end_vm));
}

static void both_end_at_once(void **state)
{
    ends_meanwhile = true;
    assert_true(ends(process_printed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(console_ends_last, begin),
        cmocka_unit_test_setup(vm_ends_last, begin),
        cmocka_unit_test_setup(both_end_at_once, begin),
    };

    return cmocka_run_group_tests_name("the machine's end", tests, NULL, NULL);
}
