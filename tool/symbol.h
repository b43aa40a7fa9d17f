/* SPDX-License-Identifier: BSD-2-Clause */
/* The names in a kernel's symbol table. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * "NAME+0x12" for an address in an ELF64 file, which the caller frees; the address is as the file
 * is linked, or as it is loaded. NULL: no symbol is there, or this is no such file.
 */
char *symbol_in(const uint8_t *data, size_t size, uint64_t address);

/* The same of a file on disk. */
char *symbol_at(const char *path, uint64_t address);
