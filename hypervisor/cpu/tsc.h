/* SPDX-License-Identifier: BSD-2-Clause */
/* The TSC's frequency and what time it is. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Measures the TSC against the ACPI PM timer, or the PIT where there is none or it stands still:
 * firmwares switch either off to save power. CPUID leaf 15h is exact, and believed where it agrees
 * to a thousandth: under an emulator it tells of the CPU that is imitated. Leaf 16h is believed
 * last of all. Stops with a verdict where nothing tells. pm_timer_port: 0: there is none.
 */
void tsc_measure(uint16_t pm_timer_port);

/* The TSC when the hypervisor's first instructions ran. */
extern uint64_t boot_tsc;

/* In kHz. */
uint64_t tsc_khz(void);

/* Whether that is CPUID's figure, or measured to 10 ppm: if not, no guest is told, and measures for
 * itself. */
bool tsc_is_exact(void);

/* Moves this CPU's TSC by as many ticks. False: it has no IA32_TSC_ADJUST, and nothing is done. */
bool tsc_move(int64_t ticks);

/* The RTC's first registers, as they were when the TSC read *tsc; all 0: there is no RTC that runs.
 */
void rtc_read(uint8_t *registers, uint8_t count, uint64_t *tsc);
