/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting the emulator, with its serial line as a socket. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "tool/machine.h"
#include "tool/report.h"
#include "tool/runner.h"

enum firmware { FIRMWARE_BIOS, FIRMWARE_OVMF, FIRMWARE_SEABIOS, FIRMWARE_COUNT };

struct emulation {
    enum runner runner;
    enum firmware firmware;
    const char *work_folder;       /* with the image; for configuration and logs; absolute */
    const char *cpu;               /* Bochs's CPU model */
    uint64_t memory;               /* bytes; a multiple of 1 MiB */
    const struct machine *machine; /* for its disks */
    uint64_t ips;                  /* Bochs: instructions for each emulated second */
    uint64_t start_time;           /* Bochs: seconds since 1970 on the emulated clock; 0: now */
};

/* The ISO to boot, in the work folder. */
#define EMULATOR_IMAGE "lintel.iso"

#define EMULATOR_CPU "corei7_skylake_x"
#define EMULATOR_IPS 10000000

/* False when no firmware has this name. */
bool firmware_parse(const char *name, enum firmware *firmware);

/* What the Bochs that is installed has against a CPU, MODEL[+FEATURE]...: a message, which the
 * caller frees, or NULL. */
char *emulator_cpu_obstacle(const char *cpu);

/* Whether what the emulation needs is installed, and its CPU known; otherwise says
 * what is missing. */
enum exit_code emulator_check(const struct emulation *emulation);

/* Whether its firmware needs no GRUB (disc.h). */
bool emulator_takes_disc(const struct emulation *emulation);

/* The machine's serial ports. */
enum emulator_line { LINE_CONSOLE, LINE_CONTROL, LINE_COUNT };

/*
 * Starts the emulator and waits until it has connected its serial lines: the second one only where
 * the plan has a control process. On LINTEL_OK *child runs and `lines` are connected sockets, or
 * -1; otherwise the message has been printed and nothing runs.
 */
enum exit_code emulator_start(const struct emulation *emulation, pid_t *child,
                              int lines[LINE_COUNT]);

/* Ends the emulator if it still runs, and waits for it. Returns its exit code, or 128
 * + the signal. */
int emulator_end(pid_t child, bool kill_it);

/* The words that the hypervisor's option end= takes for this runner. */
const char *emulator_end_word(enum runner runner);

/* Prints what the emulator's log says about how the run ended. */
void emulator_explain(const struct emulation *emulation);
