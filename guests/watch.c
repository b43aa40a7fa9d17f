/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug exceptions of instructions that somebody completes for the guest (R43): with TF one for
 * each iteration of REP, and breakpoints on ports, on device memory, on what INS writes and OUTS
 * reads, also those that MOV SS holds back.
 */
#include "guests/lib/guest.h"

#define MMIO   0xd0000000ULL
#define PORT   0x7000
#define DR6_BS BIT(14)

/* DR7 for breakpoint 0, enabled by its local bit or its global one. */
#define LOCAL       0x401
#define GLOBAL      0x402
#define RW_WRITE    0x10000
#define RW_PORT     0x20000
#define RW_BOTH     0x30000
#define LENGTH_1    0
#define LENGTH_2    0x40000
#define LENGTH_4    0xc0000
#define LENGTH_8    0x80000
#define NOT_ENABLED 0x400

static uint64_t end;
static unsigned count;
static uint64_t dr6, rip;
static uint8_t ram[64] __attribute__((aligned(64))), more[64];

static void on_debug(struct interrupt_frame *frame)
{
    if (count++ == 0)
        rip = frame->rip;
    dr6 = read_dr6();
    write_dr6(0xffff0ff0);
    if (frame->rip == end || count > 100)
        frame->rflags &= ~RFLAGS_TF;
}

/* Runs an instruction with TF, or with DR0 and DR7; `count` becomes the number of traps. */
#define RUN(instruction, flags, to, from, times, port)                                             \
    ({                                                                                             \
        uint64_t di = (uint64_t)(to), si = (uint64_t)(from), cx = (times), dx = (port), ax = 0;    \
        count = 0;                                                                                 \
        __asm__ volatile("leaq 1f(%%rip), %%r8; movq %%r8, %[end]; pushfq; orq %[tf], (%%rsp);"    \
                         "popfq; " instruction "; 1: nop"                                          \
                         : [end] "=m"(end), "+D"(di), "+S"(si), "+c"(cx), "+d"(dx), "+a"(ax)       \
                         : [tf] "r"((uint64_t)(flags)), "b"(MMIO)                                  \
                         : "r8", "cc", "memory");                                                  \
        write_dr7(NOT_ENABLED);                                                                    \
    })

static void is_stepped(unsigned steps, const char *name)
{
    ok(count == steps && (dr6 & DR6_BS), "with TF: %s", name);
    if (count != steps)
        diag("%u traps", count);
}

static void test_steps(void)
{
    RUN("rep movsb", RFLAGS_TF, ram, more, 4, 0);
    is_stepped(4, "REP MOVSB in RAM");
    RUN("rep movsb", RFLAGS_TF, MMIO, more, 4, 0);
    is_stepped(4, "REP MOVSB to device memory");
    RUN("rep lodsl", RFLAGS_TF, 0, MMIO, 4, 0);
    is_stepped(4, "REP LODSD from device memory");
    RUN("rep outsb", RFLAGS_TF, 0, more, 4, UART_SCR);
    is_stepped(4, "REP OUTSB");
    RUN("rep insb", RFLAGS_TF, ram, 0, 4, PORT);
    is_stepped(4, "REP INSB");
    RUN("rep insb", RFLAGS_TF, ram, 0, 0, PORT);
    is_stepped(1, "REP INSB of nothing");
}

/* The breakpoint is met so many times, or the address beside it is not. */
#define WATCHES(address, control, times, name, ...)                                                \
    do {                                                                                           \
        write_dr0((uint64_t)(address));                                                            \
        write_dr7(((control) & 3) == 0 ? LOCAL | (control) : (control));                           \
        RUN(__VA_ARGS__);                                                                          \
        ok(count == (times) && (count == 0 || (dr6 & 1)), name);                                   \
        if (count != (times))                                                                      \
            diag("%u traps", count);                                                               \
    } while (0)

static void test_ports(void)
{
    uint64_t cr4 = read_cr4();

    WATCHES(0x80, RW_PORT, 0, "a port without CR4.DE", "outb %%al, $0x80", 0, 0, 0, 0, 0);
    write_cr4(cr4 | CR4_DE);
    WATCHES(0x80, RW_PORT, 1, "OUT to a watched port", "outb %%al, $0x80", 0, 0, 0, 0, 0);
    is(rip, end, "OUT to a watched port: RIP is behind");
    WATCHES(0x80, RW_PORT, 1, "OUT to a watched port, with TF", "outb %%al, $0x80", RFLAGS_TF, 0, 0,
            0, 0);
    ok((dr6 & (DR6_BS | 1)) == (DR6_BS | 1), "OUT to a watched port, with TF: DR6 has both");
    WATCHES(0x81, RW_PORT, 0, "OUT beside it", "outb %%al, $0x80", 0, 0, 0, 0, 0);
    WATCHES(0x71, RW_PORT, 1, "IN from a watched port", "inb $0x71, %%al", 0, 0, 0, 0, 0);
    WATCHES(PORT + 2, RW_PORT | LENGTH_2 | GLOBAL, 1, "a part of the port", "inl %%dx, %%eax", 0, 0,
            0, 0, PORT);
    WATCHES(PORT, RW_PORT | LENGTH_4, 1, "a part of the breakpoint", "inb %%dx, %%al", 0, 0, 0, 0,
            PORT + 3);
    WATCHES(PORT, RW_PORT, 4, "REP INSB from a watched port", "rep insb", 0, ram, 0, 4, PORT);
    WATCHES(UART_SCR, RW_PORT, 4, "REP OUTSB to a watched port", "rep outsb", 0, 0, more, 4,
            UART_SCR);
    WATCHES(PORT, RW_BOTH, 0, "a port that is no address", "inb %%dx, %%al", 0, 0, 0, 0, PORT);
    write_cr4(cr4);
}

static void test_memory(void)
{
    WATCHES(MMIO, RW_WRITE | LENGTH_4, 1, "a store to device memory", "movl %%eax, (%%rbx)", 0, 0,
            0, 0, 0);
    WATCHES(MMIO, RW_WRITE | LENGTH_4, 0, "a load, watched for stores", "movl (%%rbx), %%eax", 0, 0,
            0, 0, 0);
    WATCHES(MMIO, RW_BOTH | LENGTH_1, 1, "a load from device memory", "movl (%%rbx), %%eax", 0, 0,
            0, 0, 0);
    WATCHES(MMIO + 4, RW_BOTH | LENGTH_4, 0, "a load beside it", "movl (%%rbx), %%eax", 0, 0, 0, 0,
            0);
    WATCHES(MMIO + 8, RW_BOTH | LENGTH_8, 1, "a part of 8 bytes", "movb 15(%%rbx), %%al", 0, 0, 0,
            0, 0);
    WATCHES(MMIO + 2, RW_WRITE, 1, "REP STOSB over it", "rep stosb", 0, MMIO, 0, 4, 0);
    WATCHES(more + 1, RW_BOTH, 1, "REP MOVSB from it to device memory", "rep movsb", 0, MMIO, more,
            4, 0);
    WATCHES(ram, RW_WRITE, 1, "INSB to it", "insb", 0, ram, 0, 0, PORT);
    WATCHES(ram + 3, RW_WRITE, 1, "REP INSB over it", "rep insb", 0, ram, 0, 8, PORT);
    WATCHES(more, RW_BOTH, 1, "OUTSB from it", "outsb", 0, 0, more, 0, UART_SCR);
    WATCHES(more, RW_WRITE, 0, "OUTSB from it, watched for stores", "outsb", 0, 0, more, 0,
            UART_SCR);
}

/* MOV SS loads from the watched address; the trap comes behind the instruction that follows. */
#define BEHIND_MOV_SS(name, instruction)                                                           \
    do {                                                                                           \
        *(uint16_t *)ram = KERNEL_DATA;                                                            \
        WATCHES(ram, RW_BOTH | LENGTH_2, 1, "MOV SS from it, then " name,                          \
                "movw (%%rdi), %%ss; " instruction, 0, ram, 0, MSR_IA32_APIC_BASE, PORT);          \
        is(rip, end, "MOV SS from it, then " name ": RIP is behind");                              \
    } while (0)

static void test_mov_ss(void)
{
    BEHIND_MOV_SS("NOP", "nop");
    BEHIND_MOV_SS("RDMSR", "rdmsr");
    BEHIND_MOV_SS("WBINVD", "wbinvd");
    BEHIND_MOV_SS("OUT", "outb %%al, $0x80");
    BEHIND_MOV_SS("IN", "inb %%dx, %%al");
    BEHIND_MOV_SS("OUTSB", "outsb");
    BEHIND_MOV_SS("MOV to CR8", "movq %%rax, %%cr8");
    BEHIND_MOV_SS("PAUSE", "pause");
    BEHIND_MOV_SS("a load from device memory", "movb (%%rbx), %%al");
    if (has_hypervisor())
        BEHIND_MOV_SS("HLT", "hlt");
    else
        skip("Bochs sleeps on", "MOV SS from it, then HLT");
}

void guest_main(void)
{
    interrupt_handle(VECTOR_DB, on_debug);
    test_steps();
    test_ports();
    test_memory();
    test_mov_ss();
}
