/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control line of a run, at a Unix socket: what several tools ask at once goes to the machine
 * one by one, and each answer goes back to who asked. What a tool does wrong ends its own
 * connection and nothing else.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi/control.h"
#include "tool/report.h"

#define RELAY_CLIENTS 16
#define RELAY_POLLS   (2 + RELAY_CLIENTS)

/* How long the machine has for an answer. */
#define RELAY_PATIENCE_MS 3000

enum { RELAY_VMS, RELAY_PROCESSES, RELAY_TRACED };

struct relay {
    const char *path;
    int listener, line; /* -1: it is closed */
    struct relay_client {
        int socket; /* -1: this one is free */
        struct control_request request;
        size_t count;                  /* bytes of it that have come */
        uint32_t debugs;               /* VMs that it has stopped as a debugger, a bit for each */
        uint32_t traces[RELAY_TRACED]; /* VMs, and processes, that it traces, likewise */
    } clients[RELAY_CLIENTS];
    bool asked; /* a request is under way: */
    int asker;  /* whose; -1: of one that is gone, or our own */
    /* VMs whose debugger has gone without a word: each is stopped, and then goes on without. */
    uint32_t left;
    bool left_stopped;
    uint32_t left_traced[RELAY_TRACED]; /* likewise those whose tracer has gone, */
    int left_kind;                      /* and which of them we ask about */
    bool release; /* the machine is to be told that VMs need not be held any more */
    uint8_t tag;
    uint64_t deadline; /* ms */
    unsigned last;     /* whose turn it was */
    uint8_t in[sizeof(struct control_answer)];
    size_t count;
};

/* Listens at `path`. On LINTEL_OK relay_close must follow. */
enum exit_code relay_open(struct relay *relay, const char *path);

/* From now on the machine is at the other end of `line`, which is the relay's. */
void relay_start(struct relay *relay, int line);

/* From now on nobody wants anything of VMs that have ended, but who traces. */
void relay_release(struct relay *relay);

/* What to wait for: RELAY_POLLS entries, some of which are for nothing; and for how many ms at
 * most, -1 for ever. */
void relay_polls(const struct relay *relay, struct pollfd *polls);
int relay_wait(const struct relay *relay, uint64_t now);

/* All that can be done now, when a poll of these entries has returned. */
void relay_work(struct relay *relay, const struct pollfd *polls, uint64_t now);

void relay_close(struct relay *relay);
