/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control line: what a tool and the control process say to each other over a serial port, or
 * anything else that carries bytes. docs/control.md says it in words.
 *
 * The tool asks, one request at a time, and the control process answers each. A request is 16
 * bytes, which is what the FIFO of a 16550 holds: it arrives whole, whoever has the CPU meanwhile.
 * What is no frame is passed by, byte by byte, and never answered: who gets no answer asks again,
 * with another tag. All is little-endian.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/exit.h"
#include "abi/gate.h"

#define CONTROL_LINE_VERSION 8

#define CONTROL_REQUEST 0xa7u /* the first byte of each, */
#define CONTROL_ANSWER  0xa8u
#define CONTROL_HEAD    16u   /* bytes of a request, or of an answer before its data */
#define CONTROL_DATA    1024u /* bytes of an answer's data, at most */

/* What can be asked. All but the first, LOG, PROCESS and RELEASE are about `vm`, by its index in
 * the plan. */
enum control_call {
    CONTROL_CALL_HELLO, /* the answer: struct control_hello */
    CONTROL_CALL_LOOK,  /* struct control_vm */
    CONTROL_CALL_PAUSE,
    CONTROL_CALL_RESUME, /* a VM that is paused goes on, not one that is stopped */
    CONTROL_CALL_RESET,  /* it starts anew, with what is in its memory; on-reset is not asked */
    CONTROL_CALL_STOP,   /* it is paused, and goes on only by START */
    CONTROL_CALL_START,  /* a VM that is stopped starts anew */
    /* (argument: a position in the log): struct control_log, then records of abi/log.h */
    CONTROL_CALL_LOG,
    /* (CONTROL_VCPU): struct gate_registers, whose debug registers are the guest's; the zeros at
       their end are left out. CONTROL_STATE: the vCPU has not been started */
    CONTROL_CALL_REGISTERS,
    /* (argument: a guest-physical address, a multiple of CONTROL_DATA): so many bytes of memory;
       the zeros at their end are left out */
    CONTROL_CALL_MEMORY,
    /* (likewise): the address, 8 bytes, from there on of the next such piece that is not all zeros:
       or that of one at most CONTROL_SEARCH further on, which was not looked at, or is no memory */
    CONTROL_CALL_SEARCH,
    CONTROL_CALL_POWER_OFF, /* its power button is pressed: its guest may switch itself off */
    CONTROL_CALL_PROCESS,   /* process `vm` of the plan: struct gate_process of abi/gate.h */
    /* For a debugger (GATE_CONTROL_* and enum gate_debug of abi/gate.h, which say more). Of a vCPU
       that has stopped: */
    CONTROL_CALL_DEBUG, /* (bits of enum gate_debug, vCPU): struct gate_stopped. GATE_DEBUG_STOP and
                           _END are for all vCPUs */
    /* (value, CONTROL_INDEX, vCPU): 32 bits of struct guest_state; its debug registers are the
       debugger's breakpoints */
    CONTROL_CALL_SET,
    CONTROL_CALL_MSR, /* (number, vCPU): its value, 8 bytes */
    /* (address, CONTROL_BYTE): so many bytes of memory, from any guest-physical address on, in one
       page; the zeros at their end are left out */
    CONTROL_CALL_READ,
    /* (likewise): this byte into guest-physical memory */
    CONTROL_CALL_POKE,
    /* (address, CONTROL_BYTE): an INT3 instead of the byte there, or with 0 what was there. The
       answer: that byte. GATE_DEBUG_END takes all out that are left */
    CONTROL_CALL_PATCH,
    /* (a position in what the VM has written): struct control_console, then what follows there; a
       position where nothing is any more, or nothing yet, counts as that of the first byte kept */
    CONTROL_CALL_CONSOLE,
    CONTROL_CALL_TYPE, /* (CONTROL_TYPED): for its guest. CONTROL_STATE: it has no room now */
    /* (CONTROL_TRACE_*): it is traced from now on (abi/trace.h), or not any more. A process only
       where all VMs may be controlled */
    CONTROL_CALL_TRACE,
    /* (argument: a position in ring `vm` of the trace): struct control_records, then records from
       there on, by lib/trace_pack.h */
    CONTROL_CALL_RECORDS,
    CONTROL_CALL_RELEASE, /* VMs that have ended need not be held any more, now or later */
    /* (a piece, GATE_SNAPSHOT_PIECE; CONTROL_GOES_ON): of a VM that is paused it and some behind it
       become its snapshot's; the piece to ask for next, 8 bytes: 0 when there is a whole snapshot.
       With CONTROL_STATE its devices are at work, or a debugger is there; with CONTROL_NO_VM it has
       no memory for one */
    CONTROL_CALL_SNAPSHOT,
    CONTROL_CALL_RESTORE, /* (likewise): they become what its snapshot has. CONTROL_STATE: it has
                             none, likewise */
    /* (address below 4 GiB, CONTROL_WORD): these four bytes, the first one lowest, into
       guest-physical memory */
    CONTROL_CALL_WRITE,
    CONTROL_CALL_COUNT
};

/* How long VMs are held when all have ended, where the plan awaits the control process, and nobody
 * asks for anything any more. */
#define CONTROL_HELD_S 3600u

/* Parts of an argument. */
#define CONTROL_VCPU(n)     ((uint64_t)(n) << 56)
#define CONTROL_INDEX(n)    ((uint64_t)(n) << 32)
#define CONTROL_BYTE(n)     ((uint64_t)(n) << 56)
#define CONTROL_WORD(n)     ((uint64_t)(n) << 32)
#define CONTROL_ADDRESS(at) ((at) & 0xffffffffffffffULL)

#define CONTROL_PATCHES 64 /* at a time, of all VMs */

/* Up to CONTROL_TYPED_MAX bytes, the first one lowest, how many, and a number that is another one
 * than that of the last: so that one that comes twice is typed once. */
#define CONTROL_TYPED(bytes, count, number)                                                        \
    ((bytes) | (uint64_t)(count) << 48 | (uint64_t)(number) << 56)
#define CONTROL_TYPED_MAX 6

#define CONTROL_TRACE_ON      1u
#define CONTROL_TRACE_PROCESS 2u /* `vm` is a process, as for CONTROL_CALL_PROCESS */

#define CONTROL_SEARCH  0x40000u     /* a slow machine answers in time, too */
#define CONTROL_GOES_ON (1ULL << 32) /* then it is resumed, before any time passes */
#define CONTROL_PIECES  8u           /* of a snapshot, likewise */

enum control_error {
    CONTROL_OK,
    CONTROL_NO_CALL, /* it is not known */
    CONTROL_NO_VM,   /* there is none, or it may not be controlled */
    CONTROL_STATE,   /* the VM is not in a state for it, or no more patches can be */
    CONTROL_SILENT,  /* said by the tool's end of the line: no answer came */
    CONTROL_ERROR_COUNT
};

struct control_request {
    uint8_t magic; /* CONTROL_REQUEST */
    uint8_t call;  /* enum control_call */
    uint8_t vm;
    uint8_t tag;  /* the answer has it, too */
    uint32_t crc; /* CRC-32 of IEEE 802.3, over the whole frame with 0 here */
    uint64_t argument;
};

struct control_answer {
    uint8_t magic; /* CONTROL_ANSWER */
    uint8_t call, vm, tag;
    uint32_t crc;      /* likewise, data included */
    uint16_t size;     /* bytes of data */
    uint16_t error;    /* enum control_error */
    uint32_t reserved; /* 0 */
    uint8_t data[CONTROL_DATA];
};

struct control_hello {
    uint32_t version; /* CONTROL_LINE_VERSION */
    uint32_t vms;     /* bit n: VM n is there, and may be controlled */
    uint64_t tsc_khz;
};

enum control_vm_state {
    CONTROL_VM_RUNS,
    CONTROL_VM_PAUSED,
    CONTROL_VM_ENDED,
    CONTROL_VM_STOPPED,
    CONTROL_VM_STATE_COUNT
};

struct control_vm {
    char name[PLAN_NAME_SIZE];
    uint64_t memory; /* bytes */
    uint32_t state;  /* enum control_vm_state */
    uint32_t vcpus;
    uint64_t tsc; /* when this was so */
    struct gate_used used;
    uint64_t exits[GATE_EXIT_REASONS]; /* since boot, by reason; those at the end that are 0 may be
                                          left out */
};

/* Positions in bytes of records, for ever. */
struct control_records {
    uint64_t at;   /* of the first one that follows: as asked, or later; or the ring's end */
    uint64_t next; /* where to ask for the next */
    uint64_t tail; /* of the ring */
    uint64_t cpu;  /* whose it is */
};

struct control_log {
    uint64_t at;   /* the position of the first record that follows: as asked, or later */
    uint64_t next; /* where to ask for the next */
};

struct control_console {
    uint32_t at;    /* the position of the first byte that follows: as asked, or another */
    uint32_t typed; /* the number of what was typed last */
};

_Static_assert(sizeof(struct control_request) == CONTROL_HEAD, "the line's layout is ABI");
_Static_assert(offsetof(struct control_answer, data) == CONTROL_HEAD, "the line's layout is ABI");
_Static_assert(sizeof(struct control_vm) <= CONTROL_DATA, "an answer holds it");
