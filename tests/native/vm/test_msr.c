/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSR table and what is derived from it (R25-R27, R29-R31, R35, R38, R44, R45). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hypervisor/msr/msr.h"
#include "lib/bits.h"
#include "lib/vmcs.h"

#define ALL_FEATURES UINT32_MAX

static struct msr_file file;

static int setup(void **state)
{
    msr_file_reset(&file, ALL_FEATURES, 40);
    return 0;
}

static enum msr_result read(uint32_t index, uint64_t *value)
{
    const struct msr_row *row = msr_find(index);
    return row ? msr_read(&file, row, index, value) : MSR_GP;
}

static enum msr_result write(uint32_t index, uint64_t value)
{
    const struct msr_row *row = msr_find(index);
    return row ? msr_write(&file, row, index, value) : MSR_GP;
}

static void assert_reads(uint32_t index, uint64_t expected)
{
    uint64_t value = ~expected;
    assert_int_equal(read(index, &value), MSR_OK);
    assert_true(value == expected);
}

/* Why each row is as it is, which ring 0 has no use for. */
#define WHY(name, class, features, init, pass, check, control, handler, field, reset, mask, why) why
static const char *const whys[MSR_ROW_COUNT] = {
#define MSR(id, index, ...)                     WHY(__VA_ARGS__),
#define MSR_RANGE(id, first, last, stride, ...) WHY(__VA_ARGS__),
#include "hypervisor/msr/table.def"
};

static void sorted_and_complete(void **state)
{
    for (unsigned i = 0; i < MSR_ROW_COUNT; i++) {
        const struct msr_row *row = &msr_rows[i];
        assert_true(row->first <= row->last);
        assert_true(i == 0 || msr_rows[i - 1].last < row->first);
        assert_true(strlen(row->name) > 0 && strlen(whys[i]) > 0);
        assert_true(row->handler < MSR_HANDLER_COUNT);
        for (uint32_t index = row->first; index <= row->last; index++)
            assert_ptr_equal(msr_find(index), row);
        assert_true(msr_find(row->last + 1) != row);
    }
}

/* A VMCS row names a field, no other does; a resident row is written through its handler. */
static void classes(void **state)
{
    for (const struct msr_row *row = msr_rows; row < msr_rows + MSR_ROW_COUNT; row++) {
        assert_int_equal(row->class == MSR_CLASS_VMCS, row->field != 0);
        assert_int_equal(row->class == MSR_CLASS_RESIDENT,
                         row->handler == MSR_HANDLER_RESIDENT ||
                             row->handler == MSR_HANDLER_SPEC_CTRL);
        assert_true(row->control == MSR_CONTROL_NONE || row->class == MSR_CLASS_VMCS);
        assert_true(row->pass == MSR_PASS_NONE || row->pass == MSR_PASS_READ_EQUAL ||
                    row->class != MSR_CLASS_EMULATED);
    }
    assert_int_equal(msr_find(0x174)->field, VMCS_GUEST_SYSENTER_CS);
    assert_int_equal(msr_find(0xc0000101)->field, VMCS_GUEST_GS_BASE);
}

static void reset_values_are_valid(void **state)
{
    for (const struct msr_row *row = msr_rows; row < msr_rows + MSR_ROW_COUNT; row++)
        if (row->check != MSR_CHECK_READ_ONLY && row->check != MSR_CHECK_IGNORE)
            assert_true(msr_valid(row, row->first, row->reset, 40));
}

static bool intercepted(const uint8_t *bitmap, uint32_t index, bool write)
{
    unsigned byte = (index >= 0xc0000000 ? 1024 : 0) + (write ? 2048 : 0) + (index & 0x1fff) / 8;
    return bitmap[byte] >> index % 8 & 1;
}

/* R25: exactly the rows' bits are clear. */
static void bitmap(void **state)
{
    static const uint32_t read_write[] = {0x174, 0x175,      0x176,      0x6a0,     0x6a2,
                                          0x6a4, 0x6a5,      0x6a6,      0x6a7,     0x6a8,
                                          0x6e1, 0xc0000100, 0xc0000101, 0xc0000102};
    static const uint32_t read_only[] = {0x10,       0x277,      0xda0,      0xc0000080, 0xc0000081,
                                         0xc0000082, 0xc0000083, 0xc0000084, 0xc0000103};
    uint8_t map[4096];
    size_t clear = 0;
    msr_bitmap(map, ALL_FEATURES, 48);
    for (size_t i = 0; i < sizeof(map); i++)
        clear += 8 - (size_t)__builtin_popcount(map[i]);
    assert_int_equal(clear, 2 * ARRAY_SIZE(read_write) + 9 + 2);
    assert_true(intercepted(map, 0x10b, false) && !intercepted(map, 0x10b, true));
    assert_true(intercepted(map, 0x49, false) && !intercepted(map, 0x49, true));
    assert_true(intercepted(map, 0x48, false) && intercepted(map, 0x48, true));
    for (size_t i = 0; i < ARRAY_SIZE(read_write); i++)
        assert_false(intercepted(map, read_write[i], false) ||
                     intercepted(map, read_write[i], true));
    for (unsigned i = 0; i < 9; i++)
        assert_true(!intercepted(map, read_only[i], false) && intercepted(map, read_only[i], true));
    msr_bitmap(map, ALL_FEATURES & ~(uint32_t)MSR_FEATURE_RDTSCP, 48);
    assert_true(intercepted(map, 0xc0000103, false));
}

/* A CPU with wider addresses than the guest's would not refuse what the guest's must: each row that
 * is checked for that exits. */
static void bitmap_of_57_bits(void **state)
{
    uint8_t map[4096], narrow[4096];
    msr_bitmap(narrow, ALL_FEATURES, 48);
    msr_bitmap(map, ALL_FEATURES, 57);
    for (const struct msr_row *row = msr_rows; row < msr_rows + MSR_ROW_COUNT; row++) {
        if (row->pass == MSR_PASS_NONE)
            continue;
        assert_int_equal(intercepted(map, row->first, false),
                         intercepted(narrow, row->first, false));
        assert_int_equal(intercepted(map, row->first, true),
                         intercepted(narrow, row->first, true) ||
                             row->check == MSR_CHECK_CANONICAL || row->check == MSR_CHECK_CET);
    }
    assert_true(intercepted(map, 0x6a0, true) && intercepted(map, 0x6a8, true));
    assert_true(intercepted(map, 0xc0000102, true) && !intercepted(map, 0x174, true));
}

/* A resident value that a guest may write without an exit is read back. */
static void unseen(void **state)
{
    for (const struct msr_row *row = msr_rows; row < msr_rows + MSR_ROW_COUNT; row++)
        if (row->class == MSR_CLASS_RESIDENT)
            assert_int_equal((MSR_UNSEEN & BIT(row->slot)) != 0, row->pass == MSR_PASS_READ_WRITE);
}

static void cet(void **state)
{
    const struct msr_row *u_cet = &msr_rows[MSR_ROW_U_CET], *ssp = &msr_rows[MSR_ROW_PL3_SSP];

    for (unsigned bit = 0; bit < 64; bit++) {
        assert_int_equal(msr_valid(u_cet, 0x6a0, BIT(bit), 40),
                         bit < 6 || bit == 10 || bit == 11 || (bit >= 12 && bit < 47));
        assert_int_equal(msr_valid(ssp, 0x6a7, BIT(bit), 40), bit >= 2 && bit < 47);
    }
    assert_false(msr_valid(u_cet, 0x6a0, 0xc00, 40));
    assert_false(msr_valid(u_cet, 0x6a0, 0xffff800000000843, 40));
    assert_true(msr_valid(u_cet, 0x6a0, 0xffff800000000803, 40));
    assert_int_equal(msr_resident(MSR_FEATURE_CET), MSR_SET(U_CET) | MSR_SET(PL0_SSP) |
                                                        MSR_SET(PL1_SSP) | MSR_SET(PL2_SSP) |
                                                        MSR_SET(PL3_SSP));
}

/* What passes at times exits at first; then it is that one bit that is changed, and the access is
 * the same again. */
static void bitmap_changes(void **state)
{
    static const uint32_t indices[] = {0x3b, 0xc0000080};
    uint8_t map[4096], before[4096];
    msr_bitmap(map, ALL_FEATURES, 48);
    assert_true(intercepted(map, 0x3b, false) && intercepted(map, 0x3b, true));
    memset(map, 0xff, sizeof(map));
    for (unsigned i = 0; i < 2; i++)
        for (int write = 0; write < 2; write++) {
            memcpy(before, map, sizeof(map));
            msr_bitmap_set(map, indices[i], write, false);
            assert_true(!intercepted(map, indices[i], write) &&
                        intercepted(map, indices[i], !write));
            msr_bitmap_set(map, indices[i], write, true);
            assert_memory_equal(map, before, sizeof(map));
        }
}

/* Without their controls, and only then. */
static void areas(void **state)
{
    assert_int_equal(msr_area(MSR_CONTROL_EFER | MSR_CONTROL_PAT), 0);
    assert_int_equal(msr_area(MSR_CONTROL_PAT), MSR_SET(EFER));
    assert_int_equal(msr_area(0), MSR_SET(EFER) | MSR_SET(PAT));
}

static void resident(void **state)
{
    uint64_t syscall = MSR_SET(STAR) | MSR_SET(LSTAR) | MSR_SET(CSTAR) | MSR_SET(FMASK);

    assert_int_equal(msr_resident(MSR_FEATURE_LM), MSR_SET(KERNEL_GS_BASE));
    assert_int_equal(msr_resident(MSR_FEATURE_SYSCALL), syscall);
    assert_int_equal(msr_resident(MSR_FEATURE_SYSCALL | MSR_FEATURE_LM | MSR_FEATURE_RDTSCP),
                     syscall | MSR_SET(KERNEL_GS_BASE) | MSR_SET(TSC_AUX));
    assert_int_equal(msr_resident(0), 0);
}

/* A set's members are the slots of rows that are one MSR, and each has its row's index; no other
 * row is switched. */
static void switched(void **state)
{
    for (unsigned n = 0; n < MSR_ROW_COUNT; n++) {
        const struct msr_row *row = &msr_rows[n];
        bool is_switched = row->class == MSR_CLASS_RESIDENT || row->class == MSR_CLASS_VMCS;
        if (row->slot < MSR_ROW_COUNT) {
            assert_int_equal(row->slot, n);
            assert_int_equal(msr_index[n], row->first);
            assert_int_equal(row->last, row->first);
        } else {
            assert_false(is_switched);
        }
    }
}

/* R27 */
static void unknown(void **state)
{
    static const uint32_t indices[] = {0x2,        0x4a,  0x10c,  0x185,  0x18e,      0x38f, 0x400,
                                       0x47f,      0x494, 0x570,  0x600,  0xc0000000, 0x900, 0x7ff,
                                       0xc0000085, 0x17b, 0x1fff, 0x2000, 0xffffffff, 0x210, 0x257};
    uint64_t value = 0x1234;
    for (unsigned i = 0; i < sizeof(indices) / sizeof(indices[0]); i++) {
        assert_null(msr_find(indices[i]));
        assert_int_equal(read(indices[i], &value), MSR_GP);
        assert_int_equal(value, 0x1234);
    }
}

/* What a guest is not given has no row, and is in the order of the indices. */
static void absent(void **state)
{
    static const uint32_t ranges[][2] = {
#define ABSENT(first, last, ...) {first, last},
#include "guests/msr_absent.def"
    };
    for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        assert_true(ranges[i][0] <= ranges[i][1]);
        assert_true(i == 0 || ranges[i - 1][1] < ranges[i][0]);
        for (uint32_t index = ranges[i][0]; index <= ranges[i][1]; index++)
            assert_null(msr_find(index));
    }
}

static void features(void **state)
{
    uint64_t value;
    file.features = ALL_FEATURES & ~(uint32_t)MSR_FEATURE_RDTSCP;
    assert_int_equal(read(0xc0000103, &value), MSR_GP);
    assert_int_equal(write(0xc0000103, 0), MSR_GP);
}

static void special_rows(void **state)
{
    assert_reads(0x0, 0);
    assert_reads(0x1, 0);
    assert_int_equal(write(0x0, 1), MSR_GP);
    assert_int_equal(write(0x1, 1), MSR_GP);
    file.value[MSR_SLOT_BIOS_SIGN_ID] = 0x2b00000000; /* the host's */
    assert_reads(0x8b, 0x2b00000000);
    assert_int_equal(write(0x8b, 0), MSR_OK);
    assert_int_equal(write(0x8b, 1), MSR_GP);
    assert_reads(0x8b, 0x2b00000000);
    assert_int_equal(write(0x79, 0xffff888000000000), MSR_HANDLER);
    assert_int_equal(msr_find(0x79)->handler, MSR_HANDLER_WRITE_ONLY);
    assert_reads(0x3a, 1);
    assert_int_equal(write(0x3a, 1), MSR_GP);
    assert_int_equal(write(0x179, 0), MSR_GP);
    assert_int_equal(write(0x17a, 7), MSR_OK);
    assert_reads(0x17a, 7);
    assert_int_equal(write(0x17a, 8), MSR_GP);
}

/* Nothing but what says that a flaw is not there, warns of one, or tells what VERW does: no bit
 * that promises an MSR that is not there, as TSX_CTRL (7), FB_CLEAR_CTRL (18) and GDS_CTRL (25) do.
 */
static void arch_capabilities(void **state)
{
    static const uint64_t promises = 1 << 3 | 1 << 7 | 0xf << 9 | 1 << 18 | 3 << 21 | 1 << 25;

    assert_true((ARCH_CAPABILITIES_SHOWN & promises) == 0);
    assert_true((ARCH_CAPABILITIES_SHOWN & 1) != 0 && (uint64_t)ARCH_CAPABILITIES_SHOWN >> 62 == 1);
    file.value[MSR_SLOT_ARCH_CAPABILITIES] = 0x11; /* the host's */
    assert_reads(0x10a, 0x11);
    assert_int_equal(write(0x10a, 0x11), MSR_GP);
    file.features = ALL_FEATURES & ~(uint32_t)MSR_FEATURE_ARCH_CAPABILITIES;
    assert_int_equal(write(0x10a, 0), MSR_GP);
    uint64_t value;
    assert_int_equal(msr_read(&file, msr_find(0x10a), 0x10a, &value), MSR_GP);
}

/* By the CPU's words: nothing without IBRS, and of the rest what leaf 7 tells of; what is always
 * set, where it holds once it is set. */
static void spec_ctrl(void **state)
{
    static const struct {
        uint32_t features, controls, settable, forced;
        uint64_t capabilities;
    } rows[] = {
        {0, 0, 0, 0, 0},
        {1u << 27 | 1u << 31, 0x1f, 0, 0, 1 << 1},  /* no IBRS: no MSR */
        {1u << 26, 0, 0x3, 0, 0},                   /* STIBP comes with IBRS */
        {1u << 26 | 1u << 31, 0, 0x7, 0, 0},        /* Skylake, with microcode */
        {1u << 26 | 1u << 31, 0, 0x7, 0x1, 1 << 1}, /* Cascade Lake */
        {1u << 26, 0x1, 0x83, 0, 0},                /* each bit of subleaf 2 */
        {1u << 26, 0x2, 0x1b, 0, 0},
        {1u << 26, 0x4, 0x63, 0, 0},
        {1u << 26, 0x8, 0x103, 0, 0},
        {1u << 26, 0x10, 0x403, 0x400, 0},
        {1u << 26, 0x20, 0x3, 0, 0},                       /* MCDT_NO has no bit there */
        {1u << 26 | 1u << 31, 0x17, 0x4ff, 0x401, 1 << 1}, /* Alder Lake */
        {1u << 26, 0x1f, 0x5fb, 0x1, 1 << 1 | 1 << 20},    /* BHI_NO */
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spec_ctrl s =
            spec_ctrl_of(&(struct mitigation_facts){.features = rows[i].features,
                                                    .controls = rows[i].controls,
                                                    .capabilities = rows[i].capabilities});
        assert_int_equal(s.settable, rows[i].settable);
        assert_int_equal(s.forced, rows[i].forced);
        assert_int_equal(s.settable & ~SPEC_CTRL_BITS, 0);
    }
    assert_int_equal(write(0x48, 0x5ff), MSR_HANDLER);
    assert_int_equal(write(0x48, 0x200), MSR_GP);
    assert_int_equal(write(0x48, 0x800), MSR_GP);
    assert_int_equal(write(0x49, 1), MSR_HANDLER);
    assert_int_equal(write(0x49, 2), MSR_GP);
    file.features = ALL_FEATURES & ~(uint32_t)MSR_FEATURE_SPEC_CTRL;
    assert_int_equal(write(0x48, 0), MSR_GP);
    assert_int_equal(write(0x49, 0), MSR_GP);
}

/* Each bit by itself: 0, 3, 18, 22 and 34 can be written. */
static void misc_enable(void **state)
{
    static const uint64_t writable = 1 | 1 << 3 | 1 << 18 | 1 << 22 | 1ULL << 34;
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t value = 0x1801 ^ 1ULL << bit;
        bool may = writable >> bit & 1;
        assert_reads(0x1a0, 0x1801);
        assert_int_equal(write(0x1a0, value), may ? MSR_OK : MSR_GP);
        assert_reads(0x1a0, may ? value : 0x1801);
        assert_int_equal(write(0x1a0, 0x1801), MSR_OK);
    }
}

static void syscall_rows(void **state)
{
    assert_int_equal(write(0xc0000081, UINT64_MAX), MSR_HANDLER);
    assert_true(file.value[MSR_SLOT_STAR] == 0); /* the handler's */
    for (uint32_t index = 0xc0000082; index <= 0xc0000083; index++) {
        assert_int_equal(write(index, 0x00007fffffffffff), MSR_HANDLER);
        assert_int_equal(write(index, 0xffff800000000000), MSR_HANDLER);
        assert_int_equal(write(index, 0x0000800000000000), MSR_GP);
        assert_int_equal(write(index, 0xffff7fffffffffff), MSR_GP);
    }
    assert_int_equal(write(0xc0000084, 0xffffffff), MSR_HANDLER);
    assert_int_equal(write(0xc0000084, 0x100000000), MSR_GP);
    assert_int_equal(write(0xc0000103, 0x100000000), MSR_GP);
    assert_int_equal(write(0xc0000080, 0xd01), MSR_HANDLER);
    assert_int_equal(write(0xc0000080, 0x2), MSR_GP);
    for (unsigned bit = 0; bit < 64; bit++)
        assert_int_equal(write(0x1d9, 1ULL << bit), bit < 2 ? MSR_HANDLER : MSR_GP);
}

static void mtrrs(void **state)
{
    assert_reads(0xfe, 0x508);
    for (uint32_t index = 0x200; index <= 0x20f; index++)
        assert_int_equal(write(index, (uint64_t)index << 12), MSR_OK);
    for (uint32_t index = 0x200; index <= 0x20f; index++)
        assert_reads(index, (uint64_t)index << 12);
    assert_int_equal(write(0x201, 0x10000000000), MSR_GP);
    assert_int_equal(write(0x2ff, 0xc06), MSR_OK);
    assert_int_equal(write(0x2ff, 0x1006), MSR_GP);
    assert_int_equal(write(0x26f, 0x0606060606060606), MSR_OK);
    assert_reads(0x26e, 0);
    msr_file_firmware(&file, 0xc0000000, 0x40000000);
    assert_reads(0x200, 0xc0000000);
    assert_reads(0x201, 0xffc0000800);
    assert_reads(0x2ff, 0x806);
}

static void init_and_reset(void **state)
{
    file.value[MSR_SLOT_EFER] = 0x500;
    file.value[MSR_SLOT_LSTAR] = 0x1000;
    write(0x277, 0);
    msr_file_init(&file);
    assert_true(file.value[MSR_SLOT_EFER] == 0);
    assert_true(file.value[MSR_SLOT_LSTAR] == 0x1000);
    msr_file_reset(&file, ALL_FEATURES, 40);
    assert_true(file.value[MSR_SLOT_LSTAR] == 0);
    assert_true(file.value[MSR_SLOT_PAT] == 0x0007040600070406);
    assert_true(file.value[MSR_SLOT_MTRR_VARIABLE_LAST] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_and_complete),
        cmocka_unit_test(classes),
        cmocka_unit_test(reset_values_are_valid),
        cmocka_unit_test(bitmap),
        cmocka_unit_test(bitmap_of_57_bits),
        cmocka_unit_test(unseen),
        cmocka_unit_test(cet),
        cmocka_unit_test(bitmap_changes),
        cmocka_unit_test(areas),
        cmocka_unit_test(resident),
        cmocka_unit_test(switched),
        cmocka_unit_test_setup(arch_capabilities, setup),
        cmocka_unit_test_setup(unknown, setup),
        cmocka_unit_test_setup(absent, setup),
        cmocka_unit_test_setup(features, setup),
        cmocka_unit_test_setup(special_rows, setup),
        cmocka_unit_test_setup(spec_ctrl, setup),
        cmocka_unit_test_setup(misc_enable, setup),
        cmocka_unit_test_setup(syscall_rows, setup),
        cmocka_unit_test_setup(mtrrs, setup),
        cmocka_unit_test_setup(init_and_reset, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
