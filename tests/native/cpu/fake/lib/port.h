/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of lib/port.h: each test has the ports. */
#pragma once

#include <stdint.h>

uint8_t inb(uint16_t port);
uint32_t inl(uint16_t port);
void outb(uint16_t port, uint8_t value);
void outl(uint16_t port, uint32_t value);
