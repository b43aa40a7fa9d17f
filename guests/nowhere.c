/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest gets that needs memory where none is: code, page tables, a stack. Bytes read as FF
 * there. PDPTEs of PAE paging are in special_modes.c.
 */
#include "guests/lib/guest.h"

#define UNCLAIMED 0xd0000000ULL
#define WINDOW    (MAP_BASE + 0x40000000)

static uint64_t back, stack;

static void on_trap(struct interrupt_frame *frame)
{
    trap_taken =
        (struct trap){(uint32_t)frame->vector, (uint32_t)frame->error_code, frame->rip, read_cr2()};
    frame->rip = back;
    frame->rsp = stack;
}

static struct trap jump_to(uint64_t address, uint8_t vector)
{
    interrupt_handle(vector, on_trap);
    __asm__ volatile("leaq 1f(%%rip), %%rax; movq %%rax, %0; movq %%rsp, %1; jmp *%2; 1:"
                     : "=m"(back), "=m"(stack)
                     : "r"(address)
                     : "rax", "memory");
    interrupt_handle(vector, NULL);
    return trap_taken;
}

static void test_code(void)
{
    if (!has_hypervisor()) {
        skip("Bochs itself ends", "a jump to where no memory is: undefined");
        return;
    }
    struct trap trap = jump_to(UNCLAIMED, VECTOR_UD);

    is_trap(trap, VECTOR_UD, 0, "a jump to where no memory is: undefined");
    is(trap.rip, UNCLAIMED, "a jump to where no memory is: RIP");
}

/* A page directory whose entry says that the page table is there. */
static void test_page_table(void)
{
    extern uint64_t page_map[];
    uint64_t *table = page_map;
    uint32_t value = 0;

    map_page(WINDOW, 0, PAGE_WRITE);
    for (unsigned shift = 39; shift > 21; shift -= 9)
        table = (uint64_t *)align_down(table[WINDOW >> shift & 511], PAGE_SIZE);
    table[WINDOW >> 21 & 511] = UNCLAIMED | PAGE_WRITE | PAGE_PRESENT;
    write_cr3(read_cr3());

    struct trap trap = try_load((void *)WINDOW, &value);
    is_trap(trap, VECTOR_PF, 9, "a load by a page table that is nowhere");
    is(trap.cr2, WINDOW, "a load by a page table that is nowhere: CR2");
    is_trap(try_store((void *)WINDOW, 0), VECTOR_PF, 11, "a store by a page table that is nowhere");
    trap = jump_to(WINDOW + 5, VECTOR_PF);
    is_trap(trap, VECTOR_PF, 0x19, "a fetch by a page table that is nowhere");
    is(trap.cr2, WINDOW + 5, "a fetch by a page table that is nowhere: CR2");
}

/* What is pushed there would be lost, and the handler could not return: Lintel says so at once. */
static void test_stack(void)
{
    if (!has_hypervisor()) {
        skip("what is pushed is lost", "an exception with a stack that is nowhere");
        return;
    }
    trap_taken.vector = NO_TRAP;
    interrupt_handle(VECTOR_DF, on_trap);
    __asm__ volatile(
        "leaq 1f(%%rip), %%rax; movq %%rax, %0; movq %%rsp, %1; movq %2, %%rsp; ud2; 1:"
        : "=m"(back), "=m"(stack)
        : "r"(UNCLAIMED + PAGE_SIZE)
        : "rax", "memory");
    interrupt_handle(VECTOR_DF, NULL);
    is_trap(trap_taken, VECTOR_DF, 0, "an exception with a stack that is nowhere");
}

void guest_main(void)
{
    test_code();
    test_page_table();
    test_stack();
}
