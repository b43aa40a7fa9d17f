/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/cpu/park.h"

#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/layout.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/report/log.h"
#include "lib/bits.h"
#include "lib/string.h"

#define INIT_US     10000  /* between INIT and SIPI */
#define SIPI_US     200    /* between the two SIPIs */
#define PATIENCE_US 100000 /* then a CPU that has not come is broken */

/* park.S */
extern const uint8_t park_code[], park_code_end[], park_idt_base[], park_vectors[], park_awake[];

_Static_assert(PARK_PAGE_SIZE == PAGE_SIZE, "the stack begins at the page's end");

static void wait(uint64_t microseconds)
{
    uint64_t end = rdtsc() + tsc_khz() * microseconds / 1000;

    while (rdtsc() < end)
        cpu_relax();
}

/* Where what a label of park.S names is in the page. */
static volatile uint32_t *in_page(uint8_t *page, const uint8_t *label)
{
    return (volatile uint32_t *)(page + (label - park_code));
}

/* The page as the CPUs need it; returns where they count themselves. */
static volatile uint32_t *prepare(uint64_t phys)
{
    uint8_t *page = host_map(phys, PAGE_SIZE, PAGING_W | PAGING_NX);

    memcpy(page, park_code, (size_t)(park_code_end - park_code));
    *in_page(page, park_idt_base) = (uint32_t)(phys + (uint64_t)(park_vectors - park_code));
    for (const uint8_t *vector = park_vectors; vector < park_awake; vector += 4)
        *in_page(page, vector) |= (uint32_t)(phys >> 4) << 16;
    return in_page(page, park_awake);
}

/* Sends the same to each of the others. */
static void send_all(const uint32_t *ids, uint32_t count, uint32_t command)
{
    for (uint32_t i = 0; i < count; i++)
        if (ids[i] != apic_id())
            apic_send(ids[i], command);
}

void park_others(const uint32_t *ids, uint32_t count, uint64_t page)
{
    uint32_t others = count > 0 ? count - 1 : 0, sipi;

    if (others == 0)
        return;
    if (page == PHYS_MAP_NONE) {
        log_line("%u other CPUs stay where the firmware left them: no memory below 1 MiB", others);
        return;
    }
    volatile uint32_t *awake = prepare(page);

    sipi = APIC_SEND_SIPI | (uint32_t)(page / PAGE_SIZE);
    send_all(ids, count, APIC_SEND_INIT);
    wait(INIT_US);
    send_all(ids, count, sipi);
    wait(SIPI_US);
    send_all(ids, count, sipi);
    for (uint64_t start = rdtsc();
         *awake < others && rdtsc() - start < tsc_khz() * PATIENCE_US / 1000;)
        cpu_relax();
    log_line("%u of %u other CPUs are parked", *awake, others);
}
