/* SPDX-License-Identifier: BSD-2-Clause */
/* A TCP segment that is cut into frames: of any headers and sizes, against what the RFCs say of
 * each of them, with sums by octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/gate.h"
#include "runtime/net.h"
#include "runtime/segment.h"

#define FIN 0x01
#define PSH 0x08
#define ACK 0x10
#define CWR 0x80

/* One that is sent: everything but the lengths and checksums is as it shall be in the first frame.
 */
struct sent {
    uint8_t bytes[NET_FRAME_MAX];
    struct net_entry e;
    uint32_t ip, tcp, payload_at;
};

static struct sent sent;

void gate_notify(unsigned channel)
{
    fail_msg("channel %u is notified", channel);
}

static uint32_t below(uint32_t limit)
{
    return (uint32_t)rand() % limit;
}

static uint32_t get(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;

    while (bytes-- > 0)
        value = value << 8 | *at++;
    return value;
}

static void set(uint8_t *at, unsigned bytes, uint32_t value)
{
    while (bytes-- > 0) {
        at[bytes] = (uint8_t)value;
        value >>= 8;
    }
}

/* Of big-endian words, each octet by itself. */
static uint32_t sum_of(uint32_t sum, const uint8_t *at, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* With the pseudo header's (RFC 9293, 3.1; RFC 8200, 8.1). All is well if it is FFFFh. */
static uint32_t tcp_sum(const uint8_t *frame, uint32_t size, bool v6)
{
    uint32_t sum = 6 + size - sent.tcp;

    sum = v6 ? sum_of(sum, frame + sent.ip + 8, 32) : sum_of(sum, frame + sent.ip + 12, 8);
    return sum_of(sum, frame + sent.tcp, size - sent.tcp);
}

static void make(bool v6, bool vlan, uint32_t ip_more, uint32_t tcp_more, uint32_t payload,
                 uint32_t segment)
{
    uint8_t *b = sent.bytes;

    sent.ip = vlan ? 18 : 14;
    sent.tcp = sent.ip + (v6 ? 40 : 20) + ip_more;
    sent.payload_at = sent.tcp + 20 + tcp_more;
    sent.e = (struct net_entry){.flags = NET_NEEDS_CHECKSUM,
                                .size = sent.payload_at + payload,
                                .gso = v6 ? NET_GSO_TCP6 : NET_GSO_TCP4,
                                .segment_size = (uint16_t)segment,
                                .checksum_start = (uint16_t)sent.tcp,
                                .checksum_offset = 16};
    for (uint32_t i = 0; i < sent.e.size; i++)
        b[i] = (uint8_t)rand();
    if (vlan)
        set(b + 12, 2, 0x8100);
    set(b + sent.ip - 2, 2, v6 ? 0x86dd : 0x0800);
    b[sent.ip] = v6 ? 0x60 : (uint8_t)(0x40 | (20 + ip_more) / 4);
    b[sent.ip + (v6 ? 6 : 9)] = 6;
    if (!v6 && below(4) == 0)
        set(b + sent.ip + 4, 2, 0xffff - below(3)); /* its IDs go round */
    if (below(4) == 0)
        set(b + sent.tcp + 4, 4, 0xffffffff - below(70000)); /* and its sequence numbers */
    b[sent.tcp + 12] = (uint8_t)((20 + tcp_more) / 4 << 4 | below(16));
}

/* All that is not said to change is as it was sent. */
static void check_headers(const uint8_t *frame, uint32_t size, uint32_t at, uint32_t number)
{
    bool v6 = sent.e.gso == NET_GSO_TCP6,
         last = at + (size - sent.payload_at) == sent.e.size - sent.payload_at;
    uint8_t expected[SEGMENT_HEADERS];

    memcpy(expected, sent.bytes, sent.payload_at);
    if (v6) {
        set(expected + sent.ip + 4, 2, size - sent.ip - 40);
    } else {
        set(expected + sent.ip + 2, 2, size - sent.ip);
        set(expected + sent.ip + 4, 2, get(sent.bytes + sent.ip + 4, 2) + number);
        memcpy(expected + sent.ip + 10, frame + sent.ip + 10, 2);
        assert_int_equal(sum_of(0, frame + sent.ip, sent.tcp - sent.ip), 0xffff);
    }
    set(expected + sent.tcp + 4, 4, get(sent.bytes + sent.tcp + 4, 4) + at);
    if (!last)
        expected[sent.tcp + 13] &= (uint8_t)~(FIN | PSH);
    if (at != 0)
        expected[sent.tcp + 13] &= (uint8_t)~CWR;
    memcpy(expected + sent.tcp + 16, frame + sent.tcp + 16, 2);
    assert_memory_equal(frame, expected, sent.payload_at);
    assert_int_equal(tcp_sum(frame, size, v6), 0xffff);
}

static void cut_and_check(void)
{
    struct segments s;
    uint32_t at = 0, number = 0;

    assert_true(segments_read(&s, &sent.e, sent.bytes));
    assert_int_equal(s.payload, sent.e.size - sent.payload_at);
    for (; at < s.payload; at += s.most, number++) {
        uint32_t size = segment_size(&s, at), bytes = size - sent.payload_at;
        uint8_t *frame = malloc(size); /* a block of its own: the sanitizer sees a byte too many */

        assert_true(size <= sent.ip + NET_MTU);
        segment_write(&s, sent.bytes, at, frame);
        check_headers(frame, size, at, number);
        assert_memory_equal(frame + sent.payload_at, sent.bytes + sent.payload_at + at, bytes);
        assert_true(bytes == sent.e.segment_size || at + bytes == s.payload);
        free(frame);
    }
    assert_int_equal(number, (s.payload + sent.e.segment_size - 1) / sent.e.segment_size);
}

static void any_headers(void **state)
{
    srand(1);
    for (unsigned i = 0; i < 3000; i++) {
        bool v6 = below(2);
        uint32_t ip_more = v6 ? 8 * below(5) : 4 * below(11), tcp_more = 4 * below(11);
        uint32_t headers = (v6 ? 40 : 20) + ip_more + 20 + tcp_more;
        uint32_t segment = 1 + below(below(3) ? NET_MTU - headers : 40);
        uint32_t most = segment * 64 < 65000 ? segment * 64 : 65000;

        make(v6, below(2), ip_more, tcp_more, 1 + below(most), segment);
        cut_and_check();
    }
}

/* The longest that there can be, and the shortest. */
static void borders(void **state)
{
    make(false, false, 0, 0, NET_FRAME_MAX - 54, NET_MTU - 40);
    cut_and_check();
    make(true, false, 0, 12, NET_FRAME_MAX - 86, NET_MTU - 72);
    cut_and_check();
    make(false, true, 40, 40, 1, 1);
    cut_and_check();
    make(false, false, 0, 12, 2 * 1448, 1448);
    cut_and_check();
}

static void flags(void **state)
{
    struct segments s;
    uint8_t frame[1514];

    make(false, false, 0, 0, 3000, 1000);
    sent.bytes[sent.tcp + 13] = FIN | PSH | ACK | CWR;
    assert_true(segments_read(&s, &sent.e, sent.bytes));
    segment_write(&s, sent.bytes, 0, frame);
    assert_int_equal(frame[sent.tcp + 13], ACK | CWR);
    segment_write(&s, sent.bytes, 1000, frame);
    assert_int_equal(frame[sent.tcp + 13], ACK);
    segment_write(&s, sent.bytes, 2000, frame);
    assert_int_equal(frame[sent.tcp + 13], ACK | FIN | PSH);
}

/* Each header that is not what the entry says. */
static void refused(void **state)
{
    struct segments s;

#define REFUSED(v6, statement)                                                                     \
    do {                                                                                           \
        make(v6, false, 0, 0, 3000, 1000);                                                         \
        statement;                                                                                 \
        if (segments_read(&s, &sent.e, sent.bytes))                                                \
            fail_msg("taken: %s", #statement);                                                     \
    } while (0)
    REFUSED(false, sent.bytes[13]++);
    REFUSED(false, sent.bytes[sent.ip] = 0x55);
    REFUSED(false, sent.bytes[sent.ip] = 0x44);
    REFUSED(false, sent.bytes[sent.ip] = 0x46);
    REFUSED(false, sent.bytes[sent.ip] = 0x65);
    REFUSED(false, sent.bytes[sent.ip + 9] = 17);
    REFUSED(false, sent.bytes[sent.tcp + 12] = 0x40);
    REFUSED(false, sent.e.gso = NET_GSO_TCP6);
    REFUSED(true, sent.e.gso = NET_GSO_TCP4);
    REFUSED(true, sent.bytes[sent.ip] = 0x40);
    REFUSED(true, sent.e.checksum_start--);
    REFUSED(false, sent.e.checksum_start++);
    REFUSED(false, sent.e.checksum_offset = 6);
    REFUSED(false, sent.e.checksum_start = 0xfff0);
    REFUSED(false, sent.e.checksum_start = 0);
    REFUSED(false, sent.e.segment_size = NET_MTU - 39);
    REFUSED(false, sent.e.segment_size = 0xffff);
    REFUSED(false, sent.e.size = sent.payload_at);
    REFUSED(false, sent.e.size = sent.tcp + 19);
    REFUSED(false, sent.e.size = 14);
}

/* Any bytes and any entry: what is taken can be cut, inside of its own bytes. */
static void anything(void **state)
{
    srand(2);
    for (unsigned i = 0; i < 100000; i++) {
        struct segments s;
        uint8_t frame[NET_FRAME_MTU];

        make(below(2), below(2), 0, 4 * below(3), 1 + below(300), 1 + below(200));
        for (unsigned n = below(4); n > 0; n--)
            sent.bytes[below(sent.payload_at)] = (uint8_t)rand();
        if (below(3) == 0)
            sent.e.checksum_start = (uint16_t)below(300);
        sent.e.size -= below(3) ? 0 : below(sent.e.size - NET_FRAME_MIN);
        if (!net_is_frame(&sent.e, UINT32_MAX))
            continue;
        uint8_t *exact = malloc(sent.e.size);

        memcpy(exact, sent.bytes, sent.e.size);
        if (segments_read(&s, &sent.e, exact))
            for (uint32_t at = 0; at < s.payload; at += s.most) {
                assert_true(segment_size(&s, at) <= sizeof(frame));
                segment_write(&s, exact, at, frame);
            }
        segment_finish(&sent.e, exact);
        free(exact);
    }
}

/* A checksum whose field has the sum of the rest, as a sender leaves it. */
static void finished(void **state)
{
    srand(3);
    for (unsigned i = 0; i < 3000; i++) {
        uint32_t start = 14 + below(60), offset = 2 * below(10),
                 size = start + offset + 2 + below(900);
        struct net_entry e = {.size = size,
                              .flags = NET_NEEDS_CHECKSUM,
                              .checksum_start = (uint16_t)start,
                              .checksum_offset = (uint16_t)offset};
        uint32_t before, outside = below(0x10000);

        for (uint32_t k = 0; k < size; k++)
            sent.bytes[k] = i % 100 == 0 ? 0 : (uint8_t)rand();
        set(sent.bytes + start + offset, 2, i % 100 == 0 ? 0xffff : outside);
        outside = i % 100 == 0 ? 0xffff : outside;
        before = get(sent.bytes + start + offset, 2);
        segment_finish(&e, sent.bytes);
        assert_int_equal(sum_of(before, sent.bytes + start, size - start), 0xffff);
        assert_int_not_equal(get(sent.bytes + start + offset, 2), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_headers), cmocka_unit_test(borders),  cmocka_unit_test(flags),
        cmocka_unit_test(refused),     cmocka_unit_test(anything), cmocka_unit_test(finished),
    };

    return cmocka_run_group_tests_name("segments", tests, NULL, NULL);
}
