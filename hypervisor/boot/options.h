/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's command line: words of the form name or name=value, separated by spaces. */
#ifndef BOOT_OPTIONS_H
#define BOOT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "hypervisor/msr/switch.h"

struct options {
    bool caps; /* caps: print what VT-x offers here, and end */
    /* counters: print when each VM starts, and what its exits were when it stops */
    bool counters;
    /* clear-memory=no: guests may see what was in the RAM before, as in a new emulator's */
    bool keep_memory;
    bool stop_masters;  /* bus-mastering=off: no device of the host's reaches memory any more */
    bool console_lines; /* console=focus|lines: how VMs share the console, see console.h */
    enum msr_strategy strategy; /* msr-switch=lazy|none-needed|eager|area */
    uint64_t hidden;   /* hide=a,b: VMX controls to do without; a bit for each enum control_id */
    void (*end)(void); /* end=halt|bochs|qemu: what to do when all VMs have stopped */
};

extern struct options options;

/* Reads the command line into `options`. Returns NULL, or a word that it does not know, copied. */
const char *options_parse(const char *cmdline);

/* Ends an emulator's run, where the option end= names one; otherwise it returns. */
void options_end(void);

#endif
