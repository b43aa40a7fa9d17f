/* SPDX-License-Identifier: BSD-2-Clause */
/* A small driver for virtio over PCI, modern, with split virtqueues and MSI-X (virtio 1.2). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VIRTIO_ID_NET     1
#define VIRTIO_ID_BLOCK   2
#define VIRTIO_ID_CONSOLE 3
#define VIRTIO_ID_ENTROPY 4

#define VIRTIO_F_INDIRECT_DESC BIT(28)
#define VIRTIO_F_EVENT_IDX     BIT(29)
#define VIRTIO_F_VERSION_1     BIT(32)

#define VIRTIO_ACKNOWLEDGE 0x01
#define VIRTIO_DRIVER      0x02
#define VIRTIO_DRIVER_OK   0x04
#define VIRTIO_FEATURES_OK 0x08
#define VIRTIO_NEEDS_RESET 0x40

#define VIRTQ_NEXT     1
#define VIRTQ_WRITE    2
#define VIRTQ_INDIRECT 4
#define VIRTQ_SIZE     32

#define VIRTIO_NO_VECTOR 0xffff

struct virtq_descriptor {
    uint64_t address;
    uint32_t size;
    uint16_t flags, next;
};

/* The common configuration (4.1.4.3). */
struct virtio_common {
    volatile uint32_t offered_select, offered, accepted_select, accepted;
    volatile uint16_t config_vector, queues;
    volatile uint8_t status, generation;
    volatile uint16_t queue_select, queue_size, queue_vector, queue_enable, queue_notify_off;
    volatile uint32_t descriptors[2], available[2], used[2];
};

struct virtq {
    struct virtq_descriptor *descriptors;
    volatile struct {
        uint16_t flags, index, ring[VIRTQ_SIZE], used_event;
    } *available;
    volatile struct {
        uint16_t flags, index;
        struct {
            uint32_t id, size;
        } ring[VIRTQ_SIZE];
        uint16_t available_event;
    } *used;
    uint16_t taken; /* of the used ring */
    uint16_t number;
    uint64_t doorbell; /* a port, or an address */
};

struct virtio {
    uint32_t device; /* on bus 0 */
    struct virtio_common *common;
    volatile uint8_t *isr, *config; /* config: NULL where there is none */
    volatile uint32_t *vectors;     /* the MSI-X table, 4 for each */
    uint32_t msix;                  /* its capability */
    uint64_t doorbells;             /* ports, or addresses */
    bool doorbells_are_ports;
    uint32_t doorbell_multiplier;
    uint64_t features; /* that both sides take */
    struct virtq queue;
};

uint32_t pci_read(uint32_t device, uint32_t offset, unsigned size);
void pci_write(uint32_t device, uint32_t offset, unsigned size, uint32_t value);

/* Finds the first function of this type, and where its structures are: false, there is none. */
bool virtio_find(struct virtio *v, uint16_t id);

/* The same function again: its BARs have moved. */
void virtio_locate(struct virtio *v);

/* Resets it, takes of the features what is offered, makes its first queue, with `vector` for its
 * interrupts and vector + 1 for changes of its configuration. False: it refused. */
bool virtio_start(struct virtio *v, uint64_t features, uint8_t vector);

/* The parts of it: false, the device refused. Without DRIVER_OK the device takes nothing yet. */
bool virtio_negotiate(struct virtio *v, uint64_t features);
void virtio_set_vectors(struct virtio *v, uint8_t vector);

/* Interrupts of a device whose vectors these are, counted: for its queues, and for changes of its
 * configuration. */
void virtio_count_interrupts(uint8_t vector);
extern volatile unsigned virtio_interrupts, virtio_changes;

bool virtio_add_queue(struct virtio *v, struct virtq *q, uint16_t number, uint16_t vector);
bool virtio_driver_ok(struct virtio *v);

/* Rings the doorbell of a queue, whether the device wants it or not. */
void virtio_kick(const struct virtio *v, const struct virtq *q);

/* Makes chains of a queue, or of the first one, available, and tells the device if it wants to
 * know. */
void virtq_offer_all(const struct virtio *v, struct virtq *q, const uint16_t *heads,
                     unsigned count);
void virtq_offer(const struct virtio *v, struct virtq *q, uint16_t head);
void virtio_offer_all(struct virtio *v, const uint16_t *heads, unsigned count);
void virtio_offer(struct virtio *v, uint16_t head);

/* Takes a used entry of a queue, or of the first one: its head, and how much was written; -1 when
 * there is none. */
int virtq_take(struct virtq *q, uint32_t *written);
int virtio_take(struct virtio *v, uint32_t *written);
