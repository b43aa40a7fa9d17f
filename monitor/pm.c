/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI PM block (ACPI specification, "ACPI Hardware Specification", "Fixed Hardware
 * Registers"). */
#include "monitor/pm.h"

#include "monitor/scale.h"

#define TIMER_EVENT  (1u << 0) /* TMR_STS and TMR_EN */
#define POWER_BUTTON (1u << 8) /* PWRBTN_STS and PWRBTN_EN */
#define RTC_EVENT    (1u << 10)
#define EVENT_BITS   0x0721u /* timer, global lock, power and sleep button, RTC */

#define SCI_EN        (1u << 0)
#define BM_RLD        (1u << 1)
#define SLP_TYP       0x1c00u
#define SLP_TYP_SHIFT 10
#define SLP_EN        (1u << 13)

static uint64_t ticks(const struct pm *pm, uint64_t tsc)
{
    return scale_down(tsc, PM_TIMER_HZ, pm->tsc_hz);
}

/* TMR_STS is set each time when the timer's highest bit changes. */
static void update(struct pm *pm, uint64_t tsc)
{
    uint64_t halves = ticks(pm, tsc) >> 31;

    if (halves != pm->halves)
        pm->status |= TIMER_EVENT;
    pm->halves = halves;
}

void pm_reset(struct pm *pm, uint64_t tsc_hz, uint64_t tsc)
{
    *pm = (struct pm){.tsc_hz = tsc_hz, .control = SCI_EN};
    pm->halves = ticks(pm, tsc) >> 31;
}

uint32_t pm_read(struct pm *pm, unsigned offset, uint64_t tsc)
{
    switch (offset) {
    case PM_EVENT:
        update(pm, tsc);
        return pm->status | (uint32_t)pm->enable << 16;
    case PM_CONTROL:
        return pm->control;
    case PM_TIMER:
        return (uint32_t)ticks(pm, tsc);
    default:
        return UINT32_MAX;
    }
}

static void write_control(struct pm *pm, uint32_t value)
{
    pm->control = SCI_EN | (value & (BM_RLD | SLP_TYP));
    if (value & SLP_EN && (value & SLP_TYP) >> SLP_TYP_SHIFT == PM_SLEEP_TYPE_S5)
        pm->power_off = true;
}

void pm_write(struct pm *pm, unsigned offset, uint32_t value, uint32_t mask, uint64_t tsc)
{
    update(pm, tsc);
    switch (offset) {
    case PM_EVENT:
        pm->status &= (uint16_t)~(value & mask); /* writing a 1 clears */
        pm->enable =
            (uint16_t)((pm->enable & ~(mask >> 16)) | (value & mask & EVENT_BITS << 16) >> 16);
        break;
    case PM_CONTROL:
        write_control(pm, (pm->control & ~mask) | (value & mask));
        break;
    default: /* the timer is read-only */
        break;
    }
}

void pm_set_rtc(struct pm *pm, bool high)
{
    if (high && !pm->rtc)
        pm->status |= RTC_EVENT;
    pm->rtc = high;
}

bool pm_press_power(struct pm *pm)
{
    pm->status |= POWER_BUTTON;
    return pm->enable & POWER_BUTTON;
}

bool pm_interrupt(struct pm *pm, uint64_t tsc)
{
    update(pm, tsc);
    return pm->status & pm->enable;
}

uint64_t pm_deadline(const struct pm *pm)
{
    if (!(pm->enable & TIMER_EVENT) || pm->status & TIMER_EVENT)
        return UINT64_MAX;
    return scale_up((pm->halves + 1) << 31, pm->tsc_hz, PM_TIMER_HZ);
}
