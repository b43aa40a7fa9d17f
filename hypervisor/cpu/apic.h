/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's own interrupt controllers: the local APIC with its timer, and the PICs
 * switched off. */
#pragma once

#include <stdint.h>

#include "hypervisor/cpu/acpi.h"
#include "hypervisor/cpu/cpu.h"

/* The IOAPICs too. Needs the final tables and the measured TSC. */
void apic_init(const struct acpi_info *acpi);

/* Of another CPU, behind that; the platform's NMIs are the first one's. */
void apic_init_other(void);

void apic_eoi(void);

/* This CPU's local APIC id. */
uint32_t apic_id(void);

/* Sends an interprocessor interrupt to the CPU with this id: the low half of the ICR. */
void apic_send(uint32_t id, uint32_t command);

#define APIC_SEND_NMI  0x4400u
#define APIC_SEND_INIT 0x4500u
#define APIC_SEND_SIPI 0x4600u /* with the page where to start as the vector */

/* The interrupt comes when interrupts are let in. From an NMI too. */
void apic_interrupt_self(uint8_t vector);

/*
 * On `cpu`, which runs this: VECTOR_TIMER at the latest when the TSC reaches this value;
 * UINT64_MAX: no need for one. It may come earlier, for an older deadline: who sleeps looks at the
 * time, and arms again.
 */
void apic_timer_arm(struct cpu_block *cpu, uint64_t tsc);

/* The same, and not earlier: for a CPU that sleeps, and would wake for nothing. */
void apic_timer_put_off(uint64_t tsc);

/* VECTOR_TIMER has come. */
void apic_timer_fired(void);
