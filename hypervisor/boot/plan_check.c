/* SPDX-License-Identifier: BSD-2-Clause */
/* The plan is input from outside: it is checked here, once, before anything is made from it. */
#include "hypervisor/boot/plan.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"

struct checker {
    const struct plan *plan;
    const struct boot_info *info;
    char *text;
    size_t size;
};

#define FAIL(c, ...) (format((c)->text, (c)->size, __VA_ARGS__), (c)->text)

static bool terminated(const char *s, size_t size)
{
    return strnlen(s, size) < size;
}

static const char *check_head(struct checker *c, uint64_t size)
{
    const struct plan *p = c->plan;

    if (size < sizeof(*p) || p->magic != PLAN_MAGIC)
        return FAIL(c, "the first module is no plan: build the image again");
    if (p->version != PLAN_VERSION || p->size != sizeof(*p))
        return FAIL(c, "the plan has version %u, this hypervisor wants %u: build the image again",
                    p->version, PLAN_VERSION);
    if (p->vm_count == 0 || p->vm_count > PLAN_MAX_VMS || p->file_count > PLAN_MAX_FILES)
        return FAIL(c, "the plan has %u VMs and %u files; 1 to %u and at most %u are possible",
                    p->vm_count, p->file_count, PLAN_MAX_VMS, PLAN_MAX_FILES);
    if (c->info->module_count != PLAN_MODULE_FIRST_FILE + p->file_count)
        return FAIL(
            c, "the boot loader gave %u modules, the plan wants %u: one is missing in grub.cfg",
            c->info->module_count, PLAN_MODULE_FIRST_FILE + p->file_count);
    return NULL;
}

static const char *check_file(struct checker *c, uint32_t i)
{
    const struct plan_file *f = &c->plan->files[i];
    const struct boot_module *m = &c->info->modules[PLAN_MODULE_FIRST_FILE + i];

    if (!terminated(f->name, sizeof(f->name)))
        return FAIL(c, "file %u of the plan has no name", i);
    if (m->end - m->start != f->size)
        return FAIL(c, "module %s has %lu bytes, the plan says %lu: it was truncated or replaced",
                    f->name, m->end - m->start, f->size);
    return NULL;
}

static const char *check_overlap(struct checker *c, uint32_t i)
{
    const struct boot_module *a = &c->info->modules[i];

    if (a->end < a->start || !is_aligned(a->start, PAGE_SIZE))
        return FAIL(c, "module %u lies at %lx-%lx: the boot loader did not align it", i, a->start,
                    a->end);
    for (uint32_t j = 0; j < i; j++) {
        const struct boot_module *b = &c->info->modules[j];
        if (a->start < b->end && b->start < a->end)
            return FAIL(c, "modules %u and %u overlap, at %lx-%lx and %lx-%lx", j, i, b->start,
                        b->end, a->start, a->end);
    }
    return NULL;
}

static const char *check_vm(struct checker *c, uint32_t i)
{
    const struct plan_vm *vm = &c->plan->vms[i];

    if (!terminated(vm->name, sizeof(vm->name)) || vm->name[0] == '\0' ||
        !terminated(vm->cmdline, sizeof(vm->cmdline)))
        return FAIL(c, "VM %u of the plan has no name, or a command line without an end", i);
    for (uint32_t j = 0; j < i; j++)
        if (strcmp(vm->name, c->plan->vms[j].name) == 0)
            return FAIL(c, "two VMs have the name %s", vm->name);
    if (vm->vcpus != 1)
        return FAIL(c, "vm %s: %u vCPUs; this version gives a VM one", vm->name, vm->vcpus);
    if (vm->memory == 0 || !is_aligned(vm->memory, PLAN_MEMORY_UNIT))
        return FAIL(c, "vm %s: %lu bytes of memory; it must be a multiple of 2 MiB", vm->name,
                    vm->memory);
    if (vm->kernel >= c->plan->file_count ||
        (vm->initrd >= c->plan->file_count && vm->initrd != PLAN_NO_FILE))
        return FAIL(c, "vm %s: its kernel or initrd is no file of the plan", vm->name);
    if (vm->console > PLAN_CONSOLE_SERIAL)
        return FAIL(c, "vm %s: console %u is unknown", vm->name, vm->console);
    for (uint32_t j = 0; j < PLAN_EVENT_COUNT; j++)
        if (vm->on[j] >= PLAN_ACTION_COUNT)
            return FAIL(c, "vm %s: action %u is unknown", vm->name, vm->on[j]);
    return NULL;
}

const char *plan_check(const struct plan *plan, uint64_t size, const struct boot_info *info,
                       char *text, size_t text_size)
{
    struct checker c = {plan, info, text, text_size};
    const char *error = check_head(&c, size);

    for (uint32_t i = 0; error == NULL && i < plan->file_count; i++)
        error = check_file(&c, i);
    for (uint32_t i = 0; error == NULL && i < info->module_count; i++)
        error = check_overlap(&c, i);
    for (uint32_t i = 0; error == NULL && i < plan->vm_count; i++)
        error = check_vm(&c, i);
    return error;
}
