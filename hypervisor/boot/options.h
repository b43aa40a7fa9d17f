/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's command line: words of the form name or name=value, separated by spaces. */
#pragma once

#include <stdint.h>

#include "hypervisor/msr/switch.h"
#include "lib/mitigations.h"

struct options {
    uint32_t caps;         /* caps: print what VT-x offers here, and end */
    uint32_t stop_masters; /* bus-mastering=off: no device of the host's reaches memory any more */
    uint32_t strategy;     /* msr-switch=NAME: enum msr_strategy */
    uint32_t unmitigated[MITIGATION_COUNT]; /* mitigations=-NAME: do without, one by one */
    uint64_t hidden; /* hide=a,b: VMX controls to do without; a bit for each enum control_id */
};

extern struct options options;

/* Reads the command line into `options`, and into the like of those below: vm_options,
 * machine_end_port. Returns NULL, or a word that it does not know, copied. */
const char *options_parse(const char *cmdline);
