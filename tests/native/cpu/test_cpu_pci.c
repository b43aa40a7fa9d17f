/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk over PCI's configuration space that takes bus mastering from endpoints; what a function
 * decodes, and its message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/pci.h"
#include "lib/bits.h"

#define STATUS 0x2900 /* ones there that a write of ones would clear */

/* Where a function is, what it is, its command register and what becomes of it. */
static struct function {
    uint8_t bus, device, function, header, class;
    uint16_t command, expected;
} functions[] = {
    {0, 0, 0, 0x00, 0x06, 0x006, 0x006},    /* the host bridge */
    {0, 1, 0, 0x80, 0x06, 0x007, 0x007},    /* the ISA bridge, with more functions */
    {0, 1, 1, 0x80, 0x01, 0x007, 0x003},    /* IDE */
    {0, 1, 7, 0x00, 0x0c, 0x404, 0x400},    /* USB, behind a gap */
    {0, 2, 0, 0x00, 0x03, 0x003, 0x003},    /* graphics that master nothing */
    {0, 3, 0, 0x01, 0x06, 0x007, 0x007},    /* a bridge to bus 5 */
    {5, 31, 0, 0x00, 0x02, 0x107, 0x103},   /* a network card behind it */
    {5, 30, 0, 0x00, 0x02, 0x003, 0x003},   /* one whose other functions are not there */
    {5, 30, 1, 0x00, 0x02, 0x007, 0x007},   /* as a device says that decodes no function's number */
    {255, 31, 0, 0x02, 0x06, 0x004, 0x004}, /* a CardBus bridge */
    {255, 29, 0, 0x01, 0xff, 0x004, 0x004}, /* what is behind it is not its own */
    {255, 30, 0, 0x80, 0x01, 0x006, 0x002}, /* the last bus */
};
static uint32_t address;
static unsigned writes;

/* A function with every kind of register: a whole configuration space that answers like one. */
#define FUNCTION 0x2a8u /* bus 2, device 21 */
static uint32_t space[64], writable[64], table[4];
static bool has_space;

static bool is_space(void)
{
    return has_space && (address >> 8 & 0xffff) == FUNCTION;
}

static struct function *find(void)
{
    assert_true(address & 0x80000000);
    for (unsigned i = 0; i < ARRAY_SIZE(functions); i++) {
        const struct function *f = &functions[i];
        if ((address >> 8 & 0xffff) == ((uint32_t)f->bus << 8 | f->device << 3 | f->function))
            return &functions[i];
    }
    return NULL;
}

void outl(uint16_t port, uint32_t value)
{
    struct function *f;

    if (port == 0xcf8) {
        address = value;
        return;
    }
    assert_int_equal(port, 0xcfc);
    if (is_space()) {
        uint32_t *word = &space[(address & 0xff) / 4], mask = writable[(address & 0xff) / 4];
        *word = (*word & ~mask) | (value & mask);
        return;
    }
    f = find();
    assert_non_null(f);
    assert_int_equal(address & 0xff, 4);
    assert_int_equal(value >> 16, 0); /* the status stays */
    f->command = (uint16_t)value;
    writes++;
}

uint32_t inl(uint16_t port)
{
    const struct function *f = find();

    assert_int_equal(port, 0xcfc);
    if (is_space())
        return space[(address & 0xff) / 4];
    if (f == NULL)
        return UINT32_MAX;
    switch (address & 0xff) {
    case 0:
        return 0x12348086;
    case 4:
        return STATUS << 16 | f->command;
    case 8:
        return (uint32_t)f->class << 24;
    case 0xc:
        return (uint32_t)f->header << 16;
    default:
        fail();
        return 0;
    }
}

static void walk(void **state)
{
    assert_int_equal(pci_stop_masters(), 4);
    for (unsigned i = 0; i < ARRAY_SIZE(functions); i++)
        assert_int_equal(functions[i].command, functions[i].expected);
    assert_int_equal(writes, 4);
    assert_int_equal(pci_stop_masters(), 0);
    assert_false(pci_stop_master(0)); /* a bridge */
}

static volatile uint32_t *map(uint64_t phys, uint64_t size)
{
    assert_int_equal(phys, 0x1fe0002000);
    assert_int_equal(size, 16);
    return table;
}

uint32_t mmio_read(const volatile uint32_t *reg)
{
    return *reg;
}

void mmio_write(volatile uint32_t *reg, uint32_t value)
{
    *reg = value;
}

static int make_space(void **state)
{
    static const struct {
        unsigned at;
        uint32_t value, writable;
    } rows[] = {
        {0x00, 0x00108086, 0},          {0x04, 0x00100000, 0x0000ffff},
        {0x08, 0x01080210, 0},          {0x10, 0x0000c001, 0x0000fff0},
        {0x14, 0xe0000004, 0xffffc000}, {0x18, 0x0000001f, 0xffffffff},
        {0x1c, 0xfebf0000, 0xfffff000}, {0x34, 0x00000040, 0},
        {0x40, 0x00807005, 0xffff0000}, {0x44, 0, 0xfffffffc},
        {0x48, 0, 0xffffffff},          {0x4c, 0, 0x0000ffff},
        {0x70, 0x003f0011, 0xc0000000}, {0x74, 0x00002001, 0},
    };

    memset(space, 0, sizeof(space));
    memset(writable, 0, sizeof(writable));
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        space[rows[i].at / 4] = rows[i].value;
        writable[rows[i].at / 4] = rows[i].writable;
    }
    has_space = true;
    return 0;
}

static int drop_space(void **state)
{
    has_space = false;
    return 0;
}

static void bars(void **state)
{
    struct pci_bar found[PCI_BARS];

    assert_int_equal(pci_find(0x010802, 0), FUNCTION);
    assert_int_equal(pci_find(0x010802, 1), PCI_NONE);
    space[1] |= 7;
    pci_bars(FUNCTION, found);
    assert_int_equal(space[1] & 0xffff, 7);
    assert_true(found[0].ports && found[0].base == 0xc000 && found[0].size == 0x10);
    assert_true(!found[1].ports && found[1].base == 0x1fe0000000 && found[1].size == 0x4000);
    assert_int_equal(found[2].size, 0);
    assert_true(!found[3].ports && found[3].base == 0xfebf0000 && found[3].size == 0x1000);
    assert_int_equal(found[4].size, 0);
    assert_int_equal(space[0x14 / 4], 0xe0000004);
    space[1] = 0x00100000;
    pci_enable(FUNCTION);
    assert_int_equal(space[1] & 0xffff, 7);
}

/* What decodes where no page table reaches has no address; nor is a message's table written there.
 */
static void bars_nowhere(void **state)
{
    struct pci_bar found[PCI_BARS];

    space[0x18 / 4] = 0x4000;
    pci_bars(FUNCTION, found);
    assert_true(!found[1].ports && found[1].base == 0 && found[1].size == 0x4000);
    space[0x40 / 4] = 0x7011; /* no MSI */
    assert_false(pci_interrupt(FUNCTION, 0xfee01000, 0x41, map));
    space[0x18 / 4] = UINT32_MAX;
    pci_bars(FUNCTION, found);
    assert_int_equal(found[1].base, 0);
    space[0x18 / 4] = 0x3fff; /* the last that is reached */
    pci_bars(FUNCTION, found);
    assert_int_equal(found[1].base, 0x3fffe0000000);
}

static void messages(void **state)
{
    assert_true(pci_interrupt(FUNCTION, 0xfee01000, 0x41, map));
    assert_int_equal(table[0], 0xfee01000);
    assert_int_equal(table[1], 0);
    assert_int_equal(table[2], 0x41);
    assert_int_equal(table[3], 0);
    assert_int_equal(space[0x70 / 4] >> 30, 2);
    space[0x40 / 4] &= 0xffff00ff; /* no MSI-X behind it */
    assert_true(pci_interrupt(FUNCTION, 0xfee01000, 0x42, map));
    assert_int_equal(space[0x44 / 4], 0xfee01000);
    assert_int_equal(space[0x48 / 4], 0);
    assert_int_equal(space[0x4c / 4], 0x42);
    assert_int_equal(space[0x40 / 4] >> 16 & 0x71, 1);
    space[0x34 / 4] = 0;
    assert_false(pci_interrupt(FUNCTION, 0xfee01000, 0x42, map));
}

/* Two that name each other. */
static void a_loop(void **state)
{
    space[0x40 / 4] = 0x4009;
    assert_false(pci_interrupt(FUNCTION, 0xfee01000, 0x42, map));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walk),
        cmocka_unit_test_setup_teardown(bars, make_space, drop_space),
        cmocka_unit_test_setup_teardown(bars_nowhere, make_space, drop_space),
        cmocka_unit_test_setup_teardown(messages, make_space, drop_space),
        cmocka_unit_test_setup_teardown(a_loop, make_space, drop_space),
    };

    return cmocka_run_group_tests_name("the host's PCI functions", tests, NULL, NULL);
}
