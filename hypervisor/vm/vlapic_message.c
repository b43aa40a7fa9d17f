/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt messages and who gets them (R41; SDM volume 3, "Determining IPI Destination"). */
#include "hypervisor/vm/vlapic_page.h"
#include "lib/bits.h"

/* What a device may send: "Message Data Register Format". A start-up IPI is no device's. */
static bool is_sendable(uint8_t delivery, uint32_t data)
{
    if (delivery == APIC_RESERVED || delivery == APIC_SIPI)
        return false;
    return delivery != APIC_INIT || (data & (ICR_LEVEL | ICR_ASSERT)) != ICR_LEVEL;
}

bool vlapic_message(uint64_t address, uint32_t data, struct apic_message *message)
{
    uint8_t delivery = data >> 8 & 7;
    bool redirectable = address & 0x8;

    if (address >> 20 != 0xfee || !is_sendable(delivery, data))
        return false;
    *message = (struct apic_message){
        .destination = address >> 12 & 0xff,
        .vector = (uint8_t)data,
        .delivery = delivery,
        .shorthand = APIC_TO_DESTINATION,
        .logical = address & 0x4,
        .x2apic = false,
        .level = data & ICR_LEVEL,
        .lowest = redirectable || delivery == APIC_LOWEST_PRIORITY,
    };
    return true;
}

/* SDM volume 3, "Logical Destination Mode" and "Logical Destination Mode in x2APIC Mode". */
static bool matches_logical(const struct vlapic *l, uint32_t destination)
{
    uint32_t ldr = *apic_reg(l, APIC_LDR);
    if (vlapic_mode(l) == VLAPIC_X2APIC)
        return destination >> 16 == ldr >> 16 && (destination & ldr & 0xffff);
    ldr >>= 24;
    if (destination > 0xff)
        return false;
    switch (*apic_reg(l, APIC_DFR) >> 28) {
    case 0xf: /* flat */
        return destination & ldr;
    case 0x0: /* cluster */
        return destination >> 4 == ldr >> 4 && (destination & ldr & 0xf);
    }
    return false;
}

static uint64_t matching(const struct vlapic *const *apics, uint64_t all,
                         const struct apic_message *m)
{
    uint64_t matching = 0;

    if (m->destination == (m->x2apic ? UINT32_MAX : 0xff))
        return all;
    for (uint64_t left = all; left != 0; left &= left - 1) {
        const struct vlapic *l = apics[set_first(left)];
        if (m->logical ? matches_logical(l, m->destination) : m->destination == l->id)
            matching |= left & -left;
    }
    return matching;
}

/* Whoever is meant, whether it is there or not. */
static uint64_t meant(const struct vlapic *const *apics, uint64_t all, int source,
                      const struct apic_message *m)
{
    uint64_t self = source != VLAPIC_NONE ? BIT(source) : 0;

    switch (m->shorthand) {
    case APIC_TO_SELF:
        return self;
    case APIC_TO_ALL:
        return all;
    case APIC_TO_OTHERS:
        return all & ~self;
    }
    return matching(apics, all, m);
}

/* Of the candidates the one with the lowest PPR that would accept it. */
static uint64_t arbitrate(const struct vlapic *const *apics, unsigned count, uint64_t candidates)
{
    uint64_t chosen = 0;
    uint32_t lowest = UINT32_MAX;
    for (unsigned i = 0; i < count; i++) {
        if (!(candidates & BIT(i)) || !apic_software_enabled(apics[i]))
            continue;
        uint32_t ppr = *apic_reg(apics[i], APIC_PPR);
        if (ppr < lowest) {
            lowest = ppr;
            chosen = BIT(i);
        }
    }
    return chosen;
}

uint64_t vlapic_targets(const struct vlapic *const *apics, unsigned count, int source,
                        const struct apic_message *message)
{
    uint64_t targets = meant(apics, UINT64_MAX >> (64 - count), source, message);
    for (uint64_t left = targets; left != 0; left &= left - 1)
        if (vlapic_mode(apics[set_first(left)]) == VLAPIC_DISABLED)
            targets ^= left & -left;
    return message->lowest ? arbitrate(apics, count, targets) : targets;
}
