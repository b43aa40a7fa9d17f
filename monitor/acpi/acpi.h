/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's ACPI tables. */
#pragma once

#include "monitor/guest_memory.h"

/* Guest-physical: the RSDP, and behind it all other tables, where the ACPI specification has them
 * looked for. */
#define ACPI_BASE 0xe0000ULL
#define ACPI_SIZE 0x10000ULL

/* Writes the tables for a machine with that many vCPUs, whose APIC ids are 0, 1, 2 and
 * so on (R21). */
void acpi_build(const struct guest_memory *memory, unsigned vcpus);
