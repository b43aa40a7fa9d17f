/* SPDX-License-Identifier: BSD-2-Clause */
/* The TSC's frequency and what time it is. */
#ifndef CPU_TSC_H
#define CPU_TSC_H

#include <stdint.h>

/*
 * Measures the TSC against the ACPI PM timer, or the PIT where there is none or it stands still:
 * firmwares switch either off to save power. CPUID leaves 15h and 16h are believed last of all:
 * under an emulator they tell the frequency of the CPU that it imitates. Stops with a verdict where
 * nothing tells. pm_timer_port: 0: there is none.
 */
void tsc_measure(uint16_t pm_timer_port);

/* The TSC when the hypervisor's first instructions ran. */
extern uint64_t boot_tsc;

/* In kHz. */
uint64_t tsc_khz(void);

/* UTC from the RTC: seconds since 1970, when the TSC read *tsc. 0: there is no RTC. */
uint64_t wall_clock_read(uint64_t *tsc);

#endif
