/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plan: what `lintel image` tells the hypervisor to build.
 *
 * GRUB loads the hypervisor and these modules, in this order: the plan, the monitor, then the files
 * that the plan's rows name. The hypervisor checks the plan once, before it creates anything.
 */
#ifndef ABI_PLAN_H
#define ABI_PLAN_H

#include <stdint.h>

#define PLAN_MAGIC        0x4e414c504c544e4cULL /* "LNTLPLAN", little endian */
#define PLAN_VERSION      2
#define PLAN_MAX_VMS      8
#define PLAN_MAX_VCPUS    8
#define PLAN_MAX_FILES    32
#define PLAN_NAME_SIZE    32
#define PLAN_CMDLINE_SIZE 2048
#define PLAN_NO_FILE      UINT32_MAX

/* The multiboot2 modules that come before the plan's files. */
#define PLAN_MODULE_PLAN       0
#define PLAN_MODULE_MONITOR    1
#define PLAN_MODULE_FIRST_FILE 2

/* Guest-physical layout: RAM from 0 to the hole, devices in the hole, the rest of RAM
 * above 4 GiB. */
#define PLAN_HOLE_START 0xc0000000ULL
#define PLAN_HOLE_END   0x100000000ULL

/* A VM's memory is a multiple of this, in bytes: the size of the EPT's large pages. */
#define PLAN_MEMORY_UNIT 0x200000ULL

enum plan_console {
    PLAN_CONSOLE_NONE,   /* what the guest writes is dropped */
    PLAN_CONSOLE_SERIAL, /* a share of the host's serial line */
};

/* What a guest can do of which a VM's description may say what becomes of the VM then. */
enum plan_event {
    PLAN_ON_RESET,
    PLAN_ON_FAULT, /* it cannot go on, or says that its kernel panicked */
    PLAN_ON_HALT,  /* nothing can wake it */
    PLAN_EVENT_COUNT
};

enum plan_action {
    /* a reset and a triple fault restart it, any other fault stops it, a halt lasts */
    PLAN_AS_A_PC,
    PLAN_RESTART,
    PLAN_STOP,
    PLAN_ACTION_COUNT
};

struct plan_file {
    uint64_t size;             /* bytes; a module of another size was truncated or swapped */
    char name[PLAN_NAME_SIZE]; /* for messages; NUL-terminated */
};

struct plan_vm {
    char name[PLAN_NAME_SIZE];       /* unique, NUL-terminated */
    char cmdline[PLAN_CMDLINE_SIZE]; /* NUL-terminated */
    uint64_t memory;                 /* bytes */
    uint32_t vcpus;
    uint32_t kernel;               /* an index into files */
    uint32_t initrd;               /* an index into files, or PLAN_NO_FILE */
    uint32_t console;              /* enum plan_console */
    uint32_t on[PLAN_EVENT_COUNT]; /* enum plan_action */
    uint32_t reserved;
};

struct plan {
    uint64_t magic;
    uint32_t version;
    uint32_t size; /* of this structure, in bytes */
    uint32_t vm_count;
    uint32_t file_count;
    struct plan_file files[PLAN_MAX_FILES];
    struct plan_vm vms[PLAN_MAX_VMS];
};

_Static_assert(sizeof(struct plan_file) == 40, "the plan's layout is ABI");
_Static_assert(sizeof(struct plan_vm) == 2120, "the plan's layout is ABI");
_Static_assert(sizeof(struct plan) == 24 + 32 * 40 + 8 * 2120, "the plan's layout is ABI");

#endif
