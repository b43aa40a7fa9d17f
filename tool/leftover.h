/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run leaves that was killed: it is removed by the next one. */
#pragma once

/* As long as this process lives, the folder is in use. */
void leftover_hold(const char *folder);

/* Removes those of this user's folders that match the pattern, were not touched for a minute, and
 * are in use by nobody. */
void leftover_remove(const char *pattern);
