/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace: for each CPU a ring of records, which ring 0 writes while a VM or a process is traced,
 * and a control process reads. Nobody waits for a reader: the oldest records are written over.
 */
#pragma once

#include <stdint.h>

#define TRACE_SIZE 0x100000u /* bytes of a ring's records; a power of two */

/* What is told, in `what` of a record. */
enum trace_kind {
    TRACE_EXIT,             /* a VM exit; the basic reason is in the low byte */
    TRACE_MONITOR = 1 << 8, /* the vCPU's monitor gets the CPU */
    TRACE_ENTRY = 2 << 8,   /* a VM entry that comes not straight from its exit */
    TRACE_TURN = 3 << 8,    /* a vCPU's thread, or a process, gets the CPU */
};

struct trace_record {
    uint64_t tsc;
    /* TRACE_EXIT: the guest's RIP. TRACE_MONITOR: EVENT_* that wait for it. TRACE_ENTRY: how many
       RDMSR and WRMSR switching the vCPU's MSRs has taken until now. TRACE_TURN: for how many ticks
       it had had the CPU before */
    uint64_t value;
    /* TRACE_EXIT: the index of an MSR; the low half of the guest-physical address of an EPT
       violation; the interruption information of an exception or interrupt; otherwise that of the
       exit qualification. TRACE_MONITOR: enum exit_kind */
    uint32_t detail;
    uint32_t what;
    uint32_t ticks; /* TRACE_EXIT: until the entry, if ring 0 has answered; 0: it has not */
    uint32_t event; /* VM-entry interruption information, of this entry or TRACE_ENTRY */
};

#define TRACE_REASON(what) ((what) & 0xff)
#define TRACE_KIND(what)   ((what) & 0xff00)

/* Whose it is: a vCPU of a VM, by the plan's index; or, of the VM TRACE_PROCESS, a process. */
#define TRACE_WHO(vm, number) ((uint32_t)(number) << 24 | (uint32_t)(vm) << 16)
#define TRACE_VM(what)        ((what) >> 16 & 0xff)
#define TRACE_NUMBER(what)    ((what) >> 24)
#define TRACE_PROCESS         0xffu

struct trace_ring {
    uint64_t tail; /* bytes of records written, for ever */
    uint64_t cpu;  /* whose it is */
    uint64_t reserved[510];
    uint8_t bytes[TRACE_SIZE]; /* struct trace_record; the oldest ones are written over */
};
