/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder against libzydis on random bytes, in all three modes.
 *
 * Both directions: what the decoder accepts is what Zydis says it is, field by field, and whatever
 * Zydis knows under one of decode.def's names, with a memory operand and no vector or segment
 * register, the decoder accepts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include <Zydis/Zydis.h>

#include "abi/exit.h"
#include "lib/bits.h"
#include "monitor/decode.h"
#include "monitor/vector.h"
#include "tests/native/decode/comparison.h"

#define SEED      0x6c696e74656c0001ULL
#define ROUNDS    8000000 /* for each mode */
#define NO_NUMBER 0xff

static const char *const names[OPERATION_COUNT] = {
#define OPERATION(name, handler) [OPERATION_##name] = #name,
#include "monitor/decode.def"
};

static const struct {
    ZydisMachineMode machine;
    ZydisStackWidth stack;
} machines[] = {
    [DECODE_16] = {ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16},
    [DECODE_32] = {ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32},
    [DECODE_64] = {ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64},
};

static uint8_t operations[ZYDIS_MNEMONIC_MAX_VALUE + 1];

static bool is_string(unsigned operation)
{
    return operation >= OPERATION_MOVS && operation <= OPERATION_SCAS;
}

/* Fills `operations`: what each of Zydis's mnemonics is to us. String ones end in their size. */
static int name_operations(void **state)
{
    for (unsigned mnemonic = 0; mnemonic <= ZYDIS_MNEMONIC_MAX_VALUE; mnemonic++) {
        const char *theirs = ZydisMnemonicGetString(mnemonic);
        size_t length;

        if (theirs != NULL && (theirs[0] == 'v' || theirs[0] == 'V') &&
            mnemonic != ZYDIS_MNEMONIC_VERR && mnemonic != ZYDIS_MNEMONIC_VERW)
            theirs++; /* the forms with VEX */
        length = theirs ? strlen(theirs) : 0;

        operations[mnemonic] = OPERATION_COUNT;
        for (unsigned i = 0; i < OPERATION_COUNT && length > 0; i++) {
            size_t ours = strlen(names[i]);
            if (strncasecmp(theirs, names[i], ours) != 0)
                continue;
            if (mnemonic == ZYDIS_MNEMONIC_PUSHFD || mnemonic == ZYDIS_MNEMONIC_PUSHFQ)
                operations[mnemonic] = OPERATION_PUSHF;
            if (mnemonic == ZYDIS_MNEMONIC_POPFD || mnemonic == ZYDIS_MNEMONIC_POPFQ)
                operations[mnemonic] = OPERATION_POPF;
            if (mnemonic == ZYDIS_MNEMONIC_PUSHAD)
                operations[mnemonic] = OPERATION_PUSHA;
            if (mnemonic == ZYDIS_MNEMONIC_POPAD)
                operations[mnemonic] = OPERATION_POPA;
            if (mnemonic == ZYDIS_MNEMONIC_CLFLUSHOPT)
                operations[mnemonic] = OPERATION_CLFLUSH;
            if (mnemonic == ZYDIS_MNEMONIC_CMPXCHG16B) /* with REX.W */
                operations[mnemonic] = OPERATION_CMPXCHG8B;
            if (is_string(i) ? length == ours + 1 && strchr("bwdq", theirs[ours]) : length == ours)
                operations[mnemonic] = (uint8_t)i;
        }
    }
    return 0;
}

static uint8_t register_number(ZydisRegister reg)
{
    switch (reg) {
    case ZYDIS_REGISTER_NONE:
        return BASE_NONE;
    case ZYDIS_REGISTER_EIP:
    case ZYDIS_REGISTER_RIP:
        return BASE_RIP;
    case ZYDIS_REGISTER_AL ... ZYDIS_REGISTER_BH:
        return (reg - ZYDIS_REGISTER_AL) & 3;
    case ZYDIS_REGISTER_SPL ... ZYDIS_REGISTER_R15B:
        return reg - ZYDIS_REGISTER_SPL + 4;
    default:
        break;
    }
    switch (ZydisRegisterGetClass(reg)) {
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64:
    case ZYDIS_REGCLASS_MMX:
    case ZYDIS_REGCLASS_XMM:
    case ZYDIS_REGCLASS_YMM:
    case ZYDIS_REGCLASS_SEGMENT:
        return (uint8_t)ZydisRegisterGetId(reg);
    default:
        return NO_NUMBER;
    }
}

static bool is_written(const ZydisDecodedOperand *operand)
{
    return operand->visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN;
}

/* The operand, among those that assembly spells out, of this type, or NULL. */
static const ZydisDecodedOperand *find(const struct comparison *c, ZydisOperandType type)
{
    for (unsigned i = 0; i < c->theirs.operand_count; i++)
        if (is_written(&c->operands[i]) && c->operands[i].type == type)
            return &c->operands[i];
    return NULL;
}

static bool uses_stack(unsigned operation)
{
    return operation == OPERATION_CALL || operation == OPERATION_CALL_FAR ||
           (operation >= OPERATION_RET && operation <= OPERATION_LEAVE);
}

/* Two of Zydis's names say two things: MOVSD, and MOVD, which is MOVQ with REX.W. */
static unsigned operation_of(const struct comparison *c)
{
    bool string = c->theirs.meta.category == ZYDIS_CATEGORY_STRINGOP;
    unsigned operation = operations[c->theirs.mnemonic];

    if (c->theirs.mnemonic == ZYDIS_MNEMONIC_VMOVSD ||
        (c->theirs.mnemonic == ZYDIS_MNEMONIC_MOVSD && !string))
        return OPERATION_MOVSD;
    if (operation == OPERATION_MOV && (c->theirs.opcode == 0x8c || c->theirs.opcode == 0x8e))
        return OPERATION_MOV_SEGMENT;
    if (c->theirs.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        return operation == OPERATION_CALL  ? OPERATION_CALL_FAR
               : operation == OPERATION_RET ? OPERATION_RET_FAR
                                            : OPERATION_JMP_FAR;
    if (c->theirs.opcode == 0x6e ||
        (c->theirs.opcode == 0x7e && c->operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY))
        return operation == OPERATION_MOVQ ? OPERATION_MOVD : operation;
    return operation;
}

bool comparison_in_scope(const struct comparison *c)
{
    const ZydisDecodedOperand *reg = find(c, ZYDIS_OPERAND_TYPE_REGISTER);
    unsigned operation = operation_of(c);

    if (!ZYAN_SUCCESS(c->status) || operation == OPERATION_COUNT ||
        (c->theirs.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
         c->theirs.encoding != ZYDIS_INSTRUCTION_ENCODING_VEX))
        return false;
    if (operation == OPERATION_XLAT)
        return true;
    if (is_string(operation))
        return c->theirs.meta.category == ZYDIS_CATEGORY_STRINGOP;
    if (uses_stack(operation))
        return true;
    return find(c, ZYDIS_OPERAND_TYPE_MEMORY) &&
           (reg == NULL || register_number(reg->reg.value) != NO_NUMBER);
}

void comparison_run(struct comparison *c)
{
    c->result = decode(c->mode, c->bytes, DECODE_MAX_LENGTH, &c->ours);
    c->status =
        ZydisDecoderDecodeFull(&c->decoder, c->bytes, DECODE_MAX_LENGTH, &c->theirs, c->operands);
}

static void show(const struct comparison *c)
{
    const struct instruction *in = &c->ours;
    char text[128] = "invalid";
    ZydisFormatter formatter;

    ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    if (ZYAN_SUCCESS(c->status))
        ZydisFormatterFormatInstruction(&formatter, &c->theirs, c->operands,
                                        c->theirs.operand_count_visible, text, sizeof(text), 0,
                                        NULL);
    print_error("%s, mode %d, Zydis: %x, ours: %d, bytes:", text, c->mode, (unsigned)c->status,
                c->result);
    for (unsigned i = 0; i < DECODE_MAX_LENGTH; i++)
        print_error(" %02x", c->bytes[i]);
    print_error("\nours: %s length %u operands %u access %u size %u memory %u address %u segment "
                "%u base %u index %u scale %u displacement %llx reg %u+%u immediate %llx\n",
                names[in->operation], in->length, in->operands, in->access, in->size,
                in->memory_size, in->address_size, in->segment, in->base, in->index, in->scale,
                (unsigned long long)in->displacement, in->reg, in->reg_shift,
                (unsigned long long)in->immediate);
}

/* Shows the instruction and fails, unless `good`. */
#define check(c, good)                                                                             \
    do {                                                                                           \
        if (!(good)) {                                                                             \
            show(c);                                                                               \
            fail_msg("not so: %s", #good);                                                         \
        }                                                                                          \
    } while (0)

static uint64_t low_bytes(uint64_t value, unsigned size)
{
    return size == 8 ? value : value & (BIT(size * 8) - 1);
}

static enum access access_of(const ZydisDecodedOperand *memory)
{
    bool writes = memory->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;

    if (!writes)
        return ACCESS_READ;
    return (memory->actions & ZYDIS_OPERAND_ACTION_MASK_READ) ? ACCESS_MODIFY : ACCESS_WRITE;
}

/*
 * Without a displacement a SIB byte's base 5 is no register, whatever REX.B says (SDM volume 2,
 * "Special Interpretations of REX Encodings"). Zydis 4.0 says R13D with 32-bit addresses;
 * execute_test.c asks the processor.
 */
static uint8_t base_of(const struct comparison *c, const ZydisDecodedOperand *memory)
{
    bool no_base = c->theirs.raw.modrm.mod == 0 && c->theirs.raw.sib.base == 5;

    if (memory->mem.base == ZYDIS_REGISTER_R13D && no_base)
        return BASE_NONE;
    return register_number(memory->mem.base);
}

static void check_memory(const struct comparison *c, const ZydisDecodedOperand *memory)
{
    const struct instruction *in = &c->ours;
    uint64_t displacement = (uint64_t)c->theirs.raw.disp.value;
    /* Zydis says 4 bytes here; the SDM says MOVSXD r16, r/m16. */
    bool short_movsxd = in->operation == OPERATION_MOVSXD && in->size == 2;

    /* A line is flushed by the address of any of its bytes. */
    bool flushes = in->operation == OPERATION_CLFLUSH || in->operation == OPERATION_CLWB;

    check(c, flushes || in->memory_size == (short_movsxd ? 2 : memory->size / 8));
    check(c, access_of(memory) == in->access);
    check(c, base_of(c, memory) == in->base);
    check(c, register_number(memory->mem.index) == in->index);
    check(c, in->index == BASE_NONE || memory->mem.scale == 1 << in->scale);
    check(c, low_bytes(displacement, in->address_size) ==
                 low_bytes(in->displacement, in->address_size));
    /* Without CET, which guests do not have, 3eh is no NOTRACK but DS. */
    if (!(c->theirs.attributes & ZYDIS_ATTRIB_HAS_NOTRACK))
        check(c, ZydisRegisterGetId(memory->mem.segment) == in->segment);
}

static void check_vector(const struct comparison *c, const ZydisDecodedOperand *reg)
{
    const struct instruction *in = &c->ours;
    bool vex = c->theirs.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
    const ZydisDecodedOperand *other = &c->operands[1];

    ZydisRegisterClass class = ZydisRegisterGetClass(reg->reg.value);

    check(c, (in->vector == VECTOR_MMX) == (class == ZYDIS_REGCLASS_MMX));
    check(c, (in->vector == VECTOR_SSE) == (class == ZYDIS_REGCLASS_XMM && !vex));
    check(c, (in->vector == VECTOR_AVX_256) == (class == ZYDIS_REGCLASS_YMM));
    if (vex && in->vector_merges)
        check(c, register_number(other->reg.value) == in->other);
}

/* VEX's general register, which comes before the memory operand or behind it. */
static void check_other(const struct comparison *c, unsigned from)
{
    for (unsigned i = from; i < c->theirs.operand_count; i++)
        if (is_written(&c->operands[i]) && c->operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER)
            check(c, register_number(c->operands[i].reg.value) == c->ours.other);
}

static void check_register(const struct comparison *c, const ZydisDecodedOperand *reg)
{
    const struct instruction *in = &c->ours;
    ZydisRegister value = reg->reg.value;
    bool high = value >= ZYDIS_REGISTER_AH && value <= ZYDIS_REGISTER_BH;

    bool first = in->operands == OPERANDS_REGISTER_MEMORY ||
                 in->operands == OPERANDS_VECTOR_MEMORY || in->operands == OPERANDS_MMX_MEMORY ||
                 in->operands == OPERANDS_REGISTER_MEMORY_IMMEDIATE ||
                 in->operands == OPERANDS_SEGMENT_MEMORY;

    check(c, first || in->operands == OPERANDS_MEMORY_SEGMENT ||
                 in->operands == OPERANDS_MEMORY_REGISTER ||
                 in->operands == OPERANDS_MEMORY_REGISTER_IMMEDIATE ||
                 in->operands == OPERANDS_MEMORY_REGISTER_COUNT ||
                 in->operands == OPERANDS_MEMORY_VECTOR || in->operands == OPERANDS_MEMORY_MMX);
    /* Which operand of XCHG and TEST comes first is only a matter of notation. */
    if (in->operation != OPERATION_XCHG && in->operation != OPERATION_TEST)
        check(c, (reg->id == 0) == first);
    check(c, register_number(value) == in->reg);
    check(c, in->reg_shift == (high ? 8 : 0));
    if (ZydisRegisterGetClass(value) == ZYDIS_REGCLASS_SEGMENT)
        check(c, in->memory_size == 2);
    else if (in->operation == OPERATION_CRC32)
        check(c, reg->size >= 32);
    else if (in->vector == VECTOR_NONE)
        check(c, reg->size == in->size * 8);
    else
        check_vector(c, reg);
    if (in->operation >= OPERATION_ANDN && in->operation <= OPERATION_MULX)
        check_other(c, 1);
}

/* Hidden, and not the first one. */
static const ZydisDecodedOperand *xlat_operand(const struct comparison *c)
{
    const ZydisDecodedOperand *operand = c->operands;

    while (operand->type != ZYDIS_OPERAND_TYPE_MEMORY)
        operand++;
    return operand;
}

static void check_string(const struct comparison *c)
{
    const struct instruction *in = &c->ours;

    check(c, in->operands == OPERANDS_STRING);
    if (in->operation == OPERATION_XLAT)
        check(c, ZydisRegisterGetId(xlat_operand(c)->mem.segment) == in->segment);
    for (unsigned i = 0; i < c->theirs.operand_count; i++) {
        const ZydisDecodedOperand *operand = &c->operands[i];
        if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY)
            continue;
        check(c, operand->size == in->size * 8);
        if (register_number(operand->mem.base) == GPR_RSI)
            check(c, ZydisRegisterGetId(operand->mem.segment) == in->segment);
    }
}

/* How many are pushed or popped. */
static unsigned stack_words(const struct instruction *in)
{
    switch (in->operation) {
    case OPERATION_PUSHA:
    case OPERATION_POPA:
        return 8;
    case OPERATION_CALL_FAR:
    case OPERATION_RET_FAR:
        return 2;
    default:
        return 1;
    }
}

/* No memory operand but the stack, which Zydis has among those that assembly does not spell out. */
static void check_implicit(const struct comparison *c)
{
    const struct instruction *in = &c->ours;
    const ZydisDecodedOperand *reg = find(c, ZYDIS_OPERAND_TYPE_REGISTER);
    const ZydisDecodedOperand *immediate = find(c, ZYDIS_OPERAND_TYPE_IMMEDIATE);

    check(c,
          (reg != NULL) == (in->operands == OPERANDS_REGISTER || in->operands == OPERANDS_SEGMENT));
    check(c, (immediate != NULL) ==
                 (in->operands == OPERANDS_IMMEDIATE || in->operands == OPERANDS_FRAME));
    if (reg != NULL)
        check(c, register_number(reg->reg.value) == in->reg);
    if (immediate != NULL)
        check(c, low_bytes(immediate->imm.value.u, in->size) == low_bytes(in->immediate, in->size));
    if (in->operands == OPERANDS_FRAME)
        check(c, (c->operands[1].imm.value.u & 31) == in->reg);
    if (in->operands == OPERANDS_POINTER) {
        const ZydisDecodedOperand *pointer = find(c, ZYDIS_OPERAND_TYPE_POINTER);
        check(c, pointer->ptr.segment == in->displacement && pointer->ptr.offset == in->immediate);
    }
    for (unsigned i = 0; i < c->theirs.operand_count; i++)
        if (c->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
            check(c, c->operands[i].size == in->size * 8 * stack_words(in));
}

static enum repeat last_repeat(const struct comparison *c)
{
    enum repeat repeat = REPEAT_NONE;

    for (unsigned i = 0; i < c->theirs.raw.prefix_count; i++)
        if (c->theirs.raw.prefixes[i].value == 0xf2)
            repeat = REPEAT_NOT_EQUAL;
        else if (c->theirs.raw.prefixes[i].value == 0xf3)
            repeat = REPEAT;
    return repeat;
}

static void check_accepted(struct comparison *c)
{
    const struct instruction *in = &c->ours;
    const ZydisDecodedOperand *reg = find(c, ZYDIS_OPERAND_TYPE_REGISTER);
    const ZydisDecodedOperand *immediate = find(c, ZYDIS_OPERAND_TYPE_IMMEDIATE);

    check(c, in->operation == operation_of(c));
    check(c, in->length == c->theirs.length);
    check(c, in->address_size * 8 == c->theirs.address_width);
    check(c, in->lock == !!(c->theirs.attributes & ZYDIS_ATTRIB_HAS_LOCK));
    check(c, in->repeat == last_repeat(c));
    c->accepted[in->operation]++;
    if (in->operands == OPERANDS_STRING) {
        check_string(c);
        return;
    }
    if (in->operands >= OPERANDS_NONE) {
        check_implicit(c);
        return;
    }
    check_memory(c, find(c, ZYDIS_OPERAND_TYPE_MEMORY));
    check(c, (immediate != NULL) == (in->operands == OPERANDS_MEMORY_IMMEDIATE ||
                                     in->operands == OPERANDS_MEMORY_REGISTER_IMMEDIATE ||
                                     in->operands == OPERANDS_REGISTER_MEMORY_IMMEDIATE));
    if (in->operation >= OPERATION_BLSR && in->operation <= OPERATION_BLSI)
        check_other(c, 0);
    else if (reg != NULL && in->operands != OPERANDS_MEMORY_COUNT)
        check_register(c, reg);
    else if (in->operation == OPERATION_CALL_FAR || in->operation == OPERATION_JMP_FAR)
        check(c, in->size + 2 == in->memory_size);
    else if (in->operation != OPERATION_CMPXCHG8B && in->operation != OPERATION_CLWB &&
             (in->operation < OPERATION_SMSW || in->operation > OPERATION_LIDT))
        check(c, in->size == in->memory_size);
    if (immediate != NULL) {
        /* That of BT and its kind is a byte that nobody extends. */
        unsigned size = immediate->imm.is_signed ? in->size : c->theirs.raw.imm[0].size / 8;
        check(c, low_bytes(immediate->imm.value.u, size) == low_bytes(in->immediate, size));
    }
}

/* An instruction whose end is missing is not decoded, whatever follows in the buffer. */
static void check_truncated(struct comparison *c)
{
    struct instruction part;

    for (size_t count = 1; count < c->ours.length; count++)
        check(c, decode(c->mode, c->bytes, count, &part) == DECODE_INCOMPLETE);
}

static void compare(struct comparison *c)
{
    comparison_run(c);
    check(c, (c->result == DECODE_DONE) == comparison_in_scope(c));
    switch (c->result) {
    case DECODE_DONE:
        check_accepted(c);
        if ((c->random.state & 63) == 0)
            check_truncated(c);
        break;
    case DECODE_INVALID_LOCK:
        check(c, c->status == ZYDIS_STATUS_ILLEGAL_LOCK);
        c->invalid_lock++;
        break;
    case DECODE_TOO_LONG:
        check(c, c->status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG ||
                     c->status == ZYDIS_STATUS_NO_MORE_DATA);
        c->too_long++;
        break;
    default:
        break;
    }
}

static bool exists(enum decode_mode mode, enum operation operation)
{
    switch (operation) {
    case OPERATION_LES:
    case OPERATION_LDS:
    case OPERATION_BOUND:
    case OPERATION_ARPL:
    case OPERATION_PUSHA:
    case OPERATION_POPA:
        return mode != DECODE_64;
    case OPERATION_MOVSXD:
        return mode == DECODE_64;
    default:
        return true;
    }
}

static void compare_mode(enum decode_mode mode)
{
    static struct comparison c;
    uint64_t accepted = 0;

    c = (struct comparison){.mode = mode, .random = {SEED + mode}};
    ZydisDecoderInit(&c.decoder, machines[mode].machine, machines[mode].stack);
    comparison_learn(&c, (const uint8_t[]){0}, 0);
    comparison_learn(&c, (const uint8_t[]){0x0f}, 1);
    comparison_learn(&c, (const uint8_t[]){0x0f, 0x38}, 2);
    comparison_learn(&c, (const uint8_t[]){0x0f, 0x3a}, 2);
    for (unsigned i = 0; i < ROUNDS; i++) {
        comparison_make(&c);
        compare(&c);
    }
    for (unsigned i = 0; i < OPERATION_COUNT; i++) {
        accepted += c.accepted[i];
        if (exists(mode, i) ? c.accepted[i] <= ROUNDS / 10000 : c.accepted[i] > 0)
            fail_msg("%s: %llu", names[i], (unsigned long long)c.accepted[i]);
    }
    assert_true(c.invalid_lock > ROUNDS / 1000);
    assert_true(c.too_long > ROUNDS / 10000);
    print_message("seed %llx: %u instructions, %llu accepted, %llu invalid LOCK, %llu too long\n",
                  (unsigned long long)(SEED + mode), ROUNDS, (unsigned long long)accepted,
                  (unsigned long long)c.invalid_lock, (unsigned long long)c.too_long);
}

static void test_decode_16(void **state)
{
    compare_mode(DECODE_16);
}

static void test_decode_32(void **state)
{
    compare_mode(DECODE_32);
}

static void test_decode_64(void **state)
{
    compare_mode(DECODE_64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode_16),
        cmocka_unit_test(test_decode_32),
        cmocka_unit_test(test_decode_64),
    };

    return cmocka_run_group_tests_name("decode", tests, name_operations, NULL);
}
