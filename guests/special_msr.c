/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RDMSR and WRMSR to the last bit (R27, R29-R31, R34): every MSR number that the bitmap reaches and
 * a sample of the others, every bit of EFER, STAR and FMASK, and where canonical addresses end.
 */
#include "guests/lib/guest.h"

#define BITMAP_SIZE 0x2000
#define HIGH_HALF   0xc0000000
#define SAMPLES     4096
#define KVM_CLOCK   0x4b564d00         /* and the next one */
#define CANONICAL   0x00007fffffffffff /* the last of the lower half */

static const uint32_t syscall_msrs[] = {
    MSR_IA32_LSTAR,        MSR_IA32_CSTAR,   MSR_IA32_KERNEL_GS_BASE, MSR_IA32_SYSENTER_ESP,
    MSR_IA32_SYSENTER_EIP, MSR_IA32_FS_BASE, MSR_IA32_GS_BASE};
static const char *const syscall_msr_names[] = {
    "LSTAR", "CSTAR", "KERNEL_GS_BASE", "SYSENTER_ESP", "SYSENTER_EIP", "FS_BASE", "GS_BASE"};

static uint64_t random_state = 1;

static uint32_t random(void)
{
    random_state = random_state * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)(random_state >> 32);
}

static bool is_gp(struct trap trap)
{
    return trap.vector == VECTOR_GP && trap.error_code == 0;
}

/* RDMSR gives a value, or #GP(0) with EDX:EAX as they were. */
static bool reads_or_keeps(uint32_t index)
{
    uint64_t before = (uint64_t)random() << 32 | random(), value = before;
    struct trap trap = try_rdmsr(index, &value);

    if (trap.vector == NO_TRAP || (is_gp(trap) && value == before))
        return true;
    diag("MSR 0x%x: vector %d, EDX:EAX 0x%lx became 0x%lx", index, (int)trap.vector, before, value);
    return false;
}

static bool is_unknown(uint32_t index)
{
    uint64_t before = (uint64_t)random() << 32 | random(), value = before;

    if (is_gp(try_rdmsr(index, &value)) && value == before && is_gp(try_wrmsr(index, before)))
        return true;
    diag("MSR 0x%x is known", index);
    return false;
}

static bool reads_zero(uint32_t index)
{
    uint64_t value = random();

    return try_rdmsr(index, &value).vector == NO_TRAP && value == 0;
}

static void test_bitmap_ranges(void)
{
    bool low = true, high = true;

    for (uint32_t i = 0; i < BITMAP_SIZE; i++) {
        low = reads_or_keeps(i) && low;
        high = reads_or_keeps(HIGH_HALF + i) && high;
    }
    ok(low, "RDMSR of 0 to 1fffh: a value, or #GP(0) with EDX:EAX unchanged");
    ok(high, "RDMSR of c0000000h to c0001fffh: a value, or #GP(0) with EDX:EAX unchanged");
}

/* The edges of the bitmap's halves, of the ranges that hypervisors use, and of the signs. */
static void test_edges(void)
{
    static const uint32_t edges[] = {
        0x2000,        0x3fffffff,    0x40000000, 0x400000ff, 0x40000100,
        KVM_CLOCK - 1, KVM_CLOCK + 2, 0x7fffffff, 0x80000000, 0xbfffffff,
        0xc0001fff,    0xc0002000,    0xc0010000, 0xfffffffe, 0xffffffff,
    };

    for (unsigned i = 0; i < ARRAY_SIZE(edges); i++)
        ok(is_unknown(edges[i]), "MSR %xh is unknown", edges[i]);
    if (has_hypervisor())
        ok(reads_zero(0) && reads_zero(1) && is_gp(try_wrmsr(0, 1)) && is_gp(try_wrmsr(1, 1)),
           "MSRs 0 and 1, the Pentium's machine check, tell of none");
    else
        skip("the bare machine's are its own", "MSRs 0 and 1");
}

static void test_samples(void)
{
    bool all = true;

    for (unsigned i = 0; i < SAMPLES; i++) {
        uint32_t index = random();
        if (index >= BITMAP_SIZE && index - HIGH_HALF >= BITMAP_SIZE && (index & ~1U) != KVM_CLOCK)
            all = is_unknown(index) && all;
    }
    ok(all, "MSRs beyond the bitmap are unknown");
}

static void test_canonical(uint32_t index, const char *name)
{
    static const uint64_t good[] = {0, CANONICAL, ~CANONICAL, ~0ULL, 0xffff800000000001};
    uint64_t old = rdmsr(index);
    bool taken = true, refused = true;

    for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
        wrmsr(index, good[i]);
        taken = rdmsr(index) == good[i] && taken;
    }
    for (unsigned bit = 47; bit < 64; bit++)
        for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
            struct trap trap = try_wrmsr(index, good[i] ^ BIT(bit));
            refused = is_gp(trap) && rdmsr(index) == good[ARRAY_SIZE(good) - 1] && refused;
        }
    ok(taken, "%s takes the ends of both canonical halves", name);
    ok(refused, "%s: any one of bits 47 to 63 that differs gives #GP(0), and no change", name);
    wrmsr(index, old);
}

static void test_each_bit(uint32_t index, unsigned from, unsigned to, bool allowed,
                          const char *name)
{
    uint64_t old = rdmsr(index);
    bool all = true;

    for (unsigned bit = from; bit <= to; bit++) {
        struct trap trap = try_wrmsr(index, BIT(bit));
        all = (allowed ? trap.vector == NO_TRAP && rdmsr(index) == BIT(bit)
                       : is_gp(trap) && rdmsr(index) == old) &&
              all;
        wrmsr(index, old);
    }
    ok(all, "%s, bits %u to %u: each %s", name, from, to, allowed ? "reads back" : "gives #GP(0)");
}

static void test_reserved_halves(void)
{
    test_each_bit(MSR_IA32_STAR, 0, 63, true, "STAR");
    test_each_bit(MSR_IA32_FMASK, 0, 31, true, "FMASK");
    test_each_bit(MSR_IA32_SYSENTER_CS, 0, 31, true, "SYSENTER_CS");
    if (has_hypervisor())
        test_each_bit(MSR_IA32_FMASK, 32, 63, false, "FMASK");
    else
        skip("Bochs cuts it", "FMASK's high half");
    if (!(cpuid(0x80000001, 0).edx >> 27 & 1)) {
        skip("no RDTSCP", "TSC_AUX");
        return;
    }
    test_each_bit(MSR_IA32_TSC_AUX, 0, 31, true, "TSC_AUX");
    if (has_hypervisor())
        test_each_bit(MSR_IA32_TSC_AUX, 32, 63, false, "TSC_AUX");
    else
        skip("Bochs cuts it", "TSC_AUX's high half");
}

static void flush_tlb(void)
{
    write_cr3(read_cr3());
}

static uint64_t fetch_error;

/* As if the function that cannot be fetched had returned. */
static void on_fetch_fault(struct interrupt_frame *frame)
{
    fetch_error = frame->error_code;
    frame->rip = *(const uint64_t *)frame->rsp;
    frame->rsp += 8;
}

/* Calls a function; the error code of the page fault that this gives, or 0. */
static uint64_t fetch(uint64_t at)
{
    fetch_error = 0;
    interrupt_handle(VECTOR_PF, on_fetch_fault);
    ((void (*)(void))at)();
    interrupt_handle(VECTOR_PF, NULL);
    return fetch_error;
}

/* A page that may not be executed: with NXE a fetch faults, without it bit 63 is reserved. */
static void test_nxe(void)
{
    uint64_t efer = rdmsr(MSR_IA32_EFER), at = MAP_BASE;
    uint8_t *page = page_alloc();
    uint32_t value = 0;

    page[0] = 0xc3; /* RET */
    map_page(at, (uintptr_t)page, PAGE_NO_EXECUTE);
    for (unsigned round = 0; round < 3; round++) {
        wrmsr(MSR_IA32_EFER, efer | EFER_NXE);
        flush_tlb();
        is_no_trap(try_load((void *)at, &value), "NXE on: the page can be read");
        is(value, 0xc3, "NXE on: and it has its contents");
        is(fetch(at), 0x11, "NXE on: a fetch from it is refused");
        wrmsr(MSR_IA32_EFER, efer & ~EFER_NXE);
        flush_tlb();
        is_trap(try_load((void *)at, &value), VECTOR_PF, 9, "NXE off: bit 63 is reserved");
        is(fetch(at), 9, "NXE off: and for a fetch likewise");
        is(rdmsr(MSR_IA32_EFER), efer & ~EFER_NXE, "NXE off: EFER reads so");
    }
    wrmsr(MSR_IA32_EFER, efer);
    map_page(at, 0, 0);
}

static void test_efer(void)
{
    uint64_t efer = rdmsr(MSR_IA32_EFER);
    bool toggles = true;

    for (unsigned bits = 0; bits < 16; bits++) {
        uint64_t value = EFER_LME | (bits & 1 ? EFER_SCE : 0) | (bits & 2 ? EFER_NXE : 0) |
                         (bits & 4 ? EFER_LMA : 0);
        wrmsr(MSR_IA32_EFER, value);
        outb(UART_SCR, (uint8_t)bits);
        toggles = rdmsr(MSR_IA32_EFER) == (value | EFER_LMA) && toggles;
    }
    ok(toggles, "SCE and NXE can be set and cleared in each order, and LMA stays");
    ok(is_gp(try_wrmsr(MSR_IA32_EFER, EFER_SCE | EFER_NXE)),
       "clearing LME with paging on gives #GP(0)");
    ok(is_gp(try_wrmsr(MSR_IA32_EFER, 0)), "clearing all of EFER gives #GP(0)");
    for (unsigned bit = 32; bit < 64; bit++)
        toggles = is_gp(try_wrmsr(MSR_IA32_EFER, efer | BIT(bit))) && toggles;
    ok(toggles, "each bit of EFER's high half gives #GP(0)");
    wrmsr(MSR_IA32_EFER, efer & ~EFER_SCE);
    is_trap(TRY_ASM("syscall", :), VECTOR_UD, 0, "SYSCALL without SCE is undefined");
    is_trap(TRY_ASM("sysretq", :), VECTOR_UD, 0, "SYSRET without SCE is undefined");
    wrmsr(MSR_IA32_EFER, efer);
}

void guest_main(void)
{
    test_bitmap_ranges();
    test_edges();
    test_samples();
    for (unsigned i = 0; i < ARRAY_SIZE(syscall_msrs); i++)
        test_canonical(syscall_msrs[i], syscall_msr_names[i]);
    test_reserved_halves();
    test_efer();
    test_nxe();
}
