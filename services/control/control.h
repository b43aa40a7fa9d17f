/* SPDX-License-Identifier: BSD-2-Clause */
/* The control process: it owns a serial port, and answers what is asked there (abi/control.h) about
 * the VMs that the plan lets it control. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/log.h"
#include "abi/process.h"
#include "abi/trace.h"

/* How often the port is looked at although it does not interrupt: while something is to be sent, or
 * when it asks without end; and when it has no interrupt. */
#define CONTROL_PATIENCE_MS 10
#define CONTROL_POLL_MS     1

/* ports[0] is the UART; interrupt 0, if there is one, is its. False: there is no UART. */
bool control_start(const struct process_info *info, const struct log_ring *log,
                   const struct trace_ring *trace);

/* All that is to be done behind a wait: bounded, whatever comes. */
void control_work(uint64_t events);
