/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's network card in an emulated machine, whose other end is the network of who runs it. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "tool/machine.h"
#include "tool/runner.h"

#define EMULATED_NIC_WORDS 4

/* Whether there is one card at most, the machine's first; gives its driver the interrupt that this
 * emulator's firmware routes it to. Otherwise says what to do. */
enum exit_code emulated_nic_prepare(struct machine *machine, enum runner runner);

/* Writes lines of Bochs's configuration, and beside it the file with the ports that it forwards.
 * False with errno set. */
bool emulated_nic_bochs(const struct machine *machine, FILE *config);

/* Puts words of QEMU's command line into `words`. Returns how many. */
size_t emulated_nic_qemu(const struct machine *machine,
                         const char *words[static EMULATED_NIC_WORDS]);
