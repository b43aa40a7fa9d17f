/* SPDX-License-Identifier: BSD-2-Clause */
/* What gdb's commands are answered by, and with: gdb_run.c has those that have the VM go on and
 * say why it stops, gdb_data.c its registers, memory and breakpoints, gdb_query.c the rest. */
#pragma once

#include "tool/gdb_session.h"

#define GDB_DATA_MAX ((GDB_PACKET_MAX - 16) / 2) /* bytes in hexadecimal, of one answer */

/* An answer. */
void gdb_reply_bytes(struct gdb_session *s, const char *data, size_t size);
void gdb_reply(struct gdb_session *s, const char *data);
void gdb_reply_whether(struct gdb_session *s, bool good);

/* Why the VM stands; or that it is gone, and the session ends. */
void gdb_reply_stopped(struct gdb_session *s);

/* Numbers in hexadecimal with a character behind, which `at` is left at; false: there is none. */
bool gdb_number(const char **at, uint64_t *value);

/* "ADDRESS,SIZE", with `behind` following. */
bool gdb_address_and_size(const char *at, uint64_t *address, uint64_t *size, char behind,
                          const char **rest);

/* gdb_monitor.c: a `monitor` command; the answer goes into `to`, a string. */
void gdb_monitor(struct gdb_target *t, const char *command, char *to, size_t size);

/* What is behind the words that a command begins with is at `at`. */
#define GDB_COMMAND(words, name) void gdb_command_##name(struct gdb_session *s, const char *at);
#include "tool/gdb_commands.def"
#undef GDB_COMMAND
