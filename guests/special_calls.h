/* SPDX-License-Identifier: BSD-2-Clause */
/* What special_calls.c and special_calls_entry.S share: one way into ring 3, and what the way back
 * has found. */
#pragma once

/* Offsets in struct ring3, which is both what ring 3 starts with and what an entry notes. */
#define RING3_RIP    0
#define RING3_CS     8
#define RING3_RFLAGS 16
#define RING3_RSP    24
#define RING3_SS     32
#define RING3_RAX    40
#define RING3_RCX    48
#define RING3_RDX    56
#define RING3_R11    64
#define RING3_R8     72
#define RING3_R9     80
#define RING3_R10    88
#define RING3_HOW    96

/* ring3.how: what brought the kernel back. */
#define BACK_SYSCALL  1
#define BACK_SYSENTER 2
#define BACK_FAULT    3
