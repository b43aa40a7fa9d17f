/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulator against the CPU that runs the test: each instruction form of decode.def in 64-bit
 * mode, with random prefixes, addressing forms and operands. Registers, memory and all defined
 * flags must be equal afterwards.
 *
 * String instructions with a count of 0 and 32-bit addresses are left out: what becomes of the
 * upper halves of the registers then differs from one processor to the next.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <Zydis/Zydis.h>

#include "lib/bits.h"
#include "monitor/alu.h"
#include "monitor/decode.h"
#include "monitor/emulate.h"
#include "monitor/vector.h"
#include "monitor/x86.h"
#include "tests/native/decode/execute_forms.h"
#include "tests/native/decode/native.h"
#include "tests/native/decode/random.h"

#define SEED   0x6c696e74656c0010ULL
#define ROUNDS 20000 /* for each form */

#define STATUS      (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)
#define FLAGS_FIXED 0x202 /* bit 1, and interrupts on as they are for any program */

/* The operands lie in the middle of the data, with room for bit strings and string instructions. */
#define TARGET_FIRST 1024
#define TARGET_COUNT 2048

struct trial {
    struct random random;
    struct native *native;
    ZydisDecoder decoder;
    struct instruction in;
    uint8_t bytes[DECODE_BUFFER];
    uint8_t initial[NATIVE_DATA], result[NATIVE_DATA];
    uint64_t target;                /* linear */
    uint64_t vector[16][4], mmx[8]; /* of the emulated guest */
    unsigned faults;
    struct guest_state state;
};

static struct trial trial = {.random = {SEED}};

void vector_read(enum vector_kind kind, unsigned number, uint64_t words[4])
{
    if (kind == VECTOR_MMX)
        words[0] = trial.mmx[number];
    else
        memcpy(words, trial.vector[number], kind == VECTOR_AVX_256 ? 32 : 16);
}

void vector_write(enum vector_kind kind, unsigned number, const uint64_t words[4])
{
    if (kind == VECTOR_MMX) {
        trial.mmx[number] = words[0];
        return;
    }
    memcpy(trial.vector[number], words, kind == VECTOR_AVX_256 ? 32 : 16);
    if (kind == VECTOR_AVX_128)
        memset(&trial.vector[number][2], 0, 16);
}

static bool inside(const struct trial *t, uint64_t linear, unsigned size)
{
    uint64_t data = (uint64_t)t->native->data;

    return linear >= data && linear + size <= data + NATIVE_DATA;
}

size_t emulate_fetch(void *ctx, uint64_t linear, uint8_t bytes[DECODE_MAX_LENGTH])
{
    struct trial *t = ctx;

    assert_int_equal(linear, (uint64_t)t->native->slot);
    memcpy(bytes, t->native->slot, DECODE_MAX_LENGTH);
    return DECODE_MAX_LENGTH;
}

bool emulate_read(void *ctx, uint64_t linear, unsigned size, uint64_t *value,
                  struct emulate_fault *fault)
{
    assert_true(inside(ctx, linear, size));
    *value = 0;
    memcpy(value, (const void *)linear, size);
    return true;
}

void emulate_segments(void *ctx)
{
}

bool emulate_writable(void *ctx, uint64_t linear, unsigned size, struct emulate_fault *fault)
{
    return true;
}

bool emulate_modifiable(void *ctx, uint64_t linear, unsigned size, struct emulate_fault *fault)
{
    return emulate_writable(ctx, linear, size, fault);
}

bool emulate_write(void *ctx, uint64_t linear, unsigned size, uint64_t value,
                   struct emulate_fault *fault)
{
    assert_true(inside(ctx, linear, size));
    memcpy((void *)linear, &value, size);
    return true;
}

static void make_bytes(struct trial *t, const struct form *form)
{
    static const uint8_t prefixes[] = {0x67, 0x65, 0x2e, 0x66, 0xf0, 0xf2, 0xf3};
    unsigned at = 0, choice = form->vex ? 3 : ARRAY_SIZE(prefixes);

    for (unsigned i = 0; i < DECODE_MAX_LENGTH; i++)
        t->bytes[i] = (uint8_t)(random_next(&t->random) >> 40);
    for (unsigned i = random_below(&t->random, 3); i > 0; i--)
        t->bytes[at++] = prefixes[random_below(&t->random, choice)];
    if (form->vex) {
        uint32_t other = random_below(&t->random, 2) ? 0x7800 : 0; /* most forms have none */
        at += form_vex(form, t->bytes + at, other | (uint32_t)random_next(&t->random));
    } else {
        if (form->prefix != 0)
            t->bytes[at++] = form->prefix;
        if (random_below(&t->random, 2))
            t->bytes[at++] = 0x40 | (uint8_t)random_below(&t->random, 16);
        memcpy(t->bytes + at, form->bytes, form->count);
        at += form->count;
    }
    if (!form->free)
        t->bytes[at] = (t->bytes[at] & 0xc7) | form->modrm;
}

static void random_state(struct trial *t)
{
    struct native_state *before = &t->native->before;

    for (unsigned i = 0; i < 16; i++)
        before->gpr[i] = random_value(&t->random);
    for (unsigned i = 0; i < 16 * 4; i++)
        before->vector[i / 4][i % 4] = random_next(&t->random);
    for (unsigned i = 0; i < 8; i++)
        before->mmx[i] = random_next(&t->random);
    before->rflags = FLAGS_FIXED | (random_next(&t->random) & (STATUS | RFLAGS_DF));
    t->target = (uint64_t)t->native->data + TARGET_FIRST + random_below(&t->random, TARGET_COUNT);
    if (t->in.memory_size >= 16)
        t->target &= ~31ULL;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t value = random_value(&t->random);
        memcpy((uint8_t *)t->target + i * 8, &value, sizeof(value));
    }
}

/* The displacement is chosen where no register can be: it then is the whole address. */
static void set_displacement(struct trial *t, uint64_t value)
{
    ZydisDecodedInstruction theirs;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

    ZydisDecoderDecodeFull(&t->decoder, t->bytes, DECODE_MAX_LENGTH, &theirs, operands);
    memcpy(t->bytes + theirs.raw.disp.offset, &value, theirs.raw.disp.size / 8);
    t->in.displacement = value;
}

/* Chooses registers, or the displacement, so that the memory operand is at the target or a few
 * bytes beside. */
static void aim(struct trial *t)
{
    struct instruction *in = &t->in;
    uint64_t *gpr = t->native->before.gpr;
    uint64_t offset = t->target - (in->segment == SEG_GS ? NATIVE_GS_BASE : 0);
    int64_t rest = (int64_t)(offset - in->displacement);

    if (in->base == BASE_RIP)
        set_displacement(t, offset - ((uint64_t)t->native->slot + in->length));
    else if (in->base == BASE_NONE && in->index == BASE_NONE)
        set_displacement(t, offset);
    else if (in->base == in->index)
        gpr[in->base] = (uint64_t)(rest / (1 + (1 << in->scale)));
    else if (in->base == BASE_NONE)
        gpr[in->index] = (uint64_t)(rest >> in->scale);
    else
        gpr[in->base] = (uint64_t)rest - (in->index == BASE_NONE ? 0 : gpr[in->index] << in->scale);
    /* 32-bit addresses do not look at the upper halves. */
    if (in->address_size == 4 && in->base < BASE_RIP && in->base != in->index)
        gpr[in->base] ^= random_next(&t->random) << 32;
}

static void set_low(uint64_t *gpr, uint64_t value, unsigned size)
{
    memcpy(gpr, &value, size);
}

static void aim_string(struct trial *t)
{
    uint64_t *gpr = t->native->before.gpr;
    uint64_t data = (uint64_t)t->native->data + TARGET_FIRST;
    unsigned size = t->in.address_size, fill = random_below(&t->random, 3);

    set_low(&gpr[GPR_RSI], t->target - (t->in.segment == SEG_GS ? NATIVE_GS_BASE : 0), size);
    set_low(&gpr[GPR_RDI], data + random_below(&t->random, TARGET_COUNT), size);
    if (t->in.repeat)
        set_low(&gpr[GPR_RCX], random_below(&t->random, 100) + (size == 4), size);
    /* Comparisons go on for a while only where most bytes are equal. */
    if (fill == 0)
        return;
    memset(t->native->data, 0x55, NATIVE_DATA);
    set_low(&gpr[GPR_RAX], 0x5555555555555555, 8);
    if (fill == 1)
        t->native->data[TARGET_FIRST + random_below(&t->random, TARGET_COUNT)] = 0x56;
}

/* AL counts from RBX. */
static void aim_table(struct trial *t)
{
    uint64_t *gpr = t->native->before.gpr;

    gpr[GPR_RBX] = t->target - (uint8_t)gpr[GPR_RAX];
    if (t->in.segment == SEG_GS)
        gpr[GPR_RBX] -= NATIVE_GS_BASE;
}

static bool is_address(const struct instruction *in, enum gpr gpr)
{
    return in->base == gpr || in->index == gpr;
}

static uint64_t operand_address(const struct trial *t)
{
    const struct instruction *in = &t->in;
    const uint64_t *gpr = t->native->before.gpr;
    uint64_t offset = in->displacement;

    if (in->base != BASE_NONE)
        offset += in->base == BASE_RIP ? (uint64_t)t->native->slot + in->length : gpr[in->base];
    if (in->index != BASE_NONE)
        offset += gpr[in->index] << in->scale;
    return (in->address_size == 4 ? (uint32_t)offset : offset) +
           (in->segment == SEG_GS ? NATIVE_GS_BASE : 0);
}

/* Half of the time RDX:RAX are what is there. CMPXCHG16B wants an address that can be divided by
 * 16. */
static bool prepare_wide(struct trial *t)
{
    const struct instruction *in = &t->in;
    uint64_t *gpr = t->native->before.gpr, at = operand_address(t);

    if (is_address(in, GPR_RAX) || is_address(in, GPR_RDX) || (in->size == 8 && at % 16 != 0))
        return false;
    if (random_below(&t->random, 2) == 0)
        return true;
    memcpy(&gpr[GPR_RAX], (const void *)at, in->size);
    memcpy(&gpr[GPR_RDX], (const void *)(at + in->size), in->size);
    return true;
}

#define POPF_HARMLESS (STATUS | RFLAGS_DF) /* TF and AC would raise exceptions */

/* Room above and below for as many levels as ENTER can have. */
static bool prepare_stack(struct trial *t)
{
    struct instruction *in = &t->in;
    uint64_t *gpr = t->native->before.gpr;
    uint64_t data = (uint64_t)t->native->data;
    uint8_t *flags;

    if (in->base != GPR_RSP)
        gpr[GPR_RSP] = data + TARGET_FIRST + random_below(&t->random, TARGET_COUNT);
    if (in->operation == OPERATION_ENTER || in->operation == OPERATION_LEAVE)
        gpr[GPR_RBP] = data + TARGET_FIRST + random_below(&t->random, TARGET_COUNT);
    if (in->operation == OPERATION_ENTER) {
        in->immediate = random_below(&t->random, 256);
        memcpy(t->bytes + in->length - 3, &in->immediate, 2);
    }
    if (in->operation == OPERATION_POPF) {
        flags = (uint8_t *)gpr[GPR_RSP];
        memcpy(flags, &(uint64_t){random_next(&t->random) & POPF_HARMLESS}, 8);
    }
    return inside(t, gpr[GPR_RSP] - 16, 32);
}

/* Makes what is special to some operations. False: this instruction cannot be tried. */
static bool prepare(struct trial *t)
{
    struct instruction *in = &t->in;
    uint64_t *gpr = t->native->before.gpr;
    bool addressing = in->reg == in->base || in->reg == in->index;

    if (!forms_processor_has(in) ||
        (in->memory_size >= 16 && operand_address(t) % in->memory_size != 0))
        return false;
    switch (in->operation) {
    case OPERATION_BT ... OPERATION_BTC:
        if (in->operands == OPERANDS_MEMORY_IMMEDIATE)
            return true;
        set_low(&gpr[in->reg], random_below(&t->random, 8000) - 4000, in->size);
        return !addressing;
    case OPERATION_CMPXCHG:
        if (in->base != GPR_RAX && in->index != GPR_RAX && random_below(&t->random, 2))
            memcpy(&gpr[GPR_RAX], (const void *)t->target, in->size);
        return true;
    case OPERATION_CMPXCHG8B:
        return prepare_wide(t);
    case OPERATION_DIV:
    case OPERATION_IDIV: /* often a quotient that fits */
        if (random_below(&t->random, 2))
            gpr[GPR_RDX] = random_below(&t->random, 3) - 1;
        return !is_address(in, GPR_RDX);
    case OPERATION_PUSH ... OPERATION_LEAVE:
        return prepare_stack(t);
    default:
        return true;
    }
}

static bool make_trial(struct trial *t, const struct form *form)
{
    make_bytes(t, form);
    if (decode(DECODE_64, t->bytes, DECODE_MAX_LENGTH, &t->in) != DECODE_DONE)
        return false;
    random_state(t);
    if (t->in.operation == OPERATION_XLAT)
        aim_table(t);
    else if (t->in.operands == OPERANDS_STRING)
        aim_string(t);
    else
        aim(t);
    if (!prepare(t))
        return false;
    memset(t->native->slot, 0x90, NATIVE_SLOT);
    memcpy(t->native->slot, t->bytes, t->in.length);
    return true;
}

static void emulate_trial(struct trial *t, bool faults)
{
    struct emulate_fault fault;
    uint64_t rip = (uint64_t)t->native->slot;

    t->state.rip = rip;
    t->state.rflags = t->native->before.rflags;
    memcpy(t->state.gpr, t->native->before.gpr, sizeof(t->state.gpr));
    memcpy(t->vector, t->native->before.vector, sizeof(t->vector));
    memcpy(t->mmx, t->native->before.mmx, sizeof(t->mmx));
    if (faults) {
        assert_int_equal(emulate(&t->state, t, &fault), EMULATE_FAULT);
        assert_int_equal(fault.vector, VECTOR_DE);
        return;
    }
    while (t->state.rip == rip)
        assert_int_equal(emulate(&t->state, t, &fault), EMULATE_DONE);
    assert_int_equal(t->state.rip, rip + t->in.length);
}

static uint64_t defined_flags(const struct instruction *in)
{
    switch (in->operation) {
    case OPERATION_AND:
    case OPERATION_OR:
    case OPERATION_XOR:
    case OPERATION_TEST:
        return ~RFLAGS_AF;
    case OPERATION_BT ... OPERATION_BTC:
        return ~(RFLAGS_OF | RFLAGS_SF | RFLAGS_AF | RFLAGS_PF);
    case OPERATION_MUL:
    case OPERATION_IMUL:
        return ~(RFLAGS_SF | RFLAGS_ZF | RFLAGS_AF | RFLAGS_PF);
    case OPERATION_DIV:
    case OPERATION_IDIV:
        return ~STATUS;
    case OPERATION_ANDN:
    case OPERATION_BLSR ... OPERATION_BLSI:
    case OPERATION_BZHI:
        return ~(RFLAGS_AF | RFLAGS_PF);
    case OPERATION_BEXTR:
        return ~(RFLAGS_SF | RFLAGS_AF | RFLAGS_PF);
    default:
        return UINT64_MAX;
    }
}

static void show(const struct trial *t)
{
    const struct native_state *before = &t->native->before, *after = &t->native->after;

    print_error("bytes:");
    for (unsigned i = 0; i < t->in.length; i++)
        print_error(" %02x", t->bytes[i]);
    print_error("\nflags: before %lx, CPU %lx, emulated %lx\n", before->rflags, after->rflags,
                t->state.rflags);
    for (unsigned i = 0; i < 16; i++)
        print_error("r%u: before %lx, CPU %lx, emulated %lx\n", i, before->gpr[i], after->gpr[i],
                    t->state.gpr[i]);
}

static sigjmp_buf at_fault;

static void on_fault(int signal)
{
    siglongjmp(at_fault, 1);
}

/* RSP is the trial's: the handler has a stack of its own. */
static void catch_faults(void)
{
    static uint8_t stack[1 << 16];
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    const struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};

    assert_int_equal(sigaltstack(&other, NULL), 0);
    assert_int_equal(sigaction(SIGFPE, &action, NULL), 0);
}

/* False: a divide error. */
static bool run_native(struct native *native)
{
    if (sigsetjmp(at_fault, 1) != 0)
        return false;
    native_run(native);
    return true;
}

static void compare(struct trial *t)
{
    struct native *native = t->native;
    uint64_t defined = defined_flags(&t->in);

    memcpy(t->initial, native->data, NATIVE_DATA);
    native->after = native->before; /* unless it gets so far */
    bool faults = !run_native(native);
    memcpy(t->result, native->data, NATIVE_DATA);
    memcpy(native->data, t->initial, NATIVE_DATA);
    emulate_trial(t, faults);
    t->faults += faults;
    if (memcmp(t->state.gpr, native->after.gpr, sizeof(native->after.gpr)) != 0 ||
        memcmp(t->vector, native->after.vector, sizeof(t->vector)) != 0 ||
        memcmp(t->mmx, native->after.mmx, sizeof(t->mmx)) != 0 ||
        ((t->state.rflags ^ native->after.rflags) & defined) != 0 ||
        memcmp(t->result, native->data, NATIVE_DATA) != 0) {
        show(t);
        fail_msg("the emulated instruction does something else");
    }
}

static void test_execute(void **state)
{
    static struct forms forms;
    struct trial *t = &trial;

    forms_make(&forms);
    t->native = native_create();
    catch_faults();
    ZydisDecoderInit(&t->decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    t->state.cr0 = BIT(31) | BIT(0);
    t->state.efer = BIT(10) | BIT(8);
    t->state.segment[SEG_CS].access = 0x209b; /* 64-bit code */
    t->state.segment[SEG_SS].access = 0xf3;   /* ring 3 */
    t->state.segment[SEG_GS].base = NATIVE_GS_BASE;
    for (size_t i = 0; i < forms.count; i++) {
        for (unsigned done = 0; done < ROUNDS;) {
            if (!make_trial(t, &forms.form[i]))
                continue;
            compare(t);
            done++;
        }
    }
    assert_in_range(t->faults, ROUNDS, 5 * ROUNDS); /* of eight forms of DIV and IDIV */
    print_message("seed %llx: %zu forms, %u instructions of each\n", SEED, forms.count, ROUNDS);
    native_destroy(t->native);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_execute)};

    return cmocka_run_group_tests_name("execute", tests, NULL, NULL);
}
