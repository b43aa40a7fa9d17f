/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch with machines at its ports, in a world of its own: the gates, the clock, and the pages
 * of the channels, behind each of which there is nothing (the sanitizers see to that). Ports 0 to 2
 * are VMs' with the addresses 02:00:00:00:00:00 and on; the last one is that of a card, of which
 * the switch is the client.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/process.h"
#include "runtime/net.h"

#define PORTS 4u
#define ALL   (NET_TAKES_CHECKSUM | NET_TAKES_TCP4 | NET_TAKES_TCP6)

extern struct process_info info; /* the switch's */
extern struct net_end machine[PORTS];
extern unsigned notified[PORTS]; /* how often the switch has told it */
extern uint64_t events;          /* what the switch is to be told */
extern uint64_t tsc, timer;      /* 0: none is set */
extern uint64_t passes;          /* with each look at the clock */
extern char said[4096];          /* the last line of the switch's */

/* Ports whose machines take frames of all kinds; nobody has said so yet. */
void ports_open(uint64_t tsc_khz);
void ports_close(void);

/* For cmocka: a switch, as it is started, that knows its ports and what a frame takes; and the end
 * of it. */
int ports_setup(void **state);
int ports_teardown(void **state);

/* Starts the switch, for the first time or again; then it takes a frame to see what that takes: no
 * time, while the clock stands still. */
void start_switch(void);
void find_price(void);

void one_turn(void);

/* The switch works until it waits and nobody has told it anything; */
void settle(void);
/* until it and the machines know what each takes. */
void meet(void);

uint8_t *pages_of(unsigned port);

/* 02:00:00:00:00 and this; it stays for four of them. And everybody's. */
const uint8_t *address_of(uint8_t last);
extern const uint8_t all[NET_ADDRESS];

/* A frame of a machine's, with this behind its addresses; NULL: bytes that are its size. False:
 * there is no room in the machine's half. */
bool send_entry(unsigned port, const uint8_t *to, const uint8_t *from, struct net_entry e,
                const uint8_t *rest);

/* The same, of bytes that are its size, for which there is room. */
void send_frame(unsigned port, const uint8_t *to, const uint8_t *from, uint32_t size);

/* TCP over IPv4 with so much payload; the rest of the frame. */
struct net_entry tcp_frame(uint8_t *rest, uint32_t payload);

/* The next frame for a machine; NULL: there is none. */
const uint8_t *next_frame(unsigned port, struct net_entry *e);

/* Who has a frame of this size, as bits; each has one at most, which is taken. */
unsigned who_got(uint32_t size);
