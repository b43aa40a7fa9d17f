/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk of QEMU's for a device file that runs here: QEMU's CPU is halted, its registers are read
 * and written by QEMU's test protocol (qtest, in docs/devel of its sources), and its memory is a
 * file that both map, as is the disk's.
 */
#pragma once

#include <stdint.h>

/* Starts QEMU with these words more, and gives window 0 the function's memory BAR. In the words
 * DISK stands for the disk's file. Fails the test where it cannot. */
void device_start(const char *const words[], unsigned device_number, unsigned bar);
void device_end(void);
