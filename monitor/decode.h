/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction decoder: bytes to one struct instruction. decode.def lists what it knows.
 *
 * Only forms that reach memory are known, by an operand or by the stack: nothing else can reach a
 * device.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the code segment reads: the default operand and address size. */
enum decode_mode { DECODE_16, DECODE_32, DECODE_64 };

enum operation {
#define OPERATION(name, handler) OPERATION_##name,
#include "monitor/decode.def"
    OPERATION_COUNT
};

/* What the operands are, destination first. A string instruction has its own, implicit ones; from
 * OPERANDS_NONE on there is only the stack. */
enum operands {
    OPERANDS_MEMORY,
    OPERANDS_MEMORY_REGISTER,
    OPERANDS_REGISTER_MEMORY,
    OPERANDS_MEMORY_IMMEDIATE,
    OPERANDS_MEMORY_COUNT, /* CL */
    OPERANDS_MEMORY_REGISTER_IMMEDIATE,
    OPERANDS_MEMORY_REGISTER_COUNT,
    OPERANDS_REGISTER_MEMORY_IMMEDIATE,
    OPERANDS_MEMORY_SEGMENT,
    OPERANDS_SEGMENT_MEMORY,
    OPERANDS_MEMORY_VECTOR,
    OPERANDS_VECTOR_MEMORY,
    OPERANDS_MEMORY_MMX,
    OPERANDS_MMX_MEMORY,
    OPERANDS_STRING,
    OPERANDS_NONE,
    OPERANDS_REGISTER,
    OPERANDS_SEGMENT,
    OPERANDS_IMMEDIATE,
    OPERANDS_FRAME,   /* ENTER: a size, and a level in `reg` */
    OPERANDS_POINTER, /* far: a selector in `displacement`, and an offset */
};

/* What happens to the memory operand. LOCK is legal for ACCESS_MODIFY only. */
enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_MODIFY };

/* base and index: a general register's number, or one of these. */
#define BASE_RIP  16
#define BASE_NONE 17

/* repeat: the last of these prefixes, or none. Only string instructions heed it. */
enum repeat { REPEAT_NONE, REPEAT_NOT_EQUAL, REPEAT };

struct instruction {
    uint8_t length; /* bytes */
    uint8_t operation, operands, access, repeat;
    bool lock, lockable;
    uint8_t size;         /* of the operation, bytes: 1, 2, 4 or 8 */
    uint8_t memory_size;  /* of the memory operand, which can be smaller or larger than size */
    uint8_t address_size; /* bytes: 2, 4 or 8 */
    uint8_t segment;      /* enum segment: of the memory operand, for strings of the source */
    uint8_t base, index;
    uint8_t scale;     /* the index is shifted left by this many bits */
    uint8_t reg;       /* the register operand's number, or enum segment */
    uint8_t reg_shift; /* 8 for AH, CH, DH and BH, which have the numbers 0 to 3 here */
    uint8_t vector;    /* enum vector_kind, for what moves a vector register */
    uint8_t other;     /* VEX's other register: where the half comes from that is not moved */
    bool vector_merges, vector_high;
    uint64_t displacement; /* sign-extended; for MOV with an absolute offset zero-extended */
    uint64_t immediate;    /* sign-extended */
};

enum decode_result {
    DECODE_DONE,
    DECODE_UNKNOWN,      /* not in decode.def */
    DECODE_INCOMPLETE,   /* the bytes end before the instruction does */
    DECODE_TOO_LONG,     /* more than 15 bytes: #GP(0) */
    DECODE_INVALID_LOCK, /* #UD */
};

#define DECODE_MAX_LENGTH 15
#define DECODE_BUFFER     32 /* what decode may read; it ignores all from `count` on */

/* Decodes the instruction at `bytes`, of which the first `count` are the guest's (at most 15). */
enum decode_result decode(enum decode_mode mode, const uint8_t bytes[DECODE_BUFFER], size_t count,
                          struct instruction *instruction);
