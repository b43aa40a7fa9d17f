/* SPDX-License-Identifier: BSD-2-Clause */
/* Packing a kernel's modules: those that a disk needs, and what they need, in the order to load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/modules.h"
#include "tool/process.h"

static char folder[] = "/tmp/lintel-test-XXXXXX";

/* A module that depends on these: an ELF file's strings suffice. */
static void put(const char *path, const char *depends, int (*filter)(struct archive *))
{
    char bytes[256];
    int size = snprintf(bytes, sizeof(bytes), "\177ELF%cdepends=%s%cname=x", 0, depends, 0);
    struct archive *file = archive_write_new();
    struct archive_entry *entry = archive_entry_new();

    filter(file);
    archive_write_set_format_raw(file);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_pathname(entry, "module");
    assert_int_equal(archive_write_open_filename(file, path), ARCHIVE_OK);
    assert_int_equal(archive_write_header(file, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(file, bytes, (size_t)size), size);
    assert_int_equal(archive_write_close(file), ARCHIVE_OK);
    archive_write_free(file);
    archive_entry_free(entry);
}

static int begin(void **state)
{
    strcpy(strrchr(folder, '-'), "-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("u", 0700), 0);
    return mkdir("u/lib", 0700);
}

static int end(void **state)
{
    path_remove(folder);
    return 0;
}

/* What the archive has, as lines "NAME SIZE". */
static const char *packed(void)
{
    static char lines[1024];
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;

    lines[0] = '\0';
    archive_read_support_format_cpio(archive);
    assert_int_equal(archive_read_open_filename(archive, "modules", 4096), ARCHIVE_OK);
    while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
        snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "%s %d\n",
                 archive_entry_pathname(entry), (int)archive_entry_size(entry));
    }
    archive_read_free(archive);
    return lines;
}

static void in_order(void **state)
{
    put("u/lib/virtio_pci.ko", "virtio_ring,virtio-x", archive_write_add_filter_none);
    put("u/lib/virtio-x.ko.xz", "virtio_ring", archive_write_add_filter_xz);
    put("u/virtio_ring.ko", "", archive_write_add_filter_none);
    put("u/virtio-rng.ko.gz", "virtio_ring,rng_core", archive_write_add_filter_gzip);
    put("u/rng-core.ko", "", archive_write_add_filter_none);
    put("u/other.ko", "", archive_write_add_filter_none);
    assert_true(modules_pack("u", "modules"));
    assert_string_equal(packed(), "lib 0\n"
                                  "lib/modules 0\n"
                                  "lib/modules/00-virtio_ring.ko 20\n"
                                  "lib/modules/01-virtio_x.ko 31\n"
                                  "lib/modules/02-virtio_pci.ko 40\n"
                                  "lib/modules/03-rng_core.ko 20\n"
                                  "lib/modules/04-virtio_rng.ko 40\n");
}

static void none(void **state)
{
    put("u/other.ko", "virtio_pci", archive_write_add_filter_none);
    put("u/ext4.konfig", "", archive_write_add_filter_none);
    assert_true(modules_pack("u", "modules"));
    assert_string_equal(packed(), "lib 0\nlib/modules 0\n");
}

static void a_loop(void **state)
{
    put("u/ext4.ko", "jbd2", archive_write_add_filter_none);
    put("u/jbd2.ko", "ext4,jbd2", archive_write_add_filter_none);
    assert_true(modules_pack("u", "modules"));
    assert_string_equal(packed(), "lib 0\nlib/modules 0\n"
                                  "lib/modules/00-jbd2.ko 29\nlib/modules/01-ext4.ko 24\n");
}

static void failures(void **state)
{
    FILE *broken = fopen("u/ext4.ko.xz", "w");

    fwrite("\3757zXZ\0", 1, 6, broken); /* and no more */
    fclose(broken);
    assert_false(modules_pack("u", "modules"));
    assert_false(modules_pack("u", "nowhere/modules"));
    assert_false(modules_pack("nowhere", "modules"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(in_order, begin, end),
        cmocka_unit_test_setup_teardown(none, begin, end),
        cmocka_unit_test_setup_teardown(a_loop, begin, end),
        cmocka_unit_test_setup_teardown(failures, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
