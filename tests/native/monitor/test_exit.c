/* SPDX-License-Identifier: BSD-2-Clause */
/* The exits, from the page to the reply: ports, strings, device memory. */
#include <string.h>

#include "monitor/exit.h"
#include "monitor/load.h"
#include "monitor/start.h"
#include "monitor/x86.h"
#include "tests/native/monitor/started.h"

#define DATA 0x500000ULL

static void start(void **state)
{
    assert_int_equal(fakes.starts, 1);
    assert_int_equal(page.state.rip, CODE);
    assert_memory_equal(b->memory.base + CODE, kernel_code, 8);
    assert_memory_equal(b->memory.base + 0xe0000, "RSD PTR ", 8);
}

static void start_fails(void **state)
{
    fakes.start_result = GATE_ESTATE;
    EXPECT_STOP(machine_start(b, &page));
    assert_int_equal(fakes.stop, GATE_STOP_FAULT);
    info.kernel.address = 0;
    EXPECT_STOP(machine_start(b, &page));
    assert_string_equal(fakes.stop_text, "kernel: there is none: name one in the description");
}

static void io(void **state)
{
    page.kind = EXIT_IO;
    page.io.port = 0x3ff;
    page.io.size = 1;
    page.io.value = 0x77;
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_DONE);
    page.io.in = 1;
    page.io.value = 0;
    page.reply = REPLY_STATE;
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_DONE);
    assert_int_equal(page.io.value, 0x77);
}

static void string_exit(uint16_t port, bool in, unsigned size, bool rep)
{
    page.kind = EXIT_IO_STRING;
    page.io.port = port;
    page.io.in = in;
    page.io.size = (uint8_t)size;
    page.io.rep = rep;
    page.io.address_size = 8;
    page.io.segment = SEG_DS;
    page.io.length = 2;
    exit_handle(b, 0, &page);
}

static void outs(void **state)
{
    memcpy(b->memory.base + DATA, "hello", 5);
    page.state.gpr[GPR_RSI] = DATA;
    page.state.gpr[GPR_RCX] = 5;
    string_exit(0x3f8, false, 1, true);
    assert_int_equal(page.reply, REPLY_STATE);
    fake_console_take_all(b);
    assert_memory_equal(fakes.output, "hello", 5);
    assert_int_equal(page.state.gpr[GPR_RCX], 0);
    assert_int_equal(page.state.gpr[GPR_RSI], DATA + 5);
    assert_int_equal(page.state.rip, CODE + 2);
}

/* A long one is done in parts, with RF set between them; RIP moves with the last. */
static void long_string(void **state)
{
    unsigned parts = 0;

    page.state.gpr[GPR_RDI] = DATA;
    page.state.gpr[GPR_RCX] = 5000;
    while (page.state.rip == CODE && ++parts < 100) {
        string_exit(0x7000, true, 4, true);
        assert_int_equal((page.state.rflags & RFLAGS_RF) != 0, page.state.rip == CODE);
    }
    assert_in_range(parts, 2, 10);
    assert_int_equal(page.state.gpr[GPR_RDI], DATA + 20000);
    assert_int_equal(page.state.gpr[GPR_RCX], 0);
    for (unsigned i = 0; i < 20000; i++)
        assert_int_equal(b->memory.base[DATA + i], 0xff);
    assert_int_equal(b->memory.base[DATA + 20000], 0);
}

static void string_address_sizes(void **state)
{
    page.state.rflags |= RFLAGS_DF;
    page.state.gpr[GPR_RDI] = 0xffff000000500000;
    page.state.gpr[GPR_RCX] = 0xffffffff00000002;
    page.kind = EXIT_IO_STRING;
    page.io.port = 0x7000;
    page.io.in = 1;
    page.io.size = 2;
    page.io.rep = 1;
    page.io.address_size = 4;
    page.io.length = 3;
    exit_handle(b, 0, &page);
    assert_int_equal(page.state.gpr[GPR_RDI], DATA - 4);
    assert_int_equal(page.state.gpr[GPR_RCX], 0);
    assert_int_equal(page.state.rip, CODE + 3);
    assert_int_equal(b->memory.base[DATA + 1], 0xff);
    assert_int_equal(b->memory.base[DATA - 2], 0xff);
    assert_int_equal(b->memory.base[DATA - 3], 0);
}

/* A fault leaves finished elements done, and takes nothing from the device. */
static void string_fault(void **state)
{
    uint64_t *directory = (uint64_t *)(b->memory.base + LOAD_PAGE_TABLES + 2 * 0x1000);

    directory[3] = 0; /* 600000 is not mapped */
    page.state.gpr[GPR_RDI] = 0x5fffff;
    page.state.gpr[GPR_RCX] = 3;
    fake_console_type("ab", CONSOLE_TEXT);
    board_out(b, 0, 0x3fa, 1, 1);
    board_events(b, EVENT_CHANNEL(0));
    string_exit(0x3f8, true, 1, true);
    assert_int_equal(page.reply, REPLY_EXCEPTION);
    assert_int_equal(page.reply_vector, VECTOR_PF);
    assert_int_equal(page.reply_error_code, 2);
    assert_int_equal(page.reply_cr2, 0x600000);
    assert_int_equal(page.state.gpr[GPR_RDI], 0x600000);
    assert_int_equal(page.state.gpr[GPR_RCX], 2);
    assert_int_equal(page.state.rip, CODE);
    assert_int_equal(b->memory.base[0x5fffff], 'a');
    assert_int_equal(board_in(b, 0, 0x3f8, 1), 'b');
}

static void mmio(void **state)
{
    code("\x8b\x03", 2); /* mov eax, [rbx] */
    page.state.gpr[GPR_RBX] = 0xfec00010;
    board_store(b, 0, 0xfec00000, 4, 1);
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_STATE);
    assert_int_equal(page.state.gpr[GPR_RAX], 0x170020);
    assert_int_equal(page.state.rip, CODE + 2);
    code("\x89\x83\xb0\x00\x00\x00", 6); /* mov [rbx + 0xb0], eax */
    page.state.gpr[GPR_RBX] = 0xfee00000;
    page.state.gpr[GPR_RAX] = 5;
    exit_handle(b, 0, &page);
    assert_int_equal(fakes.lapic[0xb0 / 4], 5);
}

/* An instruction and a datum across the border of pages that lie apart. */
static void mmio_across_pages(void **state)
{
    uint64_t *directory = (uint64_t *)(b->memory.base + LOAD_PAGE_TABLES + 2 * 0x1000);

    directory[1] = 0xa00083; /* linear 200000 → a00000, and 400000 stays */
    memcpy(b->memory.base + 0xbffffc, "\x48\x8b\x83\x44", 4); /* mov rax, [rbx + 0x11223344] */
    memcpy(b->memory.base + CODE, "\x33\x22\x11", 3);
    page.kind = EXIT_MMIO;
    page.state.rip = 0x3ffffc;
    /* linear c0000000 → RAM; before it: the last page of the bus */
    directory[512 * 3] = 0xc00083;
    memcpy(b->memory.base + 0xc00000, "\x01\x02\x03\x04", 4);
    directory[511 + 512 * 2] = 0xd0000083;
    page.state.gpr[GPR_RBX] = 0xbffffffc - 0x11223344;
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_STATE);
    assert_int_equal(page.state.gpr[GPR_RAX], 0x04030201ffffffff);
    assert_int_equal(page.state.rip, CODE + 3);
}

/* What the processor translated needs no walk: here one would find nothing. */
static void mmio_known_page(void **state)
{
    uint64_t *directory = (uint64_t *)(b->memory.base + LOAD_PAGE_TABLES + 2 * 0x1000);

    board_store(b, 0, 0xfec00000, 4, 1);
    directory[3] = 0;
    code("\x8b\x03", 2); /* mov eax, [rbx] */
    page.state.gpr[GPR_RBX] = 0x600010;
    page.mmio.linear_valid = 1;
    page.mmio.linear = 0x600013; /* any address of the access */
    page.mmio.address = 0xfec00013;
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_STATE);
    assert_int_equal(page.state.gpr[GPR_RAX], 0x170020);
    code("\x8b\x03", 2);
    page.state.gpr[GPR_RBX] = 0x600ffd; /* half of it is in another page */
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_EXCEPTION);
    code("\x89\x03", 2); /* mov [rbx], eax: only a read was checked */
    page.state.gpr[GPR_RBX] = 0x600000;
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_EXCEPTION);
    assert_int_equal(page.reply_error_code, 2);
    page.mmio.write = 1;
    page.state.gpr[GPR_RAX] = 0;
    code("\x89\x03", 2);
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_STATE);
    assert_int_equal(board_load(b, 0, 0xfec00000, 4), 0);
}

static void mmio_fault(void **state)
{
    uint64_t *directory = (uint64_t *)(b->memory.base + LOAD_PAGE_TABLES + 2 * 0x1000);

    directory[3] = 0;
    code("\x8b\x03", 2);
    page.state.gpr[GPR_RBX] = 0x600000;
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_EXCEPTION);
    assert_int_equal(page.reply_vector, VECTOR_PF);
    assert_int_equal(page.reply_cr2, 0x600000);
}

/* Code where no memory is reads as FF FF, which is #UD; page tables that do not map it are #PF. */
static void mmio_fetch(void **state)
{
    uint64_t *directory = (uint64_t *)(b->memory.base + LOAD_PAGE_TABLES + 2 * 0x1000);

    page.kind = EXIT_MMIO;
    page.mmio.fetch = 1;
    page.mmio.address = page.state.rip = 0xd0000000;
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_EXCEPTION);
    assert_int_equal(page.reply_vector, VECTOR_UD);
    assert_non_null(strstr(fakes.log, "jumped to d0000000"));
    fakes.log_size = 0;
    page.mmio.fetch = 0; /* to the processor, its walk for the fetch is a read */
    directory[3] = 0;
    page.state.rip = 0x600123;
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply_vector, VECTOR_PF);
    assert_int_equal(page.reply_cr2, 0x600123);
    page.state.rip = 0x5ffffe; /* the second half of it is there */
    memcpy(b->memory.base + 0x5ffffe, "\x8b\x83", 2);
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply_vector, VECTOR_PF);
    assert_int_equal(page.reply_cr2, 0x600000);
    assert_int_equal(fakes.log_size, 0);
}

#define WATCH_1(rw) (1 | (rw) << 16)
#define WRITES      1
#define PORTS       2

/* R43: with TF, or with a breakpoint, a REP instruction is done by iterations. */
static void steps(void **state)
{
    page.state.gpr[GPR_RDI] = DATA;
    page.state.gpr[GPR_RCX] = 3;
    page.state.rflags |= RFLAGS_TF;
    string_exit(0x7000, true, 1, true);
    assert_int_equal(page.state.gpr[GPR_RCX], 2);
    assert_int_equal(page.state.rip, CODE);
    page.state.rflags &= ~(uint64_t)RFLAGS_TF;
    page.state.dr7 = WATCH_1(WRITES);
    page.state.dr[0] = DATA + 1;
    string_exit(0x7000, true, 1, true);
    assert_int_equal(page.state.gpr[GPR_RCX], 1);
    assert_int_equal(page.reply_breakpoints, 1);
    string_exit(0x7000, true, 1, true);
    assert_int_equal(page.reply_breakpoints, 0);
    assert_int_equal(page.state.rip, CODE + 2);
    code("\xf3\xaa", 2); /* rep stosb */
    page.state.gpr[GPR_RDI] = 0xd0000000;
    page.state.gpr[GPR_RCX] = 2;
    exit_handle(b, 0, &page);
    assert_int_equal(page.state.gpr[GPR_RCX], 1);
    assert_int_equal(page.state.rip, CODE);
}

static void watched(void **state)
{
    page.state.dr7 = WATCH_1(PORTS);
    page.state.cr4 |= CR4_DE;
    page.state.dr[0] = 0x3ff;
    page.kind = EXIT_IO_WATCHED;
    page.io.port = 0x3ff;
    page.io.size = 1;
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply_breakpoints, 1);
    page.io.port = 0x80;
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply_breakpoints, 0);
    page.state.gpr[GPR_RDI] = DATA;
    string_exit(0x3ff, true, 1, false);
    assert_int_equal(page.reply_breakpoints, 1);
    page.state.dr7 = WATCH_1(WRITES);
    page.state.dr[0] = 0xd0000003;
    code("\x89\x03", 2); /* mov [rbx], eax: in a page that is known */
    page.state.gpr[GPR_RBX] = 0xd0000000;
    page.mmio.linear_valid = page.mmio.write = 1;
    page.mmio.linear = page.mmio.address = 0xd0000000;
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply_breakpoints, 1);
    code("\x8b\x03", 2); /* mov eax, [rbx] */
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply_breakpoints, 0);
}

/* An exit after which the guest takes what is at CODE again, as it is. */
static void taken_again(unsigned vcpu)
{
    const struct guest_state before = page.state;

    page.reply = REPLY_STATE;
    exit_handle(b, vcpu, &page);
    assert_int_equal(page.reply, REPLY_DONE);
    assert_int_equal(page.reply_breakpoints, 0);
    assert_memory_equal(&page.state, &before, sizeof(before));
}

static void mmio_unsupported(void **state)
{
    code("\x0f\x58\x03", 3); /* addps xmm0, [rbx] */
    page.mmio.address = 0xd0000000;
    for (unsigned i = 1; i < REFUSED_TIMES; i++)
        taken_again(0);
    assert_int_equal(fakes.log_size, 0);
    EXPECT_STOP(exit_handle(b, 0, &page));
    assert_int_equal(fakes.stop, GATE_STOP_FAULT);
    assert_non_null(strstr(fakes.stop_text, "device memory at d0000000"));
    assert_non_null(strstr(fakes.log, "bytes at rip: 0f 58 03"));
}

/* Another vCPU writes to the code between an exit and the fetch: as often as it likes, as long as
 * not always the same is there. */
static void mmio_replaced(void **state)
{
    page.mmio.address = 0xd0000000;
    page.state.gpr[GPR_RBX] = 0xd0000000;
    for (unsigned i = 0; i < 10 * REFUSED_TIMES; i++) {
        code(i % 2 ? "\xcc\x03" : "\xcd\x80", 2); /* int3, int 0x80 */
        taken_again(0);
    }
    for (unsigned i = 0; i < 10 * REFUSED_TIMES; i++) { /* seldom */
        code("\xcc\x03", 2);
        taken_again(0);
        fakes.tsc += b->process->tsc_khz * 20;
    }
    fakes.tsc += b->process->tsc_khz * 2000;
    for (unsigned i = 0; i < 2 * (REFUSED_TIMES - 1); i++) /* by each of two vCPUs */
        taken_again(i % 2);
    page.state.rip++; /* at another place */
    b->memory.base[CODE + 1] = 0xcc;
    taken_again(0);
    code("\x8b\x03", 2); /* mov eax, [rbx]: what was there before */
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_STATE);
    assert_int_equal(page.state.rip, CODE + 2);
    assert_int_equal(fakes.log_size, 0);
}

/* In memory the processor does in one step what would be two here. */
static void mmio_modifies_memory(void **state)
{
    code("\xf0\xff\x03", 3); /* lock inc dword [rbx] */
    b->memory.base[DATA] = 7;
    page.state.gpr[GPR_RBX] = DATA;
    page.mmio.address = page.mmio.linear = 0xd0000000;
    page.mmio.linear_valid = page.mmio.write = 1;
    taken_again(0);
    code("\xf0\x0f\xc7\x0b", 4); /* lock cmpxchg8b [rbx] */
    taken_again(0);
    assert_int_equal(b->memory.base[DATA], 7);
    code("\xf0\xff\x03", 3);
    page.state.gpr[GPR_RBX] = 0xd0000000;
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_STATE);
    page.state.gpr[GPR_RBX] = DATA;
    code("\xf0\xff\x03", 3);
    page.mmio.linear_valid = 0; /* its page table is in device memory */
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_STATE);
    assert_int_equal(b->memory.base[DATA], 8);
    page.mmio.linear_valid = 1;
    code("\xff\x33", 2); /* push qword [rbx]: any order will do */
    page.state.gpr[GPR_RSP] = DATA + 64;
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_STATE);
    assert_int_equal(b->memory.base[DATA + 56], 8);
}

/* It would need the shadow stack. */
static void task_with_cet(void **state)
{
    page.kind = EXIT_TASK_SWITCH;
    page.state.cr4 |= CR4_CET;
    EXPECT_STOP(exit_handle(b, 0, &page));
    assert_int_equal(fakes.stop, GATE_STOP_FAULT);
    assert_non_null(strstr(fakes.stop_text, "switches tasks with CR4.CET"));
}

static void eoi_and_events(void **state)
{
    board_store(b, 0, 0xfec00000, 4, 0x10 + 2 * 9);
    board_store(b, 0, 0xfec00010, 4, 0x8052);
    ioapic_set_line(&b->ioapic, 9, true);
    assert_int_equal(fakes.messages, 1);
    page.kind = EXIT_EOI;
    page.eoi.vector = 0x52;
    exit_handle(b, 0, &page);
    assert_int_equal(fakes.messages, 2);
    page.kind = EXIT_EVENTS;
    page.events = EVENT_CHANNEL(0);
    fake_console_type("x", CONSOLE_TEXT);
    exit_handle(b, 0, &page);
    assert_int_equal(page.reply, REPLY_DONE);
    assert_int_equal(board_in(b, 0, 0x3f8, 1), 'x');
    page.events = EVENT_CLOCK | EVENT_WALL_CLOCK;
    page.clock = (struct exit_clock){.system_time = DATA | CLOCK_ENABLED, .wall_clock = DATA + 64};
    exit_handle(b, 0, &page);
    assert_int_equal(*(uint32_t *)(b->memory.base + DATA), 2);
    assert_in_range(*(uint32_t *)(b->memory.base + DATA + 68), 1699999999, 1700000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(start, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(start_fails, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(io, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(outs, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(long_string, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(string_address_sizes, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(string_fault, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(mmio, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(mmio_across_pages, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(mmio_known_page, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(mmio_fault, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(mmio_fetch, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(steps, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(watched, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(mmio_unsupported, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(mmio_replaced, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(mmio_modifies_memory, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(task_with_cet, started_setup, started_teardown),
        cmocka_unit_test_setup_teardown(eoi_and_events, started_setup, started_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
