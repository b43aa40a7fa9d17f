/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of a local APIC, the host's and a guest's (SDM volume 3, "Local APIC Register
 * Address Map"). In x2APIC mode each is an MSR: offset / 16 behind the first one. */
#pragma once

/* Offsets into the page of xAPIC mode. */
enum apic_register {
    APIC_ID = 0x20,
    APIC_VERSION = 0x30,
    APIC_TPR = 0x80,
    APIC_PPR = 0xa0,
    APIC_EOI = 0xb0,
    APIC_LDR = 0xd0,
    APIC_DFR = 0xe0,
    APIC_SVR = 0xf0,
    APIC_ISR = 0x100,
    APIC_TMR = 0x180,
    APIC_IRR = 0x200,
    APIC_ESR = 0x280,
    APIC_LVT_CMCI = 0x2f0,
    APIC_ICR = 0x300,
    APIC_ICR_HIGH = 0x310, /* xAPIC mode; in x2APIC mode the ICR has 64 bits at APIC_ICR */
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_THERMAL = 0x330,
    APIC_LVT_PERFORMANCE = 0x340,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_INITIAL_COUNT = 0x380,
    APIC_CURRENT_COUNT = 0x390,
    APIC_DIVIDE = 0x3e0,
    APIC_SELF_IPI = 0x3f0,
    APIC_REGISTERS_END = 0x400,
};

#define SVR_ENABLE 0x100u

/* IA32_APIC_BASE. */
#define APIC_BASE_BSP     (1ULL << 8)
#define APIC_BASE_X2APIC  (1ULL << 10)
#define APIC_BASE_ENABLE  (1ULL << 11)
#define APIC_BASE_DEFAULT 0xfee00000ULL

#define LVT_MODE           0x00700u
#define LVT_SMI            0x00200u
#define LVT_NMI            0x00400u
#define LVT_STATUS         0x01000u
#define LVT_REMOTE_IRR     0x04000u
#define LVT_MASKED         0x10000u
#define LVT_TIMER_MODE     0x60000u
#define LVT_TIMER_PERIODIC 0x20000u
#define LVT_TIMER_DEADLINE 0x40000u

#define ICR_PENDING 0x1000u
#define ICR_SELF    0x40000u

#define DIVIDE_BY_1 0xbu
