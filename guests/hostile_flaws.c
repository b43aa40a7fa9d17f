/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile guests that use what the CPU itself does badly: deliveries of exceptions without end,
 * locks of the whole bus, pages whose size must not change. */
#include "guests/hostile_rows.h"

#include "guests/lib/guest.h"

#define TASK_BASE_LOW(descriptor)                                                                  \
    (((descriptor) >> 16 & 0xffffff) | ((descriptor) >> 56 << 24)) /* of a TSS */
#define TASK_IST1   36
#define GATE_IST1   1
#define DR7_WRITE_8 0x90401 /* DR0: a write of 8 bytes */
#define CACHE_LINE  64

extern uint64_t gdt[];

static void go_on(struct interrupt_frame *frame)
{
}

/* The delivery of a #DB writes where a breakpoint is, so that it raises the next one
 * (CVE-2015-8104): the stack is the same for each. */
void flaws_debug(void)
{
    struct descriptor_table idt;
    const uint8_t *task =
        (const uint8_t *)TASK_BASE_LOW(gdt[TASK_STATE / 8]); /* it is below 4 GiB */
    uint64_t top = *(const volatile uint64_t *)(task + TASK_IST1);

    interrupt_handle(VECTOR_DB, go_on);
    __asm__ volatile("sidt %0" : "=m"(idt));
    *((volatile uint8_t *)idt.base + VECTOR_DB * 16 + 4) |= GATE_IST1;
    write_dr0(top - 8);
    write_dr7(DR7_WRITE_8);
    interrupts_on();
    for (;;)
        *(volatile uint64_t *)(top - 8) = 0;
}

/* Each locks the bus, or what a CPU has in its place, against all others. */
void flaws_split_locks(void)
{
    static uint8_t lines[2 * CACHE_LINE] __attribute__((aligned(CACHE_LINE)));

    interrupts_on();
    for (;;)
        __asm__ volatile("lock incl %0" : "+m"(*(uint32_t *)(lines + CACHE_LINE - 2)));
}

/* The first fetch from each 2 MiB (lib/mitigations.def, itlb). */
void flaws_fetches(void)
{
    interrupts_on();
    for (uint64_t at = align_up((uintptr_t)page_alloc() + LARGE_PAGE, LARGE_PAGE);
         at < memory_end(); at += LARGE_PAGE) {
        *(volatile uint8_t *)at = 0xc3; /* RET */
        ((void (*)(void))at)();
    }
    for (;;)
        ;
}
