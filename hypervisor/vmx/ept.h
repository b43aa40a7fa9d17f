/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended page tables: a VM's guest-physical memory (R36). SDM volume 3, "The Extended Page Table
 * Mechanism (EPT)". */
#ifndef VMX_EPT_H
#define VMX_EPT_H

#include "hypervisor/vmx/caps.h"
#include "lib/radix.h"

#include <stdbool.h>
#include <stdint.h>

struct ept {
    uint64_t *root;
    struct radix_format format;
};

/* Begins an empty EPT in a page that is zero, with the page sizes that the CPU has. */
void ept_init(struct ept *ept, uint64_t *root, const struct vmx_controls *controls);

/* As radix_map(), write-back memory for all kinds of access. */
bool ept_map(struct ept *ept, uint64_t gpa, uint64_t hpa, uint64_t size);

/* The value of the EPT-pointer field: 4 levels, write-back tables. */
uint64_t ept_pointer(const struct ept *ept);

#endif
