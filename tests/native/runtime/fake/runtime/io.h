/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of runtime/io.h: the accesses are functions, and each test has the device. */
#pragma once

#include <stdint.h>

uint8_t inb(uint16_t port);
uint16_t inw(uint16_t port);
uint32_t inl(uint16_t port);
void outb(uint16_t port, uint8_t value);
void outw(uint16_t port, uint16_t value);
void outl(uint16_t port, uint32_t value);
uint8_t mmio_read8(const volatile void *address);
uint16_t mmio_read16(const volatile void *address);
uint32_t mmio_read32(const volatile void *address);
uint64_t mmio_read64(const volatile void *address);
void mmio_write8(volatile void *address, uint8_t value);
void mmio_write16(volatile void *address, uint16_t value);
void mmio_write32(volatile void *address, uint32_t value);
void mmio_write64(volatile void *address, uint64_t value);
void io_fence(void);
