/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of a network card's driver, in the place of a network's switch: it sends frames of all
 * kinds, looks at what comes, and says in TAP, in the log, what came of it. Its arguments:
 *
 *   peer    the other end of the wire is peer.py, which sends back what it gets, looks at what is
 *           no frame of this program's own, and takes the link down and up
 *   peer whole  likewise, without TCP segments to be cut: QEMU before 8.1 cuts an 82574's wrongly
 *   mortal  likewise, but the driver dies meanwhile
 *   slirp   the other end has a DHCP server, and 10.0.2.2 answers to ARP
 */
#include "abi/process.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "runtime/gate.h"
#include "runtime/log.h"
#include "runtime/net.h"
#include "runtime/process.h"
#include "tests/qemu/tap.h"

#define ETHERTYPE 0x88b5u /* of own frames: local experiments (IEEE 802) */
#define HEADER    14u
#define LONGEST   (HEADER + NET_MTU)
#define WINDOW    32u /* frames of a kind under way */
#define SIZES     (NET_FRAME_MTU - HEADER + 1u)
#define LOAD      40000u /* frames while the driver dies */
#define AGAIN_MS  100u
#define WAIT_MS   20000u
#define PORT      1000u /* of the first flow that peer.py looks at */

enum command { ECHO = 'E', LINK = 'L', VERDICT = 'V' };

static const struct process_info *info;
static struct net_end net;
static uint8_t buffer[NET_FRAME_MAX];

static struct {
    bool used;
    uint32_t number;
    uint64_t sent;
} window[WINDOW];
static uint32_t echoed, wrong, lost;
static uint8_t verdict[8]; /* the last one: the port, and what is said of it; 0: none */
static bool arp_answered, dhcp_answered;

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

/* Own frames. */

static uint32_t size_of(uint32_t number)
{
    return HEADER + number % SIZES;
}

/* A frame that comes back: its sender's address has its number, which so comes back, too. One that
 * is longer than others has a VLAN tag. */
static void make(uint8_t *frame, uint32_t number)
{
    uint32_t size = size_of(number), at = HEADER;

    memcpy(frame, "\x02\0\0\0\xee\xee\x02\0\0\0", 10);
    put16(frame + 10, number);
    if (size > LONGEST) {
        put32(frame + 12, 0x81000001);
        at += 4;
    }
    put16(frame + at - 2, ETHERTYPE);
    for (uint32_t i = at; i < size; i++)
        frame[i] = (uint8_t)(number * 31 + i * 7 + (i >> 8));
    if (size > at)
        frame[at] = ECHO;
}

static bool is_echo(const uint8_t *frame, uint32_t size, uint32_t number)
{
    uint32_t sent = size_of(number);

    make(buffer, number);
    for (uint32_t i = sent; i < 60; i++)
        buffer[i] = 0;
    return size == max_u64(sent, 60) && memcmp(frame, buffer + 6, 6) == 0 &&
           memcmp(frame + 6, buffer, 6) == 0 && memcmp(frame + 12, buffer + 12, size - 12) == 0;
}

/* What comes. */

static void hear_echo(const uint8_t *frame, uint32_t size)
{
    for (unsigned i = 0; i < WINDOW; i++) {
        if (!window[i].used || (window[i].number & 0xffff) != get16(frame + 4))
            continue;
        window[i].used = false;
        echoed++;
        if (!is_echo(frame, size, window[i].number)) {
            if (wrong++ == 0)
                log_line("# frame %u of %u bytes came back wrong, as one of %u", window[i].number,
                         size_of(window[i].number), size);
        }
        return;
    }
}

static void hear(const uint8_t *shared, const struct net_entry *e)
{
    static uint8_t frame[NET_FRAME_MTU];

    memcpy(frame, shared, e->size);
    uint32_t type = get16(frame + 12);
    if (type == ETHERTYPE && frame[14] == VERDICT)
        memcpy(verdict, frame + 15, sizeof(verdict));
    else if (type == ETHERTYPE || type == 0x8100)
        hear_echo(frame, e->size);
    else if (type == 0x0806 && get16(frame + 20) == 2)
        arp_answered |= memcmp(frame + 28, "\x0a\0\2\2", 4) == 0;
    else if (type == 0x0800 && frame[23] == 17 && get16(frame + 36) == 68 && e->size > 282)
        dhcp_answered |= frame[42] == 2 && memcmp(frame + 46, "Ltl!", 4) == 0;
}

/* Waits for something to happen, for so long at most, and takes what there is. */
static void turn(uint32_t ms)
{
    struct net_entry e;
    const uint8_t *frame;

    net_flush(&net);
    gate_timer(gate_tsc() + info->tsc_khz * ms);
    if (channel_sleep(&net.channel))
        gate_wait();
    channel_awake(&net.channel);
    while ((frame = net_next(&net, &e)) != NULL) {
        hear(frame, &e);
        net_take(&net);
    }
}

static uint64_t after(uint32_t ms)
{
    return gate_tsc() + info->tsc_khz * ms;
}

/* What is sent. */

static void send(const uint8_t *frame, struct net_entry *e)
{
    uint8_t *place;

    while ((place = net_wait(&net, e->size)) == NULL)
        turn(WAIT_MS);
    memcpy(place, frame, e->size);
    net_put(&net, e);
}

static void send_echo(unsigned slot)
{
    struct net_entry e = {.size = size_of(window[slot].number)};

    make(buffer, window[slot].number);
    window[slot].sent = gate_tsc();
    send(buffer, &e);
}

/* So many frames, some at once; those that are not back in time are lost, and sent again. */
static bool echo(uint32_t count)
{
    uint32_t next = 0;
    uint64_t late = info->tsc_khz * AGAIN_MS, end = after(WAIT_MS);

    echoed = wrong = lost = 0;
    memset(window, 0, sizeof(window));
    while (echoed < count && gate_tsc() < end) {
        uint32_t before = echoed;
        for (unsigned i = 0; i < WINDOW; i++) {
            if (!window[i].used && next < count) {
                window[i].used = true;
                window[i].number = next++;
                send_echo(i);
            } else if (window[i].used && gate_tsc() - window[i].sent > late) {
                lost++;
                send_echo(i);
            }
        }
        turn(AGAIN_MS);
        if (echoed > before)
            end = after(WAIT_MS);
    }
    return echoed == count && wrong == 0;
}

/* A frame for peer.py alone. */
static void say(enum command command, const uint8_t *words, uint32_t size)
{
    uint8_t frame[60] = "\x02\0\0\0\xee\xee\x02\0\0\1\0\0";
    struct net_entry e = {.size = sizeof(frame)};

    put16(frame + 12, ETHERTYPE);
    frame[14] = (uint8_t)command;
    memcpy(frame + 15, words, size);
    send(frame, &e);
}

/* What peer.py has seen of a flow, which should be so many bytes in frames of at most `most`. */
static bool arrived(uint32_t port, uint32_t bytes, uint32_t most)
{
    uint8_t words[10];
    uint64_t end = after(WAIT_MS);

    put16(words, port);
    put32(words + 2, bytes);
    put32(words + 6, most);
    memset(verdict, 0, sizeof(verdict));
    say(VERDICT, words, sizeof(words));
    while (get16(verdict) != port && gate_tsc() < end)
        turn(WAIT_MS);
    if (verdict[2] != 1)
        log_line("# port %u, %u bytes: the peer says %u", port, bytes, verdict[2]);
    return verdict[2] == 1;
}

/* A packet of a flow that peer.py looks at. */
struct packet {
    bool v6, tcp, tagged;
    uint32_t options; /* bytes of TCP's */
    uint32_t payload; /* bytes */
    uint32_t segment; /* bytes of each frame; 0: it is one frame */
};

static uint32_t sum(const uint8_t *at, uint32_t size, uint32_t sum)
{
    for (uint32_t i = 0; i < size; i += 2)
        sum += get16(at + i);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* The headers up to the transport's, which is to begin with that pseudo-header's sum (virtio 1.2,
 * 5.1.6.2). Returns where it begins. */
static uint32_t make_headers(const struct packet *p, uint32_t size, uint32_t *pseudo)
{
    uint32_t ip = p->tagged ? 18 : 14;
    uint8_t protocol = p->tcp ? 6 : 17, *at = buffer + ip;

    memcpy(buffer, "\x02\0\0\0\xee\xee\x02\0\0\2\0\0\x81\0\0\1", 16);
    put16(at - 2, p->v6 ? 0x86dd : 0x0800);
    memset(at, 0, 40);
    if (p->v6) {
        at[0] = 0x60;
        put16(at + 4, size - ip - 40);
        at[6] = protocol;
        at[7] = 64;
        memcpy(at + 8, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\2",
               32);
        *pseudo = sum(at + 8, 32, size - ip - 40 + protocol);
        return ip + 40;
    }
    at[0] = 0x45;
    put16(at + 2, size - ip);
    put16(at + 4, 0xfff0); /* its numbers wrap */
    at[8] = 64;
    at[9] = protocol;
    memcpy(at + 12, "\x0a\0\2\x0f\x0a\0\xff\2", 8);
    put16(at + 10, ~sum(at, 20, 0));
    *pseudo = sum(at + 12, 8, size - ip - 20 + protocol);
    return ip + 20;
}

/* Makes it in `buffer`, with the entry that says what is to be done with it. */
static struct net_entry make_packet(const struct packet *p, uint32_t port)
{
    uint32_t before = (p->tagged ? 18 : 14) + (p->v6 ? 40 : 20);
    uint32_t header = before + (p->tcp ? 20 + p->options : 8), size = header + p->payload, pseudo;
    struct net_entry e = {.flags = NET_NEEDS_CHECKSUM,
                          .size = size,
                          .checksum_start = (uint16_t)before,
                          .checksum_offset = p->tcp ? 16 : 6};
    uint8_t *at = buffer + make_headers(p, size, &pseudo);

    memset(at, 0, header - before);
    put16(at, port);
    put16(at + 2, 80);
    if (p->tcp) {
        put32(at + 4, 0xffffff00); /* so do these */
        at[12] = (uint8_t)((20 + p->options) << 2);
        at[13] = 0x19; /* FIN, PSH, ACK */
        memset(at + 20, 1, p->options);
    } else {
        put16(at + 4, size - before);
    }
    put16(at + e.checksum_offset, pseudo);
    for (uint32_t i = 0; i < p->payload; i++)
        buffer[header + i] = (uint8_t)(i * 7 + (i >> 8));
    if (p->segment != 0) {
        e.gso = p->v6 ? NET_GSO_TCP6 : NET_GSO_TCP4;
        e.header_size = (uint16_t)header;
        e.segment_size = (uint16_t)p->segment;
    }
    return e;
}

static const struct packet checksums[] = {
    {false, false, false, 0, 0, 0},    {false, false, false, 0, 1, 0},
    {false, false, false, 0, 1472, 0}, {false, false, true, 0, 777, 0},
    {false, true, false, 0, 0, 0},     {false, true, false, 12, 1448, 0},
    {false, true, true, 40, 999, 0},   {true, false, false, 0, 3, 0},
    {true, true, false, 12, 1428, 0},  {true, true, true, 0, 501, 0},
};

static const struct packet large[] = {
    {false, true, false, 0, 1461, 1460}, {false, true, false, 12, 65483, 1448},
    {false, true, true, 40, 50000, 536}, {false, true, false, 0, 65495, 1460},
    {false, true, false, 0, 1000, 1460}, {false, true, false, 0, 2000, 88},
    {true, true, false, 0, 1441, 1440},  {true, true, false, 12, 65000, 1428},
    {true, true, true, 20, 40000, 100},
};

static void finish_packets(const struct packet *packets, unsigned count, uint32_t port,
                           const char *name)
{
    bool good = true;

    for (unsigned i = 0; i < count; i++) {
        const struct packet *p = &packets[i];
        struct net_entry e = make_packet(p, port + i);
        if (net_needs(&e) & ~net.other_takes)
            continue;
        send(buffer, &e);
        good = arrived(port + i, p->payload, p->segment != 0 ? p->segment : p->payload) && good;
    }
    ok(good, name);
}

/* Entries that are frames as abi/net.h has them, and that no card can finish: dropped. */
static void unfit(void)
{
    static const struct packet p = {false, true, false, 0, 3000, 1000};
    const uint32_t port = PORT + 500;
    bool good;

    for (unsigned i = 0; i < 9; i++) {
        struct net_entry e = make_packet(&p, port);
        switch (i) {
        case 0:
            e.checksum_start = 300;
            break;
        case 1:
            e.checksum_offset = 1;
            break;
        case 2:
            e.segment_size = 1;
            break;
        case 3:
            e.segment_size = 1461;
            break;
        case 4:
            e.gso = NET_GSO_NONE, e.size = 1500, e.checksum_start = 280;
            break;
        case 5:
            buffer[46] = 0;
            break; /* TCP's header has no length */
        case 6:
            buffer[46] = 0xf0;
            break; /* and one that ends behind the frame */
        case 7:
            buffer[14] = 0x4f;
            break; /* IP's ends behind TCP's begin */
        case 8:
            buffer[14] = 0x65;
            break; /* it is another protocol's */
        }
        if (i == 6)
            e.size = 90, e.segment_size = 90;
        send(buffer, &e);
    }
    good = arrived(port, 0, 0);
    ok(good && echo(WINDOW), "what no card can finish is dropped, and the rest is not");
}

static bool link_becomes(bool up)
{
    uint64_t end = after(WAIT_MS);

    while (net.link != up && gate_tsc() < end)
        turn(WAIT_MS);
    return net.link == up;
}

static void all_kinds(void)
{
    bool good = echo(WINDOW) && echo(SIZES); /* QEMU's 82540EM begins to receive after 1 s */

    ok(good && lost == 0, "frames of every length, with a VLAN tag too, arrive and come back");
    log_line("# %u frames, %u came back, %u wrong, %u lost", SIZES, echoed, wrong, lost);
    finish_packets(checksums, ARRAY_SIZE(checksums), PORT, "checksums are worked out");
    if (strcmp(info->arguments, "peer whole") != 0)
        finish_packets(large, ARRAY_SIZE(large), PORT + 100, "TCP segments arrive in pieces");
    unfit();
    say(LINK, NULL, 0);
    ok(link_becomes(false), "that the link is down is told");
    ok(link_becomes(true) && echo(SIZES), "and that it is up again; then frames pass");
}

/* A DHCP DISCOVER (RFC 2131) from 0.0.0.0, and who has 10.0.2.2 (RFC 826). */
static void ask_slirp(void)
{
    static const uint8_t arp[42] = "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x0f\x08\x06"
                                   "\0\1\x08\0\6\4\0\1\x02\0\0\0\0\x0f\x0a\0\2\x0f"
                                   "\0\0\0\0\0\0\x0a\0\2\2";
    struct net_entry e = {.size = sizeof(arp)};
    uint8_t *udp = buffer + 34, *dhcp = buffer + 42;

    send(arp, &e);
    memset(buffer, 0, 342);
    memcpy(buffer, "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x0f\x08\0\x45\0", 16);
    put16(buffer + 16, 328);
    buffer[22] = 64;
    buffer[23] = 17;
    memset(buffer + 30, 0xff, 4);
    put16(buffer + 24, ~sum(buffer + 14, 20, 0));
    put16(udp, 68);
    put16(udp + 2, 67);
    put16(udp + 4, 308);
    memcpy(dhcp, "\1\1\6\0Ltl!", 8);
    memcpy(dhcp + 28, "\x02\0\0\0\0\x0f", 6);
    memcpy(dhcp + 236, "\x63\x82\x53\x63\x35\1\1\xff", 8);
    put16(udp + 6, sum(buffer + 26, 8, 17 + 308));
    e = (struct net_entry){
        .size = 342, .flags = NET_NEEDS_CHECKSUM, .checksum_start = 34, .checksum_offset = 6};
    send(buffer, &e);
}

static void slirp(void)
{
    uint64_t begin = gate_tsc(), end = after(WAIT_MS);

    ask_slirp();
    while (!(arp_answered && dhcp_answered) && gate_tsc() < end)
        turn(WAIT_MS);
    log_line("# the answers took %u ms", (unsigned)((gate_tsc() - begin) / info->tsc_khz));
    ok(arp_answered, "10.0.2.2 answers to ARP");
    ok(dhcp_answered, "and offers an address by DHCP");
}

/* Which channel is the network's. */
static void open(void)
{
    unsigned n = 0;

    while (n < info->channel_count && info->channels[n].kind != PLAN_CHANNEL_NET)
        n++;
    if (n == info->channel_count || info->channels[n].server)
        bail_out("no network was granted");
    net_open(&net, (void *)(PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE), n, false);
}

_Noreturn void process_main(const struct process_info *process)
{
    uint64_t begin;

    info = process;
    open();
    ok(link_becomes(true) && net.met && (net.other_takes & NET_TAKES_TCP4),
       "there is a card whose link is up, and which finishes frames");
    begin = gate_tsc();
    if (strcmp(info->arguments, "slirp") == 0) {
        slirp();
    } else if (strcmp(info->arguments, "mortal") == 0) {
        ok(echo(LOAD), "all frames come back, those that were lost sent again");
        log_line("# %u frames took %u ms, %u lost", LOAD,
                 (unsigned)((gate_tsc() - begin) / info->tsc_khz), lost);
    } else {
        all_kinds();
    }
    plan();
}
