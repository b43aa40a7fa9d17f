/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When typed bytes may go to the machine's serial port. Its FIFO holds 16 and nothing holds the
 * sender back, so they go in small bursts; and what a guest is sent before it reads is lost when it
 * sets up its UART, so input that does not come from a person waits for a prompt; and again when a
 * VM restarts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACER_BURST  8  /* bytes; half of the FIFO */
#define PACER_GAP_MS 10 /* between bursts */
#define PACER_QUIET_MS                                                                             \
    200 /* a guest's line without an end is a prompt when nothing has followed it for so long */
#define PACER_PATIENCE                                                                             \
    3000 /* ms: after the first prompt, a guest that says nothing reads on without one */

#define PACER_LINE 64 /* bytes of a line of the hypervisor's that are looked at */

struct pacer {
    bool typed; /* by a person, who looks at the screen: only bursts, no waiting for prompts */
    bool prompted;
    bool line_open; /* the output ends in the middle of a line */
    bool line_sent; /* the last byte that went in ended a line, and its echo has not ended */
    bool mid_line;  /* the last byte that went in did not end a line */
    bool telling;   /* the output's last line is the hypervisor's, as far as it goes */
    size_t told; /* bytes of it, the first of which are compared with what such lines begin with */
    char line[PACER_LINE]; /* the rest of it */
    char last;             /* the last byte of the output's last line, so far */
    bool prompt_cut; /* the last line that is not the hypervisor's ended in a blank: a prompt, ended
                        by a line of the hypervisor's */
    uint64_t last_output, last_input; /* ms */
};

/* The machine wrote these bytes at time `now`, in milliseconds of any clock. */
void pacer_output(struct pacer *pacer, uint64_t now, const char *bytes, size_t length);

/*
 * How many of the waiting bytes may go now: at most a burst, and at most to the end of a line. With
 * 0, *wait is how many ms later to ask again, unless there is output before that; -1: only after
 * output.
 */
size_t pacer_ready(const struct pacer *pacer, uint64_t now, const char *bytes, size_t length,
                   int *wait);

/* These bytes went out at time `now`. */
void pacer_sent(struct pacer *pacer, uint64_t now, const char *bytes, size_t length);
