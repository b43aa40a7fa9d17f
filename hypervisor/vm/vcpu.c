/* SPDX-License-Identifier: BSD-2-Clause */
/* R5, R6, R11, R13, R21, R26, R28-R30, R37: a vCPU's VMCS, and its state at the start. */
#include "hypervisor/vm/vcpu.h"

#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/mitigations.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/vm/apic_virtual.h"
#include "hypervisor/vm/debug.h"
#include "hypervisor/vm/enter.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/exit.h"
#include "hypervisor/vm/guest_registers.h"
#include "hypervisor/vm/guest_spec_ctrl.h"
#include "hypervisor/vm/guest_tsc.h"
#include "hypervisor/vm/resident.h"
#include "hypervisor/vm/several.h"
#include "hypervisor/vm/vm.h"
#include "lib/bits.h"
#include "lib/string.h"

/* Ticks of the crystal clock, some milliseconds: far more than any instruction takes by itself. */
#define INSTRUCTION_TIMEOUT 0x20000

/*
 * What a periodic timer's interrupts are apart at least; docs/bounds.md says why. A guest that
 * takes its interrupts by exits gets on between them even where each costs as much as in an
 * emulator and switches all MSRs, and no kernel asks for more than some thousand a second.
 */
#define TIMER_PERIOD_US 400

PER_CPU struct vm_cpu vm_cpu;

void vcpu_switch_vmcs(struct vcpu *v)
{
    struct cpu_block *cpu = this_cpu();

    vmcs_load(&v->vmcs);
    CPU_OF(cpu, vm_cpu).vmcs_owner = v;
    CPU_OF(cpu, vm_cpu).patience = events_patience(v); /* another one's kick is not its business */
    if (CPU_OF(cpu, sched).next_event == TIME_NEVER)
        events_set_guest_timer(VCPU_CPU(v), TIME_NEVER, 0);
}

void vcpu_forget_launch(struct vcpu *v)
{
    vmcs_clear(v->vmcs);
    v->launched = 0;
    vcpu_switch_vmcs(v);
}

/* Fields that never change, with values that are the same for every vCPU or follow from the CPU. */
static void write_constants(void)
{
    static const struct {
        enum vmcs_field field;
        uint64_t value;
    } constants[] = {
        {VMCS_HOST_ES_SELECTOR, 0},
        {VMCS_HOST_CS_SELECTOR, SELECTOR_KERNEL_CODE},
        {VMCS_HOST_SS_SELECTOR, SELECTOR_KERNEL_DATA},
        {VMCS_HOST_DS_SELECTOR, 0},
        {VMCS_HOST_FS_SELECTOR, 0},
        {VMCS_HOST_GS_SELECTOR, 0},
        {VMCS_HOST_TR_SELECTOR, SELECTOR_TSS},
        {VMCS_HOST_FS_BASE, 0},
        {VMCS_HOST_GS_BASE, 0},
        {VMCS_LINK_POINTER, VMCS_NO_LINK},
        {VMCS_EXCEPTION_BITMAP, BIT(VECTOR_DB) | BIT(VECTOR_AC) | BIT(VECTOR_MC)},
        {VMCS_PAGE_FAULT_ERROR_CODE_MASK, 0},
        {VMCS_PAGE_FAULT_ERROR_CODE_MATCH, 0},
        {VMCS_CR3_TARGET_COUNT, 0},
        {VMCS_GUEST_PDPTE0, 0},
        {VMCS_GUEST_PDPTE1, 0},
        {VMCS_GUEST_PDPTE2, 0},
        {VMCS_GUEST_PDPTE3, 0},
        {VMCS_ENTRY_EXCEPTION_ERROR_CODE, 0},
        {VMCS_ENTRY_INSTRUCTION_LENGTH, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(constants); i++)
        vmwrite(constants[i].field, constants[i].value);
}

/* The ways in and out are chosen here, once: none has a branch for a mitigation. */
static uint64_t exit_stub(void)
{
    return vmx_exits[(msr_switch_each_exit() ? VMX_EXIT_EAGER : 0) +
                     (mitigation_is_on(MITIGATION_VERW) ? VMX_EXIT_VERW : 0) +
                     (mitigation_is_on(MITIGATION_BHB) ? VMX_EXIT_BHB : 0)];
}

static void choose_entry(struct vcpu *v)
{
    v->enter = mitigation_is_on(MITIGATION_VERW) ? vmx_enter_verw : vmx_enter;
    if (mitigation_is_on(MITIGATION_L1D))
        v->enter = vmx_enter_l1d;
}

static void write_host(struct vcpu *v)
{
    struct descriptor_table idt;

    __asm__ volatile("sidt %0" : "=m"(idt));
    vmwrite(VMCS_HOST_CR0, read_cr0());
    vmwrite(VMCS_HOST_CR3, phys_of(v->vm->process.root));
    vmwrite(VMCS_HOST_CR4, read_cr4());
    vmwrite(VMCS_HOST_TR_BASE, (uint64_t)&CPU_OF(VCPU_CPU(v), cpu_tss));
    vmwrite(VMCS_HOST_GDTR_BASE, (uint64_t)&CPU_OF(VCPU_CPU(v), cpu_gdt));
    vmwrite(VMCS_HOST_IDTR_BASE, idt.base);
    vmwrite(VMCS_HOST_RSP, (uint64_t)(v->gpr + ARRAY_SIZE(v->gpr)));
    vmwrite(VMCS_HOST_RIP, exit_stub());
    /* R30: what resident_init has set */
    vmwrite(VMCS_HOST_SYSENTER_CS, rdmsr(MSR_IA32_SYSENTER_CS));
    vmwrite(VMCS_HOST_SYSENTER_ESP, (uint64_t)v->stack);
    vmwrite(VMCS_HOST_SYSENTER_EIP, rdmsr(MSR_IA32_SYSENTER_EIP));
    if (control_has(&vmx.controls, CONTROL_LOAD_HOST_EFER))
        vmwrite(VMCS_HOST_EFER, rdmsr(MSR_IA32_EFER));
    if (control_has(&vmx.controls, CONTROL_LOAD_HOST_PAT))
        vmwrite(VMCS_HOST_PAT, rdmsr(MSR_IA32_PAT));
}

/* R26, R29: the MSR areas; how many entries of them count follows the values (msr/switch.c). */
static void write_areas(struct vcpu *v)
{
    struct msr_areas *areas = &v->msr.areas;

    areas->guest = arena_alloc(PAGE_SIZE);
    areas->host = areas->guest + MSR_ROW_COUNT;
    vmwrite(VMCS_ENTRY_MSR_LOAD_ADDRESS, phys_of(areas->guest));
    vmwrite(VMCS_EXIT_MSR_STORE_ADDRESS, phys_of(areas->guest));
    vmwrite(VMCS_EXIT_MSR_LOAD_ADDRESS, phys_of(areas->host));
    msr_hardware_area_count(0);
}

/* What CR4 enables must be switched. */
static uint64_t cr4_allowed(const struct vcpu *v)
{
    uint32_t features = vm_msr_features();

    return CPUID_CR4 & vmx.caps.cr4_fixed1 & ~(v->resident.xcr0_all & XCR0_PKRU ? 0 : CR4_PKE) &
           ~(features & MSR_FEATURE_PKS ? 0 : CR4_PKS) &
           ~(features & MSR_FEATURE_CET ? 0 : CR4_CET);
}

static void write_controls(struct vcpu *v)
{
    const struct vmx_controls *c = &vmx.controls;

    v->proc_controls = c->proc;
    vmwrite(VMCS_PIN_CONTROLS, c->pin);
    vmwrite(VMCS_PROC_CONTROLS, c->proc);
    vmwrite(VMCS_PROC2_CONTROLS, c->proc2);
    vmwrite(VMCS_EXIT_CONTROLS, c->exit);
    vmwrite(VMCS_ENTRY_CONTROLS, c->entry);
    vmwrite(VMCS_MSR_BITMAPS, phys_of(v->msr_bitmap));
    vmwrite(VMCS_EPT_POINTER, ept_pointer(&v->vm->ept));
    vmwrite(VMCS_CR0_MASK, CR0_HIDDEN | (control_has(c, CONTROL_LOAD_GUEST_EFER) ? 0 : CR0_PG));
    vmwrite(VMCS_CR4_MASK, ~cr4_allowed(v) | CR4_FORCED);
    if (control_has(c, CONTROL_VPID))
        vmwrite(VMCS_VPID, v->vpid);
    if (control_has(c, CONTROL_PREEMPTION_TIMER))
        events_set_guest_timer(VCPU_CPU(v), TIME_NEVER, 0);
    if (control_has(c, CONTROL_XSAVES))
        vmwrite(VMCS_XSS_EXITING_BITMAP, 0);
    if (control_has(c, CONTROL_ENCLS_EXITING))
        vmwrite(VMCS_ENCLS_EXITING_BITMAP, UINT64_MAX);
    if (control_has(c, CONTROL_INSTRUCTION_TIMEOUT))
        vmwrite(VMCS_INSTRUCTION_TIMEOUT_CONTROL, INSTRUCTION_TIMEOUT);
    if (control_has(c, CONTROL_PAUSE_LOOP_EXITING)) {
        vmwrite(VMCS_PLE_GAP, 128);
        vmwrite(VMCS_PLE_WINDOW, 4096);
    }
}

/* R7: one for each vCPU, so that none changes while another CPU runs on it. */
static void create_bitmaps(struct vcpu *v)
{
    v->msr_bitmap = arena_alloc(PAGE_SIZE);
    msr_bitmap(v->msr_bitmap, vm_msr_features(), vmx.caps.linear_bits);
    if (control_has(&vmx.controls, CONTROL_VIRTUAL_INTERRUPT_DELIVERY)) {
        v->msr_bitmap_virtual = arena_alloc(PAGE_SIZE);
        apic_virtual_bitmap(v->msr_bitmap_virtual, v->msr_bitmap);
    }
}

void vcpu_pass_reads(struct vcpu *v, uint32_t index, bool pass)
{
    msr_bitmap_set(v->msr_bitmap, index, false, !pass);
    if (v->msr_bitmap_virtual != NULL)
        msr_bitmap_set(v->msr_bitmap_virtual, index, false, !pass);
}

struct vcpu *vcpu_create(struct vm *vm, uint32_t number)
{
    struct vcpu *v = arena_alloc(sizeof(*v));

    v->vm = vm;
    v->vpid = (uint16_t)(vm->process.vm * PLAN_MAX_VCPUS + number + 1);
    sched_add(&v->thread, process_home(vm->plan->name, vm->plan->cpus[number]), &vcpu_thread,
              vm->plan->budget, vm->plan->period);
    v->stack = VCPU_CPU(v) + 1;
    v->mode = VCPU_OFF; /* until it has a monitor, or a SIPI has come */
    v->rests = number > 0;
    if (vm->plan->vcpus > 1)
        v->thread.work = WORK_SHARED;
    for (uint32_t i = number; i-- > 0;) /* the first one there */
        if (VCPU_CPU(vm->vcpus[i]) == VCPU_CPU(v))
            v->thread.payer = &vm->vcpus[i]->thread;
    create_bitmaps(v);
    v->page = arena_alloc(PAGE_SIZE);
    v->lapic_page = arena_alloc(PAGE_SIZE);
    resident_reset(&v->resident);
    vlapic_reset(&v->lapic, v->lapic_page, number, number == 0);
    v->lapic.least_period = tsc_khz() * TIMER_PERIOD_US / 1000;
    v->vmcs = vmcs_new(VCPU_CPU(v));
    vcpu_load(v);
    write_constants();
    write_host(v);
    choose_entry(v);
    write_areas(v);
    write_controls(v);
    apic_virtual_init(v);
    v->size = (uint64_t)arena_alloc(0) - (uint64_t)v;
    vmcs_clear(v->vmcs); /* it is loaded again where it is at home (R19) */
    THIS_CPU(vm_cpu).vmcs_owner = NULL;
    return v;
}

/* EFER or PAT where the CPU has no VMCS field for it: the MSR areas switch it, and the file knows
 * its value. */
uint64_t guest_switched_read(const struct vcpu *v, const struct msr_row *row)
{
    return msr_switch_is_in_area(row) ? v->msr.file.value[row->slot]
                                      : vmread((enum vmcs_field)row->field);
}

void guest_switched_write(struct vcpu *v, const struct msr_row *row, uint64_t value)
{
    if (msr_switch_is_in_area(row))
        msr_switch_write(&THIS_CPU(vm_cpu).msr, &v->msr, row->slot, value);
    else
        vmwrite((enum vmcs_field)row->field, value);
}

/* The VMCS fields of a segment lie two apart, in the order of enum segment. */
static enum vmcs_field segment_field(enum vmcs_field es_field, unsigned segment)
{
    return (enum vmcs_field)(es_field + 2 * segment);
}

void vcpu_load_segments(const struct guest_state *s)
{
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        const struct segment_state *g = &s->segment[i];
        uint32_t access = g->access;

        if (access & SEGMENT_UNUSABLE)
            access ^= SEGMENT_UNUSABLE | ACCESS_UNUSABLE;
        vmwrite(segment_field(VMCS_GUEST_ES_SELECTOR, i), g->selector);
        vmwrite(segment_field(VMCS_GUEST_ES_BASE, i), g->base);
        vmwrite(segment_field(VMCS_GUEST_ES_LIMIT, i), g->limit);
        vmwrite(segment_field(VMCS_GUEST_ES_ACCESS_RIGHTS, i), access);
    }
    vmwrite(VMCS_GUEST_GDTR_BASE, s->gdtr.base);
    vmwrite(VMCS_GUEST_GDTR_LIMIT, s->gdtr.limit);
    vmwrite(VMCS_GUEST_IDTR_BASE, s->idtr.base);
    vmwrite(VMCS_GUEST_IDTR_LIMIT, s->idtr.limit);
}

static void save_segment(struct guest_state *s, unsigned i)
{
    uint32_t access = (uint32_t)vmread(segment_field(VMCS_GUEST_ES_ACCESS_RIGHTS, i));

    s->segment[i] = (struct segment_state){
        .base = vmread(segment_field(VMCS_GUEST_ES_BASE, i)),
        .limit = (uint32_t)vmread(segment_field(VMCS_GUEST_ES_LIMIT, i)),
        .selector = (uint16_t)vmread(segment_field(VMCS_GUEST_ES_SELECTOR, i)),
        .access = (uint16_t)(access | (access & ACCESS_UNUSABLE ? SEGMENT_UNUSABLE : 0)),
    };
}

static void save_registers(struct vcpu *v, struct guest_state *s)
{
    memcpy(s->gpr, v->gpr, sizeof(s->gpr));
    s->gpr[GPR_RSP] = vmread(VMCS_GUEST_RSP);
    s->rip = vmread(VMCS_GUEST_RIP);
    s->rflags = vmread(VMCS_GUEST_RFLAGS);
    s->cr0 = guest_cr0();
    s->cr2 = read_cr2();
    s->cr3 = vmread(VMCS_GUEST_CR3);
    s->cr4 = guest_cr4();
    s->efer = guest_efer(v);
}

void vcpu_save_segments(struct guest_state *s)
{
    for (unsigned i = 0; i < SEG_COUNT; i++)
        save_segment(s, i);
    s->gdtr = (struct table_state){vmread(VMCS_GUEST_GDTR_BASE), vmread(VMCS_GUEST_GDTR_LIMIT)};
    s->idtr = (struct table_state){vmread(VMCS_GUEST_IDTR_BASE), vmread(VMCS_GUEST_IDTR_LIMIT)};
}

void vcpu_save_state(struct vcpu *v, struct guest_state *s)
{
    save_registers(v, s);
    vcpu_save_segments(s);
    for (unsigned i = 0; i < ARRAY_SIZE(s->pdpte); i++)
        s->pdpte[i] = vmread(segment_field(VMCS_GUEST_PDPTE0, i));
}

/* 64-bit mode knows neither base nor limit. */
static inline void save_flat_segment(struct guest_state *s, unsigned i)
{
    s->segment[i] = (struct segment_state){
        .selector = (uint16_t)vmread(segment_field(VMCS_GUEST_ES_SELECTOR, i)),
        .access = (uint16_t)vmread(segment_field(VMCS_GUEST_ES_ACCESS_RIGHTS, i)),
    };
}

void vcpu_save_for_emulation(struct vcpu *v, struct guest_state *s)
{
    uint64_t dr7 = vmread(VMCS_GUEST_DR7);

    s->dr7 = dr7;
    if (__builtin_expect(dr7 & DR7_ENABLED, 0)) /* R43: the guest has just run */
        read_breakpoints(s->dr);
    if (!guest_in_64_bit_mode()) {
        vcpu_save_state(v, s);
        return;
    }
    save_registers(v, s);
    save_flat_segment(s, SEG_CS);
    save_flat_segment(s, SEG_SS);
    s->segment[SEG_FS].base = vmread(VMCS_GUEST_FS_BASE);
    s->segment[SEG_GS].base = vmread(VMCS_GUEST_GS_BASE);
}

static void load_state(struct vcpu *v, const struct guest_state *s)
{
    uint64_t entry = vmx.controls.entry & ~CONTROL_MASK(IA32E_MODE_GUEST);

    vcpu_load_segments(s);
    memcpy(v->gpr, s->gpr, sizeof(v->gpr));
    vmwrite(VMCS_GUEST_RSP, s->gpr[GPR_RSP]);
    vmwrite(VMCS_GUEST_RIP, s->rip);
    vmwrite(VMCS_GUEST_RFLAGS, s->rflags);
    guest_set_cr0(s->cr0);
    vmwrite(VMCS_GUEST_CR3, s->cr3);
    guest_set_cr4(s->cr4);
    guest_set_efer(v, s->efer);
    /* R13 */
    vmwrite(VMCS_ENTRY_CONTROLS,
            s->efer & EFER_LMA ? entry | CONTROL_MASK(IA32E_MODE_GUEST) : entry);
    v->cr2 = s->cr2;
}

/* The MSRs in the VMCS; INIT leaves some. Those that are in a page of state, too, follow. */
static void reset_switched(struct vcpu *v, bool init)
{
    for (const struct msr_row *row = msr_rows; row < msr_rows + MSR_ROW_COUNT; row++)
        if (row->class == MSR_CLASS_VMCS && (row->features & ~v->msr.file.features) == 0 &&
            !(init && row->init == MSR_INIT_KEEP))
            guest_switched_write(v, row, row->reset);
    if (v->msr.file.features & MSR_FEATURE_CET)
        vmwrite(VMCS_GUEST_SSP, 0); /* the host leaves CR4.CET off, and has none */
}

/* What neither a reset nor INIT leaves as it was, beside what a page of state holds (R12). */
static void reset_execution(struct vcpu *v)
{
    apic_virtual_update(v);
    vmwrite(VMCS_GUEST_DR7, DR7_RESET);
    vmwrite(VMCS_GUEST_DEBUGCTL, 0);
    vmwrite(VMCS_GUEST_PENDING_DEBUG, 0);
    vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
    vmwrite(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
    vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, 0);
    vmwrite(VMCS_PROC_CONTROLS, v->proc_controls = vmx.controls.proc);
    vmx_flush_vpid(v->vpid);
    if (v->debug.on)
        debug_stop(v, GATE_STOPPED_RESET);
}

/* What the page does not hold, as after a reset. */
static void reset_rest(struct vcpu *v)
{
    resident_reset(&v->resident);
    guest_spec_ctrl_reset(v);
    msr_switch_reset(&THIS_CPU(vm_cpu).msr, &v->msr, vm_msr_features(), vmx.caps.physical_bits);
    v->msr.file.value[MSR_SLOT_BIOS_SIGN_ID] = cpu_microcode();
    v->msr.file.value[MSR_SLOT_ARCH_CAPABILITIES] =
        (rdmsr_or_zero(MSR_IA32_ARCH_CAPABILITIES) & ARCH_CAPABILITIES_SHOWN) |
        ARCH_CAPABILITIES_ALWAYS;
    msr_file_firmware(&v->msr.file, PLAN_HOLE_START, PLAN_HOLE_END - PLAN_HOLE_START);
    guest_tsc_reset(v);
    vlapic_reset(&v->lapic, v->lapic_page, v->lapic.id, v->lapic.id == 0);
    v->eoi_pending = 0;
    reset_execution(v);
    resident_forget(v);
    reset_switched(v, false);
    events_deadline_changed(v, rdtsc());
}

/* SDM volume 3, "Processor State After Reset": what INIT changes beside that. */
static void init_rest(struct vcpu *v)
{
    reset_execution(v);
    msr_switch_after_init(&THIS_CPU(vm_cpu).msr, &v->msr);
    reset_switched(v, true);
    resident_init_debug(v);
}

/* The same for what a page of state holds; the SIPI says where it begins. */
static void set_init_state(struct guest_state *s, uint8_t vector)
{
    *s = (struct guest_state){.rflags = RFLAGS_FIXED, .gdtr.limit = 0xffff, .idtr.limit = 0xffff};
    for (unsigned i = 0; i < SEG_COUNT; i++)
        s->segment[i] = (struct segment_state){.limit = 0xffff, .access = ACCESS_P | ACCESS_S | 3};
    s->segment[SEG_CS].access = ACCESS_P | ACCESS_S | 11;
    s->segment[SEG_LDTR].access = ACCESS_P | 2;
    s->segment[SEG_TR].access = ACCESS_P | TYPE_TSS_BUSY;
    s->segment[SEG_CS].selector = (uint16_t)(vector << 8);
    s->segment[SEG_CS].base = (uint64_t)vector << 12;
    s->gpr[GPR_RDX] = cpuid(1, 0).eax;
}

void vcpu_begin(struct vcpu *v)
{
    static PER_CPU struct guest_state begin;
    struct guest_state *s = &THIS_CPU(begin);

    vcpu_load(v);
    set_init_state(s, (uint8_t)v->sipi);
    s->cr0 = CR0_ET | (v->started ? guest_cr0() & (CR0_CD | CR0_NW) : CR0_CD | CR0_NW);
    if (v->started)
        init_rest(v);
    else
        reset_rest(v);
    load_state(v, s);
    v->nmi_pending = v->sipi & SIGNAL_NMI;
    v->thread.work |= WORK_INTERRUPT;
    v->sipi = 0;
    v->started = true;
    v->mode = VCPU_IN_GUEST;
}

/* What the VM entry's own checks leave out: bits of CR4 that CPUID does not offer, and PDPTEs; and
 * what an emulator leaves out of them, and ends (docs/emulator.md). */
static const char *check_state(struct vcpu *v, const struct guest_state *s)
{
    if (s->cr4 & ~guest_cr4_allowed())
        return "CR4: bits that CPUID does not offer";
    if (s->efer & EFER_LMA && !(s->cr0 & CR0_PE && s->cr0 & CR0_PG))
        return "CR0: PE or PG is 0 with LMA";
    if (s->cr0 & CR0_PG && s->cr4 & CR4_PAE && !(s->efer & EFER_LMA) && !guest_load_pdptes(v))
        return "PDPTEs: reserved bits, or no memory at CR3";
    return NULL;
}

bool vcpu_start(struct vcpu *v)
{
    const struct guest_state state = v->page->state; /* read once: the page is ring 3's */

    memcpy(&v->vm->cpuid, v->vm->cpuid_page, sizeof(v->vm->cpuid));
    vcpu_load(v);
    v->halted = v->nmi_pending = false;
    vcpu_follow_rest(v, false);
    reset_rest(v);
    load_state(v, &state);
    const char *check = check_state(v, &state);
    if (check != NULL)
        vm_log(v->vm, "the state to start with cannot be entered: %s", check);
    v->started = check == NULL;
    return v->started;
}

bool vcpu_change(struct vcpu *v, const struct guest_state *state)
{
    load_state(v, state);
    memcpy(v->resident.dr, state->dr, sizeof(state->dr));
    v->resident.dr6 = (uint32_t)state->dr6;
    vmwrite(VMCS_GUEST_DR7, state->dr7);
    vmx_flush_vpid(v->vpid);
    return check_state(v, state) == NULL;
}

void vcpu_pend_single_step(uint64_t rflags)
{
    /* With BTF only branches trap, and no instruction that exits is one. */
    if (rflags & RFLAGS_TF && !(vmread(VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF))
        vmwrite(VMCS_GUEST_PENDING_DEBUG, vmread(VMCS_GUEST_PENDING_DEBUG) | PENDING_DEBUG_BS);
}
