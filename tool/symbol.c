/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the symbol before an address: see symbol.h. */
#include "tool/symbol.h"

#include <elf.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "tool/report.h"
#include "tool/whole_file.h"

struct file {
    const uint8_t *data;
    size_t size;
};

/* Copies `size` bytes at an offset, which need not be aligned. False: the file is shorter. */
static bool take(const struct file *file, uint64_t offset, void *to, size_t size)
{
    if (offset > file->size || size > file->size - offset)
        return false;
    memcpy(to, file->data + offset, size);
    return true;
}

/* The linked address of one at which a segment is loaded, or the same address. */
static uint64_t linked_address(const struct file *file, const Elf64_Ehdr *header, uint64_t address)
{
    Elf64_Phdr segment;

    for (unsigned i = 0; i < header->e_phnum; i++)
        if (take(file, header->e_phoff + i * sizeof(segment), &segment, sizeof(segment)) &&
            segment.p_type == PT_LOAD && address - segment.p_paddr < segment.p_memsz)
            return address - segment.p_paddr + segment.p_vaddr;
    return address;
}

/* The name of a symbol, as far as it lies in its table, or NULL. */
static const char *name_of(const struct file *file, const Elf64_Shdr *strings, uint32_t name)
{
    if (strings->sh_offset > file->size || strings->sh_size > file->size - strings->sh_offset ||
        name >= strings->sh_size)
        return NULL;
    const char *start = (const char *)file->data + strings->sh_offset + name;
    return *start && memchr(start, '\0', strings->sh_size - name) ? start : NULL;
}

/* The symbol of a table that holds the address, or has no size and is the nearest before it. */
static char *search(const struct file *file, const Elf64_Shdr *table, const Elf64_Shdr *strings,
                    uint64_t address)
{
    const char *best = NULL;
    uint64_t best_value = 0;
    Elf64_Sym symbol;

    for (uint64_t at = 0; at + sizeof(symbol) <= table->sh_size; at += sizeof(symbol)) {
        if (!take(file, table->sh_offset + at, &symbol, sizeof(symbol)))
            break;
        unsigned type = ELF64_ST_TYPE(symbol.st_info);
        const char *name = name_of(file, strings, symbol.st_name);
        if ((type != STT_FUNC && type != STT_NOTYPE) || symbol.st_shndx == SHN_UNDEF ||
            symbol.st_shndx >= SHN_LORESERVE || !name || symbol.st_value > address ||
            (symbol.st_size && address - symbol.st_value >= symbol.st_size)) {
            continue;
        }
        if (!best || symbol.st_value > best_value ||
            (type == STT_FUNC && symbol.st_value == best_value)) {
            best = name;
            best_value = symbol.st_value;
        }
    }
    return best ? text("%s+0x%" PRIx64, best, address - best_value) : NULL;
}

static char *search_tables(const struct file *file, const Elf64_Ehdr *header, uint64_t address)
{
    Elf64_Shdr table, strings;

    for (unsigned i = 0; i < header->e_shnum; i++) {
        if (!take(file, header->e_shoff + i * sizeof(table), &table, sizeof(table)))
            break;
        if (table.sh_type == SHT_SYMTAB &&
            take(file, header->e_shoff + table.sh_link * sizeof(strings), &strings,
                 sizeof(strings))) {
            return search(file, &table, &strings, address);
        }
    }
    return NULL;
}

char *symbol_in(const uint8_t *data, size_t size, uint64_t address)
{
    const struct file file = {data, size};
    Elf64_Ehdr header;

    if (!take(&file, 0, &header, sizeof(header)) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_shentsize != sizeof(Elf64_Shdr))
        return NULL;
    char *found = search_tables(&file, &header, address);
    uint64_t linked = linked_address(&file, &header, address);
    return found || linked == address ? found : search_tables(&file, &header, linked);
}

char *symbol_at(const char *path, uint64_t address)
{
    struct whole_file file;

    if (!whole_file_read(path, &file))
        return NULL;
    char *found = symbol_in(file.data, file.size, address);
    whole_file_free(&file);
    return found;
}
