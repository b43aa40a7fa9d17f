/* SPDX-License-Identifier: BSD-2-Clause */
/* on-fault: core: the cores of VMs that stop for a fault, which are made while the run goes on. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "tool/machine.h"
#include "tool/outcome.h"
#include "tool/relay.h"

/* How often to look whether one is complete. */
#define CORES_LOOK_MS 100

struct cores {
    const struct machine *machine;
    const struct outcome *outcome;
    struct relay *relay;     /* by whose socket they are fetched */
    const char *folder;      /* where they are put */
    const char *work_folder; /* for what the program says that fetches them */
    uint32_t begun;          /* VMs whose core is under way, or was, a bit for each */
    unsigned vm;             /* the last of them, */
    pid_t child;             /* and who fetches it; 0: nobody does */
    char *path, *said;
    bool released; /* nothing is to be done any more */
};

/* Whether one might be made of a VM of this machine. */
bool cores_wanted(const struct machine *machine);

/* Begins what is to be done now, one core after the other; when all are there, and all VMs of which
 * one might be made have ended, the machine is told. Returns ms until it is to be called again;
 * -1: when something has been said. */
int cores_work(struct cores *cores);

/* What is not complete is left out. */
void cores_end(struct cores *cores);
