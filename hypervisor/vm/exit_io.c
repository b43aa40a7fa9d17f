/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports and device memory: always the monitor's. */
#include "hypervisor/vm/enter.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/exit.h"
#include "hypervisor/vm/vm.h"
#include "hypervisor/vmx/inject.h"
#include "lib/bits.h"

/* SDM volume 3, "Exit Qualification for I/O Instructions". */
#define IO_IN     BIT(3)
#define IO_STRING BIT(4)
#define IO_REP    BIT(5)

/* SDM volume 3, "Exit Qualification for EPT Violations". */
#define EPT_WRITE        BIT(1)
#define EPT_FETCH        BIT(2)
#define EPT_LINEAR_VALID BIT(7)
/* the linear address is there, and it is no walk's access to a table */
#define EPT_LINEAR        (EPT_LINEAR_VALID | BIT(8))
#define EPT_NMI_UNBLOCKED BIT(12)

static void __attribute__((noreturn)) exit_io_string(struct vcpu *v, uint64_t qualification)
{
    static const uint8_t address_sizes[] = {2, 4, 8, 8};
    static const uint8_t segments[] = {SEG_ES, SEG_CS, SEG_SS, SEG_DS,
                                       SEG_FS, SEG_GS, SEG_DS, SEG_DS};
    uint32_t info = (uint32_t)vmread(VMCS_EXIT_INSTRUCTION_INFO);

    v->page->io.rep = (qualification & IO_REP) != 0;
    v->page->io.address_size = address_sizes[info >> 7 & 3];
    v->page->io.segment = segments[info >> 15 & 7];
    v->page->io.length = (uint32_t)vmread(VMCS_EXIT_INSTRUCTION_LENGTH);
    vcpu_save_for_emulation(v, &v->page->state);
    exit_to_monitor(v, EXIT_IO_STRING);
}

static void __attribute__((noreturn, cold, noinline)) exit_io_watched(struct vcpu *v)
{
    vcpu_save_for_emulation(v, &v->page->state);
    exit_to_monitor(v, EXIT_IO_WATCHED);
}

/* A kick: a bit is all that is kept of it. */
static void __attribute__((noinline)) kick(struct vcpu *v, uint8_t bit)
{
    v->kicks |= BIT(bit);
    vcpu_skip_instruction(v);
    events_kicked(v);
}

static inline bool rings(struct vcpu *v, uint64_t qualification)
{
    const struct doorbells *d = &v->vm->bells;
    uint32_t port = (uint32_t)(qualification >> 16);

    if (__builtin_expect(port / GATE_DOORBELLS != d->block, 1) ||
        qualification & (IO_IN | IO_STRING) || d->bit[port % GATE_DOORBELLS] == DOORBELL_NONE)
        return false;
    kick(v, d->bit[port % GATE_DOORBELLS]);
    return true;
}

void exit_io(struct vcpu *v)
{
    uint64_t qualification = vmread(VMCS_EXIT_QUALIFICATION);
    struct exit_page *page = v->page;

    if (rings(v, qualification))
        return;
    page->io.port = (uint16_t)(qualification >> 16);
    page->io.size = (uint8_t)((qualification & 7) + 1);
    page->io.in = (qualification & IO_IN) != 0;
    if (qualification & IO_STRING)
        exit_io_string(v, qualification);
    page->io.value = (uint32_t)v->gpr[GPR_RAX];
    v->input_mask = qualification & IO_IN ? UINT32_MAX >> (24 - 8 * (qualification & 3)) : 0;
    v->input_keep = v->input_mask == UINT32_MAX ? 0 : ~v->input_mask;
    vcpu_skip_instruction(v);
    if (__builtin_expect(vmread(VMCS_GUEST_DR7) & DR7_ENABLED, 0)) /* R43 */
        exit_io_watched(v);
    exit_to_monitor(v, EXIT_IO);
}

/* Memory becomes executable; device memory does not. */
static bool __attribute__((cold, noinline)) may_fetch(struct vcpu *v)
{
    v->page->mmio.fetch = true;
    return ept_execute(&v->vm->ept, vmread(VMCS_GUEST_PHYSICAL_ADDRESS));
}

void exit_ept_violation(struct vcpu *v)
{
    uint64_t qualification = vmread(VMCS_EXIT_QUALIFICATION);
    uint32_t vectoring = (uint32_t)vmread(VMCS_IDT_VECTORING_INFO);

    /*
     * No instruction that could be emulated: an event's delivery whose stack or table is in device
     * memory (R15), or MOV to a control register whose PDPTEs are there, and read as all ones
     * (R23).
     */
    if (vectoring & EVENT_VALID || !(qualification & EPT_LINEAR_VALID)) {
        vcpu_raise(v, VECTOR_GP, 0);
        return;
    }
    if (qualification & EPT_NMI_UNBLOCKED) /* R16 */
        vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
                event_restore_nmi_blocking((uint32_t)vmread(VMCS_GUEST_INTERRUPTIBILITY), true,
                                           vectoring));
    v->page->mmio.fetch = false;
    if (__builtin_expect(qualification & EPT_FETCH, 0) && may_fetch(v))
        return;
    v->page->mmio.address = vmread(VMCS_GUEST_PHYSICAL_ADDRESS);
    v->page->mmio.write = (qualification & EPT_WRITE) != 0;
    v->page->mmio.linear_valid = (qualification & EPT_LINEAR) == EPT_LINEAR;
    v->page->mmio.linear = vmread(VMCS_GUEST_LINEAR_ADDRESS);
    vcpu_save_for_emulation(v, &v->page->state);
    exit_to_monitor(v, EXIT_MMIO);
}
