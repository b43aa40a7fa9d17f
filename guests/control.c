/* SPDX-License-Identifier: BSD-2-Clause */
/* Control and debug registers: what may change and what gives #GP(0) (R23, R28, R43, R46). */
#include "guests/lib/guest.h"

#define XCR0_TILE_CONFIG BIT(17)
#define XCR0_TILE_DATA   BIT(18)
#define XCR0_TILES       (XCR0_TILE_CONFIG | XCR0_TILE_DATA)
#define DR7_FIXED        BIT(10)
#define DR7_GD           BIT(13)
#define DR6_FIXED        0xffff0ff0
#define DR6_BD           BIT(13)
#define DR6_BS           BIT(14)

static void test_cr0_refused(void)
{
    uint64_t cr0 = read_cr0();
    bool all = true;

    is_trap(try_write_cr0((cr0 | CR0_NW) & ~CR0_CD), VECTOR_GP, 0, "CR0.NW without CD");
    is_trap(try_write_cr0(cr0 & ~1ULL), VECTOR_GP, 0, "CR0.PG without PE");
    is_trap(try_write_cr0(cr0 & ~CR0_PG), VECTOR_GP, 0, "clearing CR0.PG in 64-bit mode");
    for (unsigned bit = 32; bit < 64; bit++) {
        struct trap trap = try_write_cr0(cr0 | BIT(bit));
        all = trap.vector == VECTOR_GP && trap.error_code == 0 && all;
    }
    ok(all, "each bit of CR0's high half gives #GP(0)");
    is(read_cr0(), cr0, "CR0 is unchanged");
}

static void test_cr0_toggles(void)
{
    static const struct {
        uint64_t bits;
        const char *name;
    } toggles[] = {
        {CR0_MP, "MP"}, {CR0_EM, "EM"}, {CR0_TS, "TS"}, {CR0_NE, "NE"},
        {CR0_WP, "WP"}, {CR0_AM, "AM"}, {CR0_CD, "CD"}, {CR0_CD | CR0_NW, "CD with NW"},
    };
    uint64_t cr0 = read_cr0();

    for (unsigned i = 0; i < ARRAY_SIZE(toggles); i++) {
        write_cr0(cr0 ^ toggles[i].bits);
        is(read_cr0(), cr0 ^ toggles[i].bits, "CR0.%s can be toggled", toggles[i].name);
        write_cr0(cr0);
        is(read_cr0(), cr0, "CR0.%s can be toggled back", toggles[i].name);
    }
    write_cr0(cr0 & ~BIT(4));
    is(read_cr0(), cr0, "CR0.ET is always 1");
}

static void test_machine_status_word(void)
{
    uint64_t cr0 = read_cr0(), word;

    __asm__ volatile("smsw %0" : "=r"(word));
    is(word & 0xffff, cr0 & 0xffff, "SMSW reads CR0");
    __asm__ volatile("lmsw %w0" : : "r"(0x0e)); /* TS, EM, MP; PE cannot be cleared this way */
    is(read_cr0(), cr0 | CR0_TS | CR0_EM | CR0_MP, "LMSW sets TS, EM and MP and does not clear PE");
    clts();
    is(read_cr0(), (cr0 | CR0_EM | CR0_MP) & ~CR0_TS, "CLTS clears TS");
    write_cr0(cr0);
}

/* CR4's bits and the CPUID bit that each depends on; leaf 0: always there. */
static const struct cr4_bit {
    uint8_t bit, leaf, subleaf, reg, feature;
} cr4_bits[] = {
    {0, 1, 0, 3, 1},   {1, 1, 0, 3, 1},  {2, 1, 0, 3, 4},   {3, 1, 0, 3, 2},   {4, 1, 0, 3, 3},
    {6, 1, 0, 3, 7},   {7, 1, 0, 3, 13}, {8, 0, 0, 0, 0},   {9, 1, 0, 3, 24},  {10, 1, 0, 3, 25},
    {11, 7, 0, 2, 2},  {13, 1, 0, 2, 5}, {14, 1, 0, 2, 6},  {16, 7, 0, 1, 0},  {17, 1, 0, 2, 17},
    {18, 1, 0, 2, 26}, {20, 7, 0, 1, 7}, {21, 7, 0, 1, 20}, {22, 7, 0, 2, 3},  {24, 7, 0, 2, 31},
    {25, 7, 0, 3, 5},  {27, 7, 1, 0, 6}, {28, 7, 1, 0, 26}, {32, 7, 1, 0, 17},
};

#define CR4_BIT_LASS 27 /* this kernel's code is where only a user's may be then */

static bool has_feature(const struct cr4_bit *b)
{
    struct cpuid_result r = cpuid(b->leaf, b->subleaf);
    uint32_t regs[4] = {r.eax, r.ebx, r.ecx, r.edx};

    return b->leaf == 0 || (regs[b->reg] >> b->feature & 1);
}

static const struct cr4_bit *find_cr4_bit(unsigned bit)
{
    for (unsigned i = 0; i < ARRAY_SIZE(cr4_bits); i++)
        if (cr4_bits[i].bit == bit)
            return &cr4_bits[i];
    return NULL;
}

/* R28: a bit of CR4 can be set exactly when CPUID tells of its feature. */
static void test_cr4(void)
{
    uint64_t cr4 = read_cr4();

    for (unsigned bit = 0; bit < 64; bit++) {
        const struct cr4_bit *b = find_cr4_bit(bit);
        bool allowed = b != NULL && has_feature(b);
        struct trap trap;
        uint64_t value;

        if (bit == 5 || bit == 12 || bit == 23 || (bit == CR4_BIT_LASS && allowed))
            continue;
        trap = try_write_cr4(cr4 | BIT(bit));
        value = read_cr4();
        write_cr4(cr4);
        if (allowed)
            ok(trap.vector == NO_TRAP && value == (cr4 | BIT(bit)), "CR4 bit %u follows CPUID",
               bit);
        else
            ok(trap.vector == VECTOR_GP && trap.error_code == 0 && value == cr4,
               "CR4 bit %u follows CPUID", bit);
    }
    is_trap(try_write_cr4(cr4 & ~CR4_PAE), VECTOR_GP, 0, "clearing CR4.PAE in long mode");
    is_trap(try_write_cr4(cr4 | BIT(12)), VECTOR_GP, 0, "changing CR4.LA57 in long mode");
    is(read_cr4(), cr4, "CR4 is unchanged");
}

static void test_cr3(void)
{
    uint64_t cr3 = read_cr3();
    unsigned width = cpuid(0x80000008, 0).eax & 0xff;
    bool all = true;

    for (unsigned bit = width; bit < 64; bit++) {
        struct trap trap = try_write_cr3(cr3 | BIT(bit));
        all = trap.vector == VECTOR_GP && trap.error_code == 0 && all;
    }
    ok(all, "each bit of CR3 beyond the physical width gives #GP(0)");
    write_cr3(cr3 | 0x18);
    is(read_cr3(), cr3 | 0x18, "PWT and PCD of CR3 read back");
    write_cr3(cr3);
}

static void test_cr8(void)
{
    apic_write(APIC_TPR, 0);
    is_trap(try_write_cr8(16), VECTOR_GP, 0, "CR8 above 15");
    write_cr8(9);
    is(read_cr8(), 9, "CR8 reads back");
    is(apic_read(APIC_TPR), 0x90, "CR8 is the TPR's upper half");
    apic_write(APIC_TPR, 0x5f);
    is(read_cr8(), 5, "the TPR's upper half is CR8");
    write_cr8(0);
    is(apic_read(APIC_TPR), 0, "writing CR8 clears the TPR's lower half");
}

static uint64_t xgetbv(uint32_t index)
{
    uint32_t low, high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index));
    return (uint64_t)high << 32 | low;
}

static void test_xcr0(void)
{
    uint64_t cr4 = read_cr4(), supported = cpuid(0xd, 0).eax;

    is_trap(try_xsetbv(0, XCR0_X87), VECTOR_UD, 0, "XSETBV without CR4.OSXSAVE");
    write_cr4(cr4 | CR4_OSXSAVE);
    is_trap(try_xsetbv(1, XCR0_X87), VECTOR_GP, 0, "XSETBV of XCR1");
    is_trap(try_xsetbv(0, 0), VECTOR_GP, 0, "XCR0 without x87");
    is_trap(try_xsetbv(0, XCR0_SSE), VECTOR_GP, 0, "XCR0 with SSE and without x87");
    is_trap(try_xsetbv(0, XCR0_X87 | XCR0_AVX), VECTOR_GP, 0, "XCR0 with AVX and without SSE");
    is_trap(try_xsetbv(0, XCR0_X87 | BIT(63)), VECTOR_GP, 0, "XCR0 with bit 63");
    is_trap(try_xsetbv(0, XCR0_X87 | ~supported), VECTOR_GP, 0, "XCR0 with all that is missing");
    is_no_trap(try_xsetbv(0, XCR0_X87), "XCR0 with x87");
    is(xgetbv(0), XCR0_X87, "XGETBV shows x87");
    is_no_trap(try_xsetbv(0, XCR0_X87 | XCR0_SSE), "XCR0 with SSE");
    is_no_trap(try_xsetbv(0, supported), "XCR0 with all that CPUID offers");
    is(xgetbv(0), supported, "XGETBV shows all that CPUID offers");
    write_cr4(cr4);
}

/* AMX: XCR0 has its two bits or none, and where it has none, by whomever it is so, each of its
 * instructions is #UD (SDM volume 1, "Programming with Intel AMX"). */
static void test_tiles(void)
{
    static const uint8_t no_tiles[64] __attribute__((aligned(64)));
    uint64_t cr4 = read_cr4(), supported = cpuid(0xd, 0).eax;
    uint64_t others = supported & ~XCR0_TILES;
    bool offered = supported & XCR0_TILES;

    write_cr4(cr4 | CR4_OSXSAVE);
    is_trap(try_xsetbv(0, others | XCR0_TILE_CONFIG), VECTOR_GP, 0, "XCR0 with TILECFG alone");
    is_trap(try_xsetbv(0, others | XCR0_TILE_DATA), VECTOR_GP, 0, "XCR0 with TILEDATA alone");
    is(try_xsetbv(0, others | XCR0_TILES).vector, offered ? NO_TRAP : VECTOR_GP,
       "XCR0 has the tiles where CPUID offers them");
    is(cpuid(7, 0).edx >> 24 & 1, offered, "so does leaf 7");
    is_no_trap(try_xsetbv(0, others), "XCR0 without tiles");
    is_trap(TRY_ASM(".byte 0xc4, 0xe2, 0x78, 0x49, 0x00", : "a"(no_tiles)), VECTOR_UD, 0,
            "LDTILECFG then");
    is_trap(TRY_ASM(".byte 0xc4, 0xe2, 0x78, 0x49, 0xc0", :), VECTOR_UD, 0, "TILERELEASE then");
    is_trap(TRY_ASM(".byte 0xc4, 0xe2, 0x7b, 0x49, 0xc0", :), VECTOR_UD, 0, "TILEZERO then");
    is_trap(TRY_ASM(".byte 0xc4, 0xe2, 0x6b, 0x5e, 0xc1", :), VECTOR_UD, 0, "TDPBSSD then");
    write_cr4(cr4);
}

static uint64_t debug_rip, debug_dr6;

static void on_debug(struct interrupt_frame *frame)
{
    debug_rip = frame->rip;
    debug_dr6 = read_dr6();
    write_dr7(DR7_FIXED);
}

static void test_debug_registers(void)
{
    uint64_t cr4 = read_cr4(), value;

    is_trap(try_write_dr7(BIT(32)), VECTOR_GP, 0, "DR7's high half");
    is_trap(try_write_dr6(BIT(32)), VECTOR_GP, 0, "DR6's high half");
    write_dr6(0);
    is(read_dr6(), DR6_FIXED, "DR6's fixed bits read as 1");
    write_dr7(0);
    is(read_dr7(), DR7_FIXED, "DR7's bit 10 reads as 1");
    __asm__ volatile("movq %%dr5, %0" : "=r"(value));
    is(value, DR7_FIXED, "DR5 is DR7 while CR4.DE is clear");
    write_cr4(cr4 | CR4_DE);
    is_trap(TRY_ASM("movq %%dr5, %0", "=r"(value) :), VECTOR_UD, 0, "DR5 with CR4.DE");
    write_cr4(cr4);
    write_dr0(0x123456789abcdef0);
    for (unsigned i = 0; i < 10; i++)
        outb(UART_SCR, (uint8_t)cpuid(0, 0).eax);
    is(read_dr0(), 0x123456789abcdef0, "DR0 stays over exits");
    write_dr0(0);
}

static void test_general_detect(void)
{
    uint64_t here, value;

    interrupt_handle(VECTOR_DB, on_debug);
    write_dr6(0);
    write_dr7(DR7_FIXED | DR7_GD);
    __asm__ volatile("leaq 1f(%%rip), %0\n1: movq %%dr0, %1" : "=&r"(here), "=&r"(value));
    is(debug_rip, here, "general detect faults at the MOV from a debug register");
    is(debug_dr6 & (DR6_BD | DR6_BS | 0xf), DR6_BD, "general detect sets DR6.BD");
    interrupt_handle(VECTOR_DB, NULL);
    write_dr6(0);
}

static void test_caches(void)
{
    is_no_trap(TRY_ASM("wbinvd", :), "WBINVD");
    if (has_hypervisor())
        is_no_trap(TRY_ASM("invd", :), "INVD");
    else
        skip("it would lose what the caches hold", "INVD"); /* R38 */
}

void guest_main(void)
{
    test_cr0_refused();
    test_cr0_toggles();
    test_machine_status_word();
    test_cr4();
    test_cr3();
    apic_enable(APIC_MEMORY);
    test_cr8();
    if (has_xsave()) {
        test_xcr0();
        test_tiles();
    }
    test_debug_registers();
    test_general_detect();
    test_caches();
}
