/* SPDX-License-Identifier: BSD-2-Clause */
/* The bootable image: an ISO with GRUB for BIOS and UEFI, the hypervisor, the plan
 * and its files. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "tool/machine.h"

struct image_request {
    const char *output;      /* the ISO to write */
    const char *work_folder; /* for the files in between */
    const char *options;     /* more words for the hypervisor's command line; NULL: none */
    const char *end;         /* what the hypervisor does at the end: "halt", "bochs" or "qemu" */
    bool serial_menu; /* GRUB uses the serial line too: for real machines; costs an emulator time */
};

/* Writes the image of a machine. On another code than LINTEL_OK the message has been printed, and
 * no image is left. */
enum exit_code image_build(const struct machine *machine, const struct image_request *request);

/* Writes the hypervisor's command line. */
void image_write_words(const struct machine *machine, const struct image_request *request,
                       FILE *to);

/* What is wrong with these words of --hypervisor-options, of whose characters GRUB's configuration
 * gives some a meaning; NULL: nothing is, or there are none. */
const char *image_options_wrong(const char *options);
