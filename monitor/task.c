/* SPDX-License-Identifier: BSD-2-Clause */
/* R17: from one TSS to another, in the order of SDM volume 3, "Task Switching". */
#include "monitor/task.h"

#include "lib/bits.h"
#include "monitor/linear.h"
#include "monitor/operand.h"
#include "monitor/segment_load.h"
#include "monitor/x86.h"

#define ACCESS_BUSY   BIT(1) /* of a TSS's descriptor as well */
#define ACCESS_TSS_32 BIT(3)

/* What CS has until it is loaded: flat, and conforming, which any privilege level can be in. */
#define ACCESS_ANY_CODE  0xc09f
#define ACCESS_DATA_8086 0xf3

#define LINK      0x00
#define TSS_CR3   0x1c /* these two of 32 bits only */
#define TSS_T     0x64
#define TSS_WORDS 17

/* Both kinds have IP, FLAGS, AX to DI, ES, CS, SS, DS and so on, and last LDT, in one row. */
static const struct format {
    uint8_t word;        /* bytes of each */
    uint8_t first;       /* where IP is */
    uint8_t segments;    /* how many */
    uint8_t limit;       /* what a TSS must have to be loaded, */
    uint8_t limit_saved; /* and to be saved to */
} format_16 = {2, 0x0e, 4, 0x2b, 0x29}, format_32 = {4, 0x20, 6, 0x67, 0x5f};

enum { WORD_IP, WORD_FLAGS, WORD_GPR, WORD_SEGMENTS = WORD_GPR + 8 };

struct switching {
    struct run run;
    const struct exit_task *cause;
    uint64_t rflags; /* of the old task */
    const struct format *old, *new;
    uint64_t place, descriptor; /* of the new task's descriptor, and it */
    uint64_t tss;               /* base */
    uint32_t word[TSS_WORDS], cr3;
    bool debug; /* T */
};

static bool is_nested(const struct switching *t)
{
    return t->cause->source == TASK_CALL || t->cause->source == TASK_GATE;
}

static bool leaves_busy(const struct switching *t)
{
    return is_nested(t);
}

/* Memory is reached with the rights of privilege level 0 until the new task has its own. */
static bool read_at(struct switching *t, uint64_t linear, unsigned size, uint64_t *value)
{
    return emulate_read(t->run.ctx, (uint32_t)linear, size, value, t->run.fault);
}

static bool write_at(struct switching *t, uint64_t linear, unsigned size, uint64_t value)
{
    return emulate_write(t->run.ctx, (uint32_t)linear, size, value, t->run.fault);
}

static bool writable_at(struct switching *t, uint64_t linear, unsigned size)
{
    return emulate_writable(t->run.ctx, (uint32_t)linear, size, t->run.fault);
}

static bool invalid_tss(struct switching *t, uint16_t selector)
{
    return selector_fault(&t->run, VECTOR_TS, selector);
}

/* The processor has checked the descriptor, but it may be another one now. */
static bool find_new(struct switching *t)
{
    const struct guest_state *s = t->run.state;
    uint16_t selector = t->cause->selector;
    bool busy = t->cause->source == TASK_IRET;

    t->place = s->gdtr.base + (selector & ~7u);
    if (selector & 4 || (selector | 7u) > s->gdtr.limit)
        return invalid_tss(t, selector);
    if (!read_at(t, t->place, 8, &t->descriptor))
        return false;
    unsigned type = t->descriptor >> 40 & 0x1f;

    t->new = type &ACCESS_TSS_32 ? &format_32 : &format_16;
    t->tss = (t->descriptor >> 16 & 0xffffff) | (t->descriptor >> 56) << 24;
    if ((type & ~(unsigned)ACCESS_TSS_32) != (busy ? 3 : 1) ||
        segment_limit(t->descriptor) < t->new->limit)
        return invalid_tss(t, selector);
    return t->descriptor >> 40 & ACCESS_P || selector_fault(&t->run, VECTOR_NP, selector);
}

/* Whatever will be written can be: behind this nothing of the old task's faults. */
static bool find_old(struct switching *t)
{
    const struct guest_state *s = t->run.state;
    const struct segment_state *tr = &s->segment[SEG_TR];
    const struct format *f = tr->access & ACCESS_TSS_32 ? &format_32 : &format_16;

    t->old = f;
    if (tr->limit < f->limit_saved)
        return invalid_tss(t, tr->selector);
    return writable_at(t, tr->base + f->first, f->limit_saved - f->first) &&
           (!is_nested(t) || writable_at(t, t->tss + LINK, 2)) &&
           writable_at(t, t->place + DESCRIPTOR_RIGHTS, 1) &&
           (leaves_busy(t) ||
            writable_at(t, s->gdtr.base + (tr->selector & ~7u) + DESCRIPTOR_RIGHTS, 1));
}

static bool read_new(struct switching *t)
{
    unsigned count = WORD_SEGMENTS + t->new->segments + 1;
    uint64_t value = 0, cr3 = 0;

    for (unsigned i = 0; i < count; i++) {
        if (!read_at(t, t->tss + t->new->first + i * t->new->word, t->new->word, &value))
            return false;
        t->word[i] = (uint32_t)value;
    }
    if (t->new->word == 2)
        return true;
    if (!read_at(t, t->tss + TSS_CR3, 4, &cr3) || !read_at(t, t->tss + TSS_T, 2, &value))
        return false;
    t->cr3 = (uint32_t)cr3;
    t->debug = value & 1;
    return true;
}

/* An instruction is left behind; what was interrupted, or has faulted, is not. */
static uint64_t next_ip(const struct switching *t)
{
    uint32_t vectoring = t->cause->vectoring;
    bool software = EVENT_TYPE(vectoring) >= EVENT_TYPE_SOFTWARE_INTERRUPT;

    return t->run.state->rip + (t->cause->source != TASK_GATE || software ? t->cause->length : 0);
}

/* Selectors have two bytes, whatever else their words have. */
static bool save_old(struct switching *t)
{
    const struct guest_state *s = t->run.state;
    const struct segment_state *tr = &s->segment[SEG_TR];
    uint64_t nt = t->cause->source == TASK_IRET ? RFLAGS_NT : 0, at = tr->base + t->old->first;
    unsigned word = t->old->word;
    bool good = write_at(t, at, word, next_ip(t)) && write_at(t, at + word, word, t->rflags & ~nt);

    for (unsigned i = 0; i < 8 && good; i++)
        good = write_at(t, at + (WORD_GPR + i) * word, word, s->gpr[i]);
    for (unsigned i = 0; i < t->old->segments && good; i++)
        good = write_at(t, at + (WORD_SEGMENTS + i) * word, 2, s->segment[i].selector);
    return good && (!is_nested(t) || write_at(t, t->tss + LINK, 2, tr->selector));
}

static bool mark(struct switching *t, uint64_t place, bool busy)
{
    uint64_t rights;

    return read_at(t, place + DESCRIPTOR_RIGHTS, 1, &rights) &&
           write_at(t, place + DESCRIPTOR_RIGHTS, 1,
                    busy ? rights | ACCESS_BUSY : rights & ~(uint64_t)ACCESS_BUSY);
}

static bool mark_both(struct switching *t)
{
    const struct guest_state *s = t->run.state;
    uint64_t old = s->gdtr.base + (s->segment[SEG_TR].selector & ~7u);

    return (leaves_busy(t) || mark(t, old, false)) &&
           (t->cause->source == TASK_IRET || mark(t, t->place, true));
}

/* Until SS is loaded, too. */
static void set_privilege(struct guest_state *s, unsigned privilege)
{
    s->segment[SEG_SS].access = (uint16_t)(SEGMENT_UNUSABLE | privilege << ACCESS_DPL_SHIFT);
}

/* General registers have 16 bits of the smaller kind, with ones above. */
static void load_registers(struct switching *t)
{
    struct guest_state *s = t->run.state;
    uint32_t above = t->new->word == 2 ? 0xffff0000 : 0;

    s->rip = t->word[WORD_IP];
    s->rflags = t->word[WORD_FLAGS] | RFLAGS_FIXED | (is_nested(t) ? RFLAGS_NT : 0);
    for (unsigned i = 0; i < 8; i++)
        s->gpr[i] = t->word[WORD_GPR + i] | above;
    s->cr0 |= CR0_TS;
    s->dr7 &= ~(uint64_t)DR7_LOCAL;
    s->segment[SEG_TR] = (struct segment_state){
        .base = t->tss,
        .limit = segment_limit(t->descriptor),
        .selector = t->cause->selector,
        .access = (t->descriptor >> 40 & 0xf0ff) | ACCESS_BUSY,
    };
    /* A TSS of 16 bits has no FS and GS: the word in their place is the LDT. */
    for (unsigned i = SEG_ES; i <= SEG_GS; i++)
        s->segment[i] = (struct segment_state){
            .selector = i < t->new->segments ? (uint16_t)t->word[WORD_SEGMENTS + i] : 0,
            .access = SEGMENT_UNUSABLE,
        };
    s->segment[SEG_CS].limit = UINT32_MAX;
    s->segment[SEG_CS].access = ACCESS_ANY_CODE;
    s->segment[SEG_LDTR] = (struct segment_state){
        .selector = (uint16_t)t->word[WORD_SEGMENTS + t->new->segments],
        .access = SEGMENT_UNUSABLE,
    };
}

static bool load_cr3(struct switching *t)
{
    struct guest_state *s = t->run.state;

    if (!(s->cr0 & CR0_PG) || t->new->word == 2 || t->cr3 == s->cr3)
        return true;
    s->cr3 = t->cr3;
    return !(s->cr4 & CR4_PAE) || task_pdptes(t->run.ctx, s->cr3, s->pdpte) || invalid_tss(t, 0);
}

/* As another load, but for the exceptions: a selector that is wrong is the TSS's mistake. */
static bool load_segment(struct switching *t, enum segment segment)
{
    struct guest_state *s = t->run.state;
    uint16_t selector = s->segment[segment].selector;
    struct segment_state loaded;

    if (segment_load(&t->run, segment, selector, &loaded)) {
        s->segment[segment] = loaded;
        return true;
    }
    if (t->run.result == EMULATE_UNSUPPORTED) /* a gate */
        return invalid_tss(t, selector);
    uint8_t *vector = &t->run.fault->vector;

    if (*vector == VECTOR_GP || (*vector == VECTOR_NP && segment == SEG_LDTR))
        *vector = VECTOR_TS;
    return false;
}

static void load_segments_8086(struct guest_state *s)
{
    for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
        uint16_t selector = s->segment[i].selector;

        s->segment[i] =
            (struct segment_state){(uint64_t)selector << 4, 0xffff, selector, ACCESS_DATA_8086};
    }
}

/*
 * The new privilege level is that of CS's selector, but 3 as long as there is no SS, so that a
 * handler gets the stack of its own level.
 */
static bool load_segments(struct switching *t)
{
    static const uint8_t others[] = {SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_CS};
    struct guest_state *s = t->run.state;
    uint64_t virtual_8086 = s->rflags & RFLAGS_VM;

    s->rflags &= ~virtual_8086;
    set_privilege(s, s->segment[SEG_CS].selector & 3);
    bool good = load_cr3(t) && load_segment(t, SEG_LDTR);

    if (virtual_8086) {
        s->rflags |= virtual_8086;
        load_segments_8086(s);
        return good;
    }
    if (!good || !load_segment(t, SEG_SS)) {
        set_privilege(s, 3);
        s->segment[SEG_CS].selector |= 3; /* where an emulator has the privilege level */
        return false;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(others) && good; i++)
        good = load_segment(t, others[i]);
    return good;
}

/* An exception's error code is on the new task's stack. */
static bool push_error_code(struct switching *t)
{
    uint32_t vectoring = t->cause->vectoring;
    struct guest_state *s = t->run.state;
    unsigned size = t->new->word, width = stack_size(s);
    uint64_t *rsp = &s->gpr[GPR_RSP], top = truncate(*rsp - size, width);

    if (t->cause->source != TASK_GATE || !(vectoring & EVENT_ERROR_CODE))
        return true;
    if (!write_segment(&t->run, SEG_SS, top, size, t->cause->error_code))
        return false;
    set_gpr(rsp, top, width, 0);
    return true;
}

static bool check_ip(struct switching *t)
{
    const struct guest_state *s = t->run.state;

    return s->rip <= s->segment[SEG_CS].limit || selector_fault(&t->run, VECTOR_GP, 0);
}

/* An exception that no instruction of the guest's asked for says so in its error code. */
static void note_external(const struct switching *t, struct emulate_fault *fault)
{
    uint32_t vectoring = t->cause->vectoring;
    bool asked = EVENT_TYPE(vectoring) == EVENT_TYPE_SOFTWARE_INTERRUPT ||
                 EVENT_TYPE(vectoring) == EVENT_TYPE_SOFTWARE_EXCEPTION;

    if (t->cause->source == TASK_GATE && !asked && fault->vector != VECTOR_PF)
        fault->error_code |= 1;
}

static bool leave_old(struct switching *t)
{
    return find_new(t) && find_old(t) && read_new(t) && save_old(t) && read_new(t) && mark_both(t);
}

enum task_result task_switch(struct guest_state *s, void *ctx, const struct exit_task *cause,
                             struct emulate_fault *fault)
{
    const struct guest_state before = *s;
    struct switching t = {
        .run = {.state = s, .ctx = ctx, .fault = fault}, .cause = cause, .rflags = s->rflags};

    s->segment[SEG_SS].access &= (uint16_t)~(3 << ACCESS_DPL_SHIFT);
    s->rflags &= ~(uint64_t)(RFLAGS_AC | RFLAGS_VM);
    if (!leave_old(&t)) {
        *s = before;
        note_external(&t, fault);
        return TASK_REFUSED;
    }
    load_registers(&t);
    if (!load_segments(&t) || !push_error_code(&t) || !check_ip(&t)) {
        note_external(&t, fault);
        return TASK_FAULTED;
    }
    *fault = (struct emulate_fault){.vector = VECTOR_DB};
    return t.debug ? TASK_FAULTED : TASK_SWITCHED;
}
