/* SPDX-License-Identifier: BSD-2-Clause */
/* What simulated devices share: memory, a medium that can have a bad sector, and time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>

#include "machine.h"
#include "runtime/gate.h"
#include "simulated.h"

uint64_t bad_sector;
unsigned flushes;
uint64_t now;

void simulated_new(void)
{
    bad_sector = UINT64_MAX;
    flushes = 0;
}

void *device_map(void *at, uint64_t physical, size_t size)
{
    void *mapped = mmap(at, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED_NOREPLACE : 0), -1, 0);

    assert_ptr_not_equal(mapped, MAP_FAILED);
    assert_true(at == NULL || mapped == at);
    return mapped;
}

void *device_medium(void)
{
    return device_map(NULL, 0, MEDIUM_SECTORS * BLOCK_SECTOR);
}

bool medium_has(uint64_t sector, uint64_t sectors)
{
    return sector < MEDIUM_SECTORS && sectors <= MEDIUM_SECTORS - sector &&
           !(bad_sector >= sector && bad_sector < sector + sectors);
}

bool medium_copy(bool write, uint64_t sector, uint64_t physical, uint32_t bytes)
{
    uint8_t *at = machine_memory(physical, bytes);

    assert_int_equal(bytes % BLOCK_SECTOR, 0);
    if (!medium_has(sector, bytes / BLOCK_SECTOR))
        return false;
    memcpy(write ? medium[sector] : at, write ? at : medium[sector], bytes);
    return true;
}

/* Time goes on when somebody looks at it, by a tenth of a millisecond. */
uint64_t gate_tsc(void)
{
    now += TSC_KHZ / 10;
    device_tick();
    return now;
}
