/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM with several vCPUs (R20, R21): what INIT and SIPI make of them, IPIs between them, all of
 * them with their monitor at once, in xAPIC and then in x2APIC mode; all that behind a start of the
 * machine anew while all of them run. With "apart" on the command line they are on several CPUs,
 * and a kick that comes before an entry is not taken in an emulator while the guest has not set IF
 * (docs/emulator.md): nor is an NMI before the first instruction.
 */
#include "guests/lib/ap.h"
#include "guests/lib/guest.h"
#include "guests/lib/virtio.h"
#include "lib/string.h"

#define CMOS_FREE    0x60
#define MARK         0xa8
#define LAST_MARK    0xa9
#define VECTOR       0x61
#define NMI_VECTOR   2
#define ROUNDS       100
#define NMI_ROUNDS   10
#define NMI_STEP     3000     /* TSC ticks: a SIPI and its NMI are further apart in each round */
#define PATIENCE     50000000 /* TSC ticks */
#define MAX_CPUS     8
#define ICR_DELIVERY 0x700
#define CR0_CD_NW    0x60000000
#define PORT_ROUNDS  200
#define CMOS_SCRATCH 0x40

static unsigned cpus;
static enum apic_mode mode;
static volatile uint64_t counter[MAX_CPUS];
static volatile unsigned pings, pongs, nmis, wrong, finished;
static volatile bool go;

static bool wait_for(volatile unsigned *what, unsigned value)
{
    for (uint64_t start = rdtsc(); *what != value;) {
        if (rdtsc() - start > PATIENCE)
            return false;
        cpu_relax();
    }
    return true;
}

static unsigned self(void)
{
    return apic_read(APIC_ID) >> (mode == APIC_X2 ? 0 : 24);
}

static void sleep(void)
{
    for (;;)
        __asm__ volatile("hlt");
}

/* SDM volume 3, "Processor State After Reset": what INIT leaves; caches: of CR0. */
static void test_state(const char *when, uint32_t caches)
{
    is(ap_state.eax | ap_state.ebx | ap_state.ecx | ap_state.esi | ap_state.edi | ap_state.ebp |
           ap_state.esp,
       0, "%s: the general registers are 0", when);
    is(ap_state.edx, cpuid(1, 0).eax, "%s: EDX has family, model and stepping", when);
    is(ap_state.flags, 2, "%s: EFLAGS", when);
    is(ap_state.cr0, caches | 0x10, "%s: CR0", when);
    is(ap_state.cr2 | ap_state.cr3 | ap_state.cr4, 0, "%s: CR2, CR3 and CR4 are 0", when);
    is(ap_state.dr0 | ap_state.dr1 | ap_state.dr2 | ap_state.dr3, 0, "%s: DR0 to DR3 are 0", when);
    is(ap_state.dr6, 0xffff0ff0, "%s: DR6", when);
    is(ap_state.dr7, 0x400, "%s: DR7", when);
    is(ap_state.cs, AP_PAGE >> 4, "%s: CS is the vector's", when);
    is(ap_state.ds | ap_state.es | ap_state.fs | ap_state.gs | ap_state.ss, 0,
       "%s: the other segments are 0", when);
    is(ap_state.gdt_limit, 0xffff, "%s: GDTR's limit", when);
    is(ap_state.idt_limit, 0xffff, "%s: IDTR's limit", when);
    is(ap_state.gdt_base_low | ap_state.gdt_base_high | ap_state.idt_base_low |
           ap_state.idt_base_high,
       0, "%s: GDTR and IDTR have base 0", when);
    is(ap_state.efer, 0, "%s: IA32_EFER is 0", when);
}

static volatile uint64_t kept_star, kept_pat, kept_xmm, apic_svr, apic_lvt, apic_tpr, apic_irr;

/* Leaves something in each register that INIT resets, or keeps. */
static void spoil(void)
{
    apic_enable(mode);
    apic_write(APIC_TPR, 0x90);
    apic_write(APIC_LVT_TIMER, VECTOR);
    apic_self_ipi(VECTOR);
    write_dr0(0x1234);
    wrmsr(MSR_IA32_STAR, 0x1234567800000000);
    wrmsr(MSR_IA32_SYSENTER_EIP, 0x1234);
    wrmsr(MSR_IA32_GS_BASE, 0x1234);
    write_cr4(read_cr4() | CR4_OSFXSR);
    __asm__ volatile("movq %0, %%xmm3" : : "r"(0x1122334455667788));
    counter[self()] = 1;
    sleep();
}

static void report_kept(void)
{
    uint64_t xmm;

    write_cr4(read_cr4() | CR4_OSFXSR);
    __asm__ volatile("movq %%xmm3, %0" : "=r"(xmm));
    kept_xmm = xmm;
    kept_star = rdmsr(MSR_IA32_STAR);
    kept_pat = rdmsr(MSR_IA32_SYSENTER_EIP);
    apic_svr = apic_read(APIC_SVR);
    apic_lvt = apic_read(APIC_LVT_TIMER);
    apic_tpr = apic_read(APIC_TPR);
    apic_irr = (uint64_t)apic_vector_bit(APIC_IRR, VECTOR);
    counter[self()] = 2;
    sleep();
}

static bool reaches(unsigned id, uint64_t value)
{
    for (uint64_t start = rdtsc(); counter[id] != value;) {
        if (rdtsc() - start > PATIENCE)
            return false;
        cpu_relax();
    }
    return true;
}

static void test_start(void)
{
    ok(ap_start(1, spoil), "vCPU 1 starts");
    if (mode == APIC_MEMORY)
        test_state("power-up", CR0_CD_NW);
    is(ap_state.apic_base, APIC_PAGE | APIC_BASE_ENABLE, "vCPU 1's IA32_APIC_BASE");
    ok(reaches(1, 1), "it runs");
    ap_send_sipi(1);
    ok(reaches(1, 1), "a SIPI without INIT changes nothing");
    ok(ap_start(1, report_kept), "it starts again");
    test_state("INIT", 0);
    is(ap_state.apic_base, APIC_PAGE | APIC_BASE_ENABLE | (mode == APIC_X2 ? APIC_BASE_X2APIC : 0),
       "INIT: IA32_APIC_BASE stays");
    ok(reaches(1, 2), "it runs again");
    is(kept_star, 0x1234567800000000, "INIT: IA32_STAR stays");
    is(kept_pat, 0x1234, "INIT: IA32_SYSENTER_EIP stays");
    is(kept_xmm, 0x1122334455667788, "INIT: XMM3 stays");
    is(apic_svr, 0xff, "INIT: the local APIC's SVR");
    is(apic_lvt, LVT_MASKED, "INIT: its timer is masked");
    is(apic_tpr, 0, "INIT: its TPR is 0");
    is(apic_irr, 0, "INIT: nothing is pending in it");
    for (unsigned i = 2; i < cpus; i++)
        ok(ap_start(i, sleep), "vCPU %u starts", i);
}

static void on_ping(struct interrupt_frame *frame)
{
    apic_eoi();
    if (self() == 0) {
        pongs++;
    } else {
        pings++;
        apic_send(0, VECTOR);
    }
}

static void answer_halted(void)
{
    apic_enable(mode);
    counter[1] = 3;
    interrupts_on();
    sleep();
}

static void answer_spinning(void)
{
    apic_enable(mode);
    counter[1] = 4;
    interrupts_on();
    for (;;)
        cpu_relax();
}

static void spin_deaf(void)
{
    apic_enable(mode);
    counter[1] = 8;
    for (;;)
        cpu_relax();
}

static void test_ping(const char *how, void (*answer)(void), uint64_t value)
{
    pings = pongs = 0;
    ok(ap_start(1, answer) && reaches(1, value), "%s: vCPU 1 starts", how);
    for (unsigned i = 1; i <= ROUNDS; i++) {
        uint64_t start = rdtsc();
        apic_send(1, VECTOR);
        interrupts_on();
        while (pongs != i && rdtsc() - start < PATIENCE)
            cpu_relax();
        interrupts_off();
    }
    is(pings, ROUNDS, "%s: each IPI arrives, once", how);
    is(pongs, ROUNDS, "%s: and each answer", how);
}

static void on_nmi(struct interrupt_frame *frame)
{
    nmis++;
}

static void test_nmi(void)
{
    nmis = 0;
    apic_send(1, ICR_NMI);
    ok(wait_for(&nmis, 1), "an NMI reaches a vCPU");
    ok(ap_start(1, spin_deaf) && reaches(1, 8), "one spins with interrupts off");
    apic_send(1, ICR_NMI);
    ok(wait_for(&nmis, 2), "an NMI reaches it");
    ok(ap_start(1, answer_spinning) && reaches(1, 4), "and it starts again");
    pings = 0;
    interrupts_on();
    apic_send(0, ICR_OTHERS | VECTOR);
    ok(wait_for(&pings, 1), "an IPI to all but itself arrives where the APIC is on");
    interrupts_off();
}

/* Behind a SIPI the CPU runs, and takes an NMI: before its first instruction at the earliest. A
 * line is printed behind the rounds alone: it would take the time before the other vCPU's turn. */
static void test_early_nmi(void)
{
    unsigned started = 0, early = 0, lost = 0;

    for (unsigned i = 0; i < NMI_ROUNDS; i++) {
        nmis = 0;
        ap_prepare(1, sleep);
        apic_send(1, ICR_INIT);
        ap_send_sipi(1);
        for (uint64_t sent = rdtsc(); rdtsc() - sent < i * NMI_STEP;)
            continue;
        apic_send(1, ICR_NMI);
        started += ap_arrives();
        if (ap_early_nmis() == 0)
            wait_for(&nmis, 1);
        early += ap_early_nmis();
        lost += ap_early_nmis() + nmis != 1;
    }
    is(started, NMI_ROUNDS, "with an NMI behind its SIPI a vCPU starts");
    is(lost, 0, "no such NMI is lost");
    if (strcmp(command_line(), "apart") == 0)
        skip("from another CPU they come later", "some come before its first instruction");
    else
        ok(early > 0, "some come before its first instruction: %u", early);
}

static struct virtio rng;

static void ask_for_bytes(void)
{
    counter[1] = 6;
    virtio_offer(&rng, 0);
    for (;;)
        ;
}

/* The answer's interrupt is an INIT of the vCPU whose exit led to it: that one has its monitor. */
static void test_init_by_device(void)
{
    static uint8_t bytes[16];

    if (!virtio_find(&rng, VIRTIO_ID_ENTROPY))
        return;
    ok(virtio_start(&rng, VIRTIO_F_VERSION_1, VECTOR), "a device whose interrupt is an INIT");
    rng.vectors[0] = APIC_PAGE | 1 << 12;
    rng.vectors[2] = ICR_INIT & ICR_DELIVERY;
    rng.queue.descriptors[0] =
        (struct virtq_descriptor){(uintptr_t)bytes, sizeof(bytes), VIRTQ_WRITE, 0};
    ap_prepare(1, ask_for_bytes);
    apic_send(1, ICR_INIT);
    ap_send_sipi(1); /* a second one might start it again behind the device's INIT */
    ok(ap_arrives() && reaches(1, 6), "vCPU 1 asks it for something");
    for (uint64_t start = rdtsc(); rng.queue.used->index == 0 && rdtsc() - start < PATIENCE;)
        cpu_relax();
    is(rng.queue.used->index, 1, "and gets it");
    ap_prepare(1, sleep);
    ap_send_sipi(1);
    ok(ap_arrives(), "the INIT has come: a SIPI starts vCPU 1 anew");
}

/* R20: the index is its own, whatever the others do. */
static void use_ports(void)
{
    unsigned me;

    apic_enable(mode);
    me = self();
    for (unsigned i = 0; i < PORT_ROUNDS; i++) {
        uint8_t value = (uint8_t)(i * MAX_CPUS + me);

        outb(CMOS_INDEX, (uint8_t)(CMOS_SCRATCH + me));
        outb(CMOS_DATA, value);
        outl(0xcf8, 0x80000000 | me << 11);
        if (inb(CMOS_DATA) != value || inl(0xcf8) != (0x80000000 | me << 11))
            __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
    }
    __atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
    if (me != 0)
        sleep();
}

static void test_ports(void)
{
    unsigned started = 0;

    wrong = finished = 0;
    for (unsigned i = 1; i < cpus; i++)
        started += ap_start(i, use_ports);
    is(started, cpus - 1, "all begin with their ports");
    use_ports();
    ok(wait_for(&finished, cpus), "all come to their end");
    is(wrong, 0, "with the right answers");
}

static void count_start(void)
{
    counter[1]++;
    for (;;) /* some are taken off while they spin, some with an exit under way */
        if (counter[1] & 1)
            inb(0x80);
}

static void test_again(void)
{
    unsigned came = 0;

    counter[1] = 0;
    for (unsigned i = 0; i < ROUNDS; i++)
        came += ap_start(1, count_start);
    is(came, ROUNDS, "a vCPU is put off and started again %u times", ROUNDS);
    is(counter[1], ROUNDS, "and begins as often");
}

static void spin_without(void)
{
    counter[1] = 5;
    for (;;)
        ;
}

static void test_beside(void)
{
    ok(ap_start(1, spin_without) && reaches(1, 5), "a vCPU spins with interrupts off");
    for (unsigned i = 0; i < 3; i++)
        diag("the other one goes on, line %u of a serial port that its monitor drives", i + 1);
    apic_write(APIC_LVT_TIMER, VECTOR);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    pongs = 0;
    apic_write(APIC_INITIAL_COUNT, 20000);
    sti_hlt_cli();
    is(pongs, 1, "the other one has its timer");
}

static void count_for_ever(void)
{
    apic_enable(mode);
    for (unsigned me = self();;) {
        counter[me]++;
        if (me & 1)
            inb(0x80);
    }
}

/* Of the first vCPU, and then of the last one. */
static void reset_beside(uint8_t mark, void (*on_last)(void))
{
    apic_enable(mode = has_x2apic() ? APIC_X2 : APIC_MEMORY);
    cmos_write(CMOS_FREE, mark);
    for (unsigned i = 1; i < cpus; i++)
        if (!ap_start(i, i == cpus - 1 ? on_last : count_for_ever))
            bail_out("vCPU %u does not start", i);
    if (on_last == count_for_ever)
        reset();
    for (;;)
        inb(0x80);
}

static void test_all(enum apic_mode in)
{
    mode = in;
    apic_enable(mode);
    diag("%s", mode == APIC_X2 ? "x2APIC mode" : "xAPIC mode");
    test_start();
    test_ping("halted", answer_halted, 3);
    test_ping("spinning", answer_spinning, 4);
    test_nmi();
    test_early_nmi();
    test_init_by_device();
    test_ports();
    test_again();
    test_beside();
}

void guest_main(void)
{
    cpus = cpuid(0xb, 1).ebx;
    interrupt_handle(VECTOR, on_ping);
    interrupt_handle(NMI_VECTOR, on_nmi);
    if (cmos_read(CMOS_FREE) == MARK)
        reset_beside(LAST_MARK, reset);
    if (cmos_read(CMOS_FREE) != LAST_MARK)
        reset_beside(MARK, count_for_ever);
    cmos_write(CMOS_FREE, 0);
    for (uint64_t start = rdtsc(); rdtsc() - start < 1000000;)
        ;
    is(counter[1] | counter[cpus - 1], 0, "the machine has started again, the others are off");
    test_all(APIC_MEMORY);
    if (has_x2apic())
        test_all(APIC_X2);
}
