/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether an initrd is whole: cpio archives (newc), plain or compressed, one after the other. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Reads an initrd to its end, as Linux would
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Returns NULL, or what is wrong in
 * words, which stay valid until the next call.
 */
const char *initrd_inspect(const uint8_t *data, size_t size);
