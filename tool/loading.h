/* SPDX-License-Identifier: BSD-2-Clause */
/* What those share who make a machine of a description. */
#pragma once

#include "hypervisor/cpu/layout.h"
#include "tool/description.h"
#include "tool/machine.h"

struct loading {
    struct description_file file;
    struct machine *machine;
    char *modules[PLAN_MAX_VMS]; /* archives with the modules of VMs' kernels; NULL: none */
    uint64_t promised[CPUS_MAX]; /* of each CPU, in millionths */
    uint32_t common;             /* the first CPU that no VM has alone */
    enum exit_code code;         /* LINTEL_MACHINE when something but the description is at fault */
};
