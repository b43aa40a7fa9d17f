/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupt descriptor table and what happens to exceptions and interrupts of ring 0. */
#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/cpus.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/interrupt.h"
#include "hypervisor/cpu/machine_check.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/report/log.h"
#include "lib/bits.h"

#define TRAP_STUB_SIZE 16
#define INTERRUPT_GATE 0x8e

struct gate_descriptor {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

extern const uint8_t trap_stubs[];

static struct gate_descriptor idt[256];

static const uint8_t vector_ist[ARRAY_SIZE(idt)] = {
    [VECTOR_NMI] = IST_NMI,
    [VECTOR_DF] = IST_DOUBLE_FAULT,
    [VECTOR_MC] = IST_MACHINE_CHECK,
};

void idt_init(void)
{
    for (unsigned v = 0; v < ARRAY_SIZE(idt); v++) {
        uint64_t stub = (uint64_t)trap_stubs + v * TRAP_STUB_SIZE;
        idt[v] = (struct gate_descriptor){
            .offset_low = (uint16_t)stub,
            .offset_middle = (uint16_t)(stub >> 16),
            .offset_high = (uint32_t)(stub >> 32),
            .selector = SELECTOR_KERNEL_CODE,
            .ist = vector_ist[v],
            .type = INTERRUPT_GATE,
        };
    }
    idt_load();
}

void idt_load(void)
{
    lidt(&(struct descriptor_table){sizeof(idt) - 1, (uint64_t)idt});
}

const char *exception_name(uint64_t vector)
{
    static const char *const names[] = {
        "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "9",   "#TS",
        "#NP", "#SS", "#GP", "#PF", "15",  "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
    };

    return vector < ARRAY_SIZE(names) ? names[vector] : "reserved";
}

static PER_CPU bool told[ARRAY_SIZE(idt)];

/* Each vector once: a device that the firmware left switched on may go on for ever. */
static void __attribute__((cold, noinline)) report_stray(uint8_t vector)
{
    if (!THIS_CPU(told)[vector])
        log_line("an interrupt that nobody asked for: vector %u", vector);
    THIS_CPU(told)[vector] = true;
}

static void __attribute__((cold, noinline)) report_nmi(void)
{
    log_line("an NMI from the platform: parity, a watchdog or a button");
}

void interrupt_handle(uint8_t vector)
{
    switch (vector) {
    case VECTOR_TIMER: /* whoever sleeps looks at its deadlines after each interrupt */
        apic_timer_fired();
        break;
    case VECTOR_KICK:
        cpu_kicked();
        break;
    case VECTOR_MC_CAME:
        machine_check_report();
        break;
    case VECTOR_NMI_CAME:
        report_nmi();
        break;
    case VECTOR_SPURIOUS:
        return; /* has no end (SDM volume 3, "Spurious Interrupt") */
    default:
        if (vector >= VECTOR_DEVICE && vector < VECTOR_DEVICE + INTERRUPT_DEVICES)
            interrupt_device(vector);
        else
            report_stray(vector);
    }
    apic_eoi();
}

extern const uint8_t trap_rdmsr[];

uint64_t __attribute__((noinline, noclone)) rdmsr_or_zero(uint32_t index)
{
    uint32_t low, high;

    __asm__ volatile("trap_rdmsr: rdmsr" : "=a"(low), "=d"(high) : "c"(index) : "memory");
    return (uint64_t)high << 32 | low;
}

/* RDMSR with EDX:EAX at 0, and RIP behind it. */
static void read_zero(struct trap_frame *frame)
{
    frame->rip += 2;
    frame->rax = frame->rdx = 0;
}

static void nmi(void)
{
    cpu_stop_if_told();
    apic_interrupt_self(VECTOR_NMI_CAME); /* it may be in the middle of another line */
}

/* What is no interrupt can come between STI and the next instruction. */
static void __attribute__((noinline)) handle_exception(struct trap_frame *frame)
{
    if (frame->cs == SELECTOR_KERNEL_CODE)
        trap_repeat_sti(frame);
    if (frame->vector == VECTOR_NMI)
        nmi();
    else if (frame->vector == VECTOR_MC)
        machine_check();
    else if (frame->vector == VECTOR_DB && frame->rip == rdmsr(MSR_IA32_SYSENTER_EIP))
        /* ring 3's single step over SYSENTER, which leaves TF as it was */
        frame->rflags &= ~RFLAGS_TF;
    else if (frame->vector == VECTOR_GP && frame->rip == (uint64_t)trap_rdmsr)
        read_zero(frame);
    else
        panic_trap(frame);
}

void trap_in_hypervisor(struct trap_frame *frame)
{
    if (frame->vector >= VECTOR_FIRST_INTERRUPT) {
        trap_skip_hlt(frame);
        interrupt_handle((uint8_t)frame->vector);
    } else {
        handle_exception(frame);
    }
}
