/* SPDX-License-Identifier: BSD-2-Clause */
/* One instruction, decoded by us and by Zydis; and how such instructions are made. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <Zydis/Zydis.h>

#include "monitor/decode.h"
#include "tests/native/decode/random.h"

/* The opcodes that Zydis finds in scope: half of the random instructions are made from these. */
struct opcode_bytes {
    uint8_t prefix; /* that chooses the instruction, or 0; with only_vex, in VEX's manner */
    uint8_t bytes[4];
    uint8_t count; /* without the ModRM byte */
    uint8_t modrm; /* bits 3 to 5 choose the instruction where there are groups */
    bool only_vex; /* the escapes are VEX's */
};

struct comparison {
    enum decode_mode mode;
    ZydisDecoder decoder;
    struct random random;
    struct opcode_bytes known[8192];
    ZydisMnemonic plain; /* what the opcode asked about last is without a prefix */
    size_t known_count;
    uint64_t accepted[OPERATION_COUNT], invalid_lock, too_long;

    uint8_t bytes[DECODE_BUFFER];
    enum decode_result result;
    struct instruction ours;
    ZyanStatus status;
    ZydisDecodedInstruction theirs;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

/* Decodes c->bytes by both. */
void comparison_run(struct comparison *c);

/* What Zydis found is something that decode.def should have. */
bool comparison_in_scope(const struct comparison *c);

/* Asks Zydis about each opcode, each value of the ModRM byte's middle field, and each prefix that
 * may choose the instruction. */
void comparison_learn(struct comparison *c, const uint8_t *escape, uint8_t escape_count);

/* Makes c->bytes: most often one of the opcodes learned, with random prefixes and operands. */
void comparison_make(struct comparison *c);
