/* SPDX-License-Identifier: BSD-2-Clause */
/* The plain local APIC of vlapic_model.h. */
#include "tests/native/vm/vlapic_model.h"

#include <string.h>

static bool x2apic(const struct model *m)
{
    return m->base & 0x400;
}

void model_reset(struct model *m, uint32_t id, uint64_t base)
{
    uint64_t now = m->now;
    memset(m, 0, sizeof(*m));
    m->now = now;
    m->id = id;
    m->base = base;
    m->svr = 0xff;
    m->dfr = 0xffffffff;
    if (x2apic(m))
        m->ldr = (id / 16) * 65536 + (1 << (id % 16));
    for (int i = 0; i < 6; i++)
        m->lvt[i] = 0x10000;
}

static int highest(const bool set[256])
{
    for (int i = 255; i >= 0; i--)
        if (set[i])
            return i;
    return -1;
}

static unsigned ppr(const struct model *m)
{
    int isr = highest(m->isr);
    unsigned isr_class = isr < 0 ? 0 : (unsigned)isr / 16;
    return m->tpr / 16 >= isr_class ? m->tpr : isr_class * 16;
}

int model_pending(const struct model *m)
{
    int irr = highest(m->irr);
    return irr >= 0 && (unsigned)irr / 16 > ppr(m) / 16 ? irr : -1;
}

void model_accept(struct model *m)
{
    int vector = model_pending(m);
    m->irr[vector] = false;
    m->isr[vector] = true;
}

int model_eoi(struct model *m)
{
    int vector = highest(m->isr);
    if (vector < 0)
        return -1;
    m->isr[vector] = false;
    return m->tmr[vector] ? vector : -1;
}

bool model_deliver(struct model *m, unsigned vector, bool level)
{
    if (!(m->base & 0x800) || !(m->svr & 0x100))
        return false;
    if (vector < 16) {
        model_error(m, 0x40);
        return false;
    }
    m->irr[vector] = true;
    m->tmr[vector] = level;
    return true;
}

void model_error(struct model *m, uint32_t bit)
{
    bool first = m->errors == 0;
    m->errors |= bit;
    if (first && !(m->lvt[5] & 0x10000))
        model_deliver(m, m->lvt[5] & 0xff, false);
}

static void fire(struct model *m)
{
    if (!(m->lvt[0] & 0x10000))
        model_deliver(m, m->lvt[0] & 0xff, false);
}

static unsigned divisor(const struct model *m)
{
    switch (m->divide & 0xb) {
    case 0x0:
        return 2;
    case 0x1:
        return 4;
    case 0x2:
        return 8;
    case 0x3:
        return 16;
    case 0x8:
        return 32;
    case 0x9:
        return 64;
    case 0xa:
        return 128;
    }
    return 1;
}

static bool deadline_mode(const struct model *m)
{
    return m->lvt[0] & 0x40000;
}

void model_tick(struct model *m)
{
    m->now++;
    if (m->tsc_deadline && m->now >= m->tsc_deadline) {
        m->tsc_deadline = 0;
        fire(m);
    }
    if (m->count == 0 || ++m->phase < divisor(m))
        return;
    m->phase = 0;
    if (--m->count)
        return;
    if (m->lvt[0] & 0x20000)
        m->count = m->initial;
    fire(m);
}

void model_write_deadline(struct model *m, uint64_t tsc)
{
    if (!deadline_mode(m))
        return;
    m->tsc_deadline = tsc;
    if (tsc && tsc <= m->now) {
        m->tsc_deadline = 0;
        fire(m);
    }
}

static uint32_t word(const bool set[256], unsigned index)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 32; i++)
        value |= (uint32_t)set[32 * index + i] << i;
    return value;
}

uint32_t model_read(const struct model *m, unsigned offset)
{
    if (offset >= 0x100 && offset < 0x180)
        return word(m->isr, (offset - 0x100) / 16);
    if (offset >= 0x180 && offset < 0x200)
        return word(m->tmr, (offset - 0x180) / 16);
    if (offset >= 0x200 && offset < 0x280)
        return word(m->irr, (offset - 0x200) / 16);
    if (offset >= 0x320 && offset <= 0x370)
        return m->lvt[(offset - 0x320) / 16];
    switch (offset) {
    case 0x20:
        return x2apic(m) ? m->id : m->id << 24;
    case 0x30:
        return 0x50014;
    case 0x80:
        return m->tpr;
    case 0xa0:
        return ppr(m);
    case 0xd0:
        return m->ldr;
    case 0xe0:
        return m->dfr;
    case 0xf0:
        return m->svr;
    case 0x280:
        return m->esr;
    case 0x300:
        return m->icr_low;
    case 0x310:
        return m->icr_high;
    case 0x380:
        return m->initial;
    case 0x390:
        return m->count;
    case 0x3e0:
        return m->divide;
    }
    return 0;
}

bool model_exists(const struct model *m, unsigned offset)
{
    if (offset >= 0x100 && offset <= 0x280)
        return true;
    if (offset >= 0x320 && offset <= 0x390)
        return true;
    switch (offset) {
    case 0x20:
    case 0x30:
    case 0x80:
    case 0xa0:
    case 0xb0:
    case 0xd0:
    case 0xf0:
    case 0x300:
    case 0x3e0:
        return true;
    case 0xe0:
    case 0x310:
        return !x2apic(m);
    case 0x3f0:
        return x2apic(m);
    }
    return false;
}

bool model_readable(const struct model *m, unsigned offset)
{
    return model_exists(m, offset) && offset != 0xb0 && offset != 0x3f0;
}

bool model_writable(const struct model *m, unsigned offset)
{
    bool read_only = offset == 0x20 || offset == 0x30 || offset == 0xa0 || offset == 0x390 ||
                     (offset >= 0x100 && offset < 0x280) || (offset == 0xd0 && x2apic(m));
    return model_exists(m, offset) && !read_only;
}

uint64_t model_reserved(unsigned offset)
{
    switch (offset) {
    case 0x80:
    case 0x3f0:
        return ~0xffULL;
    case 0xf0:
        return ~0x3ffULL;
    case 0x300:
        return 0xfff32000ULL; /* bits 31-20, 17, 16, 13; 12 is ignored */
    case 0x320:
        return ~0x710ffULL;
    case 0x330:
    case 0x340:
        return ~0x117ffULL;
    case 0x350:
    case 0x360:
        return ~0x1f7ffULL;
    case 0x370:
        return ~0x110ffULL;
    case 0x380:
        return ~0xffffffffULL;
    case 0x3e0:
        return ~0xbULL;
    }
    return ~0ULL; /* EOI and ESR take 0 only */
}

static bool sends(struct model *m, uint32_t low)
{
    unsigned delivery = low >> 8 & 7, shorthand = low >> 18 & 3, vector = low & 0xff;
    bool with_vector = delivery == 0 || delivery == 1;
    if (delivery == 3 || delivery == 7)
        return false;
    if (delivery == 1 && (m->base & 0x400)) /* figure "ICR in x2APIC Mode": reserved */
        return false;
    if (delivery != 0 && (shorthand == 1 || shorthand == 2))
        return false;
    if (delivery == 5 && (low & 0xc000) == 0x8000)
        return false;
    if (with_vector && vector < 16) {
        model_error(m, 0x20);
        return false;
    }
    if (shorthand == 1) {
        model_deliver(m, vector, false);
        return false;
    }
    return true;
}

static void write_timer_lvt(struct model *m, uint32_t value)
{
    if ((m->lvt[0] ^ value) & 0x40000) {
        m->initial = 0;
        m->count = 0;
        m->tsc_deadline = 0;
    }
    m->lvt[0] = value;
}

struct model_effect model_write(struct model *m, unsigned offset, uint32_t value, uint32_t high)
{
    struct model_effect effect = {.eoi = -1};
    uint32_t keep = ~(uint32_t)model_reserved(offset) & ~0x1000u; /* delivery status is read-only */
    uint32_t masked = m->svr & 0x100 ? 0 : 0x10000;
    if (offset == 0x350 || offset == 0x360)
        keep &= ~0x4000u; /* and so is remote IRR */
    switch (offset) {
    case 0x80:
        m->tpr = value & keep;
        break;
    case 0xb0:
        effect.eoi = model_eoi(m);
        break;
    case 0xd0:
        m->ldr = value & 0xff000000;
        break;
    case 0xe0:
        m->dfr = value | 0x0fffffff;
        break;
    case 0xf0:
        m->svr = value & keep;
        for (int i = 0; i < 6 && !(m->svr & 0x100); i++)
            m->lvt[i] |= 0x10000;
        break;
    case 0x280:
        m->esr = m->errors;
        m->errors = 0;
        break;
    case 0x300:
        m->icr_low = value & keep;
        if (x2apic(m))
            m->icr_high = high;
        effect.ipi = sends(m, value & keep);
        break;
    case 0x310:
        m->icr_high = value & 0xff000000;
        break;
    case 0x320:
        write_timer_lvt(m, (value & keep) | masked);
        break;
    case 0x380:
        if (deadline_mode(m))
            break;
        m->initial = value;
        m->count = value;
        m->phase = 0;
        break;
    case 0x3e0:
        m->divide = value & keep;
        m->phase = 0;
        break;
    case 0x3f0:
        sends(m, 0x40000 | (value & 0xff));
        break;
    default:
        m->lvt[(offset - 0x320) / 16] = (value & keep) | masked;
    }
    return effect;
}
