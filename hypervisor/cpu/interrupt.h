/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupts of devices: each has a vector of its own, and one who wants it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hypervisor/cpu/acpi.h"
#include "hypervisor/cpu/cpu.h"

/* Devices' vectors: this many, from VECTOR_DEVICE on. */
#define INTERRUPT_DEVICES 36

/*
 * A vector, on each CPU, for a device's interrupt: `handle` is called with `argument` whenever it
 * comes. At boot; the plan's bounds are such that there is always one left.
 */
uint8_t interrupt_claim(void (*handle)(void *argument), void *argument);

/* Sends an ISA interrupt there, to this CPU. False: no IOAPIC has its line, or what it sends would
 * not arrive. */
bool interrupt_route_isa(uint8_t vector, const struct acpi_info *acpi, uint32_t irq,
                         const struct cpu_block *cpu);

/* Where a PCI function sends the vector to, for this CPU; 0: it would not arrive. */
uint32_t interrupt_message_address(const struct cpu_block *cpu);

/* What has come is handled: a level-triggered line, which is masked since then, may come again. */
void interrupt_done(uint8_t vector);

/* An edge-triggered line is held back, and what comes meanwhile is lost; or no longer. A message
 * cannot be. */
void interrupt_hold(uint8_t vector, bool held);

/* The vector has come. */
void interrupt_device(uint8_t vector);
