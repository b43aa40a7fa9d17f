/* SPDX-License-Identifier: BSD-2-Clause */
/* Doorbells, against a table of all ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hypervisor/vm/doorbell.h"

#define PORTS 0x10000u
#define NO    0xffu
#define STEPS 20000u

static struct doorbells bells;
static uint8_t model[PORTS];
static uint32_t block; /* of the first port that was ever set */

static uint8_t rung(uint32_t port)
{
    return port / GATE_DOORBELLS == bells.block ? bells.bit[port % GATE_DOORBELLS] : NO;
}

static void holds(void)
{
    for (uint32_t port = 0; port < PORTS; port++)
        assert_int_equal(rung(port), model[port]);
}

static int empty(void **state)
{
    doorbells_init(&bells);
    memset(model, NO, sizeof(model));
    block = PORTS;
    return 0;
}

static void set(uint32_t port, uint64_t bit)
{
    if (block == PORTS)
        block = port / GATE_DOORBELLS;
    bool fits = port / GATE_DOORBELLS == block;

    assert_int_equal(doorbell_set(&bells, (uint16_t)port, bit), fits || bit >= 64);
    if (fits)
        model[port] = bit < 64 ? (uint8_t)bit : NO;
}

/* Around the middle: in the block of the first one, and in another. */
static void any_order(void **state)
{
    uint32_t random = 1;

    for (uint32_t i = 0; i < STEPS; i++) {
        random = random * 1664525 + 1013904223;
        set(0x8000 + (random >> 21) - 0x400, random >> 8 & 127);
        if (i % 1000 == 0)
            holds();
    }
    holds();
}

static void the_ends(void **state)
{
    set(0, 1);
    set(GATE_DOORBELLS - 1, 2);
    set(GATE_DOORBELLS, 3);
    set(PORTS - 1, 4);
    holds();
    empty(state);
    set(PORTS - 1, 5);
    set(PORTS - GATE_DOORBELLS, 63);
    set(PORTS - GATE_DOORBELLS - 1, 6);
    set(0, 7);
    set(PORTS - 1, 64);
    holds();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(any_order, empty),
        cmocka_unit_test_setup(the_ends, empty),
    };

    return cmocka_run_group_tests_name("doorbells", tests, NULL, NULL);
}
