/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plan: what `lintel image` tells the hypervisor to build.
 *
 * GRUB loads the hypervisor and these modules, in this order: the plan, the monitor, then the files
 * that the plan's rows name: kernels, initrds, and the images of processes. The hypervisor checks
 * the plan once, before it creates anything.
 */
#pragma once

#include <stdint.h>

#define PLAN_MAGIC        0x4e414c504c544e4cULL /* "LNTLPLAN", little endian */
#define PLAN_VERSION      12
#define PLAN_MAX_VMS      8
#define PLAN_MAX_VCPUS    8
#define PLAN_MAX_FILES    32
#define PLAN_NAME_SIZE    32
#define PLAN_CMDLINE_SIZE 2048
#define PLAN_NO_FILE      UINT32_MAX

#define PLAN_MAX_PROCESSES  9
#define PLAN_MAX_CHANNELS   64
#define PLAN_ARGUMENTS_SIZE 128
#define PLAN_LABEL_SIZE     40 /* a GPT partition's name has up to 36 characters */
#define PLAN_PORT_RANGES    4
#define PLAN_INTERRUPTS     4
#define PLAN_MAX_DMA        0x40000000ULL /* bytes, of one process */

/* The multiboot2 modules that come before the plan's files. */
#define PLAN_MODULE_PLAN       0
#define PLAN_MODULE_MONITOR    1
#define PLAN_MODULE_FIRST_FILE 2

/* Guest-physical layout: RAM from 0 to the hole, devices in the hole, the rest of RAM
 * above 4 GiB. */
#define PLAN_HOLE_START 0xc0000000ULL
#define PLAN_HOLE_END   0x100000000ULL

/*
 * What a VM or a process is promised of the CPU, in microseconds: so much in each period, or 0 and
 * 0. Both have limits; and of all that are promised something, the sum of budget/period is at most
 * PLAN_PROMISED_MAX percent, so that the others come to something.
 */
#define PLAN_BUDGET_MIN   250
#define PLAN_PERIOD_MAX   100000
#define PLAN_PROMISED_MAX 90

/* What such a promise is of the CPU, in millionths, rounded up; period is not 0. */
static inline uint64_t plan_promised(uint32_t budget, uint32_t period)
{
    return (budget * 1000000ULL + period - 1) / period;
}

/* A VM's memory is a multiple of this, in bytes: the size of the EPT's large pages. */
#define PLAN_MEMORY_UNIT 0x200000ULL

/* What a snapshot takes beside as much as the VM has, which is at most PLAN_HOLE_START: its vCPU,
 * and what its monitor writes. */
#define PLAN_SNAPSHOT_STATE 0x400000ULL

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
    uint32_t on[PLAN_EVENT_COUNT]; /* enum plan_action */
    uint32_t budget, period;       /* PLAN_BUDGET_MIN; of each vCPU */
    uint32_t cpus[PLAN_MAX_VCPUS]; /* each vCPU's home: 0 is the CPU that booted */
    uint32_t waits;                /* not 0: it is paused from the start */
    uint32_t snapshot;             /* not 0: there is memory for a snapshot of it */
};

/* What a process gets of the machine, beyond its own memory. */
enum plan_grant {
    PLAN_GRANT_LOG = 1 << 0, /* the log ring: it is the console */
    PLAN_GRANT_PCI = 1 << 1, /* the PCI function that pci_class and pci_index name: its ports, its
                                memory, its interrupt */
};

struct plan_ports {
    uint16_t first, count;
};

/* A program in ring 3 beside the monitors: a driver or a service. */
struct plan_process {
    char name[PLAN_NAME_SIZE];           /* unique, among VMs too; NUL-terminated */
    char arguments[PLAN_ARGUMENTS_SIZE]; /* NUL-terminated */
    uint32_t image;                      /* its ELF file: an index into files */
    uint32_t file;      /* what it works on: an index into files, or PLAN_NO_FILE */
    uint32_t grants;    /* enum plan_grant, as bits */
    uint32_t pci_class; /* base class, subclass and interface, as in the header: 010802h is NVMe */
    uint32_t pci_index; /* the how manyth of them, by bus, device and function, from 0 */
    uint32_t port_range_count;
    struct plan_ports ports[PLAN_PORT_RANGES];
    uint32_t interrupt_count;
    uint32_t interrupts[PLAN_INTERRUPTS]; /* ISA interrupts, 0 to 15 */
    uint32_t budget, period;              /* PLAN_BUDGET_MIN */
    uint32_t controls;                    /* VMs that it may control: bit n is VM n */
    uint32_t cpu;                         /* its home: 0 is the CPU that booted */
    uint32_t awaited; /* not 0: the machine ends no sooner than it, as with VMs */
    uint64_t dma; /* bytes of memory for its device, contiguous, below 4 GiB; a multiple of 4 KiB */
};

enum plan_channel_kind {
    PLAN_CHANNEL_CONSOLE, /* abi/console.h */
    PLAN_CHANNEL_BLOCK,   /* abi/block.h */
    PLAN_CHANNEL_NET,     /* abi/net.h */
    PLAN_CHANNEL_KIND_COUNT
};

/* An end of a channel: a VM by its index, or a process by its index with this bit. */
#define PLAN_PROCESS 0x100u

struct plan_channel {
    uint32_t kind;           /* enum plan_channel_kind */
    uint32_t client, server; /* ends; the server is a process */
    /* a disk that is not written; a VM without a share of the serial line, of which nothing is
       printed but where its guest is, when somebody asks */
    uint32_t read_only;
    uint32_t size; /* bytes of its pages: what the kind's header says */
    /* what it is about, as the kind's header says; NUL-terminated */
    char label[PLAN_LABEL_SIZE];
};

struct plan {
    uint64_t magic;
    uint32_t version;
    uint32_t size; /* of this structure, in bytes */
    uint32_t vm_count;
    uint32_t file_count;
    uint32_t process_count;
    uint32_t channel_count;
    struct plan_file files[PLAN_MAX_FILES];
    struct plan_vm vms[PLAN_MAX_VMS];
    struct plan_process processes[PLAN_MAX_PROCESSES];
    struct plan_channel channels[PLAN_MAX_CHANNELS];
};

_Static_assert(sizeof(struct plan_file) == 40, "the plan's layout is ABI");
_Static_assert(sizeof(struct plan_vm) == 2160, "the plan's layout is ABI");
_Static_assert(sizeof(struct plan_process) == 248, "the plan's layout is ABI");
_Static_assert(sizeof(struct plan_channel) == 60, "the plan's layout is ABI");
_Static_assert(sizeof(struct plan) == 32 + 32 * 40 + 8 * 2160 + 9 * 248 + 64 * 60,
               "the plan's layout is ABI");
