/* SPDX-License-Identifier: BSD-2-Clause */
/* The checks on the guest's segment registers: SDM volume 3, "Checks on Guest Segment Registers"
 * (R9). */
#include <stddef.h>

#include "monitor/entry/state.h"

enum { ES, CS, SS, DS, FS, GS, LDTR, TR, SEGMENTS };

#define RPL(selector) ((selector) & 3)
#define SELECTOR_TI   4U

#define TYPE_ACCESSED        1U
#define TYPE_READABLE        2U /* of code */
#define TYPE_CODE            8U
#define TYPE_DATA_READ_WRITE 3U /* accessed, expand-up */
#define TYPE_LDT             2U

#define ACCESS_RESERVED_LOW  0xf00U
#define ACCESS_RESERVED_HIGH 0xfffe0000U
#define ACCESS_VIRTUAL_8086  0xf3U

/* What a failing check says, for each segment. */
struct segment_words {
    const char *ti, *rpl, *base_8086, *limit_8086, *access_8086, *canonical, *base_high;
    const char *type, *s, *dpl, *p, *reserved, *db, *g, *unusable;
};

#define SEGMENT(name)                                                                              \
    [name] = {                                                                                     \
        .ti = "guest " #name " selector: TI is 1",                                                 \
        .rpl = "guest " #name " selector: RPL differs from that of CS",                            \
        .base_8086 = "guest " #name " base: not the selector times 16 in virtual-8086 mode",       \
        .limit_8086 = "guest " #name " limit: not ffffh in virtual-8086 mode",                     \
        .access_8086 = "guest " #name " access rights: not f3h in virtual-8086 mode",              \
        .canonical = "guest " #name " base: not canonical",                                        \
        .base_high = "guest " #name " base: bits 63:32 are not 0",                                 \
        .type = "guest " #name " access rights: a type that this register cannot have",            \
        .s = "guest " #name " access rights: S is wrong",                                          \
        .dpl = "guest " #name " access rights: DPL does not go with the type, RPL, CS or SS",      \
        .p = "guest " #name " access rights: P is 0",                                              \
        .reserved = "guest " #name " access rights: a reserved bit is 1",                          \
        .db = "guest " #name " access rights: both D and L are 1 in IA-32e mode",                  \
        .g = "guest " #name " limit: does not go with the granularity in the access rights",       \
        .unusable = "guest " #name " access rights: unusable",                                     \
    }

static const struct segment_words words[SEGMENTS] = {
    SEGMENT(ES), SEGMENT(CS), SEGMENT(SS),   SEGMENT(DS),
    SEGMENT(FS), SEGMENT(GS), SEGMENT(LDTR), SEGMENT(TR),
};

struct segment_fields {
    uint64_t base;
    uint32_t selector, limit, access, type, dpl;
    bool usable;
};

/* The fields of the eight segments follow each other in steps of 2. */
static struct segment_fields read_segment(const struct entry_state *state, unsigned index)
{
    const uint64_t *field = state->vmcs->field;
    struct segment_fields segment = {
        .base = field[VMCS_INDEX_GUEST_ES_BASE + index],
        .selector = (uint32_t)field[VMCS_INDEX_GUEST_ES_SELECTOR + index],
        .limit = (uint32_t)field[VMCS_INDEX_GUEST_ES_LIMIT + index],
        .access = (uint32_t)field[VMCS_INDEX_GUEST_ES_ACCESS_RIGHTS + index],
    };

    segment.type = ACCESS_TYPE(segment.access);
    segment.dpl = ACCESS_DPL(segment.access);
    segment.usable = !(segment.access & ACCESS_UNUSABLE);
    return segment;
}

static const char *check_selectors(const struct entry_state *state, const struct segment_fields *s)
{
    REQUIRE(!(s[TR].selector & SELECTOR_TI), words[TR].ti);
    REQUIRE(!s[LDTR].usable || !(s[LDTR].selector & SELECTOR_TI), words[LDTR].ti);
    if (!state->virtual_8086 && !state->unrestricted)
        REQUIRE(RPL(s[SS].selector) == RPL(s[CS].selector), words[SS].rpl);
    return NULL;
}

static const char *check_bases(const struct segment_fields *s)
{
    static const unsigned canonical[] = {TR, FS, GS};
    static const unsigned low[] = {SS, DS, ES};

    for (size_t i = 0; i < ARRAY_SIZE(canonical); i++)
        REQUIRE(is_canonical(s[canonical[i]].base), words[canonical[i]].canonical);
    REQUIRE(!s[LDTR].usable || is_canonical(s[LDTR].base), words[LDTR].canonical);
    REQUIRE(!(s[CS].base >> 32), words[CS].base_high);
    for (size_t i = 0; i < ARRAY_SIZE(low); i++)
        REQUIRE(!s[low[i]].usable || !(s[low[i]].base >> 32), words[low[i]].base_high);
    return NULL;
}

static const char *check_virtual_8086(const struct segment_fields *s)
{
    for (unsigned i = ES; i <= GS; i++) {
        REQUIRE(s[i].base == (uint64_t)s[i].selector << 4, words[i].base_8086);
        REQUIRE(s[i].limit == 0xffff, words[i].limit_8086);
        REQUIRE(s[i].access == ACCESS_VIRTUAL_8086, words[i].access_8086);
    }
    return NULL;
}

static bool granularity_ok(const struct segment_fields *segment)
{
    if (segment->access & ACCESS_G)
        return (segment->limit & 0xfff) == 0xfff;
    return !(segment->limit >> 20);
}

/* What holds for each usable register, with its S bit. */
static const char *check_common(const struct segment_fields *segment,
                                const struct segment_words *say, uint32_t s_bit)
{
    REQUIRE((segment->access & ACCESS_S) == s_bit, say->s);
    REQUIRE(segment->access & ACCESS_P, say->p);
    REQUIRE(!(segment->access & (ACCESS_RESERVED_LOW | ACCESS_RESERVED_HIGH)), say->reserved);
    REQUIRE(granularity_ok(segment), say->g);
    return NULL;
}

static const char *check_cs(const struct entry_state *state, const struct segment_fields *s)
{
    const struct segment_fields *cs = &s[CS];

    switch (cs->type) {
    case TYPE_DATA_READ_WRITE: /* left over from real mode */
        REQUIRE(state->unrestricted, words[CS].type);
        REQUIRE(cs->dpl == 0, words[CS].dpl);
        break;
    case 9:
    case 11:
        REQUIRE(cs->dpl == s[SS].dpl, words[CS].dpl);
        break;
    case 13:
    case 15:
        REQUIRE(cs->dpl <= s[SS].dpl, words[CS].dpl);
        break;
    default:
        return words[CS].type;
    }
    REQUIRE(!state->ia32e || !(cs->access & ACCESS_L) || !(cs->access & ACCESS_DB), words[CS].db);
    return check_common(cs, &words[CS], ACCESS_S);
}

static const char *check_ss(const struct entry_state *state, const struct segment_fields *s)
{
    const struct segment_fields *ss = &s[SS];

    /* The DPL is the CPL and counts even if SS is unusable. */
    if (!state->unrestricted)
        REQUIRE(ss->dpl == RPL(ss->selector), words[SS].dpl);
    if (s[CS].type == TYPE_DATA_READ_WRITE || !(state->cr0 & CR0_PE))
        REQUIRE(ss->dpl == 0, words[SS].dpl);
    if (!ss->usable)
        return NULL;
    REQUIRE(ss->type == 3 || ss->type == 7, words[SS].type);
    return check_common(ss, &words[SS], ACCESS_S);
}

static const char *check_data(const struct entry_state *state, const struct segment_fields *s)
{
    static const unsigned data[] = {DS, ES, FS, GS};

    for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
        const struct segment_fields *segment = &s[data[i]];
        const struct segment_words *say = &words[data[i]];
        const bool conforming = segment->type > 11;
        const char *failure;

        if (!segment->usable)
            continue;
        REQUIRE(segment->type & TYPE_ACCESSED, say->type);
        REQUIRE(!(segment->type & TYPE_CODE) || (segment->type & TYPE_READABLE), say->type);
        REQUIRE(state->unrestricted || conforming || segment->dpl >= RPL(segment->selector),
                say->dpl);
        failure = check_common(segment, say, ACCESS_S);
        if (failure)
            return failure;
    }
    return NULL;
}

static const char *check_system(const struct entry_state *state, const struct segment_fields *s)
{
    const uint32_t tr = s[TR].type;
    const char *failure;

    REQUIRE(tr == TYPE_TSS_BUSY || (tr == TYPE_TSS_BUSY_16 && !state->ia32e), words[TR].type);
    REQUIRE(s[TR].usable, words[TR].unusable);
    failure = check_common(&s[TR], &words[TR], 0);
    if (failure || !s[LDTR].usable)
        return failure;
    REQUIRE(s[LDTR].type == TYPE_LDT, words[LDTR].type);
    return check_common(&s[LDTR], &words[LDTR], 0);
}

const char *entry_check_segments(const struct entry_state *state)
{
    static const char *(*const checks[])(const struct entry_state *,
                                         const struct segment_fields *) = {
        check_cs,
        check_ss,
        check_data,
    };
    struct segment_fields segments[SEGMENTS];
    const char *failure;

    for (unsigned i = 0; i < SEGMENTS; i++)
        segments[i] = read_segment(state, i);
    failure = check_selectors(state, segments);
    if (!failure)
        failure = check_bases(segments);
    if (!failure && state->virtual_8086)
        failure = check_virtual_8086(segments);
    for (size_t i = 0; !failure && !state->virtual_8086 && i < ARRAY_SIZE(checks); i++)
        failure = checks[i](state, segments);
    return failure ? failure : check_system(state, segments);
}
