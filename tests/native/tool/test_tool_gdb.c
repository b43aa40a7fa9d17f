/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gdb's server without gdb and without a machine: packets, addresses, what it is asked and what it
 * asks for; and packets of chance, whole and damaged ones, for a machine that answers anything: the
 * sanitizers see the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* the tool's report.h has a function of that name */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/gdb_registers.h"
#include "tool/gdb_session.h"
#include "tool/gdb_walk.h"

#define MEMORY 0x10000u
#define ROUNDS 60000u

static uint8_t memory[MEMORY];
static struct gate_registers registers;
static struct gate_stopped stopped;
static uint64_t last_command;
static uint32_t vm_state; /* enum control_vm_state */
static bool anything;     /* the machine answers what it likes */
static char sent[0x20000];
static size_t sent_size;
static struct gdb_target target;
static struct gdb_session session;
static struct control_line control_line;

static void debug_command(uint64_t what, struct control_answer *a)
{
    last_command = what != GATE_DEBUG_LOOK ? what : last_command;
    if (what == GATE_DEBUG_STOP && stopped.why == GATE_STOPPED_NOT)
        stopped.why = GATE_STOPPED_ASKED;
    if (what > GATE_DEBUG_STOP)
        stopped.why = GATE_STOPPED_NOT;
    memcpy(a->data, &stopped, sizeof(stopped));
}

static enum control_error any_answer(struct control_answer *a)
{
    for (size_t i = 0; i < sizeof(a->data); i++)
        a->data[i] = (uint8_t)(rand() % 3 ? 0 : rand());
    a->size = (uint16_t)(rand() % (CONTROL_DATA + 1));
    return rand() % 50 ? CONTROL_OK : (enum control_error)(rand() % CONTROL_SILENT);
}

enum control_error control_line_ask(struct control_line *line, enum control_call call, unsigned vm,
                                    uint64_t argument, struct control_answer *a)
{
    uint64_t at = CONTROL_ADDRESS(argument), size = argument >> 56;
    uint32_t word = (uint32_t)argument;

    *a = (struct control_answer){0};
    if (anything)
        return any_answer(a);
    switch (call) {
    case CONTROL_CALL_LOOK:
        memcpy(a->data + offsetof(struct control_vm, state), &vm_state, sizeof(vm_state));
        return CONTROL_OK;
    case CONTROL_CALL_DEBUG:
        if (vm_state == CONTROL_VM_STOPPED && argument & GATE_DEBUG_GO)
            return CONTROL_STATE;
        debug_command(argument & 0xff, a);
        return CONTROL_OK;
    case CONTROL_CALL_REGISTERS:
        memcpy(a->data, &registers, sizeof(registers));
        return CONTROL_OK;
    case CONTROL_CALL_SET:
        memcpy((uint8_t *)&registers + (argument >> 32) * sizeof(word), &word, sizeof(word));
        return CONTROL_OK;
    case CONTROL_CALL_READ:
        if (at + size > MEMORY)
            return CONTROL_NO_VM;
        memcpy(a->data, memory + at, size);
        return CONTROL_OK;
    case CONTROL_CALL_POKE:
    case CONTROL_CALL_PATCH:
        if (at >= MEMORY)
            return CONTROL_NO_VM;
        a->data[0] = call == CONTROL_CALL_PATCH && memory[at] == 0xcc ? 0x11 : memory[at];
        memory[at] = call == CONTROL_CALL_POKE ? (uint8_t)size : size ? 0xcc : 0x11;
        return CONTROL_OK;
    default:
        return CONTROL_NO_CALL;
    }
}

static void keep(void *context, const char *bytes, size_t size)
{
    if (sent_size + size < sizeof(sent))
        memcpy(sent + sent_size, bytes, size);
    sent_size += sent_size + size < sizeof(sent) ? size : 0;
    sent[sent_size] = '\0';
}

static int begin(void **state)
{
    memset(memory, 0, sizeof(memory));
    registers = (struct gate_registers){0};
    stopped = (struct gate_stopped){.why = GATE_STOPPED_ASKED};
    target = (struct gdb_target){.line = &control_line, .name = "a", .vcpus = 1};
    session = (struct gdb_session){.target = &target, .send = keep, .no_acks = true};
    target.stopped[0] = stopped;
    anything = false;
    vm_state = CONTROL_VM_RUNS;
    return 0;
}

/* What is answered to a packet, without the frame. */
static const char *ask_bytes(const char *data, size_t size)
{
    char packet[0x1000];

    sent_size = 0;
    sent[0] = '\0';
    gdb_session_take(&session, packet, gdb_packet_make(packet, data, size));
    if (sent_size < 4)
        return "";
    sent[sent_size - 3] = '\0';
    return sent + 1;
}

static const char *ask(const char *data)
{
    return ask_bytes(data, strlen(data));
}

static void packets_are_found(void **state)
{
    static const char good[] = "+$qC#b4", damaged[] = "$qC#b5", again[] = "$?$qC#b4";

    session.no_acks = false;
    sent_size = 0;
    gdb_session_take(&session, good, sizeof(good) - 1);
    assert_string_equal(sent, "+$QC1#c5");
    sent_size = 0;
    gdb_session_take(&session, "-", 1); /* it has not arrived */
    assert_string_equal(sent, "$QC1#c5");
    sent_size = 0;
    gdb_session_take(&session, damaged, sizeof(damaged) - 1);
    assert_string_equal(sent, "-");
    sent_size = 0;
    gdb_session_take(&session, again, sizeof(again) - 1);
    assert_string_equal(sent, "+$QC1#c5");
    assert_string_equal(ask("QStartNoAckMode") + 1, "OK");
    assert_string_equal(ask("qC"), "QC1");
    assert_string_equal(ask("vMustReplyEmpty"), "");
}

static void memory_and_registers(void **state)
{
    registers.state.gpr[GPR_RBX] = 0x1122334455667788;
    assert_string_equal(ask("p1"), "8877665544332211");
    assert_string_equal(ask("P1=0100000000000080"), "OK");
    assert_true(registers.state.gpr[GPR_RBX] == 0x8000000000000001);
    assert_string_equal(ask("P12=01000000"), "E01"); /* CS */
    assert_string_equal(ask("p7f"), "E01");
    assert_int_equal(strlen(ask("g")),
                     2 * (16 * 8 + 8 + 4 + 6 * 4 + 8 * 10 + 8 * 4 + 16 * 16 + 4 + 2 * 8 + 6 * 8));
    assert_string_equal(ask("M1ff0,4:01020304"), "OK");
    assert_string_equal(ask("m1fee,8"), "0000010203040000");
    assert_string_equal(ask_bytes("X2000,3:}]#", 10 + 1), "OK");
    assert_int_equal(memory[0x2001], ']');
    assert_string_equal(ask("mffff,8"), "00");
    assert_string_equal(ask("m10000,8"), "E0e");
    assert_string_equal(ask("m,8"), "E01");
    assert_string_equal(ask("M1000,8:00"), "E01");
}

static void breakpoints_are_not_seen(void **state)
{
    memory[0x300] = 0x55;
    assert_string_equal(ask("Z0,300,1"), "OK");
    assert_int_equal(memory[0x300], 0xcc);
    assert_string_equal(ask("m2ff,3"), "005500");
    assert_string_equal(ask("z0,300,1"), "OK");
    assert_string_equal(ask("Z1,400,1"), "OK");
    assert_true(registers.state.dr[3] == 0x400 && registers.state.dr7 == 0x480);
    assert_string_equal(ask("Z2,408,8"), "OK");
    assert_true(registers.state.dr[2] == 0x408 && registers.state.dr7 == 0x090004a0);
    assert_string_equal(ask("Z3,408,8"), "");
    assert_string_equal(ask("Z4,409,2"), "E01");
    assert_string_equal(ask("Z4,410,2"), "OK");
    assert_string_equal(ask("Z4,420,4"), "OK");
    assert_string_equal(ask("Z4,430,1"), "E01");
    assert_string_equal(ask("z1,400,1"), "OK");
    assert_string_equal(ask("Z4,430,1"), "OK");
}

static void stop_again(uint32_t reason, uint32_t vector, uint64_t qualification)
{
    stopped = (struct gate_stopped){GATE_STOPPED_EXIT, reason, vector, 0, qualification};
    sent_size = 0;
    gdb_session_look(&session);
}

static void it_says_why_it_stops(void **state)
{
    assert_string_equal(ask("?"), "T02thread:1;");
    assert_string_equal(ask("vCont?"), "vCont;c;C;s;S");
    ask("Z2,408,8");
    assert_string_equal(ask("vCont;c"), "");
    assert_int_equal(last_command, GATE_DEBUG_GO);
    assert_string_equal(ask("m0,1"), ""); /* while it runs nothing is answered */
    stop_again(0, 1, 8);
    assert_memory_equal(sent, "$T05thread:1;watch:408;#", 24);
    ask("Z0,300,1");
    ask("vCont;s:1;c");
    assert_int_equal(last_command, GATE_DEBUG_GO | GATE_DEBUG_STEP);
    stop_again(0, 1, 0x4000); /* TF of the guest's own */
    assert_int_equal(sent_size, 0);
    assert_int_equal(last_command, GATE_DEBUG_GO | GATE_DEBUG_STEP | GATE_DEBUG_REFLECT);
    registers.state.rip = 0x300;
    stop_again(0, 3, 0);
    assert_memory_equal(sent, "$T05thread:1;swbreak:;#", 23);
    registers.state.rip = 0x301; /* one of the guest's own */
    ask("c");
    stop_again(0, 3, 0);
    assert_int_equal(sent_size, 0);
    assert_int_equal(last_command, GATE_DEBUG_GO | GATE_DEBUG_REFLECT);
    stop_again(0, 17, 0); /* #AC */
    assert_int_equal(sent_size, 0);
    stop_again(2, 0, 0);
    assert_memory_equal(sent, "$T0bthread:1;#", 14);
    ask("c");
    assert_int_equal(last_command, GATE_DEBUG_GO | GATE_DEBUG_REFLECT);
    gdb_session_take(&session, "\x03", 1);
    assert_int_equal(last_command, GATE_DEBUG_STOP);
    assert_string_equal(ask("D"), "OK");
    assert_true(session.ends);
}

/* By somebody else, while it runs, and while it stands. */
static void a_vm_that_is_stopped_ends_the_session(void **state)
{
    assert_string_equal(ask("c"), "");
    stopped.why = GATE_STOPPED_NOT;
    vm_state = CONTROL_VM_STOPPED;
    sent_size = 0;
    gdb_session_look(&session);
    assert_memory_equal(sent, "$X0f#", 5);
    assert_true(session.ends && !session.runs);
    begin(state);
    vm_state = CONTROL_VM_STOPPED;
    assert_string_equal(ask("s"), "X0f");
    assert_true(session.ends);
}

static void threads_are_chosen(void **state)
{
    target.vcpus = 2;
    assert_string_equal(ask("Hg2"), "OK");
    assert_string_equal(ask("Hg3"), "E01");
    assert_string_equal(ask("Hg-1"), "OK"); /* any: as it was */
    assert_string_equal(ask("Hg0"), "OK");
    assert_string_equal(ask("qC"), "QC2");
}

/* So gdb steps over its own breakpoints: the other one stands all the while. */
static void of_two_the_one_that_steps_is_told(void **state)
{
    target.vcpus = 2;
    ask("vCont;s:2");
    stopped = (struct gate_stopped){.why = GATE_STOPPED_STEP};
    sent_size = 0;
    gdb_session_look(&session);
    assert_memory_equal(sent, "$T05thread:2;#", 14);
}

static void documents_come_in_pieces(void **state)
{
    char whole[0x8000] = "", command[64];
    size_t length = 0;
    const char *piece;

    do {
        snprintf(command, sizeof(command), "qXfer:features:read:target.xml:%zx,123", length);
        piece = ask(command);
        for (const char *at = piece + 1; *at; at++)
            whole[length++] = *at == '}' ? *++at ^ 0x20 : *at;
    } while (piece[0] == 'm');
    assert_string_equal(whole, gdb_description);
    assert_memory_equal(ask("qXfer:threads:read::0,1000"), "l<?xml", 6);
    assert_string_equal(ask("qRcmd,7a"), ask("qRcmd,68656c70")); /* what is not known is help */
}

static bool read_entry(void *context, uint64_t gpa, unsigned size, uint64_t *entry)
{
    *entry = 0;
    if (gpa > MEMORY - size)
        return false;
    memcpy(entry, memory + gpa, size);
    return true;
}

static void put(uint64_t gpa, uint64_t entry)
{
    memcpy(memory + gpa, &entry, sizeof(entry));
}

static void addresses_are_walked(void **state)
{
    struct guest_state s = {.cr0 = 1u << 31, .cr4 = 1u << 5, .efer = 1u << 10, .cr3 = 0x1000};
    uint64_t gpa;

    put(0x1ff8, 0x2001); /* the last 512 GiB, */
    put(0x2ff0, 0x3001); /* their GiB before the last, */
    put(0x3000, 0x4001);
    put(0x3008, 0x8000000000600083); /* a page of 2 MiB */
    put(0x4008, 0x8000000000005003);
    assert_true(gdb_walk(&s, 0xffffffff80001234, read_entry, NULL, &gpa));
    assert_int_equal(gpa, 0x5234);
    assert_true(gdb_walk(&s, 0xffffffff80212345, read_entry, NULL, &gpa));
    assert_int_equal(gpa, 0x612345);
    assert_false(gdb_walk(&s, 0xffffffff80000000, read_entry, NULL, &gpa));
    assert_false(gdb_walk(&s, 0x7fff80001234, read_entry, NULL, &gpa));
    s.efer = 0; /* PAE */
    s.pdpte[3] = 0x3001;
    assert_true(gdb_walk(&s, 0xc0001234, read_entry, NULL, &gpa));
    assert_int_equal(gpa, 0x5234);
    assert_false(gdb_walk(&s, 0x1234, read_entry, NULL, &gpa));
    s.cr4 = 1u << 4; /* 32 bits */
    put(0x1000, 0x2001);
    put(0x1004, 0x00802083); /* 4 MiB, with a bit above 4 GiB */
    put(0x2004, 0x7001);
    assert_true(gdb_walk(&s, 0x1234, read_entry, NULL, &gpa));
    assert_int_equal(gpa, 0x7234);
    assert_true(gdb_walk(&s, 0x412345, read_entry, NULL, &gpa));
    assert_true(gpa == 0x100812345);
    s.cr0 = 0;
    assert_true(gdb_walk(&s, 0x100000042, read_entry, NULL, &gpa));
    assert_int_equal(gpa, 0x42);
}

/* A packet of chance: often nearly one that there is. */
static size_t any_packet(char *to, size_t size)
{
    static const char *const seeds[] = {"g",
                                        "p1",
                                        "P1=0100000000000080",
                                        "G0000",
                                        "m100,40",
                                        "M100,2:0102",
                                        "X100,2:ab",
                                        "c",
                                        "s",
                                        "vCont;s:1;c",
                                        "Z0,300,1",
                                        "z0,300,1",
                                        "Z2,408,8",
                                        "Z4,10,1",
                                        "Hg1",
                                        "T1",
                                        "?",
                                        "qC",
                                        "qSupported:swbreak+",
                                        "qXfer:features:read:target.xml:0,100",
                                        "qRcmd,65786974",
                                        "qRcmd,6d7372206c73746172",
                                        "qRcmd,72656773",
                                        "qfThreadInfo",
                                        "vCont;C05:-1",
                                        "Hc-1",
                                        "Hg-1",
                                        "qXfer:threads:read::0,40"};
    char data[200];
    const char *seed = seeds[(size_t)rand() % (sizeof(seeds) / sizeof(seeds[0]))];
    size_t length = strlen(seed);

    memcpy(data, seed, length);
    for (int i = rand() % 4; i > 0; i--)
        data[(size_t)rand() % length] = (char)rand();
    if (rand() % 8 == 0)
        length = (size_t)rand() % (length + 1);
    while (rand() % 4 == 0 && length < sizeof(data))
        data[length++] = (char)(rand() % 2 ? rand() : 'f');
    size_t made = gdb_packet_make(to, data, length);
    if (rand() % 20 == 0)
        to[(size_t)rand() % made] = (char)rand();
    return made;
}

static void whatever_comes(void **state)
{
    char packet[500];

    srand(1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (round % 500 == 0) {
            begin(NULL);
            session.no_acks = round % 1000 == 0;
        }
        anything = round % 4 != 0;
        sent_size = 0;
        size_t size = any_packet(packet, sizeof(packet));
        gdb_session_take(&session, packet, size);
        assert_in_range(target.patch_count, 0, CONTROL_PATCHES);
        if (session.runs) {
            gdb_session_look(&session);
            gdb_session_take(&session, "\x03", 1);
        }
        target.gone = session.ends = false;
    }
    gdb_session_end(&session);
}

/* One that has no end is not kept. */
static void a_packet_has_an_end(void **state)
{
    session.no_acks = false;
    sent_size = 0;
    gdb_session_take(&session, "$", 1);
    for (unsigned i = 0; i < 3 * GDB_PACKET_MAX; i++)
        gdb_session_take(&session, "a", 1);
    gdb_session_take(&session, "#00", 3);
    assert_string_equal(sent, "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(packets_are_found, begin),
        cmocka_unit_test_setup(memory_and_registers, begin),
        cmocka_unit_test_setup(breakpoints_are_not_seen, begin),
        cmocka_unit_test_setup(it_says_why_it_stops, begin),
        cmocka_unit_test_setup(a_vm_that_is_stopped_ends_the_session, begin),
        cmocka_unit_test_setup(threads_are_chosen, begin),
        cmocka_unit_test_setup(of_two_the_one_that_steps_is_told, begin),
        cmocka_unit_test_setup(documents_come_in_pieces, begin),
        cmocka_unit_test_setup(addresses_are_walked, begin),
        cmocka_unit_test_setup(a_packet_has_an_end, begin),
        cmocka_unit_test_setup(whatever_comes, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
