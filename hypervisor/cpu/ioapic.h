/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's IOAPICs: all masked but for the serial port's line. */
#ifndef CPU_IOAPIC_H
#define CPU_IOAPIC_H

#include <stdbool.h>

struct acpi_info;

/*
 * Masks every input of every IOAPIC, and sends the serial port's to this CPU. False: the port
 * cannot interrupt, because no IOAPIC has its line, or what an IOAPIC sends would not arrive: the
 * firmware left interrupt remapping on, or this CPU's id has more than the eight bits that there
 * are without it.
 */
bool ioapic_init(const struct acpi_info *acpi);

#endif
