/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Protection keys: PKRU for user pages, IA32_PKRS for supervisor pages (SDM volume 3, "Protection
 * Keys"), for what the CPU does by itself and for an instruction that reads a device first, which a
 * hypervisor goes on with.
 */
#include "guests/lib/guest.h"

#define KEY           5U
#define PAGE_KEY      ((uint64_t)KEY << 59)
#define MSR_IA32_PKRS 0x6e1
#define DEVICE        0xd0000000ULL
#define XSTATE_PKRU   9
#define ERROR_READ    0x21 /* present, by a key */
#define READ_ONLY     2U
#define NOTHING       1U

#define AT(address) (*(volatile uint32_t *)(address))

static void write_pkru(uint32_t value)
{
    __asm__ volatile("wrpkru" : : "a"(value), "c"(0), "d"(0) : "memory");
}

static struct trap try_rdpkru(uint32_t *value)
{
    uint32_t high;

    return TRY_ASM("rdpkru", "=a"(*value), "=d"(high) : "c"(0));
}

static uint32_t read_pkru(void)
{
    uint32_t value = 0;

    try_rdpkru(&value);
    return value;
}

static void write_pkrs(uint32_t value)
{
    wrmsr(MSR_IA32_PKRS, value);
}

/* Both read from the device, then from or to the page. */
static struct trap try_compare(void)
{
    uint64_t source = DEVICE, target = MAP_BASE;

    return TRY_ASM("cmpsl", "+S"(source), "+D"(target) :);
}

static struct trap try_copy(void)
{
    uint64_t source = DEVICE, target = MAP_BASE;

    return TRY_ASM("movsl", "+S"(source), "+D"(target) :);
}

static void faults(struct trap trap, uint32_t error, const char *name, const char *what)
{
    if (!ok(trap.vector == VECTOR_PF && trap.error_code == error && trap.cr2 == MAP_BASE, "%s: %s",
            name, what))
        diag("vector %u, error code 0x%x, CR2 0x%lx", trap.vector, trap.error_code, trap.cr2);
}

/* A page with a key, its register, and the control bit that is on. Bochs asks PKRU for no access
 * disable where a supervisor reaches a user page (docs/emulator.md): of that, the CPU's part and
 * the bare machine's are skipped. */
static void test_closed(const char *name, void (*set)(uint32_t value), bool user)
{
    uint32_t value = 0;

    set(NOTHING << 2 * KEY);
    if (user)
        skip("Bochs", "%s: what is closed cannot be read", name);
    else
        faults(try_load((void *)MAP_BASE, &value), ERROR_READ, name,
               "what is closed cannot be read");
    if (user && !has_hypervisor()) {
        skip("Bochs", "%s: nor behind a device's read", name);
        skip("Bochs", "%s: nor written there", name);
    } else {
        faults(try_compare(), ERROR_READ, name, "nor behind a device's read");
        faults(try_copy(), ERROR_READ | 2, name, "nor written there");
    }
    set(0);
}

static void test_rights(const char *name, void (*set)(uint32_t value), bool user)
{
    uint64_t cr0 = read_cr0();
    uint32_t value = 0;

    map_page(MAP_BASE, (uintptr_t)page_alloc(), PAGE_WRITE | PAGE_KEY | (user ? PAGE_USER : 0));
    set(NOTHING << 2 * (KEY - 1) | NOTHING << 2 * (KEY + 1));
    is_no_trap(try_store((void *)MAP_BASE, 1), "%s: other keys do not matter to a write", name);
    is_no_trap(try_copy(), "%s: nor to one behind a device's read", name);
    set(READ_ONLY << 2 * KEY);
    is_no_trap(try_load((void *)MAP_BASE, &value), "%s: what is read-only can be read", name);
    is_no_trap(try_compare(), "%s: and behind a device's read", name);
    faults(try_store((void *)MAP_BASE, 1), ERROR_READ | 2, name, "it cannot be written");
    faults(try_copy(), ERROR_READ | 2, name, "nor behind a device's read");
    write_cr0(cr0 & ~CR0_WP);
    is_no_trap(try_store((void *)MAP_BASE, 2), "%s: but without CR0.WP it can", name);
    is_no_trap(try_copy(), "%s: and behind a device's read", name);
    write_cr0(cr0);
    test_closed(name, set, user);
}

/* A page that obeys no register. */
static void test_off(const char *name, uint64_t page)
{
    map_page(MAP_BASE, (uintptr_t)page_alloc(), PAGE_WRITE | PAGE_KEY | page);
    is_no_trap(try_copy(), "%s", name);
    is_no_trap(try_store((void *)MAP_BASE, 1), "%s, by the CPU itself", name);
}

static void test_pkru(void)
{
    uint64_t cr4 = read_cr4();
    uint32_t value = 0;

    is(cpuid(7, 0).ecx >> 4 & 1, 0, "OSPKE is clear while CR4.PKE is");
    is(try_rdpkru(&value).vector, VECTOR_UD, "RDPKRU is #UD without CR4.PKE");
    write_cr4(cr4 | CR4_PKE);
    is(cpuid(7, 0).ecx >> 4 & 1, 1, "OSPKE is set once CR4.PKE is");
    is(read_pkru(), 0, "PKRU is 0 at the start");
    test_rights("PKRU", write_pkru, true);
    write_pkru(NOTHING << 2 * KEY);
    test_off("PKRU is nothing to supervisor pages", 0);
    is(read_pkru(), NOTHING << 2 * KEY, "PKRU is as written behind exits");
    write_cr4(cr4);
    test_off("without CR4.PKE no key matters", PAGE_USER);
}

static void test_xsave(void)
{
    static uint8_t area[4096] __attribute__((aligned(64)));
    struct cpuid_result component = cpuid(0xd, XSTATE_PKRU);
    uint64_t cr4 = read_cr4();

    is(component.eax, 8, "PKRU is a component of XSAVE of 8 bytes");
    write_cr4(cr4 | CR4_OSXSAVE | CR4_PKE);
    is_no_trap(try_xsetbv(0, XCR0_PKRU | 1), "XCR0 takes it");
    write_pkru(0x12345678 & ~3U);
    xsave(area, XCR0_PKRU);
    is(AT(area + component.ebx), 0x12345678 & ~3U, "XSAVE saves it");
    write_pkru(0);
    xrstor(area, XCR0_PKRU);
    is(read_pkru(), 0x12345678 & ~3U, "XRSTOR restores it");
    write_pkru(0);
    is_no_trap(try_xsetbv(0, 1), "XCR0 goes without it");
    write_cr4(cr4);
}

/* Bochs has IA32_PKRS hold for user pages: the CPU's part is left out. */
static void test_user_page(void)
{
    const char *description = "IA32_PKRS is nothing to user pages, behind a device's read";

    map_page(MAP_BASE, (uintptr_t)page_alloc(), PAGE_WRITE | PAGE_KEY | PAGE_USER);
    if (has_hypervisor())
        is_no_trap(try_copy(), "%s", description);
    else
        skip("Bochs", "%s", description);
}

static void test_pkrs(void)
{
    uint64_t cr4 = read_cr4();

    is(rdmsr(MSR_IA32_PKRS), 0, "IA32_PKRS is 0 at the start");
    write_cr4(cr4 | CR4_PKS);
    test_rights("IA32_PKRS", write_pkrs, false);
    write_pkrs(NOTHING << 2 * KEY);
    test_user_page();
    is(rdmsr(MSR_IA32_PKRS), NOTHING << 2 * KEY, "IA32_PKRS is as written behind exits");
    write_cr4(cr4);
    test_off("without CR4.PKS no key matters", 0);
}

static void test_absent(uint64_t bit, const char *name)
{
    is(try_write_cr4(read_cr4() | bit).vector, VECTOR_GP, "CR4.%s is reserved without its feature",
       name);
}

void guest_main(void)
{
    uint32_t ecx = cpuid(7, 0).ecx;

    if (ecx >> 3 & 1) {
        test_pkru();
        test_xsave();
    } else {
        test_absent(CR4_PKE, "PKE");
    }
    if (ecx >> 31) {
        test_pkrs();
    } else {
        uint64_t value = 0;

        test_absent(CR4_PKS, "PKS");
        is(try_rdmsr(MSR_IA32_PKRS, &value).vector, VECTOR_GP, "there is no IA32_PKRS without PKS");
    }
}
