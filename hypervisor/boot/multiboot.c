/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the multiboot2 boot information: a list of tags, each 8-byte aligned, with its type and
 * size first. */
#include "hypervisor/boot/multiboot.h"

#include "lib/bits.h"
#include "lib/string.h"

enum tag_type {
    TAG_END = 0,
    TAG_CMDLINE = 1,
    TAG_MODULE = 3,
    TAG_MEMORY_MAP = 6,
    TAG_RSDP_1 = 14,
    TAG_RSDP_2 = 15,
};

struct tag {
    uint32_t type, size;
};

struct module_tag {
    struct tag tag;
    uint32_t start, end;
};

struct memory_map_tag {
    struct tag tag;
    uint32_t entry_size, entry_version;
};

struct memory_map_entry {
    uint64_t base, length;
    uint32_t type, reserved;
};
#define MEMORY_AVAILABLE 1

static const char *read_cmdline(const struct tag *tag, struct boot_info *info)
{
    const char *text = (const char *)(tag + 1);
    size_t length = strnlen(text, tag->size - sizeof(*tag));

    if (length >= sizeof(info->cmdline))
        return "the hypervisor's command line is longer than 511 characters: shorten it";
    memcpy(info->cmdline, text, length);
    info->cmdline[length] = '\0';
    return NULL;
}

static const char *read_module(const struct tag *tag, struct boot_info *info)
{
    const struct module_tag *module = (const void *)tag;

    if (tag->size < sizeof(*module))
        return "a module's tag is too short";
    if (info->module_count == BOOT_MODULES_MAX)
        return "there are more modules than a plan can name";
    info->modules[info->module_count++] = (struct phys_range){module->start, module->end};
    return NULL;
}

static bool read_memory(struct phys_map *free, const struct memory_map_entry *e, bool available)
{
    uint64_t end = e->length > UINT64_MAX - e->base ? UINT64_MAX : e->base + e->length;

    if ((e->type == MEMORY_AVAILABLE) != available)
        return true;
    return available ? phys_map_add(free, e->base, end) : phys_map_remove(free, e->base, end);
}

static const char *read_memory_map(const struct tag *tag, struct boot_info *info)
{
    const struct memory_map_tag *map = (const void *)tag;
    const uint8_t *first = (const void *)(map + 1), *end = (const uint8_t *)tag + tag->size;

    if (tag->size < sizeof(*map) || map->entry_size < sizeof(struct memory_map_entry))
        return "the memory map's entries are too small";
    /* First what is available, then what is not, which counts where the two overlap. */
    for (int available = 1; available >= 0; available--)
        for (const uint8_t *at = first; at + map->entry_size <= end; at += map->entry_size)
            if (!read_memory(&info->free, (const void *)at, available))
                return "the memory map has too many pieces";
    return NULL;
}

static const char *read_rsdp(const struct tag *tag, struct boot_info *info)
{
    info->rsdp = (struct acpi_rsdp){0};
    memcpy(&info->rsdp, tag + 1, min_u64(tag->size - sizeof(*tag), sizeof(info->rsdp)));
    return NULL;
}

static const struct {
    uint32_t type;
    const char *(*read)(const struct tag *, struct boot_info *);
} readers[] = {
    {TAG_CMDLINE, read_cmdline}, {TAG_MODULE, read_module}, {TAG_MEMORY_MAP, read_memory_map},
    {TAG_RSDP_1, read_rsdp},     {TAG_RSDP_2, read_rsdp},
};

const char *multiboot_read(const void *information, uint64_t phys, struct boot_info *info)
{
    const struct tag *head = information; /* total size and a reserved word, laid out like a tag */
    uint32_t total = head->type;
    const uint8_t *start = information;

    memset(info, 0, sizeof(*info));
    info->self = (struct phys_range){phys, phys + total};
    for (uint64_t at = sizeof(*head); at + sizeof(struct tag) <= total;) {
        const struct tag *tag = (const void *)(start + at);
        if (tag->type == TAG_END)
            return NULL;
        if (tag->size < sizeof(*tag) || tag->size > total - at)
            return "a tag of the boot information is longer than the whole";
        for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
            const char *error = readers[i].type == tag->type ? readers[i].read(tag, info) : NULL;
            if (error != NULL)
                return error;
        }
        at = align_up(at + tag->size, 8);
    }
    return "the boot information has no end";
}
