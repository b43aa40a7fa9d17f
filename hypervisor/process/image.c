/* SPDX-License-Identifier: BSD-2-Clause */
/* The program of a process comes into its memory. boot/plan.c has checked it. */
#include "lib/image.h"
#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/gdt.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/process/process.h"
#include "lib/string.h"

static void load_segment(struct process *p, const uint8_t *file, const struct elf_segment *s)
{
    uint64_t flags = (s->flags & ELF_W ? PAGING_W : 0) | (s->flags & ELF_X ? 0 : PAGING_NX);
    uint8_t *memory;
    uint64_t phys;

    if (paging_lookup(p->root, s->vaddr, &phys)) { /* it is started again */
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
    const struct elf_header *header = virt_of(image->start);
    const struct elf_segment *segments = image_segments(header);

    for (unsigned i = 0; i < header->phnum; i++)
        if (image_loads(&segments[i]))
            load_segment(p, (const uint8_t *)header, &segments[i]);
    p->user_frame = (struct trap_frame){
        .rip = header->entry,
        .cs = SELECTOR_USER_CODE,
        .ss = SELECTOR_USER_DATA,
        .rflags = RFLAGS_FIXED | RFLAGS_IF,
        .rsp = PROCESS_STACK,
    };
}
