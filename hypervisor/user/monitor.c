/* SPDX-License-Identifier: BSD-2-Clause */
/* R36: what a monitor's address space holds, and nothing else. */
#include "hypervisor/user/monitor.h"

#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/panic.h"
#include "hypervisor/sched/resident.h"
#include "hypervisor/sched/sched.h"
#include "hypervisor/vm/events.h"
#include "lib/bits.h"
#include "lib/format.h"
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

/* Read by gate.S: ring 3 enters by SYSENTER, and is left to by SYSEXIT. */
bool monitor_sysenter;

static void map_user(struct vm *vm, uint64_t virt, const void *pages, uint64_t size, unsigned flags)
{
    ASSERT(paging_map(vm->root, virt, phys_of(pages), align_up(size, PAGE_SIZE), flags | PAGING_U));
}

static bool segment_valid(const struct elf_segment *s, uint64_t file_size)
{
    return s->offset <= file_size && s->filesz <= file_size - s->offset && s->filesz <= s->memsz &&
           is_aligned(s->vaddr, PAGE_SIZE) && s->vaddr < MONITOR_INFO &&
           s->memsz < MONITOR_INFO - s->vaddr &&
           (s->flags & (ELF_FLAG_W | ELF_FLAG_X)) != (ELF_FLAG_W | ELF_FLAG_X);
}

static void load_segment(struct vm *vm, const uint8_t *file, const struct elf_segment *s)
{
    uint8_t *memory = arena_alloc(s->memsz);
    unsigned flags =
        (s->flags & ELF_FLAG_W ? PAGING_W : 0) | (s->flags & ELF_FLAG_X ? 0 : PAGING_NX);

    memcpy(memory, file + s->offset, s->filesz);
    map_user(vm, s->vaddr, memory, s->memsz, flags);
}

/* Returns the entry point. */
static uint64_t load_image(struct vm *vm, const struct phys_range *image)
{
    uint64_t size = image->end - image->start;
    const uint8_t *file = virt_of(image->start);
    const struct elf_header *header = (const void *)file;

    if (size < sizeof(*header) || memcmp(header->ident, ELF_MAGIC, 7) != 0 ||
        header->type != ELF_EXECUTABLE || header->machine != ELF_X86_64 ||
        header->phentsize != sizeof(struct elf_segment) || header->phoff > size ||
        header->phnum > (size - header->phoff) / sizeof(struct elf_segment))
        stopped("the monitor's module is no 64-bit ELF executable: build the image again");
    const struct elf_segment *segments = (const void *)(file + header->phoff);
    for (unsigned i = 0; i < header->phnum; i++) {
        if (segments[i].type != ELF_LOAD || segments[i].memsz == 0)
            continue;
        if (!segment_valid(&segments[i], size))
            stopped(
                "segment %u of the monitor's module is damaged, writable code or not page-aligned",
                i);
        load_segment(vm, file, &segments[i]);
    }
    return header->entry;
}

/* Maps a module read-only behind the files that are there already, and says where. */
static struct monitor_file map_file(struct vm *vm, uint64_t *next, const struct phys_range *module)
{
    struct monitor_file file = {*next, module->end - module->start};
    uint64_t size = align_up(file.size, PAGE_SIZE);

    ASSERT(size == 0 || paging_map(vm->root, *next, module->start, size, PAGING_U | PAGING_NX));
    *next += align_up(size, LARGE_PAGE);
    return file;
}

static void fill_info(struct vm *vm, const struct monitor_modules *modules)
{
    struct monitor_info *info = vm->info = arena_alloc(PAGE_SIZE);
    uint64_t next = MONITOR_FILES;

    info->version = GATE_VERSION;
    info->vcpus = vm->plan->vcpus;
    info->memory = vm->plan->memory;
    info->tsc_khz = info->apic_khz = tsc_khz();
    monitor_sysenter = msr_switch_uses_sysenter();
    info->gate = monitor_sysenter ? GATE_SYSENTER : GATE_SYSCALL;
    info->wall_seconds = wall_clock_read(&info->wall_tsc);
    memcpy(info->on, vm->plan->on, sizeof(info->on));
    memcpy(info->name, vm->plan->name, sizeof(info->name));
    memcpy(info->cmdline, vm->plan->cmdline, sizeof(info->cmdline));
    info->kernel = map_file(vm, &next, &modules->files[vm->plan->kernel]);
    if (vm->plan->initrd != PLAN_NO_FILE)
        info->initrd = map_file(vm, &next, &modules->files[vm->plan->initrd]);
}

void monitor_create(struct vm *vm, const struct monitor_modules *modules)
{
    struct vcpu *v = vm->vcpu;
    uint64_t entry = load_image(vm, &modules->image);

    fill_info(vm, modules);
    vm->text = arena_alloc(MONITOR_TEXT_SIZE);
    map_user(vm, MONITOR_INFO, vm->info, PAGE_SIZE, PAGING_NX);
    map_user(vm, MONITOR_TEXT, vm->text, MONITOR_TEXT_SIZE, PAGING_W | PAGING_NX);
    map_user(vm, MONITOR_EXIT, v->page, PAGE_SIZE, PAGING_W | PAGING_NX);
    map_user(vm, MONITOR_STACK - MONITOR_STACK_SIZE, arena_alloc(MONITOR_STACK_SIZE),
             MONITOR_STACK_SIZE, PAGING_W | PAGING_NX);
    for (uint32_t i = 0; i < vm->extent_count; i++) {
        const struct vm_extent *e = &vm->extents[i];
        ASSERT(paging_map(vm->root, MONITOR_MEMORY + e->gpa, e->hpa, e->size,
                          PAGING_W | PAGING_U | PAGING_NX));
    }
    v->mode = VCPU_IN_MONITOR;
    v->waits = true;
    v->user_frame = (struct trap_frame){
        .rip = entry,
        .cs = SELECTOR_USER_CODE,
        .ss = SELECTOR_USER_DATA,
        .rflags = RFLAGS_FIXED | RFLAGS_IF,
        .rsp = MONITOR_STACK,
    };
}

void monitor_resume(struct vcpu *v)
{
    resident_to_monitor(v);
    sched_set_monitor_timer();
    trap_return(&v->user_frame);
}

/* An interrupt, a wish for the guest's vector registers, or the monitor's own fault, which ends its
 * VM and nothing else. */
void trap_in_monitor(struct trap_frame *frame)
{
    struct vcpu *v = this_cpu()->vcpu;
    char why[96];

    if (frame->vector == VECTOR_NM) {
        resident_lend(v);
        trap_return(frame);
    }
    if (frame->vector < VECTOR_FIRST_INTERRUPT) {
        format(why, sizeof(why), "its monitor: %s at %lx, error code %lx, address %lx",
               exception_name(frame->vector), frame->rip, frame->error_code,
               frame->vector == VECTOR_PF ? read_cr2() : 0);
        vm_stop(v->vm, true, why);
        schedule();
    }
    interrupt_handle((uint8_t)frame->vector);
    if (this_cpu()->next_event <= rdtsc())
        events_expire(rdtsc());
    if (v->work & WORK_SCHEDULE)
        schedule();
    sched_set_monitor_timer();
    trap_return(frame);
}
