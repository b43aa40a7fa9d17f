/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction decoder, by the tables that come from decode.def (SDM volume 2, "Instruction
 * Format"). It reads past the end of the guest's bytes without looking, and checks the length once.
 */
#include "monitor/decode.h"

#include "monitor/opcodes.h"
#include "monitor/vector.h"

#define REX_W 8
#define REX_R 4
#define REX_X 2
#define REX_B 1

#define VEX_3_BYTES 0xc4
#define VEX_2_BYTES 0xc5

#define SEGMENT_DEFAULT SEG_COUNT

/* What is known of the instruction while its bytes are read. */
struct reader {
    const uint8_t *next;
    enum decode_mode mode;
    unsigned rex;
    enum width width; /* WIDTH_REX_W is not noted here */
    unsigned segment; /* by prefix, or SEGMENT_DEFAULT */
    bool vex;
    bool wide;         /* VEX.L */
    unsigned implied;  /* VEX.pp: in place of the prefixes 66h, F3h and F2h */
    unsigned excluded; /* attributes that do not go with the mode or a prefix */
};

/* Any `size` up to 8 bytes: the buffer reaches far enough. */
static uint64_t read_signed(struct reader *reader, unsigned size)
{
    unsigned shift = 64 - size * 8;
    uint64_t value;

    __builtin_memcpy(&value, reader->next, sizeof(value));
    reader->next += size;
    return (uint64_t)((int64_t)(value << shift) >> shift);
}

static uint64_t read_unsigned(struct reader *reader, unsigned size)
{
    unsigned shift = 64 - size * 8;

    return read_signed(reader, size) << shift >> shift;
}

static void note_prefix(struct reader *reader, struct instruction *instruction, enum prefix prefix)
{
    switch (prefix) {
    case PREFIX_REX:
        reader->rex = reader->next[-1];
        return;
    case PREFIX_OPERAND_SIZE:
        reader->width = WIDTH_PREFIX;
        reader->excluded = (reader->excluded & ~WITH_SIZE) | EXCLUDED_BY_SIZE;
        break;
    case PREFIX_ADDRESS_SIZE:
        instruction->address_size = address_sizes[reader->mode][1];
        break;
    case PREFIX_LOCK:
        instruction->lock = true;
        break;
    case PREFIX_REPEAT_NOT_EQUAL:
    case PREFIX_REPEAT:
        instruction->repeat = prefix == PREFIX_REPEAT ? REPEAT : REPEAT_NOT_EQUAL;
        reader->excluded |= NO_REPEAT;
        break;
    default:
        /* In 64-bit mode the other four are null prefixes (SDM volume 1, "64-Bit Mode"). */
        if (reader->mode != DECODE_64 || prefix >= PREFIX_FS)
            reader->segment = prefix;
    }
    reader->rex = 0; /* a REX prefix counts only right before the opcode */
}

/* In 32-bit and 16-bit code LES and LDS have these codes, with a memory operand. */
static bool is_vex(const struct reader *reader, uint8_t code)
{
    return (code == VEX_2_BYTES || code == VEX_3_BYTES) &&
           (reader->mode == DECODE_64 || *reader->next >= 0xc0);
}

/* SDM volume 2, "The VEX Prefix". R, X, B and the other register are there upside down. */
static const struct opcode *read_vex(struct reader *reader, struct instruction *instruction,
                                     uint8_t code)
{
    unsigned first = *reader->next++, last = first, map = MAP_TWO_BYTE;

    if (reader->rex || reader->width == WIDTH_PREFIX || instruction->repeat || instruction->lock)
        return NULL;
    reader->rex = ~first >> 5 & REX_R;
    if (code == VEX_3_BYTES) {
        last = *reader->next++;
        map = first & 0x1f;
        reader->rex = (~first >> 5 & (REX_R | REX_X | REX_B)) | (last >> 4 & REX_W);
    }
    if (map == MAP_ONE_BYTE || map >= MAP_COUNT)
        return NULL;
    instruction->other = ~last >> 3 & 15;
    if (reader->mode != DECODE_64)
        reader->rex = 0;
    reader->vex = true;
    reader->wide = last & 4;
    reader->implied = last & 3;
    if (reader->implied != 0)
        reader->excluded |= reader->implied == 1 ? EXCLUDED_BY_SIZE : NO_REPEAT;
    return &opcodes[map][*reader->next++];
}

/* Reads prefixes, escapes and the opcode's last byte. NULL: no such row, or prefixes past `end`. */
static const struct opcode *read_opcode(struct reader *reader, struct instruction *instruction,
                                        const uint8_t *end)
{
    const struct opcode *opcode = &opcodes[MAP_ONE_BYTE][*reader->next++];

    while (opcode->kind == KIND_PREFIX) {
        if ((opcode->what == PREFIX_REX && reader->mode != DECODE_64) || reader->next > end)
            return NULL;
        note_prefix(reader, instruction, opcode->what);
        opcode = &opcodes[MAP_ONE_BYTE][*reader->next++];
    }
    if (is_vex(reader, reader->next[-1]))
        opcode = read_vex(reader, instruction, reader->next[-1]);
    while (opcode != NULL && !reader->vex && opcode->kind == KIND_ESCAPE)
        opcode = &opcodes[opcode->what][*reader->next++];
    return opcode == NULL || opcode->kind == KIND_UNKNOWN ? NULL : opcode;
}

/* SDM volume 2, "16-Bit Addressing Forms with the ModR/M Byte". */
static void read_address_16(struct reader *reader, struct instruction *instruction, unsigned modrm)
{
    static const struct {
        uint8_t base, index;
    } forms[8] = {
        {GPR_RBX, GPR_RSI},   {GPR_RBX, GPR_RDI},   {GPR_RBP, GPR_RSI},   {GPR_RBP, GPR_RDI},
        {GPR_RSI, BASE_NONE}, {GPR_RDI, BASE_NONE}, {GPR_RBP, BASE_NONE}, {GPR_RBX, BASE_NONE},
    };
    unsigned mod = modrm >> 6, rm = modrm & 7;

    instruction->base = forms[rm].base;
    instruction->index = forms[rm].index;
    if (mod == 0 && rm == 6) {
        instruction->base = BASE_NONE;
        mod = 2;
    }
    if (mod != 0)
        instruction->displacement = read_signed(reader, mod);
}

/* SDM volume 2, "32-Bit Addressing Forms with the ModR/M Byte" and "... the SIB Byte". */
static void read_address(struct reader *reader, struct instruction *instruction, unsigned modrm)
{
    unsigned mod = modrm >> 6, base = modrm & 7;
    unsigned absolute = reader->mode == DECODE_64 ? BASE_RIP : BASE_NONE;

    if (base == 4) {
        unsigned sib = *reader->next++;
        unsigned index = ((sib >> 3) & 7) | (reader->rex & REX_X ? 8 : 0);

        base = sib & 7;
        absolute = BASE_NONE;
        instruction->index = index == GPR_RSP ? BASE_NONE : (uint8_t)index;
        instruction->scale = (uint8_t)(sib >> 6);
    }
    if (mod == 0 && base == 5) {
        base = absolute;
        mod = 2;
    } else if (reader->rex & REX_B) {
        base += 8;
    }
    instruction->base = (uint8_t)base;
    if (mod != 0)
        instruction->displacement = read_signed(reader, mod == 1 ? 1 : 4);
}

/* A register that the low bits of `code` name. */
static void set_register(const struct reader *reader, struct instruction *instruction,
                         unsigned code)
{
    instruction->reg = (uint8_t)((code & 7) | (reader->rex & REX_B ? 8 : 0));
}

static bool is_segment(enum operands operands)
{
    return operands == OPERANDS_MEMORY_SEGMENT || operands == OPERANDS_SEGMENT_MEMORY;
}

/* REX.R means nothing here. False: no such register, or a load of CS. */
static bool set_segment(struct instruction *instruction, unsigned segment)
{
    instruction->reg = (uint8_t)segment;
    return segment <= SEG_GS &&
           (segment != SEG_CS || instruction->operands == OPERANDS_MEMORY_SEGMENT);
}

/* Reads the ModRM byte and what belongs to it. False: no such register, or both operands are
 * registers. */
static bool read_operands(struct reader *reader, struct instruction *instruction,
                          unsigned attributes)
{
    unsigned modrm = *reader->next++;
    unsigned reg = (modrm >> 3) & 7;

    if (modrm >= 0xc0) {
        instruction->operands = OPERANDS_REGISTER;
        set_register(reader, instruction, modrm);
        return attributes & ALSO_REGISTER;
    }
    if (instruction->address_size == 2)
        read_address_16(reader, instruction, modrm);
    else
        read_address(reader, instruction, modrm);
    if (is_segment(instruction->operands))
        return set_segment(instruction, reg);
    if (reader->rex & REX_R && instruction->vector != VECTOR_MMX)
        reg += 8;
    if (instruction->size == 1 && reader->rex == 0 && reg >= 4) {
        instruction->reg_shift = 8;
        reg -= 4;
    }
    instruction->reg = (uint8_t)reg;
    return true;
}

static void set_sizes(const struct reader *reader, struct instruction *instruction,
                      unsigned attributes)
{
    unsigned width = reader->rex & REX_W ? WIDTH_REX_W : reader->width;
    unsigned size = operation_sizes[reader->mode][width][attributes & SIZE_CLASS];

    if (attributes & QWORD || (attributes & NEAR && reader->mode == DECODE_64))
        size = 8;
    if (attributes & VECTOR)
        size = reader->wide ? 32 : 16;
    if (attributes & WORD)
        size = 2;
    if (attributes & LINE)
        size = instruction->address_size;
    instruction->size = (uint8_t)size;
    if (attributes & FROM_ANY) {
        unsigned limit = 8u >> ((attributes & FROM_ANY) >> MEMORY_SHIFT);
        size = limit < size ? limit : size;
    }
    if (attributes & DOUBLE)
        size *= 2;
    if (attributes & FAR)
        size += 2;
    if (attributes & LINE)
        size = 64;
    if (attributes & TABLE)
        size = reader->mode == DECODE_64 ? 10 : 6;
    instruction->memory_size = (uint8_t)size;
}

static bool has_immediate(enum operands operands)
{
    return operands == OPERANDS_MEMORY_IMMEDIATE ||
           operands == OPERANDS_MEMORY_REGISTER_IMMEDIATE ||
           operands == OPERANDS_REGISTER_MEMORY_IMMEDIATE || operands == OPERANDS_IMMEDIATE;
}

static void read_immediate(struct reader *reader, struct instruction *instruction,
                           unsigned attributes)
{
    unsigned size = instruction->size == 8 ? 4 : instruction->size;

    if (attributes & ONE)
        instruction->immediate = 1;
    else if (attributes & IMMEDIATE_16)
        instruction->immediate = read_unsigned(reader, 2);
    else
        instruction->immediate = read_signed(reader, attributes & SHORT ? 1 : size);
}

/* SDM volume 2, "Instruction Prefixes": the last of F2h and F3h counts, and else 66h. */
static unsigned mandatory_prefix(const struct reader *reader, const struct instruction *instruction)
{
    if (reader->vex)
        return reader->implied;
    if (instruction->repeat != REPEAT_NONE)
        return instruction->repeat == REPEAT ? 2 : 3;
    return reader->width == WIDTH_PREFIX ? 1 : 0;
}

static enum vector_kind kind_of_vector(const struct reader *reader, enum operands operands,
                                       unsigned attributes)
{
    if (operands == OPERANDS_MEMORY_MMX || operands == OPERANDS_MMX_MEMORY)
        return VECTOR_MMX;
    if (operands != OPERANDS_MEMORY_VECTOR && operands != OPERANDS_VECTOR_MEMORY)
        return VECTOR_NONE;
    if (!reader->vex)
        return VECTOR_SSE;
    return reader->wide && attributes & VECTOR ? VECTOR_AVX_256 : VECTOR_AVX_128;
}

/* False: this form does not exist with VEX, or not like that. */
static bool set_vector(const struct reader *reader, struct instruction *instruction,
                       unsigned attributes)
{
    bool merges = attributes & MERGE;

    instruction->vector = kind_of_vector(reader, instruction->operands, attributes);
    instruction->vector_high = attributes & HIGH;
    instruction->vector_merges = merges;
    if (!reader->vex)
        return !(attributes & ONLY_VEX);
    if (!(attributes & (VEX | ONLY_VEX)) ||
        (!(attributes & (MERGE | OTHER)) && instruction->other != 0))
        return false;
    if (reader->mode != DECODE_64)
        instruction->other &= 7; /* the bit that has no register is ignored */
    return !reader->wide || attributes & (VECTOR | ANY_LENGTH);
}

/* What an instruction without a ModRM byte has beside the stack. */
static void read_implicit(struct reader *reader, struct instruction *instruction,
                          unsigned attributes)
{
    unsigned code = reader->next[-1];

    if (instruction->operands == OPERANDS_REGISTER)
        set_register(reader, instruction, code);
    if (instruction->operands == OPERANDS_SEGMENT)
        instruction->reg = code >> 3 & 7;
    if (instruction->operands == OPERANDS_FRAME) {
        read_immediate(reader, instruction, attributes);
        instruction->reg = *reader->next++ & 31;
    }
    if (instruction->operands == OPERANDS_POINTER) {
        instruction->immediate = read_unsigned(reader, instruction->size);
        instruction->displacement = read_unsigned(reader, 2);
    }
}

static unsigned member_number(const struct reader *reader, const struct instruction *instruction,
                              unsigned attributes)
{
    if (attributes & BY_PREFIX)
        return mandatory_prefix(reader, instruction);
    if (attributes & BY_MODE)
        return reader->mode == DECODE_64;
    return *reader->next >> 3 & 7;
}

/* The operands of `opcode`: sizes, the address, the register and the immediate. */
static bool read_rest(struct reader *reader, struct instruction *instruction,
                      const struct opcode *opcode)
{
    unsigned attributes = opcode->attributes;

    if (opcode->kind == KIND_GROUP) {
        opcode = &members[opcode->what][member_number(reader, instruction, attributes)];
        attributes |= opcode->attributes;
    }
    if (opcode->kind != KIND_OPCODE || (attributes & reader->excluded))
        return false;
    instruction->lockable = opcode->access == ACCESS_MODIFY && !(attributes & NO_LOCK);
    instruction->operation = opcode->what;
    instruction->operands = opcode->operands;
    instruction->access = opcode->access;
    set_sizes(reader, instruction, attributes);
    if (!set_vector(reader, instruction, attributes))
        return false;
    if (opcode->operands >= OPERANDS_NONE)
        read_implicit(reader, instruction, attributes);
    else if (attributes & OFFSET)
        instruction->displacement = read_unsigned(reader, instruction->address_size);
    else if (opcode->operands != OPERANDS_STRING && !read_operands(reader, instruction, attributes))
        return false;
    if (has_immediate(opcode->operands))
        read_immediate(reader, instruction, attributes);
    return true;
}

static const uint8_t default_segments[] = {[GPR_RAX... GPR_RBX] = SEG_DS,
                                           [GPR_RSP] = SEG_SS,
                                           [GPR_RBP] = SEG_SS,
                                           [GPR_RSI... BASE_NONE] = SEG_DS};

enum decode_result decode(enum decode_mode mode, const uint8_t bytes[DECODE_BUFFER], size_t count,
                          struct instruction *instruction)
{
    struct reader reader = {
        .next = bytes,
        .mode = mode,
        .segment = SEGMENT_DEFAULT,
        .excluded = WITH_SIZE | (mode == DECODE_64 ? NOT_64 : 0),
    };

    *instruction = (struct instruction){
        .address_size = address_sizes[mode][0], .base = BASE_NONE, .index = BASE_NONE};

    const struct opcode *opcode = read_opcode(&reader, instruction, bytes + count);
    bool known = opcode != NULL && read_rest(&reader, instruction, opcode);
    size_t length = (size_t)(reader.next - bytes);

    if (length > count)
        return count == DECODE_MAX_LENGTH ? DECODE_TOO_LONG : DECODE_INCOMPLETE;
    if (!known)
        return DECODE_UNKNOWN;
    if (instruction->lock && !instruction->lockable)
        return DECODE_INVALID_LOCK;
    instruction->length = (uint8_t)length;
    if (reader.segment == SEGMENT_DEFAULT)
        reader.segment = default_segments[instruction->base];
    instruction->segment = (uint8_t)reader.segment;
    return DECODE_DONE;
}
