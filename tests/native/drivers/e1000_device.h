/* SPDX-License-Identifier: BSD-2-Clause */
/* A network card of the families 8254x and 82574, simulated by their manuals; it fails the test
 * where its driver does what these forbid. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct e1000_device {
    bool is_82574, msix;
    bool gone;         /* it reads as ones */
    bool never_resets; /* and what is said to it then is not heard */
    bool stalls;       /* nothing is sent */
    bool lies;         /* what it writes into received descriptors is chance's */
    bool link;
};

extern struct e1000_device e1000_device;
extern unsigned e1000_resets;

/* A new one, which is at work for a predecessor. */
void e1000_new(bool is_82574);
/* Sends some of what there is to be sent. */
void e1000_work(void);
/* A frame from the wire. False: it is dropped. */
bool e1000_receive(const uint8_t *frame, uint32_t size, uint8_t status, uint8_t errors);
void e1000_set_link(bool up);
bool e1000_interrupts(void);
/* Time goes on. */
void e1000_tick(void);

/* The test's: a frame that was sent; the bytes at a physical address, which the device may reach;
 * chance. */
void wire_out(const uint8_t *frame, uint32_t size);
uint8_t *reach(uint64_t physical, uint64_t size);
uint32_t chance(uint32_t below);
