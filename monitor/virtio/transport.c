/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio over PCI: see transport.h. Section numbers are those of virtio 1.2. */
#include "monitor/virtio/transport.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "monitor/gate.h"

#define VENDOR      0x1af4u
#define DEVICE      0x1040u /* + the device ID (4.1.2) */
#define REVISION    1u
#define STATUS_INTX 0x08u
#define NO_VECTOR   0xffffu
#define ISR_QUEUE   1u
#define ISR_CONFIG  2u
#define STATUS_BITS 0xcfu /* of the device status, those that are defined */

/* BAR 0 has a doorbell of 4 bytes for each queue; BAR 1 the registers. */
enum { BAR_DOORBELLS, BAR_REGISTERS };
#define DOORBELL       4u
#define DOORBELL_OFF   64u /* no bit */
#define DOORBELLS_SIZE 16u
#define REGISTERS_SIZE (AT_MSIX + MSIX_AREA)
#define AT_COMMON      0x0000u
#define AT_ISR         0x0040u
#define AT_DEVICE      0x0100u
#define AT_MSIX        0x1000u
#define DEVICE_SIZE    0x0100u

/* Capabilities (4.1.4). */
#define CAP_MSIX         0x40u
#define CAP_VIRTIO       (CAP_MSIX + MSIX_CAPABILITY_SIZE) /* the first of them */
#define CAP_ID_VENDOR    0x09u
#define CAP_LENGTH       offsetof(struct capability, extra)
#define CAP_LENGTH_EXTRA sizeof(struct capability)

enum cap_type { CAP_COMMON = 1, CAP_NOTIFY, CAP_ISR, CAP_DEVICE, CAP_WINDOW };

static const struct capability {
    uint8_t vendor, next, length, type; /* next: filled in */
    uint32_t bar, at, size, extra;      /* extra: a multiplier, or data */
} capabilities[] = {
    {CAP_ID_VENDOR, 0, CAP_LENGTH, CAP_COMMON, BAR_REGISTERS, AT_COMMON, 56, 0},
    {CAP_ID_VENDOR, 0, CAP_LENGTH_EXTRA, CAP_NOTIFY, BAR_DOORBELLS, 0, DOORBELLS_SIZE, DOORBELL},
    {CAP_ID_VENDOR, 0, CAP_LENGTH, CAP_ISR, BAR_REGISTERS, AT_ISR, 1, 0},
    {CAP_ID_VENDOR, 0, CAP_LENGTH_EXTRA, CAP_WINDOW, 0, 0, 0, 0},
    /* Not every kind has it. */
    {CAP_ID_VENDOR, 0, CAP_LENGTH, CAP_DEVICE, BAR_REGISTERS, AT_DEVICE, DEVICE_SIZE, 0},
};

#define CAP_AT_WINDOW (CAP_VIRTIO + 2 * CAP_LENGTH + CAP_LENGTH_EXTRA)
#define WINDOW_BAR    (CAP_AT_WINDOW + 4)
#define WINDOW_OFFSET (CAP_AT_WINDOW + 8)
#define WINDOW_LENGTH (CAP_AT_WINDOW + 12)
#define WINDOW_DATA   (CAP_AT_WINDOW + 16)

/* The common configuration (4.1.4.3). */
struct common {
    uint32_t offered_select, offered, accepted_select, accepted;
    uint16_t config_vector, queues;
    uint8_t status, generation;
    uint16_t queue_select, queue_size, queue_vector, queue_enable, queue_doorbell;
    struct virtq_places at;
};

_Static_assert(sizeof(struct common) == 56, "the layout of 4.1.4.3");

/* Interrupts. */

static void set_isr(struct virtio *v, uint8_t isr)
{
    uint32_t status = pci_get(&v->function, PCI_STATUS, 2) & ~STATUS_INTX;

    v->r.isr = isr;
    pci_set(&v->function, PCI_STATUS, 2, isr != 0 ? status | STATUS_INTX : status);
}

/* 4.1.5.3, 4.1.5.4 */
static void interrupt(struct virtio *v, uint16_t vector, uint8_t isr)
{
    if (msix_enabled(&v->msix))
        msix_send(&v->msix, vector);
    else
        set_isr(v, v->r.isr | isr);
}

void virtio_interrupt(struct virtio *v, unsigned queue)
{
    if (virtq_wants_interrupt(&v->r.queue[queue]))
        interrupt(v, v->r.queue_vector[queue], ISR_QUEUE);
}

/* The device's state. */

/* Behind each change of what it follows from. */
static void find_ready(struct virtio *v)
{
    const uint8_t ready = VIRTIO_DRIVER_OK | VIRTIO_FEATURES_OK;

    v->r.ready = (v->r.status & (ready | VIRTIO_NEEDS_RESET)) == ready && !v->r.resetting &&
                 pci_is_master(&v->function);
}

/* While the driver runs ring 0 takes its kicks, and sets a bit for each. Where it does not they
 * come as any other OUT. */
static void set_doorbells(struct virtio *v)
{
    find_ready(v);
    uint16_t port = v->r.ready ? pci_io_bar(&v->function, BAR_DOORBELLS) : 0;

    if (port == v->doorbells)
        return;
    for (unsigned i = 0; i < v->kind->queues; i++) {
        if (v->doorbells != 0)
            gate_doorbell((uint16_t)(v->doorbells + i * DOORBELL), DOORBELL_OFF);
        if (port != 0)
            gate_doorbell((uint16_t)(port + i * DOORBELL), v->number * VIRTIO_BITS + i);
    }
    v->doorbells = port;
}

static void clear(struct virtio *v)
{
    memset(&v->r, 0, sizeof(v->r));
    v->r.config_vector = NO_VECTOR;
    for (unsigned i = 0; i < v->kind->queues; i++) {
        v->r.queue_vector[i] = NO_VECTOR;
        v->r.queue[i].size = VIRTQ_MAX_SIZE;
    }
    set_isr(v, 0);
    msix_forget(&v->msix);
    set_doorbells(v);
}

/* Until it is done the status is not 0 (4.1.4.3.1), and nothing is taken. */
static void reset(struct virtio *v)
{
    v->r.resetting = true;
    find_ready(v);
    if (v->kind->reset == NULL || v->kind->reset(v))
        clear(v);
}

void virtio_reset_done(struct virtio *v)
{
    if (v->r.resetting)
        clear(v);
}

/* 4.1.4.3.1: who reads several fields sees by the generation that they belong together. */
void virtio_config_changed(struct virtio *v)
{
    v->r.generation++;
    if (v->r.status & VIRTIO_DRIVER_OK)
        interrupt(v, v->r.config_vector, ISR_CONFIG);
}

void virtio_fail(struct virtio *v)
{
    bool told = v->r.status & VIRTIO_NEEDS_RESET;

    v->r.status |= VIRTIO_NEEDS_RESET;
    find_ready(v);
    if (!told && v->r.status & VIRTIO_DRIVER_OK)
        interrupt(v, v->r.config_vector, ISR_CONFIG);
}

bool virtio_runs(const struct virtio *v, unsigned queue)
{
    return v->r.ready && v->r.queue[queue].enabled;
}

void virtio_kick(struct virtio *v, unsigned queue)
{
    if (queue < v->kind->queues && virtio_runs(v, queue))
        v->kind->kick(v, queue);
}

bool virtio_next(struct virtio *v, unsigned queue, struct virtq_chain *chain)
{
    if (!virtio_runs(v, queue))
        return false;
    enum virtq_result result = virtq_next(&v->r.queue[queue], chain);

    if (result == VIRTQ_CHAIN && chain->writable_size < v->kind->least)
        result = VIRTQ_BROKEN;
    if (result == VIRTQ_BROKEN)
        virtio_fail(v);
    return result == VIRTQ_CHAIN;
}

/* The driver sets bits; only by writing 0 it clears them. What it accepts is part of what is
 * offered, and it knows version 1 (3.1.1). */
static void write_status(struct virtio *v, uint8_t value)
{
    if (value == 0) {
        reset(v);
        return;
    }
    if (v->r.accepted & ~v->offered || !(v->r.accepted & VIRTIO_F_VERSION_1))
        value &= (uint8_t)~VIRTIO_FEATURES_OK;
    v->r.status |= value & STATUS_BITS & ~VIRTIO_NEEDS_RESET;
    set_doorbells(v);
    for (unsigned i = 0; i < v->kind->queues; i++) {
        v->r.queue[i].event_idx = v->r.accepted & VIRTIO_F_EVENT_IDX;
        v->r.queue[i].indirect = v->r.accepted & VIRTIO_F_INDIRECT_DESC;
    }
}

static struct common view(const struct virtio *v)
{
    const struct virtio_registers *r = &v->r;
    struct common c = {
        .offered_select = r->offered_select,
        .offered = r->offered_select < 2 ? (uint32_t)(v->offered >> r->offered_select * 32) : 0,
        .accepted_select = r->accepted_select,
        .accepted = r->accepted_select < 2 ? (uint32_t)(r->accepted >> r->accepted_select * 32) : 0,
        .config_vector = r->config_vector,
        .queues = v->kind->queues,
        .status = r->status,
        .generation = r->generation,
        .queue_select = r->queue_select,
        .queue_vector = NO_VECTOR,
    };

    if (r->queue_select >= v->kind->queues)
        return c;
    const struct virtqueue *q = &r->queue[r->queue_select];

    c.queue_size = q->size;
    c.queue_vector = r->queue_vector[r->queue_select];
    c.queue_enable = q->enabled;
    c.queue_doorbell = r->queue_select;
    c.at = q->at;
    return c;
}

/* A vector that there is not reads back as none: the mapping failed (4.1.5.1.2.1). */
static uint16_t vector(const struct virtio *v, uint32_t value)
{
    return value < v->msix.count ? (uint16_t)value : NO_VECTOR;
}

#define FIELD(name) offsetof(struct common, name)

/* Of a queue that is in use only the vector can change. */
static void write_queue(struct virtio *v, uint32_t offset, uint32_t value)
{
    unsigned index = v->r.queue_select;
    struct virtqueue *q = &v->r.queue[index];

    if (index >= v->kind->queues)
        return;
    if (offset == FIELD(queue_vector))
        v->r.queue_vector[index] = vector(v, value);
    if (q->enabled)
        return;
    if (offset == FIELD(queue_size)) {
        if (value != 0 && value <= VIRTQ_MAX_SIZE && (value & (value - 1)) == 0)
            q->size = (uint16_t)value;
    } else if (offset == FIELD(queue_enable)) {
        if (value == 1 && !virtq_enable(q, v->memory))
            virtio_fail(v);
    } else if (offset >= FIELD(at)) {
        memcpy((uint8_t *)&q->at + (offset - FIELD(at)), &value, sizeof(value));
    }
}

/* Each field by an access of its own width (4.1.3.1). */
static void write_common(struct virtio *v, uint32_t offset, unsigned size, uint32_t value)
{
    if (v->r.resetting)
        return;
    if (offset == FIELD(status) && size == 1)
        write_status(v, (uint8_t)value);
    else if (offset == FIELD(queue_select) && size == 2)
        v->r.queue_select = (uint16_t)value;
    else if (offset == FIELD(config_vector) && size == 2)
        v->r.config_vector = vector(v, value);
    else if (offset == FIELD(offered_select) && size == 4)
        v->r.offered_select = value;
    else if (offset == FIELD(accepted_select) && size == 4)
        v->r.accepted_select = value;
    else if (offset == FIELD(accepted) && size == 4 && v->r.accepted_select < 2 &&
             !(v->r.status & VIRTIO_FEATURES_OK))
        memcpy((uint8_t *)&v->r.accepted + v->r.accepted_select * 4, &value, sizeof(value));
    else if (offset > FIELD(queue_select) && size == (offset < FIELD(at) ? 2 : 4))
        write_queue(v, offset, value);
}

/* The BARs. */

static uint32_t part(const void *whole, uint32_t whole_size, uint32_t offset, unsigned size)
{
    uint32_t value = 0;

    if (offset < whole_size)
        memcpy(&value, (const uint8_t *)whole + offset, min_u64(size, whole_size - offset));
    return value;
}

static uint32_t load(void *device, unsigned bar, uint32_t offset, unsigned size)
{
    struct virtio *v = device;
    struct common common;
    uint8_t isr;

    if (bar == BAR_DOORBELLS)
        return UINT32_MAX;
    if (offset >= AT_MSIX)
        return msix_load(&v->msix, offset - AT_MSIX, size);
    if (offset >= AT_DEVICE)
        return part(v->config, v->config_size, offset - AT_DEVICE, size);
    common = view(v);
    if (offset != AT_ISR)
        return part(&common, sizeof(common), offset - AT_COMMON, size);
    isr = v->r.isr;
    set_isr(v, 0);
    return isr;
}

static void store(void *device, unsigned bar, uint32_t offset, unsigned size, uint32_t value)
{
    struct virtio *v = device;

    if (bar == BAR_DOORBELLS)
        virtio_kick(v, offset / DOORBELL);
    else if (offset < AT_COMMON + sizeof(struct common))
        write_common(v, offset - AT_COMMON, size, value);
    else if (offset >= AT_MSIX && size == 4)
        msix_store(&v->msix, offset - AT_MSIX, value);
}

/* The configuration space. */

/* The window into the BARs (4.1.4.9), for who cannot reach them. */
static bool window(const struct virtio *v, unsigned offset, uint32_t *at, uint32_t *size)
{
    static const uint32_t ends[PCI_BARS] = {DOORBELLS_SIZE, REGISTERS_SIZE};
    uint32_t bar = pci_get(&v->function, WINDOW_BAR, 1);

    *at = pci_get(&v->function, WINDOW_OFFSET, 4);
    *size = pci_get(&v->function, WINDOW_LENGTH, 4);
    return offset >= WINDOW_DATA && offset < WINDOW_DATA + 4 && bar < PCI_BARS &&
           (*size == 1 || *size == 2 || *size == 4) && *at < ends[bar] && is_aligned(*at, *size);
}

static void reads(void *device, unsigned offset)
{
    struct virtio *v = device;
    uint32_t at, size;

    if (window(v, offset, &at, &size))
        pci_set(&v->function, WINDOW_DATA, size,
                load(v, pci_get(&v->function, WINDOW_BAR, 1), at, size));
}

static void written(void *device, unsigned offset)
{
    struct virtio *v = device;
    uint32_t at, size;

    if (window(v, offset, &at, &size))
        store(v, pci_get(&v->function, WINDOW_BAR, 1), at, size,
              pci_get(&v->function, WINDOW_DATA, size));
    msix_look(&v->msix);
    set_doorbells(v);
}

static const struct pci_operations operations = {reads, written, load, store};

static void build_capabilities(struct virtio *v)
{
    struct pci_function *f = &v->function;
    unsigned at = CAP_VIRTIO, count = ARRAY_SIZE(capabilities) - (v->config_size == 0);

    for (unsigned i = 0; i < count; i++) {
        struct capability c = capabilities[i];

        c.next = (uint8_t)(i + 1 < count ? at + c.length : 0);
        memcpy(f->config + at, &c, c.length);
        at += c.length;
    }
    f->writable[WINDOW_BAR] = UINT8_MAX;
    memset(f->writable + WINDOW_OFFSET, UINT8_MAX, WINDOW_DATA + 4 - WINDOW_OFFSET);
}

bool virtio_init(struct virtio *v, const struct virtio_kind *kind, void *device, const void *config,
                 struct pci *pci, const struct guest_memory *memory)
{
    struct pci_function *f = &v->function;
    uint32_t id = (DEVICE + (uint32_t)kind->id) << 16 | VENDOR;

    v->kind = kind;
    v->device = device;
    v->config = config;
    v->memory = memory;
    *f = (struct pci_function){.device = v, .operations = &operations};
    pci_set(f, PCI_ID, 4, id);
    pci_set(f, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
    pci_set(f, PCI_CLASS, 4, kind->class << 8 | REVISION);
    pci_set(f, PCI_SUBSYSTEM, 4, id);
    pci_set(f, PCI_CAPABILITIES, 1, CAP_MSIX);
    pci_set_writable(f, PCI_LINE, 1, UINT8_MAX);
    pci_set_bar(f, BAR_DOORBELLS, true, DOORBELLS_SIZE);
    pci_set_bar(f, BAR_REGISTERS, false, REGISTERS_SIZE);
    msix_init(&v->msix, f, CAP_MSIX, CAP_VIRTIO, kind->queues + 1, BAR_REGISTERS, AT_MSIX);
    build_capabilities(v);
    v->number = pci->count;
    clear(v);
    return pci_add(pci, f);
}
