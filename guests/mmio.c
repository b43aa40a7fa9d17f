/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is not RAM: unclaimed addresses with the instructions that compilers use, the IOAPIC,
 * the local APIC. */
#include "guests/lib/guest.h"
#include "lib/string.h"

#define UNCLAIMED          0xd0000000ULL
#define IOAPIC             0xfec00000ULL
#define IOAPIC_WINDOW      0x10
#define IOAPIC_ID          0x00
#define IOAPIC_VERSION     0x01
#define IOAPIC_REDIRECTION 0x10
#define REDIRECTION_MASKED 0x10000

#define AT(type, address) (*(volatile type *)(address))

static void test_loads(void)
{
    uint64_t rax = 0x1122334455667788;

    is(AT(uint8_t, UNCLAIMED), 0xff, "an unclaimed address reads all ones, 8 bits");
    is(AT(uint16_t, UNCLAIMED + 2), 0xffff, "an unclaimed address reads all ones, 16 bits");
    is(AT(uint32_t, UNCLAIMED + 4), 0xffffffff, "an unclaimed address reads all ones, 32 bits");
    is(AT(uint64_t, UNCLAIMED + 8), ~0ULL, "an unclaimed address reads all ones, 64 bits");
    is(AT(uint32_t, UNCLAIMED + 0x101), 0xffffffff, "an unaligned address reads all ones");
    __asm__ volatile("movb (%1), %%al" : "+a"(rax) : "r"(UNCLAIMED));
    is(rax, 0x11223344556677ff, "a load to AL keeps the rest of RAX");
    rax = 0x1122334455667788;
    __asm__ volatile("movb (%1), %%ah" : "+a"(rax) : "r"(UNCLAIMED));
    is(rax, 0x112233445566ff88, "a load to AH keeps the rest of RAX");
    rax = 0x1122334455667788;
    __asm__ volatile("movw (%1), %%ax" : "+a"(rax) : "r"(UNCLAIMED));
    is(rax, 0x112233445566ffff, "a load to AX keeps the rest of RAX");
    __asm__ volatile("movl (%1), %%eax" : "+a"(rax) : "r"(UNCLAIMED));
    is(rax, 0xffffffff, "a load to EAX clears the rest of RAX");
    __asm__ volatile("movzbl (%1), %%eax" : "+a"(rax) : "r"(UNCLAIMED));
    is(rax, 0xff, "MOVZX");
    __asm__ volatile("movsbq (%1), %%rax" : "+a"(rax) : "r"(UNCLAIMED));
    is(rax, ~0ULL, "MOVSX");
    __asm__ volatile("movslq (%1), %%rax" : "+a"(rax) : "r"(UNCLAIMED));
    is(rax, ~0ULL, "MOVSXD");
}

static void test_addressing(void)
{
    uint64_t value = 0, base = UNCLAIMED - 0x80, index = 0x10;

    __asm__ volatile("movl 0x40(%1,%2,4), %k0" : "=r"(value) : "r"(base), "r"(index));
    is(value, 0xffffffff, "base, scaled index and displacement");
    __asm__ volatile("movl 0x80(%1), %%r15d; movq %%r15, %0" : "=r"(value) : "r"(base) : "r15");
    is(value, 0xffffffff, "a high register as the destination");
    wrmsr(MSR_IA32_GS_BASE, UNCLAIMED);
    __asm__ volatile("movl %%gs:8, %k0" : "=r"(value));
    is(value, 0xffffffff, "a GS-relative address");
    __asm__ volatile("movabsl 0xd0000000, %%eax" : "=a"(value));
    is(value & 0xffffffff, 0xffffffff, "an absolute 64-bit address");
}

static void test_stores(void)
{
    AT(uint8_t, UNCLAIMED) = 0;
    AT(uint16_t, UNCLAIMED) = 0;
    AT(uint32_t, UNCLAIMED) = 0;
    AT(uint64_t, UNCLAIMED) = 0;
    __asm__ volatile("movl $0x12345678, (%0)" : : "r"(UNCLAIMED) : "memory");
    __asm__ volatile("movq $-2, (%0)" : : "r"(UNCLAIMED) : "memory");
    __asm__ volatile("movb %%ch, (%0)" : : "r"(UNCLAIMED) : "memory");
    is(AT(uint32_t, UNCLAIMED), 0xffffffff, "stores to an unclaimed address are dropped");
}

/* All that reads, computes and sets the flags; ZF or CF shows that the value was seen. */
static void test_arithmetic(void)
{
    uint64_t value = 0x5a;
    bool flag;

    __asm__ volatile("testb $0x80, (%1)" : "=@ccnz"(flag) : "r"(UNCLAIMED));
    ok(flag, "TEST with an immediate");
    __asm__ volatile("cmpl $-1, (%1)" : "=@ccz"(flag) : "r"(UNCLAIMED));
    ok(flag, "CMP with an immediate");
    __asm__ volatile("cmpl (%2), %k1" : "=@ccb"(flag) : "r"(value), "r"(UNCLAIMED));
    ok(flag, "CMP with a register");
    __asm__ volatile("andl (%1), %k0" : "+r"(value) : "r"(UNCLAIMED));
    is(value, 0x5a, "AND from memory");
    __asm__ volatile("orl (%1), %k0" : "+r"(value) : "r"(UNCLAIMED));
    is(value, 0xffffffff, "OR from memory");
    value = 0x0f;
    __asm__ volatile("xorl (%1), %k0" : "+r"(value) : "r"(UNCLAIMED));
    is(value, 0xfffffff0, "XOR from memory");
    value = 5;
    __asm__ volatile("addl (%1), %k0" : "+r"(value) : "r"(UNCLAIMED));
    is(value, 4, "ADD from memory");
    value = 5;
    __asm__ volatile("subl (%1), %k0" : "+r"(value) : "r"(UNCLAIMED));
    is(value, 6, "SUB from memory");
    __asm__ volatile("orl $1, (%0)" : : "r"(UNCLAIMED) : "memory");
    __asm__ volatile("andl $1, (%0)" : : "r"(UNCLAIMED) : "memory");
    __asm__ volatile("btl $3, (%1)" : "=@ccc"(flag) : "r"(UNCLAIMED));
    ok(flag, "BT with an immediate");
    value = 7;
    __asm__ volatile("xchgl %k0, (%1)" : "+r"(value) : "r"(UNCLAIMED) : "memory");
    is(value, 0xffffffff, "XCHG");
}

static void test_strings(void)
{
    uint8_t *page = page_alloc();
    uint64_t to = (uintptr_t)page, from = UNCLAIMED, count = 4;

    __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    ok(AT(uint64_t, page) == ~0ULL && AT(uint64_t, page + 8) == ~0ULL && page[16] == 0,
       "REP MOVSD from an unclaimed address");
    ok(to == (uintptr_t)page + 16 && from == UNCLAIMED + 16 && count == 0,
       "REP MOVSD advances its registers");
    to = UNCLAIMED;
    from = (uintptr_t)page;
    count = 16;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    ok(to == UNCLAIMED + 16 && count == 0, "REP MOVSB to an unclaimed address");
    to = UNCLAIMED;
    count = 3;
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0) : "memory");
    ok(to == UNCLAIMED + 24 && count == 0, "REP STOSQ to an unclaimed address");
}

/* Through page tables of its own: the decoder must walk them to find the instruction and the
 * address. */
static void test_mapped(void)
{
    map_page(MAP_BASE, UNCLAIMED, PAGE_WRITE);
    is(AT(uint32_t, MAP_BASE + 0x10), 0xffffffff, "an unclaimed address by another mapping");
    AT(uint32_t, MAP_BASE + 0x10) = 0;
    map_page(MAP_BASE, 0, 0);
}

static uint32_t ioapic_read(uint32_t index)
{
    AT(uint32_t, IOAPIC) = index;
    return AT(uint32_t, IOAPIC + IOAPIC_WINDOW);
}

static void ioapic_write(uint32_t index, uint32_t value)
{
    AT(uint32_t, IOAPIC) = index;
    AT(uint32_t, IOAPIC + IOAPIC_WINDOW) = value;
}

static void test_ioapic(void)
{
    uint32_t id = ioapic_read(IOAPIC_ID);

    is(AT(uint32_t, IOAPIC), IOAPIC_ID, "the IOAPIC's index register reads back");
    is(ioapic_read(IOAPIC_VERSION) >> 16 & 0xff, 23, "the IOAPIC has 24 inputs");
    ioapic_write(IOAPIC_REDIRECTION + 8, 0x9a | REDIRECTION_MASKED);
    ioapic_write(IOAPIC_REDIRECTION + 9, 0xff000000);
    is(ioapic_read(IOAPIC_REDIRECTION + 8), 0x9a | REDIRECTION_MASKED,
       "a redirection entry reads back");
    is(ioapic_read(IOAPIC_REDIRECTION + 9) >> 24, 0xff, "its destination reads back");
    ioapic_write(IOAPIC_REDIRECTION + 9, 0);
    ioapic_write(IOAPIC_ID, 0x05000000);
    is(ioapic_read(IOAPIC_ID), 0x05000000, "the IOAPIC's id reads back");
    ioapic_write(IOAPIC_ID, id);
}

static void test_local_apic(void)
{
    apic_enable(APIC_MEMORY);
    ok((apic_read(APIC_VERSION) & 0xff) >= 0x10 && (apic_read(APIC_VERSION) & 0xff) <= 0x1f,
       "the local APIC's version");
    apic_write(APIC_TPR, 0x47);
    is(apic_read(APIC_TPR), 0x47, "the local APIC's TPR reads back");
    is(apic_read(APIC_PPR), 0x47, "the PPR follows the TPR");
    apic_write(APIC_TPR, 0);
    apic_write(APIC_LVT_TIMER, LVT_MASKED | 0x31);
    is(apic_read(APIC_LVT_TIMER), LVT_MASKED | 0x31, "the timer's LVT reads back");
    apic_write(APIC_LDR, 0x01000000);
    is(apic_read(APIC_LDR), 0x01000000, "the LDR reads back in xAPIC mode");
}

void guest_main(void)
{
    test_loads();
    test_addressing();
    test_stores();
    test_arithmetic();
    test_strings();
    test_mapped();
    test_ioapic();
    test_local_apic();
}
