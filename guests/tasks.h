/* SPDX-License-Identifier: BSD-2-Clause */
/* What tasks.c and the 32-bit code of tasks_entry.S share. */
#pragma once

/* Behind the library's descriptors. */
#define CODE32      0x48
#define DATA32      0x50
#define MAIN_TASK   0x58
#define TASK_32     0x60
#define TASK_16     0x68
#define GATE        0x70 /* to TASK_32 */
#define LOCAL_TABLE 0x78
#define ABSENT      0x80 /* data */
#define READ_ONLY   0x88
#define USER_CODE_A 0x90
#define USER_DATA_A 0x98
#define ABSENT_TASK 0xa0
#define SHORT_TASK  0xa8
#define ABSENT_CODE 0xb0
#define SMALL_CODE  0xb8 /* its limit is 0fffh */
#define DESCRIPTORS 24

/* How another task is wanted: the number of the piece of code that does it. */
#define BY_JMP     0
#define BY_CALL    1
#define BY_IRET    2
#define BY_INT     3
#define BY_UD2     4
#define BY_BAD_MOV 5 /* #GP with the error code 0ffffh & ~7 */
#define BY_IPI     6
#define BY_INT3    7

#define INT_VECTOR 0x40
#define IPI_VECTOR 0x41

/* Linear: each address space has another page here. */
#define WINDOW 0x80000000

/* Offsets in struct record, of 4 bytes each. */
#define RECORD_GPR     0
#define RECORD_FLAGS   32
#define RECORD_SEGMENT 36 /* ES to GS, LDTR, TR */
#define RECORD_CR0     68
#define RECORD_CR3     72
#define RECORD_DR6     76
#define RECORD_DR7     80
#define RECORD_WINDOW  84
#define RECORD_VECTOR  88
#define RECORD_STACK   92 /* six words from ESP on */
#define RECORD_SIZE    116
