/* SPDX-License-Identifier: BSD-2-Clause */
#include "guests/lib/ap.h"

#include "guests/lib/guest.h"
#include "lib/string.h"

#define STACK_SIZE 0x2000
#define CPUS       8

#define NMI_VECTOR 2

extern const uint8_t ap_begin[], ap_found[], ap_on_nmi[], ap_nmis[], ap_end[];
extern const struct ap_gdt_pointer gdt_pointer;

uint64_t ap_stack; /* read by ap.S */
volatile struct ap_state ap_state;
static uint8_t stacks[CPUS][STACK_SIZE] __attribute__((aligned(16)));
static void (*volatile to_run)(void);
static volatile bool arrived;
static volatile uint64_t patience = 20000000; /* TSC ticks; a debugger gives more */
static struct descriptor_table idt;

_Static_assert(sizeof(struct ap_state) == 120, "ap.S knows where each is");

void apic_send(uint32_t destination, uint32_t icr)
{
    if (rdmsr(MSR_IA32_APIC_BASE) & APIC_BASE_X2APIC) {
        wrmsr(MSR_IA32_X2APIC + APIC_ICR / 16, (uint64_t)destination << 32 | icr);
    } else {
        apic_write(APIC_ICR_HIGH, destination << 24);
        apic_write(APIC_ICR, icr);
    }
}

void ap_arrive(void);

/* On the other CPU. */
void ap_arrive(void)
{
    void (*run)(void) = to_run;

    lidt(&idt);
    arrived = true;
    run();
}

void ap_send_sipi(uint32_t id)
{
    apic_send(id, ICR_SIPI | AP_VECTOR);
}

void ap_prepare(uint32_t id, void (*run)(void))
{
    uint32_t *volatile vectors = NULL; /* those of real mode */

    memcpy((uint8_t *)AP_PAGE, ap_begin, (size_t)(ap_end - ap_begin));
    vectors[NMI_VECTOR] = AP_PAGE >> 4 << 16 | (uint32_t)(ap_on_nmi - ap_begin);
    __asm__ volatile("sidt %0" : "=m"(idt));
    ap_stack = (uintptr_t)stacks[id] + STACK_SIZE;
    to_run = run;
    arrived = false;
}

bool ap_arrives(void)
{
    for (uint64_t start = rdtsc(); !arrived && rdtsc() - start < patience;)
        cpu_relax();
    memcpy((void *)&ap_state, (uint8_t *)AP_PAGE + (ap_found - ap_begin), sizeof(ap_state));
    return arrived;
}

uint32_t ap_early_nmis(void)
{
    return *(volatile uint32_t *)(AP_PAGE + (uintptr_t)(ap_nmis - ap_begin));
}

bool ap_start(uint32_t id, void (*run)(void))
{
    ap_prepare(id, run);
    apic_send(id, ICR_INIT);
    ap_send_sipi(id);
    ap_send_sipi(id);
    return ap_arrives();
}
