/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways to a device: ports and registers in memory, by their width in bits, and the order of
 * memory that a device reads too. Native tests have a header of the same name. */
#pragma once

#include <stdint.h>

#define PORT_ACCESS(suffix, type)                                                                  \
    static inline type in##suffix(uint16_t port)                                                   \
    {                                                                                              \
        type value;                                                                                \
        __asm__ volatile("in" #suffix " %1, %0" : "=a"(value) : "Nd"(port) : "memory");            \
        return value;                                                                              \
    }                                                                                              \
    static inline void out##suffix(uint16_t port, type value)                                      \
    {                                                                                              \
        __asm__ volatile("out" #suffix " %0, %1" : : "a"(value), "Nd"(port) : "memory");           \
    }

PORT_ACCESS(b, uint8_t)
PORT_ACCESS(w, uint16_t)
PORT_ACCESS(l, uint32_t)

#undef PORT_ACCESS

/* The address is one of a window: PROCESS_WINDOW and on. */
#define MMIO_ACCESS(bits)                                                                          \
    static inline uint##bits##_t mmio_read##bits(const volatile void *address)                     \
    {                                                                                              \
        return *(const volatile uint##bits##_t *)address;                                          \
    }                                                                                              \
    static inline void mmio_write##bits(volatile void *address, uint##bits##_t value)              \
    {                                                                                              \
        *(volatile uint##bits##_t *)address = value;                                               \
    }

MMIO_ACCESS(8)
MMIO_ACCESS(16)
MMIO_ACCESS(32)
MMIO_ACCESS(64)

#undef MMIO_ACCESS

/* What was written to the DMA area before is there for the device before anything that follows, and
 * what it wrote is not read earlier. The processor keeps that order for write-back and uncached
 * memory (SDM volume 3, "Memory Ordering"): the compiler has to. */
static inline void io_fence(void)
{
    __asm__ volatile("" : : : "memory");
}
