/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's terminal joined to the serial line of the machine, until one of them ends. */
#pragma once

#include "tool/console_log.h"
#include "tool/cores.h"
#include "tool/outcome.h"
#include "tool/relay.h"

enum session_end {
    SESSION_CLOSED,  /* the machine ended */
    SESSION_HALTED,  /* it said how it ended, and stays as it is */
    SESSION_QUIT,    /* the user asked for it */
    SESSION_TIMEOUT, /* the time given is over */
    SESSION_SIGNAL,  /* the tool was told to end, or nobody reads its output any more */
    SESSION_UNREAD,  /* the output cannot be written, which has been said */
};

struct session_request {
    int serial;
    unsigned seconds; /* a limit; 0: none */
    struct outcome *outcome;
    struct console_log *log;
    struct relay *relay; /* has its time meanwhile; NULL: there is none */
    struct cores *cores; /* likewise; they want the relay */
};

/*
 * Joins standard input and output to the serial line. With both a terminal that is ours, it is raw,
 * and Ctrl-] is the escape key; otherwise the output is plain text, and the input goes line by line
 * as the machine asks for it; what is typed on a terminal that has us in its background is not
 * ours. What comes before the hypervisor's first line is the firmware's and not shown. When the
 * limit is reached, the VMs are asked where their guests are. *signal is set with SESSION_SIGNAL.
 * The terminal is as before when this returns.
 */
enum session_end session_run(const struct session_request *request, int *signal);
