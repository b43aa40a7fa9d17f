/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real-time clock: an MC146818 with 128 bytes of memory, behind an index and a data port.
 *
 * Its time is computed from the TSC when somebody asks. The interrupt of the update, alarm and
 * periodic events comes from rtc_interrupt; rtc_deadline says when to look again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/gate.h"

#define RTC_INDEX_PORT 0x70
#define RTC_DATA_PORT  0x71
#define RTC_IRQ        8
#define RTC_CENTURY    0x32 /* its place in the memory, as the FADT says */

struct rtc {
    uint64_t tsc_hz;
    uint64_t base_seconds; /* UTC since 1970 at base_tsc */
    uint64_t base_tsc;
    uint64_t seen_tsc; /* the flags of register C are right up to here */
    uint8_t memory[128];
    uint8_t index[PLAN_MAX_VCPUS]; /* R20: with the NMI bit, bit 7 */
};

/* What the host's clock with these registers showed: UTC since 1970, of this century; 0 where they
 * are all 0. */
uint64_t rtc_seconds(const uint8_t registers[static MONITOR_RTC_REGISTERS]);

/* A clock that showed `seconds` (UTC since 1970) at the given TSC. */
void rtc_init(struct rtc *rtc, uint64_t tsc_hz, uint64_t seconds, uint64_t tsc);

/* A reset of the machine: interrupts are off, time and memory stay. */
void rtc_reset(struct rtc *rtc);

uint8_t rtc_read_index(const struct rtc *rtc, unsigned vcpu);
void rtc_write_index(struct rtc *rtc, unsigned vcpu, uint8_t value);
uint8_t rtc_read(struct rtc *rtc, unsigned vcpu, uint64_t tsc);
void rtc_write(struct rtc *rtc, unsigned vcpu, uint8_t value, uint64_t tsc);

/* The level of the interrupt line. */
bool rtc_interrupt(struct rtc *rtc, uint64_t tsc);

/* The TSC at which the line would rise by itself; UINT64_MAX: never. */
uint64_t rtc_deadline(const struct rtc *rtc);
