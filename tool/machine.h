/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine that a VM description asks for: checked, with every file found, and the plan made. */
#ifndef TOOL_MACHINE_H
#define TOOL_MACHINE_H

#include "abi/plan.h"
#include "tool/report.h"

struct machine {
    struct plan plan;
    char *files[PLAN_MAX_FILES];    /* the paths of the plan's files */
    unsigned success[PLAN_MAX_VMS]; /* the exit status that is a VM's success; 0: none is */
    uint64_t memory;        /* bytes that the machine below the hypervisor has, or must have */
    char *cpu;              /* Bochs's name of a CPU model; NULL: the default */
    char *hide;             /* VMX controls to do without, joined by commas; NULL: none */
    const char *msr_switch; /* a name of strategies.def; NULL: the default */
};

/*
 * Reads and checks a description, says all that is wrong with it, fetches Debian's kernels. On
 * LINTEL_OK machine_free must follow. On LINTEL_DESCRIPTION or LINTEL_MACHINE the messages have
 * been printed.
 */
enum exit_code machine_load(const char *path, struct machine *machine);

void machine_free(struct machine *machine);

#endif
