/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware task switches (R17): by JMP, CALL and IRET, by task gates for INT, exceptions, a double
 * fault and an interrupt, with paging of both kinds of 32-bit code, to tasks of 32 and 16 bits and
 * to virtual-8086 mode; and what a task that cannot be entered gets (SDM volume 3, "Task
 * Management").
 */
#include "guests/tasks.h"

#include "guests/lib/guest.h"
#include "lib/string.h"

#define GATE32_INTERRUPT 0x8e00
#define GATE_TASK        0x8500
#define PAE_LARGE        0x87 /* page size, user, write, present */
#define LARGE_PAGE       0x200000ULL
#define CR0_ON           0x80010033
#define CR0_TS_BIT       BIT(3)
#define CR4_PAE_BIT      BIT(5)
#define CR4_PSE_BIT      BIT(4)
#define DR6_BT           BIT(15)
#define DR7_EXACT        0x700 /* LE, GE, and bit 10, which is always set */

#define FLAGS_MAIN 0x893 /* CF, AF, SF, OF, bit 1 */
#define FLAGS_TASK 0x447 /* DF, ZF, PF, CF, bit 1 */
#define FLAGS_NT   0x4000
#define FLAGS_VM   0x20000

#define LOW_CODE  0x7000 /* free, and within reach of 16 bits */
#define LOW_STACK 0x7e00
#define LOW_RING0 0x7f00

enum { EAX, ESP = 4 };
enum { ES, CS, SS, DS, FS, GS, LDTR, TR };

struct record {
    uint32_t gpr[8], flags, segment[8], cr0, cr3, dr6, dr7, window, vector, stack[6];
};
_Static_assert(sizeof(struct record) == RECORD_SIZE, "the assembly has these offsets");

struct task {
    uint32_t link, esp0, ss0, others[4], cr3, eip, flags, gpr[8], segment[6], ldt;
    uint16_t t, map;
};

struct task16 {
    uint16_t link, sp0, ss0, others[4], ip, flags, gpr[8], segment[4], ldt;
};

extern uint64_t gdt[];
extern const char task_land[], task_user[], task_traps[];
extern char main_stack[], other_stack[], ring0_stack[];
extern const char by_jmp[], by_call[], by_iret[], by_int[], by_ud2[], by_bad_mov[], by_ipi[],
    by_int3[];
void task_visit(void);

uint64_t descriptors[DESCRIPTORS], idt32[128];
struct record before, records[2];
struct {
    uint32_t cr0, cr3, cr4, dr7;
} cr;
struct {
    uint32_t offset, selector;
} target;
uint32_t how, returns;

static struct task main_task, task, entered; /* the last one as it was before */
static struct task16 task16;
static uint32_t cr3_main, cr3_task, cr3_main_32, cr3_task_32;

#define ADDRESS(symbol) ((uint32_t)(uintptr_t)(symbol))

static uint64_t segment_of(uint64_t base, uint32_t limit, uint64_t access)
{
    return (limit & 0xffff) | (base & 0xffffff) << 16 | access << 40 |
           (uint64_t)(limit >> 16 & 15) << 48 | (base >> 24 & 0xff) << 56;
}

static void set_descriptors(void)
{
    for (unsigned i = 0; i < CODE32 / 8; i++)
        descriptors[i] = gdt[i];
    descriptors[CODE32 / 8] = segment_of(0, 0xfffff, 0xc09b);
    descriptors[DATA32 / 8] = segment_of(0, 0xfffff, 0xc093);
    descriptors[USER_CODE_A / 8] = segment_of(0, 0xfffff, 0xc0fb);
    descriptors[USER_DATA_A / 8] = segment_of(0, 0xfffff, 0xc0f3);
    descriptors[MAIN_TASK / 8] = segment_of(ADDRESS(&main_task), sizeof(main_task) - 1, 0x89);
    descriptors[TASK_32 / 8] = segment_of(ADDRESS(&task), sizeof(task) - 1, 0x89);
    descriptors[TASK_16 / 8] = segment_of(ADDRESS(&task16), sizeof(task16) - 1, 0x81);
    descriptors[ABSENT_TASK / 8] = segment_of(ADDRESS(&task), sizeof(task) - 1, 0x09);
    descriptors[SHORT_TASK / 8] = segment_of(ADDRESS(&task), sizeof(task) - 2, 0x89);
    descriptors[GATE / 8] = (uint64_t)GATE_TASK << 32 | TASK_32 << 16;
    descriptors[LOCAL_TABLE / 8] = segment_of(ADDRESS(descriptors), 7, 0x82);
    descriptors[ABSENT / 8] = segment_of(0, 0xfffff, 0xc013);
    descriptors[READ_ONLY / 8] = segment_of(0, 0xfffff, 0xc091);
    descriptors[ABSENT_CODE / 8] = segment_of(0, 0xfffff, 0xc01b);
    descriptors[SMALL_CODE / 8] = segment_of(0, 0xfff, 0x409b);
}

static bool is_busy(unsigned selector)
{
    return descriptors[selector / 8] >> 41 & 1;
}

static void set_gate(unsigned vector)
{
    idt32[vector] = (uint64_t)GATE_TASK << 32 | TASK_32 << 16;
}

static void set_idt(void)
{
    memset(idt32, 0, sizeof(idt32));
    for (uint64_t vector = 0; vector < 32; vector++) {
        uint64_t at = (uintptr_t)task_traps + 16 * vector;
        idt32[vector] =
            (at >> 16) << 48 | (uint64_t)GATE32_INTERRUPT << 32 | CODE32 << 16 | (at & 0xffff);
    }
}

static void set_tasks(void)
{
    memset(&main_task, 0, sizeof(main_task));
    main_task.cr3 = cr3_main;
    main_task.map = sizeof(main_task);
    task = (struct task){
        .link = 0xabcd,
        .esp0 = ADDRESS(ring0_stack),
        .ss0 = DATA32,
        .cr3 = cr3_task,
        .eip = ADDRESS(task_land),
        .flags = FLAGS_TASK,
        .segment = {DATA32, CODE32, DATA32, DATA32, USER_DATA_A, 0},
        .ldt = LOCAL_TABLE,
        .map = sizeof(task),
    };
    for (unsigned i = 0; i < 8; i++)
        task.gpr[i] = 0xb0b0b0b0 + i;
    task.gpr[ESP] = ADDRESS(other_stack);
}

/* Everything as most tests want it. */
static void prepare(void)
{
    set_descriptors();
    set_idt();
    set_tasks();
    memset(records, 0, sizeof(records));
    for (unsigned i = 0; i < 8; i++)
        before.gpr[i] = 0xa0a0a0a0 + i;
    before.gpr[EAX] = 0xffff;
    before.flags = FLAGS_MAIN;
    cr.cr0 = CR0_ON;
    cr.cr3 = cr3_main;
    cr.cr4 = CR4_PAE_BIT;
    cr.dr7 = 0x400;
    returns = 0;
}

static void visit(const char *by, unsigned selector)
{
    how = ADDRESS(by);
    target.selector = selector;
    entered = task;
    task_visit();
}

/* The new task has what its TSS says, and nothing else. */
static void check_landed(const char *name, uint32_t more_flags, uint32_t esp)
{
    const struct record *r = &records[0];
    bool same = true;

    for (unsigned i = 0; i < 8; i++)
        same &= r->gpr[i] == (i == ESP ? esp : entered.gpr[i]);
    ok(same, "%s: general registers are the new task's", name);
    is(r->flags, FLAGS_TASK | more_flags, "%s: EFLAGS", name);
    ok(r->segment[ES] == DATA32 && r->segment[CS] == CODE32 && r->segment[SS] == DATA32 &&
           r->segment[DS] == DATA32 && r->segment[FS] == USER_DATA_A && r->segment[GS] == 0,
       "%s: segments", name);
    is(r->segment[LDTR], LOCAL_TABLE, "%s: LDTR", name);
    is(r->segment[TR], TASK_32, "%s: TR", name);
    is(r->cr0, CR0_ON | CR0_TS_BIT, "%s: CR0.TS is set", name);
    is(r->cr3, task.cr3, "%s: CR3", name);
    is(r->window, 2, "%s: the new address space", name);
}

/* The old task's TSS has what it had. */
static void check_left(const char *name, uint32_t eip)
{
    const struct task *t = &main_task;
    bool same = true;

    for (unsigned i = 0; i < 8; i++)
        same &= t->gpr[i] == (i == ESP ? ADDRESS(main_stack) : before.gpr[i]);
    ok(same, "%s: general registers are saved", name);
    is(t->eip, eip, "%s: EIP is saved", name);
    is(t->flags & 0xffff, FLAGS_MAIN, "%s: EFLAGS are saved", name);
    ok(t->segment[ES] == DATA32 && t->segment[CS] == CODE32 && t->segment[SS] == DATA32 &&
           t->segment[GS] == DATA32,
       "%s: segments are saved", name);
    is(t->cr3, cr3_main, "%s: CR3 in the TSS stays", name);
}

static void test_jump(const char *name, unsigned selector)
{
    prepare();
    cr.dr7 = DR7_EXACT | 0x2; /* G0 */
    visit(by_jmp, selector);
    check_landed(name, 0, entered.gpr[ESP]);
    check_left(name, ADDRESS(by_jmp) + 6);
    is(records[0].dr7, 0x602, "%s: DR7 without its local bits", name);
    is(task.link, 0xabcd, "%s: no link", name);
    ok(!is_busy(MAIN_TASK) && is_busy(TASK_32), "%s: only the new task is busy", name);
}

static void test_call(const char *name, unsigned selector)
{
    prepare();
    returns = 1;
    visit(by_call, selector);
    check_landed(name, FLAGS_NT, entered.gpr[ESP]);
    is(task.link, MAIN_TASK, "%s: the link", name);
    is(task.flags & FLAGS_NT, 0, "%s: NT is cleared where the nested task is saved", name);
    ok(is_busy(MAIN_TASK) && !is_busy(TASK_32), "%s: the nested task is not busy any more", name);
    is(records[1].segment[TR], MAIN_TASK, "%s: back in the first task", name);
    is(records[1].gpr[5], before.gpr[5], "%s: with its registers", name);
    is(records[1].flags, FLAGS_MAIN, "%s: with its EFLAGS", name);
    is(records[1].window, 1, "%s: and its address space", name);
}

static void test_return(void)
{
    prepare();
    main_task.link = TASK_32;
    descriptors[TASK_32 / 8] |= BIT(41);
    before.flags |= FLAGS_NT;
    visit(by_iret, 0);
    check_landed("IRET with NT", 0, entered.gpr[ESP]);
    check_left("IRET with NT", ADDRESS(by_iret) + 1);
    ok(!is_busy(MAIN_TASK) && is_busy(TASK_32), "IRET with NT: only the new task is busy");
}

/* Each goes to the new task, which returns. */
static void test_gates(void)
{
    static const struct {
        const char *name, *by;
        unsigned vector, length;
        bool error;
        uint32_t code;
    } rows[] = {
        {"INT", by_int, INT_VECTOR, 2, false, 0},
        {"INT3", by_int3, VECTOR_BP, 1, false, 0},
        {"#UD", by_ud2, VECTOR_UD, 0, false, 0},
        {"#GP", by_bad_mov, VECTOR_GP, 0, true, 0xfffc},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        prepare();
        set_gate(rows[i].vector);
        visit(rows[i].by, 0);
        check_landed(rows[i].name, FLAGS_NT, entered.gpr[ESP] - (rows[i].error ? 4 : 0));
        check_left(rows[i].name, ADDRESS(rows[i].by) + rows[i].length);
        if (rows[i].error)
            is(records[0].stack[0], rows[i].code, "%s: the error code", rows[i].name);
        is(task.link, MAIN_TASK, "%s: the link", rows[i].name);
        ok(is_busy(MAIN_TASK) && is_busy(TASK_32), "%s: both are busy", rows[i].name);
    }
}

/* A double fault: its gate is no use to #GP. */
static void test_double_fault(void)
{
    prepare();
    idt32[VECTOR_GP] = 0;
    set_gate(VECTOR_DF);
    visit(by_bad_mov, 0);
    check_landed("#DF", FLAGS_NT, entered.gpr[ESP] - 4);
    is(records[0].stack[0], 0, "#DF: the error code");
    is(main_task.eip, ADDRESS(by_bad_mov), "#DF: EIP is saved");
}

static void test_interrupt(void)
{
    apic_enable(APIC_MEMORY);
    prepare();
    set_gate(IPI_VECTOR);
    returns = 1;
    visit(by_ipi, 0);
    apic_eoi();
    check_landed("an interrupt", FLAGS_NT, entered.gpr[ESP]);
    is(records[1].segment[TR], MAIN_TASK, "an interrupt: back in the first task");
    is(records[1].flags & ~0x200u, FLAGS_MAIN, "an interrupt: with its EFLAGS");
}

/* An exception of the old task's, which has not changed. */
static void test_refused(void)
{
    static const struct {
        const char *name, *by;
        unsigned selector, gate, vector, error;
    } rows[] = {
        {"JMP to an absent TSS", by_jmp, ABSENT_TASK, 0, VECTOR_NP, ABSENT_TASK},
        {"CALL to a short TSS", by_call, SHORT_TASK, 0, VECTOR_TS, SHORT_TASK},
        {"JMP to a busy TSS", by_jmp, MAIN_TASK, 0, VECTOR_GP, MAIN_TASK},
        {"IRET to a TSS that is not busy", by_iret, 0, 0, VECTOR_TS, TASK_32},
        {"INT to an absent TSS", by_int, 0, ABSENT_TASK, VECTOR_NP, ABSENT_TASK},
        {"#UD to a short TSS", by_ud2, 0, SHORT_TASK, VECTOR_TS, SHORT_TASK | 1},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        prepare();
        main_task.link = TASK_32;
        if (rows[i].by == by_iret)
            before.flags |= FLAGS_NT;
        if (rows[i].gate)
            idt32[rows[i].by == by_int ? INT_VECTOR : VECTOR_UD] =
                (uint64_t)GATE_TASK << 32 | rows[i].gate << 16;
        visit(rows[i].by, rows[i].selector);
        is(records[1].vector, rows[i].vector, "%s: the exception", rows[i].name);
        is(records[1].stack[0], rows[i].error, "%s: the error code", rows[i].name);
        is(records[1].stack[1], ADDRESS(rows[i].by), "%s: EIP", rows[i].name);
        is(records[1].segment[TR], MAIN_TASK, "%s: the old task", rows[i].name);
        is(records[1].gpr[5], before.gpr[5], "%s: its registers", rows[i].name);
        is(main_task.eip, 0, "%s: nothing is saved", rows[i].name);
    }
}

/* An exception of the new task's, before its first instruction. */
static void test_faulty(void)
{
    static const struct {
        const char *name, *by;
        unsigned segment, selector, vector, error;
    } rows[] = {
        {"an absent DS", by_jmp, DS, ABSENT, VECTOR_NP, ABSENT},
        {"an ES of a higher privilege", by_jmp, ES, DATA32 | 3, VECTOR_TS, DATA32},
        {"an FS beyond the table", by_call, FS, 0x1000, VECTOR_TS, 0x1000},
        {"a GS in an LDT that ends before", by_call, GS, 0xc, VECTOR_TS, 0xc},
        {"a read-only SS", by_jmp, SS, READ_ONLY, VECTOR_TS, READ_ONLY},
        {"no SS", by_jmp, SS, 0, VECTOR_TS, 0},
        {"an absent SS", by_jmp, SS, ABSENT, VECTOR_SS, ABSENT},
        {"an SS of another privilege", by_jmp, SS, USER_DATA_A | 3, VECTOR_TS, USER_DATA_A},
        {"an absent CS", by_jmp, CS, ABSENT_CODE, VECTOR_NP, ABSENT_CODE},
        {"a CS of data", by_jmp, CS, DATA32, VECTOR_TS, DATA32},
        {"a gate as CS", by_jmp, CS, GATE, VECTOR_TS, GATE},
        {"an EIP beyond CS", by_jmp, CS, SMALL_CODE, VECTOR_GP, 0},
        {"an LDTR that is none", by_jmp, LDTR, DATA32, VECTOR_TS, DATA32},
        {"an absent DS, for #UD", by_ud2, DS, ABSENT, VECTOR_NP, ABSENT | 1},
        {"an absent DS, for INT", by_int, DS, ABSENT, VECTOR_NP, ABSENT},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        prepare();
        set_gate(VECTOR_UD);
        set_gate(INT_VECTOR);
        if (rows[i].segment == LDTR)
            task.ldt = rows[i].selector;
        else
            task.segment[rows[i].segment] = rows[i].selector;
        visit(rows[i].by, TASK_32);
        is(records[1].vector, rows[i].vector, "%s: the exception", rows[i].name);
        is(records[1].stack[0], rows[i].error, "%s: the error code", rows[i].name);
        is(records[1].stack[1], task.eip, "%s: EIP is the new task's", rows[i].name);
        is(records[1].stack[2] & 0xfffc, task.segment[CS], "%s: CS is the new task's",
           rows[i].name);
        is(records[1].segment[TR], TASK_32, "%s: TR is the new task's", rows[i].name);
        is(records[1].gpr[5], entered.gpr[5], "%s: registers are the new task's", rows[i].name);
        is(records[1].window, 2, "%s: the address space is the new task's", rows[i].name);
    }
}

/* The handler's frame tells of the new task. */
static void check_frame(const char *name, uint32_t eip, uint32_t cs, uint32_t flags, uint32_t esp,
                        uint32_t ss)
{
    const uint32_t *stack = records[1].stack;

    is(records[1].vector, VECTOR_UD, "%s: its first instruction", name);
    is(stack[0], eip, "%s: EIP", name);
    is(stack[1] & 0xffff, cs, "%s: CS", name);
    is(stack[2] & ~0x10000u, flags, "%s: EFLAGS", name);
    is(stack[3], esp, "%s: ESP", name);
    is(stack[4] & 0xffff, ss, "%s: SS", name);
}

static void test_user(void)
{
    prepare();
    task.segment[CS] = USER_CODE_A | 3;
    task.segment[SS] = USER_DATA_A | 3;
    task.segment[DS] = task.segment[ES] = USER_DATA_A | 3;
    task.eip = ADDRESS(task_user);
    visit(by_call, GATE);
    check_frame("ring 3", task.eip, USER_CODE_A | 3, FLAGS_TASK | FLAGS_NT, task.gpr[ESP],
                USER_DATA_A | 3);
    is(records[1].segment[DS], USER_DATA_A | 3, "ring 3: DS");
}

static void test_virtual_8086(void)
{
    prepare();
    task.flags = FLAGS_TASK | FLAGS_VM;
    task.segment[CS] = LOW_CODE >> 4;
    task.segment[SS] = 0x100;
    task.segment[DS] = 0x1234;
    task.eip = 0;
    task.gpr[ESP] = 0x4321;
    visit(by_jmp, TASK_32);
    check_frame("virtual-8086 mode", 0, LOW_CODE >> 4, FLAGS_TASK | FLAGS_VM, 0x4321, 0x100);
    is(records[1].segment[LDTR], LOCAL_TABLE, "virtual-8086 mode: LDTR");
}

static void test_16(void)
{
    bool same = true;

    prepare();
    task16 = (struct task16){
        .sp0 = LOW_RING0,
        .ss0 = DATA32,
        .ip = LOW_CODE,
        .flags = FLAGS_TASK,
        .segment = {USER_DATA_A | 3, USER_CODE_A | 3, USER_DATA_A | 3, USER_DATA_A | 3},
        .ldt = LOCAL_TABLE,
    };
    for (unsigned i = 0; i < 8; i++)
        task16.gpr[i] = (uint16_t)(0xc0c0 + i);
    task16.gpr[ESP] = LOW_STACK;
    visit(by_call, TASK_16);
    check_frame("16 bits", LOW_CODE, USER_CODE_A | 3, FLAGS_TASK | FLAGS_NT, 0xffff0000 | LOW_STACK,
                USER_DATA_A | 3);
    for (unsigned i = 0; i < 8; i++)
        same &= i == ESP || records[1].gpr[i] == (0xffff0000 | task16.gpr[i]);
    ok(same, "16 bits: general registers, with ones above");
    is(records[1].segment[FS], 0, "16 bits: FS is null");
    is(records[1].segment[LDTR], LOCAL_TABLE, "16 bits: LDTR");
    is(records[1].window, 1, "16 bits: the address space stays");
    is(task16.link, MAIN_TASK, "16 bits: the link");
}

static void test_trap(void)
{
    prepare();
    task.t = 1;
    visit(by_jmp, TASK_32);
    is(records[1].vector, VECTOR_DB, "T: a debug exception");
    is(records[1].stack[0], task.eip, "T: before the first instruction");
    is(records[1].dr6 & 0xf00f, DR6_BT, "T: DR6.BT");
}

static void test_paging_32(void)
{
    prepare();
    cr.cr3 = cr3_main_32;
    cr.cr4 = CR4_PSE_BIT;
    task.cr3 = cr3_task_32;
    visit(by_jmp, TASK_32);
    is(records[0].cr3, cr3_task_32, "32-bit paging: CR3");
    is(records[0].window, 2, "32-bit paging: the new address space");
    prepare();
    cr.cr0 &= ~0x80000000;
    visit(by_jmp, TASK_32);
    is(records[0].cr3, cr3_main, "no paging: CR3 stays");
}

/* 4 GiB one to one, but for a page at WINDOW that has this number in it. */
static uint32_t make_pae(uint32_t number)
{
    uint64_t *pointers = page_alloc(), *directory;
    uint32_t *page = (void *)((5 + number) * LARGE_PAGE); /* free: the kernel is small */

    *page = number;
    for (unsigned i = 0; i < 4; i++) {
        directory = page_alloc();
        for (uint64_t j = 0; j < 512; j++)
            directory[j] = (i * 512 + j) * LARGE_PAGE | PAE_LARGE;
        if (i == WINDOW >> 30)
            directory[0] = (uintptr_t)page | PAE_LARGE;
        pointers[i] = (uintptr_t)directory | PAGE_PRESENT;
    }
    return ADDRESS(pointers);
}

static uint32_t make_32(uint32_t number)
{
    uint32_t *directory = page_alloc(), *page = (void *)((8 + 2 * (uint64_t)number) * LARGE_PAGE);

    *page = number;
    for (uint32_t i = 0; i < 1024; i++)
        directory[i] = i << 22 | PAE_LARGE;
    directory[WINDOW >> 22] = ADDRESS(page) | PAE_LARGE;
    return ADDRESS(directory);
}

static void load_gdt(void)
{
    const struct descriptor_table pointer = {sizeof(descriptors) - 1, (uintptr_t)descriptors};

    lgdt(&pointer);
}

void guest_main(void)
{
    volatile uint8_t *low = (void *)LOW_CODE;

    low[0] = 0x0f; /* UD2 */
    low[1] = 0x0b;
    set_descriptors();
    load_gdt();
    cr3_main = make_pae(1);
    cr3_task = make_pae(2);
    cr3_main_32 = make_32(1);
    cr3_task_32 = make_32(2);
    test_jump("JMP", TASK_32);
    test_jump("JMP through a gate", GATE);
    test_call("CALL", TASK_32);
    test_call("CALL through a gate", GATE);
    test_return();
    test_gates();
    test_double_fault();
    test_interrupt();
    test_refused();
    test_faulty();
    test_user();
    test_virtual_8086();
    test_16();
    test_trap();
    test_paging_32();
}
