/* SPDX-License-Identifier: BSD-2-Clause */
/* The DSDT, compiled by iasl into an array. */
#include "monitor/acpi/dsdt.h"

#include "dsdt.hex"

const void *const acpi_dsdt = dsdt_aml_code;
const size_t acpi_dsdt_size = sizeof(dsdt_aml_code);
