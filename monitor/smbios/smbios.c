/* SPDX-License-Identifier: BSD-2-Clause */
/* The SMBIOS tables: those structures that the specification's annex on conformance asks for and
 * that a virtual machine has something to say in. */
#include "monitor/smbios/smbios.h"

#include "lib/string.h"
#include "monitor/smbios/layout.h"

/* Kernels that look for old firmware's faults go by the year. */
#define DATE       "11/01/2026"
#define STRUCTURES (SMBIOS_BASE + 0x20)
#define NO_HANDLE  0xffff
#define NO_ERRORS  0xfffe /* no structure tells of memory errors */

#define BIOS_UNSUPPORTED     (1u << 3) /* the other characteristics say nothing */
#define BIOS_EXTENSION_ACPI  0x01      /* in the first byte */
#define BIOS_EXTENSION_GUEST 0x10      /* in the second: a virtual machine */
#define WAKE_UP_POWER_SWITCH 6
#define OTHER                1
#define UNKNOWN              2
#define STATE_SAFE           3
#define PROCESSOR_CENTRAL    3
#define PROCESSOR_ENABLED    0x41 /* the socket is populated */
#define PROCESSOR_64_BIT     (1u << 2)
#define USE_SYSTEM_MEMORY    3
#define CORRECTION_NONE      3
#define MEMORY_RAM           7
#define DETAIL_OTHER         (1u << 1)
#define WIDTH_UNKNOWN        0xffff
#define SIZE_EXTENDED        0x7fff

struct table {
    uint8_t *at;
    uint16_t count;
};

/* A structure and its strings, a list that ends with NULL; returns its handle. */
static uint16_t add(struct table *t, struct smbios_header *header, enum smbios_type type,
                    size_t size, const char *const *strings)
{
    header->type = (uint8_t)type;
    header->length = (uint8_t)size;
    header->handle = t->count;
    memcpy(t->at, header, size);
    t->at += size;
    if (*strings == NULL)
        *t->at++ = '\0';
    for (; *strings != NULL; strings++) {
        size_t length = strlen(*strings) + 1;

        memcpy(t->at, *strings, length);
        t->at += length;
    }
    *t->at++ = '\0';
    return t->count++;
}

#define ADD(table, type, structure, ...)                                                           \
    add(table, &(structure).header, type, sizeof(structure),                                       \
        (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void add_machine(struct table *t, const char *name)
{
    struct smbios_bios bios = {
        .vendor = 1,
        .version = 2,
        .date = 3,
        .characteristics = BIOS_UNSUPPORTED,
        .extension = {BIOS_EXTENSION_ACPI, BIOS_EXTENSION_GUEST},
        .major = UINT8_MAX, /* and so on: the version is a string */
        .minor = UINT8_MAX,
        .controller_major = UINT8_MAX,
        .controller_minor = UINT8_MAX,
    };
    struct smbios_system system = {
        .manufacturer = 1,
        .product = 2,
        .serial = 3,
        .uuid = {[0 ... 15] = UINT8_MAX},
        .wake_up = WAKE_UP_POWER_SWITCH,
    };
    struct smbios_chassis chassis = {
        .manufacturer = 1,
        .kind = OTHER,
        .boot_state = STATE_SAFE,
        .power_state = STATE_SAFE,
        .thermal_state = STATE_SAFE,
        .security = UNKNOWN,
    };

    ADD(t, SMBIOS_BIOS, bios, "Lintel", LINTEL_VERSION, DATE);
    ADD(t, SMBIOS_SYSTEM, system, "Lintel", "Lintel virtual machine", name);
    ADD(t, SMBIOS_CHASSIS, chassis, "Lintel");
}

static void add_processor(struct table *t, const struct process_info *process,
                          const struct monitor_info *info)
{
    uint16_t mhz = (uint16_t)min_u64(process->tsc_khz / 1000, UINT16_MAX);
    struct smbios_processor p = {
        .socket = 1,
        .kind = PROCESSOR_CENTRAL,
        .family = UNKNOWN,
        .manufacturer = 2,
        .max_speed = mhz,
        .current_speed = mhz,
        .status = PROCESSOR_ENABLED,
        .upgrade = OTHER,
        .l1_cache = NO_HANDLE,
        .l2_cache = NO_HANDLE,
        .l3_cache = NO_HANDLE,
        .cores = (uint8_t)info->vcpus,
        .cores_enabled = (uint8_t)info->vcpus,
        .threads = (uint8_t)info->vcpus,
        .characteristics = PROCESSOR_64_BIT,
        .family_2 = UNKNOWN,
        .cores_2 = (uint16_t)info->vcpus,
        .cores_enabled_2 = (uint16_t)info->vcpus,
        .threads_2 = (uint16_t)info->vcpus,
    };

    ADD(t, SMBIOS_PROCESSOR, p, "CPU 0", "Intel");
}

/* Where a part of the RAM is; there may be none. */
static void add_range(struct table *t, uint16_t array, uint64_t start, uint64_t end)
{
    bool fits = (end - 1) >> 10 < UINT32_MAX;
    struct smbios_memory_mapped m = {
        .start = fits ? (uint32_t)(start >> 10) : UINT32_MAX,
        .end = fits ? (uint32_t)((end - 1) >> 10) : UINT32_MAX,
        .array = array,
        .width = 1,
        .extended_start = fits ? 0 : start,
        .extended_end = fits ? 0 : end - 1,
    };

    if (start < end)
        ADD(t, SMBIOS_MEMORY_MAPPED, m);
}

static void add_memory(struct table *t, const struct guest_memory *memory, uint64_t bytes)
{
    uint64_t mib = bytes >> 20;
    struct smbios_memory_array a = {
        .location = OTHER,
        .use = USE_SYSTEM_MEMORY,
        .correction = CORRECTION_NONE,
        .capacity = (uint32_t)(mib << 10),
        .error = NO_ERRORS,
        .devices = 1,
    };
    struct smbios_memory_device d = {
        .error = NO_ERRORS,
        .total_width = WIDTH_UNKNOWN,
        .data_width = WIDTH_UNKNOWN,
        .size = mib < SIZE_EXTENDED ? (uint16_t)mib : SIZE_EXTENDED,
        .form = OTHER,
        .locator = 1,
        .kind = MEMORY_RAM,
        .detail = DETAIL_OTHER,
        .extended_size = mib < SIZE_EXTENDED ? 0 : (uint32_t)mib,
    };

    if (mib >> 21 != 0) { /* 2 TiB */
        a.capacity = 0x80000000;
        a.extended_capacity = bytes;
    }
    d.array = ADD(t, SMBIOS_MEMORY_ARRAY, a);
    ADD(t, SMBIOS_MEMORY_DEVICE, d, "RAM");
    add_range(t, d.array, 0, memory->low_end);
    add_range(t, d.array, PLAN_HOLE_END, memory->high_end);
}

static void place_entry(const struct guest_memory *m, uint64_t size)
{
    struct smbios_entry e = {
        .length = sizeof(e),
        .major = SMBIOS_MAJOR,
        .minor = SMBIOS_MINOR,
        .revision = 1,
        .size = (uint32_t)size,
        .address = STRUCTURES,
    };
    const uint8_t *bytes = (const uint8_t *)&e;
    uint8_t sum = 0;

    memcpy(e.anchor, "_SM3_", sizeof(e.anchor));
    for (size_t i = 0; i < sizeof(e); i++)
        sum += bytes[i];
    e.checksum = (uint8_t)-sum;
    memcpy(m->base + SMBIOS_BASE, &e, sizeof(e));
}

void smbios_build(const struct guest_memory *memory, const struct process_info *process,
                  const struct monitor_info *info)
{
    struct table t = {.at = memory->base + STRUCTURES};
    struct smbios_boot boot = {0};
    struct {
        struct smbios_header header;
    } end;

    add_machine(&t, process->name);
    add_processor(&t, process, info);
    add_memory(&t, memory, info->memory);
    ADD(&t, SMBIOS_BOOT, boot);
    ADD(&t, SMBIOS_END, end);
    place_entry(memory, (uint64_t)(t.at - (memory->base + STRUCTURES)));
}
