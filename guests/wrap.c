/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where RIP goes on behind an instruction that ends where addresses do: at 4 GiB in 32-bit and in
 * 16-bit code, and nowhere in 64-bit mode, whose last canonical address is followed by #GP. The
 * instructions are such as exit, so that somebody else moves RIP.
 */
#include "guests/lib/guest.h"
#include "lib/string.h"

#define DEVICE 0xd0000000U /* no memory */
#define GIB4   0x100000000ULL
#define LOWER  0x800000000000ULL /* the end of the lower canonical half */

/* Behind the library's descriptors. */
#define CODE32      0x48
#define CODE16      0x50
#define DESCRIPTORS 11

#define MODE_16 1
#define MODE_32 2
#define MODE_64 4
#define RING_0  8

struct place {
    const char *name;
    uint16_t cs, ss;
    unsigned modes; /* what the instruction must be able to do */
    uint64_t end, next;
    unsigned vector; /* what comes of the UD2 at `next` */
};

static const struct place places[] = {
    {"32-bit code at 4 GiB", CODE32, KERNEL_DATA, MODE_32 | RING_0, GIB4, 0, VECTOR_UD},
    {"32-bit code of ring 3 at 4 GiB", USER_CODE32, USER_DATA, MODE_32, GIB4, 0, VECTOR_PF},
    {"16-bit code at 4 GiB", CODE16, KERNEL_DATA, MODE_16 | RING_0, GIB4, 0, VECTOR_UD},
    {"16-bit code at 64 KiB", CODE16, KERNEL_DATA, MODE_16 | RING_0, 0x10000, 0x10000, VECTOR_UD},
    {"64-bit code at 4 GiB", KERNEL_CODE, KERNEL_DATA, MODE_64 | RING_0, GIB4, GIB4, VECTOR_UD},
    {"64-bit code at the end of the lower half", KERNEL_CODE, KERNEL_DATA, MODE_64 | RING_0, LOWER,
     LOWER, VECTOR_GP},
    {"64-bit code at 2^64", KERNEL_CODE, KERNEL_DATA, MODE_64 | RING_0, 0, 0, VECTOR_UD},
};

#define ANY_MODE (MODE_16 | MODE_32 | MODE_64)

static const struct instruction {
    const char *name;
    unsigned modes; /* in these, and with RING_0 only there */
    uint16_t port;
    uint8_t size, bytes[4];
} instructions[] = {
    {"CPUID", ANY_MODE, 0, 2, {0x0f, 0xa2}},
    {"RDMSR", ANY_MODE | RING_0, 0, 2, {0x0f, 0x32}},
    {"WBINVD", ANY_MODE | RING_0, 0, 2, {0x0f, 0x09}},
    {"OUT", ANY_MODE | RING_0, 0, 2, {0xe6, 0x80}},
    {"IN", ANY_MODE | RING_0, 0, 2, {0xe4, 0x71}},
    {"REP OUTSB", MODE_32 | MODE_64 | RING_0, 0x80, 2, {0xf3, 0x6e}},
    {"REP INSB", MODE_32 | MODE_64 | RING_0, 0x7000, 2, {0xf3, 0x6c}},
    {"REP OUTSB", MODE_16 | RING_0, 0x80, 3, {0x67, 0xf3, 0x6e}},
    {"a load from device memory", MODE_32 | MODE_64, 0, 2, {0x8a, 0x03}},
    {"a load from device memory", MODE_16, 0, 3, {0x67, 0x8a, 0x03}},
    {"REP STOSB to device memory", MODE_32 | MODE_64, 0, 2, {0xf3, 0xaa}},
};

extern char wrap_back[];
extern uint64_t gdt[];
uint64_t wrap_rsp, wrap_frame[5];
static uint64_t descriptors[DESCRIPTORS];
static uint8_t buffer[16], stack[0x1000] __attribute__((aligned(16)));

static unsigned seen_vector;
static uint64_t seen_rip;

/* Bochs 2.7 pushes a carry of EIP (docs/emulator.md). */
static void on_trap(struct interrupt_frame *frame)
{
    seen_vector = (unsigned)frame->vector;
    seen_rip = frame->cs == KERNEL_CODE ? frame->rip : (uint32_t)frame->rip;
    frame->rip = (uintptr_t)wrap_back;
    frame->cs = KERNEL_CODE;
    frame->ss = KERNEL_DATA;
    frame->rsp = wrap_rsp;
    frame->rflags = 2;
}

/* Continues at cs:rip, with what the instructions take; comes back by way of on_trap. */
static void jump(const struct place *p, const struct instruction *in, uint64_t rflags)
{
    bool device = in->bytes[in->size - 1] == 0xaa;
    uint64_t rdi = device ? DEVICE : (uintptr_t)buffer, rsi = (uintptr_t)buffer, rax = 0;
    uint64_t rcx = in->modes & RING_0 && in->port == 0 ? MSR_IA32_APIC_BASE : 1, rdx = in->port;
    uint64_t rbx = DEVICE;

    wrap_frame[0] = p->end - in->size;
    wrap_frame[1] = p->cs;
    wrap_frame[2] = rflags;
    wrap_frame[3] = (uintptr_t)stack + sizeof(stack);
    wrap_frame[4] = p->ss;
    __asm__ volatile("pushq %%rbp; movq %%rsp, wrap_rsp; movq $wrap_frame, %%rsp; "
                     "movl %[user], %%ds; movl %[user], %%es; iretq; .globl wrap_back; wrap_back:"
                     "popq %%rbp; movl %[kernel], %%ds; movl %[kernel], %%es"
                     : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx), "+S"(rsi), "+D"(rdi)
                     : [user] "r"(USER_DATA), [kernel] "r"(KERNEL_DATA)
                     : "memory", "cc");
}

static void check(const struct place *p, const struct instruction *in, bool step)
{
    unsigned vector = step ? VECTOR_DB : p->vector;

    seen_vector = NO_TRAP;
    memcpy((void *)(p->end - in->size), in->bytes, in->size);
    jump(p, in, step ? 2 | RFLAGS_TF : 2);
    ok(seen_vector == vector && seen_rip == p->next, "%s, %s%s", p->name, in->name,
       step ? " with TF" : "");
    if (seen_vector != vector || seen_rip != p->next)
        diag("vector %u at 0x%lx", seen_vector, seen_rip);
}

static void map(uint64_t linear)
{
    map_page(linear, (uintptr_t)page_alloc(), PAGE_WRITE | PAGE_USER);
}

static void prepare(void)
{
    static const uint8_t vectors[] = {VECTOR_DB, VECTOR_UD, VECTOR_GP, VECTOR_PF};
    static const uint8_t ud2[] = {0x0f, 0x0b};
    static uint8_t interrupts[0x1000] __attribute__((aligned(16)));
    const struct descriptor_table pointer = {sizeof(descriptors) - 1, (uintptr_t)descriptors};

    memcpy(descriptors, gdt, CODE32);
    descriptors[CODE32 / 8] = 0x00cf9b000000ffff;
    descriptors[CODE16 / 8] = 0x008f9b000000ffff;
    lgdt(&pointer);
    interrupt_stack((uintptr_t)interrupts + sizeof(interrupts));
    for (unsigned i = 0; i < ARRAY_SIZE(vectors); i++)
        interrupt_handle(vectors[i], on_trap);
    map_page(DEVICE, DEVICE, PAGE_WRITE | PAGE_USER);
    map(GIB4 - PAGE_SIZE);
    map(GIB4);
    map(LOWER - PAGE_SIZE);
    map(-PAGE_SIZE);
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
        if (places[i].next != LOWER)
            memcpy((void *)places[i].next, ud2, sizeof(ud2));
}

void guest_main(void)
{
    prepare();
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
        for (unsigned j = 0; j < ARRAY_SIZE(instructions); j++)
            if ((instructions[j].modes & places[i].modes & ANY_MODE) &&
                (places[i].modes & RING_0 || !(instructions[j].modes & RING_0)))
                for (unsigned step = 0; step < 2; step++)
                    check(&places[i], &instructions[j], step);
}
