/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests/device_segments.c cannot show: loads of segment registers in 32-bit code, in real
 * mode and at other privilege levels.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bits.h"
#include "monitor/emulate.h"
#include "monitor/vector.h"
#include "monitor/x86.h"

#define CODE    0x8000
#define GDT     0x2000
#define OPERAND 0x1200 /* at RDX */
#define STACK   0x1400

#define CODE_64 0x209b
#define CODE_32 0x409b
#define DATA    0x4093

/* Descriptors as the guest's GDT has them: index 1 is under test. */
#define SELECTOR   8
#define NOT_MARKED 0x00cf92345678ffffULL /* data, not accessed: base 00345678h */
#define MARKED     0x00cf93345678ffffULL

struct guest {
    struct guest_state state, before;
    struct emulate_fault fault;
    uint8_t memory[0x10000];
    unsigned segments;        /* how often they were asked for */
    unsigned table_privilege; /* of the last access to the GDT */
};

static struct guest guest;

static uint8_t *at(uint64_t linear, unsigned size)
{
    assert_true(linear + size <= sizeof(guest.memory));
    if (linear >= GDT && linear < GDT + 0x100)
        guest.table_privilege = current_privilege(&guest.state);
    return guest.memory + linear;
}

size_t emulate_fetch(void *ctx, uint64_t linear, uint8_t bytes[DECODE_MAX_LENGTH])
{
    memcpy(bytes, at(linear, DECODE_MAX_LENGTH), DECODE_MAX_LENGTH);
    return DECODE_MAX_LENGTH;
}

bool emulate_read(void *ctx, uint64_t linear, unsigned size, uint64_t *value,
                  struct emulate_fault *fault)
{
    *value = 0;
    memcpy(value, at(linear, size), size);
    return true;
}

bool emulate_write(void *ctx, uint64_t linear, unsigned size, uint64_t value,
                   struct emulate_fault *fault)
{
    memcpy(at(linear, size), &value, size);
    return true;
}

bool emulate_writable(void *ctx, uint64_t linear, unsigned size, struct emulate_fault *fault)
{
    return true;
}

void emulate_segments(void *ctx)
{
    guest.segments++;
}

void vector_read(enum vector_kind kind, unsigned number, uint64_t words[4])
{
}

void vector_write(enum vector_kind kind, unsigned number, const uint64_t words[4])
{
}

static void make_guest(uint16_t code, unsigned privilege, uint64_t descriptor)
{
    struct guest_state *s = &guest.state;

    memset(&guest, 0, sizeof(guest));
    for (unsigned i = SEG_ES; i <= SEG_GS; i++)
        s->segment[i] = (struct segment_state){0, UINT32_MAX, 0x80, DATA};
    s->segment[SEG_CS].access = code;
    s->segment[SEG_SS].access |= (uint16_t)(privilege << ACCESS_DPL_SHIFT);
    s->segment[SEG_LDTR].access = SEGMENT_UNUSABLE;
    s->efer = code == CODE_64 ? EFER_LMA | EFER_LME : 0;
    s->cr0 = CR0_PG | CR0_PE;
    s->rflags = RFLAGS_ONE;
    s->rip = CODE;
    s->gdtr = (struct table_state){GDT, 0x7f};
    s->gpr[GPR_RDX] = OPERAND;
    s->gpr[GPR_RSP] = STACK;
    memcpy(guest.memory + GDT + 8, &descriptor, 8);
}

static void set_operand(uint64_t value)
{
    memcpy(guest.memory + OPERAND, &value, sizeof(value));
}

#define run(...) run_bytes((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static enum emulate_result run_bytes(const uint8_t *bytes, size_t count)
{
    memcpy(guest.memory + CODE, bytes, count);
    guest.before = guest.state;
    return emulate(&guest.state, &guest, &guest.fault);
}

static void check_fault(enum emulate_result result, uint8_t vector, uint32_t error_code)
{
    assert_int_equal(result, EMULATE_FAULT);
    assert_int_equal(guest.fault.vector, vector);
    assert_true(guest.fault.has_error_code);
    assert_int_equal(guest.fault.error_code, error_code);
    assert_memory_equal(&guest.state, &guest.before, sizeof(guest.state));
}

static uint64_t descriptor(void)
{
    uint64_t d;

    memcpy(&d, guest.memory + GDT + 8, sizeof(d));
    return d;
}

/* By the table of "Privilege Level Checking When Accessing Data Segments". */
static void test_privilege(void **state)
{
    static const struct {
        unsigned cpl, rpl, dpl;
        bool data, stack;
    } rows[] = {
        {0, 0, 0, true, true},   {0, 0, 3, true, false},  {0, 3, 0, false, false},
        {0, 3, 3, true, false},  {3, 3, 3, true, true},   {3, 0, 3, true, false},
        {3, 0, 0, false, false}, {1, 1, 1, true, true},   {1, 0, 1, true, false},
        {1, 1, 2, true, false},  {1, 2, 1, false, false},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows) * 2; i++) {
        bool stack = i & 1, good = stack ? rows[i / 2].stack : rows[i / 2].data;

        make_guest(CODE_32, rows[i / 2].cpl, NOT_MARKED | (uint64_t)rows[i / 2].dpl << 45);
        set_operand(SELECTOR | rows[i / 2].rpl);
        enum emulate_result result = run(0x8e, stack ? 0x12 : 0x1a);
        assert_int_equal(guest.table_privilege, 0);
        if (!good) {
            check_fault(result, VECTOR_GP, SELECTOR);
            continue;
        }
        assert_int_equal(result, stack ? EMULATE_STACK_SEGMENT : EMULATE_SEGMENTS);
        assert_int_equal(current_privilege(&guest.state), rows[i / 2].cpl);
        assert_int_equal(descriptor(), MARKED | (uint64_t)rows[i / 2].dpl << 45);
    }
}

static void test_far_pointers_of_32_bit_code(void **state)
{
    make_guest(CODE_32, 0, NOT_MARKED);
    set_operand(0x11223344 | (uint64_t)SELECTOR << 32);
    assert_int_equal(run(0xc4, 0x02), EMULATE_SEGMENTS); /* LES EAX, [EDX] */
    assert_int_equal(guest.segments, 1);
    assert_int_equal(guest.state.gpr[GPR_RAX], 0x11223344);
    assert_int_equal(guest.state.segment[SEG_ES].selector, SELECTOR);
    assert_int_equal(guest.state.segment[SEG_ES].base, 0x345678);
    assert_int_equal(guest.state.segment[SEG_ES].limit, UINT32_MAX);
    assert_int_equal(guest.state.segment[SEG_ES].access, 0xc093);
    assert_int_equal(guest.state.rip, CODE + 2);
    guest.state.rip = CODE;
    set_operand(0x5566 | SELECTOR << 16);
    assert_int_equal(run(0x66, 0xc5, 0x02), EMULATE_SEGMENTS); /* LDS AX, [EDX] */
    assert_int_equal(guest.state.gpr[GPR_RAX], 0x11225566);
    assert_int_equal(guest.state.segment[SEG_DS].selector, SELECTOR);
}

static void test_null(void **state)
{
    make_guest(CODE_32, 0, 0);
    set_operand(3);
    assert_int_equal(run(0x8e, 0x1a), EMULATE_SEGMENTS); /* DS */
    assert_int_equal(guest.state.segment[SEG_DS].selector, 3);
    assert_int_equal(guest.state.segment[SEG_DS].access, SEGMENT_UNUSABLE);
    make_guest(CODE_32, 0, 0);
    check_fault(run(0x8e, 0x12), VECTOR_GP, 0);                /* SS */
    check_fault(run(0xff, 0x2a), VECTOR_GP, 0);                /* JMP far */
    check_fault(run(0x0f, 0x00, 0x1a), VECTOR_GP, 0);          /* LTR */
    assert_int_equal(run(0x0f, 0x00, 0x12), EMULATE_SEGMENTS); /* LLDT */
    make_guest(CODE_64, 1, 0);
    set_operand(1);
    assert_int_equal(run(0x8e, 0x12), EMULATE_STACK_SEGMENT);
    assert_int_equal(current_privilege(&guest.state), 1);
    make_guest(CODE_64, 3, 0);
    set_operand(3);
    check_fault(run(0x8e, 0x12), VECTOR_GP, 0);
}

static void test_real_mode(void **state)
{
    make_guest(0x9b, 0, 0);
    guest.state.cr0 = 0;
    set_operand(0x1234);
    guest.state.gpr[GPR_RBX] = OPERAND;
    assert_int_equal(run(0x8e, 0x1f), EMULATE_SEGMENTS); /* MOV DS, [BX] */
    assert_int_equal(guest.state.segment[SEG_DS].base, 0x12340);
    assert_int_equal(guest.state.segment[SEG_DS].limit, UINT32_MAX);
    guest.state.segment[SEG_DS].base = 0;
    guest.state.rip = CODE;
    set_operand(0x20345678);
    assert_int_equal(run(0xff, 0x2f), EMULATE_SEGMENTS); /* JMP far [BX] */
    assert_int_equal(guest.state.rip, 0x5678);
    assert_int_equal(guest.state.segment[SEG_CS].base, 0x20340);
    guest.state.segment[SEG_CS].base = 0;
    guest.state.rip = CODE;
    set_operand(0xffffff0000001234);
    assert_int_equal(run(0x0f, 0x01, 0x1f), EMULATE_SEGMENTS); /* LIDT [BX]: 24 bits */
    assert_int_equal(guest.state.idtr.limit, 0x1234);
    assert_int_equal(guest.state.idtr.base, 0);
}

#define CODE_DESCRIPTOR 0x00cf9a000000ffffULL

static void test_far_transfers(void **state)
{
    make_guest(CODE_32, 0, CODE_DESCRIPTOR);
    set_operand(0x5000 | (uint64_t)SELECTOR << 32);
    assert_int_equal(run(0xff, 0x1a), EMULATE_SEGMENTS); /* CALL far [EDX] */
    assert_int_equal(guest.state.rip, 0x5000);
    assert_int_equal(guest.state.gpr[GPR_RSP], STACK - 8);
    assert_memory_equal(guest.memory + STACK - 8, &((uint32_t[]){CODE + 2, 0x80}), 8);
    make_guest(CODE_32, 3, CODE_DESCRIPTOR | 3ULL << 45);
    set_operand(0x5000 | (uint64_t)SELECTOR << 32);
    assert_int_equal(run(0xff, 0x2a), EMULATE_SEGMENTS);
    assert_int_equal(guest.state.segment[SEG_CS].selector, SELECTOR | 3); /* RPL is the CPL */
    make_guest(CODE_32, 3, CODE_DESCRIPTOR | 4ULL << 40);                 /* conforming */
    set_operand(0x5000 | (uint64_t)SELECTOR << 32);
    assert_int_equal(run(0xff, 0x2a), EMULATE_SEGMENTS);
    assert_int_equal(current_privilege(&guest.state), 3);
    make_guest(CODE_32, 0, CODE_DESCRIPTOR & ~(0x008f00000000ffffULL));
    set_operand(0x5000 | (uint64_t)SELECTOR << 32);
    check_fault(run(0xff, 0x2a), VECTOR_GP, 0); /* beyond the limit */
}

/* Nobody has a call gate or a task in device memory: the VM stops, with the report. */
static void test_gates(void **state)
{
    static const uint8_t types[] = {1, 3, 4, 5, 9, 11, 12};

    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        make_guest(CODE_32, 0, (uint64_t)(types[i] | 0x80) << 40);
        set_operand((uint64_t)SELECTOR << 32);
        assert_int_equal(run(0xff, 0x2a), EMULATE_UNSUPPORTED);
        make_guest(CODE_64, 0, (uint64_t)(types[i] | 0x80) << 40);
        set_operand((uint64_t)SELECTOR << 32);
        if (types[i] == 12)
            assert_int_equal(run(0xff, 0x2a), EMULATE_UNSUPPORTED);
        else
            check_fault(run(0xff, 0x2a), VECTOR_GP, SELECTOR);
    }
}

static void test_tasks(void **state)
{
    make_guest(CODE_32, 0, 0x0000810000000067);
    set_operand(SELECTOR);
    assert_int_equal(run(0x0f, 0x00, 0x1a), EMULATE_SEGMENTS); /* LTR: a TSS of 16 bits */
    assert_int_equal(guest.state.segment[SEG_TR].access, 0x83);
    assert_int_equal(descriptor(), 0x0000830000000067);
    make_guest(CODE_64, 0, 0x0000810000000067);
    set_operand(SELECTOR);
    check_fault(run(0x0f, 0x00, 0x1a), VECTOR_GP, SELECTOR);
    make_guest(CODE_64, 3, 0x0000890000000067);
    set_operand(SELECTOR);
    check_fault(run(0x0f, 0x00, 0x1a), VECTOR_GP, 0); /* not for ring 3 */
    check_fault(run(0x0f, 0x01, 0x12), VECTOR_GP, 0); /* LGDT */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_privilege),     cmocka_unit_test(test_far_pointers_of_32_bit_code),
        cmocka_unit_test(test_null),          cmocka_unit_test(test_real_mode),
        cmocka_unit_test(test_far_transfers), cmocka_unit_test(test_gates),
        cmocka_unit_test(test_tasks),
    };

    return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
