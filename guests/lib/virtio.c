/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver: see virtio.h. */
#include "guests/lib/virtio.h"

#include <stddef.h>

#include "guests/lib/apic.h"
#include "guests/lib/cpu.h"
#include "guests/lib/interrupt.h"
#include "guests/lib/memory.h"
#include "lib/string.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define PCI_ENABLE  0x80000000u
#define PCI_COMMAND 0x04
#define PCI_BAR     0x10
#define PCI_CAPS    0x34
#define PCI_ALL_ON  0x7 /* ports, memory, bus mastering */
#define PCI_DEVICES 32
#define VIRTIO_IDS  (0x1040u << 16 | 0x1af4u)
#define CAP_MSIX    0x11
#define CAP_VENDOR  0x09
#define MSIX_ENABLE 0x8000
#define MSI_ADDRESS 0xfee00000u
#define BAR_IO      1
#define BAR_64      4
#define TABLE_BAR   7

enum { CAP_COMMON = 1, CAP_NOTIFY, CAP_ISR, CAP_DEVICE };

static void pci_select(uint32_t device, uint32_t offset)
{
    outl(PCI_ADDRESS, PCI_ENABLE | device << 11 | (offset & ~3u));
}

uint32_t pci_read(uint32_t device, uint32_t offset, unsigned size)
{
    pci_select(device, offset);
    return inl(PCI_DATA) >> offset % 4 * 8 & UINT32_MAX >> (32 - 8 * size);
}

void pci_write(uint32_t device, uint32_t offset, unsigned size, uint32_t value)
{
    pci_select(device, offset);
    if (size == 1)
        outb((uint16_t)(PCI_DATA + offset % 4), (uint8_t)value);
    else if (size == 2)
        outw((uint16_t)(PCI_DATA + offset % 4), (uint16_t)value);
    else
        outl(PCI_DATA, value);
}

static uint64_t bar_base(const struct virtio *v, uint32_t bar)
{
    uint32_t low = pci_read(v->device, PCI_BAR + 4 * bar, 4);

    if (low & BAR_IO)
        return low & ~3u;
    if (low & BAR_64)
        return (uint64_t)pci_read(v->device, PCI_BAR + 4 * bar + 4, 4) << 32 | (low & ~15u);
    return low & ~15u;
}

static void locate(struct virtio *v, uint32_t at)
{
    uint32_t bar = pci_read(v->device, at + 4, 1);
    uint64_t base = bar_base(v, bar) + pci_read(v->device, at + 8, 4);

    switch (pci_read(v->device, at + 3, 1)) {
    case CAP_COMMON:
        v->common = (struct virtio_common *)base;
        break;
    case CAP_NOTIFY:
        v->doorbells = base;
        v->doorbells_are_ports = pci_read(v->device, PCI_BAR + 4 * bar, 4) & BAR_IO;
        v->doorbell_multiplier = pci_read(v->device, at + 16, 4);
        break;
    case CAP_ISR:
        v->isr = (volatile uint8_t *)base;
        break;
    case CAP_DEVICE:
        v->config = (volatile uint8_t *)base;
        break;
    }
}

void virtio_locate(struct virtio *v)
{
    for (uint32_t at = pci_read(v->device, PCI_CAPS, 1); at != 0;
         at = pci_read(v->device, at + 1, 1)) {
        uint32_t id = pci_read(v->device, at, 1), table;

        if (id == CAP_VENDOR)
            locate(v, at);
        if (id != CAP_MSIX)
            continue;
        table = pci_read(v->device, at + 4, 4);
        v->msix = at;
        v->vectors = (volatile uint32_t *)(bar_base(v, table & TABLE_BAR) + (table & ~TABLE_BAR));
    }
}

bool virtio_find(struct virtio *v, uint16_t id)
{
    for (uint32_t device = 0; device < PCI_DEVICES; device++) {
        if (pci_read(device, 0, 4) != VIRTIO_IDS + ((uint32_t)id << 16))
            continue;
        *v = (struct virtio){.device = device};
        pci_write(device, PCI_COMMAND, 2, PCI_ALL_ON);
        virtio_locate(v);
        return true;
    }
    return false;
}

bool virtio_negotiate(struct virtio *v, uint64_t wanted)
{
    struct virtio_common *c = v->common;

    c->status = 0;
    while (c->status != 0)
        cpu_relax();
    c->status = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER;
    c->offered_select = 1;
    v->features = (uint64_t)c->offered << 32;
    c->offered_select = 0;
    v->features = (v->features | c->offered) & wanted;
    for (uint32_t half = 0; half < 2; half++) {
        c->accepted_select = half;
        c->accepted = (uint32_t)(v->features >> 32 * half);
    }
    c->status = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK;
    return c->status & VIRTIO_FEATURES_OK;
}

static void set_vector(struct virtio *v, unsigned entry, uint8_t vector)
{
    volatile uint32_t *e = v->vectors + 4 * entry;

    e[0] = MSI_ADDRESS;
    e[1] = 0;
    e[2] = vector;
    e[3] = 0;
}

static void set_address(volatile uint32_t *field, const volatile void *address)
{
    field[0] = (uint32_t)(uintptr_t)address;
    field[1] = (uint32_t)((uintptr_t)address >> 32);
}

void virtio_set_vectors(struct virtio *v, uint8_t vector)
{
    set_vector(v, 0, vector);
    set_vector(v, 1, vector + 1);
    pci_write(v->device, v->msix + 2, 2, MSIX_ENABLE);
    v->common->config_vector = 1;
}

volatile unsigned virtio_interrupts, virtio_changes;

static void on_interrupt(struct interrupt_frame *frame)
{
    virtio_interrupts++;
    apic_eoi();
}

static void on_change(struct interrupt_frame *frame)
{
    virtio_changes++;
    apic_eoi();
}

void virtio_count_interrupts(uint8_t vector)
{
    interrupt_handle(vector, on_interrupt);
    interrupt_handle(vector + 1u, on_change);
}

/* A queue that was there before begins anew in its pages. */
static void *page_for(volatile void *before)
{
    return before == NULL ? page_alloc() : memset((void *)before, 0, PAGE_SIZE);
}

bool virtio_add_queue(struct virtio *v, struct virtq *q, uint16_t number, uint16_t vector)
{
    struct virtio_common *c = v->common;

    *q = (struct virtq){.descriptors = page_for(q->descriptors),
                        .available = page_for(q->available),
                        .used = page_for(q->used),
                        .number = number};
    c->queue_select = number;
    q->doorbell = v->doorbells + c->queue_notify_off * v->doorbell_multiplier;
    c->queue_size = VIRTQ_SIZE;
    c->queue_vector = vector;
    set_address(c->descriptors, q->descriptors);
    set_address(c->available, q->available);
    set_address(c->used, q->used);
    c->queue_enable = 1;
    return c->queue_enable == 1;
}

bool virtio_driver_ok(struct virtio *v)
{
    v->common->status = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK;
    return !(v->common->status & VIRTIO_NEEDS_RESET);
}

bool virtio_start(struct virtio *v, uint64_t features, uint8_t vector)
{
    if (!virtio_negotiate(v, features))
        return false;
    virtio_set_vectors(v, vector);
    return virtio_add_queue(v, &v->queue, 0, 0) && virtio_driver_ok(v);
}

void virtio_kick(const struct virtio *v, const struct virtq *q)
{
    if (v->doorbells_are_ports)
        outw((uint16_t)q->doorbell, q->number);
    else
        *(volatile uint16_t *)q->doorbell = q->number;
}

/* 2.7.10.1 */
void virtq_offer_all(const struct virtio *v, struct virtq *q, const uint16_t *heads, unsigned count)
{
    uint16_t index = q->available->index, event;

    for (unsigned i = 0; i < count; i++)
        q->available->ring[(index + i) % VIRTQ_SIZE] = heads[i];
    q->available->index = (uint16_t)(index + count);
    __asm__ volatile("mfence" : : : "memory");
    event = q->used->available_event;
    if (v->features & VIRTIO_F_EVENT_IDX ? (uint16_t)(event - index) < count
                                         : !(q->used->flags & 1))
        virtio_kick(v, q);
}

void virtq_offer(const struct virtio *v, struct virtq *q, uint16_t head)
{
    virtq_offer_all(v, q, &head, 1);
}

void virtio_offer(struct virtio *v, uint16_t head)
{
    virtq_offer(v, &v->queue, head);
}

void virtio_offer_all(struct virtio *v, const uint16_t *heads, unsigned count)
{
    virtq_offer_all(v, &v->queue, heads, count);
}

int virtq_take(struct virtq *q, uint32_t *written)
{
    uint16_t slot = q->taken % VIRTQ_SIZE;

    if (q->used->index == q->taken)
        return -1;
    q->taken++;
    *written = q->used->ring[slot].size;
    return (int)q->used->ring[slot].id;
}

int virtio_take(struct virtio *v, uint32_t *written)
{
    return virtq_take(&v->queue, written);
}
