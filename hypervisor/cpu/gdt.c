/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/cpu/gdt.h"

#include "hypervisor/cpu/instructions.h"
#include "lib/string.h"

/* Access bytes and flags as in SDM volume 3, "Segment Descriptors": present,
 * long mode, accessed. */
#define KERNEL_CODE 0x00209b0000000000ULL
#define KERNEL_DATA 0x0000930000000000ULL
#define USER_DATA   0x0000f30000000000ULL
#define USER_CODE   0x0020fb0000000000ULL
#define TSS_64      0x0000890000000000ULL
#define TSS_BUSY    0x0000020000000000ULL

void gdt_reload(const struct gdt *gdt)
{
    lgdt(&(struct descriptor_table){sizeof(*gdt) - 1, (uint64_t)gdt});
}

void gdt_reload_task(struct gdt *gdt)
{
    gdt->entry[SELECTOR_TSS / 8] &= ~TSS_BUSY;
    ltr(SELECTOR_TSS);
}

void tss_init(struct tss *tss)
{
    tss->io_map = TSS_NO_PORTS;
    memset(tss->ports, 0xff, sizeof(tss->ports) + sizeof(tss->ports_end));
}

void tss_allow(struct tss *tss, uint16_t first, uint16_t count, bool allow)
{
    for (uint32_t port = first; port < (uint32_t)first + count; port++) {
        uint8_t bit = (uint8_t)(1u << port % 8);
        tss->ports[port / 8] =
            (uint8_t)(allow ? tss->ports[port / 8] & ~bit : tss->ports[port / 8] | bit);
    }
}

void gdt_load(struct gdt *gdt, struct tss *tss)
{
    uint64_t base = (uint64_t)tss;

    *gdt = (struct gdt){{
        0,
        0,
        KERNEL_CODE,
        KERNEL_DATA,
        0,
        USER_DATA,
        USER_CODE,
        USER_DATA,
        TSS_64 | (sizeof(*tss) - 1) | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56,
        base >> 32,
    }};
    gdt_reload(gdt);
    __asm__ volatile("pushq %0\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\tmov %1, %%ss\n\t"
                     "mov %2, %%ds\n\t"
                     "mov %2, %%es\n\t"
                     "mov %2, %%fs\n\t"
                     "mov %2, %%gs"
                     :
                     : "i"(SELECTOR_KERNEL_CODE), "r"(SELECTOR_KERNEL_DATA), "r"(0)
                     : "rax", "memory");
    lldt(0);
    ltr(SELECTOR_TSS);
}
