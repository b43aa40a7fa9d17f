/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio over PCI, by the entropy device: it is there wherever RDRAND is. */
#include "guests/lib/virtio.h"
#include "guests/lib/guest.h"

#define VECTOR       0x60
#define BUFFER       64
#define CPUID_RDRAND 30

#define PCI_BAR_PORTS  0x10
#define PCI_BAR_MEMORY 0x14
#define OTHER_PORTS    0xcfe0
#define OTHER_MEMORY   0xeffe0000u
#define FEATURES       (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC)
#define NO_WHERE       0xffff000000000000ULL

static struct virtio rng;
static uint8_t *buffer;

#define PATIENCE 2000000

static void take_interrupts(void)
{
    for (unsigned i = 0; i < 100; i++)
        __asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

/* A kick need not be answered at once: waits until everything offered has been used, or the device
 * has stopped, and takes the interrupts. */
static void wait_until_used(void)
{
    for (unsigned i = 0; i < PATIENCE && rng.queue.used->index != rng.queue.available->index &&
                         !(rng.common->status & VIRTIO_NEEDS_RESET);
         i++)
        cpu_relax();
    take_interrupts();
}

static void clear(void)
{
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        buffer[i] = 0;
    virtio_interrupts = virtio_changes = 0;
}

/* How many of the buffer's bytes are not zero. */
static unsigned filled(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < PAGE_SIZE; i++)
        count += buffer[i] != 0;
    return count;
}

static void describe(unsigned index, uint64_t address, uint32_t size, uint16_t flags)
{
    rng.queue.descriptors[index] = (struct virtq_descriptor){address, size, flags, 0};
}

static void test_request(const char *name)
{
    uint32_t written = 0;

    clear();
    describe(3, (uintptr_t)buffer, BUFFER, VIRTQ_WRITE);
    virtio_offer(&rng, 3);
    wait_until_used();
    is((uint64_t)virtio_take(&rng, &written), 3, "%s: the chain is used", name);
    is(written, BUFFER, "%s: all of it is written", name);
    ok(filled() > BUFFER / 2 && filled() <= BUFFER, "%s: with random bytes, and no more", name);
    is(virtio_interrupts, 1, "%s: an interrupt tells of it", name);
    is((uint64_t)virtio_take(&rng, &written), (uint64_t)-1, "%s: nothing else is used", name);
}

/* 2.7.7: no interrupt before the entry that the driver names. */
static void test_event_idx(void)
{
    uint32_t written;

    clear();
    rng.queue.available->used_event = rng.queue.taken + 1;
    virtio_offer(&rng, 3);
    wait_until_used();
    is(virtio_interrupts, 0, "no interrupt for an entry before used_event");
    virtio_offer(&rng, 3);
    wait_until_used();
    is(virtio_interrupts, 1, "an interrupt for the entry at used_event");
    is(rng.queue.used->available_event, rng.queue.available->index,
       "available_event names the next entry");
    while (virtio_take(&rng, &written) >= 0)
        ;
    rng.queue.available->used_event = rng.queue.taken;
}

static void test_indirect(void)
{
    struct virtq_descriptor *table = page_alloc();
    uint32_t written = 0;

    clear();
    table[0] = (struct virtq_descriptor){(uintptr_t)buffer, 8, VIRTQ_WRITE | VIRTQ_NEXT, 2};
    table[2] = (struct virtq_descriptor){(uintptr_t)buffer + 8, 24, VIRTQ_WRITE, 0};
    describe(5, (uintptr_t)table, 3 * sizeof(*table), VIRTQ_INDIRECT);
    virtio_offer(&rng, 5);
    wait_until_used();
    is((uint64_t)virtio_take(&rng, &written), 5, "a chain in an indirect table is used");
    is(written, 32, "both of its buffers are written");
}

/* A message that is masked waits. */
static void test_mask(void)
{
    uint32_t written;

    clear();
    rng.queue.available->used_event = rng.queue.taken;
    rng.vectors[3] = 1;
    virtio_offer(&rng, 3);
    wait_until_used();
    is(virtio_interrupts, 0, "a masked vector sends no message");
    rng.vectors[3] = 0;
    take_interrupts();
    is(virtio_interrupts, 1, "its message comes when the mask goes");
    virtio_take(&rng, &written);
    rng.queue.available->used_event = rng.queue.taken;
}

/* Who has no MSI-X looks at the ISR status, and gets no interrupt. */
static void test_without_msix(void)
{
    uint32_t written = 0;

    clear();
    pci_write(rng.device, rng.msix + 2, 2, 0);
    virtio_offer(&rng, 3);
    wait_until_used();
    is(*rng.isr, 1, "without MSI-X the ISR status tells");
    is(*rng.isr, 0, "and reading it clears it");
    is((uint64_t)virtio_take(&rng, &written), 3, "the chain is used as ever");
    take_interrupts();
    is(virtio_interrupts, 0, "there is no interrupt");
}

static void test_moved(void)
{
    uint32_t ports = pci_read(rng.device, PCI_BAR_PORTS, 4);
    uint32_t memory = pci_read(rng.device, PCI_BAR_MEMORY, 4);

    pci_write(rng.device, PCI_BAR_PORTS, 4, OTHER_PORTS);
    pci_write(rng.device, PCI_BAR_MEMORY, 4, OTHER_MEMORY);
    is(rng.common->queues, 0xffff, "nothing is where the registers were");
    virtio_locate(&rng);
    is(rng.common->queues, 1, "the registers are where the BAR is now");
    ok(virtio_start(&rng, FEATURES, VECTOR), "it starts there");
    test_request("moved");
    pci_write(rng.device, PCI_BAR_PORTS, 4, ports);
    pci_write(rng.device, PCI_BAR_MEMORY, 4, memory);
    virtio_locate(&rng);
}

/* 2.1.2: the device stops for what is no chain, tells so, and a reset brings it back. */
static void test_wild(uint64_t address, uint32_t size, uint16_t flags, const char *name)
{
    uint32_t written;

    virtio_start(&rng, FEATURES, VECTOR);
    clear();
    describe(0, address, size, flags);
    virtio_offer(&rng, 0);
    wait_until_used();
    is((uint64_t)virtio_take(&rng, &written), (uint64_t)-1, "%s is not used", name);
    ok(rng.common->status & VIRTIO_NEEDS_RESET, "%s: the device needs a reset", name);
    is(virtio_changes, 1, "%s: an interrupt tells of it", name);
}

void guest_main(void)
{
    bool there = virtio_find(&rng, VIRTIO_ID_ENTROPY);

    is(there, cpuid(1, 0).ecx >> CPUID_RDRAND & 1, "there is an entropy device if there is RDRAND");
    if (!there)
        return;
    apic_enable(APIC_MEMORY);
    virtio_count_interrupts(VECTOR);
    buffer = page_alloc();
    is(rng.common->status, 0, "it is reset");
    ok(!virtio_start(&rng, FEATURES & ~VIRTIO_F_VERSION_1, VECTOR), "a legacy driver is refused");
    ok(virtio_start(&rng, FEATURES, VECTOR), "it starts");
    is(rng.features, FEATURES, "it has version 1, EVENT_IDX and INDIRECT_DESC");
    test_request("a request");
    test_event_idx();
    test_indirect();
    test_mask();
    test_without_msix();
    test_moved();
    test_wild(NO_WHERE, 16, VIRTQ_WRITE, "a buffer where no memory is");
    test_wild(memory_end() - 8, 16, VIRTQ_WRITE, "a buffer beyond the memory's end");
    test_wild((uintptr_t)buffer, 16, VIRTQ_WRITE | VIRTQ_NEXT, "a loop");
    ok(virtio_start(&rng, FEATURES, VECTOR), "it starts again");
    test_request("after a reset");
}
