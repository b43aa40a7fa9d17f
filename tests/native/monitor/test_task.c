/* SPDX-License-Identifier: BSD-2-Clause */
/* Task switches: what guests/tasks.c cannot show, as the emulator ends there, or the processor has
 * refused it before (SDM volume 3, "Task Management"). */
#include <string.h>

#include "lib/bits.h"
#include "monitor/guest_access.h"
#include "monitor/task.h"
#include "monitor/x86.h"
#include "tests/native/monitor/fakes.h"
#include "tests/native/vmx/vmcs_model.h"

#define MEMORY     (16ULL << 20)
#define GDT        0x1000
#define OLD        0x2000
#define NEW        0x3000
#define DIRECTORY  0x4000 /* 32-bit paging, one to one: this and two tables */
#define TABLE      0x5000
#define POINTERS   0x7000 /* PAE */
#define STACK      0x9000
#define NOWHERE    0xe0000000
#define CR0_PAGING (CR0_PG | CR0_WP | CR0_PE)

enum { CODE_SELECTOR = 8, DATA_SELECTOR = 16, OLD_SELECTOR = 24, NEW_SELECTOR = 32, LDT = 40 };

#define VECTORING(type, vector, more) (EVENT_VALID | EVENT_TYPE_##type << 8 | (vector) | (more))

static struct board *b;
static struct guest_state state, before;
static struct guest_access access;
static struct exit_task cause;
static struct emulate_fault fault;

static void put(uint64_t at, uint64_t value, unsigned size)
{
    memcpy(b->memory.base + at, &value, size);
}

static uint64_t get(uint64_t at, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, b->memory.base + at, size);
    return value;
}

static void set_descriptor(unsigned selector, uint64_t base, uint32_t limit, uint64_t rights)
{
    put(GDT + selector,
        (limit & 0xffff) | (base & 0xffffff) << 16 | rights << 40 |
            (uint64_t)(limit >> 16 & 15) << 48 | (base >> 24) << 56,
        8);
}

static void make_tables(void)
{
    for (uint64_t i = 0; i < 1024; i++)
        put(TABLE + 4 * i, i << 12 | 7, 4);
    put(DIRECTORY, TABLE | 7, 4);
    for (uint64_t i = 0; i < 4; i++)
        put(POINTERS + 8 * i, 0x8000 | 1, 8);
}

static void set_page(uint64_t linear, uint64_t flags)
{
    put(TABLE + 4 * (linear >> 12), linear | flags, 4);
}

static void make_new(void)
{
    put(NEW + 0x1c, DIRECTORY, 4);
    put(NEW + 0x20, 0x1234, 4);
    put(NEW + 0x24, 2, 4);
    for (unsigned i = 0; i < 8; i++)
        put(NEW + 0x28 + 4 * i, i == GPR_RSP ? STACK : 0xb0 + i, 4);
    for (unsigned i = 0; i < 6; i++)
        put(NEW + 0x48 + 4 * i, i == SEG_CS ? CODE_SELECTOR : DATA_SELECTOR, 4);
}

static int setup(void **argument)
{
    b = fake_board(MEMORY);
    memset(b->memory.base, 0, 0x10000);
    set_descriptor(CODE_SELECTOR, 0, 0xfffff, 0xc09b);
    set_descriptor(DATA_SELECTOR, 0, 0xfffff, 0xc093);
    set_descriptor(OLD_SELECTOR, OLD, 0x67, 0x8b);
    set_descriptor(NEW_SELECTOR, NEW, 0x67, 0x89);
    set_descriptor(LDT, 0, 0, 0x02);
    make_tables();
    make_new();
    state = (struct guest_state){
        .rip = 0x5678, .rflags = 2, .cr0 = CR0_PAGING, .cr3 = DIRECTORY, .gdtr = {GDT, 0x7f}};
    for (unsigned i = SEG_ES; i <= SEG_GS; i++)
        state.segment[i] = (struct segment_state){0, UINT32_MAX, DATA_SELECTOR, 0xc093};
    state.segment[SEG_CS] = (struct segment_state){0, UINT32_MAX, CODE_SELECTOR, 0xc09b};
    state.segment[SEG_LDTR].access = SEGMENT_UNUSABLE;
    state.segment[SEG_TR] = (struct segment_state){OLD, 0x67, OLD_SELECTOR, 0x8b};
    for (unsigned i = 0; i < 8; i++)
        state.gpr[i] = 0xa0 + i;
    cause = (struct exit_task){.selector = NEW_SELECTOR, .source = TASK_CALL, .length = 7};
    access = (struct guest_access){.board = b, .state = &state, .device_linear = GUEST_NO_PAGE};
    return 0;
}

static int teardown(void **argument)
{
    fake_board_free(b);
    return 0;
}

static enum task_result switch_task(void)
{
    before = state;
    return task_switch(&state, &access, &cause, &fault);
}

/* Nothing of the guest has changed, neither its registers nor what a TSS or descriptor has. */
static void check_refused(uint8_t vector, uint32_t error_code)
{
    assert_int_equal(switch_task(), TASK_REFUSED);
    assert_int_equal(fault.vector, vector);
    assert_int_equal(fault.error_code, error_code);
    assert_memory_equal(&state, &before, sizeof(state));
    assert_int_equal(get(OLD + 0x20, 4), 0);
    assert_int_equal(get(NEW, 2), 0);
    assert_int_equal(get(GDT + NEW_SELECTOR + 5, 1), 0x89);
}

static void check_faulted(uint8_t vector, uint32_t error_code)
{
    assert_int_equal(switch_task(), TASK_FAULTED);
    assert_int_equal(fault.vector, vector);
    assert_int_equal(fault.error_code, error_code);
    assert_int_equal(state.segment[SEG_TR].selector, NEW_SELECTOR);
    assert_int_equal(get(OLD + 0x20, 4), 0x5678 + 7);
    assert_int_equal(state.rip, 0x1234);
}

static void test_call(void **argument)
{
    assert_int_equal(switch_task(), TASK_SWITCHED);
    assert_int_equal(get(NEW, 2), OLD_SELECTOR);
    assert_int_equal(state.rflags, RFLAGS_NT | RFLAGS_FIXED);
    assert_int_equal(state.cr0, CR0_PAGING | CR0_TS);
    assert_int_equal(state.segment[SEG_SS].selector, DATA_SELECTOR);
    assert_int_equal(state.gpr[GPR_RDI], 0xb7);
    assert_int_equal(get(GDT + NEW_SELECTOR + 5, 1), 0x8b);
}

/* Pages that cannot be written, or are not there: before anything is written. */
static void test_page_faults(void **argument)
{
    set_page(OLD, 1);
    check_refused(VECTOR_PF, PF_PRESENT | PF_WRITE);
    assert_int_equal(fault.cr2, OLD + 0x20);
    set_page(OLD, 7);
    set_page(NEW, 1);
    check_refused(VECTOR_PF, PF_PRESENT | PF_WRITE); /* the link */
    set_page(NEW, 0);
    cause.source = TASK_JMP;
    check_refused(VECTOR_PF, 0);
    set_page(NEW, 7);
    set_page(GDT, 1);
    check_refused(VECTOR_PF, PF_PRESENT | PF_WRITE); /* the busy flags */
    set_page(GDT, 3);
    set_page(OLD, 3); /* the supervisor's, for a guest in ring 3 */
    state.segment[SEG_SS].access |= 3 << ACCESS_DPL_SHIFT;
    assert_int_equal(switch_task(), TASK_SWITCHED);
}

/* What the processor has checked, and somebody has changed. */
static void test_descriptors(void **argument)
{
    cause.selector = NEW_SELECTOR | 4;
    check_refused(VECTOR_TS, NEW_SELECTOR | 4);
    cause.selector = 0x80;
    check_refused(VECTOR_TS, 0x80);
    cause.selector = DATA_SELECTOR;
    check_refused(VECTOR_TS, DATA_SELECTOR);
    cause.selector = OLD_SELECTOR; /* busy */
    check_refused(VECTOR_TS, OLD_SELECTOR);
    cause.selector = NEW_SELECTOR;
    state.segment[SEG_TR].limit = 0x5e;
    check_refused(VECTOR_TS, OLD_SELECTOR);
    cause.source = TASK_GATE;
    cause.vectoring = VECTORING(NMI, 2, 0);
    check_refused(VECTOR_TS, OLD_SELECTOR | 1);
}

static void test_pdptes(void **argument)
{
    static const uint64_t good[4] = {0x8000 | 1, 0x8000 | 1, 0x8000 | 1, 0x8000 | 1};

    state.cr4 = CR4_PAE;
    state.cr3 = 0x6000;
    memcpy(state.pdpte, good, sizeof(good));
    for (uint64_t i = 0; i < 8; i++)
        put(0x8000 + 8 * i, i << 21 | 0x87, 8);
    put(NEW + 0x1c, POINTERS, 4);
    assert_int_equal(switch_task(), TASK_SWITCHED);
    assert_int_equal(state.cr3, POINTERS);
    assert_memory_equal(state.pdpte, good, sizeof(good));
    state = before;
    put(GDT + NEW_SELECTOR + 5, 0x89, 1);
    put(POINTERS + 16, 0x8000 | 3, 8);
    check_faulted(VECTOR_TS, 0);
    assert_memory_equal(state.pdpte, good, sizeof(good));
    state = before;
    put(GDT + NEW_SELECTOR + 5, 0x89, 1);
    put(NEW + 0x1c, NOWHERE, 4);
    check_faulted(VECTOR_TS, 0);
}

/* An error code that there is no room for; two bytes of a task of 16 bits. */
static void test_error_code(void **argument)
{
    cause.source = TASK_GATE;
    cause.length = 0;
    cause.vectoring = VECTORING(EXCEPTION, 13, EVENT_ERROR_CODE);
    cause.error_code = 0x1230;
    assert_int_equal(switch_task(), TASK_SWITCHED);
    assert_int_equal(state.gpr[GPR_RSP], STACK - 4);
    assert_int_equal(get(STACK - 4, 4), 0x1230);
    state = before;
    put(GDT + NEW_SELECTOR + 5, 0x89, 1);
    set_page(STACK - 0x1000, 0);
    assert_int_equal(switch_task(), TASK_FAULTED);
    assert_int_equal(fault.vector, VECTOR_PF);
    assert_int_equal(fault.error_code, PF_WRITE); /* no bit for external events */
    state = before;
    set_descriptor(DATA_SELECTOR, 0, 0, 0x4093);
    put(GDT + NEW_SELECTOR + 5, 0x89, 1);
    assert_int_equal(switch_task(), TASK_FAULTED);
    assert_int_equal(fault.vector, VECTOR_SS);
    assert_int_equal(fault.error_code, 1);
}

static void test_error_code_16(void **argument)
{
    memset(b->memory.base + NEW, 0, 0x68);
    set_descriptor(NEW_SELECTOR, NEW, 0x2b, 0x81);
    set_descriptor(DATA_SELECTOR, 0, 0xffff, 0x93);
    for (unsigned i = 0; i < 4; i++)
        put(NEW + 0x22 + 2 * i, i == SEG_CS ? CODE_SELECTOR : DATA_SELECTOR, 2);
    put(NEW + 0x1a, STACK, 2);
    cause.source = TASK_GATE;
    cause.vectoring = VECTORING(EXCEPTION, 13, EVENT_ERROR_CODE);
    cause.error_code = 0x1230;
    assert_int_equal(switch_task(), TASK_SWITCHED);
    assert_int_equal(state.gpr[GPR_RSP], 0xffff0000 | (STACK - 2));
    assert_int_equal(get(STACK - 2, 4), 0x1230);
    assert_int_equal(state.segment[SEG_TR].access, 0x83);
    assert_int_equal(state.segment[SEG_FS].access, SEGMENT_UNUSABLE);
}

static void test_ldt(void **argument)
{
    put(NEW + 0x60, LDT, 2);
    check_faulted(VECTOR_TS, LDT); /* absent */
    assert_int_equal(current_privilege(&state), 3);
    state = before;
    put(GDT + NEW_SELECTOR + 5, 0x89, 1);
    put(NEW + 0x60, LDT | 4, 2);
    check_faulted(VECTOR_TS, LDT | 4);
}

/* Into virtual-8086 mode the segments are those that an entry takes, whatever becomes of LDTR. */
static void test_virtual_8086(void **argument)
{
    for (unsigned i = 0; i < 2; i++) {
        put(GDT + NEW_SELECTOR + 5, 0x89, 1);
        put(NEW + 0x24, RFLAGS_VM | 2, 4);
        put(NEW + 0x60, i == 0 ? 0 : DATA_SELECTOR, 2);
        assert_int_equal(switch_task(), i == 0 ? TASK_SWITCHED : TASK_FAULTED);
        for (unsigned j = SEG_ES; j <= SEG_GS; j++) {
            uint16_t selector = j == SEG_CS ? CODE_SELECTOR : DATA_SELECTOR;
            struct segment_state real = {(uint64_t)selector << 4, 0xffff, selector, 0xf3};
            assert_memory_equal(&state.segment[j], &real, sizeof(real));
        }
        state = before;
    }
}

static void test_local_breakpoints(void **argument)
{
    state.dr7 = 0x7ff;
    put(NEW + 0x64, 1, 1);
    assert_int_equal(switch_task(), TASK_FAULTED);
    assert_int_equal(fault.vector, VECTOR_DB);
    assert_int_equal(state.dr7, 0x7ff & ~0x155);
}

/* What the next entry would find wrong, or NULL. */
static const char *check_entry(void)
{
    static struct vmcs_model m;

    model_pae_mode(&m);
    model_write(&m, VMCS_GUEST_CR0, state.cr0 | CR0_NE | CR0_ET);
    model_write(&m, VMCS_GUEST_CR3, state.cr3);
    model_write(&m, VMCS_GUEST_CR4, state.cr4 | CR4_VMXE);
    model_write(&m, VMCS_GUEST_RIP, state.rip);
    model_write(&m, VMCS_GUEST_RFLAGS, (state.rflags & RFLAGS_ALL) | RFLAGS_FIXED);
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        const struct segment_state *s = &state.segment[i];
        bool unusable = s->access & SEGMENT_UNUSABLE;

        model_write(&m, VMCS_GUEST_ES_SELECTOR + 2 * i, s->selector);
        model_write(&m, VMCS_GUEST_ES_BASE + 2 * i, s->base);
        model_write(&m, VMCS_GUEST_ES_LIMIT + 2 * i, s->limit);
        model_write(&m, VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * i,
                    (s->access & ~(uint32_t)SEGMENT_UNUSABLE) | (unusable ? ACCESS_UNUSABLE : 0));
    }
    return entry_check(&m.values);
}

/* Whatever a guest has in its tables, a task switch comes to an end: one of the three, and in a
 * state that can be entered. */
static void test_random(void **argument)
{
    unsigned count[3] = {0};

    for (unsigned i = 0; i < 10000; i++) {
        teardown(NULL);
        setup(NULL);
        for (unsigned j = random_u64() % 6; j > 0; j--) {
            uint64_t at = random_u64() % 4 ? NEW + random_u64() % 0x68 : GDT + random_u64() % 0x30;
            put(at, random_u64(), 1);
        }
        cause.source = random_u64() % 4;
        cause.selector = random_u64() % 8 ? NEW_SELECTOR : (uint16_t)random_u64();
        cause.vectoring = (uint32_t)random_u64();
        if (cause.source == TASK_IRET)
            b->memory.base[GDT + NEW_SELECTOR + 5] |= 2;
        enum task_result result = switch_task();
        count[result]++;
        if (result == TASK_REFUSED)
            assert_memory_equal(&state, &before, sizeof(state));
        else
            assert_int_equal(state.segment[SEG_TR].access & 0x97, 0x83);
        if (check_entry() != NULL)
            fail_msg("round %u, result %u: %s", i, result, check_entry());
    }
    for (unsigned i = 0; i < 3; i++)
        assert_true(count[i] > 100);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_call),   TEST(test_page_faults),  TEST(test_descriptors),
        TEST(test_pdptes), TEST(test_error_code),   TEST(test_error_code_16),
        TEST(test_ldt),    TEST(test_virtual_8086), TEST(test_local_breakpoints),
        TEST(test_random),
    };

    return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}
