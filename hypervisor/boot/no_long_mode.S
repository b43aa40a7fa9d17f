/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verdict for a CPU without 64-bit mode, the only thing that Lintel says in 32-bit code. EBP is the image's physical
 * address; there is no stack.
 */
#include "hypervisor/cpu/layout.h"
#include "lib/uart.h"

#define PORT             0x3f8          /* report/serial.c has both as well */
#define PATIENCE         0x100000

        .text
        .code32
        .global boot_no_long_mode
boot_no_long_mode:
        leal    (uart_setup - IMAGE_BASE)(%ebp), %esi
        movl    $UART_SETUP_WRITES, %ecx
        xorl    %eax, %eax
1:      lodsb
        leal    PORT(%eax), %edx
        lodsb
        outb    %al, %dx
        xorl    %eax, %eax
        loop    1b

        leal    (text - IMAGE_BASE)(%ebp), %esi
2:      lodsb
        testb   %al, %al
        jz      5f
        movb    %al, %ah
        movl    $PATIENCE, %ecx
        movl    $PORT + UART_LINE_STATUS, %edx
3:      inb     %dx, %al
        testb   $UART_TRANSMIT_EMPTY, %al
        loopz   3b
        movb    %ah, %al
        movl    $PORT + UART_DATA, %edx
        outb    %al, %dx
        jmp     2b
5:      hlt
        jmp     5b

        .section .rodata
uart_setup:
        .byte   UART_SETUP(UART_FIFO_TELLS)
        .set    UART_SETUP_WRITES, (. - uart_setup) / 2
text:
        .asciz  "lintel: stopped: this CPU has no 64-bit mode\r\nlintel: the machine is halted; switch it off or reset it\r\n"
