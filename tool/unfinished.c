/* SPDX-License-Identifier: BSD-2-Clause */
/* Leaving nothing behind: see unfinished.h. */
#include "tool/unfinished.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "tool/process.h"
#include "tool/report.h"

/* The machine's folder, a work folder, and an image. */
#define DEPTH_MAX 3

static const char *paths[DEPTH_MAX];
static size_t depth;
static sigset_t mask_before;

void unfinished_signals(sigset_t *set)
{
    static const int ending[] = {SIGHUP,  SIGINT,  SIGQUIT,   SIGTERM, SIGALRM,
                                 SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF, SIGXCPU};
    struct sigaction action;

    sigemptyset(set);
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
        if (sigaction(ending[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(set, ending[i]);
}

void unfinished_begin(const char *path)
{
    sigset_t signals;

    assert(depth < DEPTH_MAX);
    if (depth == 0) {
        unfinished_signals(&signals);
        sigprocmask(SIG_BLOCK, &signals, &mask_before);
    }
    paths[depth++] = path;
}

bool unfinished_ends(void)
{
    sigset_t signals, held;

    unfinished_signals(&signals);
    sigpending(&held);
    for (int number = 1; number < NSIG; number++)
        if (sigismember(&signals, number) == 1 && sigismember(&held, number) == 1)
            return true;
    return false;
}

void unfinished_end(void)
{
    assert(depth > 0);
    if (--depth == 0)
        sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

void unfinished_stop(int signal_number)
{
    progress_end();
    while (depth)
        path_remove(paths[--depth]);
    exit(128 + signal_number);
}
