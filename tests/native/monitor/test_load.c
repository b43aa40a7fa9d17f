/* SPDX-License-Identifier: BSD-2-Clause */
/* The loader: where things go for a good bzImage or ELF file, and a line for each bad input. */
#include <stdlib.h>
#include <string.h>

#include "lib/format.h"
#include "monitor/load.h"
#include "monitor/x86.h"
#include "tests/native/monitor/fakes.h"

#define MEMORY      (64ULL << 20)
#define SETUP_SECTS 3
#define CODE_SIZE   0x2340
#define BZIMAGE     ((SETUP_SECTS + 1) * 512 + CODE_SIZE)

static struct board *b;
static uint8_t *kernel, *initrd;
static struct load load;

static struct setup_header *header(void)
{
    return (struct setup_header *)(kernel + SETUP_HEADER_OFFSET);
}

static int setup(void **state)
{
    b = fake_board(MEMORY);
    kernel = calloc(1, BZIMAGE); /* exactly, so that reading beyond it is seen */
    initrd = malloc(5000);
    memset(kernel + (SETUP_SECTS + 1) * 512, 0x90, CODE_SIZE);
    memset(initrd, 0x55, 5000);
    *header() = (struct setup_header){
        .setup_sects = SETUP_SECTS,
        .syssize = CODE_SIZE / 16,
        .boot_flag = 0xaa55,
        .jump = 0x6aeb,
        .header = SETUP_MAGIC,
        .version = 0x020f,
        .loadflags = 1,
        .initrd_addr_max = 0x7fffffff,
        .kernel_alignment = 0x200000,
        .relocatable_kernel = 1,
        .xloadflags = 1,
        .cmdline_size = 2047,
        .pref_address = 0x1000000,
        .init_size = 0x800000,
    };
    load = (struct load){.memory = &b->memory,
                         .kernel = {kernel, BZIMAGE},
                         .initrd = {initrd, 5000},
                         .cmdline = "console=ttyS0",
                         .rsdp = 0xe0000};
    return 0;
}

static int teardown(void **state)
{
    free(kernel);
    free(initrd);
    fake_board_free(b);
    return 0;
}

static void assert_refused(const char *text)
{
    char said[LOAD_ERROR_SIZE + 16];

    assert_false(load_guest(&load));
    format(said, sizeof(said), "%s: %s", load_part_name(load.wrong), load.error);
    if (strstr(said, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", said, text);
}

static const struct boot_params *params(void)
{
    return (const struct boot_params *)(b->memory.base + LOAD_PARAMS);
}

static void linux_placed(void **state)
{
    const struct boot_params *p = params();

    assert_true(load_guest(&load));
    assert_int_equal(load.entry, 0x1000200);
    assert_memory_equal(b->memory.base + 0x1000000, kernel + (SETUP_SECTS + 1) * 512, CODE_SIZE);
    assert_int_equal(b->memory.base[0x1000000 + CODE_SIZE], 0);
    assert_int_equal(p->hdr.header, SETUP_MAGIC);
    assert_int_equal(p->hdr.type_of_loader, 0xff);
    assert_string_equal((char *)b->memory.base + p->hdr.cmd_line_ptr, "console=ttyS0");
    assert_int_equal(p->hdr.ramdisk_image, MEMORY - 0x2000);
    assert_int_equal(p->hdr.ramdisk_size, 5000);
    assert_memory_equal(b->memory.base + p->hdr.ramdisk_image, initrd, 5000);
    assert_int_equal(p->acpi_rsdp_addr, 0xe0000);
    assert_int_equal(*((const uint8_t *)p + 0x1ef), 0); /* the sentinel */
}

static void memory_map(void **state)
{
    const struct boot_params *p = params();
    const struct e820_entry small[] = {{0, 0xa0000, 1},
                                       {0xa0000, 0x60000, 2},
                                       {0x100000, MEMORY - 0x100000, 1},
                                       {0xfec00000, 0x1400000, 2}};
    const struct e820_entry large[] = {{0, 0xa0000, 1},
                                       {0xa0000, 0x60000, 2},
                                       {0x100000, 0xbff00000, 1},
                                       {0xfec00000, 0x1400000, 2},
                                       {0x100000000, 0x40000000, 1}};

    assert_true(load_guest(&load));
    assert_int_equal(p->e820_entries, 4);
    assert_memory_equal(p->e820_table, small, sizeof(small));
    fake_board_free(b);
    b = fake_board(4ULL << 30);
    load.memory = &b->memory;
    p = params();
    assert_true(load_guest(&load));
    assert_int_equal(p->e820_entries, 5);
    assert_memory_equal(p->e820_table, large, sizeof(large));
    assert_int_equal(p->hdr.ramdisk_image, 0x7fffe000); /* initrd_addr_max */
}

/* The state's own page tables and descriptors say what the boot protocol promises. */
static void first_state(void **state)
{
    uint64_t *gdt = (uint64_t *)(b->memory.base + LOAD_GDT), *table, entry;
    struct guest_state s;

    assert_true(load_guest(&load));
    s = load_state(&load);
    assert_int_equal(s.rip, load.entry);
    assert_int_equal(s.gpr[GPR_RSI], LOAD_PARAMS);
    assert_int_equal(s.rflags, 2);
    assert_int_equal(s.segment[SEG_CS].selector, 0x10);
    assert_int_equal(s.segment[SEG_DS].selector, 0x18);
    assert_int_equal(gdt[2], 0x00af9b000000ffff);
    assert_int_equal(gdt[3], 0x00cf93000000ffff);
    for (uint64_t linear = 0; linear < 4ULL << 30; linear += 0x1fffff) {
        table = (uint64_t *)(b->memory.base + (s.cr3 & ~0xfffULL));
        entry = table[linear >> 39];
        table = (uint64_t *)(b->memory.base + (entry & ~0xfffULL));
        entry = table[linear >> 30 & 511];
        table = (uint64_t *)(b->memory.base + (entry & ~0xfffULL));
        entry = table[linear >> 21 & 511];
        assert_int_equal(entry, (linear & ~0x1fffffULL) | 0x83);
    }
}

static void linux_placement(void **state)
{
    header()->pref_address = 0x1234567; /* it has to be aligned */
    assert_true(load_guest(&load));
    assert_int_equal(load.entry, 0x1400200);
    header()->pref_address = 0;
    assert_true(load_guest(&load));
    assert_int_equal(load.entry, 0x200200);
    header()->relocatable_kernel = 0;
    header()->pref_address = 0x100000;
    assert_true(load_guest(&load));
    assert_int_equal(load.entry, 0x100200);
    header()->setup_sects = 0; /* means 4, one more than there is */
    assert_refused("truncated");
}

/* syssize counts paragraphs; of the last there may be a part. The copy ends where the file does. */
static void linux_part_of_paragraph(void **state)
{
    for (unsigned missing = 1; missing < 16; missing++) {
        teardown(state);
        setup(state);
        kernel =
            realloc(kernel, BZIMAGE - missing); /* exactly, so that reading beyond it is seen */
        load.kernel = (struct load_file){kernel, BZIMAGE - missing};
        uint8_t *copy = b->memory.base + 0x1000000;
        assert_true(load_guest(&load));
        assert_int_equal(copy[CODE_SIZE - missing - 1], 0x90);
        assert_int_equal(copy[CODE_SIZE - missing], 0);
    }
}

static void linux_bad(void **state)
{
    header()->version = 0x020b;
    assert_refused("kernel: boot protocol 2.11 is too old, 2.12 is needed");
    header()->version = 0x020f;
    header()->xloadflags = 0;
    assert_refused("kernel: it has no 64-bit entry");
    header()->xloadflags = 1;
    header()->loadflags = 0;
    assert_refused("kernel: it is a zImage");
    header()->loadflags = 1;
    header()->kernel_alignment = 0x30000;
    assert_refused("kernel: its setup header is damaged");
    header()->kernel_alignment = 0x200000;
    header()->cmdline_size = 5;
    assert_refused("cmdline: it has 13 characters, the kernel takes 5");
    header()->cmdline_size = 2047;
    load.kernel.size -= 16;
    assert_refused("truncated");
    load.kernel.size += 16;
    header()->syssize = 0xffffffff;
    assert_refused("truncated");
    header()->syssize = CODE_SIZE / 16;
    header()->init_size = 0xf0000000;
    assert_refused("kernel: the kernel needs 4026531840 bytes of memory at 1000000");
    header()->init_size = 0x4000000;
    assert_refused("memory: the kernel needs memory from 1000000 to 5000000, the guest's ends at "
                   "4000000: give the VM at least 80 MiB");
    header()->init_size = 0x800000;
    header()->pref_address = UINT64_MAX - 0x100;
    assert_refused("kernel: the kernel needs 8388608 bytes of memory at c0000000");
    header()->pref_address = 0x1000000;
    assert_true(load_guest(&load));
}

static void initrd_bad(void **state)
{
    load.initrd.size = MEMORY;
    assert_refused("memory: the initrd's 67108864 bytes do not fit between the kernel's end at "
                   "1800000 and 4000000");
    load.initrd.size = UINT64_MAX;
    assert_refused("initrd: the initrd's");
    load.initrd.size = 5000;
    header()->initrd_addr_max = 0x1800fff;
    assert_refused("initrd: the initrd's");
    header()->initrd_addr_max = 0x1801fff;
    assert_true(load_guest(&load));
    assert_int_equal(params()->hdr.ramdisk_image, 0x1800000);
    load.initrd = (struct load_file){0};
    assert_true(load_guest(&load));
    assert_int_equal(params()->hdr.ramdisk_size, 0);
}

static void other_bad(void **state)
{
    static char cmdline[5000];

    memset(kernel, 0, BZIMAGE);
    assert_refused("kernel: it is neither a Linux bzImage nor an ELF64 executable");
    load.kernel.size = 0;
    assert_refused("kernel: it is neither");
    load.kernel.bytes = NULL;
    assert_refused("kernel: there is none");
    memset(cmdline, 'x', sizeof(cmdline) - 1);
    load.cmdline = cmdline;
    assert_refused("cmdline: it has 4999 characters, there is room for 4095");
    load.cmdline = "";
    b->memory.low_end = 0;
    assert_refused("memory: 0 bytes are too few");
}

/* An ELF file in the kernel's place: a header, two segments, a few bytes for the first. */
struct elf {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
    struct {
        uint32_t type, flags;
        uint64_t offset, vaddr, paddr, filesz, memsz, align;
    } segment[2];
    uint8_t code[16];
};

static struct elf *make_elf(void)
{
    struct elf *e = (struct elf *)kernel;

    *e = (struct elf){.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
                      .type = 2,
                      .machine = 62,
                      .version = 1,
                      .entry = 0x400004,
                      .phoff = 64,
                      .phentsize = 56,
                      .phnum = 2,
                      .segment = {{1, 5, offsetof(struct elf, code), 0xffffffff80400000, 0x400000,
                                   16, 0x3000, 4096},
                                  {6, 0, ~0ULL, 0, 0, ~0ULL, ~0ULL, 0}}, /* not one to load */
                      .code = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
    load.kernel.size = sizeof(*e);
    return e;
}

static void elf_placed(void **state)
{
    struct elf *e = make_elf();

    assert_true(load_guest(&load));
    assert_int_equal(load.entry, 0x400004);
    assert_int_equal(load.kernel_end, 0x403000);
    assert_memory_equal(b->memory.base + 0x400000, e->code, 16);
    assert_int_equal(params()->hdr.cmd_line_ptr, LOAD_CMDLINE);
    assert_int_equal(params()->hdr.ramdisk_size, 5000);
    assert_int_equal(params()->e820_entries, 4);
}

/* At a restart the memory is what the guest left: what has to be zero is made so. */
static void elf_again(void **state)
{
    make_elf();
    memset(b->memory.base, 0xcc, MEMORY);
    assert_true(load_guest(&load));
    for (uint64_t i = 16; i < 0x3000; i++)
        assert_int_equal(b->memory.base[0x400000 + i], 0);
    assert_int_equal(b->memory.base[0x403000], 0xcc);
    assert_int_equal(params()->hdr.setup_data, 0);
    assert_int_equal(((uint64_t *)(b->memory.base + LOAD_PAGE_TABLES))[1], 0);
}

static void elf_bad(void **state)
{
    struct elf *e = make_elf();

    e->machine = 3;
    assert_refused("kernel: the ELF file is for another machine");
    e->machine = 62;
    e->type = 3;
    assert_refused("kernel: the ELF file is not linked to a fixed address (type 3)");
    e->type = 2;
    e->phoff = UINT64_MAX - 8;
    assert_refused("no program headers");
    e->phoff = 64;
    e->phnum = 0xffff;
    assert_refused("no program headers");
    e->phnum = 2;
    e->segment[0].offset = UINT64_MAX;
    assert_refused("segment 0 lies beyond the end of the file");
    e->segment[0].offset = offsetof(struct elf, code);
    e->segment[0].filesz = 17;
    assert_refused("truncated");
    e->segment[0].filesz = 16;
    e->segment[0].paddr = 0x8000;
    assert_refused("kernel: ELF segment 0 needs 12288 bytes of memory at 8000, and a kernel can "
                   "have it from 100000");
    e->segment[0].paddr = MEMORY - 0x1000;
    assert_refused("memory: ELF segment 0 needs memory from 3fff000 to 4002000");
    e->segment[0].paddr = 0x400000;
    e->segment[0].memsz = UINT64_MAX;
    assert_refused("segment 0 needs");
    e->segment[0].memsz = 0x3000;
    e->entry = 0xffffffff80400004;
    assert_refused("entry ffffffff80400004 is in none of its segments");
    e->entry = 0x400004;
    load.kernel.size = 63;
    assert_refused("neither");
    load.kernel.size = sizeof(*e);
    assert_true(load_guest(&load));
}

/* Damaged files are refused or loaded, but harm nobody. */
static void random_damage(void **state)
{
    uint8_t *good = malloc(BZIMAGE);
    unsigned accepted = 0;

    for (int i = 0; i < 20000; i++) {
        if (i % 2 == 0) {
            teardown(state);
            setup(state);
        } else {
            make_elf();
        }
        memcpy(good, kernel, BZIMAGE);
        for (int n = 0; n < 4; n++) {
            size_t at = i % 2 == 0 ? SETUP_HEADER_OFFSET + random_u64() % 0x80 : random_u64() % 176;

            kernel[at] = (uint8_t)random_u64();
        }
        accepted += load_guest(&load);
        memcpy(kernel, good, BZIMAGE);
    }
    free(good);
    assert_in_range(accepted, 500, 19500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(linux_placed, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_map, setup, teardown),
        cmocka_unit_test_setup_teardown(first_state, setup, teardown),
        cmocka_unit_test_setup_teardown(linux_placement, setup, teardown),
        cmocka_unit_test_setup_teardown(linux_part_of_paragraph, setup, teardown),
        cmocka_unit_test_setup_teardown(linux_bad, setup, teardown),
        cmocka_unit_test_setup_teardown(initrd_bad, setup, teardown),
        cmocka_unit_test_setup_teardown(other_bad, setup, teardown),
        cmocka_unit_test_setup_teardown(elf_placed, setup, teardown),
        cmocka_unit_test_setup_teardown(elf_again, setup, teardown),
        cmocka_unit_test_setup_teardown(elf_bad, setup, teardown),
        cmocka_unit_test_setup_teardown(random_damage, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
