/* SPDX-License-Identifier: BSD-2-Clause */
/* The other vCPUs: IPIs, and their start by INIT and SIPI (SDM volume 3, "Multiple-Processor (MP)
 * Initialization"). */
#pragma once

/* Where the start's code is copied to: the vector of its SIPI. */
#define AP_VECTOR 0x10
#define AP_PAGE   (AP_VECTOR << 12)

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stdint.h>

#define ICR_NMI    0x400
#define ICR_INIT   0x4500
#define ICR_SIPI   0x4600
#define ICR_OTHERS 0xc0000

/* The registers with which it began, as its first instructions have found them. */
struct ap_state {
    uint32_t eax, ebx, ecx, edx, esi, edi, ebp, esp;
    uint32_t flags, cr0, cr2, cr3, cr4;
    uint32_t dr0, dr1, dr2, dr3, dr6, dr7;
    uint16_t cs, ds, es, fs, gs, ss;
    uint16_t gdt_limit, gdt_base_low, gdt_base_high; /* as SGDT stores them */
    uint16_t idt_limit, idt_base_low, idt_base_high;
    uint64_t efer, apic_base;
};

/* Through this CPU's ICR; the other one's APIC id, and what the ICR's lower half is to say. */
void apic_send(uint32_t destination, uint32_t icr);

/*
 * INIT and SIPI to the CPU with this APIC id. It comes to 64-bit mode with interrupts off, the
 * kernel's tables and a stack of its own, and runs `run`, from which it does not return but sleeps.
 * False: it has not come. What it began with is in ap_state.
 */
bool ap_start(uint32_t id, void (*run)(void));
extern volatile struct ap_state ap_state;

/* The same in parts, for who sends something else, too: what is to be there before the SIPI, and to
 * wait for what has come of it. */
void ap_prepare(uint32_t id, void (*run)(void));
bool ap_arrives(void);

/* How many NMIs it has had since, in real mode. */
uint32_t ap_early_nmis(void);

/* A SIPI alone. */
void ap_send_sipi(uint32_t id);
#endif
