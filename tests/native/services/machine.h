/* SPDX-License-Identifier: BSD-2-Clause */
/* What the console has around it: a UART whose line takes its time, VMs at the other ends of its
 * channels, ring 0's log, and a clock that tests move on. */
#pragma once

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>

#include "abi/console.h"
#include "abi/log.h"
#include "runtime/channel.h"

#define MACHINE_VMS     3
#define MACHINE_WATCHED 1 /* of these: the one that somebody watches */

#define VM(i) ((uint8_t)((i) + 2)) /* the plan's index of the machine's VM */

extern struct machine {
    uint64_t tsc;        /* a million ticks are a millisecond */
    uint64_t call_ticks; /* how long each question for the time takes */
    uint64_t timer;
    uint64_t events; /* the console's */
    unsigned works;  /* how often it came back from a wait */
    unsigned interrupts_done;
    bool stopped;

    /* the port */
    char sent[0x200000];
    size_t length;
    const char *typed;  /* input that comes at the line's speed; NULL: nothing */
    bool absent;        /* nothing answers */
    bool babbles;       /* there is always input, and it asks for ever */
    bool stands;        /* nothing leaves it */
    bool no_interrupts; /* none arrives */
    unsigned accesses;

    /* the VMs */
    struct channel_end vm[MACHINE_VMS];
    struct channel_end watcher;
    unsigned notified[MACHINE_VMS + 1]; /* how often the console has; last: who watches */
} machine;

/* Which VMs have no share of the line, as bits; for machine_begin. */
extern unsigned machine_silence;

/* A machine and its console, started; all is quiet. */
void machine_begin(bool lines, bool interrupts);

/* The console again, in the same machine: as after its process was started anew. */
void machine_restart_console(void);

/* Time passes, and whoever has to do something does it. */
void machine_run_ms(unsigned ms);

/* Until the line has sent all that is known. */
void machine_settle(void);

/* VM `vm` writes: entries of at most CONSOLE_BYTES; returns how many bytes found room. */
size_t machine_say(unsigned vm, const char *text);

/* All that it can, in lines of 80 bytes. */
size_t machine_flood(unsigned vm);

/* What the VM has been given, terminated; an ASK counts as '?'. */
const char *machine_input(unsigned vm);

/* Most tests have these: a port that interrupts, and a look at what comes of it all. */
void begin(bool lines);
void type(const char *keys);
void say(unsigned vm, const char *text);

/* Who watches types this, and asks what is new; all that comes for it, terminated. */
const char *machine_watch(const char *typed);

/* Who watches sends an entry. False: there is no room. */
bool machine_watcher_puts(const struct console_entry *entry);

/* Ring 0 writes a record. */
void machine_log(enum log_kind kind, uint8_t vm, const char *text);

/* Ring 0 has ended a VM. */
void machine_end_vm(unsigned vm);

/* How often the console has said that somebody asks. */
uint64_t machine_asked(void);

/* How often a text has been sent. */
unsigned machine_count(const char *text);
