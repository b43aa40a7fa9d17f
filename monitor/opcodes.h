/* SPDX-License-Identifier: BSD-2-Clause */
/* decode.def as tables, for decode.c alone. */
#pragma once

#include <stdint.h>

#include "abi/exit.h"
#include "monitor/decode.h"

/* decode.def's attributes. Two are fields: the class in operation_sizes, and the memory's limit. */
#define SIZE_CLASS       3
#define MEMORY_SHIFT     2
#define FROM_ANY         (3 << MEMORY_SHIFT) /* at most 8 bytes shifted right by this */
#define EXCLUDED_BY_SIZE (1 << 4)            /* by the operand-size prefix */

enum attribute {
    BYTE = 1,
    STACK = 2,
    DWORD = 3,
    NO_SIZE = DWORD | EXCLUDED_BY_SIZE,
    FROM_32 = 1 << MEMORY_SHIFT,
    FROM_16 = 2 << MEMORY_SHIFT,
    FROM_8 = 3 << MEMORY_SHIFT,
    LINE = 1 << 5,
    NOT_64 = 1 << 6,
    NO_REPEAT = 1 << 7,
    SHORT = 1 << 8,
    OFFSET = 1 << 9,
    ONE = 1 << 10,
    DOUBLE = 1 << 11,
    NO_LOCK = 1 << 12,
    BY_PREFIX = 1 << 13,
    QWORD = 1 << 14,
    VECTOR = 1 << 15,
    VEX = 1 << 16,
    ANY_LENGTH = 1 << 17,
    HIGH = 1 << 18,
    MERGE = 1 << 19,
    NEAR = 1 << 20,
    FAR = 1 << 21,
    TABLE = 1 << 22,
    IMMEDIATE_16 = 1 << 23,
    ALSO_REGISTER = 1 << 24,
    ONLY_VEX = 1 << 25,
    OTHER = 1 << 26,
    WITH_SIZE = 1 << 27,
    BY_MODE = 1 << 28,
    WORD = 1 << 29,
};

/* What the operand size comes from, beside the mode. */
enum width { WIDTH_DEFAULT, WIDTH_PREFIX, WIDTH_REX_W, WIDTH_COUNT };

/* By mode, width and class: no attribute, BYTE, STACK and DWORD. */
static const uint8_t operation_sizes[][WIDTH_COUNT][4] = {
    [DECODE_16] = {{2, 1, 2, 4}, {4, 1, 4, 4}},
    [DECODE_32] = {{4, 1, 4, 4}, {2, 1, 2, 4}},
    [DECODE_64] = {{4, 1, 8, 4}, {2, 1, 2, 4}, {8, 1, 8, 8}},
};

/* By mode, without and with the address-size prefix. */
static const uint8_t address_sizes[][2] = {
    [DECODE_16] = {2, 4}, [DECODE_32] = {4, 2}, [DECODE_64] = {8, 4}};

/* VEX has these numbers, too. The last one's instructions have an immediate byte. */
enum map { MAP_ONE_BYTE, MAP_TWO_BYTE, MAP_THREE_BYTE, MAP_IMMEDIATE_BYTE, MAP_COUNT };

enum group {
    GROUP_ARITHMETIC,
    GROUP_POP,
    GROUP_MOVE,
    GROUP_UNARY,
    GROUP_STEP,
    GROUP_STEP_PUSH,
    GROUP_SELECTOR,
    GROUP_SYSTEM,
    GROUP_BIT,
    GROUP_SHIFT,
    GROUP_SHIFT_COUNT,
    GROUP_COMPARE_EXCHANGE_WIDE,
    GROUP_COUNT_ONES,
    GROUP_LOAD_SWAPPED,
    GROUP_STORE_SWAPPED,
    GROUP_SCAN_FORWARD,
    GROUP_SCAN_REVERSE,
    GROUP_LOAD_10,
    GROUP_STORE_11,
    GROUP_LOAD_12,
    GROUP_STORE_13,
    GROUP_LOAD_16,
    GROUP_STORE_17,
    GROUP_LOAD_28,
    GROUP_STORE_29,
    GROUP_STORE_2B,
    GROUP_LOAD_6E,
    GROUP_LOAD_6F,
    GROUP_STORE_7E,
    GROUP_STORE_7F,
    GROUP_STORE_D6,
    GROUP_STORE_E7,
    GROUP_LOAD_F0,
    GROUP_LOAD_2A,
    GROUP_PRIVILEGE_OR_MOVE,
    GROUP_CACHE,
    GROUP_LOWEST_BIT,
    GROUP_BITS_F5,
    GROUP_BITS_F6,
    GROUP_BITS_F7,
    GROUP_DIRECT,
    GROUP_ROTATE,
    GROUP_COUNT
};

/* The segment prefixes have the segments' numbers. */
enum prefix {
    PREFIX_ES = SEG_ES,
    PREFIX_CS = SEG_CS,
    PREFIX_SS = SEG_SS,
    PREFIX_DS = SEG_DS,
    PREFIX_FS = SEG_FS,
    PREFIX_GS = SEG_GS,
    PREFIX_REX,
    PREFIX_OPERAND_SIZE,
    PREFIX_ADDRESS_SIZE,
    PREFIX_LOCK,
    PREFIX_REPEAT_NOT_EQUAL,
    PREFIX_REPEAT,
};

enum kind { KIND_UNKNOWN, KIND_OPCODE, KIND_PREFIX, KIND_ESCAPE, KIND_GROUP };

struct opcode {
    uint8_t kind;
    uint8_t what; /* by kind: enum operation, prefix, map or group */
    uint8_t operands, access;
    uint32_t attributes;
};

static const struct opcode opcodes[MAP_COUNT][256] = {
#define PREFIX(first, last, name)                                                                  \
    [MAP_ONE_BYTE][first... last] = {.kind = KIND_PREFIX, .what = PREFIX_##name},
#define ESCAPE(map, code, next) [MAP_##map][code] = {.kind = KIND_ESCAPE, .what = MAP_##next},
#define OPCODE(map, code, operation, operands, access, attributes)                                 \
    [MAP_##map][code] = {KIND_OPCODE, OPERATION_##operation, OPERANDS_##operands, ACCESS_##access, \
                         attributes},
#define GROUP(map, code, group, attributes)                                                        \
    [MAP_##map][code] = {KIND_GROUP, GROUP_##group, 0, 0, attributes},
#include "monitor/decode.def"
};

static const struct opcode members[GROUP_COUNT][8] = {
#define MEMBER(group, number, operation, operands, access, attributes)                             \
    [GROUP_##group][number] = {KIND_OPCODE, OPERATION_##operation, OPERANDS_##operands,            \
                               ACCESS_##access, attributes},
#include "monitor/decode.def"
};
