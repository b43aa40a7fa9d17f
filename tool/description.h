/* SPDX-License-Identifier: BSD-2-Clause */
/* The VM description: what a user writes in YAML, as structs, with the place of each word in the
 * file. */
#pragma once

#include <stdbool.h>
#include <yaml.h>

#include "tool/report.h"

/* In place of a path: the standard input, whose files are looked for in the folder where we are. */
#define DESCRIPTION_STDIN "-"

/* Pointers are NULL for keys that the file does not have, also for those that it should have. */
struct vm_disk_description {
    char *on, *partition, *size, *contents; /* a partition of a host's disk */
    char *file;                             /* or a RAM disk */
    char *read_only;
};

struct vm_network_description {
    char *on, *mac;
};

struct vm_description {
    char *name, *kernel, *initrd, *cmdline, *memory, *vcpus, *budget, *period, *console, *success;
    char *control, *alone, *snapshot;
    char **cpus;
    unsigned cpus_count;
    char *on_reset, *on_fault, *on_halt;
    char *net; /* the one network that it is on, in place of a list */
    struct vm_disk_description *disk;
    struct vm_network_description *networks;
    unsigned networks_count;
};

struct disk_description {
    char *name, *driver, *index, *file, *size, *cpu, *budget, *period;
};

struct nic_description {
    char *driver, *index;
    char **forward;
    unsigned forward_count;
};

struct network_description {
    char *name, *cpu, *budget, *period;
    struct nic_description *nic; /* NULL: it reaches the VMs on it alone */
};

struct host_description {
    char *memory, *cpu, *cpus, *msr_switch;
    char **hide;
    unsigned hide_count;
    struct disk_description *disks;
    unsigned disks_count;
    struct network_description *networks;
    unsigned networks_count;
};

struct description {
    struct host_description host;
    struct vm_description *vms;
    unsigned vms_count;
};

struct description_file {
    const char *path; /* as the user gave it */
    char *bytes;
    size_t size;
    struct description *content;
    yaml_document_t document; /* for the places */
    unsigned errors;
    bool unfit; /* what is wrong is of a kind that libcyaml cannot pass by */
};

/*
 * Reads and parses a description. On LINTEL_OK description_close must follow; on another exit code
 * the message has been printed. Checks what YAML and the schema can know: syntax, keys, types. With
 * LINTEL_OK there may be errors all the same, which file->errors counts: values are still there, so
 * that all that is wrong can be said at once.
 */
enum exit_code description_open(struct description_file *file, const char *path);

void description_close(struct description_file *file);

/*
 * Prints "FILE:LINE:COLUMN: PATH: MESSAGE" and counts it in file->errors. `where` is a path such as
 * "vms[0].memory"; a part that the file does not have is placed at what would contain it.
 */
void description_error(struct description_file *file, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
