/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's accesses to the virtual local APIC's registers, by MSR and by memory (R41). */
#include "hypervisor/vm/vlapic_page.h"
#include "lib/bits.h"

/* Keeps the registers that rare work needs from being saved on the way of the frequent. */
#define RARE __attribute__((noinline))

#define ACCESS_READ  1
#define ACCESS_WRITE 2

struct apic_register_row {
    uint8_t xapic, x2apic, virtual; /* ACCESS_* */
    uint8_t effect;                 /* VLAPIC_EFFECT_* of a write */
    uint32_t writable, ignored;
};

/* Indexed by offset >> 4; a register that is not there has no access. */
static const struct apic_register_row rows[APIC_REGISTERS_END >> 4] = {
#define REGISTER(offset, count, xapic, x2apic, virtual, effect, writable, ignored)                 \
    [(offset) >> 4 ...((offset) >> 4) + (count) - 1] = {xapic,  x2apic,   virtual,                 \
                                                        effect, writable, ignored},
#include "hypervisor/vm/vlapic.def"
};

/* What the ICR says, as a message; destination is already in the mode's width. */
static struct apic_message decode_icr(uint32_t low, uint32_t destination, bool x2apic)
{
    return (struct apic_message){
        .destination = destination,
        .vector = (uint8_t)low,
        .delivery = low >> 8 & 7,
        .shorthand = low >> 18 & 3,
        .logical = low >> 11 & 1,
        .x2apic = x2apic,
        .level = false, /* the ICR's trigger mode means something for INIT level de-assert only */
        .lowest = (low >> 8 & 7) == APIC_LOWEST_PRIORITY,
    };
}

/* Whether the ICR may send that at all: SDM volume 3, "Valid Combinations for the ... ICR", and
 * "ICR Operation in x2APIC Mode", which has no lowest priority. */
static bool is_sendable(const struct apic_message *m, uint32_t low)
{
    bool addressed = m->shorthand == APIC_TO_DESTINATION || m->shorthand == APIC_TO_OTHERS;

    switch (m->delivery) {
    case APIC_FIXED:
        return true;
    case APIC_LOWEST_PRIORITY:
        return addressed && !m->x2apic;
    case APIC_SMI:
    case APIC_NMI:
    case APIC_SIPI:
        return addressed;
    case APIC_INIT:
        return addressed && (low & (ICR_LEVEL | ICR_ASSERT)) != ICR_LEVEL;
    }
    return false;
}

static void send_self(struct vlapic *l, uint8_t vector)
{
    if (vector < APIC_FIRST_VECTOR)
        apic_error(l, ESR_SEND_ILLEGAL_VECTOR);
    else
        vlapic_deliver(l, vector, false);
}

static void send(struct vlapic *l, uint32_t low, uint32_t destination, struct vlapic_effect *effect)
{
    struct apic_message m = decode_icr(low, destination, vlapic_mode(l) == VLAPIC_X2APIC);
    if (!is_sendable(&m, low))
        return;
    bool has_vector = m.delivery == APIC_FIXED || m.delivery == APIC_LOWEST_PRIORITY;
    if (m.shorthand == APIC_TO_SELF) {
        send_self(l, m.vector);
    } else if (has_vector && m.vector < APIC_FIRST_VECTOR) {
        apic_error(l, ESR_SEND_ILLEGAL_VECTOR);
    } else {
        effect->ipi = m;
        effect->what |= VLAPIC_EFFECT_IPI;
    }
}

static void end_of_interrupt(struct vlapic *l, struct vlapic_effect *effect)
{
    int vector = vlapic_eoi(l);
    if (vector < 0)
        return;
    effect->eoi_vector = (uint8_t)vector;
    effect->what |= VLAPIC_EFFECT_EOI;
}

/* A software-disabled APIC keeps every LVT masked. */
static void write_svr(struct vlapic *l, uint32_t value, uint64_t now)
{
    *apic_reg(l, APIC_SVR) = value;
    if (value & SVR_ENABLE)
        return;
    apic_timer_lvt(l, *apic_reg(l, APIC_LVT_TIMER) | LVT_MASKED, now);
    for (unsigned lvt = APIC_LVT_THERMAL; lvt <= APIC_LVT_ERROR; lvt += 0x10)
        *apic_reg(l, lvt) |= LVT_MASKED;
}

/* A register that is writable in the mode; value has only its writable bits. */
static void write_register(struct vlapic *l, unsigned offset, uint32_t value, uint64_t now,
                           struct vlapic_effect *effect)
{
    uint32_t forced_mask = apic_software_enabled(l) ? 0 : LVT_MASKED;
    switch (offset) {
    case APIC_TPR:
        *apic_reg(l, APIC_TPR) = value;
        apic_update_priority(l);
        break;
    case APIC_EOI:
        end_of_interrupt(l, effect);
        break;
    case APIC_SVR:
        write_svr(l, value, now);
        break;
    case APIC_ESR: /* a write shows what has happened since the last */
        *apic_reg(l, APIC_ESR) = l->errors;
        l->errors = 0;
        break;
    case APIC_ICR:
        *apic_reg(l, APIC_ICR) = value;
        send(l, value, *apic_reg(l, APIC_ICR_HIGH) >> 24, effect);
        break;
    case APIC_LVT_TIMER:
        apic_timer_lvt(l, value | forced_mask, now);
        break;
    case APIC_LVT_THERMAL ... APIC_LVT_ERROR:
        *apic_reg(l, offset) = value | forced_mask;
        break;
    case APIC_INITIAL_COUNT:
        apic_timer_load(l, value, now);
        break;
    case APIC_DIVIDE:
        apic_timer_divide(l, value, now);
        break;
    case APIC_DFR:
        *apic_reg(l, APIC_DFR) = value | 0x0fffffff;
        break;
    default: /* LDR, the ICR's high half */
        *apic_reg(l, offset) = value;
    }
}

static uint32_t read_register(const struct vlapic *l, unsigned offset, uint64_t now)
{
    return offset == APIC_CURRENT_COUNT ? apic_current_count(l, now) : *apic_reg(l, offset);
}

/* The ICR of x2APIC mode is one 64-bit register, kept as such in the page. */
static RARE enum vlapic_result write_icr64(struct vlapic *l, uint64_t value,
                                           struct vlapic_effect *effect)
{
    const struct apic_register_row *row = &rows[APIC_ICR >> 4];
    uint32_t low = (uint32_t)value;
    if (low & ~(row->writable | row->ignored))
        return VLAPIC_GP;
    low &= ~row->ignored;
    apic_reg(l, APIC_ICR)[0] = low;
    apic_reg(l, APIC_ICR)[1] = (uint32_t)(value >> 32);
    send(l, low, (uint32_t)(value >> 32), effect);
    return VLAPIC_OK;
}

/* Any register of x2APIC mode but those that vlapic_write_msr does itself. */
static RARE enum vlapic_result write_x2apic(struct vlapic *l, unsigned offset, uint64_t value,
                                            uint64_t now, struct vlapic_effect *effect)
{
    if (offset >= APIC_REGISTERS_END)
        return VLAPIC_GP;
    const struct apic_register_row *row = &rows[offset >> 4];
    if (!(row->x2apic & ACCESS_WRITE) || (value & ~(uint64_t)(row->writable | row->ignored)))
        return VLAPIC_GP;
    effect->what = row->effect;
    write_register(l, offset, (uint32_t)value & row->writable, now, effect);
    return VLAPIC_OK;
}

/* The ends and the beginnings of interrupts are the many; they stay clear of the rest's cost. */
enum vlapic_result vlapic_write_msr(struct vlapic *l, uint32_t msr, uint64_t value, uint64_t now,
                                    struct vlapic_effect *effect)
{
    unsigned offset = (msr - X2APIC_MSR_FIRST) << 4;
    effect->what = 0;
    if (vlapic_mode(l) != VLAPIC_X2APIC)
        return VLAPIC_GP;
    switch (offset) {
    case APIC_EOI:
        if (value != 0)
            return VLAPIC_GP;
        end_of_interrupt(l, effect);
        return VLAPIC_OK;
    case APIC_SELF_IPI:
        if (value > 0xff)
            return VLAPIC_GP;
        send_self(l, (uint8_t)value);
        return VLAPIC_OK;
    case APIC_ICR:
        return write_icr64(l, value, effect);
    }
    return write_x2apic(l, offset, value, now, effect);
}

enum vlapic_result vlapic_read_msr(const struct vlapic *l, uint32_t msr, uint64_t now,
                                   uint64_t *value)
{
    unsigned offset = (msr - X2APIC_MSR_FIRST) << 4;
    if (vlapic_mode(l) != VLAPIC_X2APIC || offset >= APIC_REGISTERS_END)
        return VLAPIC_GP;
    if (!(rows[offset >> 4].x2apic & ACCESS_READ))
        return VLAPIC_GP;
    *value = read_register(l, offset, now);
    if (offset == APIC_ICR)
        *value |= (uint64_t)apic_reg(l, APIC_ICR)[1] << 32;
    return VLAPIC_OK;
}

bool vlapic_is_virtualized(uint32_t msr, bool write)
{
    unsigned offset = (msr - X2APIC_MSR_FIRST) << 4;
    return offset < APIC_REGISTERS_END &&
           (rows[offset >> 4].virtual & (write ? ACCESS_WRITE : ACCESS_READ));
}

/*
 * The row of a memory access in xAPIC mode, or a null pointer: the register is not there, and ESR
 * knows, or it has not this access.
 */
static const struct apic_register_row *mmio_row(struct vlapic *l, uint32_t offset, unsigned access)
{
    if (!is_aligned(offset, 0x10) || offset >= APIC_REGISTERS_END || !rows[offset >> 4].xapic) {
        apic_error(l, ESR_ILLEGAL_REGISTER);
        return NULL;
    }
    return rows[offset >> 4].xapic & access ? &rows[offset >> 4] : NULL;
}

uint32_t vlapic_read_mmio(struct vlapic *l, uint32_t offset, uint64_t now)
{
    if (vlapic_mode(l) != VLAPIC_XAPIC)
        return UINT32_MAX;
    if (!mmio_row(l, offset, ACCESS_READ))
        return 0;
    return read_register(l, offset, now);
}

void vlapic_write_mmio(struct vlapic *l, uint32_t offset, uint32_t value, uint64_t now,
                       struct vlapic_effect *effect)
{
    effect->what = 0;
    if (vlapic_mode(l) != VLAPIC_XAPIC)
        return;
    const struct apic_register_row *row = mmio_row(l, offset, ACCESS_WRITE);
    if (row == NULL)
        return;
    effect->what = row->effect;
    write_register(l, offset, value & row->writable, now, effect);
}
