/* SPDX-License-Identifier: BSD-2-Clause */
/* R1-R5, R8-R10, R37: VMX operation and the instructions that fail with flags. */
#include "hypervisor/vmx/vmx.h"

#include "abi/plan.h"
#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/panic.h"
#include "lib/bits.h"
#include "lib/exit_reasons.h"
#include "lib/string.h"

#define NO_VMCS 0

#define INVEPT_ALL     2
#define INVVPID_SINGLE 1
#define INVVPID_ALL    2

struct vmx vmx;

/* Of one CPU. */
struct vmx_cpu {
    bool enabled;
    uint64_t current;
    uint64_t all[PLAN_MAX_VMS * PLAN_MAX_VCPUS]; /* VMCSs, of all vCPUs that are at home here */
    unsigned count;
};
static PER_CPU struct vmx_cpu vmx_cpu;

/* True: the instruction with these inputs, %1 and on, succeeded, CF = ZF = 0. */
#define VMX_INSTRUCTION(text, ...)                                                                 \
    ({                                                                                             \
        uint8_t failed_;                                                                           \
        __asm__ volatile(text : "=@ccbe"(failed_) : __VA_ARGS__ : "memory");                       \
        !failed_;                                                                                  \
    })

static uint64_t read_msr(void *ctx, uint32_t index)
{
    return rdmsr_or_zero(index);
}

static void read_cpuid(void *ctx, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    struct cpuid_result r = cpuid(leaf, subleaf);

    memcpy(out, &r, sizeof(r));
}

void vmx_probe(void)
{
    const struct caps_reader reader = {read_msr, read_cpuid, NULL};

    vmx_caps_read(&vmx.caps, &reader);
    caps_read_flaws(&vmx.flaws, &reader);
    vmx.timer_shift = vmx_preemption_timer_shift(&vmx.caps);
}

void vmx_print_caps(uint64_t hidden)
{
    enum control_id missing;
    bool usable = vmx_controls_choose(&vmx.caps, hidden, &vmx.controls, &missing);
    enum vmx_permission permission = vmx_permission(&vmx.caps);

    log_line("caps: %s", vmx_permission_words(permission));
    for (unsigned id = 0; id < CONTROL_COUNT; id++)
        log_line("%-30s %-16s %s", control_rows[id].name, vmx_control_verdict(&vmx.controls, id),
                 control_has(&vmx.controls, id) ? "" : control_rows[id].lost);
    for (unsigned id = 0; id < MITIGATION_ROWS; id++)
        log_line("%-30s %-16s %s", caps_mitigations[id].name,
                 caps_mitigation_verdict(&vmx.flaws, id), caps_mitigations[id].flaw);
    usable = usable && (permission == VMX_USABLE || permission == VMX_SET_AND_LOCK);
    log_line("caps: verdict: Lintel %s", usable ? "runs on this CPU" : "cannot run on this CPU");
    machine_end();
}

void vmx_flush_ept(void)
{
    const uint64_t descriptor[2] = {0}, all = INVEPT_ALL;

    if (!VMX_INSTRUCTION("invept %1, %2", "m"(descriptor), "r"(all)))
        vmx_instruction_failed("INVEPT", 0);
}

static void invalidate_vpid(uint64_t type, uint16_t vpid)
{
    const uint64_t descriptor[2] = {vpid};

    if (!VMX_INSTRUCTION("invvpid %1, %2", "m"(descriptor), "r"(type)))
        vmx_instruction_failed("INVVPID", vpid);
}

void vmx_flush_vpid(uint16_t vpid)
{
    bool single = control_has(&vmx.controls, CONTROL_INVVPID_SINGLE_CONTEXT);

    if (control_has(&vmx.controls, CONTROL_VPID))
        invalidate_vpid(single ? INVVPID_SINGLE : INVVPID_ALL, single ? vpid : 0);
}

static uint64_t page_with_revision(void)
{
    uint64_t phys = arena_frame();
    const char *fault = vmx_region_fault(&vmx.caps, phys);

    if (fault != NULL)
        stopped("VMX region at %lx: %s", phys, fault);
    uint32_t *page = window_open(phys);
    memset(page, 0, PAGE_SIZE);
    *page = vmx_revision(&vmx.caps);
    window_close();
    return phys;
}

/* A field that this CPU does not have fails quietly and reads as 0. */
static uint64_t read_field(enum vmcs_field field)
{
    uint64_t value = 0;
    uint8_t failed;

    __asm__ volatile("vmread %2, %0" : "=r"(value), "=@ccbe"(failed) : "r"((uint64_t)field));
    return failed ? 0 : value;
}

static void print_current_vmcs(uint64_t rbp)
{
    uint64_t current = THIS_CPU(vmx_cpu).current;

    if (!THIS_CPU(vmx_cpu).enabled || current == NO_VMCS)
        return;
    /* First of all, because a VMREAD of a field that is not there writes to it. */
    uint32_t error = (uint32_t)read_field(VMCS_VM_INSTRUCTION_ERROR);
    log_line("the current VMCS, at %lx; fields that are 0 are left out:", current);
    for (unsigned i = 0; i < VMCS_FIELD_COUNT; i++) {
        enum vmcs_field field = vmcs_field_at(i);
        uint64_t value = read_field(field);
        if (value != 0 && field != VMCS_VM_INSTRUCTION_ERROR)
            log_line("  %-44s %016lx", vmcs_field_name(field), value);
    }
    if (error != 0)
        log_line("  the last VMX instruction that failed: %s", vm_instruction_error_name(error));
    log_line("  exit reason: %s", exit_reason_name((uint32_t)read_field(VMCS_EXIT_REASON)));
}

static void disable(void)
{
    struct vmx_cpu *cpu = &THIS_CPU(vmx_cpu);

    if (!cpu->enabled)
        return;
    cpu->enabled = false; /* whatever fails below does not come here again */
    for (unsigned i = 0; i < cpu->count; i++)
        vmcs_clear(cpu->all[i]);
    if (!VMX_INSTRUCTION("vmxoff"))
        panic("VMXOFF failed");
    write_cr4(read_cr4() & ~CR4_VMXE);
}

void vmx_choose_controls(uint64_t hidden)
{
    enum vmx_permission permission = vmx_permission(&vmx.caps);
    enum control_id missing;

    if (permission == VMX_ABSENT || permission == VMX_LOCKED_OFF)
        stopped("%s", vmx_permission_words(permission));
    if (!vmx_controls_choose(&vmx.caps, hidden, &vmx.controls, &missing))
        stopped("this CPU lacks %s (needed): without it %s", control_rows[missing].name,
                control_rows[missing].lost);
    machine_leave = disable;
    panic_tell[PANIC_VMCS] = print_current_vmcs;
}

void vmx_enable(void)
{
    if (vmx_permission(&vmx.caps) == VMX_SET_AND_LOCK)
        wrmsr(MSR_IA32_FEATURE_CONTROL, vmx_feature_control_value(&vmx.caps)); /* R1 */

    uint64_t cr0 = read_cr0(), cr4 = read_cr4() | CR4_VMXE;
    if (!vmx_fixed_ok(cr0, vmx.caps.cr0_fixed0, vmx.caps.cr0_fixed1) ||
        !vmx_fixed_ok(cr4, vmx.caps.cr4_fixed0, vmx.caps.cr4_fixed1))
        stopped("VMX operation wants other bits in CR0 (%lx) or CR4 (%lx) than Lintel runs with",
                cr0, cr4);
    write_cr4(cr4);
    uint64_t region = page_with_revision(); /* R2 */
    if (!VMX_INSTRUCTION("vmxon %1", "m"(region)))
        stopped(
            "VMXON failed, although IA32_FEATURE_CONTROL is %lx: another hypervisor may be running",
            rdmsr(MSR_IA32_FEATURE_CONTROL));
    THIS_CPU(vmx_cpu).enabled = true;
    /* An older monitor's translations may still be cached (SDM volume 3, "Guidelines for Use of the
     * INVEPT Instruction"). */
    vmx_flush_ept();
    if (control_has(&vmx.controls, CONTROL_VPID))
        invalidate_vpid(INVVPID_ALL, 0);
}

void vmx_instruction_failed(const char *instruction, uint64_t operand)
{
    if (THIS_CPU(vmx_cpu).current == NO_VMCS)
        panic("%s %lx failed: there is no current VMCS", instruction, operand);
    uint64_t error = vmread(VMCS_VM_INSTRUCTION_ERROR);
    panic("%s %lx (%s) failed: error %lu, %s", instruction, operand,
          vmcs_field_name((enum vmcs_field)operand), error,
          vm_instruction_error_name((uint32_t)error));
}

uint64_t vmcs_new(struct cpu_block *block)
{
    struct vmx_cpu *cpu = &CPU_OF(block, vmx_cpu);
    uint64_t phys = page_with_revision();

    ASSERT(cpu->count < ARRAY_SIZE(cpu->all));
    cpu->all[cpu->count++] = phys;
    vmcs_clear(phys);
    return phys;
}

void vmcs_clear(uint64_t phys)
{
    if (!VMX_INSTRUCTION("vmclear %1", "m"(phys)))
        vmx_instruction_failed("VMCLEAR", phys);
    if (THIS_CPU(vmx_cpu).current == phys)
        THIS_CPU(vmx_cpu).current = NO_VMCS;
}

void vmcs_load(const uint64_t *phys)
{
    if (!VMX_INSTRUCTION("vmptrld %1", "m"(*phys)))
        vmx_instruction_failed("VMPTRLD", *phys);
    THIS_CPU(vmx_cpu).current = *phys;
}

void vmcs_write_values(const uint64_t field[VMCS_FIELD_COUNT])
{
    for (unsigned i = 0; i < VMCS_FIELD_COUNT; i++)
        if (VMCS_IS_WRITTEN(vmcs_field_at(i)) && read_field(vmcs_field_at(i)) != field[i])
            vmwrite(vmcs_field_at(i), field[i]);
}

void vmcs_read_values(uint64_t field[VMCS_FIELD_COUNT])
{
    for (unsigned i = 0; i < VMCS_FIELD_COUNT; i++)
        field[i] = VMCS_IS_HOST(vmcs_field_at(i)) ? 0 : read_field(vmcs_field_at(i));
}
