/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions of forms.def: assembled with this file, emulated, and held against what they
 * must do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bits.h"
#include "monitor/emulate.h"
#include "monitor/vector.h"

#define CODE   0x7000000ULL
#define MEMORY 0x4000ULL
#define DEVICE 0xfed00000ULL
#define STACK  0x50000ULL

/* The assembler puts each form's bytes between two labels. */
#define FORM(name, code, text, accesses, reg, value)                                               \
    __asm__(".pushsection .rodata\n.code" #code "\nform_" #name ": " text "\nform_" #name          \
            "_end: .code64\n.popsection");                                                         \
    extern const uint8_t form_##name[], form_##name##_end[];
#include "tests/native/decode/forms.def"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R9 = 9, R15 = 15 };

struct seen_access {
    uint64_t address;
    unsigned size;
    bool write;
    uint64_t value; /* of a write */
};

#define MAX_ACCESSES          4
#define R(at, bytes)          {.address = at, .size = bytes},
#define W(at, bytes, content) {.address = at, .size = bytes, .write = true, .value = content},

struct form {
    const char *name;
    const uint8_t *bytes, *end;
    unsigned code;
    struct seen_access accesses[MAX_ACCESSES];
    unsigned reg;
    uint64_t value;
};

static const struct form forms[] = {
#define FORM(name, code, text, accesses, reg, value)                                               \
    {#name, form_##name, form_##name##_end, code, accesses, reg, value},
#include "tests/native/decode/forms.def"
};

/* What an emulation sees and does. */
struct trial {
    const struct form *form;
    unsigned accesses;
};

size_t emulate_fetch(void *ctx, uint64_t linear, uint8_t bytes[DECODE_MAX_LENGTH])
{
    const struct form *form = ((struct trial *)ctx)->form;
    size_t length = (size_t)(form->end - form->bytes);

    assert_int_equal(linear, CODE);
    memcpy(bytes, form->bytes, length);
    return length;
}

static const struct seen_access *next_access(struct trial *trial, uint64_t linear, unsigned size,
                                             bool write)
{
    const struct seen_access *access = &trial->form->accesses[trial->accesses++];

    assert_true(trial->accesses <= MAX_ACCESSES);
    assert_int_equal(access->address, linear);
    assert_int_equal(access->size, size);
    assert_int_equal(access->write, write);
    return access;
}

bool emulate_read(void *ctx, uint64_t linear, unsigned size, uint64_t *value,
                  struct emulate_fault *fault)
{
    next_access(ctx, linear, size, false);
    *value = 0;
    for (unsigned i = 0; i < size; i++)
        ((uint8_t *)value)[i] = (uint8_t)(linear + i + 0x81);
    return true;
}

void vector_read(enum vector_kind kind, unsigned number, uint64_t words[4])
{
    memset(words, 0x40 + (int)number, 32);
}

void vector_write(enum vector_kind kind, unsigned number, const uint64_t words[4])
{
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
    const struct seen_access *access = next_access(ctx, linear, size, true);

    assert_memory_equal(&value, &access->value, size);
    return true;
}

static void set_segments(struct guest_state *state, uint64_t base, uint32_t limit, uint16_t access)
{
    for (unsigned i = SEG_ES; i <= SEG_GS; i++)
        state->segment[i] = (struct segment_state){base, limit, 8, access};
}

static struct guest_state state_before(unsigned code)
{
    struct guest_state state = {
        .gpr = {[RAX] = 0xa7a6a5a4a3a2a1a0,
                [RCX] = 2,
                [RBX] = 8,
                [RDX] = DEVICE,
                [RBP] = DEVICE,
                [RSI] = MEMORY,
                [RDI] = DEVICE,
                [RSP] = STACK},
        .rip = CODE,
        .rflags = 2,
        .cr0 = BIT(31) | BIT(0),
    };

    set_segments(&state, 0, UINT32_MAX, 0x4093);
    switch (code) {
    case 64:
        state.efer = BIT(10) | BIT(8);
        state.segment[SEG_CS].access = 0x209b;
        break;
    case 32:
        state.segment[SEG_CS].access = 0x409b;
        break;
    default:
        state.cr0 = 0;
        set_segments(&state, MEMORY, 0xffff, 0x93);
        state.segment[SEG_FS].base = DEVICE;
        state.rip = 0x100;
        state.segment[SEG_CS].base = CODE - 0x100;
    }
    return state;
}

static void test_form(void **argument)
{
    const struct form *form = *argument;
    struct trial trial = {form, 0};
    struct guest_state before = state_before(form->code), state = before;
    struct emulate_fault fault;
    unsigned accesses = 0;

    assert_int_equal(emulate(&state, &trial, &fault), EMULATE_DONE);
    while (accesses < MAX_ACCESSES && form->accesses[accesses].size != 0)
        accesses++;
    assert_int_equal(trial.accesses, accesses);
    assert_int_equal(state.rip, before.rip + (uint64_t)(form->end - form->bytes));
    assert_int_equal(state.gpr[form->reg], form->value);
    for (unsigned i = 0; i < 16; i++)
        if (i != form->reg && i != RSI && i != RDI)
            assert_int_equal(state.gpr[i], before.gpr[i]);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_SIZE(forms)];

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        tests[i] = (struct CMUnitTest){
            .name = forms[i].name, .test_func = test_form, .initial_state = (void *)&forms[i]};
    return cmocka_run_group_tests_name("forms", tests, NULL, NULL);
}
