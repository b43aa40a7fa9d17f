/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing the disc of an emulated machine: see disc.h. */
#include "tool/disc.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/plan.h"
#include "lib/multiboot2.h"
#include "tool/paths.h"
#include "tool/size.h"
#include "tool/whole_file.h"

/* The disc's sectors (El Torito specification 1.0, "no emulation"). */
#define SECTOR_BYTES   2048
#define RECORD_SECTOR  17 /* where it says that a BIOS can boot it */
#define CATALOG_SECTOR 18 /* of what */
#define LOADER_SECTOR  19
#define MEMORY_SECTOR  20 /* from here on as in memory */

#define BIOS_SECTOR_BYTES 512
#define PAGE_BYTES        4096

/* What disc_loader.S is told, at LOADER_FIELDS in it. */
#define LOADER_FIELDS 8
struct loader_fields {
    uint32_t sector, sectors; /* to read */
    uint32_t address;         /* to where */
    uint32_t entry, information;
};

struct disc {
    FILE *file;
    struct loader_fields fields;
    uint64_t end; /* the first free address of memory */
    FILE *tags;   /* of the boot information, behind its size and a reserved word */
};

/* A program of our own. False after a message. */
static bool read_built(enum built_file built, struct whole_file *file)
{
    char *path = built_path(built);
    bool good = path && whole_file_read(path, file);

    if (path && !good)
        note("%s: %s", path, strerror(errno));
    free(path);
    return good;
}

static void write_at(struct disc *disc, uint64_t offset, const void *data, size_t size)
{
    fseek(disc->file, (long)offset, SEEK_SET);
    fwrite(data, size, 1, disc->file);
}

static void write_memory(struct disc *disc, uint64_t address, const void *data, size_t size)
{
    write_at(disc, MEMORY_SECTOR * SECTOR_BYTES + address - disc->fields.address, data, size);
}

static void write_catalog(struct disc *disc)
{
    static const uint8_t record[] = "\0CD001\1EL TORITO SPECIFICATION";
    const uint32_t catalog = CATALOG_SECTOR;
    static const uint8_t entries[64] = {
        [0] = 1, /* the validation entry, whose words have the sum 0 */
        [28] = 0xaa,
        [29] = 0x55,
        [30] = 0x55,
        [31] = 0xaa,
        [32] = 0x88, /* the initial entry: can be booted */
        [38] = SECTOR_BYTES / BIOS_SECTOR_BYTES,
        [40] = LOADER_SECTOR,
    };

    write_at(disc, RECORD_SECTOR * SECTOR_BYTES, record, sizeof(record));
    write_at(disc, RECORD_SECTOR * SECTOR_BYTES + 71, &catalog, sizeof(catalog));
    write_at(disc, CATALOG_SECTOR * SECTOR_BYTES, entries, sizeof(entries));
}

/* The tag of a kind, with its content: the next one is aligned to 8 bytes. */
static void add_tag(struct disc *disc, uint32_t type, const void *content, uint32_t size)
{
    const struct multiboot_tag head = {type, (uint32_t)sizeof(head) + size};
    static const uint8_t zeros[8];

    fwrite(&head, sizeof(head), 1, disc->tags);
    fwrite(content, size, 1, disc->tags);
    fwrite(zeros, -size % sizeof(zeros), 1, disc->tags);
}

/* A module goes to the next page, with nothing on its command line. False after a message: there is
 * no room, which GRUB would not find either. */
static bool begin_module(struct disc *disc, uint64_t size)
{
    disc->end = (disc->end + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    if (disc->end + size + PAGE_BYTES > PLAN_HOLE_START) {
        note("the VMs' files are more than an emulated machine's %u MiB below its devices can hold",
             (unsigned)(PLAN_HOLE_START / MIB));
        return false;
    }
    const uint32_t content[3] = {(uint32_t)disc->end, (uint32_t)(disc->end + size)};

    add_tag(disc, MULTIBOOT_MODULE, content, 2 * sizeof(*content) + 1);
    return true;
}

static bool add_module(struct disc *disc, const void *data, size_t size)
{
    if (!begin_module(disc, size))
        return false;
    write_memory(disc, disc->end, data, size);
    disc->end += size;
    return true;
}

/* A file that had this size when it was looked at. */
static bool add_file(struct disc *disc, const char *path, uint64_t size)
{
    FILE *file = fopen(path, "r");
    char bytes[0x4000];
    size_t part;

    if (!file) {
        note("%s: %s", path, strerror(errno));
        return false;
    }
    bool good = begin_module(disc, size);
    for (uint64_t end = disc->end + size; good && disc->end < end; disc->end += part) {
        part = fread(bytes, 1, end - disc->end < sizeof(bytes) ? end - disc->end : sizeof(bytes),
                     file);
        good = part > 0;
        write_memory(disc, disc->end, bytes, part);
        if (!good)
            note("%s: it has become shorter meanwhile; start again when it is complete", path);
    }
    fclose(file);
    return good;
}

/* The hypervisor's segments, where they are linked to lie. False: it is no such program. */
static bool add_segments(struct disc *disc, const struct whole_file *file)
{
    const Elf64_Ehdr *header = (const void *)file->data;
    bool has_entry = false;

    if (file->size < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_phoff > file->size ||
        header->e_phnum > (file->size - header->e_phoff) / sizeof(Elf64_Phdr))
        return false;
    const Elf64_Phdr *segment = (const void *)(file->data + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; i++, segment++) {
        if (segment->p_type != PT_LOAD)
            continue;
        if (disc->end == 0)
            disc->fields.address = (uint32_t)segment->p_paddr; /* the first one is the lowest */
        if (segment->p_paddr < disc->end || segment->p_offset > file->size ||
            segment->p_filesz > file->size - segment->p_offset)
            return false;
        write_memory(disc, segment->p_paddr, file->data + segment->p_offset, segment->p_filesz);
        disc->end = segment->p_paddr + segment->p_memsz;
        if (header->e_entry - segment->p_vaddr < segment->p_memsz) {
            has_entry = true;
            disc->fields.entry = (uint32_t)(header->e_entry - segment->p_vaddr + segment->p_paddr);
        }
    }
    return has_entry;
}

static bool add_hypervisor(struct disc *disc)
{
    struct whole_file file;

    if (!read_built(BUILT_HYPERVISOR, &file))
        return false;
    bool good = add_segments(disc, &file);
    whole_file_free(&file);
    if (good)
        return true;
    char *path = built_path(BUILT_HYPERVISOR);
    note("%s: this is not the hypervisor; build it with ninja", path ? path : "");
    free(path);
    return false;
}

/* In the order in which the hypervisor expects them, which is that of image.c. */
static bool add_modules(struct disc *disc, const struct machine *machine)
{
    struct whole_file monitor;

    if (!read_built(BUILT_MONITOR, &monitor))
        return false;
    bool good = add_module(disc, &machine->plan, sizeof(machine->plan)) &&
                add_module(disc, monitor.data, monitor.size);
    whole_file_free(&monitor);
    for (uint32_t i = 0; good && i < machine->plan.file_count; i++)
        good = add_file(disc, machine->files[i], machine->plan.files[i].size);
    return good;
}

static void add_words(struct disc *disc, const struct machine *machine,
                      const struct image_request *request)
{
    char *words = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&words, &size);

    image_write_words(machine, request, file);
    fclose(file);
    add_tag(disc, MULTIBOOT_CMDLINE, words, (uint32_t)size + 1);
    free(words);
}

/* The boot information, behind the last module, and what is left of its last sector. */
static void write_information(struct disc *disc, const char *tags, size_t size)
{
    static const uint8_t zeros[SECTOR_BYTES];
    const uint32_t head[2] = {(uint32_t)(sizeof(head) + size)};

    disc->end = (disc->end + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    disc->fields.information = (uint32_t)disc->end;
    write_memory(disc, disc->end, head, sizeof(head));
    write_memory(disc, disc->end + sizeof(head), tags, size);
    disc->end += sizeof(head) + size;
    uint64_t used = disc->end - disc->fields.address;
    disc->fields.sectors = (uint32_t)((used + SECTOR_BYTES - 1) / SECTOR_BYTES);
    write_memory(disc, disc->end, zeros, disc->fields.sectors * SECTOR_BYTES - used);
}

static bool write_loader(struct disc *disc)
{
    struct whole_file loader;

    if (!read_built(BUILT_DISC_LOADER, &loader))
        return false;
    disc->fields.sector = MEMORY_SECTOR;
    write_at(disc, LOADER_SECTOR * SECTOR_BYTES, loader.data, loader.size);
    write_at(disc, LOADER_SECTOR * SECTOR_BYTES + LOADER_FIELDS, &disc->fields,
             sizeof(disc->fields));
    whole_file_free(&loader);
    return true;
}

static bool fill(struct disc *disc, const struct machine *machine,
                 const struct image_request *request)
{
    char *tags = NULL;
    size_t size = 0;

    disc->tags = open_memstream(&tags, &size);
    write_catalog(disc);
    add_words(disc, machine, request);
    bool good = add_hypervisor(disc) && add_modules(disc, machine);
    fclose(disc->tags);
    if (good)
        write_information(disc, tags, size);
    free(tags);
    return good && write_loader(disc);
}

enum exit_code disc_build(const struct machine *machine, const struct image_request *request)
{
    struct disc disc = {.file = fopen(request->output, "w")};

    if (!disc.file)
        return fail(LINTEL_MACHINE, "%s: %s", request->output, strerror(errno));
    progress("writing the image");
    bool good = fill(&disc, machine, request);
    bool written = !ferror(disc.file);
    if ((fclose(disc.file) != 0) || !written)
        return fail(LINTEL_MACHINE, "%s: %s", request->output, strerror(errno));
    return good ? LINTEL_OK : LINTEL_MACHINE;
}
