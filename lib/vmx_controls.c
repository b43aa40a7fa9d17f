/* SPDX-License-Identifier: BSD-2-Clause */
/* The choice of VMX controls from what a CPU allows and what controls.def asks for (R10). */
#include "lib/string.h"
#include "lib/vmx_caps.h"

#include <stddef.h>

const struct control_row control_rows[CONTROL_COUNT] = {
#define CONTROL(id, word, bit, name, need, use, with, lost)                                        \
    [CONTROL_##id] = {name,           lost,          CONTROL_WORD_##word, bit,                     \
                      CONTROL_##need, CONTROL_##use, CONTROL_##with},
#include "abi/controls.def"
#undef CONTROL
};

/* A word's capability MSR. EPT and VPID capabilities have no halves. */
static uint64_t capability(const struct vmx_caps *caps, enum control_word word)
{
    return word == CONTROL_WORD_EPT_VPID ? caps->ept_vpid : caps->control[word];
}

/* Whether the CPU allows what the row asks for. */
static bool allowed(const struct vmx_caps *caps, const struct control_row *row)
{
    const uint64_t word = capability(caps, row->word);
    const bool must_be_1 = word & BIT(row->bit);

    if (row->use == CONTROL_PRESENT)
        return word & BIT(row->bit);

    const bool may_be_1 = (word >> 32) & BIT(row->bit);
    switch (row->use) {
    case CONTROL_CLEAR:
        return !must_be_1;
    case CONTROL_TOGGLED:
        return may_be_1 && !must_be_1;
    default:
        return may_be_1;
    }
}

/* Whether a control, and all that it is used with, can be had. */
static bool available(const struct vmx_caps *caps, uint64_t hidden, enum control_id id)
{
    enum control_id link = id;

    do {
        if ((hidden & BIT(link)) || !allowed(caps, &control_rows[link]))
            return false;
        link = control_rows[link].with;
    } while (link != CONTROL_NONE && link != id);
    return true;
}

bool vmx_controls_choose(const struct vmx_caps *caps, uint64_t hidden, struct vmx_controls *out,
                         enum control_id *missing)
{
    *missing = CONTROL_NONE;
    out->have = 0;
    for (unsigned word = 0; word < ARRAY_SIZE(out->word); word++)
        out->word[word] = (uint32_t)caps->control[word];
    for (unsigned id = 0; id < CONTROL_COUNT; id++) {
        const struct control_row *row = &control_rows[id];

        if (available(caps, hidden, id)) {
            out->have |= BIT(id);
            if (row->use == CONTROL_SET)
                out->word[row->word] |= BIT(row->bit);
        } else if (row->need == CONTROL_NEEDED && *missing == CONTROL_NONE) {
            *missing = id;
        }
    }
    return *missing == CONTROL_NONE;
}

static enum control_id find(const char *name, size_t length)
{
    for (unsigned id = 0; id < CONTROL_COUNT; id++)
        if (strlen(control_rows[id].name) == length &&
            strncmp(control_rows[id].name, name, length) == 0)
            return id;
    return CONTROL_NONE;
}

bool vmx_control_parse(const char *list, uint64_t *hidden)
{
    *hidden = 0;
    while (*list) {
        const char *comma = strchr(list, ',');
        const size_t length = comma ? (size_t)(comma - list) : strlen(list);
        const enum control_id id = find(list, length);

        if (id == CONTROL_NONE || (comma && !comma[1]))
            return false;
        *hidden |= BIT(id);
        list += length + (comma != NULL);
    }
    return true;
}

const char *vmx_control_verdict(const struct vmx_controls *controls, enum control_id id)
{
    if (control_has(controls, id))
        return "ok";
    return control_rows[id].need == CONTROL_NEEDED ? "absent (needed)" : "absent (wanted)";
}
