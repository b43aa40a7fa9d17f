/* SPDX-License-Identifier: BSD-2-Clause */
/* A process in ring 3: its address space, its image, and the ways in and out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/process.h"
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/paging.h"
#include "hypervisor/sched/thread.h"
#include "lib/bucket.h"
#include "lib/phys_map.h"

#define PROCESS_OWN 16

struct process {
    /* The registers of ring 3. Its end is where the CPU pushes when it leaves ring 3, thus the
     * alignment. */
    struct trap_frame user_frame __attribute__((aligned(16)));
    struct cpu_block *cpu;   /* its thread's home; a monitor's: the first vCPU's */
    void *stack;             /* the end of its CPU's stack, for trap.S: where `thread` is at home */
    struct thread *thread;   /* who is in it: its own thread, or the vCPU whose exit it handles */
    struct thread *listener; /* whom its timer and its channels wake: the same, or the first vCPU */
    bool service;            /* it is no monitor, but a part of a struct service */
    bool awaited;            /* the machine ends no sooner than it */
    uint8_t vm;              /* a monitor's: which, by the plan's index; otherwise LOG_NO_VM */
    uint64_t *root;          /* its address space, */
    uint64_t cr3;            /* where that is */
    struct process_info *info;
    char *text;            /* one page that it shares with ring 0 */
    struct bucket log;     /* lines that it may cause, */
    uint32_t log_left_out; /* and how many more it did */
    uint64_t log_asked;    /* log_reader.asked, when it said something last */
    struct process_peer {
        struct process *process; /* the other side, */
        uint32_t channel;        /* and the channel's number there */
    } peers[PROCESS_CHANNELS];
    struct process_memory {
        void *at;
        uint64_t size;
    } own[PROCESS_OWN]; /* what it may write, and nobody else does */
    uint32_t own_count;
    const struct process_extent *extents; /* of a monitor: its guest's memory */
    uint32_t extent_count;
};

/* The bytes behind user_frame would break the stack that an interrupt builds there. */
_Static_assert(sizeof(struct trap_frame) % 16 == 0, "the processor aligns the frame it pushes");

/* For entry.S: in each address space, and for ring 0 alone, the address of its process. */
#define PROCESS_SELF (PROCESS_IMAGE_START - PAGE_SIZE)

/* The CPU of this number, for a process or a vCPU; stops with a verdict where it is not used. */
struct cpu_block *process_home(const char *name, uint32_t cpu);

/* A new address space, with the pages that every process has; at home on the CPU of this number. */
void process_init(struct process *p, const char *name, uint32_t cpu);

/* Maps memory of ring 0's, or a module, into it; size is rounded up to pages. What it may write
 * nobody else does. */
void process_map(struct process *p, uint64_t virt, void *memory, uint64_t size, uint64_t flags);

/* What it is called in the log. */
static inline const char *process_kind(const struct process *p)
{
    return p->service ? "process" : "vm";
}

/* A line about a process that it can cause: some at once, and then so many in a second. What is
 * left out is counted; the next line tells it, or process_log_left_out. */
void process_log(struct process *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void process_log_left_out(struct process *p);

/* An exception of its ring 3 in words. */
#define PROCESS_FAULT_WORDS 96
void process_fault_words(const struct trap_frame *frame, char *text, size_t size);

/* Loads an image (lib/image.h) that was checked, and sets the registers to its entry point; again,
 * over what is there. */
void process_load(struct process *p, const struct phys_range *image);

/* `cpu`, which is this one, gets p's address space; before p's ring 3, and before a guest of which
 * it is the monitor. */
void process_switch(struct process *p, struct cpu_block *cpu);

/* Ring 3 goes on where an interrupt stopped it, or at its entry point. */
void __attribute__((noreturn)) process_resume(struct process *p);

/* entry.S: back to ring 3 by SYSRET or SYSEXIT with the result of a call. */
void __attribute__((noreturn)) process_return(struct process *p, int64_t result);

/* The call that it is at returns this, when it is resumed. */
static inline void process_set_result(struct process *p, int64_t result)
{
    p->user_frame.rax = (uint64_t)result;
}

/* end.c: the machine runs until all that are awaited have ended; those of the first kind, "VMs" for
 * one, are counted in its last word. At boot. */
void process_await(struct process *p, const char *of_kind);

/* p, which cannot run any more, has ended, for a fault or not, and does not come back: the log and
 * the other sides of its channels are told. Returns while the machine goes on, or the console has
 * still to print the last line. */
void process_end(struct process *p, bool fault, const char *why);

/* The console has ended, which says that it has printed all: the log is ring 0's again. Returns
 * while the machine goes on. */
void process_printed(void);

/* Ring 3 enters by SYSENTER; entry.S reads it. */
extern bool process_sysenter;

/* entry.S: where SYSCALL and SYSENTER land. */
extern const uint8_t process_gate_syscall[], process_gate_sysenter[];
extern const uint8_t process_gate_syscall_bhb[], process_gate_sysenter_bhb[];
