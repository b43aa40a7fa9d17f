/* SPDX-License-Identifier: BSD-2-Clause */
/* The check of a process's image, which ring 0 and the tool make: what it lets through can be
 * loaded without a further look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "abi/process.h"
#include "lib/bits.h"
#include "lib/image.h"

#define START    0x400000ULL
#define SEGMENTS 3

/* Code, data, and what is no part of the memory, as the linker leaves them. */
struct file {
    struct elf_header header;
    struct elf_segment segments[SEGMENTS];
    uint8_t bytes[64];
    uint64_t size; /* of what is before it */
};

static void make_good(struct file *f)
{
    *f = (struct file){
        .header = {.magic = ELF_MAGIC,
                   .class = ELF_CLASS_64,
                   .data = ELF_LITTLE,
                   .version = 1,
                   .type = 2,
                   .machine = 62,
                   .entry = START + 0x10,
                   .phoff = offsetof(struct file, segments),
                   .phentsize = sizeof(struct elf_segment),
                   .phnum = SEGMENTS},
        .segments = {{1, 5, offsetof(struct file, bytes), START, 0, 64, 64, PAGE_SIZE},
                     {0x6474e551, 6, 0, UINT64_MAX, 0, 0, UINT64_MAX, 0},
                     {1, 6, 0, START + 0x1000, 0, 8, 0x1800, PAGE_SIZE}},
        .size = offsetof(struct file, size),
    };
}

/* Each way to spoil it: SPOIL(name, statement, what the words must have). */
#define SPOILS                                                                                     \
    SPOIL(cut, f->size = sizeof(f->header) - 1, "no 64-bit ELF")                                   \
    SPOIL(empty, f->size = 0, "no 64-bit ELF")                                                     \
    SPOIL(magic, f->header.magic++, "no 64-bit ELF")                                               \
    SPOIL(class_32, f->header.class = 1, "no 64-bit ELF")                                          \
    SPOIL(big_endian, f->header.data = 2, "no 64-bit ELF")                                         \
    SPOIL(version, f->header.version = 0, "no 64-bit ELF")                                         \
    SPOIL(relocatable, f->header.type = 3, "no 64-bit ELF")                                        \
    SPOIL(machine, f->header.machine = 183, "no 64-bit ELF")                                       \
    SPOIL(row_size, f->header.phentsize++, "no 64-bit ELF")                                        \
    SPOIL(rows_outside, f->header.phoff = f->size + 8, "no 64-bit ELF")                            \
    SPOIL(rows_far, f->header.phoff = UINT64_MAX - 7, "no 64-bit ELF")                             \
    SPOIL(rows_unaligned, f->header.phoff--, "no 64-bit ELF")                                      \
    SPOIL(many_rows, f->header.phnum = UINT16_MAX, "no 64-bit ELF")                                \
    SPOIL(no_rows, f->header.phnum = 0, "no code")                                                 \
    SPOIL(entry_before, f->header.entry = START - 1, "no code")                                    \
    SPOIL(entry_behind, f->header.entry = START + 64, "no code")                                   \
    SPOIL(entry_in_data, f->header.entry = START + 0x1000, "no code")                              \
    SPOIL(entry_not_canonical, f->header.entry = 1ULL << 63, "no code")                            \
    SPOIL(bytes_outside, f->segments[0].offset = f->size - 63, "damaged")                          \
    SPOIL(bytes_far, f->segments[0].offset = UINT64_MAX, "damaged")                                \
    SPOIL(more_bytes_than_memory, f->segments[0].filesz = 65, "damaged")                           \
    SPOIL(writable_code, f->segments[0].flags = 7, "writable code")                                \
    SPOIL(unaligned, f->segments[2].vaddr++, "not page-aligned")                                   \
    SPOIL(same_page, f->segments[0].memsz = 0x1001, "not behind")                                  \
    SPOIL(backwards, f->segments[2].vaddr = 0, "not behind")                                       \
    SPOIL(among_the_grants, f->segments[2].vaddr = PROCESS_IMAGE_END, "damaged")                   \
    SPOIL(into_the_grants, f->segments[2].memsz = PROCESS_IMAGE_END - START - 0x1000, "damaged")   \
    SPOIL(endless, f->segments[2].memsz = UINT64_MAX, "damaged")                                   \
    SPOIL(large, f->segments[2].memsz = PROCESS_IMAGE_SPAN - 0xfff, "more than 16 MiB")            \
    SPOIL(wide, f->segments[2].vaddr += PROCESS_IMAGE_SPAN, "more than 16 MiB")

#define SPOIL(name, statement, says)                                                               \
    static void spoil_##name(struct file *f)                                                       \
    {                                                                                              \
        statement;                                                                                 \
    }
SPOILS
#undef SPOIL

static const struct {
    const char *name;
    void (*spoil)(struct file *f);
    const char *says;
} rows[] = {
#define SPOIL(name, statement, says) {#name, spoil_##name, says},
    SPOILS
#undef SPOIL
};

/* The file ends where nothing may be read any more, if it is short. */
static const char *check(const struct file *f)
{
    uint64_t *copy = test_malloc(f->size + 1);

    memcpy(copy, f, f->size);
    const char *wrong = image_check(copy, f->size);
    test_free(copy);
    return wrong;
}

static void a_good_image_is_taken(void **state)
{
    struct file f;

    make_good(&f);
    assert_null(check(&f));
    assert_int_equal(image_span(&f), 0x3000);
    f.segments[2].memsz = PROCESS_IMAGE_SPAN - 0x1000; /* all that is possible */
    assert_null(check(&f));
    assert_int_equal(image_span(&f), PROCESS_IMAGE_SPAN);
    f.segments[0].memsz = 0x1000;
    assert_null(check(&f));
}

static void each_fault_is_found_and_named(void **state)
{
    struct file f;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        make_good(&f);
        rows[i].spoil(&f);
        const char *wrong = check(&f);
        if (wrong == NULL || strstr(wrong, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].name, wrong != NULL ? wrong : "taken as good");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_image_is_taken),
        cmocka_unit_test(each_fault_is_found_and_named),
    };

    return cmocka_run_group_tests_name("the images of processes", tests, NULL, NULL);
}
