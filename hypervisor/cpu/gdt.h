/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments: flat ones, in the order that SYSRET and SYSEXIT both want (SDM volume 2, the two
 * instructions). */
#ifndef CPU_GDT_H
#define CPU_GDT_H

#include <stdint.h>

/*
 * The numbers are those of Linux, which makes STAR the same for its monitor and for a Linux guest:
 * a value that need not be switched (R32).
 */
#define SELECTOR_KERNEL_CODE 0x10
#define SELECTOR_KERNEL_DATA 0x18
#define SELECTOR_USER_BASE   0x23 /* STAR[63:48]; no descriptor: ring 3 has no 32-bit code */
#define SELECTOR_USER_DATA   0x2b
#define SELECTOR_USER_CODE   0x33
#define SELECTOR_EXIT_DATA   0x3b /* SYSEXIT's SS: SYSENTER_CS + 40 */
#define SELECTOR_TSS         0x40

_Static_assert(SELECTOR_USER_DATA == SELECTOR_USER_BASE + 8 &&
                   SELECTOR_USER_CODE == SELECTOR_USER_BASE + 16,
               "SYSRET derives both from STAR");
_Static_assert(SELECTOR_USER_CODE == ((SELECTOR_KERNEL_CODE + 32) | 3) &&
                   SELECTOR_EXIT_DATA == ((SELECTOR_KERNEL_CODE + 40) | 3),
               "SYSEXIT derives both from SYSENTER_CS");

struct gdt {
    uint64_t entry[10];
};

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map; /* beyond the limit: ring 3 has no ports */
} __attribute__((packed));

_Static_assert(sizeof(struct tss) == 104, "the TSS has the processor's layout");

/* Fills gdt, with a descriptor of tss, and loads it together with all segment registers and TR. */
void gdt_load(struct gdt *gdt, struct tss *tss);

/*
 * Sets the limit again, before ring 3 runs: a VM exit leaves one of FFFFh (SDM volume 3, "Loading
 * Host Segment and Descriptor-Table Registers"), and what lies behind the table would serve ring 3
 * as descriptors.
 */
void gdt_reload(const struct gdt *gdt);

#endif
