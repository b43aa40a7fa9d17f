/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ELF executable for x86-64, such as a vmlinux: its segments go to their physical addresses, and
 * e_entry is the physical address of a 64-bit entry.
 */
#include "lib/elf.h"
#include "lib/format.h"
#include "lib/string.h"
#include "monitor/load.h"

bool load_elf_matches(const struct load *load)
{
    return load->kernel.size >= sizeof(struct elf_header) &&
           memcmp(load->kernel.bytes, &(uint32_t){ELF_MAGIC}, 4) == 0;
}

static bool in_file(const struct load *load, uint64_t offset, uint64_t size)
{
    return offset <= load->kernel.size && size <= load->kernel.size - offset;
}

static bool check_header(struct load *load, const struct elf_header *h)
{
    if (h->class != ELF_CLASS_64 || h->data != ELF_LITTLE || h->machine != ELF_X86_64)
        return load_fail(load, LOAD_PART_KERNEL,
                         "the ELF file is for another machine: build it for x86-64");
    if (h->type != ELF_EXECUTABLE)
        return load_fail(load, LOAD_PART_KERNEL,
                         "the ELF file is not linked to a fixed address (type %u): link it "
                         "as an executable",
                         h->type);
    if (h->phentsize != sizeof(struct elf_segment) ||
        !in_file(load, h->phoff, h->phnum * sizeof(struct elf_segment)))
        return load_fail(
            load, LOAD_PART_KERNEL,
            "the ELF file has no program headers at %lx: it is truncated, fetch it again",
            h->phoff);
    return true;
}

static bool load_segment(struct load *load, unsigned index, const struct elf_segment *s)
{
    if (s->filesz > s->memsz || !in_file(load, s->offset, s->filesz))
        return load_fail(load, LOAD_PART_KERNEL,
                         "ELF segment %u lies beyond the end of the file: it is truncated, "
                         "fetch it again",
                         index);
    char name[32];

    format(name, sizeof(name), "ELF segment %u", index);
    uint8_t *to = load_room(load, name, s->paddr, s->memsz);

    if (to == NULL)
        return false;
    load_place(to, s->memsz, load->kernel.bytes + s->offset, s->filesz);
    load->kernel_end = max_u64(load->kernel_end, s->paddr + s->memsz);
    return true;
}

bool load_elf(struct load *load)
{
    struct elf_header h;
    struct elf_segment s;
    bool entered = false;

    memcpy(&h, load->kernel.bytes, sizeof(h));
    if (!check_header(load, &h))
        return false;
    for (unsigned i = 0; i < h.phnum; i++) {
        memcpy(&s, load->kernel.bytes + h.phoff + i * sizeof(s), sizeof(s));
        if (s.type != ELF_LOAD || s.memsz == 0)
            continue;
        if (!load_segment(load, i, &s))
            return false;
        entered |= h.entry - s.paddr < s.filesz;
    }
    if (!entered)
        return load_fail(load, LOAD_PART_KERNEL,
                         "the ELF file's entry %lx is in none of its segments: it must be "
                         "a physical address",
                         h.entry);
    load->entry = h.entry;
    load->initrd_max = PLAN_HOLE_START - 1;
    load->params.hdr = (struct setup_header){
        .boot_flag = SETUP_BOOT_FLAG, .header = SETUP_MAGIC, .version = SETUP_VERSION_64};
    return true;
}
