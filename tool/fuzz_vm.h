/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM that is given one input after the other, each time from the same state on, over a control
 * line. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/fuzz.h"
#include "tool/control_line.h"

struct fuzz_vm {
    struct control_line *line;
    const char *name;
    unsigned vm;
    uint64_t limit;        /* ticks that the VM may use for an input */
    uint32_t buffer, room; /* where inputs go, and how many bytes there are */
};

/* How an input ended; FUZZ_RUNS: it did not, in time. */
struct fuzz_verdict {
    enum fuzz_state how;
    uint32_t value;
    char why[FUZZ_WHY];
};

/* Its word. */
const char *fuzz_vm_word(enum fuzz_state how);

/* All return LINTEL_OK, or a code after a message; LINTEL_UNFINISHED without one: a signal has
 * come. */

/* Waits until the guest is ready, and keeps it. */
enum exit_code fuzz_vm_begin(struct fuzz_vm *f);

/* Has the guest take an input of at most `room` bytes. */
enum exit_code fuzz_vm_run(struct fuzz_vm *f, const uint8_t *bytes, size_t size,
                           struct fuzz_verdict *verdict);

/* Leaves it as it was when it was ready. */
enum exit_code fuzz_vm_end(struct fuzz_vm *f);
