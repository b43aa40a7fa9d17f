/* SPDX-License-Identifier: BSD-2-Clause */
/* R4, R18: another CPU is started, or not used and named, whatever it does on the way, and never
 * waited for without end; who is not used sleeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/cpus.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/machine_check.h"
#include "hypervisor/cpu/same.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/report/panic.h"

#define TURN_US     10      /* of each CPU, between two looks at what the other has done */
#define LONG_US     1000000 /* no start of a CPU takes longer, whatever it does */
#define MESSAGE_TSC 20000   /* what a message between them takes, at most */
#define LATE_US     200000  /* when its start is given up */
#define FIRST_ID    4
#define SECOND_ID   6

/* What becomes of the second CPU. */
static struct {
    bool never, late, other_id;
    int64_t tsc_ahead;             /* of the first one's */
    bool tsc_faster, tsc_is_fixed; /* it gains on the first one's; nothing moves it */
    unsigned answers;              /* then it stops for ever: so many readings of its TSC, */
    bool stops_comparing, stops_taking_up, stops_asleep;
    const char *differs;
} fate;

struct cpu_block boot_cpu;
PER_CPU uint32_t cpu_number;
static struct cpu_block second;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t passed = PTHREAD_COND_INITIALIZER;
static pthread_t thread;
static _Thread_local struct cpu_block *running = &boot_cpu;
static struct cpu_block *turn = &boot_cpu;
static bool lives, sleeps; /* the second one */
static uint64_t microseconds;
static bool nmi, kicked;
static bool took_up, ran;
static char line[160];

/* The other one's turn, if there is one. */
static void pass(void)
{
    struct cpu_block *me = running;

    microseconds += TURN_US;
    if (!lives)
        return;
    pthread_mutex_lock(&mutex);
    turn = me == &boot_cpu ? &second : &boot_cpu;
    pthread_cond_broadcast(&passed);
    while (turn != me)
        pthread_cond_wait(&passed, &mutex);
    pthread_mutex_unlock(&mutex);
    if (me == &second && nmi)
        cpu_stop_if_told();
}

/* The second one does nothing any more. */
static void __attribute__((noreturn)) end(void)
{
    assert_ptr_equal(running, &second);
    pthread_mutex_lock(&mutex);
    lives = false;
    turn = &boot_cpu;
    pthread_cond_broadcast(&passed);
    pthread_mutex_unlock(&mutex);
    pthread_exit(NULL);
}

struct cpu_block *this_cpu(void)
{
    return running;
}

void machine_hang(void)
{
    sleeps = true;
    end();
}

uint64_t rdtsc(void)
{
    pass();
    return microseconds * 1000;
}

uint64_t rdtsc_after_loads(void)
{
    if (running == &second && fate.answers > 0 && --fate.answers == 0)
        end();
    if (running == &boot_cpu)
        return microseconds * 1000;
    return microseconds * (fate.tsc_faster ? 2000 : 1000) + (uint64_t)fate.tsc_ahead;
}

bool tsc_move(int64_t ticks)
{
    assert_ptr_equal(running, &second);
    if (!fate.tsc_is_fixed)
        fate.tsc_ahead += ticks;
    return !fate.tsc_is_fixed;
}

uint64_t tsc_khz(void)
{
    return 1000000;
}

void cpu_relax(void)
{
    pass();
}

void sti_hlt_cli(void)
{
    if (fate.stops_asleep)
        end();
    pass();
}

#define FINAL_TABLES 0x5000

static bool has_nx;

uint64_t read_cr3(void)
{
    return FINAL_TABLES;
}

void cpu_init(struct cpu_block *block)
{
    assert_ptr_equal(block, &second);
    has_nx = true;
}

/* They have NX bits, which fault before EFER allows them. */
void write_cr3(uint64_t value)
{
    assert_ptr_equal(running, &second);
    assert_int_equal(value, FINAL_TABLES);
    assert_true(has_nx);
}

void machine_check_init(void)
{
}

void apic_init_other(void)
{
}

uint32_t apic_id(void)
{
    return running == &boot_cpu ? FIRST_ID : fate.other_id ? SECOND_ID + 2 : SECOND_ID;
}

static void *arrive(void *nothing)
{
    running = &second;
    has_nx = false;
    pthread_mutex_lock(&mutex);
    while (turn != &second)
        pthread_cond_wait(&passed, &mutex);
    pthread_mutex_unlock(&mutex);
    if (fate.late)
        for (uint64_t end = microseconds + LATE_US; microseconds < end;)
            pass();
    cpu_arrived();
}

void apic_send(uint32_t id, uint32_t command)
{
    assert_int_equal(id, SECOND_ID);
    if ((command & 0xff00) == APIC_SEND_SIPI && !fate.never && thread == 0) {
        lives = true;
        assert_int_equal(pthread_create(&thread, NULL, arrive, NULL), 0);
    }
    nmi |= command == APIC_SEND_NMI;
    kicked |= command == VECTOR_KICK;
}

void same_remember(void)
{
}

void same_as_first(char *what, size_t size)
{
    if (fate.stops_comparing)
        end();
    snprintf(what, size, "%s", fate.differs != NULL ? fate.differs : "");
}

void *arena_alloc(size_t size)
{
    memset(&second, 0, sizeof(second));
    return &second;
}

uint64_t phys_of(const void *virt)
{
    return 0x100000;
}

void *host_map(uint64_t phys, uint64_t size, uint64_t flags)
{
    static uint32_t page[16];

    return page;
}

__asm__(".data; .balign 8; .global start_code, start_code_end, start_tables, boot_pml4;"
        "start_code: .long 0; start_tables: .long 0; start_code_end: boot_pml4: .long 0; .text");

void (*machine_stop_others)(void);
static void leave(void)
{
}
void (*machine_leave)(void) = leave;

void log_record(enum log_kind kind, uint8_t vm, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    if (line[0] == '\0')
        vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
}

static jmp_buf *ends;

void machine_end(void)
{
    assert_non_null(ends);
    longjmp(*ends, 1);
}

void panic_begin(void)
{
    fail();
}

void panic_finish_here(void)
{
    fail();
    __builtin_unreachable();
}

static void take_up(void)
{
    if (fate.stops_taking_up)
        end();
    took_up = true;
}

static void run(void)
{
    ran = true;
    for (;;)
        pass();
}

static int begin(void **state)
{
    memset(&fate, 0, sizeof(fate));
    microseconds = 0;
    thread = 0;
    sleeps = nmi = kicked = took_up = ran = false;
    line[0] = '\0';
    return 0;
}

static int finish(void **state)
{
    if (thread != 0)
        pthread_join(thread, NULL);
    return 0;
}

static void start_from(uint64_t page, uint32_t cpus)
{
    struct acpi_info acpi = {.cpu_count = cpus, .cpus = {FIRST_ID, SECOND_ID}};

    cpus_allocate(acpi.cpu_count);
    cpus_start(&acpi, page, take_up);
    assert_true(microseconds < LONG_US);
}

static void start(void)
{
    start_from(0x8000, 2);
}

/* It is not used for this reason; whatever it still does, it ends asleep, or as it was to end. */
static void is_not_used(const char *why, bool asleep)
{
    char expected[160];

    start();
    snprintf(expected, sizeof(expected), "CPU 1, of APIC id %u, is not used: %s", SECOND_ID, why);
    assert_string_equal(line, expected);
    assert_null(cpu_block(1));
    for (unsigned i = 0; i < LONG_US / TURN_US; i++)
        pass();
    assert_false(lives);
    assert_int_equal(sleeps, asleep);
    assert_null(cpu_block(1));
}

static void is_used(void **state)
{
    start();
    assert_string_equal(line, "1 other CPUs run");
    assert_ptr_equal(cpu_block(1), &second);
    assert_int_equal(cpu_apic_id(&second), SECOND_ID);
    assert_true(took_up);
    assert_false(ran);
    cpus_run(run);
    assert_true(kicked);
    pass();
    assert_true(ran);
    machine_stop_others();
    assert_true(nmi);
    assert_true(sleeps);
    assert_false(lives);
}

static void never_comes(void **state)
{
    fate.never = true;
    is_not_used("it does not start", false);
}

static void comes_too_late(void **state)
{
    fate.late = true;
    is_not_used("it does not start", true);
}

static void is_the_one_before(void **state)
{
    fate.other_id = true;
    is_not_used("it does not start", true);
}

static void stops_in_the_rounds(void **state)
{
    fate.answers = 5;
    is_not_used("it has stopped", false);
}

static void has_another_tsc(void **state)
{
    static const int64_t ahead[] = {500000000, -500000000, 30000, -30000, INT64_MAX / 4};

    for (unsigned i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
        char expected[160];
        int64_t told;

        begin(state);
        fate.tsc_ahead = ahead[i];
        fate.stops_asleep = true;
        start();
        assert_int_equal(sscanf(line, "CPU 1: its TSC was %" SCNd64, &told), 1);
        assert_in_range(told - ahead[i] + MESSAGE_TSC, 0, 2 * MESSAGE_TSC);
        snprintf(expected, sizeof(expected),
                 "CPU 1: its TSC was %" PRId64 " ticks from the first CPU's, and is put right",
                 told);
        assert_string_equal(line, expected);
        assert_in_range(fate.tsc_ahead + MESSAGE_TSC, 0, 2 * MESSAGE_TSC);
        assert_non_null(cpu_block(1));
        pass();
        finish(state);
    }
}

static void has_a_tsc_that_cannot_be_put_right(void **state)
{
    fate.tsc_ahead = 500000000;
    fate.tsc_is_fixed = true;
    is_not_used("its TSC is another one than the first CPU's, and cannot be put right", true);
    finish(state);
    begin(state);
    fate.tsc_faster = true;
    is_not_used("its TSC is another one than the first CPU's, and cannot be put right", true);
}

static void stops_comparing(void **state)
{
    fate.stops_comparing = true;
    is_not_used("it has stopped", false);
}

static void is_different(void **state)
{
    fate.differs = "CPUID leaf 7.0, EBX";
    is_not_used("it differs from the first in CPUID leaf 7.0, EBX", true);
}

static void stops_taking_up(void **state)
{
    fate.stops_taking_up = true;
    is_not_used("it has stopped", false);
}

/* Only who starts another CPU needs memory below 1 MiB. */
static void has_no_page_to_start_from(void **state)
{
    jmp_buf end;

    start_from(PHYS_MAP_NONE, 1);
    assert_string_equal(line, "");
    ends = &end;
    if (setjmp(end) == 0)
        start_from(PHYS_MAP_NONE, 2);
    ends = NULL;
    assert_string_equal(line, "stopped: this machine has several CPUs, and no free memory below "
                              "1 MiB to start them from");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(never_comes, begin, finish),
        cmocka_unit_test_setup_teardown(comes_too_late, begin, finish),
        cmocka_unit_test_setup_teardown(is_the_one_before, begin, finish),
        cmocka_unit_test_setup_teardown(stops_in_the_rounds, begin, finish),
        cmocka_unit_test_setup_teardown(has_a_tsc_that_cannot_be_put_right, begin, finish),
        cmocka_unit_test_setup_teardown(stops_comparing, begin, finish),
        cmocka_unit_test_setup_teardown(is_different, begin, finish),
        cmocka_unit_test_setup_teardown(stops_taking_up, begin, finish),
        cmocka_unit_test_setup_teardown(has_no_page_to_start_from, begin, finish),
        cmocka_unit_test_setup_teardown(has_another_tsc, begin, finish),
        cmocka_unit_test_setup_teardown(is_used, begin, finish), /* the last: it ends the machine */
    };

    return cmocka_run_group_tests_name("other CPUs' start", tests, NULL, NULL);
}
