/* SPDX-License-Identifier: BSD-2-Clause */
/* What rings.c has for each device's file. */
#pragma once

#include "guests/lib/guest.h"
#include "guests/lib/virtio.h"
#include "lib/format.h"
#include "lib/string.h"

#define RINGS_VECTOR 0x60  /* and the next, for changes of the configuration */
#define IN_PAGES     9u    /* of what a device writes */
#define PATIENCE     20000 /* looks at the device before it is taken for dead */
#define SHORT        500   /* before it is believed that it does nothing */
#define S_NONE       0xee  /* of a status that nobody has written */

/* How a chain is cut: bytes of each descriptor, up to a 0. */
struct shape {
    uint16_t reads[4], writes[4];
    enum {
        DIRECT,
        INDIRECT,
        INDIRECT_WRITE, /* 2.7.5.3.2: the flag is ignored where the table is */
        BEHIND,         /* 2.7.5.3.2: the first descriptor, and a table for the others */
        CROOKED,        /* a table may lie anywhere */
    } how;
};

extern struct virtio rings_device;
extern struct virtq *rings_queue;            /* what follows is about this one */
extern struct virtq rings_second;            /* the second queue, of a device that has it */
extern struct virtq_descriptor *rings_table; /* room for indirect ones */
extern uint8_t *rings_out, *rings_in;        /* what the device reads, and writes */
extern uint8_t *rings_status[VIRTQ_SIZE];    /* of the chain with this head; NULL: it has none */

/* Looks for the device, and names its lines. False, after a line: there is none. */
bool rings_find(uint16_t id, const char *name);
void rings_rename(const char *name);

/* Starts it, with rings of its own and nothing in them; or has all but DRIVER_OK. */
void rings_start(uint64_t features);
bool rings_begin(uint64_t features);

/* The chain with head 0. */
void rings_build(const struct shape *s);
unsigned rings_written(const struct shape *s);

/* Descriptor `n` refers to a table. */
void rings_refer(unsigned n, struct virtq_descriptor *to, unsigned count, uint16_t flags);

/* Makes a chain available, and says nothing of it; and rings the doorbell. */
void rings_add(uint16_t head);
void rings_offer(uint16_t head);

/* Until all that is available is used, or the device has given up; interrupts are taken. */
void rings_settle(unsigned patience);

/* A line of what has been used since the last, and `more`; and whether an interrupt came since. */
void rings_show(const char *name, const char *more);
bool rings_interrupted(void);

/* Whether the device has given up. */
bool rings_gave_up(void);

/* What any device shows: `good` makes the chain with head 0, which is used at once. */
void rings_transport(uint64_t features, void (*good)(void));
void rings_notifications(uint64_t features, void (*good)(void));
void rings_bad_chains(uint64_t features, void (*good)(void));

void rings_block(void);
void rings_entropy(void);
void rings_console(void);
void rings_net(void);
