/* SPDX-License-Identifier: BSD-2-Clause */
/* The escape key of the console: Ctrl-] and a letter. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Ctrl-], also the byte that tells the hypervisor's console that a command follows. */
#define KEY_ESCAPE '\x1d'

/* At which the hypervisor has all VMs report where their guests are. */
#define KEYS_WHERE                                                                                 \
    "\x1d"                                                                                         \
    "d"

enum keys_command { KEYS_NONE, KEYS_QUIT, KEYS_HELP };

/* Whether the last byte was the escape key. Starts as false. */
struct keys {
    bool escaped;
};

/*
 * Takes one typed byte. What must go to the hypervisor is put into `out`, its length into *length:
 * Ctrl-] n, Ctrl-] d and Ctrl-] Ctrl-] are for the hypervisor and go as they are; q and h are for
 * the tool; any other letter after the escape key is dropped.
 */
enum keys_command keys_take(struct keys *keys, char byte, char out[static 2], size_t *length);
