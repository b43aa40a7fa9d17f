/* SPDX-License-Identifier: BSD-2-Clause */
/* The layouts of ACPI tables: those that ring 0 reads of the firmware's, and that a monitor builds
 * (ACPI specification 6.4, "ACPI Software Programming Model"; Intel Virtualization Technology for
 * Directed I/O, "BIOS Considerations"). */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct acpi_rsdp {
    char signature[8];
    uint8_t checksum; /* over the first 20 bytes */
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum;
    uint8_t reserved[3];
} __attribute__((packed));

struct acpi_header {
    char signature[4];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
} __attribute__((packed));

struct acpi_address {
    uint8_t space; /* 1: I/O ports */
    uint8_t bits, offset;
    uint8_t access; /* 1: bytes, 2: words, 3: doublewords */
    uint64_t address;
} __attribute__((packed));

struct acpi_fadt {
    struct acpi_header header;
    uint32_t facs, dsdt;
    uint8_t reserved_44, preferred_profile;
    uint16_t sci_interrupt;
    uint32_t smi_command;
    uint8_t acpi_enable, acpi_disable, s4bios_request, pstate_control;
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
    uint32_t gpe0, gpe1;
    uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length;
    uint8_t gpe0_length, gpe1_length, gpe1_base, cstate_control;
    uint16_t c2_latency, c3_latency, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t boot_flags;
    uint8_t reserved_111;
    uint32_t flags;
    struct acpi_address reset_register;
    uint8_t reset_value;
    uint16_t arm_boot_flags;
    uint8_t minor_revision;
    uint64_t x_facs, x_dsdt;
    struct acpi_address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control;
    struct acpi_address x_pm_timer, x_gpe0, x_gpe1, sleep_control, sleep_status;
    uint64_t hypervisor;
} __attribute__((packed));

struct acpi_facs {
    char signature[4];
    uint32_t length, hardware_signature, waking_vector, global_lock, flags;
    uint64_t x_waking_vector;
    uint8_t version, reserved[31];
} __attribute__((packed));

struct acpi_madt {
    struct acpi_header header;
    uint32_t local_apic;
    uint32_t flags;
} __attribute__((packed));

/* What follows in the MADT: entries, each with its type and its length first. */
struct acpi_madt_local_apic {
    uint8_t type, length, processor, apic;
    uint32_t flags;
} __attribute__((packed));

struct acpi_madt_io_apic {
    uint8_t type, length, id, reserved;
    uint32_t address, first_interrupt;
} __attribute__((packed));

struct acpi_madt_override {
    uint8_t type, length, bus, source;
    uint32_t interrupt;
    uint16_t flags;
} __attribute__((packed));

struct acpi_madt_x2apic {
    uint8_t type, length;
    uint16_t reserved;
    uint32_t apic, flags, processor;
} __attribute__((packed));

#define MADT_LOCAL_APIC 0
#define MADT_IO_APIC    1
#define MADT_OVERRIDE   2
#define MADT_X2APIC     9

#define MADT_ENABLED        (1u << 0) /* of a local APIC */
#define OVERRIDE_POLARITY   0x3       /* of an override */
#define OVERRIDE_ACTIVE_LOW 0x3
#define OVERRIDE_TRIGGER    0xc
#define OVERRIDE_LEVEL      0xc

struct acpi_dmar {
    struct acpi_header header;
    uint8_t width, flags, reserved[10];
} __attribute__((packed));

/* An entry of the DMAR, of type DMAR_UNIT; of others, these first two. */
struct acpi_dmar_unit {
    uint16_t type, length;
    uint8_t flags, reserved;
    uint16_t segment;
    uint64_t registers;
} __attribute__((packed));

#define DMAR_UNIT 0

_Static_assert(sizeof(struct acpi_rsdp) == 36, "the specification's layout");
_Static_assert(sizeof(struct acpi_header) == 36, "the specification's layout");
_Static_assert(offsetof(struct acpi_fadt, reset_register) == 116, "the specification's layout");
_Static_assert(sizeof(struct acpi_fadt) == 276, "the specification's layout");
_Static_assert(sizeof(struct acpi_facs) == 64, "the specification's layout");
