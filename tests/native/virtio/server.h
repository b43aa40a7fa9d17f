/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk's driver with a RAM disk, at the other end of a board's channel 0. It checks what it gets
 * as abi/block.h has it, and does what a test wants of it. */
#pragma once

#include "tests/native/monitor/fakes.h"

#define SERVER_SECTORS 4096u

extern struct server {
    uint32_t flags;           /* what the disk says that it is */
    enum block_status status; /* of the next requests, but for BLOCK_INFO */
    bool shuffled;            /* answers come in any order */
    unsigned counts[BLOCK_OP_COUNT], rounds;
    unsigned bounced; /* segments in bounce pages */
    uint8_t disk[SERVER_SECTORS * BLOCK_SECTOR];
} server;

/* A channel with its pages, of which a board made afterwards finds this end; the driver has not
 * started. Read-only or not, as its plan says. */
void server_make(bool read_only);
void server_free(void);

/* The driver starts, or starts again: it knows of no request. `board` is NULL while it is being
 * made. */
void server_start(struct board *board);

/* It ends, and does not come back. */
void server_end(struct board *board);

/* `board` is NULL while it is being made. Takes all requests that are there, and answers, but for
 * `held` of them, which it only has. */
void server_run(struct board *board, unsigned held);

/* The same with nothing held, where a monitor waits: not once more while it runs already. */
void server_turn(struct board *board);

/* Writes an answer of any kind. The second one: false, there is no room. */
void server_answer(uint32_t id, uint32_t epoch, uint32_t status);
bool server_try_answer(uint32_t id, uint32_t epoch, uint32_t status);

uint32_t server_epoch(void);
