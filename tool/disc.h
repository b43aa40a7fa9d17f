/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disc for an emulated machine with a BIOS: what image.h's image would have GRUB put into memory,
 * as it lies there, behind a loader of one sector. GRUB takes an emulated CPU longer than all the
 * rest of a short run.
 */
#pragma once

#include "tool/image.h"

/* Writes the disc of a machine. On another code than LINTEL_OK the message has been printed. */
enum exit_code disc_build(const struct machine *machine, const struct image_request *request);
