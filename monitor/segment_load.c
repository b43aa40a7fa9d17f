/* SPDX-License-Identifier: BSD-2-Clause */
/* SDM volume 2, "MOV", "LDS/LES/LFS/LGS/LSS", "LLDT", "LTR" and "JMP"; volume 3, "Protection". */
#include "monitor/segment_load.h"

#include "lib/bits.h"
#include "monitor/linear.h"
#include "monitor/x86.h"

#define SELECTOR_RPL 3
#define SELECTOR_TI  4

/* Types as access rights have them: bits 0 to 3, and S as bit 4. */
#define TYPE_ACCESSED   BIT(0) /* of code and data */
#define TYPE_BUSY       BIT(1) /* of a TSS */
#define TYPE_CONFORMING BIT(2) /* of code */
#define TYPE_CODE       BIT(3)

#define LDT      BIT(2)
#define TSS_16   BIT(1)
#define TSS      BIT(9)
#define WRITABLE (BIT(18) | BIT(19) | BIT(22) | BIT(23))
#define ANY_DATA (WRITABLE | BIT(16) | BIT(17) | BIT(20) | BIT(21))
#define READABLE (BIT(26) | BIT(27) | BIT(30) | BIT(31))
#define ANY_CODE (READABLE | BIT(24) | BIT(25) | BIT(28) | BIT(29))
/* What a far JMP or CALL may meet besides: gates, and tasks outside IA-32e mode. */
#define GATE_64      BIT(12)
#define GATE_OR_TASK (GATE_64 | BIT(1) | BIT(3) | BIT(4) | BIT(5) | BIT(9) | BIT(11))

/* What each register may take. */
static const struct rule {
    uint32_t types, types_ia32e; /* a bit for each type */
    bool null;                   /* the null selector makes it unusable */
    bool global;                 /* the descriptor is in the GDT */
    uint8_t absent;              /* the exception for a segment that is not present */
} rules[SEG_COUNT] = {
    [SEG_ES] = {ANY_DATA | READABLE, ANY_DATA | READABLE, true, false, VECTOR_NP},
    [SEG_CS] = {ANY_CODE, ANY_CODE, false, false, VECTOR_NP},
    [SEG_SS] = {WRITABLE, WRITABLE, false, false, VECTOR_SS},
    [SEG_DS] = {ANY_DATA | READABLE, ANY_DATA | READABLE, true, false, VECTOR_NP},
    [SEG_FS] = {ANY_DATA | READABLE, ANY_DATA | READABLE, true, false, VECTOR_NP},
    [SEG_GS] = {ANY_DATA | READABLE, ANY_DATA | READABLE, true, false, VECTOR_NP},
    [SEG_LDTR] = {LDT, LDT, true, true, VECTOR_NP},
    [SEG_TR] = {TSS_16 | TSS, TSS, false, true, VECTOR_NP},
};

struct descriptor {
    uint64_t linear, low, high; /* high: of one with 16 bytes, or 0 */
    unsigned type, dpl;
};

bool selector_fault(struct run *run, uint8_t vector, uint16_t selector)
{
    *run->fault = (struct emulate_fault){
        .vector = vector, .has_error_code = true, .error_code = selector & ~SELECTOR_RPL & 0xffff};
    return false;
}

/*
 * Descriptor tables are the supervisor's whatever the CPL, and AC opens no user page to such an
 * access (SDM volume 3, "Access Rights"): the state is CPL 0's meanwhile. What is written is the
 * byte that has changed: another vCPU may have given the rest another value since.
 */
static bool access_table(struct run *run, uint64_t linear, bool write, uint64_t *value)
{
    struct guest_state *s = run->state;
    uint16_t access = s->segment[SEG_SS].access;
    uint64_t rflags = s->rflags;
    bool good;

    s->segment[SEG_SS].access = access & (uint16_t)~(3 << ACCESS_DPL_SHIFT);
    s->rflags = rflags & ~(uint64_t)RFLAGS_AC;
    good = write ? emulate_write(run->ctx, linear + DESCRIPTOR_RIGHTS, 1,
                                 *value >> DESCRIPTOR_RIGHTS * 8, run->fault)
                 : emulate_read(run->ctx, linear, 8, value, run->fault);
    s->segment[SEG_SS].access = access;
    s->rflags = rflags;
    return good;
}

static bool is_system(enum segment segment)
{
    return segment >= SEG_LDTR;
}

/* Whether a table reaches so far, and where the descriptor is then. */
static bool find_descriptor(const struct guest_state *s, uint16_t selector, unsigned size,
                            uint64_t *linear)
{
    const struct segment_state *ldt = &s->segment[SEG_LDTR];
    bool local = selector & SELECTOR_TI;
    uint64_t limit = local ? ldt->limit : s->gdtr.limit;
    unsigned offset = selector & ~7u;

    *linear = (local ? ldt->base : s->gdtr.base) + offset;
    return !(local && ldt->access & SEGMENT_UNUSABLE) && offset + size - 1 <= limit;
}

/* In 64-bit mode descriptors of LDTs and TSSs have 16 bytes. */
static bool read_descriptor(struct run *run, enum segment segment, uint16_t selector,
                            struct descriptor *d)
{
    bool wide = is_system(segment) && code_mode(run->state) == DECODE_64;

    *d = (struct descriptor){0};
    if ((selector & SELECTOR_TI && rules[segment].global) ||
        !find_descriptor(run->state, selector, wide ? 16 : 8, &d->linear))
        return selector_fault(run, VECTOR_GP, selector);
    if (!access_table(run, d->linear, false, &d->low) ||
        (wide && !access_table(run, d->linear + 8, false, &d->high)))
        return false;
    d->type = d->low >> 40 & 0x1f;
    d->dpl = d->low >> 45 & 3;
    return true;
}

static bool privilege_allows(const struct guest_state *s, enum segment segment, unsigned rpl,
                             const struct descriptor *d)
{
    unsigned cpl = current_privilege(s);
    bool conforming = (d->type & (TYPE_CODE | TYPE_CONFORMING)) == (TYPE_CODE | TYPE_CONFORMING);

    if (is_system(segment))
        return true;
    if (segment == SEG_SS)
        return rpl == cpl && d->dpl == cpl;
    if (segment == SEG_CS)
        return conforming ? d->dpl <= cpl : rpl <= cpl && d->dpl == cpl;
    return conforming || (d->dpl >= cpl && d->dpl >= rpl);
}

static bool check_descriptor(struct run *run, enum segment segment, uint16_t selector,
                             const struct descriptor *d)
{
    const struct guest_state *s = run->state;
    const struct rule *rule = &rules[segment];
    bool ia32e = s->efer & EFER_LMA;
    uint64_t access = d->low >> 40;

    if (segment == SEG_CS && (ia32e ? GATE_64 : GATE_OR_TASK) >> d->type & 1) {
        run->result = EMULATE_UNSUPPORTED;
        return false;
    }
    if (!((ia32e ? rule->types_ia32e : rule->types) >> d->type & 1) ||
        !privilege_allows(s, segment, selector & SELECTOR_RPL, d) ||
        (segment == SEG_CS && ia32e && access & ACCESS_L && access & ACCESS_DB) ||
        d->high >> 40 & 0x1f)
        return selector_fault(run, VECTOR_GP, selector);
    if (!(access & ACCESS_P))
        return selector_fault(run, rule->absent, selector);
    return true;
}

static struct segment_state unpack(const struct descriptor *d, uint16_t selector)
{
    uint64_t low = d->low;

    return (struct segment_state){
        .base = (low >> 16 & 0xffffff) | (low >> 56) << 24 | d->high << 32,
        .limit = segment_limit(low),
        .selector = selector,
        .access = low >> 40 & 0xf0ff,
    };
}

/* In 64-bit mode code below ring 3 may have no SS. It keeps the privilege level. */
static bool load_null(struct run *run, enum segment segment, uint16_t selector,
                      struct segment_state *loaded)
{
    unsigned cpl = current_privilege(run->state);
    bool no_stack =
        segment == SEG_SS && code_mode(run->state) == DECODE_64 && cpl < 3 && selector == cpl;

    if (!rules[segment].null && !no_stack)
        return selector_fault(run, VECTOR_GP, 0);
    *loaded = (struct segment_state){.selector = selector, .access = SEGMENT_UNUSABLE};
    if (segment == SEG_SS)
        loaded->access |= (uint16_t)(cpl << ACCESS_DPL_SHIFT);
    return true;
}

bool segment_load(struct run *run, enum segment segment, uint16_t selector,
                  struct segment_state *loaded)
{
    struct descriptor d;
    unsigned mark = is_system(segment) ? TYPE_BUSY : TYPE_ACCESSED;

    if (!loads_descriptors(run->state)) {
        *loaded = run->state->segment[segment];
        loaded->selector = selector;
        loaded->base = (uint64_t)selector << 4;
        return true;
    }
    if (!(selector & ~SELECTOR_RPL))
        return load_null(run, segment, selector, loaded);
    if (!read_descriptor(run, segment, selector, &d) ||
        !check_descriptor(run, segment, selector, &d))
        return false;
    if (segment == SEG_CS)
        selector = (uint16_t)((selector & ~SELECTOR_RPL) | current_privilege(run->state));
    if (segment != SEG_LDTR && !(d.type & mark)) {
        d.low |= (uint64_t)mark << 40;
        if (!access_table(run, d.linear, true, &d.low))
            return false;
    }
    *loaded = unpack(&d, selector);
    if (is_canonical(loaded->base))
        return true;
    return selector_fault(run, VECTOR_GP, selector);
}

/* What they say yes to, outside IA-32e mode and in it. */
#define SYSTEM_SEGMENTS (TSS | BIT(11) | LDT)
#define ALL_TSS_16      (TSS_16 | BIT(3))
#define CALL_GATE       BIT(12)
#define OLD_GATES       (BIT(4) | BIT(5))

static const uint32_t look_types[LOOK_COUNT][2] = {
    [LOOK_ACCESS] = {ANY_DATA | ANY_CODE | SYSTEM_SEGMENTS | ALL_TSS_16 | CALL_GATE | OLD_GATES,
                     ANY_DATA | ANY_CODE | SYSTEM_SEGMENTS | CALL_GATE},
    [LOOK_LIMIT] = {ANY_DATA | ANY_CODE | SYSTEM_SEGMENTS | ALL_TSS_16,
                    ANY_DATA | ANY_CODE | SYSTEM_SEGMENTS},
    [LOOK_READ] = {ANY_DATA | READABLE, ANY_DATA | READABLE},
    [LOOK_WRITE] = {WRITABLE, WRITABLE},
};

/* In IA-32e mode the second half of a system descriptor says that it is one. */
static bool look_at_upper(struct run *run, uint16_t selector, bool *good)
{
    uint64_t linear, upper;

    if (!find_descriptor(run->state, selector, 16, &linear)) {
        *good = false;
        return true;
    }
    if (!access_table(run, linear + 8, false, &upper))
        return false;
    *good = !(upper >> 40 & 0x1f);
    return true;
}

bool segment_look(struct run *run, enum segment_look kind, uint16_t selector, uint64_t *descriptor,
                  bool *good)
{
    const struct guest_state *s = run->state;
    bool ia32e = s->efer & EFER_LMA;
    unsigned rpl = selector & SELECTOR_RPL;
    struct descriptor d;

    *good = selector & ~SELECTOR_RPL && find_descriptor(s, selector, 8, &d.linear);
    if (!*good)
        return true;
    if (!access_table(run, d.linear, false, &d.low))
        return false;
    *descriptor = d.low;
    d.type = d.low >> 40 & 0x1f;
    d.dpl = d.low >> 45 & 3;
    *good = look_types[kind][ia32e] >> d.type & 1 && privilege_allows(s, SEG_DS, rpl, &d);
    return !*good || !ia32e || d.type & BIT(4) || look_at_upper(run, selector, good);
}
