/* SPDX-License-Identifier: BSD-2-Clause */
/* The DSDT, compiled from dsdt.asl. */
#ifndef MONITOR_ACPI_DSDT_H
#define MONITOR_ACPI_DSDT_H

#include <stddef.h>

extern const void *const acpi_dsdt;
extern const size_t acpi_dsdt_size;

#endif
