/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading initrds: every truncation of a good file is found, and nothing is read
 * outside of it. */
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

#include "tool/cpio.h"
#include "tool/initrd_file.h"

struct bytes {
    uint8_t *data;
    size_t size;
};

/* A copy of exactly this size on the heap, so that the sanitizer sees each byte read too far. */
static struct bytes copy_of(const void *data, size_t size)
{
    struct bytes bytes = {malloc(size ? size : 1), size};

    memcpy(bytes.data, data, size);
    return bytes;
}

static const char *inspect_initrd(const void *data, size_t size)
{
    struct bytes bytes = copy_of(data, size);
    const char *wrong = initrd_inspect(bytes.data, bytes.size);

    free(bytes.data);
    return wrong;
}

static struct bytes make_archive(void)
{
    struct bytes bytes;
    struct cpio cpio;
    FILE *file = open_memstream((char **)&bytes.data, &bytes.size);

    cpio_begin(&cpio, file);
    cpio_add(&cpio, &(struct cpio_member){.name = "dev", .mode = S_IFDIR | 0755, .data = ""});
    cpio_add(
        &cpio,
        &(struct cpio_member){
            .name = "dev/console", .mode = S_IFCHR | 0600, .major = 5, .minor = 1, .data = ""});
    cpio_add(&cpio, &(struct cpio_member){
                        .name = "init", .mode = S_IFREG | 0755, .data = "#!/bin/sh\n", .size = 10});
    cpio_add(&cpio, &(struct cpio_member){
                        .name = "link", .mode = S_IFLNK | 0777, .data = "init", .size = 4});
    assert_true(cpio_end(&cpio));
    fclose(file);
    return bytes;
}

/* Our archive, read by somebody else's reader. */
static void cpio_is_what_libarchive_reads(void **state)
{
    static const struct {
        const char *name;
        mode_t type;
        const char *content;
    } expected[] = {{"dev", S_IFDIR, ""},
                    {"dev/console", S_IFCHR, ""},
                    {"init", S_IFREG, "#!/bin/sh\n"},
                    {"link", S_IFLNK, ""}};
    struct bytes bytes = make_archive();
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    char content[32];

    archive_read_support_format_cpio(archive);
    assert_int_equal(archive_read_open_memory(archive, bytes.data, bytes.size), ARCHIVE_OK);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_int_equal(archive_read_next_header(archive, &entry), ARCHIVE_OK);
        assert_string_equal(archive_entry_pathname(entry), expected[i].name);
        assert_int_equal(archive_entry_filetype(entry), expected[i].type);
        assert_int_equal(archive_entry_mtime(entry), 0);
        la_ssize_t length = archive_read_data(archive, content, sizeof(content));
        assert_int_equal(length, strlen(expected[i].content));
        assert_memory_equal(content, expected[i].content, length);
        if (expected[i].type == S_IFCHR) {
            assert_int_equal(archive_entry_rdevmajor(entry), 5);
            assert_int_equal(archive_entry_rdevminor(entry), 1);
        }
    }
    assert_string_equal(archive_entry_symlink(entry), "init");
    assert_int_equal(archive_read_next_header(archive, &entry), ARCHIVE_EOF);
    archive_read_free(archive);
    free(bytes.data);
}

static void every_truncation_of_an_archive_is_found(void **state)
{
    struct bytes bytes = make_archive();

    assert_null(inspect_initrd(bytes.data, bytes.size));
    for (size_t size = 0; size < bytes.size; size++)
        if (!inspect_initrd(bytes.data, size))
            fail_msg("cut to %zu of %zu bytes, it was taken as whole", size, bytes.size);
    free(bytes.data);
}

/* Compresses with libarchive. */
static struct bytes compress_with(const struct bytes *plain, int (*add_filter)(struct archive *))
{
    struct bytes packed = {malloc(plain->size * 2 + 65536), 0};
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();

    add_filter(archive);
    archive_write_set_format_raw(archive);
    archive_write_set_bytes_in_last_block(archive, 1);
    assert_int_equal(
        archive_write_open_memory(archive, packed.data, plain->size * 2 + 65536, &packed.size),
        ARCHIVE_OK);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_write_header(archive, entry);
    archive_write_data(archive, plain->data, plain->size);
    archive_entry_free(entry);
    archive_write_close(archive);
    archive_write_free(archive);
    return packed;
}

static void compressed_archives_are_read_and_their_truncations_found(void **state)
{
    static int (*const filters[])(struct archive *) = {
        archive_write_add_filter_gzip,  archive_write_add_filter_xz,
        archive_write_add_filter_zstd,  archive_write_add_filter_lz4,
        archive_write_add_filter_bzip2,
    };
    struct bytes plain = make_archive();

    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        struct bytes packed = compress_with(&plain, filters[i]);
        if (inspect_initrd(packed.data, packed.size))
            fail_msg("filter %zu: %s", i, inspect_initrd(packed.data, packed.size));
        for (size_t size = 0; size < packed.size; size++) {
            if (!inspect_initrd(packed.data, size)) {
                fail_msg("filter %zu: cut to %zu of %zu bytes, it was taken as whole", i, size,
                         packed.size);
            }
        }
        free(packed.data);
    }
    free(plain.data);
}

/* As distributions do it: an archive with microcode, zeros, then the compressed main archive. */
static void archives_may_follow_each_other(void **state)
{
    struct bytes plain = make_archive(),
                 packed = compress_with(&plain, archive_write_add_filter_gzip);
    size_t padding = 512, size = plain.size + padding + packed.size;
    uint8_t *both = calloc(1, size);

    memcpy(both, plain.data, plain.size);
    memcpy(both + plain.size + padding, packed.data, packed.size);
    assert_null(inspect_initrd(both, size));
    assert_null(inspect_initrd(both, plain.size + padding));
    assert_non_null(inspect_initrd(both, size - 8));
    assert_non_null(inspect_initrd(both, plain.size + padding + 3));
    memset(both + plain.size + padding, 'x', 16);
    assert_non_null(strstr(inspect_initrd(both, size), "no cpio header"));
    free(both);
    free(packed.data);
    free(plain.data);
}

/* A number is eight hexadecimal digits, and nothing that strtoul would take for one. */
static void numbers_are_eight_digits(void **state)
{
    static const char *const bad[] = {"-0000001", "+0000000", "       0", "0x000000", "0000000g"};
    struct bytes bytes = make_archive();

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memcpy(bytes.data + 54, bad[i], 8); /* the first member's c_filesize */
        assert_non_null(strstr(inspect_initrd(bytes.data, bytes.size), "no cpio header"));
    }
    memcpy(bytes.data + 54, "00000000", 8);
    assert_null(inspect_initrd(bytes.data, bytes.size));
    free(bytes.data);
}

/* Damaged files: no answer is wrong, but none may read outside of them. */
static void random_damage_does_no_harm(void **state)
{
    struct bytes plain = make_archive(),
                 packed = compress_with(&plain, archive_write_add_filter_gzip);

    srand(1);
    for (int i = 0; i < 20000; i++) {
        const struct bytes *from = i & 1 ? &plain : &packed;
        struct bytes bytes = copy_of(from->data, from->size);
        for (int flips = rand() % 4; flips >= 0; flips--)
            bytes.data[(size_t)rand() % bytes.size] = (uint8_t)rand();
        initrd_inspect(bytes.data, bytes.size);
        free(bytes.data);
    }
    free(packed.data);
    free(plain.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpio_is_what_libarchive_reads),
        cmocka_unit_test(every_truncation_of_an_archive_is_found),
        cmocka_unit_test(compressed_archives_are_read_and_their_truncations_found),
        cmocka_unit_test(archives_may_follow_each_other),
        cmocka_unit_test(numbers_are_eight_digits),
        cmocka_unit_test(random_damage_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
