/* SPDX-License-Identifier: BSD-2-Clause */
/* The device of a driver: its registers, which are in one of the process's windows, the memory that
 * it reaches, and waiting for it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/process.h"

/* Once, before all others: the registers are in this window. */
void device_open(const struct process_info *info, unsigned window);

/* A register, by its offset. */
uint32_t device_read32(uint32_t reg);
void device_write32(uint32_t reg, uint32_t value);

/* Where something in the DMA area (PROCESS_DMA) is for the device. */
uint64_t device_physical(const void *in_area);

/* The TSC when this time has passed. */
uint64_t device_deadline(uint32_t ms);

/* Waits until a register's bits are as wanted. False: they were not in that time. */
bool device_wait(uint32_t reg, uint32_t mask, uint32_t wanted, uint32_t ms);

/* Waits for nothing but the time. */
void device_pause(uint32_t us);
