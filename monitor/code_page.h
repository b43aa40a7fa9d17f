/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page that instructions were fetched from last. Its translation is used again as long as all
 * that it came from is the same, down to each paging-structure entry's value: what is answered is
 * what a walk would give now.
 */
#pragma once

#include <stdint.h>

#include "monitor/walk.h"

struct code_page {
    /* The page and what a fetch's walk depends on; no page when it is CODE_PAGE_NONE. */
    uint64_t linear, cr3, cr4, efer;
    unsigned privilege;
    struct walk_path path; /* all steps are there; what the walk did not take repeats the first */
    const uint8_t *ram;
};

/* Not canonical: never fetched from. */
#define CODE_PAGE_NONE (1ULL << 62)

void code_page_reset(struct code_page *page);

/* Where the page around `linear` is mapped, for a fetch by the guest; NULL: it
 * cannot be fetched. */
const uint8_t *code_page_find(struct code_page *page, const struct guest_memory *memory,
                              const struct guest_state *state, uint64_t linear);
