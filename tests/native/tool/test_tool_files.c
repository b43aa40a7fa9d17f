/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading kernels and initrds: every truncation of a good file is found, and nothing is read
 * outside of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool/cpio.h"
#include "tool/initrd_file.h"
#include "tool/kernel_file.h"

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

static const char *inspect_kernel(const void *data, size_t size, struct kernel_facts *facts)
{
    struct bytes bytes = copy_of(data, size);
    const char *wrong = kernel_inspect(bytes.data, bytes.size, facts);

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

static void put(uint8_t *data, size_t offset, uint64_t value, size_t size)
{
    memcpy(data + offset, &value, size);
}

/* The smallest bzImage: a setup header and one paragraph of kernel. */
static void bzimage_headers(void **state)
{
    uint8_t image[3 * 512 + 16] = {0};
    struct kernel_facts facts;

    put(image, 0x1f1, 2, 1);          /* setup_sects */
    put(image, 0x1f4, 1, 4);          /* syssize */
    put(image, 0x1fe, 0xaa55, 2);     /* boot_flag */
    put(image, 0x202, 0x53726448, 4); /* header */
    put(image, 0x206, 0x020f, 2);     /* version */
    put(image, 0x211, 1, 1);          /* loadflags */
    put(image, 0x236, 1, 2);          /* xloadflags */
    put(image, 0x238, 2047, 4);       /* cmdline_size */
    put(image, 0x258, 0x1000000, 8);  /* pref_address */
    put(image, 0x260, 0x800000, 4);   /* init_size */
    assert_null(inspect_kernel(image, sizeof(image), &facts));
    assert_int_equal(facts.memory_end, 0x1800000);
    assert_int_equal(facts.cmdline_max, 2047);
    for (size_t size = 0; size < sizeof(image); size++)
        assert_non_null(inspect_kernel(image, size, &facts));
    assert_non_null(strstr(inspect_kernel(image, sizeof(image) - 1, &facts), "truncated bzImage"));
    put(image, 0x236, 0, 2);
    assert_non_null(strstr(inspect_kernel(image, sizeof(image), &facts), "64-bit entry"));
    put(image, 0x236, 1, 2);
    put(image, 0x206, 0x020b, 2);
    assert_non_null(strstr(inspect_kernel(image, sizeof(image), &facts), "64-bit entry"));
    put(image, 0x206, 0x020f, 2);
    put(image, 0x211, 0, 1);
    assert_non_null(strstr(inspect_kernel(image, sizeof(image), &facts), "zImage"));
    put(image, 0x211, 1, 1);
    put(image, 0x258, UINT64_MAX, 8);
    assert_non_null(inspect_kernel(image, sizeof(image), &facts));
}

struct elf_image {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    char content[64];
};

static const struct elf_image good_elf = {
    .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64},
               .e_type = ET_EXEC,
               .e_machine = EM_X86_64,
               .e_entry = 0x101fff,
               .e_phoff = offsetof(struct elf_image, segment),
               .e_phentsize = sizeof(Elf64_Phdr),
               .e_phnum = 1},
    .segment = {.p_type = PT_LOAD,
                .p_offset = offsetof(struct elf_image, content),
                .p_paddr = 0x100000,
                .p_filesz = 64,
                .p_memsz = 0x2000},
};

static void elf_headers(void **state)
{
    struct elf_image bad;
    struct kernel_facts facts;

    assert_null(inspect_kernel(&good_elf, sizeof(good_elf), &facts));
    assert_int_equal(facts.memory_end, 0x102000);
    for (size_t size = 0; size < sizeof(good_elf); size++)
        assert_non_null(inspect_kernel(&good_elf, size, &facts));
    bad = good_elf;
    bad.segment.p_offset = UINT64_MAX - 8;
    assert_non_null(strstr(inspect_kernel(&bad, sizeof(bad), &facts), "outside of the file"));
    bad = good_elf;
    bad.header.e_phoff = UINT64_MAX - 8;
    assert_non_null(strstr(inspect_kernel(&bad, sizeof(bad), &facts), "program headers"));
    bad = good_elf;
    bad.segment.p_paddr = UINT64_MAX - 8;
    assert_non_null(strstr(inspect_kernel(&bad, sizeof(bad), &facts), "impossible"));
    bad = good_elf;
    bad.segment.p_paddr = 0xff000;
    assert_non_null(strstr(inspect_kernel(&bad, sizeof(bad), &facts), "below 1 MiB"));
    bad = good_elf;
    bad.segment.p_paddr = 0xbffff000;
    assert_non_null(strstr(inspect_kernel(&bad, sizeof(bad), &facts), "above 3 GiB"));
    bad = good_elf;
    bad.header.e_entry = 0x102000;
    assert_non_null(strstr(inspect_kernel(&bad, sizeof(bad), &facts), "entry"));
    bad.header.e_entry = 0xfffff;
    assert_non_null(strstr(inspect_kernel(&bad, sizeof(bad), &facts), "entry"));
    bad = good_elf;
    bad.segment.p_filesz = 65;
    assert_non_null(inspect_kernel(&bad, sizeof(bad), &facts));
    bad = good_elf;
    bad.segment.p_type = PT_NOTE;
    assert_non_null(
        strstr(inspect_kernel(&bad, sizeof(bad), &facts), "without a loadable segment"));
    bad = good_elf;
    bad.header.e_ident[EI_CLASS] = ELFCLASS32;
    assert_non_null(strstr(inspect_kernel(&bad, sizeof(bad), &facts), "not for x86-64"));
    bad = good_elf;
    bad.header.e_type = ET_DYN;
    assert_non_null(strstr(inspect_kernel(&bad, sizeof(bad), &facts), "ET_EXEC"));
}

/* Damaged files: no answer is wrong, but none may read outside of them. */
static void random_damage_does_no_harm(void **state)
{
    struct bytes plain = make_archive(),
                 packed = compress_with(&plain, archive_write_add_filter_gzip);
    struct kernel_facts facts;

    srand(1);
    for (int i = 0; i < 20000; i++) {
        const struct bytes *from = i & 1 ? &plain : &packed;
        struct bytes bytes = copy_of(from->data, from->size);
        for (int flips = rand() % 4; flips >= 0; flips--)
            bytes.data[(size_t)rand() % bytes.size] = (uint8_t)rand();
        initrd_inspect(bytes.data, bytes.size);
        kernel_inspect(bytes.data, bytes.size, &facts);
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
        cmocka_unit_test(bzimage_headers),
        cmocka_unit_test(elf_headers),
        cmocka_unit_test(random_damage_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
