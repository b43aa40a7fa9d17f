/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI power-management block: PM1 event and control registers and the PM timer, at fixed
 * ports.
 *
 * The machine is always in ACPI mode: there is no SMI command port and SCI_EN reads 1.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PM_PORT     0xb000
#define PM_EVENT    0x0 /* status, then enable; 2 bytes each */
#define PM_CONTROL  0x4
#define PM_TIMER    0x8
#define PM_SIZE     0xc
#define PM_TIMER_HZ 3579545
#define PM_SCI      9
#define PM_SLEEP_TYPE_S5                                                                           \
    0 /* the same value as an i440FX's, so that power-off is the write of 2000h to b004h */

struct pm {
    uint64_t tsc_hz;
    uint64_t halves; /* how often bit 31 of the timer had changed when last looked at */
    uint16_t status, enable, control;
    bool rtc;       /* the RTC's interrupt line */
    bool power_off; /* the guest asked for S5 */
};

void pm_reset(struct pm *pm, uint64_t tsc_hz, uint64_t tsc);

/* The aligned 4 bytes at an offset of 0, 4 or 8. */
uint32_t pm_read(struct pm *pm, unsigned offset, uint64_t tsc);

/* Writes those bits of the aligned 4 bytes that are set in `mask`. */
void pm_write(struct pm *pm, unsigned offset, uint32_t value, uint32_t mask, uint64_t tsc);

/* The RTC's interrupt line is high or low: its rise is the event RTC_STS, which wakes a guest that
 * sleeps. */
void pm_set_rtc(struct pm *pm, bool high);

/* The power button is pressed. Whether the guest wants to be told. */
bool pm_press_power(struct pm *pm);

/* The level of the SCI. */
bool pm_interrupt(struct pm *pm, uint64_t tsc);

/* The TSC at which the SCI would rise by itself; UINT64_MAX: never. */
uint64_t pm_deadline(const struct pm *pm);
