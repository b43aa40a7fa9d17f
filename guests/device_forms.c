/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions of device_forms.def on device memory where nothing is, and on RAM of ones, which
 * reads like it: registers and flags must be the same afterwards.
 */
#include "guests/lib/guest.h"
#include "lib/string.h"

#define UNCLAIMED 0xd0000000ULL

#define CF     BIT(0)
#define PF     BIT(2)
#define AF     BIT(4)
#define ZF     BIT(6)
#define SF     BIT(7)
#define OF     BIT(11)
#define STATUS (CF | PF | AF | ZF | SF | OF)

#define CPUID_1_ECX_AVX BIT(28)
#define CPUID_7_EBX_BMI (BIT(3) | BIT(8))

struct outcome {
    uint64_t rax, rbx, rcx, rdx, advance, rflags;
    uint8_t vectors[512] __attribute__((aligned(16))); /* as FXSAVE gives them */
    uint64_t ymm1[4], ymm9[4];
};

/* Each is a function: the instruction and a RET. */
#define FORM(name, text, undefined)                                                                \
    __asm__(".pushsection .text\nform_" #name ": " text "\nret\n.popsection");                     \
    extern const uint8_t form_##name[];
#define FORM_AVX(name, text)            FORM(name, text, 0)
#define FORM_BMI(name, text, undefined) FORM(name, text, undefined)
#include "guests/device_forms.def"

static const struct form {
    const char *text;
    const uint8_t *code;
    uint64_t undefined;
    enum need { NEEDS_NOTHING, NEEDS_AVX, NEEDS_BMI, NEED_COUNT } need;
} forms[] = {
#define FORM(name, text, undefined)     {text, form_##name, undefined, NEEDS_NOTHING},
#define FORM_AVX(name, text)            {text, form_##name, 0, NEEDS_AVX},
#define FORM_BMI(name, text, undefined) {text, form_##name, undefined, NEEDS_BMI},
#include "guests/device_forms.def"
};

static bool has[NEED_COUNT] = {[NEEDS_NOTHING] = true};

/* MMX is used up at the start: its registers are what x87 has in them. */
static void load_vectors(void)
{
    static const uint64_t values[8] = {0x0706050403020100, 0x1716151413121110, 0x2726252423222120,
                                       0x3736353433323130, 0x4746454443424140, 0x5756555453525150,
                                       0x6766656463626160, 0x7776757473727170};

    __asm__ volatile("fninit; movups %0, %%xmm1; movups %1, %%xmm9; movq %0, %%mm1"
                     :
                     : "m"(values[0]), "m"(values[4]));
    if (has[NEEDS_AVX])
        __asm__ volatile("vmovups %0, %%ymm1; vmovups %1, %%ymm9"
                         :
                         : "m"(*(const struct { uint64_t w[4]; } *)&values[0]),
                           "m"(*(const struct { uint64_t w[4]; } *)&values[4]));
}

static void save_vectors(struct outcome *o)
{
    __asm__ volatile("fxsave64 %0" : "=m"(o->vectors));
    if (has[NEEDS_AVX])
        __asm__ volatile("vmovups %%ymm1, %0; vmovups %%ymm9, %1" : "=m"(o->ymm1), "=m"(o->ymm9));
}

static void run(const struct form *form, uint64_t address, struct outcome *o)
{
    uint64_t rdi = address, rflags = 0x2 | CF | SF;

    memset(o, 0, sizeof(*o));
    load_vectors();
    o->rax = 0x1122334455667788;
    o->rbx = 0x99aabbccddeeff00;
    o->rcx = 0x0123456789abcd05;
    o->rdx = 7;
    __asm__ volatile("pushq %[flags]; popfq; call *%[code]; pushfq; popq %[flags]; cld"
                     : "+a"(o->rax), "+b"(o->rbx), "+c"(o->rcx), "+d"(o->rdx),
                       "+D"(rdi), [flags] "+r"(rflags)
                     : [code] "r"(form->code)
                     : "memory", "cc");
    save_vectors(o);
    o->advance = rdi - address;
    o->rflags = rflags & STATUS & ~form->undefined;
}

static void compare(const struct form *form, uint8_t *page)
{
    static struct outcome device, ram;
    uint64_t other = ~0ULL;

    memset(page, 0xff, 512);
    run(form, (uintptr_t)page, &ram);
    run(form, UNCLAIMED, &device);
    if (!ok(memcmp(&ram, &device, sizeof(ram)) == 0, "%s", form->text)) {
        diag("RAM: rax %lx rbx %lx rcx %lx rdx %lx rflags %lx", ram.rax, ram.rbx, ram.rcx, ram.rdx,
             ram.rflags);
        diag("device: rax %lx rbx %lx rcx %lx rdx %lx rflags %lx", device.rax, device.rbx,
             device.rcx, device.rdx, device.rflags);
    }
    if (*(volatile uint64_t *)UNCLAIMED != other)
        ok(false, "%s: the device keeps nothing", form->text);
}

static void enable_vectors(void)
{
    write_cr0(read_cr0() & ~(CR0_EM | CR0_TS));
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
    has[NEEDS_AVX] = cpuid(1, 0).ecx & CPUID_1_ECX_AVX;
    has[NEEDS_BMI] = has[NEEDS_AVX] && (cpuid(7, 0).ebx & CPUID_7_EBX_BMI) == CPUID_7_EBX_BMI;
    if (has[NEEDS_AVX]) {
        write_cr4(read_cr4() | CR4_OSXSAVE);
        __asm__ volatile("xsetbv" : : "a"(XCR0_X87 | XCR0_SSE | XCR0_AVX), "c"(0), "d"(0));
    }
}

#define IOAPIC 0xfec00000ULL

/* What a device gets: the IOAPIC's index register gives it back. */
#define STORES(value, load, store, text)                                                           \
    do {                                                                                           \
        uint32_t v = value;                                                                        \
        __asm__ volatile(load "; " store : : "r"(v), "r"(IOAPIC) : "memory");                      \
        is(*(volatile uint32_t *)IOAPIC, value, text " stores the register");                      \
    } while (0)

static void test_stores(void)
{
    STORES(1, "movd %0, %%mm6", "movd %%mm6, (%1)", "MOVD of MMX");
    STORES(2, "movd %0, %%xmm11", "movd %%xmm11, (%1)", "MOVD of SSE");
    STORES(0, "movd %0, %%xmm0", "movss %%xmm0, (%1)", "MOVSS");
}

void guest_main(void)
{
    uint8_t *page = page_alloc();

    enable_vectors();
    for (unsigned i = 0; i < ARRAY_SIZE(forms); i++)
        if (!has[forms[i].need])
            skip("the processor lacks it", "%s", forms[i].text);
        else
            compare(&forms[i], page);
    test_stores();
}
