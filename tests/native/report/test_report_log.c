/* SPDX-License-Identifier: BSD-2-Clause */
/* The log ring: who prints, what is kept for whom, and a console that says nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hypervisor/report/log.h"
#include "services/console/log.h"
#include "tests/native/report/line.h"

static unsigned told;

static void grown(void)
{
    told++;
}

static int setup(void **state)
{
    line_reset();
    told = 0;
    return 0;
}

static void hand_over(void)
{
    log_hand_over(grown);
    log_open(&log_pages);
}

static void early_lines(void **state)
{
    log_line("one and %d", 2);
    log_line("three");
    assert_string_equal(line.sent, "lintel: one and 2\r\nlintel: three\r\n");
    assert_int_equal(log_pages.reader.head, log_pages.ring.tail);
}

/* From there on the console reads, each record once and in order; what ring 0 has printed is not
 * among them. */
static void console_reads(void **state)
{
    struct log_entry entry;

    log_line("early");
    hand_over();
    assert_false(log_peek(&entry));
    log_line("mine");
    log_record(LOG_VM_ENDED, 3, "vm x: powered off");
    log_record(LOG_END, LOG_NO_VM, "end: %u VMs", 1);
    assert_int_equal(told, 3);
    assert_string_equal(line.sent, "lintel: early\r\n");
    assert_true(log_peek(&entry));
    assert_int_equal(entry.is.kind, LOG_LINE);
    assert_int_equal(entry.is.vm, LOG_NO_VM);
    assert_int_equal(entry.is.length, 4);
    assert_memory_equal(entry.text, "mine", 4);
    log_next(&entry);
    assert_true(log_peek(&entry));
    assert_int_equal(entry.is.kind, LOG_VM_ENDED);
    assert_int_equal(entry.is.vm, 3);
    log_next(&entry);
    assert_true(log_peek(&entry));
    assert_int_equal(entry.is.kind, LOG_END);
    assert_memory_equal(entry.text, "end: 1 VMs", 10);
    log_next(&entry);
    assert_false(log_peek(&entry));
    assert_int_equal(log_pages.reader.head, log_pages.ring.tail);
}

/* The console's queue. */
static void queue(const char *text)
{
    struct log_reader *r = &log_pages.reader;

    for (; *text != '\0'; text++)
        r->queue[r->queued++ % LOG_QUEUE_SIZE] = *text;
}

/* What is not out comes out in its order, once, and what follows is on a line of its own. */
static void taken_back(void **state)
{
    struct log_entry entry;

    hand_over();
    log_line("read");
    log_line("not read");
    assert_true(log_peek(&entry));
    log_next(&entry);
    log_pages.reader.sent = log_pages.reader.queued = UINT32_MAX - 5;
    queue("lintel: read\r\na VM has written ha");
    log_pages.reader.sent += 3;
    log_take_back();
    log_line("panic: x");
    log_take_back();
    assert_string_equal(line.sent, "tel: read\r\na VM has written ha\r\nlintel: not read\r\n"
                                   "lintel: panic: x\r\n");
    assert_int_equal(told, 2);
}

/* A queue that ends with a line, and one whose positions make no sense. */
static void queues(void **state)
{
    hand_over();
    queue("a line\r\n");
    log_take_back();
    assert_string_equal(line.sent, "a line\r\n");
    for (uint32_t wild = LOG_QUEUE_SIZE + 1; wild >= LOG_QUEUE_SIZE; wild *= 3) {
        hand_over();
        log_pages.reader.queued = log_pages.reader.sent + wild;
        line_reset();
        log_line("own");
        log_take_back();
        assert_int_equal(line_count("lintel: own\r\n"), 1);
        assert_in_range(line.length, 0, 20);
        log_pages.reader.sent = log_pages.reader.queued;
    }
}

/* A console that looks by itself is not told. */
static void looks(void **state)
{
    hand_over();
    log_look(true);
    log_line("one");
    assert_int_equal(told, 0);
    log_look(false);
    log_line("two");
    assert_int_equal(told, 1);
}

/* The last words of a VM are found, whether they are the next or not. */
static void tells_end(void **state)
{
    struct log_entry entry;

    hand_over();
    log_line("a line");
    log_record(LOG_LINE, 1, "about one");
    log_record(LOG_VM_ENDED, 2, "the end of another one");
    assert_true(log_tells_end(2));
    assert_false(log_tells_end(1));
    while (log_peek(&entry))
        log_next(&entry);
    assert_false(log_tells_end(2));
}

/* Many times around, with texts of all lengths, the longest cut. */
static void around(void **state)
{
    struct log_entry entry;
    char text[2 * LOG_LINE_MAX];

    hand_over();
    for (size_t i = 0; i < 10000; i++) {
        size_t length = i % sizeof(text);
        memset(text, 'a' + (int)(i % 26), sizeof(text));
        text[length] = '\0';
        log_line("%s", text);
        assert_true(log_peek(&entry));
        assert_int_equal(entry.is.length, length < LOG_LINE_MAX ? length : LOG_LINE_MAX - 1);
        assert_memory_equal(entry.text, text, entry.is.length);
        log_next(&entry);
        assert_false(log_peek(&entry));
    }
}

/* A console that does not read: processes' lines find no room long before ring 0's own do, and what
 * is in the ring stays as it is. */
static void full(void **state)
{
    size_t lines = 0, room = log_room();

    hand_over();
    log_line("the first");
    for (; log_room() > 2 * LOG_LINE_MAX; lines++)
        log_line("%0200d", 0);
    assert_in_range(lines * 200, room - room / 10, room);
    for (int i = 0; i < 150; i++)
        log_line("own %0194d", i);
    assert_int_equal(log_room(), 0);
    for (int i = 0; i < 1000; i++)
        log_line("%0200d", 0);
    assert_in_range(log_pages.ring.tail - log_pages.reader.head, LOG_RING_SIZE - 256,
                    LOG_RING_SIZE);
    log_take_back();
    assert_int_equal(line_count("lintel: the first\r\n"), 1);
    assert_int_equal(line_count("lintel: own 0"), 150);
}

/* Whatever it writes into its page, ring 0 stays within the ring, comes to an end, and its own
 * lines are there from then on. */
static void wild_heads(void **state)
{
    static const uint64_t offsets[] = {
        1,       2,       3,       4,          5,          64,         300,
        0x10000, 0x10001, 0x10004, 1ULL << 32, 1ULL << 63, UINT64_MAX, UINT64_MAX - 3};
    struct log_entry entry;

    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        for (int back = 0; back < 2; back++) {
            hand_over();
            for (int n = 0; n < 1000; n++)
                log_line("%0*d", n % 100 + 1, n);
            uint64_t tail = log_pages.ring.tail;
            log_pages.reader.head = back ? tail - offsets[i] : tail + offsets[i];
            log_open(&log_pages); /* it was started again */
            for (unsigned n = 0; n < LOG_RING_SIZE && log_peek(&entry); n++)
                log_next(&entry);
            assert_false(log_peek(&entry));
            log_pages.reader.head = back ? tail - offsets[i] : tail + offsets[i];
            log_line("more");
            line_reset();
            log_line("own");
            assert_string_equal(line.sent, "lintel: own\r\n");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(early_lines, setup), cmocka_unit_test_setup(console_reads, setup),
        cmocka_unit_test_setup(taken_back, setup),  cmocka_unit_test_setup(queues, setup),
        cmocka_unit_test_setup(looks, setup),       cmocka_unit_test_setup(tells_end, setup),
        cmocka_unit_test_setup(around, setup),      cmocka_unit_test_setup(full, setup),
        cmocka_unit_test_setup(wild_heads, setup),
    };

    return cmocka_run_group_tests_name("the log", tests, NULL, NULL);
}
