/* SPDX-License-Identifier: BSD-2-Clause */
/* The plan is input from outside: it is checked here, once, before anything is made from it. */
#include "hypervisor/boot/plan.h"

#include "abi/channel.h"
#include "abi/process.h"
#include "hypervisor/cpu/acpi.h"
#include "hypervisor/cpu/layout.h"
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
    if (p->vm_count > PLAN_MAX_VMS || p->file_count > PLAN_MAX_FILES)
        return FAIL(c, "the plan has %u VMs and %u files; at most %u and %u are possible",
                    p->vm_count, p->file_count, PLAN_MAX_VMS, PLAN_MAX_FILES);
    if (p->process_count > PLAN_MAX_PROCESSES || p->channel_count > PLAN_MAX_CHANNELS)
        return FAIL(c, "the plan has %u processes and %u channels; at most %u and %u are possible",
                    p->process_count, p->channel_count, PLAN_MAX_PROCESSES, PLAN_MAX_CHANNELS);
    if (p->vm_count + p->process_count == 0)
        return FAIL(c, "the plan has neither a VM nor a process");
    if (c->info->module_count != PLAN_MODULE_FIRST_FILE + p->file_count)
        return FAIL(
            c, "the boot loader gave %u modules, the plan wants %u: one is missing in grub.cfg",
            c->info->module_count, PLAN_MODULE_FIRST_FILE + p->file_count);
    return NULL;
}

static const char *check_file(struct checker *c, uint32_t i)
{
    const struct plan_file *f = &c->plan->files[i];
    const struct phys_range *m = &c->info->modules[PLAN_MODULE_FIRST_FILE + i];

    if (!terminated(f->name, sizeof(f->name)))
        return FAIL(c, "file %u of the plan has no name", i);
    if (phys_range_size(m) != f->size)
        return FAIL(c, "module %s has %lu bytes, the plan says %lu: it was truncated or replaced",
                    f->name, phys_range_size(m), f->size);
    return NULL;
}

static const char *check_overlap(struct checker *c, uint32_t i)
{
    const struct phys_range *a = &c->info->modules[i];

    if (a->end < a->start || !is_aligned(a->start, PAGE_SIZE))
        return FAIL(c, "module %u lies at %lx-%lx: the boot loader did not align it", i, a->start,
                    a->end);
    for (uint32_t j = 0; j < i; j++) {
        const struct phys_range *b = &c->info->modules[j];
        if (a->start < b->end && b->start < a->end)
            return FAIL(c, "modules %u and %u overlap, at %lx-%lx and %lx-%lx", j, i, b->start,
                        b->end, a->start, a->end);
    }
    return NULL;
}

/* The promise of a VM or a process is none, or one that can be kept; `sum` is that of all until
 * now, in millionths of each CPU. */
static const char *check_promise(struct checker *c, const char *name, uint32_t cpu, uint32_t budget,
                                 uint32_t period, uint64_t sum[])
{
    if (cpu >= CPUS_MAX)
        return FAIL(c, "%s: its home is CPU %u; the last one is %u", name, cpu, CPUS_MAX - 1);
    if (budget == 0 && period == 0)
        return NULL;
    if (budget < PLAN_BUDGET_MIN || budget > period || period > PLAN_PERIOD_MAX)
        return FAIL(
            c, "%s: a budget of %u us in each %u us; at least %u, and no period longer than %u",
            name, budget, period, PLAN_BUDGET_MIN, PLAN_PERIOD_MAX);
    sum[cpu] += plan_promised(budget, period);
    if (sum[cpu] > PLAN_PROMISED_MAX * 10000ULL)
        return FAIL(c, "with %s more than %u %% of the CPU are promised", name, PLAN_PROMISED_MAX);
    return NULL;
}

static const char *check_promises(struct checker *c)
{
    const struct plan *p = c->plan;
    const char *error = NULL;
    uint64_t sum[CPUS_MAX] = {0};

    for (uint32_t i = 0; i < p->vm_count; i++)
        for (uint32_t v = 0; error == NULL && v < p->vms[i].vcpus; v++)
            error = check_promise(c, p->vms[i].name, p->vms[i].cpus[v], p->vms[i].budget,
                                  p->vms[i].period, sum);
    for (uint32_t i = 0; error == NULL && i < p->process_count; i++)
        error = check_promise(c, p->processes[i].name, p->processes[i].cpu, p->processes[i].budget,
                              p->processes[i].period, sum);
    return error;
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
    if (vm->vcpus < 1 || vm->vcpus > PLAN_MAX_VCPUS)
        return FAIL(c, "vm %s: %u vCPUs; this version runs 1 to %u", vm->name, vm->vcpus,
                    PLAN_MAX_VCPUS);
    if (vm->memory == 0 || !is_aligned(vm->memory, PLAN_MEMORY_UNIT))
        return FAIL(c, "vm %s: %lu bytes of memory; it must be a multiple of 2 MiB", vm->name,
                    vm->memory);
    if (vm->snapshot && (vm->vcpus > 1 || vm->memory > PLAN_HOLE_START))
        return FAIL(c, "vm %s: a snapshot is of one vCPU and 3 GiB of memory at most", vm->name);
    if (vm->kernel >= c->plan->file_count ||
        (vm->initrd >= c->plan->file_count && vm->initrd != PLAN_NO_FILE))
        return FAIL(c, "vm %s: its kernel or initrd is no file of the plan", vm->name);
    for (uint32_t j = 0; j < PLAN_EVENT_COUNT; j++)
        if (vm->on[j] >= PLAN_ACTION_COUNT)
            return FAIL(c, "vm %s: action %u is unknown", vm->name, vm->on[j]);
    return NULL;
}

static bool is_file(const struct checker *c, uint32_t index)
{
    return index < c->plan->file_count;
}

static const char *check_grants(struct checker *c, const struct plan_process *p)
{
    if (p->grants & ~(uint32_t)(PLAN_GRANT_LOG | PLAN_GRANT_PCI))
        return FAIL(c, "process %s: its grants are unknown: build the image again", p->name);
    uint32_t of_function = (p->grants & PLAN_GRANT_PCI) != 0;
    if (p->controls >> c->plan->vm_count != 0)
        return FAIL(c, "process %s: it controls VMs that are not there", p->name);
    for (const struct plan_process *q = c->plan->processes; p->controls != 0 && q < p; q++)
        if (q->controls != 0)
            return FAIL(c, "process %s: %s controls VMs already", p->name, q->name);
    for (uint32_t i = 0; i < c->plan->vm_count; i++)
        for (uint32_t v = 0; p->controls & BIT(i) && v < c->plan->vms[i].vcpus; v++)
            if (c->plan->vms[i].cpus[v] != p->cpu)
                return FAIL(c, "process %s: it controls vm %s of another CPU: put both on one",
                            p->name, c->plan->vms[i].name);
    if (p->controls != 0 && of_function) /* gate_control counts on its not being trusted */
        return FAIL(c, "process %s: it controls VMs, and has a PCI function", p->name);
    if (p->port_range_count > PLAN_PORT_RANGES ||
        p->interrupt_count > PLAN_INTERRUPTS - of_function)
        return FAIL(c,
                    "process %s: %u port ranges and %u interrupts beside those of its PCI "
                    "function; at most %u and %u",
                    p->name, p->port_range_count, p->interrupt_count, PLAN_PORT_RANGES,
                    PLAN_INTERRUPTS - of_function);
    for (uint32_t i = 0; i < PLAN_PORT_RANGES; i++)
        if ((p->ports[i].count == 0) != (i >= p->port_range_count) ||
            p->ports[i].first + p->ports[i].count > 0x10000)
            return FAIL(c, "process %s: port range %u is none", p->name, i);
    for (uint32_t i = 0; i < p->interrupt_count; i++)
        if (p->interrupts[i] >= ACPI_ISA_IRQS)
            return FAIL(c, "process %s: interrupt %u is no ISA interrupt", p->name,
                        p->interrupts[i]);
    if (!is_aligned(p->dma, PAGE_SIZE) || p->dma > PLAN_MAX_DMA)
        return FAIL(c, "process %s: %lu bytes for its device; whole pages, and at most %lu MiB",
                    p->name, p->dma, (uint64_t)PLAN_MAX_DMA >> 20);
    return NULL;
}

/* What one has of the machine is no other's, and only one is the console. */
static const char *check_sharing(struct checker *c, uint32_t i)
{
    const struct plan_process *p = &c->plan->processes[i];

    for (uint32_t j = 0; j < i; j++) {
        const struct plan_process *q = &c->plan->processes[j];
        if (strcmp(p->name, q->name) == 0)
            return FAIL(c, "two processes have the name %s", p->name);
        if (p->grants & q->grants & PLAN_GRANT_LOG)
            return FAIL(c, "two processes are the console: %s and %s", q->name, p->name);
        if (p->grants & q->grants & PLAN_GRANT_PCI && p->pci_class == q->pci_class &&
            p->pci_index == q->pci_index)
            return FAIL(c, "processes %s and %s have a PCI function in common", q->name, p->name);
        for (uint32_t k = 0; k < p->port_range_count * q->port_range_count; k++) {
            const struct plan_ports *a = &p->ports[k / q->port_range_count],
                                    *b = &q->ports[k % q->port_range_count];
            if (a->first < b->first + b->count && b->first < a->first + a->count)
                return FAIL(c, "processes %s and %s have a port in common", q->name, p->name);
        }
        for (uint32_t k = 0; k < p->interrupt_count * q->interrupt_count; k++)
            if (p->interrupts[k / q->interrupt_count] == q->interrupts[k % q->interrupt_count])
                return FAIL(c, "processes %s and %s have an interrupt in common", q->name, p->name);
    }
    return NULL;
}

static const char *check_process(struct checker *c, uint32_t i)
{
    const struct plan_process *p = &c->plan->processes[i];

    if (!terminated(p->name, sizeof(p->name)) || p->name[0] == '\0' ||
        !terminated(p->arguments, sizeof(p->arguments)))
        return FAIL(c, "process %u of the plan has no name, or arguments without an end", i);
    if (!is_file(c, p->image) || (!is_file(c, p->file) && p->file != PLAN_NO_FILE))
        return FAIL(c, "process %s: its image or its file is no file of the plan", p->name);
    const char *error = check_grants(c, p);
    return error != NULL ? error : check_sharing(c, i);
}

static bool is_process(const struct checker *c, uint32_t end)
{
    return end >= PLAN_PROCESS && end - PLAN_PROCESS < c->plan->process_count;
}

/* How many channels an end has, among those before this one too. */
static uint32_t channels_of(const struct checker *c, uint32_t end, uint32_t until)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i <= until; i++)
        count += (c->plan->channels[i].client == end) + (c->plan->channels[i].server == end);
    return count;
}

static const char *check_channel(struct checker *c, uint32_t i)
{
    const struct plan_channel *ch = &c->plan->channels[i];

    if (ch->kind >= PLAN_CHANNEL_KIND_COUNT || !terminated(ch->label, sizeof(ch->label)))
        return FAIL(c, "channel %u of the plan is of no kind, or has a label without an end", i);
    if ((!is_process(c, ch->client) && ch->client >= c->plan->vm_count) ||
        !is_process(c, ch->server) || ch->client == ch->server)
        return FAIL(c, "channel %u of the plan has no client, or no server", i);
    if (ch->size < CHANNEL_AREA || !is_aligned(ch->size, PAGE_SIZE) ||
        ch->size > PROCESS_CHANNEL_STRIDE)
        return FAIL(c, "channel %u of the plan has %u bytes: no whole pages, too few or too many",
                    i, ch->size);
    if (channels_of(c, ch->client, i) > PROCESS_CHANNELS ||
        channels_of(c, ch->server, i) > PROCESS_CHANNELS)
        return FAIL(c,
                    "channel %u of the plan is one too many for its client or its server; a "
                    "process has at most %u",
                    i, PROCESS_CHANNELS);
    return NULL;
}

/* A partition that one client writes is no other's. */
static const char *check_partition(struct checker *c, uint32_t i)
{
    const struct plan *p = c->plan;
    const struct plan_channel *a = &p->channels[i], *b = p->channels;

    for (; a->kind == PLAN_CHANNEL_BLOCK && b < a; b++)
        if (b->kind == a->kind && b->server == a->server && !(a->read_only && b->read_only) &&
            strcmp(a->label, b->label) == 0)
            return FAIL(c,
                        "channels %u and %u are about the same partition '%s' of %s, and one of "
                        "their clients writes to it: give each its own",
                        (uint32_t)(b - p->channels), i, a->label,
                        p->processes[a->server - PLAN_PROCESS].name);
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
    for (uint32_t i = 0; error == NULL && i < plan->process_count; i++)
        error = check_process(&c, i);
    for (uint32_t i = 0; error == NULL && i < plan->channel_count; i++)
        error = check_channel(&c, i);
    for (uint32_t i = 0; error == NULL && i < plan->channel_count; i++)
        error = check_partition(&c, i);
    return error != NULL ? error : check_promises(&c);
}
