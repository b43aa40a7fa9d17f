/* SPDX-License-Identifier: BSD-2-Clause */
/* What a kernel file is, and what it needs: Linux bzImage (its 64-bit boot protocol) or ELF64. */
#ifndef TOOL_KERNEL_FILE_H
#define TOOL_KERNEL_FILE_H

#include <stddef.h>
#include <stdint.h>

struct kernel_facts {
    uint64_t memory_end; /* the first guest-physical address above what the kernel needs to start */
    uint64_t cmdline_max; /* bytes, without the NUL */
};

/*
 * Reads the headers of a kernel. Returns NULL and fills `facts`, or returns what is wrong in words,
 * which the caller does not free. Linux: Documentation/arch/x86/boot.rst; ELF: System V gABI,
 * "Program Header".
 */
const char *kernel_inspect(const uint8_t *data, size_t size, struct kernel_facts *facts);

#endif
