/* SPDX-License-Identifier: BSD-2-Clause */
/* The program of a process: an ELF file among the modules, input from outside. */
#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/gdt.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/process/process.h"
#include "hypervisor/report/panic.h"
#include "lib/bits.h"
#include "lib/string.h"

/* ELF-64 object file format. */
struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
#define ELF_MAGIC      "\177ELF\2\1\1"
#define ELF_EXECUTABLE 2
#define ELF_X86_64     62
#define ELF_LOAD       1
#define ELF_FLAG_X     1
#define ELF_FLAG_W     2

static bool segment_valid(const struct elf_segment *s, uint64_t file_size)
{
    return s->offset <= file_size && s->filesz <= file_size - s->offset && s->filesz <= s->memsz &&
           is_aligned(s->vaddr, PAGE_SIZE) && s->vaddr < PROCESS_IMAGE_END &&
           s->memsz < PROCESS_IMAGE_END - s->vaddr &&
           (s->flags & (ELF_FLAG_W | ELF_FLAG_X)) != (ELF_FLAG_W | ELF_FLAG_X);
}

static void load_segment(struct process *p, const uint8_t *file, const struct elf_segment *s)
{
    unsigned flags =
        (s->flags & ELF_FLAG_W ? PAGING_W : 0) | (s->flags & ELF_FLAG_X ? 0 : PAGING_NX);
    uint8_t *memory;
    uint64_t phys;

    if (paging_lookup(p->root, s->vaddr, &phys, &(unsigned){0})) { /* it is started again */
        memory = virt_of(phys);
        memset(memory, 0, s->memsz);
    } else {
        memory = arena_alloc(s->memsz);
        process_map(p, s->vaddr, memory, s->memsz, flags);
    }
    memcpy(memory, file + s->offset, s->filesz);
}

void process_load(struct process *p, const struct phys_range *image)
{
    uint64_t size = image->end - image->start;
    const uint8_t *file = virt_of(image->start);
    const struct elf_header *header = (const void *)file;

    if (size < sizeof(*header) || memcmp(header->ident, ELF_MAGIC, 7) != 0 ||
        header->type != ELF_EXECUTABLE || header->machine != ELF_X86_64 ||
        header->phentsize != sizeof(struct elf_segment) || header->phoff > size ||
        header->phnum > (size - header->phoff) / sizeof(struct elf_segment))
        stopped("the image of %s is no 64-bit ELF executable: build the image again",
                p->info->name);
    const struct elf_segment *segments = (const void *)(file + header->phoff);
    for (unsigned i = 0; i < header->phnum; i++) {
        if (segments[i].type != ELF_LOAD || segments[i].memsz == 0)
            continue;
        if (!segment_valid(&segments[i], size))
            stopped("segment %u of the image of %s is damaged, writable code or not page-aligned",
                    i, p->info->name);
        load_segment(p, file, &segments[i]);
    }
    p->user_frame = (struct trap_frame){
        .rip = header->entry,
        .cs = SELECTOR_USER_CODE,
        .ss = SELECTOR_USER_DATA,
        .rflags = RFLAGS_FIXED | RFLAGS_IF,
        .rsp = PROCESS_STACK,
    };
}
