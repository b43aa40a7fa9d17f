/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace, for who asks at the port: whom it is of, and its records, packed and unpacked. */
#include "control_machine.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bits.h"
#include "lib/trace_pack.h"

static void vms_and_processes_are_traced(void **state)
{
    begin();
    assert_int_equal(ask(CONTROL_CALL_TRACE, 1, CONTROL_TRACE_ON).error, CONTROL_OK);
    assert_int_equal(ask(CONTROL_CALL_TRACE, 2, CONTROL_TRACE_ON | CONTROL_TRACE_PROCESS).error,
                     CONTROL_OK);
    assert_int_equal(machine.traced.vms, 2);
    assert_int_equal(machine.traced.processes, 4);
    assert_int_equal(ask(CONTROL_CALL_TRACE, 1, 0).error, CONTROL_OK);
    assert_int_equal(ask(CONTROL_CALL_TRACE, 2, CONTROL_TRACE_PROCESS).error, CONTROL_OK);
    assert_int_equal(machine.traced.vms | machine.traced.processes, 0);
    assert_int_equal(ask(CONTROL_CALL_TRACE, 2, CONTROL_TRACE_ON).error, CONTROL_NO_VM);
    assert_int_equal(
        ask(CONTROL_CALL_TRACE, PROCESSES, CONTROL_TRACE_ON | CONTROL_TRACE_PROCESS).error,
        CONTROL_NO_VM);
}

/* Of the n-th record, for ever: no two are alike. */
static struct trace_record record_of(uint64_t n)
{
    return (struct trace_record){
        .tsc = n * 1001, .value = n ^ 0xffff800000000000, .what = TRACE_WHO(n % 3, 1) | n % 7};
}

static void write_records(struct trace_ring *r, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n < to; n++) {
        struct trace_record record = record_of(n);
        memcpy(&r->bytes[n * sizeof(record) % TRACE_SIZE], &record, sizeof(record));
    }
    r->tail = to * sizeof(struct trace_record);
}

/* What an answer has, from position `at` on. Returns where to ask for the next. */
static uint64_t read_records(uint8_t number, uint64_t asked, uint64_t at)
{
    struct control_answer a = ask(CONTROL_CALL_RECORDS, number, asked);
    struct trace_pack frame = {.count = 0};
    struct control_records is;
    size_t used = sizeof(is);

    memcpy(&is, a.data, sizeof(is));
    assert_int_equal(a.error, CONTROL_OK);
    assert_int_equal(is.at, at);
    assert_int_equal(is.tail, ring_of(number)->tail);
    for (; at < is.next; at += sizeof(struct trace_record)) {
        struct trace_record record, wanted = record_of(at / sizeof(record));
        size_t size = trace_unpack(&frame, a.data + used, a.size - used, &record);
        assert_int_not_equal(size, 0);
        assert_memory_equal(&record, &wanted, sizeof(record));
        used += size;
    }
    assert_int_equal(used, a.size);
    return is.next;
}

/* All comes once and in its order; of a ring that was written over, what is left of it but for the
 * place of the next one; and from a place that is none nothing. */
static void records_of_the_trace_are_read(void **state)
{
    const uint64_t all = TRACE_SIZE / sizeof(struct trace_record), more = 5 * all / 2;
    const uint64_t oldest = (more - all + 1) * sizeof(struct trace_record);
    uint64_t at = 0;
    unsigned answers = 0;

    begin();
    write_records(ring_of(1), 0, 500);
    for (; at < ring_of(1)->tail; answers++)
        at = read_records(1, at, at);
    assert_in_range(answers, 5, 16); /* of the 500 that one has not room for as they are */
    write_records(ring_of(0), 0, more);
    assert_true(read_records(0, 0, oldest) > oldest);
    assert_true(read_records(0, oldest + 32, oldest + 32) > oldest);
    static const uint64_t strange[] = {1, UINT64_MAX, 1ULL << 63};
    for (size_t i = 0; i < ARRAY_SIZE(strange); i++)
        assert_int_equal(read_records(0, strange[i], ring_of(0)->tail), ring_of(0)->tail);
    expect(CONTROL_CALL_RECORDS, RINGS, CONTROL_NO_VM);
    expect(CONTROL_CALL_RECORDS, 255, CONTROL_NO_VM);
}

/* Any bytes, cut anywhere: nothing behind them is read. */
static void damaged_records_are_judged(void **state)
{
    srand(3);
    for (unsigned round = 0; round < 20000; round++) {
        struct trace_pack frame = {.count = 0};
        struct trace_record record;
        size_t count = 1 + (size_t)rand() % 100, used = 0, size;
        uint8_t *bytes = malloc(count); /* of its own: a sanitizer sees what is read */
        for (size_t i = 0; i < count; i++)
            bytes[i] = rand() % 2 ? (uint8_t)rand() : 0;
        while ((size = trace_unpack(&frame, bytes + used, count - used, &record)) != 0)
            used += size;
        assert_in_range(used, 0, count);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vms_and_processes_are_traced),
        cmocka_unit_test(records_of_the_trace_are_read),
        cmocka_unit_test(damaged_records_are_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
