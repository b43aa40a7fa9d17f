/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended page tables: a VM's guest-physical memory (R36). SDM volume 3, "The Extended Page Table
 * Mechanism (EPT)". */
#ifndef VMX_EPT_H
#define VMX_EPT_H

#include "hypervisor/vmx/caps.h"
#include "lib/radix.h"

#include <stdbool.h>
#include <stdint.h>

enum ept_rights { EPT_R = 1, EPT_W = 2, EPT_X = 4, EPT_RWX = 7 };

/* Memory types, as in PAT and MTRRs. */
enum memory_type { MEMORY_UC = 0, MEMORY_WC = 1, MEMORY_WT = 4, MEMORY_WP = 5, MEMORY_WB = 6 };

struct ept {
    uint64_t *root;
    struct radix_format format;
};

/* Begins an empty EPT with the page sizes that the CPU has. Returns false when there is no page for
 * its root. */
bool ept_init(struct ept *ept, const struct vmx_controls *controls);

/* As radix_map(). The guest's PAT is combined with `type`. No rights, or W without R, is refused
 * (misconfiguration). */
bool ept_map(struct ept *ept, uint64_t gpa, uint64_t hpa, uint64_t size, enum ept_rights rights,
             enum memory_type type);

/* The value of the EPT-pointer field: 4 levels, write-back tables. */
uint64_t ept_pointer(const struct ept *ept);

#endif
