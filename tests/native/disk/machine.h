/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process as ring 0 would have made it, for a driver that runs natively: its pages at their true
 * addresses, physical memory behind them, the gate's calls, and the clients at the other ends of
 * its channels.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/block.h"
#include "abi/process.h"
#include "runtime/channel.h"

#define CHANNELS 3u

#define DMA_PHYSICAL        0x20000000ULL
#define DMA_SIZE            0x40000u
#define CHANNEL_PHYSICAL(n) (0x30000000ULL + (n) * PROCESS_CHANNEL_STRIDE)

/* Guests have three pieces of memory, of which the first two are neighbours for them alone. */
#define GUEST_PHYSICAL(n) (0x40000000ULL + (n) * 0x1000000ULL)
#define GUEST_LOW         0x10000u
#define GUEST_MIDDLE      0x8000u
#define GUEST_HIGH        0x8000u
#define GUEST_HIGH_AT     0x100000000ULL

extern struct process_info process;

/* Everything as before the first start: memory zeroed, channels with labels `lintel-0` and so on.
 */
void machine_new(void);

/* The same process, started again: what it shares with others stays. */
void machine_restart(void);

/* The process's physical memory; a device that is told anything else fails the test. */
void *machine_memory(uint64_t physical, uint64_t size);
uint8_t *machine_guest(unsigned n, uint64_t gpa);

/* Events for the process, and its time. */
void machine_raise(uint64_t events);
extern uint64_t now;                /* the TSC, of 1 MHz */
extern bool time_passes;            /* while it waits for nothing but the timer */
extern unsigned interrupts_done;    /* those that were handled */
extern unsigned notified[CHANNELS]; /* calls of gate_notify, either way */

/* Turns of the server, until it waits for nothing that will come. */
void machine_run(void);

/* What the process has logged since machine_new, a line each. */
extern char logged[16384];
bool has_logged(const char *words);
unsigned lines_logged(const char *words);

/* A client. */
extern struct channel_end client[CHANNELS];
struct block_area *area_of(unsigned n);
void client_open(unsigned n);
struct block_request request_of(enum block_op op, uint32_t id, uint64_t sector, uint32_t sectors);
bool client_send(unsigned n, struct block_request request, const uint64_t *segments);
bool client_receive(unsigned n, struct block_answer *answer);
/* Sends, runs, and returns the status of the answer, which must have come. */
enum block_status client_ask(unsigned n, struct block_request request, const uint64_t *segments);
/* The same for one segment at this address, guest-physical or, with BLOCK_SEGMENT_BOUNCE, a page's.
 */
enum block_status client_move(unsigned n, enum block_op op, uint64_t sector, uint32_t sectors,
                              uint64_t address);
