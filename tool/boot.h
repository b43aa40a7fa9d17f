/* SPDX-License-Identifier: BSD-2-Clause */
/* Boots a machine in an emulator, with its console on this terminal. */
#pragma once

#include "tool/emulator.h"
#include "tool/machine.h"

struct boot_request {
    struct emulation emulation; /* work_folder and memory are filled in; a NULL cpu too */
    const char *options;        /* more words for the hypervisor's command line; NULL: none */
    const char *description;    /* the name of what is booted, for results */
    const char *log;            /* a folder for each VM's console; NULL: none */
    const char *junit, *json;   /* files for how it ended; NULL: none */
    const char *keep;           /* a folder to leave image and logs in; NULL: nothing is left */
    const char *control;        /* where the socket of the control line shall be; NULL: none */
    unsigned timeout;           /* seconds; 0: none */
};

/* Writes the image, boots it, and returns the exit code of the run, after saying what was bad about
 * it. */
int boot_machine(struct machine *machine, struct boot_request *request);
