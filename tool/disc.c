/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing the disc of an emulated machine: see disc.h. */
#include "tool/disc.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/plan.h"
#include "tool/paths.h"
#include "tool/size.h"

/* The disc's sectors (El Torito specification 1.0, "no emulation"). */
#define SECTOR_BYTES   2048
#define RECORD_SECTOR  17 /* where it says that a BIOS can boot it */
#define CATALOG_SECTOR 18 /* of what */
#define LOADER_SECTOR  19
#define MEMORY_SECTOR  20 /* from here on as in memory */

#define BIOS_SECTOR_BYTES 512
#define PAGE_BYTES        4096

/* The boot information's tags (multiboot2 specification) that the firmware knows nothing of. */
enum { TAG_CMDLINE = 1, TAG_MODULE = 3 };

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

struct mapped_file {
    const uint8_t *data;
    size_t size;
};

/* False after a message. */
static bool map_file(const char *path, struct mapped_file *mapped)
{
    struct stat info;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    void *data = file >= 0 && fstat(file, &info) == 0
                     ? mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, file, 0)
                     : MAP_FAILED;

    if (data == MAP_FAILED)
        note("%s: %s", path, strerror(errno));
    else
        *mapped = (struct mapped_file){data, (size_t)info.st_size};
    if (file >= 0)
        close(file);
    return data != MAP_FAILED;
}

static void unmap_file(const struct mapped_file *mapped)
{
    munmap((void *)mapped->data, mapped->size);
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
    const uint32_t head[2] = {type, (uint32_t)sizeof(head) + size};
    static const uint8_t zeros[8];

    fwrite(head, sizeof(head), 1, disc->tags);
    fwrite(content, size, 1, disc->tags);
    fwrite(zeros, -size % sizeof(zeros), 1, disc->tags);
}

/* A module goes to the next page, with nothing on its command line. False after a message: there is
 * no room, which GRUB would not find either. */
static bool add_module(struct disc *disc, const void *data, size_t size)
{
    disc->end = (disc->end + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    if (disc->end + size + PAGE_BYTES > PLAN_HOLE_START) {
        note("the VMs' files are more than an emulated machine's %u MiB below its devices can hold",
             (unsigned)(PLAN_HOLE_START / MIB));
        return false;
    }
    const uint32_t content[3] = {(uint32_t)disc->end, (uint32_t)(disc->end + size)};

    write_memory(disc, disc->end, data, size);
    add_tag(disc, TAG_MODULE, content, 2 * sizeof(*content) + 1);
    disc->end += size;
    return true;
}

static bool add_file(struct disc *disc, const char *path)
{
    struct mapped_file file;

    if (!map_file(path, &file))
        return false;
    bool good = add_module(disc, file.data, file.size);
    unmap_file(&file);
    return good;
}

/* The hypervisor's segments, where they are linked to lie. False: it is no such program. */
static bool add_segments(struct disc *disc, const struct mapped_file *file)
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
    char *path = built_path(BUILT_HYPERVISOR);
    struct mapped_file file;
    bool good = path && map_file(path, &file);

    if (good) {
        good = add_segments(disc, &file);
        if (!good)
            note("%s: this is not the hypervisor; build it with ninja", path);
        unmap_file(&file);
    }
    free(path);
    return good;
}

/* In the order in which the hypervisor expects them, which is that of image.c. */
static bool add_modules(struct disc *disc, const struct machine *machine)
{
    char *monitor = built_path(BUILT_MONITOR);

    bool good = add_module(disc, &machine->plan, sizeof(machine->plan)) && monitor &&
                add_file(disc, monitor);
    free(monitor);
    for (uint32_t i = 0; good && i < machine->plan.file_count; i++)
        good = add_file(disc, machine->files[i]);
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
    add_tag(disc, TAG_CMDLINE, words, (uint32_t)size + 1);
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
    char *path = built_path(BUILT_DISC_LOADER);
    struct mapped_file loader;
    bool good = path && map_file(path, &loader);

    free(path);
    if (!good)
        return false;
    disc->fields.sector = MEMORY_SECTOR;
    write_at(disc, LOADER_SECTOR * SECTOR_BYTES, loader.data, loader.size);
    write_at(disc, LOADER_SECTOR * SECTOR_BYTES + LOADER_FIELDS, &disc->fields,
             sizeof(disc->fields));
    unmap_file(&loader);
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
