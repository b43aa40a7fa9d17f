/* SPDX-License-Identifier: BSD-2-Clause */
/* Architectural bits of the guest's state that the monitor looks at, by the SDM's names. */
#ifndef MONITOR_X86_H
#define MONITOR_X86_H

#include <stdbool.h>

#include "abi/exit.h"
#include "abi/vmcs.h"

#define CR0_PE (1u << 0)
#define CR0_TS (1u << 3)
#define CR0_ET (1u << 4)
#define CR0_NE (1u << 5)
#define CR0_WP (1u << 16)
#define CR0_PG (1u << 31)

#define CR4_DE    (1u << 3)
#define CR4_PSE   (1u << 4)
#define CR4_PAE   (1u << 5)
#define CR4_PCIDE (1u << 17)
#define CR4_SMEP  (1u << 20)
#define CR4_SMAP  (1u << 21)
#define CR4_PKE   (1u << 22)
#define CR4_CET   (1u << 23)
#define CR4_PKS   (1u << 24)

#define EFER_SCE (1u << 0)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define EFER_NXE (1u << 11)

#define RFLAGS_ONE (1u << 1) /* always set */
#define RFLAGS_TF  (1u << 8)
#define RFLAGS_IF  (1u << 9)
#define RFLAGS_DF  (1u << 10)
#define RFLAGS_NT  (1u << 14)
#define RFLAGS_RF  (1u << 16)
#define RFLAGS_VM  (1u << 17)
#define RFLAGS_AC  (1u << 18)

#define VECTOR_DE  0
#define VECTOR_DB  1
#define VECTOR_NMI 2
#define VECTOR_BR  5
#define VECTOR_UD  6
#define VECTOR_TS  10
#define VECTOR_NP  11
#define VECTOR_SS  12
#define VECTOR_GP  13
#define VECTOR_PF  14
#define VECTOR_MC  18

/* Error code of a page fault. */
#define PF_PRESENT  (1u << 0)
#define PF_WRITE    (1u << 1)
#define PF_USER     (1u << 2)
#define PF_RESERVED (1u << 3)
#define PF_FETCH    (1u << 4)
#define PF_KEY      (1u << 5)

/* Real mode and virtual-8086 mode make a base of a selector. */
static inline bool loads_descriptors(const struct guest_state *s)
{
    return s->cr0 & CR0_PE && !(s->rflags & RFLAGS_VM);
}

static inline unsigned current_privilege(const struct guest_state *s)
{
    return ACCESS_DPL(s->segment[SEG_SS].access);
}

#endif
