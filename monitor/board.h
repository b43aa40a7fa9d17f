/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board of the virtual machine: its devices, how ports and addresses lead to them, and how
 * their interrupts, their time and their console are wired. R20, R41.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/gate.h"
#include "monitor/code_page.h"
#include "monitor/console.h"
#include "monitor/fuzz.h"
#include "monitor/guest_memory.h"
#include "monitor/i8042.h"
#include "monitor/ioapic.h"
#include "monitor/kvmclock.h"
#include "monitor/pci.h"
#include "monitor/pm.h"
#include "monitor/refused.h"
#include "monitor/reset.h"
#include "monitor/rtc.h"
#include "monitor/uart.h"
#include "monitor/verdict.h"
#include "monitor/virtio/blk.h"
#include "monitor/virtio/console.h"
#include "monitor/virtio/net.h"
#include "monitor/virtio/rng.h"

#define COM1_PORT  0x3f8
#define COM1_IRQ   4
#define LAPIC_BASE 0xfee00000ULL
#define LAPIC_SIZE 0x1000ULL

/* More channels to disks, or to networks, are not used. */
#define BOARD_DISKS 4u
#define BOARD_NETS  4u

struct board {
    const struct monitor_info *info;
    const struct process_info *process;
    struct guest_memory memory;
    struct code_page code_page;
    struct uart uart;
    struct console console;
    struct ioapic ioapic;
    struct rtc rtc;
    struct pm pm;
    struct kvmclock kvmclock;
    struct reset reset;
    struct i8042 i8042;
    struct pci pci;
    struct pci_function host_bridge;
    struct rng rng;
    struct virtio_console virtio_console;
    struct blk disks[BOARD_DISKS];
    struct net nets[BOARD_NETS];
    unsigned disk_count, net_count;
    struct verdict verdict;
    struct fuzz fuzz;
    struct refused refused[PLAN_MAX_VCPUS];
    bool wish;        /* the guest may have asked to end, or to start again: PM, reset, verdict */
    bool restart;     /* the machine starts anew */
    bool halt_told;   /* that nothing can wake the guest */
    uint64_t started; /* the TSC at the last start */
    uint64_t timer;   /* the TSC last given to gate_timer */
    bool console_stands;  /* it has taken nothing for so long that nobody waits for it */
    bool console_waiting; /* there may be console input that had no room in the UART */
};

/* Once, of a board that is zero, and then board_reset at each start of the machine. `memory` is
 * where guest-physical 0 is mapped. */
void board_init(struct board *board, const struct monitor_info *info, uint8_t *memory);
void board_reset(struct board *board);

/* IN and OUT of 1, 2 or 4 bytes. */
uint32_t board_in(struct board *board, unsigned vcpu, uint16_t port, unsigned size);
void board_out(struct board *board, unsigned vcpu, uint16_t port, unsigned size, uint32_t value);

/* Reads and writes of device memory: 1 to 8 bytes at any guest-physical address that is not RAM. */
uint64_t board_load(struct board *board, unsigned vcpu, uint64_t address, unsigned size);
void board_store(struct board *board, unsigned vcpu, uint64_t address, unsigned size,
                 uint64_t value);

/* What ring 0 took at doorbells: a bit for each, VIRTIO_BITS for each function. */
void board_kicks(struct board *board, uint64_t kicks);

/* What the exit page's events say: EVENT_* and EVENT_CHANNEL. */
void board_events(struct board *board, uint64_t events);
