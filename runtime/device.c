/* SPDX-License-Identifier: BSD-2-Clause */
#include "runtime/device.h"

#include "runtime/gate.h"
#include "runtime/io.h"

static uint8_t *registers;
static uint64_t dma_physical, tsc_khz;

void device_open(const struct process_info *info, unsigned window)
{
    registers = (uint8_t *)(PROCESS_WINDOW + window * PROCESS_WINDOW_STRIDE);
    dma_physical = info->dma_physical;
    tsc_khz = info->tsc_khz;
}

uint32_t device_read32(uint32_t reg)
{
    return mmio_read32(registers + reg);
}

void device_write32(uint32_t reg, uint32_t value)
{
    mmio_write32(registers + reg, value);
}

uint64_t device_physical(const void *in_area)
{
    return dma_physical + ((uintptr_t)in_area - PROCESS_DMA);
}

uint64_t device_deadline(uint32_t ms)
{
    return gate_tsc() + tsc_khz * ms;
}

bool device_wait(uint32_t reg, uint32_t mask, uint32_t wanted, uint32_t ms)
{
    uint64_t end = device_deadline(ms);

    do {
        if ((device_read32(reg) & mask) == wanted)
            return true;
    } while (gate_tsc() < end);
    return false;
}

void device_pause(uint32_t us)
{
    uint64_t end = gate_tsc() + tsc_khz * us / 1000;

    while (gate_tsc() < end)
        ;
}
