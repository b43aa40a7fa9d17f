/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layouts of the SMBIOS structures (DMTF DSP0134, System Management BIOS Reference
 * Specification, 3.0.0). Strings stand behind their structure, whose members count them from 1; 0
 * is none.
 */
#pragma once

#include <stdint.h>

#define SMBIOS_MAJOR 3
#define SMBIOS_MINOR 0

enum smbios_type {
    SMBIOS_BIOS = 0,
    SMBIOS_SYSTEM = 1,
    SMBIOS_CHASSIS = 3,
    SMBIOS_PROCESSOR = 4,
    SMBIOS_MEMORY_ARRAY = 16,
    SMBIOS_MEMORY_DEVICE = 17,
    SMBIOS_MEMORY_MAPPED = 19,
    SMBIOS_BOOT = 32,
    SMBIOS_END = 127,
};

/* 64-bit entry point. */
struct smbios_entry {
    char anchor[5];
    uint8_t checksum, length, major, minor, document, revision, reserved;
    uint32_t size; /* the structures' at most */
    uint64_t address;
} __attribute__((packed));

struct smbios_header {
    uint8_t type, length;
    uint16_t handle;
} __attribute__((packed));

struct smbios_bios {
    struct smbios_header header;
    uint8_t vendor, version;
    uint16_t segment;
    uint8_t date, rom_size;
    uint64_t characteristics;
    uint8_t extension[2];
    uint8_t major, minor, controller_major, controller_minor;
} __attribute__((packed));

struct smbios_system {
    struct smbios_header header;
    uint8_t manufacturer, product, version, serial;
    uint8_t uuid[16]; /* all ones: there is none */
    uint8_t wake_up, sku, family;
} __attribute__((packed));

struct smbios_chassis {
    struct smbios_header header;
    uint8_t manufacturer, kind, version, serial, asset;
    uint8_t boot_state, power_state, thermal_state, security;
    uint32_t oem;
    uint8_t height, power_cords, contained_count, contained_length, sku;
} __attribute__((packed));

struct smbios_processor {
    struct smbios_header header;
    uint8_t socket, kind, family, manufacturer;
    uint64_t id;
    uint8_t version, voltage;
    uint16_t external_clock, max_speed, current_speed; /* MHz */
    uint8_t status, upgrade;
    uint16_t l1_cache, l2_cache, l3_cache; /* handles */
    uint8_t serial, asset, part, cores, cores_enabled, threads;
    uint16_t characteristics, family_2, cores_2, cores_enabled_2, threads_2;
} __attribute__((packed));

struct smbios_memory_array {
    struct smbios_header header;
    uint8_t location, use, correction;
    uint32_t capacity; /* KiB */
    uint16_t error, devices;
    uint64_t extended_capacity;
} __attribute__((packed));

struct smbios_memory_device {
    struct smbios_header header;
    uint16_t array, error, total_width, data_width;
    uint16_t size; /* MiB */
    uint8_t form, set, locator, bank, kind;
    uint16_t detail, speed;
    uint8_t manufacturer, serial, asset, part, attributes;
    uint32_t extended_size; /* MiB */
    uint16_t configured_speed, min_voltage, max_voltage, voltage;
} __attribute__((packed));

struct smbios_memory_mapped {
    struct smbios_header header;
    uint32_t start, end; /* KiB; UINT32_MAX: see the extended ones */
    uint16_t array;
    uint8_t width;
    uint64_t extended_start, extended_end; /* bytes */
} __attribute__((packed));

struct smbios_boot {
    struct smbios_header header;
    uint8_t reserved[6], status;
} __attribute__((packed));

_Static_assert(sizeof(struct smbios_entry) == 0x18, "the specification's layout");
_Static_assert(sizeof(struct smbios_bios) == 0x18, "the specification's layout");
_Static_assert(sizeof(struct smbios_system) == 0x1b, "the specification's layout");
_Static_assert(sizeof(struct smbios_chassis) == 0x16, "the specification's layout");
_Static_assert(sizeof(struct smbios_processor) == 0x30, "the specification's layout");
_Static_assert(sizeof(struct smbios_memory_array) == 0x17, "the specification's layout");
_Static_assert(sizeof(struct smbios_memory_device) == 0x28, "the specification's layout");
_Static_assert(sizeof(struct smbios_memory_mapped) == 0x1f, "the specification's layout");
_Static_assert(sizeof(struct smbios_boot) == 0x0b, "the specification's layout");
