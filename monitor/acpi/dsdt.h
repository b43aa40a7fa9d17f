/* SPDX-License-Identifier: BSD-2-Clause */
/* The DSDT, compiled from dsdt.asl. */
#pragma once

#include <stddef.h>

extern const void *const acpi_dsdt;
extern const size_t acpi_dsdt_size;
