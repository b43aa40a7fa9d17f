/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests/device_segments.c cannot show: loads of segment registers in 32-bit code, in real
 * mode and at other privilege levels; and other instructions of 32-bit code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bits.h"
#include "monitor/alu.h"
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
    uint64_t rewritten;       /* what another vCPU makes of the descriptor when it has been read */
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
    if (linear == GDT + SELECTOR && guest.rewritten != 0)
        memcpy(at(linear, 8), &guest.rewritten, 8);
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

bool emulate_modifiable(void *ctx, uint64_t linear, unsigned size, struct emulate_fault *fault)
{
    return emulate_writable(ctx, linear, size, fault);
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
    s->rflags = RFLAGS_FIXED;
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

/* The descriptor is marked, and keeps what another vCPU has written to it meanwhile. */
static void test_rewritten(void **state)
{
    make_guest(CODE_32, 0, NOT_MARKED);
    guest.rewritten = NOT_MARKED ^ 0xff0000ffffffffffULL;
    set_operand(SELECTOR);
    assert_int_equal(run(0x8e, 0x1a), EMULATE_SEGMENTS); /* DS */
    assert_int_equal(guest.state.segment[SEG_DS].base, 0x345678);
    assert_int_equal(descriptor(), MARKED ^ 0xff0000ffffffffffULL);
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

static void set_stack(uint32_t offset, uint32_t selector)
{
    memcpy(guest.memory + STACK, (uint32_t[]){offset, selector}, 8);
}

static void test_far_returns(void **state)
{
    make_guest(CODE_32, 0, CODE_DESCRIPTOR);
    assert_int_equal(run(0x9a, 0, 0x50, 0, 0, SELECTOR, 0), EMULATE_SEGMENTS); /* CALL far */
    assert_int_equal(guest.state.rip, 0x5000);
    assert_memory_equal(guest.memory + STACK - 8, &((uint32_t[]){CODE + 7, 0x80}), 8);
    make_guest(CODE_32, 0, CODE_DESCRIPTOR);
    set_stack(0x5000, SELECTOR);
    assert_int_equal(run(0xca, 0x10, 0), EMULATE_SEGMENTS); /* RET far 10h */
    assert_int_equal(guest.state.rip, 0x5000);
    assert_int_equal(guest.state.gpr[GPR_RSP], STACK + 8 + 0x10);
    assert_int_equal(guest.state.segment[SEG_CS].selector, SELECTOR);
    make_guest(CODE_32, 3, CODE_DESCRIPTOR);
    set_stack(0x5000, SELECTOR);
    check_fault(run(0xcb), VECTOR_GP, SELECTOR); /* to a more privileged level */
    make_guest(CODE_32, 0, CODE_DESCRIPTOR | 3ULL << 45);
    set_stack(0x5000, SELECTOR | 3);
    assert_int_equal(run(0xcb), EMULATE_UNSUPPORTED);
    make_guest(CODE_32, 0, CODE_DESCRIPTOR);
    set_stack(0x5000, 0);
    check_fault(run(0xcb), VECTOR_GP, 0);
    make_guest(0x9b, 0, 0);
    guest.state.cr0 = 0;
    set_stack(0x20345678, 0);
    assert_int_equal(run(0xcb), EMULATE_SEGMENTS); /* real mode */
    assert_int_equal(guest.state.rip, 0x5678);
    assert_int_equal(guest.state.segment[SEG_CS].base, 0x20340);
}

/* What LAR, LSL, VERR and VERW say of a descriptor: their ZF, in this order. */
static void test_looks(void **state)
{
    enum { LAR = 1, LSL = 2, VERR = 4, VERW = 8 };
    static const struct {
        uint64_t descriptor;
        uint16_t code;
        uint8_t cpl, rpl, says;
    } rows[] = {
        {0x00cf93000000ffff, CODE_32, 0, 0, LAR | LSL | VERR | VERW},
        {0x00cf91000000ffff, CODE_32, 0, 0, LAR | LSL | VERR}, /* read-only */
        {0x00cf99000000ffff, CODE_32, 0, 0, LAR | LSL},        /* code, not readable */
        {0x00cf9b000000ffff, CODE_32, 0, 0, LAR | LSL | VERR},
        {0x00cf93000000ffff, CODE_32, 3, 0, 0},
        {0x00cf93000000ffff, CODE_32, 0, 3, 0},
        {0x00cff3000000ffff, CODE_32, 3, 3, LAR | LSL | VERR | VERW},
        {0x00cf9f000000ffff, CODE_32, 3, 3, LAR | LSL | VERR},        /* conforming */
        {0x00cf13000000ffff, CODE_32, 0, 0, LAR | LSL | VERR | VERW}, /* not present */
        {0x0000890000000067, CODE_32, 0, 0, LAR | LSL},               /* TSS */
        {0x0000810000000067, CODE_32, 0, 0, LAR | LSL},               /* TSS of 16 bits */
        {0x0000820000000067, CODE_32, 0, 0, LAR | LSL},               /* LDT */
        {0x0000840000000000, CODE_32, 0, 0, LAR},                     /* call gates */
        {0x00008c0000000000, CODE_32, 0, 0, LAR},
        {0x0000850000000000, CODE_32, 0, 0, LAR}, /* task gate */
        {0x00008e0000000000, CODE_32, 0, 0, 0},   /* interrupt gate */
        {0x0000890000000067, CODE_64, 0, 0, LAR | LSL},
        {0x0000810000000067, CODE_64, 0, 0, 0},
        {0x00008c0000000000, CODE_64, 0, 0, LAR},
        {0x0000850000000000, CODE_64, 0, 0, 0},
        {0, CODE_32, 0, 0, 0},
    };
    static const uint8_t codes[4][3] = {
        {0x0f, 0x02, 0x02}, {0x0f, 0x03, 0x02}, {0x0f, 0x00, 0x22}, {0x0f, 0x00, 0x2a}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows) * 4; i++) {
        bool says = rows[i / 4].says >> (i % 4) & 1;

        make_guest(rows[i / 4].code, rows[i / 4].cpl, rows[i / 4].descriptor);
        guest.state.gpr[GPR_RAX] = 0x77;
        set_operand(SELECTOR | rows[i / 4].rpl);
        assert_int_equal(run_bytes(codes[i % 4], 3), EMULATE_DONE);
        if (!!(guest.state.rflags & RFLAGS_ZF) != says)
            fail_msg("row %u, instruction %u", i / 4, i % 4);
        if (!says || i % 4 >= 2)
            assert_int_equal(guest.state.gpr[GPR_RAX], 0x77);
    }
    make_guest(CODE_32, 0, MARKED);
    set_operand(SELECTOR);
    assert_int_equal(run(0x0f, 0x02, 0x02), EMULATE_DONE);
    assert_int_equal(guest.state.gpr[GPR_RAX], 0xcf9300 & 0xf0ff00);
    set_operand(0x80); /* beyond the table */
    guest.state.rip = CODE;
    assert_int_equal(run(0x0f, 0x03, 0x02), EMULATE_DONE);
    assert_int_equal(guest.state.rflags & RFLAGS_ZF, 0);
}

static void test_all_registers(void **state)
{
    make_guest(CODE_32, 0, 0);
    for (unsigned i = 0; i < 8; i++)
        guest.state.gpr[i] = i == GPR_RSP ? STACK : 0xaaaaaaaa00000010 + i;
    assert_int_equal(run(0x60), EMULATE_DONE); /* PUSHAD */
    assert_int_equal(guest.state.gpr[GPR_RSP], STACK - 32);
    assert_memory_equal(guest.memory + STACK - 32,
                        &((uint32_t[]){0x17, 0x16, 0x15, STACK, 0x13, 0x12, 0x11, 0x10}), 32);
    memset(guest.memory + STACK - 32 + 12, 0xee, 4); /* ESP is left out */
    for (unsigned i = 0; i < 8; i++)
        if (i != GPR_RSP)
            guest.state.gpr[i] = 0;
    guest.state.rip = CODE;
    assert_int_equal(run(0x61), EMULATE_DONE);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(guest.state.gpr[i], i == GPR_RSP ? STACK : 0x10 + i);
    guest.state.rip = CODE;
    assert_int_equal(run(0x66, 0x60), EMULATE_DONE); /* PUSHA */
    assert_int_equal(guest.state.gpr[GPR_RSP], STACK - 16);
}

static void test_bound(void **state)
{
    static const struct {
        uint32_t index;
        bool inside;
    } rows[] = {{-5, true}, {-6, false}, {7, true}, {8, false}, {0, true}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        make_guest(CODE_32, 0, 0);
        guest.state.gpr[GPR_RAX] = rows[i].index;
        set_operand(0xfffffffb | 7ULL << 32);
        enum emulate_result result = run(0x62, 0x02);
        assert_int_equal(result, rows[i].inside ? EMULATE_DONE : EMULATE_FAULT);
        if (!rows[i].inside)
            assert_int_equal(guest.fault.vector, VECTOR_BR);
        guest.state.rip = CODE;
        set_operand(0x0007fffb); /* 16 bits */
        assert_int_equal(run(0x66, 0x62, 0x02), result);
    }
}

static void test_requested_privilege(void **state)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned memory = i & 3, least = i >> 2;

        make_guest(CODE_32, 0, 0);
        guest.state.gpr[GPR_RAX] = 0xfff0 | least;
        set_operand(0x12340000 | 8 | memory);
        assert_int_equal(run(0x63, 0x02), EMULATE_DONE); /* ARPL [EDX], AX */
        assert_int_equal(!!(guest.state.rflags & RFLAGS_ZF), memory < least);
        assert_int_equal(guest.memory[OPERAND], 8 | (memory < least ? least : memory));
        assert_int_equal(guest.memory[OPERAND + 3], 0x12);
    }
}

static void test_direct_stores(void **state)
{
    make_guest(CODE_64, 0, 0);
    guest.state.gpr[GPR_RAX] = 0x1122334455667788;
    assert_int_equal(run(0x48, 0x0f, 0x38, 0xf9, 0x02), EMULATE_DONE); /* MOVDIRI [RDX], RAX */
    assert_memory_equal(guest.memory + OPERAND, &guest.state.gpr[GPR_RAX], 8);
    make_guest(CODE_64, 0, 0);
    guest.state.gpr[GPR_RAX] = 0x4000;
    for (unsigned i = 0; i < 64; i++)
        guest.memory[OPERAND + i] = (uint8_t)(i + 1);
    assert_int_equal(run(0x66, 0x0f, 0x38, 0xf8, 0x02), EMULATE_DONE); /* MOVDIR64B RAX, [RDX] */
    assert_memory_equal(guest.memory + 0x4000, guest.memory + OPERAND, 64);
    assert_int_equal(guest.memory[0x4040], 0);
    make_guest(CODE_64, 0, 0);
    guest.state.gpr[GPR_RAX] = 0x4020;
    check_fault(run(0x66, 0x0f, 0x38, 0xf8, 0x02), VECTOR_GP, 0);
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

/* With CR4.CET a transfer may have more to do than is done: the VM stops. */
static void test_transfers_with_cet(void **state)
{
    static const uint8_t codes[][3] = {
        {0xff, 0x12},       /* CALL near */
        {0xff, 0x22},       /* JMP near */
        {0xff, 0x1a},       /* CALL far */
        {0xff, 0x2a},       /* JMP far */
        {0xe8, 0x00, 0x10}, /* CALL relative: the stack is the device */
        {0xc3},             /* RET */
        {0xc2, 0x10},
        {0xcb}, /* RET far */
    };

    for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
        make_guest(CODE_32, 0, CODE_DESCRIPTOR);
        set_operand((uint64_t)SELECTOR << 32 | 0x5000);
        set_stack(0x5000, SELECTOR);
        assert_int_not_equal(run_bytes(codes[i], sizeof(codes[i])), EMULATE_UNSUPPORTED);
        make_guest(CODE_32, 0, CODE_DESCRIPTOR);
        set_operand((uint64_t)SELECTOR << 32 | 0x5000);
        set_stack(0x5000, SELECTOR);
        guest.state.cr4 = CR4_CET;
        assert_int_equal(run_bytes(codes[i], sizeof(codes[i])), EMULATE_UNSUPPORTED);
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
        cmocka_unit_test(test_rewritten),     cmocka_unit_test(test_null),
        cmocka_unit_test(test_real_mode),     cmocka_unit_test(test_far_transfers),
        cmocka_unit_test(test_gates),         cmocka_unit_test(test_transfers_with_cet),
        cmocka_unit_test(test_tasks),         cmocka_unit_test(test_far_returns),
        cmocka_unit_test(test_looks),         cmocka_unit_test(test_all_registers),
        cmocka_unit_test(test_bound),         cmocka_unit_test(test_requested_privilege),
        cmocka_unit_test(test_direct_stores),
    };

    return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
