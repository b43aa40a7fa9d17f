/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine that a VM description asks for: checked, with every file found, and the plan made. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/plan.h"
#include "tool/report.h"

/* A driver for a host's disk. */
enum disk_driver { DISK_ATA, DISK_AHCI, DISK_NVME, DISK_DRIVER_COUNT };

struct machine_disk {
    enum disk_driver driver;
    const char *name; /* in the plan */
    uint32_t process; /* its row of the plan */
    char *path;       /* the file that it is on an emulated machine; NULL: none */
    uint64_t size;    /* bytes that the description gives it; 0: it does not say */
    int file;         /* open and locked; -1: it is not there yet, or not looked at */
    char *place;      /* of `path` in the description, for messages; NULL: none */
};

/* A partition that VMs use, which may be several where all only read. */
struct machine_partition {
    unsigned disk;
    const char *label; /* in the plan */
    uint64_t size;     /* bytes that the description gives it; 0: it does not say */
    char *contents;    /* what it holds when it is made (contents.h); NULL: zeroes */
    unsigned vm;       /* the first that uses it */
    bool read_only;
};

#define MACHINE_FORWARDS 5 /* as many as Bochs takes */

struct machine {
    struct plan plan;
    char *files[PLAN_MAX_FILES];    /* the paths of the plan's files */
    bool alone[PLAN_MAX_VMS];       /* nobody else is at home on a VM's CPUs */
    unsigned success[PLAN_MAX_VMS]; /* the exit status that is a VM's success; 0: none is */
    bool cores[PLAN_MAX_VMS];       /* a core of it is made where it stops for a fault */
    char *folder; /* what was made for it, until machine_free; NULL: nothing was */
    struct machine_disk disks[PLAN_MAX_PROCESSES];
    struct machine_partition partitions[PLAN_MAX_VMS];
    unsigned disk_count, partition_count;
    struct machine_nic {
        uint32_t process; /* its driver's row of the plan */
        char *place;      /* in the description, for messages */
    } nics[PLAN_MAX_PROCESSES];
    unsigned nic_count;
    struct machine_forward {
        unsigned port, guest_port; /* of this machine's loopback, and of the guest */
        char address[16];          /* the guest's, on the network of the emulated card */
        char *place;               /* in the description, for messages */
    } forwards[MACHINE_FORWARDS];
    unsigned forward_count;
    uint64_t memory;        /* bytes that the machine below the hypervisor has, or must have */
    uint32_t cpus;          /* that it has, or must have */
    char *cpu;              /* Bochs's name of a CPU model; NULL: the default */
    char *hide;             /* VMX controls to do without, joined by commas; NULL: none */
    const char *msr_switch; /* a name of strategies.def; NULL: the default */
};

/* What a machine is for, as bits. */
enum machine_use {
    /* the files of disks count, and are locked until machine_free, and ports of this machine */
    MACHINE_EMULATED = 1 << 0,
    MACHINE_CONTROLLED = 1 << 1, /* the plan gets a control process */
};

/*
 * Reads and checks a description, says all that is wrong with it, fetches Debian's kernels. On
 * LINTEL_OK machine_free must follow. On LINTEL_DESCRIPTION or LINTEL_MACHINE the messages have
 * been printed.
 */
enum exit_code machine_load(const char *path, unsigned use, struct machine *machine);

void machine_free(struct machine *machine);
