/* SPDX-License-Identifier: BSD-2-Clause */
/* R44. */
#pragma once

/* Tells of what the firmware left in this CPU's banks, empties them, and has all banks report. */
void machine_check_init(void);

/*
 * In a #MC, or after the exit by one: panics when MCG_STATUS or a bank says that nothing may be
 * resumed. Otherwise a line must wait: this may be in the middle of another one. The banks stay as
 * they are, and VECTOR_MC_CAME has machine_check_report called.
 */
void machine_check(void);

/* A line for each bank that has an error; empties them. */
void machine_check_report(void);
