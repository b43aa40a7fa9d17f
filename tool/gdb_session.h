/* SPDX-License-Identifier: BSD-2-Clause */
/* What gdb asks, and what it is answered ("GDB Remote Serial Protocol", Packets). The VM's vCPUs
 * are its threads, from 1 on; they stand still together. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tool/gdb_packet.h"
#include "tool/gdb_target.h"

struct gdb_session {
    struct gdb_target *target;
    void (*send)(void *context, const char *bytes, size_t size);
    void *context;
    bool no_acks;
    bool runs;        /* gdb waits for it to stop */
    bool ends;        /* gdb has gone, or is to: */
    bool killed;      /* and so is the VM */
    unsigned stopped; /* the vCPU that has stopped last */
    unsigned steps;   /* the vCPU that executes one instruction, + 1 */
    bool alone;       /* and the others stand meanwhile */
    struct gdb_packet packet;
    char out[2 * GDB_PACKET_MAX + 8], last[2 * GDB_PACKET_MAX + 8]; /* an answer, as packet */
    size_t last_size;
};

/* Bytes from gdb. */
void gdb_session_take(struct gdb_session *s, const void *bytes, size_t size);

/* While s->runs: looks whether it has stopped, and says so. */
void gdb_session_look(struct gdb_session *s);

/* Has all vCPUs stand. False: nobody answers, or it has ended. */
bool gdb_session_stop(struct gdb_session *s);

/* Waits, for some seconds, until a vCPU stands. False: it does not. */
bool gdb_session_await(struct gdb_session *s, unsigned vcpu);

/* Takes out what is left, and has the VM go on. */
void gdb_session_end(struct gdb_session *s);
