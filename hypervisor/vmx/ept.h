/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended page tables: a VM's guest-physical memory (R36). SDM volume 3, "The Extended Page Table
 * Mechanism (EPT)". */
#pragma once

#include "lib/radix.h"
#include "lib/vmx_caps.h"

#include <stdbool.h>
#include <stdint.h>

/* A page has been written. */
#define EPT_DIRTY 0x200ULL

struct ept {
    uint64_t *root;
    struct radix_format format;
    uint64_t rights;  /* of what is mapped */
    uint64_t tracked; /* EPT_DIRTY where it may be cleared: the CPU sets it again; or 0 */
    uint32_t lock;    /* of ept_execute: a table is taken once, whatever other CPUs fetch */
};

/*
 * Begins an empty EPT in a page that is zero, with the page sizes that the CPU has. With
 * execute_small no page is executable that is larger than 4 KiB: none is, until ept_execute. With
 * tracked all are of 4 KiB, and EPT_DIRTY is set: for good where the CPU does not keep that flag.
 */
void ept_init(struct ept *ept, uint64_t *root, const struct vmx_controls *controls,
              bool execute_small, bool tracked);

/*
 * A guest fetches from memory in an EPT with execute_small: the 2 MiB around it, which are all
 * mapped, become pages of 4 KiB that are executable. That takes a table for each 2 MiB once.
 * Nothing need be flushed: the EPT violation has forgotten what it was for, and all else has the
 * same translation. False: there is no memory.
 */
bool ept_execute(struct ept *ept, uint64_t gpa);

/* As radix_map(), write-back memory for all kinds of access, but for what execute_small says. */
bool ept_map(struct ept *ept, uint64_t gpa, uint64_t hpa, uint64_t size);

/* The value of the EPT-pointer field: 4 levels, write-back tables. */
uint64_t ept_pointer(const struct ept *ept);
