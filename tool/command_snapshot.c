/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel snapshot and lintel restore: a VM is kept as it is, and becomes that again. */
#include <string.h>
#include <time.h>

#include "tool/command.h"
#include "tool/control_line.h"
#include "tool/on_vm.h"

/* A VM whose devices are at work goes on for a moment, so often. */
#define TRIES     100
#define MOMENT_NS 5000000L

struct copying {
    enum control_call call;
    const char *refused; /* the sentence about its state */
    bool again;          /* whether a moment helps */
};

/* All of its pieces, of a VM that is paused; `goes_on`: not for longer. That it has gone on before
 * the last one was answered means that the answer was lost. */
static enum control_error copy(struct control_line *line, const struct copying *what, unsigned vm,
                               bool goes_on)
{
    struct control_answer answer;
    struct control_vm is;
    enum control_error error;
    uint64_t piece = 0, asked;

    do {
        asked = piece;
        error = control_line_ask(line, what->call, vm, asked | (goes_on ? CONTROL_GOES_ON : 0),
                                 &answer);
        memcpy(&piece, answer.data, sizeof(piece));
    } while (error == CONTROL_OK && piece != 0);
    if (error == CONTROL_STATE && asked != 0 && goes_on &&
        control_line_look(line, vm, &is) == LINTEL_OK && is.state == CONTROL_VM_RUNS)
        return CONTROL_OK;
    return error;
}

/* One that runs is paused meanwhile. That it cannot be means that it has been, and the answer was
 * lost. */
static enum control_error copy_still(struct control_line *line, const struct copying *what,
                                     unsigned vm, bool runs)
{
    static const struct timespec moment = {.tv_nsec = MOMENT_NS};
    struct control_answer answer;
    enum control_error error;

    for (int tries = 0;; tries++) {
        if (runs && control_line_ask(line, CONTROL_CALL_PAUSE, vm, 0, &answer) == CONTROL_SILENT)
            return CONTROL_SILENT;
        error = copy(line, what, vm, runs);
        if (error == CONTROL_OK || !runs)
            return error;
        control_line_ask(line, CONTROL_CALL_RESUME, vm, 0, &answer);
        if (error != CONTROL_STATE || !what->again || tries == TRIES)
            return error;
        nanosleep(&moment, NULL);
    }
}

static enum exit_code perform(struct control_line *line, const struct control_hello *hello,
                              const char *name, const void *copying)
{
    const struct copying *what = copying;
    struct control_vm is;
    unsigned vm;
    enum exit_code code = control_line_find(line, hello, name, &vm, &is);

    if (code != LINTEL_OK)
        return code;
    if (is.state == CONTROL_VM_ENDED)
        return fail(LINTEL_USAGE, "vm %s has ended: it is not what it was any more", name);
    switch (copy_still(line, what, vm, is.state == CONTROL_VM_RUNS)) {
    case CONTROL_OK:
        return LINTEL_OK;
    case CONTROL_NO_VM:
        return fail(LINTEL_USAGE,
                    "vm %s has no memory for a snapshot; give it 'snapshot: yes' in its "
                    "description",
                    name);
    case CONTROL_STATE:
        return fail(LINTEL_USAGE, "vm %s %s", name, what->refused);
    default:
        return control_line_gone(line);
    }
}

int command_snapshot(const struct command *self, int argc, char *argv[])
{
    static const struct copying what = {
        CONTROL_CALL_SNAPSHOT,
        "cannot be kept now: its devices are at work, it has not started, or a debugger is there; "
        "have it go on, or end the debugger, and try again",
        true};

    return on_vm(self, argc, argv, perform, &what);
}

int command_restore(const struct command *self, int argc, char *argv[])
{
    static const struct copying what = {
        CONTROL_CALL_RESTORE,
        "cannot be restored: it has no snapshot, or a debugger is there; take one with 'lintel "
        "snapshot', or end the debugger",
        false};

    return on_vm(self, argc, argv, perform, &what);
}
