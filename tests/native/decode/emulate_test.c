/* SPDX-License-Identifier: BSD-2-Clause */
/* The emulator's rules: what faults, what is left alone then, segments in each mode, and how REP is
 * cut into pieces. */
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

#define CODE 0x8000ULL

#define CODE_64 0x209b
#define CODE_32 0x409b
#define CODE_16 0x009b
#define DATA    0x4093 /* read-write, big */

#define RFLAGS_RF BIT(16)

enum vector { VECTOR_DE, VECTOR_UD = 6, VECTOR_SS = 12, VECTOR_GP = 13, VECTOR_PF = 14 };

/* A guest with 64 KiB of memory, that has a page fault somewhere. */
struct guest {
    struct guest_state state, before;
    struct emulate_fault fault;
    uint8_t memory[0x10000];
    uint64_t fault_at; /* linear */
    bool fault_on_read;
    unsigned reads, writes;
    uint64_t last;  /* linear address of the last access */
    size_t fetched; /* how many bytes can be fetched */
};

size_t emulate_fetch(void *ctx, uint64_t linear, uint8_t bytes[DECODE_MAX_LENGTH])
{
    struct guest *guest = ctx;
    size_t count = min_u64(DECODE_MAX_LENGTH, guest->fetched);

    memcpy(bytes, guest->memory + (linear & 0xffff), count);
    return count;
}

static bool faults(struct guest *guest, uint64_t linear, unsigned size, bool write,
                   struct emulate_fault *fault)
{
    guest->last = linear;
    if (guest->fault_at < linear || guest->fault_at >= linear + size ||
        (!write && !guest->fault_on_read))
        return false;
    *fault = (struct emulate_fault){VECTOR_PF, true, write ? 2 : 0, guest->fault_at};
    return true;
}

bool emulate_read(void *ctx, uint64_t linear, unsigned size, uint64_t *value,
                  struct emulate_fault *fault)
{
    struct guest *guest = ctx;

    if (faults(guest, linear, size, false, fault))
        return false;
    guest->reads++;
    *value = 0;
    memcpy(value, guest->memory + (linear & 0xfff8), size);
    return true;
}

bool emulate_write(void *ctx, uint64_t linear, unsigned size, uint64_t value,
                   struct emulate_fault *fault)
{
    struct guest *guest = ctx;

    if (faults(guest, linear, size, true, fault))
        return false;
    guest->writes++;
    memcpy(guest->memory + (linear & 0xfff8), &value, size);
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
    return !faults(ctx, linear, size, true, fault);
}

bool emulate_modifiable(void *ctx, uint64_t linear, unsigned size, struct emulate_fault *fault)
{
    return emulate_writable(ctx, linear, size, fault);
}

/* A guest in protected or long mode, with flat segments. */
static struct guest *make_guest(uint16_t code)
{
    static struct guest guest;

    guest = (struct guest){.fault_at = UINT64_MAX, .fetched = 15};
    for (unsigned i = SEG_ES; i <= SEG_GS; i++)
        guest.state.segment[i] = (struct segment_state){0, UINT32_MAX, 8, DATA};
    guest.state.segment[SEG_CS].access = code;
    guest.state.efer = code == CODE_64 ? BIT(10) | BIT(8) : 0;
    guest.state.cr0 = BIT(31) | BIT(0);
    guest.state.rflags = 2 | RFLAGS_CF;
    guest.state.rip = CODE;
    for (unsigned i = 0; i < 16; i++)
        guest.state.gpr[i] = 0x1000 + i * 0x100;
    return &guest;
}

#define run(guest, ...)                                                                            \
    run_bytes(guest, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static enum emulate_result run_bytes(struct guest *guest, const uint8_t *bytes, size_t count)
{
    memcpy(guest->memory + CODE, bytes, count);
    guest->before = guest->state;
    return emulate(&guest->state, guest, &guest->fault);
}

/* The guest has got this exception and nothing has changed. */
static void check_fault(const struct guest *guest, enum emulate_result result, enum vector vector)
{
    assert_int_equal(result, EMULATE_FAULT);
    assert_int_equal(guest->fault.vector, vector);
    assert_int_equal(guest->fault.has_error_code, vector != VECTOR_UD);
    if (vector != VECTOR_PF)
        assert_int_equal(guest->fault.error_code, 0);
    assert_memory_equal(&guest->state, &guest->before, sizeof(guest->state));
}

static void test_length_and_lock(void **state)
{
    struct guest *guest = make_guest(CODE_64);

    /* Fourteen prefixes and two bytes are one too many; thirteen are not. */
    check_fault(guest,
                run(guest, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e,
                    0x3e, 0x3e, 0x8b, 0x02),
                VECTOR_GP);
    assert_int_equal(run(guest, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e,
                         0x3e, 0x3e, 0x8b, 0x02),
                     EMULATE_DONE);
    assert_int_equal(guest->state.rip, CODE + 15);
    guest = make_guest(CODE_64);
    check_fault(guest, run(guest, 0xf0, 0x8b, 0x02), VECTOR_UD);       /* LOCK MOV EAX, [RDX] */
    check_fault(guest, run(guest, 0xf0, 0x03, 0x02), VECTOR_UD);       /* LOCK ADD EAX, [RDX] */
    check_fault(guest, run(guest, 0xf0, 0x83, 0x3a, 0x01), VECTOR_UD); /* LOCK CMP [RDX], 1 */
    check_fault(guest, run(guest, 0xf0, 0x0f, 0xa3, 0x02), VECTOR_UD); /* LOCK BT [RDX], EAX */
    check_fault(guest, run(guest, 0xf0, 0xa5), VECTOR_UD);             /* LOCK MOVSD */
    check_fault(guest, run(guest, 0xf0, 0xd1, 0x22), VECTOR_UD);       /* LOCK SHL [RDX], 1 */
}

static void check_not_done(struct guest *guest, enum emulate_result result,
                           enum emulate_result expected)
{
    assert_int_equal(result, expected);
    assert_memory_equal(&guest->state, &guest->before, sizeof(guest->state));
    assert_int_equal(guest->reads + guest->writes, 0);
}

static void check_unsupported(struct guest *guest, enum emulate_result result)
{
    check_not_done(guest, result, EMULATE_UNSUPPORTED);
}

static void test_unsupported(void **state)
{
    struct guest *guest = make_guest(CODE_64);

    check_unsupported(guest, run(guest, 0x0f, 0x58, 0x02));       /* ADDPS XMM0, [RDX] */
    check_unsupported(guest, run(guest, 0xc5, 0xfc, 0x58, 0x02)); /* VADDPS YMM0, YMM0, [RDX] */
    check_unsupported(guest, run(guest, 0xc5, 0xfe, 0x6f, 0xc2)); /* VMOVDQU YMM0, YMM2 */
    check_unsupported(guest, run(guest, 0x8b, 0xc2));             /* MOV EAX, EDX */
    check_unsupported(guest, run(guest, 0xd9, 0x02));             /* FLD DWORD [RDX] */
    check_unsupported(guest, run(guest, 0xdf, 0x3a));             /* FISTP QWORD [RDX] */
    check_unsupported(guest, run(guest, 0x0f, 0xae, 0x02));       /* FXSAVE [RDX] */
    check_unsupported(guest, run(guest, 0x0f, 0xae, 0x2a));       /* XRSTOR [RDX] */
    check_unsupported(guest, run(guest, 0x0f, 0xae, 0x32));       /* XSAVEOPT [RDX] */
    check_unsupported(guest, run(guest, 0x0f, 0xae, 0x12));       /* LDMXCSR [RDX] */
    check_unsupported(guest, run(guest, 0xf3, 0x0f, 0xae, 0x22)); /* PTWRITE [RDX] */
    check_unsupported(guest, run(guest, 0x48, 0xcf));             /* IRETQ */
    check_unsupported(guest, run(guest, 0x62, 0xf1, 0x7c, 0x48, 0x10, 0x02)); /* VMOVUPS ZMM0 */
    check_unsupported(guest, run(guest, 0x0f, 0x38, 0xf2, 0x02));             /* ANDN without VEX */
    check_unsupported(guest, run(guest, 0xc4, 0xe2, 0x81, 0xf2, 0x02));       /* ANDN with 66h */
    check_unsupported(guest, run(guest, 0x82, 0x02, 0x01)); /* not in 64-bit mode */
    guest->fetched = 0;
    check_not_done(guest, run(guest, 0x8b, 0x02), EMULATE_UNREADABLE);
    guest->fetched = 5; /* the code's page ends within the displacement */
    check_not_done(guest, run(guest, 0x8b, 0x82, 0x00, 0x00, 0x00, 0x00), EMULATE_UNREADABLE);
    guest->fetched = 6;
    assert_int_equal(run(guest, 0x8b, 0x82, 0x00, 0x00, 0x00, 0x00), EMULATE_DONE);
}

static void test_canonical(void **state)
{
    struct guest *guest = make_guest(CODE_64);
    uint64_t *gpr = guest->state.gpr;

    gpr[GPR_RDX] = gpr[GPR_RBP] = gpr[12] = gpr[13] = 0x800000000000;
    check_fault(guest, run(guest, 0x8b, 0x02), VECTOR_GP);             /* [RDX] */
    check_fault(guest, run(guest, 0x8b, 0x45, 0x00), VECTOR_SS);       /* [RBP] */
    check_fault(guest, run(guest, 0x3e, 0x8b, 0x45, 0x00), VECTOR_SS); /* DS: [RBP] */
    check_fault(guest, run(guest, 0x64, 0x8b, 0x45, 0x00), VECTOR_GP); /* FS: [RBP] */
    check_fault(guest, run(guest, 0x41, 0x8b, 0x04, 0x24), VECTOR_GP); /* [R12] */
    check_fault(guest, run(guest, 0x41, 0x8b, 0x45, 0x00), VECTOR_GP); /* [R13] */
    gpr[GPR_RDX] = 0x7ffffffffffc;
    assert_int_equal(run(guest, 0x8b, 0x02), EMULATE_DONE);
    guest->state.rip = CODE;
    check_fault(guest, run(guest, 0x48, 0x8b, 0x02), VECTOR_GP); /* the last four bytes */
    gpr[GPR_RDX] = 0xffff800000000000;
    assert_int_equal(run(guest, 0x48, 0x8b, 0x02), EMULATE_DONE);
    gpr[GPR_RSP] = 0xffff800000000000;
    guest->state.rip = CODE;
    check_fault(guest, run(guest, 0xff, 0x32), VECTOR_SS); /* PUSH [RDX] */
}

static void test_segment_base(void **state)
{
    struct guest *guest = make_guest(CODE_64);

    guest->state.segment[SEG_GS].base = 0xffff888000000000;
    guest->state.segment[SEG_DS].base = 0x123000; /* means nothing in 64-bit mode */
    assert_int_equal(run(guest, 0x65, 0x8b, 0x02), EMULATE_DONE);
    assert_int_equal(guest->last, 0xffff888000001200);
    guest->state.rip = CODE;
    assert_int_equal(run(guest, 0x8b, 0x02), EMULATE_DONE);
    assert_int_equal(guest->last, 0x1200);

    guest = make_guest(CODE_32);
    guest->state.segment[SEG_DS].base = 0xfffff000; /* addresses wrap at 4 GiB */
    assert_int_equal(run(guest, 0x8b, 0x02), EMULATE_DONE);
    assert_int_equal(guest->last, 0x200);
    guest->state.rip = 0x8000 - 2; /* CS's base counts too, and RIP ends at 32 bits */
    guest->state.segment[SEG_CS].base = 2;
    assert_int_equal(run(guest, 0x8b, 0x02), EMULATE_DONE);
    guest->state.rip = 0xffffffff;
    guest->state.segment[SEG_CS].base = CODE + 1;
    assert_int_equal(run(guest, 0x8b, 0x02), EMULATE_DONE);
    assert_int_equal(guest->state.rip, 1);
}

static void test_compatibility_mode(void **state)
{
    struct guest *guest = make_guest(CODE_32);

    guest->state.efer = BIT(10) | BIT(8);
    guest->state.gpr[GPR_RDX] = 0xabcd00001200;
    assert_int_equal(run(guest, 0x8b, 0x02), EMULATE_DONE);
    assert_int_equal(guest->last, 0x1200);
}

static void check_segment(uint16_t access, uint32_t limit, bool readable, bool writable)
{
    struct guest *guest = make_guest(CODE_32);

    guest->state.segment[SEG_FS] = (struct segment_state){0, limit, 8, access};
    if (readable)
        assert_int_equal(run(guest, 0x64, 0x8b, 0x02), EMULATE_DONE);
    else
        check_fault(guest, run(guest, 0x64, 0x8b, 0x02), VECTOR_GP);
    guest->state.rip = CODE;
    if (writable)
        assert_int_equal(run(guest, 0x64, 0x89, 0x02), EMULATE_DONE);
    else
        check_fault(guest, run(guest, 0x64, 0x89, 0x02), VECTOR_GP);
}

/* [EDX] is 4 bytes at 1200h. */
static void test_segment_checks(void **state)
{
    check_segment(DATA, 0x1203, true, true);
    check_segment(DATA, 0x1202, false, false);
    check_segment(0x4091, UINT32_MAX, true, false);                   /* read-only data */
    check_segment(0x409b, UINT32_MAX, true, false);                   /* readable code */
    check_segment(0x4099, UINT32_MAX, false, false);                  /* execute-only code */
    check_segment(DATA | SEGMENT_UNUSABLE, UINT32_MAX, false, false); /* the null selector */
    check_segment(0x4097, 0x11ff, true, true);                        /* expand-down */
    check_segment(0x4097, 0x1200, false, false);
    check_segment(0x409f, 0x1203, true, false); /* conforming code does not expand down */
}

static void test_expand_down_small(void **state)
{
    struct guest *guest = make_guest(CODE_32);

    /* Without the big bit an expand-down segment ends at FFFFh. */
    guest->state.segment[SEG_SS] = (struct segment_state){0, 0xfff, 8, 0x0097};
    guest->state.gpr[GPR_RBP] = 0xfffc;
    assert_int_equal(run(guest, 0x8b, 0x45, 0x00), EMULATE_DONE);
    guest->state.rip = CODE;
    guest->state.gpr[GPR_RBP] = 0xfffd;
    check_fault(guest, run(guest, 0x8b, 0x45, 0x00), VECTOR_SS);
}

static void test_real_mode(void **state)
{
    struct guest *guest = make_guest(CODE_16);

    guest->state.cr0 = 0;
    guest->state.segment[SEG_DS] = (struct segment_state){0x20, 0xffff, 2, 0x93};
    guest->state.segment[SEG_CS].limit = 0xffff;
    guest->state.gpr[GPR_RBX] = 0xabcdfffe;
    assert_int_equal(run(guest, 0x8b, 0x07), EMULATE_DONE); /* MOV AX, [BX] */
    assert_int_equal(guest->last, 0x1001e);
    guest->state.rip = CODE;
    check_fault(guest, run(guest, 0x66, 0x8b, 0x07), VECTOR_GP);  /* EAX: beyond the limit */
    assert_int_equal(run(guest, 0x8b, 0x47, 0x04), EMULATE_DONE); /* offsets wrap at 64 KiB */
    assert_int_equal(guest->last, 0x22);
    guest->state.rip = CODE;
    assert_int_equal(run(guest, 0x2e, 0x89, 0x47, 0x04), EMULATE_DONE); /* types do not count */
    guest->state.rip = CODE;
    guest->state.segment[SEG_DS].limit = UINT32_MAX;              /* "unreal" mode */
    assert_int_equal(run(guest, 0x67, 0x8b, 0x03), EMULATE_DONE); /* MOV AX, [EBX] */
    assert_int_equal(guest->last, 0xabce001e);
    guest->state.rip = CODE;
    guest->state.cr0 = BIT(0);
    guest->state.rflags |= BIT(17); /* virtual-8086 mode is like real mode */
    assert_int_equal(run(guest, 0x2e, 0x89, 0x47, 0x04), EMULATE_DONE);
}

static void test_page_faults(void **state)
{
    struct guest *guest = make_guest(CODE_64);

    guest->fault_at = 0x1203;
    guest->fault_on_read = true;
    check_fault(guest, run(guest, 0x03, 0x02), VECTOR_PF); /* ADD EAX, [RDX] */
    assert_int_equal(guest->fault.error_code, 0);
    assert_int_equal(guest->fault.cr2, 0x1203);
    check_fault(guest, run(guest, 0x01, 0x02), VECTOR_PF); /* ADD [RDX], EAX is a write at once */
    assert_int_equal(guest->fault.error_code, 2);
    check_fault(guest, run(guest, 0x8f, 0x02), VECTOR_PF); /* POP [RDX]: RSP stays */
    check_fault(guest, run(guest, 0xff, 0x32), VECTOR_PF); /* PUSH [RDX] */
    guest->fault_on_read = false;
    guest->reads = 0;
    check_fault(guest, run(guest, 0x01, 0x02), VECTOR_PF);
    check_fault(guest, run(guest, 0x87, 0x0a), VECTOR_PF);          /* XCHG [RDX], ECX */
    check_fault(guest, run(guest, 0x0f, 0xc1, 0x0a), VECTOR_PF);    /* XADD [RDX], ECX */
    check_fault(guest, run(guest, 0x0f, 0xb1, 0x0a), VECTOR_PF);    /* CMPXCHG [RDX], ECX */
    check_fault(guest, run(guest, 0x0f, 0xba, 0x2a, 3), VECTOR_PF); /* BTS [RDX], 3 */
    assert_int_equal(guest->writes, 0);
    assert_int_equal(guest->reads, 0); /* what a device gave away would be lost */
}

static void test_repeat_fault(void **state)
{
    struct guest *guest = make_guest(CODE_64);

    guest->state.gpr[GPR_RCX] = 10;
    guest->fault_at = guest->state.gpr[GPR_RDI] + 12;
    assert_int_equal(run(guest, 0xf3, 0xa5), EMULATE_FAULT); /* REP MOVSD: three are done */
    assert_int_equal(guest->writes, 3);
    assert_int_equal(guest->state.gpr[GPR_RCX], 7);
    assert_int_equal(guest->state.gpr[GPR_RSI], guest->before.gpr[GPR_RSI] + 12);
    assert_int_equal(guest->state.gpr[GPR_RDI], guest->before.gpr[GPR_RDI] + 12);
    assert_int_equal(guest->state.rip, CODE);
    assert_int_equal(guest->state.rflags, guest->before.rflags);
}

static void test_repeat_in_pieces(void **state)
{
    struct guest *guest = make_guest(CODE_64);
    unsigned calls = 0, before;

    guest->state.gpr[GPR_RCX] = 1000;
    guest->state.rflags |= RFLAGS_RF;
    do {
        before = guest->writes;
        assert_int_equal(run(guest, 0xf3, 0xaa), EMULATE_DONE); /* REP STOSB */
        assert_in_range(guest->writes - before, 1, 256);
        assert_int_equal(guest->writes + guest->state.gpr[GPR_RCX], 1000);
        /* RF keeps an instruction breakpoint from hitting between the pieces. */
        assert_int_equal(!!(guest->state.rflags & RFLAGS_RF), guest->state.rip == CODE);
        calls++;
    } while (guest->state.rip == CODE);
    assert_true(calls > 1);
    assert_int_equal(guest->state.gpr[GPR_RCX], 0);
    assert_int_equal(guest->state.rip, CODE + 2);
}

/* A count that ends just with a piece does not cost a call that does nothing. */
static void test_repeat_counts(void **state)
{
    for (uint64_t count = 0; count < 300; count++) {
        struct guest *guest = make_guest(CODE_64);
        uint64_t left = count;

        guest->state.gpr[GPR_RCX] = count;
        do {
            assert_int_equal(run(guest, 0xf3, 0xaa), EMULATE_DONE);
            assert_true(count == 0 || guest->state.gpr[GPR_RCX] < left);
            left = guest->state.gpr[GPR_RCX];
        } while (guest->state.rip == CODE);
        assert_int_equal(guest->writes, count);
    }
}

static void test_repeat_short_count(void **state)
{
    struct guest *guest = make_guest(CODE_64);

    guest->state.gpr[GPR_RCX] = 0xabcd00000003;
    assert_int_equal(run(guest, 0x67, 0xf3, 0xaa), EMULATE_DONE); /* ECX counts */
    assert_int_equal(guest->writes, 3);
    guest = make_guest(CODE_16);
    guest->state.gpr[GPR_RCX] = 0xabcd0003; /* CX counts */
    assert_int_equal(run(guest, 0xf3, 0xaa), EMULATE_DONE);
    assert_int_equal(guest->writes, 3);
    assert_int_equal(guest->state.gpr[GPR_RCX], 0xabcd0000);
}

static void test_stack_of_16_bit_code(void **state)
{
    struct guest *guest = make_guest(CODE_16);

    guest->state.segment[SEG_SS] = (struct segment_state){0, 0xffff, 8, 0x93};
    guest->state.gpr[GPR_RSP] = 0x50002;
    assert_int_equal(run(guest, 0x66, 0x67, 0xff, 0x32), EMULATE_FAULT); /* wraps within a push */
    assert_int_equal(guest->fault.vector, VECTOR_SS);
    assert_int_equal(run(guest, 0x67, 0xff, 0x32), EMULATE_DONE); /* PUSH WORD [EDX] */
    assert_int_equal(guest->state.gpr[GPR_RSP], 0x50000);
    guest->state.rip = CODE;
    assert_int_equal(run(guest, 0x67, 0x8f, 0x02), EMULATE_DONE); /* POP WORD [EDX] */
    assert_int_equal(guest->state.gpr[GPR_RSP], 0x50002);
    assert_int_equal(guest->last, 0x1200);
}

static void test_branches(void **state)
{
    struct guest *guest = make_guest(CODE_64);

    memcpy(guest->memory + 0x1200, &(uint64_t){0x123456789abc}, 8);
    assert_int_equal(run(guest, 0x66, 0xff, 0x22), EMULATE_DONE); /* JMP [RDX]: 8 bytes */
    assert_int_equal(guest->state.rip, 0x123456789abc);
    guest->state.rip = CODE;
    assert_int_equal(run(guest, 0xff, 0x12), EMULATE_DONE); /* CALL [RDX] */
    assert_int_equal(guest->state.rip, 0x123456789abc);
    assert_int_equal(guest->state.gpr[GPR_RSP], guest->before.gpr[GPR_RSP] - 8);
    assert_memory_equal(guest->memory + guest->state.gpr[GPR_RSP], &(uint64_t){CODE + 2}, 8);
    guest->memory[0x1207] = 1;
    guest->state.rip = CODE;
    check_fault(guest, run(guest, 0xff, 0x22), VECTOR_GP); /* not canonical */
    check_fault(guest, run(guest, 0xff, 0x12), VECTOR_GP);
    guest = make_guest(CODE_32);
    guest->state.segment[SEG_CS].limit = 0xffff;
    memcpy(guest->memory + 0x1200, &(uint32_t){0x10000}, 4);
    check_fault(guest, run(guest, 0xff, 0x22), VECTOR_GP); /* beyond the limit */
}

/* CALL, RET and POPF, which execute_test.c does not try. */
static void test_stack(void **state)
{
    struct guest *guest = make_guest(CODE_64);
    const uint64_t stack = guest->state.gpr[GPR_RSP];

    assert_int_equal(run(guest, 0xe8, 0x10, 0, 0, 0), EMULATE_DONE); /* CALL */
    assert_int_equal(guest->state.rip, CODE + 0x15);
    assert_memory_equal(guest->memory + stack - 8, &(uint64_t){CODE + 5}, 8);
    memcpy(guest->memory + CODE + 0x15, (uint8_t[]){0xc2, 0x10, 0xff}, 3); /* RET ff10h */
    assert_int_equal(emulate(&guest->state, guest, &guest->fault), EMULATE_DONE);
    assert_int_equal(guest->state.rip, CODE + 5);
    assert_int_equal(guest->state.gpr[GPR_RSP], stack + 0xff10);
    guest = make_guest(CODE_64);
    assert_int_equal(run(guest, 0xff, 0xd2), EMULATE_DONE); /* CALL RDX */
    assert_int_equal(guest->state.rip, 0x1200);
    guest = make_guest(CODE_64);
    memset(guest->memory + stack, 0x80, 8);
    check_fault(guest, run(guest, 0xc3), VECTOR_GP); /* not canonical */
    guest = make_guest(CODE_32);
    assert_int_equal(run(guest, 0x66, 0xe8, 0, 0x80), EMULATE_DONE); /* CALL, 16 bits */
    assert_int_equal(guest->state.rip, (CODE + 4 + 0x8000) & 0xffff);
}

/* By privilege level and IOPL. */
static void test_pop_flags(void **state)
{
    static const struct {
        unsigned privilege, iopl;
        uint64_t changed; /* of IF and IOPL */
    } rows[] = {{0, 0, 0x3200}, {1, 0, 0}, {1, 1, 0x200}, {3, 2, 0}, {3, 3, 0x200}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct guest *guest = make_guest(CODE_64);
        uint64_t iopl = rows[i].iopl << 12, popped = ~iopl & ~0x200ULL;

        guest->state.segment[SEG_SS].access = (uint16_t)(DATA | rows[i].privilege << 5);
        guest->state.rflags = 0x202 | iopl;
        memcpy(guest->memory + guest->state.gpr[GPR_RSP], &popped, 8);
        assert_int_equal(run(guest, 0x9d), EMULATE_DONE);
        assert_int_equal((guest->state.rflags ^ guest->before.rflags) & 0x3200, rows[i].changed);
        assert_int_equal(guest->state.rflags & ~0x3200ULL, 0x244dd7); /* not VM, RF, VIF and VIP */
        guest->state = guest->before;
        assert_int_equal(run(guest, 0x66, 0x9d), EMULATE_DONE); /* the low half only */
        assert_int_equal(guest->state.rflags & ~0x3200ULL, 0x4dd7);
        guest->state = guest->before;
        guest->state.rflags |= BIT(17);
        assert_int_equal(run(guest, 0x9d), rows[i].iopl == 3 ? EMULATE_DONE : EMULATE_UNSUPPORTED);
    }
}

static void test_status_word(void **state)
{
    struct guest *guest = make_guest(CODE_64);

    guest->memory[0x1202] = 0x77;
    assert_int_equal(run(guest, 0x48, 0x0f, 0x01, 0x22), EMULATE_DONE); /* SMSW [RDX]: 2 bytes */
    assert_memory_equal(guest->memory + 0x1200, &guest->state.cr0, 2);
    assert_int_equal(guest->memory[0x1202], 0x77);
}

static void test_divide_error(void **state)
{
    struct guest *guest = make_guest(CODE_64);

    assert_int_equal(run(guest, 0xf7, 0x32), EMULATE_FAULT); /* DIV [RDX]: by 0 */
    assert_int_equal(guest->fault.vector, VECTOR_DE);
    assert_false(guest->fault.has_error_code);
    assert_memory_equal(&guest->state, &guest->before, sizeof(guest->state));
}

static void test_compare_exchange_wide(void **state)
{
    struct guest *guest = make_guest(CODE_64);

    check_fault(guest, run(guest, 0x48, 0x0f, 0xc7, 0x4a, 8), VECTOR_GP); /* not on 16 bytes */
    assert_int_equal(guest->reads, 0);
    memcpy(guest->memory + 0x1200, &(uint64_t[]){1, 2}, 16);
    guest->state.gpr[GPR_RAX] = 1;
    assert_int_equal(run(guest, 0x48, 0x0f, 0xc7, 0x4a, 0), EMULATE_DONE); /* RDX is not 2 */
    assert_int_equal(guest->state.gpr[GPR_RDX], 2);
    assert_int_equal(guest->state.rflags & RFLAGS_ZF, 0);
    assert_int_equal(guest->writes, 2);
}

static void test_compare_exchange_always_writes(void **state)
{
    struct guest *guest = make_guest(CODE_64);

    guest->memory[0x1200] = 0x77;
    assert_int_equal(run(guest, 0x0f, 0xb1, 0x0a), EMULATE_DONE);
    assert_int_equal(guest->writes, 1);
    assert_int_equal(guest->memory[0x1200], 0x77);
    assert_int_equal(guest->state.gpr[GPR_RAX], 0x77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_length_and_lock),
        cmocka_unit_test(test_unsupported),
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_segment_base),
        cmocka_unit_test(test_compatibility_mode),
        cmocka_unit_test(test_segment_checks),
        cmocka_unit_test(test_expand_down_small),
        cmocka_unit_test(test_real_mode),
        cmocka_unit_test(test_page_faults),
        cmocka_unit_test(test_repeat_fault),
        cmocka_unit_test(test_repeat_in_pieces),
        cmocka_unit_test(test_repeat_counts),
        cmocka_unit_test(test_repeat_short_count),
        cmocka_unit_test(test_stack_of_16_bit_code),
        cmocka_unit_test(test_branches),
        cmocka_unit_test(test_stack),
        cmocka_unit_test(test_pop_flags),
        cmocka_unit_test(test_status_word),
        cmocka_unit_test(test_divide_error),
        cmocka_unit_test(test_compare_exchange_wide),
        cmocka_unit_test(test_compare_exchange_always_writes),
    };

    return cmocka_run_group_tests_name("emulate", tests, NULL, NULL);
}
