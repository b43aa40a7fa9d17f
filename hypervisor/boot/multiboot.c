/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the multiboot2 boot information: a list of tags. */
#include "hypervisor/boot/multiboot.h"

#include "lib/bits.h"
#include "lib/multiboot2.h"
#include "lib/string.h"

static const char *read_cmdline(const struct multiboot_tag *tag, struct boot_info *info)
{
    const char *text = (const char *)(tag + 1);
    size_t length = strnlen(text, tag->size - sizeof(*tag));

    if (length >= sizeof(info->cmdline))
        return "the hypervisor's command line is longer than 511 characters: shorten it";
    memcpy(info->cmdline, text, length);
    info->cmdline[length] = '\0';
    return NULL;
}

static const char *read_module(const struct multiboot_tag *tag, struct boot_info *info)
{
    const struct multiboot_module *module = (const void *)tag;

    if (tag->size < sizeof(*module))
        return "a module's tag is too short";
    if (info->module_count == BOOT_MODULES_MAX)
        return "there are more modules than a plan can name";
    info->modules[info->module_count++] = (struct phys_range){module->start, module->end};
    return NULL;
}

static const char *read_memory_map(const struct multiboot_tag *tag, struct boot_info *info)
{
    const struct multiboot_memory *map = (const void *)tag;
    const uint8_t *first = (const void *)(map + 1), *end = (const uint8_t *)tag + tag->size;

    if (tag->size < sizeof(*map) || map->entry_size < sizeof(struct multiboot_memory_entry))
        return "the memory map's entries are too small";
    /* First what is available, then what is not, which counts where the two overlap. */
    for (int available = 1; available >= 0; available--)
        for (const uint8_t *at = first; at + map->entry_size <= end; at += map->entry_size) {
            const struct multiboot_memory_entry *e = (const void *)at;
            uint64_t length = min_u64(e->length, UINT64_MAX - e->base);
            if ((e->type == MULTIBOOT_AVAILABLE) == available &&
                !(available ? phys_map_add : phys_map_remove)(&info->free, e->base,
                                                              e->base + length))
                return "the memory map has too many pieces";
        }
    return NULL;
}

static const char *read_rsdp(const struct multiboot_tag *tag, struct boot_info *info)
{
    info->rsdp = (struct acpi_rsdp){0};
    memcpy(&info->rsdp, tag + 1, min_u64(tag->size - sizeof(*tag), sizeof(info->rsdp)));
    return NULL;
}

static const struct {
    uint32_t type;
    const char *(*read)(const struct multiboot_tag *, struct boot_info *);
} readers[] = {
    {MULTIBOOT_CMDLINE, read_cmdline},   {MULTIBOOT_MODULE, read_module},
    {MULTIBOOT_MEMORY, read_memory_map}, {MULTIBOOT_RSDP_1, read_rsdp},
    {MULTIBOOT_RSDP_2, read_rsdp},
};

const char *multiboot_read(const void *information, uint64_t phys, struct boot_info *info)
{
    const struct multiboot_tag *head = information;
    uint32_t total = head->type;
    const uint8_t *start = information;

    memset(info, 0, sizeof(*info));
    info->self = (struct phys_range){phys, phys + total};
    for (uint64_t at = sizeof(*head); at + sizeof(struct multiboot_tag) <= total;) {
        const struct multiboot_tag *tag = (const void *)(start + at);
        if (tag->type == MULTIBOOT_END)
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
