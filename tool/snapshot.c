/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/snapshot.h"

#include <string.h>
#include <time.h>

/* A VM whose devices are at work goes on for a moment, so often. */
#define TRIES     100
#define MOMENT_NS 5000000L

/* All of its pieces, of a VM that is paused; `goes_on`: not for longer. That it has gone on before
 * the last one was answered means that the answer was lost. */
static enum control_error copy(struct control_line *line, enum control_call call, unsigned vm,
                               bool goes_on)
{
    struct control_answer answer;
    struct control_vm is;
    enum control_error error;
    uint64_t piece = 0, asked;

    do {
        asked = piece;
        error = control_line_ask(line, call, vm, asked | (goes_on ? CONTROL_GOES_ON : 0), &answer);
        memcpy(&piece, answer.data, sizeof(piece));
    } while (error == CONTROL_OK && piece != 0);
    if (error == CONTROL_STATE && asked != 0 && goes_on &&
        control_line_look(line, vm, &is) == LINTEL_OK && is.state == CONTROL_VM_RUNS)
        return CONTROL_OK;
    return error;
}

/* That it cannot be paused means that it has been, and the answer was lost. */
static enum control_error copy_still(struct control_line *line, enum control_call call, unsigned vm,
                                     bool runs)
{
    static const struct timespec moment = {.tv_nsec = MOMENT_NS};
    struct control_answer answer;
    enum control_error error;

    for (int tries = 0;; tries++) {
        if (runs && control_line_ask(line, CONTROL_CALL_PAUSE, vm, 0, &answer) == CONTROL_SILENT)
            return CONTROL_SILENT;
        error = copy(line, call, vm, runs);
        if (error == CONTROL_OK || !runs)
            return error;
        control_line_ask(line, CONTROL_CALL_RESUME, vm, 0, &answer);
        if (error != CONTROL_STATE || call != CONTROL_CALL_SNAPSHOT || tries == TRIES)
            return error;
        nanosleep(&moment, NULL);
    }
}

enum exit_code snapshot_copy(struct control_line *line, enum control_call call, unsigned vm,
                             const char *name, bool runs)
{
    switch (copy_still(line, call, vm, runs)) {
    case CONTROL_OK:
        return LINTEL_OK;
    case CONTROL_NO_VM:
        return fail(LINTEL_USAGE,
                    "vm %s has no memory for a snapshot; give it 'snapshot: yes' in its "
                    "description",
                    name);
    case CONTROL_STATE:
        return fail(LINTEL_USAGE, "vm %s %s", name,
                    call == CONTROL_CALL_SNAPSHOT
                        ? "cannot be kept now: its devices are at work, it has not started, or a "
                          "debugger is there; have it go on, or end the debugger, and try again"
                        : "cannot be restored: it has no snapshot, or a debugger is there; take "
                          "one with 'lintel snapshot', or end the debugger");
    default:
        return control_line_gone(line);
    }
}
