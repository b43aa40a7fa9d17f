/* SPDX-License-Identifier: BSD-2-Clause */
/* The few facts that the hypervisor takes from the firmware's ACPI tables. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hypervisor/cpu/layout.h"
#include "lib/acpi.h"

#define ACPI_ISA_IRQS 16
/* More are not looked at. */
#define ACPI_IOAPICS_MAX   128 /* one of eight sockets has some thirty */
#define ACPI_REMAPPING_MAX 64

struct acpi_irq {
    uint32_t gsi;
    bool level, active_low;
};

struct acpi_ioapic {
    uint64_t address; /* physical */
    uint32_t gsi;     /* its first interrupt */
};

struct acpi_info {
    uint16_t pm_timer_port; /* 0: there is none */
    uint32_t ioapic_count;  /* at least one */
    struct acpi_ioapic ioapics[ACPI_IOAPICS_MAX];
    struct acpi_irq isa[ACPI_ISA_IRQS];
    uint32_t cpu_count;       /* that are enabled, this one among them; 0: there is no MADT */
    uint32_t cpus[CPUS_MAX];  /* the local APICs' ids of the first ones */
    uint32_t remapping_count; /* of the IOMMU's units */
    uint64_t remapping[ACPI_REMAPPING_MAX]; /* physical addresses of their registers */
};

/*
 * Reads FADT, MADT and DMAR by way of the root pointer (a copy of it). `map` gives a pointer to
 * size bytes of physical memory, or NULL. What is absent or damaged keeps the PC's defaults.
 */
void acpi_read(const struct acpi_rsdp *rsdp, const void *(*map)(uint64_t phys, uint64_t size),
               struct acpi_info *info);
