/* SPDX-License-Identifier: BSD-2-Clause */
/* Breadth-first search over the states of the model. */
#pragma once

#include "tests/native/model/model.h"

struct search_result {
    uint64_t states, transitions;
    unsigned depth;     /* of the deepest state */
    const char *broken; /* an invariant, or a null pointer */
};

/*
 * Tries all sequences of actions up to config->depth, in the order of their lengths, until an
 * invariant is broken. Two sequences that lead to the same state go on as one.
 */
struct search_result search(const struct model_config *config, enum msr_strategy strategy);

/* Prints the shortest way to the broken invariant of the last search, a line for each action. */
void search_print_trace(const char *prefix);
