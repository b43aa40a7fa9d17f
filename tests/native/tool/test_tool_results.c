/* SPDX-License-Identifier: BSD-2-Clause */
/* What is told of a run: each VM's end, its console in a file, names of places. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Before cmocka, which has a macro of the name of one of the functions. */
#include "tool/actions.h"
#include "tool/console_log.h"
#include "tool/outcome.h"
#include "tool/results.h"
#include "tool/symbol.h"

#include <cmocka.h>

static struct machine machine;

static void make_machine(void)
{
    machine = (struct machine){.plan.vm_count = 3, .success = {0, 33, 0}};
    strcpy(machine.plan.vms[0].name, "a");
    strcpy(machine.plan.vms[1].name, "a.b");
    strcpy(machine.plan.vms[2].name, "c");
    for (unsigned i = 0; i < 3; i++) {
        machine.plan.vms[i].vcpus = 1;
        machine.plan.channels[machine.plan.channel_count++] =
            (struct plan_channel){.kind = PLAN_CHANNEL_CONSOLE, .client = i};
    }
}

static void take(struct outcome *outcome, const char *lines)
{
    outcome_take(outcome, lines, strlen(lines));
}

static void each_end_of_a_vm_is_read(void **state)
{
    static const struct {
        const char *line;
        enum vm_end end;
        unsigned status;
        const char *why;
    } rows[] = {
        {"lintel: vm a: powered off: the guest switched itself off\r\n", VM_POWERED_OFF, 0,
         "the guest switched itself off"},
        {"lintel: vm a: powered off: exit status 35\r\n", VM_EXITED, 35, "exit status 35"},
        {"lintel: vm a: powered off: the guest reset itself\r\n", VM_RESET, 0,
         "the guest reset itself"},
        {"lintel: vm a: powered off: the guest halts for ever, at rip 10\r\n", VM_HALTED, 0,
         "the guest halts for ever, at rip 10"},
        {"lintel: vm a: stopped for a fault: a triple fault\r\n", VM_FAULT, 0, "a triple fault"},
        /* another VM, no VM, no line of the hypervisor's, no end */
        {"lintel: vm a.b: powered off: x\r\n", VM_RUNNING, 0, ""},
        {"lintel: vm aa: powered off: x\r\n", VM_RUNNING, 0, ""},
        {"[c] lintel: vm a: powered off: x\r\n", VM_RUNNING, 0, ""},
        {"lintel: vm a: restart\r\n", VM_RUNNING, 0, ""},
    };

    make_machine();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome outcome;
        outcome_begin(&outcome, &machine.plan);
        take(&outcome, rows[i].line);
        assert_int_equal(outcome.vms[0].end, rows[i].end);
        assert_int_equal(outcome.vms[0].status, rows[i].status);
        assert_string_equal(outcome.vms[0].why, rows[i].why);
        assert_int_equal(outcome_has_fault(&outcome), rows[i].end == VM_FAULT);
    }
}

/* What a guest prints in the hypervisor's name does not outlive the hypervisor's own line. */
static void the_last_line_of_a_vm_counts(void **state)
{
    struct outcome outcome;

    make_machine();
    outcome_begin(&outcome, &machine.plan);
    take(&outcome,
         "lintel: vm a: powered off: exit status 1\nlintel: vm a: stopped for a fault: it broke\n");
    assert_int_equal(outcome.vms[0].end, VM_FAULT);
    assert_string_equal(outcome.vms[0].why, "it broke");
}

static void places_are_read(void **state)
{
    struct outcome outcome;

    make_machine();
    outcome_begin(&outcome, &machine.plan);
    take(&outcome, "lintel: vm c: vcpu 0: rip 0010:ffffffff81000010 rflags 2\r\n"
                   "lintel: vm c: bytes at rip: 90\r\n");
    assert_int_equal(outcome.vms[2].located, 1);
    assert_true(outcome.vms[2].rip[0] == 0xffffffff81000010);
    assert_int_equal(outcome.vms[2].reported, 1);
    outcome_asked(&outcome); /* that was before */
    assert_false(outcome_all_reported(&outcome));
    take(&outcome,
         "lintel: vm a: powered off: x\r\nlintel: vm a.b: bytes at rip: cannot be read\r\n");
    assert_false(outcome_all_reported(&outcome));
    take(&outcome, "lintel: vm c: bytes at rip: 90\r\n");
    assert_true(outcome_all_reported(&outcome));
}

/* Of several vCPUs each is waited for, and one that is off has nothing to say. */
static void places_of_all_vcpus_are_read(void **state)
{
    struct outcome outcome;

    make_machine();
    machine.plan.vm_count = 1;
    machine.plan.vms[0].vcpus = 3;
    outcome_begin(&outcome, &machine.plan);
    outcome_asked(&outcome);
    take(&outcome, "lintel: vm a: vcpu 1: off: it waits for a SIPI\r\n"
                   "lintel: vm a: vcpu 2: rip 0010:20 rflags 2\r\n"
                   "lintel: vm a: bytes at rip: 90\r\n");
    assert_false(outcome_all_reported(&outcome));
    take(&outcome, "lintel: vm a: vcpu 3: rip 0010:30 rflags 2\r\n" /* there is none */
                   "lintel: vm a: vcpu 0: rip 0010:10 rflags 2\r\n");
    assert_false(outcome_all_reported(&outcome));
    take(&outcome, "lintel: vm a: bytes at rip: 90\r\n");
    assert_true(outcome_all_reported(&outcome));
    assert_int_equal(outcome.vms[0].located, 5);
    assert_int_equal(outcome.vms[0].rip[0], 0x10);
    assert_int_equal(outcome.vms[0].rip[2], 0x20);
}

static void actions_have_words(void **state)
{
    static const struct {
        enum plan_event event;
        const char *word;
        int action; /* -1: not possible */
    } rows[] = {
        {PLAN_ON_RESET, NULL, PLAN_AS_A_PC},
        {PLAN_ON_RESET, "restart", PLAN_RESTART},
        {PLAN_ON_RESET, "stop", PLAN_STOP},
        {PLAN_ON_RESET, "wait", -1},
        {PLAN_ON_FAULT, "restart", PLAN_RESTART},
        {PLAN_ON_FAULT, "stop", PLAN_STOP},
        {PLAN_ON_FAULT, "", -1},
        {PLAN_ON_HALT, "wait", PLAN_AS_A_PC},
        {PLAN_ON_HALT, "stop", PLAN_STOP},
        {PLAN_ON_HALT, "restart", PLAN_RESTART},
        {PLAN_ON_HALT, "never", -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t action;
        assert_int_equal(action_parse(rows[i].event, rows[i].word, &action), rows[i].action >= 0);
        if (rows[i].action >= 0)
            assert_int_equal(action, rows[i].action);
        else
            assert_null(strstr(action_words(rows[i].event), rows[i].word[0] ? rows[i].word : "x"));
    }
}

/* What a writer wrote, in a buffer that the next call overwrites. */
static const char *written(const struct results *results,
                           void (*writer)(const struct results *results, FILE *to))
{
    static char text[4096];
    FILE *to = fmemopen(text, sizeof(text), "w");

    writer(results, to);
    fclose(to);
    return text;
}

static void results_name_each_vm(void **state)
{
    struct outcome outcome;
    struct results results = {&machine, &outcome, "a \"<&\".yaml", "the \\ end", 5, 12034};

    make_machine();
    outcome_begin(&outcome, &machine.plan);
    take(&outcome, "lintel: vm a: stopped for a fault: \"<it>\" & broke\nlintel: vm a.b: powered "
                   "off: exit status 33\n"
                   "lintel: vm c: vcpu 0: rip 0010:0000000000100010 rflags 2\n");
    assert_string_equal(
        written(&results, results_write_json),
        "{\n  \"command\": \"run\",\n  \"version\": 1,\n  \"description\": \"a "
        "\\\"<&\\\".yaml\",\n  \"code\": 5,\n  \"seconds\": 12.034,\n"
        "  \"message\": \"the \\\\ end\",\n  \"vms\": [\n"
        "    {\"name\": \"a\", \"end\": \"fault\", \"good\": false, \"message\": \"\\\"<it>\\\" & "
        "broke\"},\n"
        "    {\"name\": \"a.b\", \"end\": \"exit\", \"good\": true, \"status\": 33, \"message\": "
        "\"exit status 33\"},\n"
        "    {\"name\": \"c\", \"end\": \"running\", \"good\": false, \"rip\": "
        "\"0000000000100010\", "
        "\"message\": \"the \\\\ end\"}\n  ]\n}\n");
    assert_string_equal(written(&results, results_write_junit),
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
                        "  <testsuite name=\"a &quot;&lt;&amp;&quot;.yaml\" tests=\"3\" "
                        "failures=\"1\" errors=\"1\" time=\"12.034\">\n"
                        "    <testcase classname=\"lintel\" name=\"a\" time=\"12.034\">\n"
                        "      <failure type=\"fault\" message=\"&quot;&lt;it>&quot; &amp; "
                        "broke\"/>\n    </testcase>\n"
                        "    <testcase classname=\"lintel\" name=\"a.b\" time=\"12.034\"/>\n"
                        "    <testcase classname=\"lintel\" name=\"c\" time=\"12.034\">\n"
                        "      <error type=\"running\" message=\"the \\ end\"/>\n    </testcase>\n"
                        "  </testsuite>\n</testsuites>\n");
}

static void results_name_each_vcpu(void **state)
{
    struct outcome outcome;
    struct results results = {&machine, &outcome, "a.yaml", "the end", 5, 0};

    make_machine();
    machine.plan.vms[2].vcpus = 3;
    outcome_begin(&outcome, &machine.plan);
    take(&outcome, "lintel: vm c: vcpu 2: rip 0010:20 rflags 2\n"
                   "lintel: vm c: vcpu 1: rip 0010:10 rflags 2\n");
    assert_non_null(strstr(written(&results, results_write_json),
                           "\"rip\": \"0000000000000010\", \"vcpus\": "
                           "[{\"vcpu\": 1, \"rip\": \"0000000000000010\"}, "
                           "{\"vcpu\": 2, \"rip\": \"0000000000000020\"}], \"message\""));
}

/* A file's contents and nothing else. */
static void assert_file(const char *name, const char *expected)
{
    char contents[4096];
    FILE *file = fopen(name, "r");

    assert_non_null(file);
    size_t length = fread(contents, 1, sizeof(contents) - 1, file);
    fclose(file);
    contents[length] = '\0';
    assert_string_equal(contents, expected);
}

/* However the bytes are cut into pieces. */
static void log_lines(bool labelled, const char *lines, const char *a, const char *b, const char *c)
{
    for (size_t step = 1; step < strlen(lines) + 1; step += 5) {
        struct console_log log;
        assert_int_equal(console_log_open(&log, &machine.plan, labelled, ".", "logs"), LINTEL_OK);
        for (size_t at = 0; at < strlen(lines); at += step) {
            size_t left = strlen(lines) - at;
            console_log_take(&log, lines + at, left < step ? left : step);
        }
        assert_int_equal(console_log_close(&log), LINTEL_OK);
        assert_file("console.log", lines);
        assert_file("logs/a.log", a);
        assert_file("logs/a.b.log", b);
        assert_file("logs/c.log", c);
    }
}

static void labelled_lines_are_split(void **state)
{
    make_machine();
    log_lines(true,
              "lintel: 8 start\n[a] one\n[a.b] two\n[a] \n[a] [c] three\nlintel: vm a: "
              "restart\n[x] rest of a\n"
              "[c] lintel: 4\n[a.b] end",
              "one\n\n[c] three\n[x] rest of a\n", "two\nend", "lintel: 4\n");
}

static void consoles_in_turn_are_split(void **state)
{
    make_machine();
    log_lines(false,
              "lintel: 8 start\n[c] one\nli\nlintel: console of vm a.b\ntwo\nlintel: console of vm "
              "c, 7 bytes not kept\nthree\n"
              "lintel: vm c: powered off: x\nfour\nlintel: vm a.b: stopped for a fault: x\n"
              "lintel: console of vm a\n# ",
              "[c] one\nli\n# ", "two\nfour\n", "three\n");
}

static void logs_that_cannot_be_made(void **state)
{
    struct console_log log;

    make_machine();
    assert_int_equal(console_log_open(&log, &machine.plan, false, NULL, "no/such/folder"),
                     LINTEL_MACHINE);
}

/* A kernel at 100000h that is linked at the top of the addresses, with three symbols. */
struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    Elf64_Shdr sections[3];
    Elf64_Sym symbols[4];
    char strings[32];
};

#define LINKED 0xffffffff80100000

static void make_image(struct image *image)
{
    *image = (struct image){
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64},
                   .e_phoff = offsetof(struct image, segment),
                   .e_phnum = 1,
                   .e_shoff = offsetof(struct image, sections),
                   .e_shentsize = sizeof(Elf64_Shdr),
                   .e_shnum = 3},
        .segment = {.p_type = PT_LOAD, .p_paddr = 0x100000, .p_vaddr = LINKED, .p_memsz = 0x1000},
        .sections = {{0},
                     {.sh_type = SHT_SYMTAB,
                      .sh_link = 2,
                      .sh_offset = offsetof(struct image, symbols),
                      .sh_size = sizeof(image->symbols)},
                     {.sh_offset = offsetof(struct image, strings), .sh_size = 32}},
        .symbols = {{0},
                    {1, ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), 0, 1, LINKED, 0},
                    {7, ELF64_ST_INFO(STB_LOCAL, STT_FUNC), 0, 1, LINKED + 0x10, 0x10},
                    {12, ELF64_ST_INFO(STB_LOCAL, STT_OBJECT), 0, 1, LINKED + 0x18, 4}},
        .strings = "\0start\0main\0data",
    };
}

static void assert_symbol(const struct image *image, size_t size, uint64_t address,
                          const char *expected)
{
    char *found = symbol_in((const uint8_t *)image, size, address);

    if (expected)
        assert_string_equal(found, expected);
    else
        assert_null(found);
    free(found);
}

static void symbols_are_found(void **state)
{
    struct image image;

    make_image(&image);
    assert_symbol(&image, sizeof(image), LINKED, "start+0x0");
    assert_symbol(&image, sizeof(image), LINKED + 0x1f, "main+0xf");
    assert_symbol(&image, sizeof(image), LINKED + 0x20, "start+0x20");
    assert_symbol(&image, sizeof(image), 0x10001a, "main+0xa"); /* where it is loaded */
    assert_symbol(&image, sizeof(image), LINKED - 1, NULL);
    assert_symbol(&image, sizeof(image), 0x101000, NULL);
}

/* Whatever is in the file, reading stays in it; the sanitizers watch. */
static void damaged_images_have_no_symbols(void **state)
{
    struct image image;

    srandom(1);
    for (size_t size = 0; size < sizeof(image); size++) {
        uint8_t *copy = malloc(size + 1);
        make_image(&image);
        memcpy(copy, &image, size);
        free(symbol_in(copy, size, LINKED + 0x12));
        free(copy);
    }
    for (unsigned i = 0; i < 20000; i++) {
        make_image(&image);
        for (unsigned j = 0; j < 4; j++)
            ((uint8_t *)&image)[4 + (unsigned)random() % (sizeof(image) - 4)] ^= 1 << random() % 8;
        free(symbol_in((uint8_t *)&image, sizeof(image), random() % 2 ? LINKED + 0x12 : 0x100012));
    }
}

/* Each piece, and what is written of it as JSON and in the XML; "": as it is. */
static void what_is_written_is_utf8(void **state)
{
    static const struct {
        const char *in, *json, *xml;
    } rows[] = {
        {"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7z", "", ""},
        {"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", "", ""},
        {"\xe4z", "\\ufffdz", "?z"},
        {"\xc3", "\\ufffd", "?"}, /* cut off */
        {"\xe2\x82", "\\ufffd\\ufffd", "??"},
        {"\xc0\xaf", "\\ufffd\\ufffd", "??"}, /* longer than needed */
        {"\xe0\x9f\xbf", "\\ufffd\\ufffd\\ufffd", "???"},
        {"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd", "???"},             /* half of a pair of UTF-16 */
        {"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd", "????"}, /* above 10ffffh */
        {"\x01\x7f", "\\u0001\x7f", "?\x7f"},
    };
    struct outcome outcome;
    char wanted[64];

    make_machine();
    outcome_begin(&outcome, &machine.plan);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct results results = {&machine, &outcome, rows[i].in, NULL, 0, 0};
        snprintf(wanted, sizeof(wanted), "\"description\": \"%s\"",
                 rows[i].json[0] ? rows[i].json : rows[i].in);
        assert_non_null(strstr(written(&results, results_write_json), wanted));
        snprintf(wanted, sizeof(wanted), "<testsuite name=\"%s\"",
                 rows[i].xml[0] ? rows[i].xml : rows[i].in);
        assert_non_null(strstr(written(&results, results_write_junit), wanted));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_end_of_a_vm_is_read),
        cmocka_unit_test(the_last_line_of_a_vm_counts),
        cmocka_unit_test(places_are_read),
        cmocka_unit_test(places_of_all_vcpus_are_read),
        cmocka_unit_test(actions_have_words),
        cmocka_unit_test(results_name_each_vm),
        cmocka_unit_test(results_name_each_vcpu),
        cmocka_unit_test(what_is_written_is_utf8),
        cmocka_unit_test(labelled_lines_are_split),
        cmocka_unit_test(consoles_in_turn_are_split),
        cmocka_unit_test(logs_that_cannot_be_made),
        cmocka_unit_test(symbols_are_found),
        cmocka_unit_test(damaged_images_have_no_symbols),
    };
    char folder[] = "/tmp/lintel-test-XXXXXX";

    if (!mkdtemp(folder) || chdir(folder) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    static const char *const left[] = {"logs/a.log", "logs/a.b.log", "logs/c.log", "logs",
                                       "console.log"};
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
        remove(left[i]);
    rmdir(folder);
    return failed;
}
