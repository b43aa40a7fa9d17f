/* SPDX-License-Identifier: BSD-2-Clause */
/* Modules: see modules.h. */
#include "tool/modules.h"

#include <archive.h>
#include <archive_entry.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool/cpio.h"
#include "tool/report.h"

/* The bus, the devices, for a disk a file system with the checksum that it asks for by name only,
 * and the power button with what programs read it by. */
static const char *const wanted[] = {"virtio_pci",     "virtio_rng", "virtio_net",
                                     "virtio_console", "virtio_blk", "crc32c_generic",
                                     "ext4",           "button",     "evdev"};

struct module {
    char *name, *path;
    bool packed;
};

struct packing {
    struct module *modules;
    size_t count;
    unsigned packed;
    struct cpio cpio;
    bool failed;
};

/* The kernel takes '-' and '_' in a module's name for the same. */
static void normalize(char *name)
{
    for (; *name; name++)
        if (*name == '-')
            *name = '_';
}

/* Adds a file to the list if it is a module: NAME.ko, which may be compressed. */
static void add_file(struct packing *packing, const FTSENT *entry)
{
    const char *end = strstr(entry->fts_name, ".ko");

    if (entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
        packing->failed = true;
    if (entry->fts_info != FTS_F || !end || (end[3] && end[3] != '.'))
        return;
    struct module *more =
        realloc(packing->modules, (packing->count + 1) * sizeof(*packing->modules));
    if (!more) {
        packing->failed = true;
        return;
    }
    packing->modules = more;
    more[packing->count] = (struct module){
        .name = text("%.*s", (int)(end - entry->fts_name), entry->fts_name),
        .path = text("%s", entry->fts_path),
    };
    normalize(more[packing->count++].name);
}

static void list(struct packing *packing, const char *folder)
{
    char *copy = text("%s", folder), *const roots[] = {copy, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    const FTSENT *entry;

    while (tree && (entry = fts_read(tree)))
        add_file(packing, entry);
    packing->failed |= !tree || fts_close(tree) != 0;
    free(copy);
}

/* The file's content, uncompressed, with a NUL behind it; the caller frees it. NULL: it cannot be
 * read. */
static char *read_module(const char *path, size_t *size)
{
    struct archive *file = archive_read_new();
    struct archive_entry *entry;
    size_t room = 1 << 16;
    char *bytes = malloc(room);
    ssize_t got = -1;

    *size = 0;
    archive_read_support_filter_all(file);
    archive_read_support_format_raw(file);
    if (bytes && archive_read_open_filename(file, path, 1 << 16) == ARCHIVE_OK &&
        archive_read_next_header(file, &entry) == ARCHIVE_OK) {
        while ((got = archive_read_data(file, bytes + *size, room - *size - 1)) > 0) {
            *size += (size_t)got;
            char *more = realloc(bytes, room *= 2);
            if (!more)
                break;
            bytes = more;
        }
    }
    archive_read_free(file);
    if (got != 0) {
        free(bytes);
        return NULL;
    }
    bytes[*size] = '\0';
    return bytes;
}

static void pack(struct packing *packing, const char *name);

/* What a module says of those that it needs: "depends=a,b" (scripts/mod/modpost.c). */
static void pack_needed(struct packing *packing, const char *bytes, size_t size)
{
    static const char key[] = "\0depends=";
    const char *found = memmem(bytes, size, key, sizeof(key) - 1);

    if (!found)
        return;
    char *copy = text("%s", found + sizeof(key) - 1);
    for (char *rest = copy, *name; (name = strsep(&rest, ","));)
        pack(packing, name);
    free(copy);
}

static void pack_file(struct packing *packing, const struct module *module)
{
    size_t size;
    char *bytes = read_module(module->path, &size);

    if (!bytes) {
        packing->failed = true;
        return;
    }
    pack_needed(packing, bytes, size);
    char *name = text("lib/modules/%02u-%s.ko", packing->packed++, module->name);
    cpio_add(
        &packing->cpio,
        &(struct cpio_member){.name = name, .mode = S_IFREG | 0644, .data = bytes, .size = size});
    free(name);
    free(bytes);
}

static void pack(struct packing *packing, const char *name)
{
    char *normal = text("%s", name);

    normalize(normal);
    for (size_t i = 0; i < packing->count; i++) {
        struct module *module = &packing->modules[i];
        if (!module->packed && strcmp(module->name, normal) == 0) {
            module->packed = true;
            pack_file(packing, module);
        }
    }
    free(normal);
}

bool modules_pack(const char *folder, const char *archive)
{
    static const char *const folders[] = {"lib", "lib/modules"};
    struct packing packing = {0};
    FILE *file = fopen(archive, "w");

    if (!file)
        return false;
    list(&packing, folder);
    cpio_begin(&packing.cpio, file);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        cpio_add(&packing.cpio,
                 &(struct cpio_member){.name = folders[i], .mode = S_IFDIR | 0755, .data = ""});
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        pack(&packing, wanted[i]);
    bool good = cpio_end(&packing.cpio) & !packing.failed;
    good &= fclose(file) == 0;
    for (size_t i = 0; i < packing.count; i++) {
        free(packing.modules[i].name);
        free(packing.modules[i].path);
    }
    free(packing.modules);
    return good;
}
