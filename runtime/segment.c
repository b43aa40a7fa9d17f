/* SPDX-License-Identifier: BSD-2-Clause */
#include "runtime/segment.h"

#include "lib/bits.h"
#include "runtime/shared.h"

#define ETHER_TYPE   12u
#define ETHER_HEADER 14u
#define TYPE_VLAN    0x8100u
#define TYPE_IPV4    0x0800u
#define TYPE_IPV6    0x86ddu
#define VLAN_TAG     4u
#define PROTOCOL_TCP 6u

#define IPV4_HEADER   20u
#define IPV4_LENGTH   2u
#define IPV4_ID       4u
#define IPV4_PROTOCOL 9u
#define IPV4_CHECKSUM 10u
#define IPV4_SOURCE   12u
#define IPV6_HEADER   40u
#define IPV6_LENGTH   4u
#define IPV6_SOURCE   8u

#define TCP_HEADER   20u
#define TCP_SEQUENCE 4u
#define TCP_OFFSET   12u
#define TCP_FLAGS    13u
#define TCP_CHECKSUM 16u
#define TCP_FIN      0x01u
#define TCP_PSH      0x08u
#define TCP_CWR      0x80u

static uint32_t get_16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static void put_16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t get_32(const uint8_t *at)
{
    return get_16(at) << 16 | get_16(at + 2);
}

static void put_32(uint8_t *at, uint32_t value)
{
    put_16(at, value >> 16);
    put_16(at + 2, value & 0xffff);
}

/* The sum of words of 16 bits in the machine's order, which only swaps the result's bytes (RFC
 * 1071, 2); a byte that is left over has a zero behind it. */
static uint64_t sum(const uint8_t *bytes, uint32_t size)
{
    uint64_t total = 0;
    uint32_t word = 0;

    for (; size >= sizeof(word); bytes += sizeof(word), size -= (uint32_t)sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        total += word;
    }
    word = 0;
    memcpy(&word, bytes, size);
    return total + word;
}

/* Its complement, as it lies in a header. */
static uint16_t fold(uint64_t total)
{
    while (total >> 16 != 0)
        total = (total & 0xffff) + (total >> 16);
    return (uint16_t)~total;
}

static void put_checksum(uint8_t *at, uint64_t total)
{
    uint16_t checksum = fold(total);

    memcpy(at, &checksum, sizeof(checksum));
}

/* In its field is the sum of what else counts. 0 would say that there is no checksum (RFC 768). */
void segment_finish(const struct net_entry *e, uint8_t *frame)
{
    uint8_t *at = frame + e->checksum_start + e->checksum_offset;

    put_checksum(at, sum(frame + e->checksum_start, e->size - e->checksum_start));
    if (at[0] == 0 && at[1] == 0)
        put_16(at, 0xffff);
}

static bool is_ipv4(const struct segments *s)
{
    const uint8_t *ip = s->header + s->ip;

    return ip[0] >> 4 == 4 && (ip[0] & 0xf) * 4u >= IPV4_HEADER &&
           s->ip + (ip[0] & 0xf) * 4u == s->tcp && ip[IPV4_PROTOCOL] == PROTOCOL_TCP;
}

/* What is between the two headers is as in each segment. */
static bool is_ipv6(const struct segments *s)
{
    return s->header[s->ip] >> 4 == 6 && s->ip + IPV6_HEADER <= s->tcp;
}

bool segments_read(struct segments *s, const struct net_entry *e, const uint8_t *frame)
{
    uint32_t size = (uint32_t)min_u64(e->size, sizeof(s->header));
    bool tagged;

    *s = (struct segments){
        .tcp = e->checksum_start, .most = e->segment_size, .v6 = e->gso == NET_GSO_TCP6};
    shared_copy(s->header, frame, size);
    tagged = get_16(s->header + ETHER_TYPE) == TYPE_VLAN;
    s->ip = ETHER_HEADER + (tagged ? VLAN_TAG : 0);
    if (s->tcp + TCP_HEADER > size || e->checksum_offset != TCP_CHECKSUM ||
        get_16(s->header + s->ip - 2) != (s->v6 ? TYPE_IPV6 : TYPE_IPV4))
        return false;
    s->header_size = s->tcp + (s->header[s->tcp + TCP_OFFSET] >> 4) * 4u;
    if (s->header_size < s->tcp + TCP_HEADER || s->header_size >= size ||
        s->header_size + s->most > s->ip + NET_MTU)
        return false;
    s->payload = e->size - s->header_size;
    return s->v6 ? is_ipv6(s) : is_ipv4(s);
}

void segments_leave(const struct segments *s, uint8_t *frame)
{
    static const uint8_t protocol[] = {0, PROTOCOL_TCP};
    uint64_t total = sum(protocol, sizeof(protocol));
    uint8_t *ip = frame + s->ip;

    if (s->v6) {
        put_16(ip + IPV6_LENGTH, 0);
        total += sum(ip + IPV6_SOURCE, 32);
    } else {
        put_16(ip + IPV4_LENGTH, 0);
        put_16(ip + IPV4_CHECKSUM, 0);
        total += sum(ip + IPV4_SOURCE, 8);
    }
    put_checksum(frame + s->tcp + TCP_CHECKSUM, fold(total)); /* its complement's complement */
}

static uint32_t payload_at(const struct segments *s, uint32_t at)
{
    return (uint32_t)min_u64(s->most, s->payload - at);
}

uint32_t segment_size(const struct segments *s, uint32_t at)
{
    return s->header_size + payload_at(s, at);
}

/* The length, and what counts of the header for TCP's checksum: the addresses. */
static uint64_t write_ip(const struct segments *s, uint32_t number, uint32_t size, uint8_t *ip)
{
    if (s->v6) {
        put_16(ip + IPV6_LENGTH, size - s->ip - IPV6_HEADER);
        return sum(ip + IPV6_SOURCE, 32);
    }
    put_16(ip + IPV4_LENGTH, size - s->ip);
    put_16(ip + IPV4_ID, get_16(ip + IPV4_ID) + number);
    put_16(ip + IPV4_CHECKSUM, 0);
    put_checksum(ip + IPV4_CHECKSUM, sum(ip, s->tcp - s->ip));
    return sum(ip + IPV4_SOURCE, 8);
}

/* What ends the stream, or asks for haste, is the last one's; that the window was made smaller, the
 * first one's (RFC 3168, 6.1.2). */
static void write_tcp(const struct segments *s, uint32_t at, uint32_t size, uint8_t *tcp)
{
    bool last = at + payload_at(s, at) == s->payload;

    put_32(tcp + TCP_SEQUENCE, get_32(tcp + TCP_SEQUENCE) + at);
    tcp[TCP_FLAGS] &= (uint8_t)~((last ? 0 : TCP_FIN | TCP_PSH) | (at == 0 ? 0 : TCP_CWR));
    put_16(tcp + TCP_CHECKSUM, 0);
}

void segment_write(const struct segments *s, const uint8_t *frame, uint32_t at, uint8_t *to)
{
    uint32_t size = segment_size(s, at), length = size - s->tcp;
    uint8_t pseudo[4] = {0, PROTOCOL_TCP, (uint8_t)(length >> 8), (uint8_t)length};
    uint64_t total = sum(pseudo, sizeof(pseudo));

    memcpy(to, s->header, s->header_size);
    shared_copy(to + s->header_size, frame + s->header_size + at, payload_at(s, at));
    total += write_ip(s, at / s->most, size, to + s->ip);
    write_tcp(s, at, size, to + s->tcp);
    put_checksum(to + s->tcp + TCP_CHECKSUM, total + sum(to + s->tcp, length));
}
