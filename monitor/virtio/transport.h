/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio over PCI (virtio 1.2, 4.1), modern only: a PCI function whose registers are in a memory
 * BAR and whose notifications are OUTs to an I/O BAR. Interrupts are MSI-X messages; there is no
 * INTx, and a driver without MSI-X has to look at its rings by itself.
 *
 * A device type is a struct virtio_kind and a struct that has a struct virtio in it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "monitor/guest_memory.h"
#include "monitor/msix.h"
#include "monitor/pci.h"
#include "monitor/virtio/queue.h"

#define VIRTIO_QUEUES 2u /* of a device, at most */
#define VIRTIO_BITS   4u /* of the word of kicks, for each PCI function */

/* Feature bits of every device (6). */
#define VIRTIO_F_INDIRECT_DESC (1ULL << 28)
#define VIRTIO_F_EVENT_IDX     (1ULL << 29)
#define VIRTIO_F_VERSION_1     (1ULL << 32)
#define VIRTIO_F_ALL_DEVICES   (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1)

/* Device status (2.1). */
#define VIRTIO_DRIVER_OK   0x04u
#define VIRTIO_FEATURES_OK 0x08u
#define VIRTIO_NEEDS_RESET 0x40u

struct virtio;

struct virtio_kind {
    uint16_t id;    /* virtio device ID (5) */
    uint32_t class; /* PCI base class, subclass, interface */
    uint16_t queues;
    uint16_t least; /* bytes of each chain that the device writes: one with fewer is broken */
    void (*kick)(struct virtio *v, unsigned queue); /* the driver has put something there */
    /* Gives up all chains. False: not all at once, virtio_reset_done says when. NULL: it has none.
     */
    bool (*reset)(struct virtio *v);
};

struct virtio {
    const struct virtio_kind *kind;
    const struct guest_memory *memory;
    void *device;
    const void *config; /* the device's own configuration, read-only for the driver */
    uint32_t config_size;
    uint64_t offered; /* feature bits */

    struct pci_function function;
    unsigned number;    /* of the function on its bus */
    uint16_t doorbells; /* the port of the first that ring 0 answers; 0: it answers none */
    struct msix msix;

    /* What a reset by the driver clears. */
    struct virtio_registers {
        uint64_t accepted; /* feature bits */
        uint32_t offered_select, accepted_select;
        uint16_t config_vector, queue_vector[VIRTIO_QUEUES];
        uint16_t queue_select;
        uint8_t status, isr, generation;
        bool resetting;
        bool ready; /* the driver runs, and lets the device write memory */
        struct virtqueue queue[VIRTIO_QUEUES];
    } r;
};

/* At each start of the machine; config_size and `offered` are the caller's. Puts the function on
 * the bus. */
bool virtio_init(struct virtio *v, const struct virtio_kind *kind, void *device, const void *config,
                 struct pci *pci, const struct guest_memory *memory);

/* Whether the device may use this queue: the driver is ready, and lets it write memory. */
bool virtio_runs(const struct virtio *v, unsigned queue);

/* The driver has rung a queue's doorbell, as far as there is one. */
void virtio_kick(struct virtio *v, unsigned queue);

/* A kind's way to its chains: like virtq_next, and a broken queue stops the device. */
bool virtio_next(struct virtio *v, unsigned queue, struct virtq_chain *chain);

/* After virtq_put, once for many of them: interrupts the driver if it wants that. */
void virtio_interrupt(struct virtio *v, unsigned queue);

/* The device's own configuration has changed: tells the driver (2.5, 5). */
void virtio_config_changed(struct virtio *v);

/* What the device cannot go on with: it does nothing more until it is reset (2.1.2). */
void virtio_fail(struct virtio *v);

/* A reset that waited is done. */
void virtio_reset_done(struct virtio *v);
