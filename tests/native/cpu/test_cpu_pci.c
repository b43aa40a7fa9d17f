/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk over PCI's configuration space that takes bus mastering from endpoints. */
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walk),
    };

    return cmocka_run_group_tests_name("bus mastering", tests, NULL, NULL);
}
