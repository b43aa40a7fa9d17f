/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the files are that the build made for the tool: in the build folder, or where they were
 * installed or unpacked. */
#pragma once

enum built_file {
    BUILT_HYPERVISOR,
    BUILT_MONITOR,
    BUILT_DISC_LOADER,
    BUILT_INITRD, /* what `initrd: builtin` means */
    BUILT_DEMO,   /* what `lintel run` without a file means */
    BUILT_MANUAL,
    BUILT_DEBIAN_ROOT, /* what makes a Debian for a disk */
    /* the programs of processes */
    BUILT_ATA,
    BUILT_AHCI,
    BUILT_NVME,
    BUILT_RAM,
    BUILT_CONSOLE,
    BUILT_CONTROL,
    BUILT_SWITCH,
    BUILT_E1000,
    BUILT_COUNT
};

/*
 * The path of a built file, which the caller frees; NULL after a message when there is none. An
 * environment variable wins (LINTEL_HYPERVISOR and so on), then
 * the build folder that the tool runs from, then the installed files, beside the tool (a tree that
 * is not yet, or no longer, where it was meant for) or where they were meant for.
 */
char *built_path(enum built_file file);

/* The folder for what the tool fetches, made when it is missing; the caller frees it. NULL after a
 * message. */
char *cache_folder(void);
