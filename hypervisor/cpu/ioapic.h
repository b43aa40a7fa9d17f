/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's IOAPICs: all inputs are masked but for those that somebody wants. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hypervisor/cpu/acpi.h"

/* Finds them, and masks every input of every one. */
void ioapic_init(const struct acpi_info *acpi);

/* Whether this CPU gets what an IOAPIC or another device sends: not where the firmware left
 * interrupt remapping on, or the CPU's id has more than the eight bits that there are without it.
 */
bool ioapic_arrives(uint32_t apic_id);

/* Sends an input to this CPU. False: it cannot interrupt, because no IOAPIC has its line, or what
 * it sends would not arrive. */
bool ioapic_route(const struct acpi_irq *irq, uint8_t vector, uint32_t apic_id);

/* Of an input that has been routed. */
void ioapic_mask(uint32_t gsi, bool masked);
