/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the headers of bzImage and ELF64 kernels: see kernel_file.h. */
#include "tool/kernel_file.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

#include "abi/plan.h"
#include "monitor/load.h"

/* Offsets in the Linux setup header, by the boot protocol's names. */
enum {
    SETUP_SECTS = 0x1f1,
    SYSSIZE = 0x1f4,
    BOOT_FLAG = 0x1fe,
    HEADER = 0x202,
    VERSION = 0x206,
    LOADFLAGS = 0x211,
    XLOADFLAGS = 0x236,
    CMDLINE_SIZE = 0x238,
    PREF_ADDRESS = 0x258,
    INIT_SIZE = 0x260,
    SETUP_END = 0x264,
};

#define BOOT_FLAG_VALUE 0xaa55
#define HEADER_MAGIC    0x53726448 /* "HdrS" */
#define VERSION_2_12    0x020c     /* the first with xloadflags */
#define LOADED_HIGH     0x01       /* in loadflags */
#define SECTOR          512

/* A little-endian number of `size` bytes at `offset`. */
static uint64_t number(const uint8_t *data, size_t offset, size_t size)
{
    uint64_t value = 0;

    memcpy(&value, data + offset, size);
    return value;
}

static bool is_bzimage(const uint8_t *data, size_t size)
{
    return size >= SETUP_END && number(data, BOOT_FLAG, 2) == BOOT_FLAG_VALUE &&
           number(data, HEADER, 4) == HEADER_MAGIC;
}

static const char *inspect_bzimage(const uint8_t *data, size_t size, struct kernel_facts *facts)
{
    if (number(data, VERSION, 2) < VERSION_2_12 || !(number(data, XLOADFLAGS, 2) & XLF_KERNEL_64)) {
        return "is a Linux kernel without the 64-bit entry point (boot protocol 2.12); use a "
               "64-bit kernel";
    }
    if (!(number(data, LOADFLAGS, 1) & LOADED_HIGH))
        return "is a zImage, which loads below 1 MiB; use a bzImage";
    uint64_t sectors = data[SETUP_SECTS] ? data[SETUP_SECTS] : 4;
    if ((sectors + 1) * SECTOR + number(data, SYSSIZE, 4) * 16 > size) {
        return "is a truncated bzImage: its header promises more bytes than the file has; copy it "
               "again";
    }
    uint64_t start = number(data, PREF_ADDRESS, 8), length = number(data, INIT_SIZE, 4);
    if (start > UINT64_MAX - length)
        return "has a setup header that makes no sense (pref_address, init_size); copy it again";
    facts->memory_end = start + length;
    facts->cmdline_max = number(data, CMDLINE_SIZE, 4);
    return NULL;
}

/* Checks one loadable segment, and raises `end` to the end of its memory. */
static const char *inspect_segment(const Elf64_Phdr *segment, size_t size, uint64_t *end)
{
    if (segment->p_filesz > segment->p_memsz || segment->p_offset > size ||
        segment->p_filesz > size - segment->p_offset) {
        return "is a truncated ELF file: a segment lies outside of the file; link or copy it again";
    }
    if (segment->p_paddr > UINT64_MAX - segment->p_memsz)
        return "is an ELF file with a segment at an impossible physical address";
    if (segment->p_paddr < LOAD_KERNEL_MIN ||
        segment->p_paddr + segment->p_memsz > PLAN_HOLE_START) {
        return "is an ELF file with a segment below 1 MiB or above 3 GiB, where a guest has no "
               "memory for it; link it elsewhere";
    }
    if (segment->p_paddr + segment->p_memsz > *end)
        *end = segment->p_paddr + segment->p_memsz;
    return NULL;
}

static const char *inspect_elf(const uint8_t *data, size_t size, struct kernel_facts *facts)
{
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    uint64_t end = 0;
    bool entered = false;

    if (size < sizeof(header))
        return "is a truncated ELF file; link or copy it again";
    memcpy(&header, data, sizeof(header));
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64)
        return "is an ELF file, but not for x86-64; use a 64-bit kernel";
    if (header.e_type != ET_EXEC) {
        return "is an ELF file, but not an executable at fixed addresses (ET_EXEC); link it with "
               "-static -no-pie";
    }
    if (header.e_phentsize != sizeof(segment) || header.e_phoff > size ||
        header.e_phnum * sizeof(segment) > size - header.e_phoff) {
        return "is a truncated ELF file: its program headers lie outside of the file; link or copy "
               "it again";
    }
    for (unsigned i = 0; i < header.e_phnum; i++) {
        memcpy(&segment, data + header.e_phoff + i * sizeof(segment), sizeof(segment));
        const char *wrong =
            segment.p_type == PT_LOAD ? inspect_segment(&segment, size, &end) : NULL;
        if (wrong)
            return wrong;
        entered |= segment.p_type == PT_LOAD && header.e_entry >= segment.p_paddr &&
                   header.e_entry - segment.p_paddr < segment.p_memsz;
    }
    if (end == 0)
        return "is an ELF file without a loadable segment";
    if (!entered) {
        return "is an ELF file whose entry is in none of its segments; it must be a physical "
               "address";
    }
    facts->memory_end = end;
    facts->cmdline_max = PLAN_CMDLINE_SIZE - 1;
    return NULL;
}

const char *kernel_inspect(const uint8_t *data, size_t size, struct kernel_facts *facts)
{
    if (size == 0)
        return "is empty";
    if (size >= SELFMAG && memcmp(data, ELFMAG, SELFMAG) == 0)
        return inspect_elf(data, size, facts);
    if (is_bzimage(data, size))
        return inspect_bzimage(data, size, facts);
    return "is neither a Linux bzImage nor an ELF64 file; give a kernel such as /boot/vmlinuz-*";
}
