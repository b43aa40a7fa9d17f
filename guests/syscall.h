/* SPDX-License-Identifier: BSD-2-Clause */
/* What syscall.c and syscall_entry.S share: the calls, and the programs for ring 3. */
#pragma once

#define CALLS      200 /* that each program makes */
#define CALL_EXIT  1   /* ends the program; its result is in RDI */
#define CALL_COUNT 2   /* counts, and returns the count so far */

/* Programs that execute one instruction, which ring 3 must not: X(name, instruction, vector). */
#define REFUSED_PROGRAMS(X)                                                                        \
    X(rdmsr, "rdmsr", VECTOR_GP)                                                                   \
    X(wrmsr, "wrmsr", VECTOR_GP)                                                                   \
    X(in, "inb $0x80, %al", VECTOR_GP)                                                             \
    X(out, "outb %al, $0x80", VECTOR_GP)                                                           \
    X(hlt, "hlt", VECTOR_GP)                                                                       \
    X(cli, "cli", VECTOR_GP)                                                                       \
    X(outs, "outsb", VECTOR_GP)                                                                    \
    X(ins, "insb", VECTOR_GP)                                                                      \
    X(sti, "sti", VECTOR_GP)                                                                       \
    X(rdpmc, "rdpmc", VECTOR_GP)                                                                   \
    X(cr0, "movq %cr0, %rax", VECTOR_GP)                                                           \
    X(cr8, "movq %rax, %cr8", VECTOR_GP)                                                           \
    X(dr0, "movq %dr0, %rax", VECTOR_GP)                                                           \
    X(clts, "clts", VECTOR_GP)                                                                     \
    X(invlpg, "invlpg (%rax)", VECTOR_GP)                                                          \
    X(dr7, "movq %rax, %dr7", VECTOR_GP)                                                           \
    X(invd, "invd", VECTOR_GP)                                                                     \
    X(wbinvd, "wbinvd", VECTOR_GP)                                                                 \
    X(swapgs, "swapgs", VECTOR_GP)                                                                 \
    X(sysret, "sysretq", VECTOR_GP)                                                                \
    X(sysexit, "sysexitq", VECTOR_GP)                                                              \
    X(lgdt, "lgdt (%rsp)", VECTOR_GP)                                                              \
    X(vmread, "vmread %rax, %rcx", VECTOR_UD)                                                      \
    X(vmxoff, "vmxoff", VECTOR_UD)                                                                 \
    X(vmlaunch, "vmlaunch", VECTOR_UD)                                                             \
    X(kernel, "movl 0x400000, %eax", VECTOR_PF)
