/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts between vCPUs (R41; SDM volume 3, "Issuing Interprocessor Interrupts", "Determining
 * IPI Destination"): each way to write the ICR, and who gets it, how often. In xAPIC mode with the
 * flat and the cluster model, then in x2APIC mode. Up to four vCPUs.
 */
#include "guests/lib/ap.h"
#include "guests/lib/guest.h"

#define VECTOR     0x61
#define NMI_VECTOR 2
#define MAX_CPUS   4
#define PATIENCE   50000000 /* TSC ticks */
#define SETTLE     60000    /* for what should not come */

#define ICR_LOWEST     0x100
#define ICR_SMI        0x200
#define ICR_RESERVED_3 0x300
#define ICR_RESERVED_7 0x700
#define ICR_LOGICAL    0x800
#define ICR_ASSERT     0x4000
#define ICR_LEVEL      0x8000
#define ICR_DEASSERT   0x8500 /* of INIT */
#define ICR_ALL        0x80000
#define ESR_SEND       0x20 /* "Send Illegal Vector" */
#define MODEL_CLUSTER  0x0fffffff

enum model { FLAT, CLUSTER, X2 };

struct row {
    const char *name;
    uint32_t destination, icr;
    uint32_t expected; /* a bit for each CPU that there is */
};

#define LAST   0x80000000 /* in `expected`: the last CPU, whose priority is the lowest */
#define ALL    0xf
#define OTHERS 0xe

static const struct row flat[] = {
    {"physical", 1, VECTOR, 0x2},
    {"physical, level-triggered", 1, ICR_LEVEL | ICR_ASSERT | VECTOR, 0x2},
    {"physical, nobody's id", 0x55, VECTOR, 0},
    {"physical, broadcast", 0xff, VECTOR, ALL},
    {"flat, two", 0x03, ICR_LOGICAL | VECTOR, 0x3},
    {"flat, nobody's bit", 0x40, ICR_LOGICAL | VECTOR, 0},
    {"flat, broadcast", 0xff, ICR_LOGICAL | VECTOR, ALL},
    {"lowest priority", 0x0f, ICR_LOGICAL | ICR_LOWEST | VECTOR, LAST},
    {"lowest priority, one", 0x01, ICR_LOGICAL | ICR_LOWEST | VECTOR, 0x1},
    {"lowest priority, all", 0, ICR_ALL | ICR_LOWEST | VECTOR, 0},
    {"NMI, flat", 0x02, ICR_LOGICAL | ICR_NMI, 0x2},
};

static const struct row cluster[] = {
    {"physical", 1, VECTOR, 0x2},
    {"cluster, one", 0x02, ICR_LOGICAL | VECTOR, 0x2},
    {"cluster, both", 0x13, ICR_LOGICAL | VECTOR, 0xc},
    {"cluster, nobody's", 0x33, ICR_LOGICAL | VECTOR, 0},
    {"cluster, nobody's bit", 0x04, ICR_LOGICAL | VECTOR, 0},
    {"cluster, broadcast", 0xff, ICR_LOGICAL | VECTOR, ALL},
};

static const struct row x2[] = {
    {"physical", 1, VECTOR, 0x2},
    {"physical, xAPIC's broadcast", 0xff, VECTOR, 0},
    {"physical, broadcast", 0xffffffff, VECTOR, ALL},
    {"logical, one", 0x2, ICR_LOGICAL | VECTOR, 0x2},
    {"logical, two", 0x3, ICR_LOGICAL | VECTOR, 0x3},
    {"logical, another cluster", 0x1000f, ICR_LOGICAL | VECTOR, 0},
    {"logical, broadcast", 0xffffffff, ICR_LOGICAL | VECTOR, ALL},
    {"lowest priority, reserved", 0x3, ICR_LOGICAL | ICR_LOWEST | VECTOR, 0},
    {"NMI, logical", 0x2, ICR_LOGICAL | ICR_NMI, 0x2},
};

/* With shorthands, and without effect: in each model. */
static const struct row common[] = {
    {"self", 0, ICR_SELF | VECTOR, 0x1},
    {"all", 0, ICR_ALL | VECTOR, ALL},
    {"others", 0, ICR_OTHERS | VECTOR, OTHERS},
    {"NMI", 1, ICR_NMI, 0x2},
    {"NMI, others", 0, ICR_OTHERS | ICR_NMI, OTHERS},
    {"NMI, all", 0, ICR_ALL | ICR_NMI, 0},
    {"NMI, self", 0, ICR_SELF | ICR_NMI, 0},
    {"SMI, all", 0, ICR_ALL | ICR_SMI, 0},
    {"reserved 3", 1, ICR_RESERVED_3 | VECTOR, 0},
    {"reserved 7", 1, ICR_RESERVED_7 | VECTOR, 0},
    {"INIT level de-assert", 0, ICR_ALL | ICR_DEASSERT, 0},
    {"INIT, self", 0, ICR_SELF | ICR_INIT, 0},
    {"a SIPI to who runs", 1, ICR_SIPI | AP_VECTOR, 0},
};

static const char *const names[] = {"xAPIC flat", "xAPIC cluster", "x2APIC"};
static enum model model;
static unsigned cpus;
static volatile uint32_t got[MAX_CPUS];
static volatile bool ready;

static unsigned self(void)
{
    return apic_read(APIC_ID) >> (model == X2 ? 0 : 24);
}

static void on_interrupt(struct interrupt_frame *frame)
{
    got[self()]++;
    apic_eoi();
}

static void on_nmi(struct interrupt_frame *frame)
{
    got[self()]++;
}

/* This CPU's local APIC in the model: the last one is of the lowest priority. */
static void enable(void)
{
    unsigned me;

    apic_enable(model == X2 ? APIC_X2 : APIC_MEMORY);
    me = self();
    apic_write(APIC_TPR, (cpus - 1 - me) << 4);
    if (model == X2)
        return;
    apic_write(APIC_DFR, model == CLUSTER ? MODEL_CLUSTER : 0xffffffff);
    apic_write(APIC_LDR, (model == CLUSTER ? (me / 2) << 4 | 1u << me % 2 : 1u << me) << 24);
}

static void member(void)
{
    enable();
    ready = true;
    for (;;)
        __asm__ volatile("sti; hlt");
}

/* How often each has been interrupted, a digit for each. */
static uint32_t digits(void)
{
    uint32_t all = 0;

    for (unsigned i = 0; i < cpus; i++)
        all |= (got[i] & 0xf) << 4 * i;
    return all;
}

static void wait(uint64_t ticks, uint32_t until)
{
    for (uint64_t start = rdtsc(); digits() != until && rdtsc() - start < ticks;)
        cpu_relax();
}

static void test_row(const struct row *row)
{
    uint32_t expected = 0;

    for (unsigned i = 0; i < cpus; i++) {
        got[i] = 0;
        if (row->expected == LAST ? i == cpus - 1 : row->expected >> i & 1)
            expected |= 1u << 4 * i;
    }
    apic_send(row->destination, row->icr);
    interrupts_on();
    wait(PATIENCE, expected);
    wait(SETTLE, UINT32_MAX);
    interrupts_off();
    is(digits(), expected, "%s: %s", names[model], row->name);
}

static void test_illegal(void)
{
    apic_write(APIC_ESR, 0);
    apic_send(1, 0xf);
    apic_write(APIC_ESR, 0);
    is(apic_read(APIC_ESR), ESR_SEND, "%s: a vector below 16 is an error", names[model]);
}

static void test_model(enum model which, const struct row *rows, unsigned count)
{
    unsigned started = 0;

    model = which;
    enable();
    for (unsigned i = 1; i < cpus; i++) {
        ready = false;
        started += ap_start(i, member);
        for (uint64_t start = rdtsc(); !ready && rdtsc() - start < PATIENCE;)
            cpu_relax();
    }
    is(started, cpus - 1, "%s: the others start", names[model]);
    for (unsigned i = 0; i < count; i++)
        test_row(&rows[i]);
    for (unsigned i = 0; i < sizeof(common) / sizeof(common[0]); i++)
        test_row(&common[i]);
    test_illegal();
}

void guest_main(void)
{
    cpus = cpuid(0xb, 1).ebx;
    if (cpus < 2 || cpus > MAX_CPUS)
        bail_out("%u vCPUs; two to four are wanted", cpus);
    interrupt_handle(VECTOR, on_interrupt);
    interrupt_handle(NMI_VECTOR, on_nmi);
    test_model(FLAT, flat, sizeof(flat) / sizeof(flat[0]));
    test_model(CLUSTER, cluster, sizeof(cluster) / sizeof(cluster[0]));
    if (has_x2apic())
        test_model(X2, x2, sizeof(x2) / sizeof(x2[0]));
}
