/* SPDX-License-Identifier: BSD-2-Clause */
/* R4, R18. */
#include "hypervisor/cpu/cpus.h"

#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/layout.h"
#include "hypervisor/cpu/machine_check.h"
#include "hypervisor/cpu/same.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/cpu/words.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/panic.h"
#include "lib/bits.h"
#include "lib/string.h"

#define INIT_US     10000  /* between INIT and SIPI */
#define SIPI_US     200    /* between the two SIPIs */
#define PATIENCE_US 100000 /* then a CPU that has not come is broken */
#define TSC_ROUNDS  32     /* of comparing the TSC, before it is put right and behind that */

/* How far another CPU has come; it and the first one write it in turn, but that one may give it up
 * at any time. */
enum step {
    STEP_NONE,
    STEP_CAME,     /* and answers 2 * TSC_ROUNDS times with its TSC, */
    STEP_COMPARED, /* has compared itself with the first, */
    STEP_USED,     /* is told so, */
    STEP_READY,    /* and waits for cpus_run */
    STEP_STOPPED,
};

struct cpu {
    uint32_t apic_id;
    uint64_t step;                 /* enum step */
    uint64_t asked, answered, tsc; /* rounds; and what the TSC was in the last one */
    int64_t ahead;                 /* of the first one's, it is found to be, TSC ticks */
    char differs[40];              /* in what, from the first; "": in nothing */
};
static PER_CPU struct cpu cpu;

static struct cpu_block *others; /* their blocks; number 1 is the first */
static uint32_t count;           /* of CPUs, this one too */
static void (*take_up)(void);
static void (*run)(void);
static struct cpu_block *stopper; /* the one that ends the machine */

/* start.S and boot/entry.S */
extern const uint8_t start_code[], start_code_end[], start_tables[], boot_pml4[];
extern uint64_t start_stack;
uint64_t start_stack;
static uint64_t root; /* CR3 of the final tables */

void (*cpu_kicked)(void);

void cpus_allocate(uint32_t number)
{
    others = arena_alloc(number * sizeof(*others));
    ASSERT(is_aligned((uint64_t)others, CPU_BLOCK_SIZE));
}

static struct cpu_block *block_of(uint32_t number)
{
    return number == 0 ? &boot_cpu : &others[number - 1];
}

struct cpu_block *cpu_block(uint32_t number)
{
    return number < count && CPU_OF(block_of(number), cpu).step == STEP_READY ? block_of(number)
                                                                              : NULL;
}

uint32_t cpu_apic_id(const struct cpu_block *block)
{
    return CPU_OF(block, cpu).apic_id;
}

void cpu_kick(const struct cpu_block *block)
{
    apic_send(cpu_apic_id(block), VECTOR_KICK);
}

static bool wait_for(const uint64_t *word, uint64_t least, uint64_t microseconds)
{
    uint64_t end = rdtsc() + tsc_khz() * microseconds / 1000;

    while (word_load(word) < least && rdtsc() < end)
        cpu_relax();
    return word_load(word) >= least;
}

/* This one is a step further. Who is given up does nothing any more. */
static void come_to(struct cpu *me, enum step step)
{
    uint64_t before = step - 1;

    if (!__atomic_compare_exchange_n(&me->step, &before, step, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        machine_hang();
}

static void answer_tsc(struct cpu *me)
{
    for (uint64_t round = 1; round <= 2 * TSC_ROUNDS; round++) {
        while (word_load(&me->asked) < round && word_load(&me->step) == STEP_CAME)
            cpu_relax();
        if (round == TSC_ROUNDS + 1 && me->ahead != 0)
            tsc_move(-me->ahead);
        me->tsc = rdtsc_after_loads();
        __atomic_store_n(&me->answered, round, __ATOMIC_RELEASE);
    }
}

/* How far its TSC is ahead of this one's, which is from `least` to `most`: each time, its reading
 * is made between two of this one's. Who does not answer does not come to the next step. */
struct ahead {
    int64_t least, most;
};

static struct ahead compare_tsc(struct cpu *c, uint64_t rounds)
{
    struct ahead ahead = {INT64_MIN, INT64_MAX};

    for (uint64_t round = rounds - TSC_ROUNDS + 1; round <= rounds; round++) {
        uint64_t before = rdtsc();
        __atomic_store_n(&c->asked, round, __ATOMIC_SEQ_CST);
        if (!wait_for(&c->answered, round, PATIENCE_US))
            break;
        int64_t least = (int64_t)(c->tsc - rdtsc_after_loads());
        int64_t most = (int64_t)(c->tsc - before);
        ahead.least = least > ahead.least ? least : ahead.least;
        ahead.most = most < ahead.most ? most : ahead.most;
    }
    return ahead;
}

/* Whether its TSC is this one's but for less than a message takes, if need be behind a move. */
static bool tsc_agrees(struct cpu *c)
{
    struct ahead ahead = compare_tsc(c, TSC_ROUNDS);

    if (ahead.least > 0 || ahead.most < 0)
        c->ahead = ahead.least + (ahead.most - ahead.least) / 2;
    ahead = compare_tsc(c, 2 * TSC_ROUNDS);
    return ahead.least <= 0 && ahead.most >= 0;
}

void cpu_arrived(void)
{
    struct cpu *me = &THIS_CPU(cpu);

    cpu_init(this_cpu());
    write_cr3(root); /* it has NX now */
    machine_check_init();
    apic_init_other();
    if (apic_id() != me->apic_id) /* too late: this block is for the next one */
        machine_hang();
    come_to(me, STEP_CAME);
    answer_tsc(me);
    same_as_first(me->differs, sizeof(me->differs));
    come_to(me, STEP_COMPARED);
    while (word_load(&me->step) == STEP_COMPARED)
        cpu_relax();
    if (me->step == STEP_STOPPED)
        machine_hang();
    take_up();
    come_to(me, STEP_READY);
    while (__atomic_load_n(&run, __ATOMIC_ACQUIRE) == NULL)
        sti_hlt_cli();
    run();
    machine_hang();
}

/* NULL: it came, and is as this one. Otherwise why it is not used. */
static const char *try_start(struct cpu_block *block, uint32_t sipi)
{
    struct cpu *c = &CPU_OF(block, cpu);

    start_stack = (uint64_t)(block + 1);
    apic_send(c->apic_id, sipi);
    if (!wait_for(&c->step, STEP_CAME, SIPI_US))
        apic_send(c->apic_id, sipi);
    if (!wait_for(&c->step, STEP_CAME, PATIENCE_US))
        return "it does not start";
    bool agrees = tsc_agrees(c);
    if (!wait_for(&c->step, STEP_COMPARED, PATIENCE_US))
        return "it has stopped";
    if (!agrees)
        return "its TSC is another one than the first CPU's, and cannot be put right";
    if (c->differs[0] != '\0')
        return c->differs;
    word_swap(&c->step, STEP_USED);
    return wait_for(&c->step, STEP_READY, PATIENCE_US) ? NULL : "it has stopped";
}

/* Whether it runs now. */
static bool start(uint32_t number, uint32_t sipi)
{
    struct cpu *c = &CPU_OF(block_of(number), cpu);
    const char *why = try_start(block_of(number), sipi);

    if (why == NULL && c->ahead != 0)
        log_line("CPU %u: its TSC was %ld ticks from the first CPU's, and is put right", number,
                 c->ahead);
    if (why == NULL)
        return true;
    word_swap(&c->step, STEP_STOPPED);
    log_line("CPU %u, of APIC id %u, is not used: %s%s", number, c->apic_id,
             why == c->differs ? "it differs from the first in " : "", why);
    return false;
}

/* The page as CPUs need it that come from real mode; returns what starts them there. */
static uint32_t prepare(uint64_t page)
{
    uint8_t *copy = host_map(page, PAGE_SIZE, PAGING_W | PAGING_NX);

    memcpy(copy, start_code, (size_t)(start_code_end - start_code));
    *(uint32_t *)(copy + (start_tables - start_code)) = (uint32_t)phys_of(boot_pml4);
    root = read_cr3();
    return APIC_SEND_SIPI | (uint32_t)(page / PAGE_SIZE);
}

/* Before the machine ends; does not return where another CPU does that already. */
static void stop_others(void)
{
    struct cpu_block *expected = NULL;

    if (!__atomic_compare_exchange_n(&stopper, &expected, this_cpu(), false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST)) {
        cpu_stop_if_told();
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct cpu *c = &CPU_OF(block_of(i), cpu);
        if (block_of(i) == this_cpu() || c->step < STEP_CAME || c->step == STEP_STOPPED)
            continue;
        apic_send(c->apic_id, APIC_SEND_NMI);
        wait_for(&c->step, STEP_STOPPED, PATIENCE_US);
    }
}

void cpu_stop_if_told(void)
{
    if (stopper == NULL || stopper == this_cpu())
        return;
    machine_leave();
    word_swap(&THIS_CPU(cpu).step, STEP_STOPPED);
    machine_hang();
}

void cpus_start(const struct acpi_info *acpi, uint64_t page, void (*take_up_by)(void))
{
    uint32_t sipi, started = 0;

    take_up = take_up_by;
    THIS_CPU(cpu) = (struct cpu){.apic_id = apic_id(), .step = STEP_READY};
    count = 1;
    for (uint32_t i = 0; i < acpi->cpu_count; i++)
        if (acpi->cpus[i] != apic_id()) {
            CPU_OF(block_of(count), cpu_number) = count;
            CPU_OF(block_of(count++), cpu).apic_id = acpi->cpus[i];
        }
    if (count == 1)
        return;
    if (page == PHYS_MAP_NONE)
        stopped("this machine has several CPUs, and no free memory below 1 MiB to start them from");
    same_remember();
    machine_stop_others = stop_others;
    sipi = prepare(page);
    for (uint32_t i = 1; i < count; i++)
        apic_send(CPU_OF(block_of(i), cpu).apic_id, APIC_SEND_INIT);
    wait_for(&(uint64_t){STEP_NONE}, STEP_CAME, INIT_US);
    for (uint32_t i = 1; i < count; i++)
        started += start(i, sipi);
    log_line("%u other CPUs run", started);
}

void cpus_run(void (*by)(void))
{
    __atomic_store_n(&run, by, __ATOMIC_SEQ_CST);
    for (uint32_t i = 1; i < count; i++)
        if (cpu_block(i) != NULL)
            cpu_kick(cpu_block(i));
}
