/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ELF core of a VM, as gdb reads it: guest memory as the guest's own page tables show it, and
 * the registers. It is made in a file that has guest memory at its beginning, behind the ELF
 * header: what is zero is a hole.
 */
#pragma once

#include <stdint.h>

#include "abi/exit.h"
#include "abi/plan.h"
#include "tool/report.h"

#define CORE_MEMORY_AT 0x1000 /* where guest memory begins in the file */

/* Where a guest-physical address lies in memory without the devices' hole, of `size` bytes; more
 * than that: it is no memory. */
uint64_t core_offset(uint64_t gpa, uint64_t size);

/* A vCPU of the core: a thread of this number + 1. */
struct core_vcpu {
    unsigned number;
    struct guest_state state;
};

/*
 * Completes the file, of which the memory, of `size` bytes, is written, with `count` vCPUs, at
 * least one and at most PLAN_MAX_VCPUS. The page tables are those of the first. Of a guest that has
 * paging off there, or is not in long mode, linear addresses are taken for physical ones.
 */
enum exit_code core_complete(int file, const char *path, uint64_t size,
                             const struct core_vcpu *vcpus, unsigned count);
