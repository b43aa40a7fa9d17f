/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments: flat ones, in the order that SYSRET and SYSEXIT both want (SDM volume 2, the two
 * instructions). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
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

#define TSS_PORTS 0x10000

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map;              /* beyond the limit: ring 3 has no ports */
    uint8_t ports[TSS_PORTS / 8]; /* a bit for each: 1 forbids it */
    uint8_t ports_end;            /* all ones: the processor reads two bytes */
} __attribute__((packed));

#define TSS_IO_MAP   offsetof(struct tss, ports)
#define TSS_NO_PORTS sizeof(struct tss)

_Static_assert(offsetof(struct tss, ports) == 104, "the TSS has the processor's layout");

/* No ports for ring 3; all else is 0. */
void tss_init(struct tss *tss);

/*
 * Gives ring 3 some ports, or takes them away. A VM exit leaves a TR whose limit is without the
 * bits (SDM volume 3, "Loading Host Segment and Descriptor-Table Registers"), so gdt_reload_task
 * follows before ring 3 uses them.
 */
void tss_allow(struct tss *tss, uint16_t first, uint16_t count, bool allow);
void gdt_reload_task(struct gdt *gdt);

/* Fills gdt, with a descriptor of tss, and loads it together with all segment registers and TR. */
void gdt_load(struct gdt *gdt, struct tss *tss);

/*
 * Sets the limit again, before ring 3 runs: a VM exit leaves one of FFFFh (SDM volume 3, "Loading
 * Host Segment and Descriptor-Table Registers"), and what lies behind the table would serve ring 3
 * as descriptors.
 */
void gdt_reload(const struct gdt *gdt);
