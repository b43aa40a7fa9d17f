/* SPDX-License-Identifier: BSD-2-Clause */
/* RDMSR and WRMSR that exit: the table says who answers (R25, R27, R29-R31, R41). */
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/exit.h"
#include "hypervisor/vm/guest_registers.h"
#include "hypervisor/vm/guest_spec_ctrl.h"
#include "hypervisor/vm/guest_tsc.h"
#include "hypervisor/vm/vm.h"

static bool read_file(struct vcpu *v, const struct msr_row *row, uint32_t index, uint64_t *value)
{
    *value = v->msr.file.value[row->slot];
    return true;
}

static bool read_switched(struct vcpu *v, const struct msr_row *row, uint32_t index,
                          uint64_t *value)
{
    *value = guest_switched_read(v, row);
    return true;
}

static bool write_switched(struct vcpu *v, const struct msr_row *row, uint32_t index,
                           uint64_t value)
{
    guest_switched_write(v, row, value);
    return true;
}

static bool refuse_read(struct vcpu *v, const struct msr_row *row, uint32_t index, uint64_t *value)
{
    return false;
}

static bool ignore_write(struct vcpu *v, const struct msr_row *row, uint32_t index, uint64_t value)
{
    return true;
}

static bool write_resident(struct vcpu *v, const struct msr_row *row, uint32_t index,
                           uint64_t value)
{
    msr_switch_write(&THIS_CPU(vm_cpu).msr, &v->msr, row->slot, value);
    return true;
}

static bool read_spec_ctrl(struct vcpu *v, const struct msr_row *row, uint32_t index,
                           uint64_t *value)
{
    *value = v->spec_ctrl;
    return true;
}

static bool write_spec_ctrl(struct vcpu *v, const struct msr_row *row, uint32_t index,
                            uint64_t value)
{
    return guest_spec_ctrl_write(v, value);
}

/* LMA is what the mode is, whatever is written; LME may not change while paging is on (SDM volume
 * 3, "IA32_EFER MSR"). */
static bool write_efer(struct vcpu *v, const struct msr_row *row, uint32_t index, uint64_t value)
{
    uint64_t old = guest_efer(v);

    if ((old ^ value) & EFER_LME && guest_cr0() & CR0_PG)
        return false;
    guest_set_efer(v, (value & ~EFER_LMA) | (old & EFER_LMA));
    return true;
}

static bool read_tsc(struct vcpu *v, const struct msr_row *row, uint32_t index, uint64_t *value)
{
    *value = guest_tsc(v);
    return true;
}

static bool write_tsc(struct vcpu *v, const struct msr_row *row, uint32_t index, uint64_t value)
{
    guest_tsc_move(v, value - guest_tsc(v));
    return true;
}

static bool write_tsc_adjust(struct vcpu *v, const struct msr_row *row, uint32_t index,
                             uint64_t value)
{
    guest_tsc_move(v, value - v->msr.file.value[MSR_SLOT_TSC_ADJUST]);
    return true;
}

static bool read_tsc_deadline(struct vcpu *v, const struct msr_row *row, uint32_t index,
                              uint64_t *value)
{
    *value = vlapic_read_tsc_deadline(&v->lapic, guest_tsc(v));
    return true;
}

static bool write_tsc_deadline(struct vcpu *v, const struct msr_row *row, uint32_t index,
                               uint64_t value)
{
    uint64_t now = rdtsc();

    vlapic_write_tsc_deadline(&v->lapic, value, now + v->tsc_offset);
    events_deadline_changed(v, now);
    return true;
}

static bool read_apic_base(struct vcpu *v, const struct msr_row *row, uint32_t index,
                           uint64_t *value)
{
    *value = v->lapic.base;
    return true;
}

static bool write_apic_base(struct vcpu *v, const struct msr_row *row, uint32_t index,
                            uint64_t value)
{
    if (vlapic_write_base(&v->lapic, value) != VLAPIC_OK)
        return false;
    events_apic_effect(v,
                       &(struct vlapic_effect){.what = VLAPIC_EFFECT_ENABLE | VLAPIC_EFFECT_TIMER});
    return true;
}

static bool read_x2apic(struct vcpu *v, const struct msr_row *row, uint32_t index, uint64_t *value)
{
    return vlapic_read_msr(&v->lapic, index, guest_tsc(v), value) == VLAPIC_OK;
}

static bool write_x2apic(struct vcpu *v, const struct msr_row *row, uint32_t index, uint64_t value)
{
    struct vlapic_effect effect;

    if (vlapic_write_msr(&v->lapic, index, value, guest_tsc(v), &effect) != VLAPIC_OK)
        return false;
    events_apic_effect(v, &effect);
    return true;
}

/* All of a record must lie in guest memory. */
static bool has_record(const struct vcpu *v, uint64_t gpa, uint64_t size)
{
    return vm_translate(v->vm, gpa) != PHYS_MAP_NONE &&
           vm_translate(v->vm, gpa + size - 1) != PHYS_MAP_NONE;
}

static bool write_wall_clock(struct vcpu *v, const struct msr_row *row, uint32_t index,
                             uint64_t value)
{
    if (!has_record(v, value, CLOCK_WALL_CLOCK_SIZE))
        return false;
    v->msr.file.value[row->slot] = value;
    events_clock(v, EVENT_WALL_CLOCK);
    return true;
}

static bool write_system_time(struct vcpu *v, const struct msr_row *row, uint32_t index,
                              uint64_t value)
{
    if (value & CLOCK_ENABLED && !has_record(v, value - CLOCK_ENABLED, CLOCK_SYSTEM_TIME_SIZE))
        return false;
    v->msr.file.value[row->slot] = value;
    events_clock(v, EVENT_CLOCK);
    return true;
}

static const struct {
    bool (*read)(struct vcpu *v, const struct msr_row *row, uint32_t index, uint64_t *value);
    bool (*write)(struct vcpu *v, const struct msr_row *row, uint32_t index, uint64_t value);
} handlers[MSR_HANDLER_COUNT] = {
    [MSR_HANDLER_VMCS] = {read_switched, write_switched},
    [MSR_HANDLER_WRITE_ONLY] = {refuse_read, ignore_write},
    [MSR_HANDLER_RESIDENT] = {read_file, write_resident},
    [MSR_HANDLER_SPEC_CTRL] = {read_spec_ctrl, write_spec_ctrl},
    [MSR_HANDLER_EFER] = {read_switched, write_efer},
    [MSR_HANDLER_TSC] = {read_tsc, write_tsc},
    [MSR_HANDLER_TSC_ADJUST] = {read_file, write_tsc_adjust},
    [MSR_HANDLER_TSC_DEADLINE] = {read_tsc_deadline, write_tsc_deadline},
    [MSR_HANDLER_APIC_BASE] = {read_apic_base, write_apic_base},
    [MSR_HANDLER_X2APIC] = {read_x2apic, write_x2apic},
    [MSR_HANDLER_KVM_WALL_CLOCK] = {read_file, write_wall_clock},
    [MSR_HANDLER_KVM_SYSTEM_TIME] = {read_file, write_system_time},
};

bool vcpu_read_msr(struct vcpu *v, uint32_t index, uint64_t *value)
{
    const struct msr_row *row = msr_find(index);
    enum msr_result result = row ? msr_read(&v->msr.file, row, index, value) : MSR_GP;

    return result == MSR_HANDLER ? handlers[row->handler].read(v, row, index, value)
                                 : result == MSR_OK;
}

/* R27: after #GP EDX:EAX is what it was. */
void exit_rdmsr(struct vcpu *v)
{
    uint32_t index = (uint32_t)v->gpr[GPR_RCX];
    const struct msr_row *row = msr_find(index);
    uint64_t value = 0, answer;
    enum msr_result result = MSR_GP;

    if (row != NULL) {
        v->msr_exits[row->slot]++;
        result = msr_read(&v->msr.file, row, index, &value);
    }
    if (result == MSR_HANDLER) {
        result = handlers[row->handler].read(v, row, index, &answer) ? MSR_OK : MSR_GP;
        value = answer;
    }
    if (result == MSR_GP) {
        vcpu_raise(v, VECTOR_GP, 0);
        return;
    }
    v->gpr[GPR_RAX] = (uint32_t)value;
    v->gpr[GPR_RDX] = value >> 32;
    vcpu_skip_instruction(v);
}

void exit_wrmsr(struct vcpu *v)
{
    uint32_t index = (uint32_t)v->gpr[GPR_RCX];
    uint64_t value = v->gpr[GPR_RDX] << 32 | (uint32_t)v->gpr[GPR_RAX];
    const struct msr_row *row = msr_find(index);
    enum msr_result result = MSR_GP;

    if (row != NULL) {
        v->msr_exits[row->slot]++;
        result = msr_write(&v->msr.file, row, index, value);
    }
    if (result == MSR_HANDLER)
        result = handlers[row->handler].write(v, row, index, value) ? MSR_OK : MSR_GP;
    if (result == MSR_GP)
        vcpu_raise(v, VECTOR_GP, 0);
    else
        vcpu_skip_instruction(v);
}
