/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's PCI bus: configuration space by its ports, the host bridge, and functions with their
 * BARs. */
#include <string.h>

#include "tests/native/monitor/fakes.h"

#define COM1 0x3f8

static struct board *b;

static int setup(void **state)
{
    b = fake_board(64 << 20);
    return 0;
}

static int teardown(void **state)
{
    fake_board_free(b);
    return 0;
}

/* R20. Another vCPU's index does not count, what is not there answers all ones. */
static void pci(void **state)
{
    board_out(b, 0, 0xcf8, 4, 0x80000000);
    assert_int_equal(board_in(b, 0, 0xcf8, 4), 0x80000000);
    board_out(b, 0, 0xcfb, 1, 1); /* not the address register */
    assert_int_equal(board_in(b, 0, 0xcf8, 4), 0x80000000);
    assert_int_equal(board_in(b, 1, 0xcf8, 4), 0);
    for (uint32_t bdf = 1; bdf < 0x10000; bdf++) {
        board_out(b, 0, 0xcf8, 4, 0x80000000 | bdf << 8);
        assert_int_equal(board_in(b, 0, 0xcfc, 4), 0xffffffff);
        assert_int_equal(board_in(b, 0, 0xcfe, 2) & 0xffff, 0xffff);
    }
    board_out(b, 0, 0xcfc, 4, 0);
}

static uint32_t bridge(unsigned offset, unsigned size)
{
    board_out(b, 0, 0xcf8, 4, 0x80000000 | (offset & ~3u));
    return board_in(b, 0, (uint16_t)(0xcfc + (offset & 3)), size) & UINT32_MAX >> (32 - 8 * size);
}

/* R20. A header, in any size; writes are dropped, beyond the header there is nothing. */
static void host_bridge_header(void **state)
{
    assert_int_equal(bridge(0x00, 4), 0x12378086);
    assert_int_equal(bridge(0x02, 2), 0x1237);
    assert_int_equal(bridge(0x0a, 2), 0x0600);
    assert_int_equal(bridge(0x0b, 1), 0x06);
    assert_int_equal(bridge(0x0e, 1), 0);
    for (unsigned offset = 0x0c; offset < 0x100; offset += 4)
        assert_int_equal(bridge(offset, 4), 0);
    for (unsigned offset = 0; offset < 0x100; offset += 4) {
        uint32_t before = bridge(offset, 4);

        board_out(b, 0, 0xcfc, 4, ~before);
        assert_int_equal(bridge(offset, 4), before);
    }
    board_out(b, 0, 0xcf8, 4, 0); /* not enabled */
    assert_int_equal(board_in(b, 0, 0xcfc, 4), 0xffffffff);
}

static struct {
    unsigned reads, writes, offset;
    uint32_t at, size, value;
    unsigned bar;
} seen;

static void function_reads(void *device, unsigned offset)
{
    seen.reads++;
    seen.offset = offset;
}

static void function_written(void *device, unsigned offset)
{
    seen.writes++;
    seen.offset = offset;
}

static uint32_t function_load(void *device, unsigned bar, uint32_t offset, unsigned size)
{
    return 0x11111111 * (bar + 1) + offset;
}

static void function_store(void *device, unsigned bar, uint32_t offset, unsigned size,
                           uint32_t value)
{
    seen.bar = bar;
    seen.at = offset;
    seen.size = size;
    seen.value = value;
}

static const struct pci_operations function_operations = {function_reads, function_written,
                                                          function_load, function_store};

static uint32_t config(unsigned offset, unsigned size)
{
    board_out(b, 0, 0xcf8, 4, 0x80000800 | (offset & ~3u));
    return board_in(b, 0, (uint16_t)(0xcfc + (offset & 3)), size) & UINT32_MAX >> (32 - 8 * size);
}

static void set_config(unsigned offset, unsigned size, uint32_t value)
{
    board_out(b, 0, 0xcf8, 4, 0x80000800 | (offset & ~3u));
    board_out(b, 0, (uint16_t)(0xcfc + (offset & 3)), size, value);
}

static struct pci_function *add_function(void)
{
    static struct pci_function function;

    function = (struct pci_function){.operations = &function_operations};
    pci_set(&function, PCI_ID, 4, 0x12345678);
    pci_set_bar(&function, 0, true, 16);
    pci_set_bar(&function, 1, false, 0x2000);
    assert_true(pci_add(&b->pci, &function));
    memset(&seen, 0, sizeof(seen));
    return &function;
}

/* Only the bits that a function lets be written change; it hears of each access. */
static void pci_function(void **state)
{
    struct pci_function *f = add_function();

    pci_set_writable(f, 0x40, 4, 0x00ff00f0);
    assert_int_equal(config(0, 4), 0x12345678);
    assert_int_equal(config(2, 2), 0x1234);
    assert_int_equal(seen.reads, 2);
    assert_int_equal(seen.offset, 2);
    set_config(0, 4, 0);
    assert_int_equal(config(0, 4), 0x12345678);
    set_config(0x40, 4, UINT32_MAX);
    assert_int_equal(config(0x40, 4), 0x00ff00f0);
    set_config(0x42, 1, 0x0a);
    assert_int_equal(seen.writes, 3);
    assert_int_equal(seen.offset, 0x42);
    assert_int_equal(config(0x40, 4), 0x000a00f0);
    board_out(b, 0, 0xcf8, 4, 0x80000900); /* its function 1 */
    assert_int_equal(board_in(b, 0, 0xcfc, 4), 0xffffffff);
    board_out(b, 0, 0xcf8, 4, 0x80010800); /* on bus 1 */
    assert_int_equal(board_in(b, 0, 0xcfc, 4), 0xffffffff);
    board_out(b, 0, 0xcf8, 4, 0x00000800); /* not enabled */
    assert_int_equal(board_in(b, 0, 0xcfc, 4), 0xffffffff);
}

/* "Base Addresses": their size is found by writing ones; they answer where they are, if the command
 * says so, and within the bridge's windows. */
static void pci_bars(void **state)
{
    add_function();
    assert_int_equal(config(0x10, 4), 0xc001);
    assert_int_equal(config(0x14, 4), 0xe0000000);
    assert_int_equal(config(0x04, 2), 3);
    assert_int_equal(board_in(b, 0, 0xc004, 2), 0x1115);
    assert_int_equal(board_load(b, 0, 0xe0001000, 4), 0x22223222);
    assert_int_equal(board_load(b, 0, 0xe0001002, 2), 0x3224);
    for (unsigned size = 1; size <= 8; size++)
        assert_int_equal(board_load(b, 0, 0xe0002000, size), UINT64_MAX >> (64 - 8 * size));
    set_config(0x10, 4, UINT32_MAX);
    set_config(0x14, 4, UINT32_MAX);
    set_config(0x18, 4, UINT32_MAX);
    assert_int_equal(config(0x10, 4), 0xfffffff1);
    assert_int_equal(config(0x14, 4), 0xffffe000);
    assert_int_equal(config(0x18, 4), 0);
    assert_int_equal(board_in(b, 0, 0xc004, 1), 0xff);
    set_config(0x10, 4, 0xcff0);
    set_config(0x14, 4, 0xefffe000);
    assert_int_equal(board_in(b, 0, 0xcfff, 1), 0x20);
    assert_int_equal(board_load(b, 0, 0xeffffffc, 4), 0x2222421e);
    set_config(0x04, 2, 1);
    assert_int_equal(board_in(b, 0, 0xcfff, 1), 0x20);
    assert_int_equal(board_load(b, 0, 0xeffffffc, 4), 0xffffffff);
    set_config(0x04, 2, 2);
    assert_int_equal(board_in(b, 0, 0xcfff, 1), 0xff);
    set_config(0x14, 4, 0xd0000000); /* not in the window */
    assert_int_equal(board_load(b, 0, 0xd0000000, 4), 0xffffffff);
    set_config(0x10, 4, 0x3f0); /* the UART stays where it is */
    set_config(0x04, 2, 3);
    board_out(b, 0, COM1 + 7, 1, 0x5a);
    assert_int_equal(board_in(b, 0, COM1 + 7, 1), 0x5a);
}

/* An access reaches the function as it was made when it is natural, and otherwise by bytes. */
static void pci_accesses(void **state)
{
    add_function();
    for (unsigned size = 1; size <= 4; size *= 2) {
        board_store(b, 0, 0xe0000008, size, 0x44332211);
        assert_int_equal(seen.bar, 1);
        assert_int_equal(seen.at, 8);
        assert_int_equal(seen.size, size);
        assert_int_equal(seen.value, 0x44332211 & UINT32_MAX >> (32 - 8 * size));
        board_out(b, 0, 0xc004, size, 0x55);
        assert_int_equal(seen.bar, 0);
        assert_int_equal(seen.at, 4);
        assert_int_equal(seen.size, size);
    }
    board_store(b, 0, 0xe0000010, 8, 0x8877665544332211);
    assert_int_equal(seen.at, 0x14);
    assert_int_equal(seen.size, 4);
    assert_int_equal(seen.value, 0x88776655);
    board_store(b, 0, 0xe0000011, 4, 0x44332211);
    assert_int_equal(seen.at, 0x14);
    assert_int_equal(seen.size, 1);
    assert_int_equal(seen.value, 0x44);
    assert_int_equal(board_load(b, 0, 0xe0000011, 2), 0x3433);
    assert_int_equal(board_load(b, 0, 0xe0000001, 8), 0x2a29282726252423);
}

/* The bus has a place for 16, at addresses of their own. */
static void pci_full(void **state)
{
    static struct pci_function functions[20];

    for (unsigned i = 0; i < 20; i++) {
        functions[i] = (struct pci_function){.operations = &function_operations};
        pci_set_bar(&functions[i], 0, true, i % 2 ? 16 : 64);
        pci_set_bar(&functions[i], 1, false, i % 2 ? 0x2000 : 0x8000);
        assert_int_equal(pci_add(&b->pci, &functions[i]), i < 15);
    }
    for (unsigned i = 0; i < 15; i++)
        for (unsigned other = 0; other < i; other++)
            for (unsigned bar = 0; bar < 2; bar++)
                assert_int_not_equal(pci_get(&functions[i], 0x10 + 4 * bar, 4),
                                     pci_get(&functions[other], 0x10 + 4 * bar, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pci, setup, teardown),
        cmocka_unit_test_setup_teardown(host_bridge_header, setup, teardown),
        cmocka_unit_test_setup_teardown(pci_function, setup, teardown),
        cmocka_unit_test_setup_teardown(pci_bars, setup, teardown),
        cmocka_unit_test_setup_teardown(pci_accesses, setup, teardown),
        cmocka_unit_test_setup_teardown(pci_full, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
