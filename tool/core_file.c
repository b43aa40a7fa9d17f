/* SPDX-License-Identifier: BSD-2-Clause */
/* An ELF core: see core_file.h. */
#include "tool/core_file.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <unistd.h>

#include "abi/plan.h"
#include "lib/x86.h"

#define TABLE_ENTRIES 512
#define TABLES_SHARED 0x1000
#define LEVELS        4

#define CR4_LA57 (1ULL << 12)

/* What there may be of them without an extension that nobody reads. */
#define RUNS_MAX (PN_XNUM - 2)

/* Linear addresses that follow each other, and so do their bytes in the file. */
struct run {
    uint64_t linear, gpa, size;
};

struct core {
    const uint8_t *memory;
    uint64_t size;
    struct run *runs;
    size_t count, room;
    uint64_t tables; /* that may still be looked at: a guest's may form a circle */
};

uint64_t core_offset(uint64_t gpa, uint64_t size)
{
    uint64_t low = size < PLAN_HOLE_START ? size : PLAN_HOLE_START;

    if (gpa < low)
        return gpa;
    return gpa >= PLAN_HOLE_END ? gpa - (PLAN_HOLE_END - PLAN_HOLE_START) : UINT64_MAX;
}

/* What is memory of a page that may be larger than all of it. */
static void add(struct core *core, uint64_t linear, uint64_t gpa, uint64_t size)
{
    uint64_t at = core_offset(gpa, core->size);
    struct run *last = core->count > 0 ? &core->runs[core->count - 1] : NULL;

    if (at >= core->size)
        return;
    if (size > core->size - at)
        size = core->size - at;
    if (last && last->linear + last->size == linear && last->gpa + last->size == gpa &&
        at - core_offset(last->gpa, core->size) == last->size) {
        last->size += size;
        return;
    }
    if (core->count == core->room) {
        size_t room = core->room > 0 ? 2 * core->room : 256;
        struct run *runs = realloc(core->runs, room * sizeof(*runs));
        if (!runs)
            return;
        core->runs = runs;
        core->room = room;
    }
    core->runs[core->count++] = (struct run){linear, gpa, size};
}

/* One table and all below it; `span` is what one of its entries covers. */
static void walk(struct core *core, uint64_t table, unsigned level, uint64_t linear)
{
    uint64_t at = core_offset(table, core->size), span = 1ULL << (12 + 9 * (level - 1));

    if (at > core->size - PAGE_SIZE || core->tables == 0 || core->count > RUNS_MAX)
        return;
    core->tables--;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++, linear += span) {
        uint64_t entry;
        memcpy(&entry, core->memory + at + i * sizeof(entry), sizeof(entry));
        if (level == LEVELS && i == TABLE_ENTRIES / 2)
            linear |= ~0ULL << (12 + 9 * LEVELS - 1);
        if (!(entry & ENTRY_P) || (level == LEVELS && entry & ENTRY_PS))
            continue;
        if (level == 1 || entry & ENTRY_PS)
            add(core, linear, entry & ENTRY_ADDRESS & ~(span - 1), span);
        else
            walk(core, entry & ENTRY_ADDRESS, level - 1, linear);
    }
}

static void find_runs(struct core *core, const struct guest_state *s)
{
    uint64_t low = core->size < PLAN_HOLE_START ? core->size : PLAN_HOLE_START;

    if (s->cr0 & CR0_PG && s->efer & EFER_LMA && !(s->cr4 & CR4_LA57)) {
        walk(core, s->cr3 & ENTRY_ADDRESS, LEVELS, 0);
        return;
    }
    add(core, 0, 0, low);
    if (core->size > low)
        add(core, PLAN_HOLE_END, PLAN_HOLE_END, core->size - low);
}

static struct elf_prstatus status_of(const struct core_vcpu *v)
{
    const struct guest_state *s = &v->state;
    const struct user_regs_struct registers = {
        .rax = s->gpr[0],
        .rcx = s->gpr[1],
        .rdx = s->gpr[2],
        .rbx = s->gpr[3],
        .rsp = s->gpr[4],
        .rbp = s->gpr[5],
        .rsi = s->gpr[6],
        .rdi = s->gpr[7],
        .r8 = s->gpr[8],
        .r9 = s->gpr[9],
        .r10 = s->gpr[10],
        .r11 = s->gpr[11],
        .r12 = s->gpr[12],
        .r13 = s->gpr[13],
        .r14 = s->gpr[14],
        .r15 = s->gpr[15],
        .orig_rax = UINT64_MAX, /* no system call is under way */
        .rip = s->rip,
        .eflags = s->rflags,
        .cs = s->segment[SEG_CS].selector,
        .ss = s->segment[SEG_SS].selector,
        .ds = s->segment[SEG_DS].selector,
        .es = s->segment[SEG_ES].selector,
        .fs = s->segment[SEG_FS].selector,
        .gs = s->segment[SEG_GS].selector,
        .fs_base = s->segment[SEG_FS].base,
        .gs_base = s->segment[SEG_GS].base,
    };
    struct elf_prstatus status = {.pr_pid = (pid_t)v->number + 1}; /* 0 is none */

    _Static_assert(sizeof(registers) == sizeof(status.pr_reg), "they are the same registers");
    memcpy(&status.pr_reg, &registers, sizeof(registers));
    return status;
}

struct note {
    Elf64_Nhdr head;
    char name[8];
    uint8_t status[sizeof(struct elf_prstatus)]; /* not aligned */
};

static bool write_at(int file, const void *data, size_t size, uint64_t at)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(file, (const uint8_t *)data + done, size - done, (off_t)(at + done));
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static bool write_notes(int file, const struct core_vcpu *vcpus, unsigned count, uint64_t at)
{
    struct note notes[PLAN_MAX_VCPUS];

    for (unsigned i = 0; i < count; i++) {
        const struct elf_prstatus status = status_of(&vcpus[i]);
        notes[i] = (struct note){.head = {5, sizeof(notes[i].status), NT_PRSTATUS}, .name = "CORE"};
        memcpy(notes[i].status, &status, sizeof(status));
    }
    return write_at(file, notes, count * sizeof(notes[0]), at);
}

/* The program headers behind the notes, of so many bytes, behind the memory, and the ELF header
 * before it. */
static bool write_headers(int file, const struct core *core, uint64_t notes_size)
{
    uint64_t notes_at = CORE_MEMORY_AT + core->size, headers_at = notes_at + notes_size;
    Elf64_Phdr *headers = calloc(core->count + 1, sizeof(*headers));
    Elf64_Ehdr elf = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_CORE,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_phoff = headers_at,
        .e_ehsize = sizeof(elf),
        .e_phentsize = sizeof(*headers),
        .e_phnum = (Elf64_Half)(core->count + 1),
    };

    if (!headers)
        return false;
    headers[0] =
        (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = notes_at, .p_filesz = notes_size, .p_align = 4};
    for (size_t i = 0; i < core->count; i++) {
        const struct run *run = &core->runs[i];
        headers[1 + i] = (Elf64_Phdr){
            .p_type = PT_LOAD,
            .p_flags = PF_R | PF_W | PF_X,
            .p_offset = CORE_MEMORY_AT + core_offset(run->gpa, core->size),
            .p_vaddr = run->linear,
            .p_paddr = run->gpa,
            .p_filesz = run->size,
            .p_memsz = run->size,
            .p_align = PAGE_SIZE,
        };
    }
    bool good = write_at(file, headers, (core->count + 1) * sizeof(*headers), headers_at) &&
                write_at(file, &elf, sizeof(elf), 0);
    free(headers);
    return good;
}

enum exit_code core_complete(int file, const char *path, uint64_t size,
                             const struct core_vcpu *vcpus, unsigned count)
{
    /* each page is a table once, and those for the kernel's half several times */
    struct core core = {.size = size, .tables = 2 * size / PAGE_SIZE + TABLES_SHARED};
    void *memory = MAP_FAILED;

    if (ftruncate(file, (off_t)(CORE_MEMORY_AT + size)) == 0)
        memory = mmap(NULL, size, PROT_READ, MAP_SHARED, file, CORE_MEMORY_AT);
    if (memory == MAP_FAILED)
        return fail(LINTEL_MACHINE, "%s: %s", path, strerror(errno));
    core.memory = memory;
    find_runs(&core, &vcpus[0].state);
    if (core.count > RUNS_MAX) {
        note("%s: the guest has its memory in more than %d pieces; the core has the first of them",
             path, RUNS_MAX);
        core.count = RUNS_MAX;
    }
    bool good = write_notes(file, vcpus, count, CORE_MEMORY_AT + size) &&
                write_headers(file, &core, count * sizeof(struct note));
    munmap(memory, size);
    free(core.runs);
    return good ? LINTEL_OK : fail(LINTEL_MACHINE, "%s: %s", path, strerror(errno));
}
