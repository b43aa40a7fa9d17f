/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every process finds in its address space, whether it is a VM's monitor, a driver or a
 * service: its grants, which come from the plan, are there before it starts, and never change.
 */
#pragma once

#include <stdint.h>

#include "abi/plan.h"

#define PROCESS_PORT_RANGES 4
#define PROCESS_WINDOWS     4
#define PROCESS_INTERRUPTS  4
#define PROCESS_CHANNELS    16
#define PROCESS_EXTENTS     16

/* Where what lies. The process's own image is between PROCESS_IMAGE_START and PROCESS_IMAGE_END,
 * where its ELF file says. */
#define PROCESS_IMAGE_START 0x0000000000200000ULL
#define PROCESS_IMAGE_END   0x0000100000000000ULL
#define PROCESS_INFO        0x0000100000080000ULL /* struct process_info, read-only */
#define PROCESS_TEXT        0x0000100000100000ULL /* one page of text, read-write */
/* the end of the stack, PROCESS_STACK_SIZE below it */
#define PROCESS_STACK 0x0000100000400000ULL
#define PROCESS_FILE  0x0000200000000000ULL /* the plan's file for it, read-only */
/* channel n at n * PROCESS_CHANNEL_STRIDE, read-write */
#define PROCESS_CHANNEL 0x0000300000000000ULL
/* device memory n at n * PROCESS_WINDOW_STRIDE, uncached */
#define PROCESS_WINDOW 0x0000310000000000ULL
/* the DMA area, read-write; zeroed for the first start, left as it is for the next ones */
#define PROCESS_DMA 0x0000320000000000ULL
/* struct process_extents for channel n, at n * 4 KiB, read-only; for who serves it */
#define PROCESS_EXTENT 0x0000330000000000ULL
/* abi/log.h, for the console alone: its own page, then the ring, read-only */
#define PROCESS_LOG 0x0000340000000000ULL
/* ring n of abi/trace.h at n * PROCESS_TRACE_STRIDE, read-only; for who controls VMs */
#define PROCESS_TRACE 0x0000350000000000ULL

#define PROCESS_IMAGE_SPAN     0x1000000ULL /* at most, from its first page to its last */
#define PROCESS_STACK_SIZE     0x10000ULL
#define PROCESS_TEXT_SIZE      0x1000ULL
#define PROCESS_CHANNEL_STRIDE 0x100000ULL
#define PROCESS_WINDOW_STRIDE  0x100000000ULL
#define PROCESS_TRACE_STRIDE   0x200000ULL

/*
 * The bits of the word of events: what GATE_WAIT returns, and what an exit page tells a monitor.
 * Each is reported once and is then cleared; it says "look", not how often.
 */
#define EVENT_TIMER        (1ULL << 0)          /* the time given to GATE_TIMER has come */
#define EVENT_LOG          (1ULL << 1)          /* the log ring has grown; for the console */
#define EVENT_INTERRUPT(n) (1ULL << (16 + (n))) /* interrupt n of the process */
#define EVENT_CHANNEL(n)   (1ULL << (32 + (n))) /* channel n's other side has notified it */

/* The interrupts among events: a bit for each. */
#define EVENT_INTERRUPTS(events) ((events) >> 16 & ((1ULL << PROCESS_INTERRUPTS) - 1))

/* For monitors. */
#define EVENT_APIC (1ULL << 2) /* a local APIC may accept what GATE_MESSAGE brought in vain */
#define EVENT_INIT (1ULL << 3) /* the vCPU was sent an INIT */
#define EVENT_HALT (1ULL << 4) /* it has halted with IF=0 */
#define EVENT_KICK (1ULL << 5) /* exit_page.kicks has bits */
/* Before the guest goes on its monitor writes a record of KVM's clocks, from exit_page.clock: that
 * of the time, if it is enabled, and that of the wall clock. */
#define EVENT_CLOCK        (1ULL << 6)
#define EVENT_WALL_CLOCK   (1ULL << 7)
#define EVENT_RESET        (1ULL << 8)  /* who controls the VM wants it to start anew */
#define EVENT_POWER_BUTTON (1ULL << 9)  /* likewise, to press its power button */
#define EVENT_ASKED        (1ULL << 10) /* to the vCPU, by GATE_ASK */
#define EVENT_RESTORED     (1ULL << 11) /* the VM is what its snapshot was, but for its channels */

struct process_ports {
    uint16_t first, count;
};

struct process_window {
    uint64_t size; /* bytes; the address follows from its number */
};

struct process_channel {
    uint32_t kind;   /* enum plan_channel_kind */
    uint32_t server; /* 1: this process serves, 0: it is the client */
    uint32_t read_only;
    uint32_t size;       /* bytes, of the pages that are shared */
    uint32_t peer_index; /* the other side in the plan: a VM, or a process with PLAN_PROCESS */
    uint32_t ended;      /* 1: the other side has ended, and does not come back */
    uint64_t physical;   /* of the pages, which are contiguous; 0 for who may not know, a monitor */
    char peer[PLAN_NAME_SIZE];   /* the other side's name */
    char label[PLAN_LABEL_SIZE]; /* what it is about, as in the plan; NUL-terminated */
};

struct process_info {
    uint32_t version;                    /* GATE_VERSION */
    uint32_t gate;                       /* enum gate_entry */
    uint64_t tsc_khz;                    /* measured; a guest's TSC ticks at the same rate */
    char name[PLAN_NAME_SIZE];           /* as in the plan: a monitor's is its VM's */
    char arguments[PLAN_ARGUMENTS_SIZE]; /* words for the program, from the plan */
    uint32_t starts;                     /* how often it has been started: 1 at first */
    uint32_t window_count, interrupt_count, channel_count;
    struct process_ports ports[PROCESS_PORT_RANGES]; /* count 0: none */
    struct process_window windows[PROCESS_WINDOWS];
    uint64_t dma_size, dma_physical;
    uint64_t file_size; /* of what lies at PROCESS_FILE; 0: nothing does */
    struct process_channel channels[PROCESS_CHANNELS];
    uint32_t pci_id; /* of its PCI function: the device above, the vendor below; 0: there is none */
    uint32_t trace_rings; /* at PROCESS_TRACE */
    /* A process's clock is the TSC less this: that of a VM whose snapshot is restored goes back */
    uint64_t tsc_behind;
};

_Static_assert(sizeof(struct process_info) <= 4096, "it is one page");

/* Where a client's guest memory is: what a driver checks a request's addresses against, and
 * programs its device with. */
struct process_extent {
    uint64_t gpa, physical, size; /* bytes */
};

struct process_extents {
    uint64_t count;
    struct process_extent extent[PROCESS_EXTENTS];
};
