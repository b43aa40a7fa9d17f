/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest-physical addresses: memory can be executed, and what is beyond it is all ones to read,
 * nothing to write, and no neighbour's bytes (R36). */
#include "guests/lib/guest.h"

#define DEVICES 0xc0000000ULL
#define STEPS   64

#define AT(address) (*(volatile uint32_t *)(address))

/* From the end of RAM, which the firmware may share, to the devices. */
static void test_below_4g(void)
{
    uint64_t first = align_up(memory_end(), 16 * LARGE_PAGE) + 16 * LARGE_PAGE;
    uint64_t step = align_down((DEVICES - first) / STEPS, LARGE_PAGE);
    bool ones = true, dropped = true;

    for (uint64_t address = first; address < DEVICES; address += step) {
        ones = ones && AT(address) == 0xffffffff;
        AT(address) = 0x12345678;
        dropped = dropped && AT(address) == 0xffffffff;
    }
    ok(ones, "memory beyond the end reads all ones");
    ok(dropped, "memory beyond the end keeps nothing");
}

static void test_above_4g(void)
{
    unsigned width = cpuid(0x80000008, 0).eax & 0xff;
    bool ones = true;

    for (unsigned bit = 33; bit < width; bit++) {
        map_page(MAP_BASE, BIT(bit) | 0x5000, PAGE_WRITE);
        ones = ones && AT(MAP_BASE + 0x800) == 0xffffffff;
        AT(MAP_BASE + 0x800) = 0;
        ones = ones && AT(MAP_BASE + 0x800) == 0xffffffff;
    }
    ok(ones, "memory above 4 GiB reads all ones and keeps nothing");
}

static void test_last_page(void)
{
    uint64_t last = memory_end() - PAGE_SIZE;

    AT(last) = 0x5a5a5a5a;
    AT(last + PAGE_SIZE - 4) = 0xa5a5a5a5;
    ok(AT(last) == 0x5a5a5a5a && AT(last + PAGE_SIZE - 4) == 0xa5a5a5a5, "the last page is RAM");
}

/* R35: nothing of what was in the machine before. The loader's own data ends well before the second
 * MiB. */
static void test_clean(void)
{
    bool clean = true;

    if (!has_hypervisor()) {
        skip("the bare machine does not promise it", "memory is zero at the start");
        return;
    }
    for (uint64_t at = (uintptr_t)page_alloc() + LARGE_PAGE; at < memory_end(); at += 1024)
        clean = clean && AT(at) == 0;
    ok(clean, "memory is zero at the start");
}

/* In each 2 MiB, at both ends, and data beside the code stays. */
static void test_execute(void)
{
    uint64_t first = align_up((uintptr_t)page_alloc() + LARGE_PAGE, LARGE_PAGE);
    bool kept = true;
    unsigned count = 0;

    for (uint64_t at = first; at + LARGE_PAGE < memory_end(); at += LARGE_PAGE) {
        for (unsigned end = 0; end < 2; end++) {
            uint64_t code = at + end * (LARGE_PAGE - 16);
            AT(code) = 0xc3; /* RET */
            AT(code + 8) = count;
            ((void (*)(void))code)();
            kept = kept && AT(code) == 0xc3 && AT(code + 8) == count;
            count++;
            AT(code) = AT(code + 8) = 0;
        }
    }
    ok(count > 0 && kept, "code runs in each 2 MiB of memory");
    diag("%u pieces of 2 MiB", count / 2);
}

void guest_main(void)
{
    test_clean();
    test_execute();
    test_last_page();
    test_below_4g();
    test_above_4g();
}
