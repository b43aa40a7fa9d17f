/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exit page: how the hypervisor tells a monitor why its vCPU stopped, and how the monitor
 * answers.
 *
 * One page for each vCPU, written by the hypervisor before GATE_RUN returns, and read by it once
 * when the monitor calls GATE_RUN again. Nothing that a monitor writes here can harm anybody but
 * its own guest.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/process.h"
#include "abi/vmcs.h"

enum exit_kind {
    EXIT_EVENTS,    /* only `events` says something */
    EXIT_IO,        /* IN or OUT; for IN the monitor sets io.value */
    EXIT_IO_STRING, /* INS or OUTS, with or without REP; `state` is valid, the monitor emulates */
    /* an access to a guest-physical address without memory; `state` is valid, but see below */
    EXIT_MMIO,
    EXIT_TASK_SWITCH, /* the guest wants another task: `task` and `state` are valid */
    EXIT_EOI,         /* the guest ended a level-triggered interrupt: eoi.vector */
    EXIT_SHUTDOWN,    /* the guest cannot go on: shutdown.reason; `state` is valid */
    /* EXIT_IO while DR7 has a breakpoint; `state` is valid, RIP is behind the instruction */
    EXIT_IO_WATCHED,
};

enum exit_shutdown {
    SHUTDOWN_TRIPLE_FAULT,
    /* an exit that Lintel has no handler for; shutdown.detail: exit reason */
    SHUTDOWN_UNSUPPORTED,
    /* the guest's state cannot be entered: `vmcs` is valid; shutdown.detail: exit reason, or
       VM_ERROR_ENTRY_CONTROLS. The vCPU wants a GATE_START before it runs again */
    SHUTDOWN_ENTRY_FAILED,
};

/* GPR indices are the instruction encoding's. */
enum gpr { GPR_RAX, GPR_RCX, GPR_RDX, GPR_RBX, GPR_RSP, GPR_RBP, GPR_RSI, GPR_RDI };

enum segment { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR, SEG_COUNT };

struct segment_state {
    uint64_t base;
    uint32_t limit; /* bytes - 1 */
    uint16_t selector;
    /* the VMCS access-rights format, with SEGMENT_UNUSABLE in place of its bit 16 */
    uint16_t access;
};
#define SEGMENT_UNUSABLE 0x0100

/* DR7's enable bits, and those that another task clears: LE and L0 to L3. */
#define DR7_ENABLED 0xff
#define DR7_LOCAL   0x155

/* What wants another task: the exit qualification's numbers. */
enum exit_task_source { TASK_CALL, TASK_IRET, TASK_JMP, TASK_GATE };

struct exit_task {
    uint16_t selector; /* of the new TSS */
    uint16_t source;   /* enum exit_task_source */
    /* TASK_GATE: the event, as the VMCS has it (EVENT_* of abi/vmcs.h), and its error code */
    uint32_t vectoring, error_code;
    uint32_t length; /* of the instruction, bytes; none where an event has come */
};

struct table_state {
    uint64_t base;
    uint64_t limit;
};

/*
 * For EXIT_MMIO, EXIT_IO_STRING and EXIT_IO_WATCHED in 64-bit mode only what an instruction there
 * depends on is valid: of the segments the selectors and access rights of CS and SS, these without
 * SEGMENT_UNUSABLE, and the bases of FS and GS; not the descriptor tables. GATE_SEGMENTS gives the
 * rest.
 */
struct guest_state {
    uint64_t gpr[16];
    uint64_t rip, rflags;
    uint64_t cr0, cr2, cr3, cr4, efer;
    struct segment_state segment[SEG_COUNT];
    struct table_state gdtr, idtr;
    uint64_t pdpte[4]; /* as the processor holds them for PAE paging; not taken from a monitor */
    /* Not for EXIT_SHUTDOWN; `dr` where dr7 has DR7_ENABLED; not taken from a monitor. */
    uint64_t dr7, dr[4];
    uint64_t dr6; /* not in an exit page */
};

/* KVM's clocks, as the guest has set them up (Linux's Documentation/virt/kvm/x86/msr.rst). A record
 * of the time that is enabled, and one of the wall clock, lie in guest memory. */
struct exit_clock {
    uint64_t tsc_offset;  /* guest TSC - host TSC */
    uint64_t system_time; /* MSR_KVM_SYSTEM_TIME_NEW */
    uint64_t wall_clock;  /* MSR_KVM_WALL_CLOCK_NEW */
};
#define CLOCK_ENABLED          1ULL /* of system_time; the rest is the record's address */
#define CLOCK_SYSTEM_TIME_SIZE 32u  /* bytes of the record */
#define CLOCK_WALL_CLOCK_SIZE  12u

enum exit_reply {
    /* the instruction is done: the hypervisor advances RIP (EXIT_IO) or goes on; EXIT_MMIO: the
       guest takes the instruction again, or another one that is there now */
    REPLY_DONE,
    REPLY_STATE, /* gpr, rip and rflags are taken from `state` */
    /* gpr are taken from `state`, then reply_vector is injected, at the same RIP */
    REPLY_EXCEPTION,
    /* like REPLY_STATE, and the segments and descriptor tables are taken too, after GATE_SEGMENTS;
     * a state that cannot be entered is an EXIT_SHUTDOWN */
    REPLY_SEGMENTS,
    REPLY_STACK_SEGMENT, /* likewise; the instruction was a MOV or POP to SS, which blocks events */
    /* EXIT_TASK_SWITCH: like REPLY_SEGMENTS, and cr3 is taken, all of rflags, with VM, and TS is
     * set and DR7_LOCAL cleared; then reply_vector is injected, unless it is REPLY_NO_VECTOR. With
     * #DB DR6.BT is set */
    REPLY_TASK,
};

#define REPLY_NO_VECTOR 0xff

struct exit_page {
    uint64_t events; /* EVENT_* of abi/process.h: what happened meanwhile */
    uint64_t kicks;  /* bits of GATE_DOORBELL: the guest has written to these ports */
    uint32_t kind;   /* enum exit_kind */
    uint32_t reserved;
    union {
        struct {
            uint16_t port;
            uint8_t size;         /* bytes: 1, 2 or 4 */
            uint8_t in;           /* 1: IN or INS */
            uint8_t rep;          /* string only */
            uint8_t address_size; /* string only, bytes: 2, 4 or 8 */
            uint8_t segment;      /* OUTS only: enum segment */
            uint8_t reserved;
            /* OUT: from the guest; IN: set by the monitor; its low `size` bytes count */
            uint32_t value;
            uint32_t length; /* string only: of the instruction, bytes */
        } io;
        struct {
            uint64_t address; /* guest-physical */
            uint8_t write;
            uint8_t fetch;        /* an instruction fetch: nothing to emulate */
            uint8_t linear_valid; /* `linear` is what was translated to `address` */
            uint64_t linear;
        } mmio;
        struct {
            uint32_t vector;
        } eoi;
        struct {
            uint32_t reason; /* enum exit_shutdown */
            uint32_t detail;
        } shutdown;
        struct exit_task task;
        uint64_t raw[4];
    };
    uint32_t reply;             /* enum exit_reply, written by the monitor */
    uint32_t reply_vector;      /* REPLY_EXCEPTION, REPLY_TASK */
    uint32_t reply_error_code;  /* likewise, where the vector has one */
    uint32_t reply_breakpoints; /* bit n: the instruction met DRn; cleared when it is taken */
    uint64_t reply_cr2;         /* likewise, with #PF */
    struct guest_state state;
    struct vmcs_values vmcs;      /* SHUTDOWN_ENTRY_FAILED only */
    struct exit_clock clock;      /* EVENT_CLOCK, EVENT_WALL_CLOCK only */
} __attribute__((aligned(4096))); /* so that an array has one page for each vCPU */

_Static_assert(sizeof(struct segment_state) == 16, "the exit page's layout is ABI");
_Static_assert(offsetof(struct exit_page, reply) == 56, "the exit page's layout is ABI");
_Static_assert(offsetof(struct exit_page, state) == 80, "the exit page's layout is ABI");
_Static_assert(offsetof(struct exit_page, vmcs) == 80 + 33 * 8 + 8 * 16 + 2 * 16,
               "the exit page's layout is ABI");
_Static_assert(sizeof(struct exit_page) == 4096, "it is one page");
