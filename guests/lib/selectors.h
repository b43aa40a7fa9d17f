/* SPDX-License-Identifier: BSD-2-Clause */
/* What assembly and C must agree on: the segment selectors and the interrupt stubs. */
#pragma once

/* The order is what SYSCALL, SYSRET, SYSENTER and SYSEXIT expect with STAR and SYSENTER_CS from
 * here. */
#define KERNEL_CODE       0x08
#define KERNEL_DATA       0x10
#define USER_CODE32       (0x18 | 3)
#define USER_DATA         (0x20 | 3)
#define USER_CODE         (0x28 | 3)
#define USER_DATA_SYSEXIT (0x30 | 3)
#define TASK_STATE        0x38

#define STUB_SIZE 16

/* #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP: the vectors that push an error code, by bit. */
#define ERROR_CODE_VECTORS 0x00227d00
