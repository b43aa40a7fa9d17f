/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: it owns the serial port, and shares it among ring 0's log and the VMs that have a
 * console. Ring 0's lines come first; nothing that a VM does makes them wait, or gets lost with
 * them.
 */
#pragma once

#include <stdint.h>

#include "abi/process.h"

/* For how long nobody looks at the port when its interrupt does not come; and when it has none, as
 * a FIFO takes little longer to send. */
#define CONSOLE_PATIENCE_MS      10
#define CONSOLE_POLL_PATIENCE_MS 1

/* VMs are looked at so often at most; and the port, for output, half as often where a look takes
 * more than this part of a millisecond, which is what a FIFO takes to send, and several VMs want
 * the processor: an emulated one. */
#define CONSOLE_PAUSE_MS 40
#define CONSOLE_DEAR     32

/* How long a port that stands still may hold up the end of the run. */
#define CONSOLE_END_PATIENCE_MS 1000

/* ports[0] is the UART; interrupt 0, if there is one, is its. Channels begin at `channels`, the log
 * ring at `log`. */
void console_start(const struct process_info *info, void *channels, void *log);

/* All that is to be done behind a wait: bounded, whatever the port and the VMs do. Returns when
 * GATE_WAIT may be called. */
void console_work(uint64_t events);
