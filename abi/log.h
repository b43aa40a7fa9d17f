/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log ring: where ring 0 writes its lines, and the console process reads them. Only ring 0
 * writes the ring; the console has the pages before it, and says there how far it has come, and
 * what it has not given to the serial port yet. These outlive it: one that is started again goes on
 * from there, and when there is none, and after a panic, ring 0 prints first what is in the queue,
 * and then its lines, itself.
 */
#pragma once

#include <stdint.h>

#define LOG_RING_SIZE 0x10000u /* bytes of text; a power of two */
#define LOG_LINE_MAX  256u     /* of one record's text */

#define LOG_QUEUE_SIZE  0x20000u /* bytes; a power of two */
#define LOG_READER_SIZE 0x21000u /* whole pages: behind them is the ring */

/* A record: this header, then its text, without an end of line, rounded up to LOG_ALIGN. Records
 * wrap byte by byte. */
struct log_record {
    uint16_t length;
    uint8_t kind; /* enum log_kind */
    uint8_t vm;   /* whose, by the plan's index; LOG_NO_VM: the hypervisor's */
};

#define LOG_ALIGN 4u
#define LOG_NO_VM 0xffu

enum log_kind {
    LOG_LINE,
    LOG_VM_ENDED, /* the VM's last line: what it wrote before comes out before */
    LOG_END,      /* the run's last line: the console answers with GATE_STOP when it is out */
};

/* Written by the console, read by ring 0, which checks it. */
struct log_reader {
    uint64_t head;  /* bytes that have been read, for ever */
    uint64_t asked; /* how often somebody wanted to know where the guests are: then each process may
                       log as much again as at first */
    uint64_t looks; /* not 0: the console looks at the ring by itself, and is not woken for it */
    uint64_t ending; /* not 0: it has read LOG_END */
    /* The port's queue: bytes that were put into it and that the port has, for ever. */
    uint32_t queued, sent;
    char queue[LOG_QUEUE_SIZE];
};

/* Where the ring lies in physical memory, if that is free there: a warm reset leaves it as it is,
 * and firmware mostly, too, so that the next run can print what this one has said last. */
#define LOG_RING_AT    0x1e0000ULL
#define LOG_RING_MAGIC 0x0031474f4c544e4cULL /* "LNTLOG1", little endian: there it is whole */
#define LOG_RING_PARTS 16u

struct log_ring {
    uint64_t tail;  /* bytes written, for ever */
    uint64_t magic; /* LOG_RING_MAGIC, at LOG_RING_AT */
    uint64_t check; /* ~tail */
    /* where the last record begins in each part of the ring, of LOG_RING_SIZE / LOG_RING_PARTS */
    uint64_t begins[LOG_RING_PARTS];
    uint64_t reserved[493];
    uint8_t bytes[LOG_RING_SIZE];
};

_Static_assert(sizeof(struct log_reader) <= LOG_READER_SIZE, "the ring lies behind it");
