/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF-64 object file format: what a program's file and a kernel's begin with, and their segments.
 */
#pragma once

#include <stdint.h>

#define ELF_MAGIC      0x464c457fu
#define ELF_CLASS_64   2
#define ELF_LITTLE     1
#define ELF_EXECUTABLE 2
#define ELF_X86_64     62
#define ELF_LOAD       1 /* a segment's type */

/* A segment's flags. */
#define ELF_X 1
#define ELF_W 2

struct elf_header {
    uint32_t magic;
    uint8_t class, data, version, abi, padding[8];
    uint16_t type, machine;
    uint32_t version2;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

_Static_assert(sizeof(struct elf_header) == 64, "the ELF specification's layout");
_Static_assert(sizeof(struct elf_segment) == 56, "the ELF specification's layout");
