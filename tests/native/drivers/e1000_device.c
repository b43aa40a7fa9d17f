/* SPDX-License-Identifier: BSD-2-Clause */
#include "e1000_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "abi/process.h"
#include "lib/bits.h"
#include "runtime/io.h"

#define RESET_TICKS 20

enum reg {
    CTRL = 0x0,
    STATUS = 0x8,
    ICR = 0xc0,
    IMS = 0xd0,
    IMC = 0xd8,
    IVAR = 0xe4,
    EITR = 0xe8,
    RCTL = 0x100,
    TCTL = 0x400,
    RDBAL = 0x2800,
    RDLEN = 0x2808,
    RDH = 0x2810,
    RDT = 0x2818,
    TDBAL = 0x3800,
    TDLEN = 0x3808,
    TDH = 0x3810,
    TDT = 0x3818,
    TXDCTL = 0x3828,
    MPC = 0x4010,
    MTA = 0x5200,
};

static const struct known {
    uint32_t first, last;
    bool is_82574;
} known[] = {
    {CTRL, CTRL, false},     {STATUS, STATUS, false}, {0x28, 0x30, false},
    {ICR, 0xc4, false},      {IMS, IMC, false},       {IVAR, EITR, true},
    {RCTL, RCTL, false},     {0x170, 0x170, false},   {TCTL, TCTL, false},
    {0x410, 0x410, false},   {RDBAL, RDT, false},     {TDBAL, TDT, false},
    {TXDCTL, TXDCTL, false}, {MPC, MPC, false},       {0x5000, 0x5000, false},
    {MTA, MTA + 508, false}, {0x5400, 0x5404, false},
};

struct e1000_device e1000_device;
unsigned e1000_resets;

static uint32_t regs[0x6000 / 4];
static uint32_t causes, enabled;
static unsigned resetting;
static uint8_t frame[0x20000];
static uint32_t frame_size;
static uint64_t context[2], popts;
static bool predecessor;

static uint32_t *reg(uint32_t offset)
{
    bool found = false;

    for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
        found |= offset >= known[i].first && offset <= known[i].last &&
                 (!known[i].is_82574 || e1000_device.is_82574);
    assert_true(found);
    assert_int_equal(offset % 4, 0);
    return &regs[offset / 4];
}

static void cause(uint32_t bits)
{
    causes |= bits;
}

static void set_defaults(void)
{
    memset(regs, 0xff, sizeof(regs)); /* what the manuals do not say */
    *reg(CTRL) = 1u << 3 | 1u << 11;
    *reg(RCTL) = *reg(TCTL) = 0;
    *reg(RDH) = *reg(RDT) = *reg(TDH) = *reg(TDT) = 0;
    *reg(MPC) = *reg(TXDCTL) = 0;
    regs[0x5400 / 4] = 0x12005452;
    regs[0x5404 / 4] = 0x80005634;
    frame_size = 0;
    causes = enabled = 0;
}

void e1000_new(bool is_82574)
{
    e1000_device = (struct e1000_device){.is_82574 = is_82574, .link = true};
    set_defaults();
    *reg(RCTL) = 2;
    *reg(TCTL) = 2;
    enabled = causes = 0xff;
    predecessor = true;
    resetting = 0;
    e1000_resets = 0;
}

void e1000_set_link(bool up)
{
    e1000_device.link = up;
    cause(4 | (e1000_device.msix ? 1u << 24 : 0));
}

bool e1000_interrupts(void)
{
    return (causes & enabled) != 0;
}

void e1000_tick(void)
{
    if (resetting == 0 || --resetting > 0 || e1000_device.never_resets)
        return;
    set_defaults();
    predecessor = false;
    e1000_resets++;
}

static void set_ctrl(uint32_t value)
{
    assert_int_equal(value & 1u << 31, 0); /* the PHY's reset is not asked for */
    if (value & 1u << 26) {
        assert_int_equal(*reg(RCTL) & 2, 0);
        assert_int_equal(*reg(TCTL) & 2, 0);
        assert_int_equal(enabled, 0);
        resetting = RESET_TICKS;
    }
    *reg(CTRL) = value;
}

/* A ring that is about to be used: 13.4.26 and on. */
static void check_ring(uint32_t base)
{
    uint64_t at = *reg(base) | (uint64_t)*reg(base + 4) << 32;

    assert_int_equal(at % 16, 0);
    assert_int_equal(*reg(base + 8) % 128, 0);
    assert_int_not_equal(*reg(base + 8), 0);
    reach(at, *reg(base + 8));
}

uint32_t mmio_read32(const volatile void *address)
{
    uint32_t offset = (uint32_t)((uintptr_t)address - PROCESS_WINDOW), value;

    if (e1000_device.gone)
        return UINT32_MAX;
    value = *reg(offset);
    switch (offset) {
    case STATUS:
        return (e1000_device.link && (*reg(CTRL) & 1u << 6) ? 2 : 0) |
               (*reg(CTRL) & 1u << 2 ? 0 : 1u << 19);
    case ICR:
        value = causes;
        if (!e1000_device.msix)
            causes = 0;
        return value;
    case MPC:
        *reg(MPC) = 0;
        return value;
    }
    return value;
}

void mmio_write32(volatile void *address, uint32_t value)
{
    uint32_t offset = (uint32_t)((uintptr_t)address - PROCESS_WINDOW);

    if (e1000_device.gone)
        return;
    switch (offset) {
    case CTRL:
        set_ctrl(value);
        return;
    case ICR:
        causes &= ~value;
        return;
    case IMS:
        assert_true(e1000_device.is_82574 || value >> 17 == 0);
        enabled |= value;
        return;
    case IMC:
        enabled &= ~value;
        return;
    case RCTL:
        if (value & 2)
            check_ring(RDBAL);
        break;
    case TCTL:
        if (e1000_device.is_82574 && value & 2 && !predecessor)
            assert_true(resetting == 0);
        break;
    case RDT:
    case TDT:
        if (value != 0)
            check_ring(offset - 0x18);
        assert_true(value < *reg(offset - 0x10) / 16 || value == 0);
        break;
    }
    *reg(offset) = value;
}

void io_fence(void)
{
}

/* Receiving: 3.2. */

bool e1000_receive(const uint8_t *data, uint32_t size, uint8_t status, uint8_t errors)
{
    uint64_t base = *reg(RDBAL) | (uint64_t)*reg(RDBAL + 4) << 32;
    uint32_t head = *reg(RDH);
    uint8_t *descriptor;
    uint64_t buffer;

    if (e1000_device.gone || predecessor || resetting || !(*reg(RCTL) & 2) || head == *reg(RDT)) {
        regs[MPC / 4]++;
        return false;
    }
    assert_int_equal(*reg(RCTL) & 0x18, 0x18);
    descriptor = reach(base + head * 16, 16);
    memcpy(&buffer, descriptor, 8);
    memcpy(reach(buffer, 2048), data, size);
    memcpy(descriptor + 8, &size, 2);
    descriptor[12] = (uint8_t)(status | 1);
    descriptor[13] = errors;
    for (unsigned i = 8; e1000_device.lies && i < 16; i++)
        descriptor[i] = (uint8_t)chance(256);
    *reg(RDH) = (head + 1) % (*reg(RDLEN) / 16);
    cause(1u << 7 | (e1000_device.msix ? 1u << 20 : 0));
    return true;
}

/* Sending: 3.3, 3.5. */

static uint32_t add(const uint8_t *at, uint32_t size, uint32_t sum)
{
    for (uint32_t i = 0; i < size; i++)
        sum += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint8_t field(unsigned word, unsigned bit)
{
    return (uint8_t)(context[word] >> bit);
}

static void out(uint8_t *at, uint32_t size)
{
    uint8_t ipcss = field(0, 0), ipcso = field(0, 8), tucss = field(0, 32), tucso = field(0, 40);

    if (popts & 1)
        put16(at + ipcso, ~add(at + ipcss, (uint16_t)(context[0] >> 16) + 1u - ipcss, 0));
    if (popts & 2) {
        assert_true(tucso + 2u <= size);
        put16(at + tucso, ~add(at + tucss, size - tucss, 0));
    }
    assert_true(size >= 17 && size <= 1518); /* the 82574 pads no less */
    wire_out(at, size);
}

static void cut(void)
{
    uint32_t header = field(1, 40), mss = (uint16_t)(context[1] >> 48), ip = field(0, 0);
    uint32_t tcp = field(0, 32), payload = frame_size - header, sequence;
    bool v4 = context[1] & 1u << 25;

    assert_int_equal(payload, context[1] & 0xfffff);
    assert_true(mss > 0 && header >= tcp + 20);
    assert_int_equal(context[1] >> 24 & 0x25, 0x25); /* TCP, TSE, DEXT */
    assert_true(v4 || e1000_device.is_82574);
    memcpy(&sequence, frame + tcp + 4, 4);
    for (uint32_t done = 0; done < payload; done += mss) {
        static uint8_t piece[0x10000];
        uint32_t some = (uint32_t)min_u64(mss, payload - done), size = header + some;
        uint32_t number = __builtin_bswap32(__builtin_bswap32(sequence) + done);
        memcpy(piece, frame, header);
        memcpy(piece + header, frame + header + done, some);
        memcpy(piece + tcp + 4, &number, 4);
        if (done + some < payload)
            piece[tcp + 13] &= (uint8_t)~9;
        put16(piece + ip + (v4 ? 2 : 4), size - ip - (v4 ? 0 : 40));
        put16(piece + tcp + 16,
              add((uint8_t[]){(uint8_t)((size - tcp) >> 8), (uint8_t)(size - tcp)}, 2,
                  add(piece + tcp + 16, 2, 0)));
        out(piece, size);
    }
}

static void finish(bool tse)
{
    if (tse)
        cut();
    else
        out(frame, frame_size);
    frame_size = 0;
}

static void send_one(uint64_t *descriptor)
{
    uint8_t command = (uint8_t)(descriptor[1] >> 24);

    assert_true(command & 0x20); /* DEXT */
    if ((descriptor[1] >> 20 & 0xf) == 0) {
        assert_int_equal(frame_size, 0);
        memcpy(context, descriptor, sizeof(context));
        return;
    }
    assert_int_equal(descriptor[1] >> 20 & 0xf, 1);
    uint32_t size = descriptor[1] & 0xfffff;
    if (frame_size == 0)
        popts = descriptor[1] >> 40 & 0xff;
    assert_true(size > 0 && frame_size + size <= sizeof(frame));
    memcpy(frame + frame_size, reach(descriptor[0], size), size);
    frame_size += size;
    if (command & 1) {
        assert_true(command & 2); /* IFCS */
        finish(command & 4);
    }
    if (command & 8) {
        descriptor[1] |= 1ULL << 32;
        cause(1 | (e1000_device.msix ? 1u << 22 : 0));
    }
}

void e1000_work(void)
{
    uint64_t base = *reg(TDBAL) | (uint64_t)*reg(TDBAL + 4) << 32;
    uint32_t some = 16 + chance(40); /* a frame takes no four ticks */

    if (e1000_device.gone || e1000_device.stalls || predecessor || resetting || !(*reg(TCTL) & 2))
        return;
    if (e1000_device.is_82574)
        assert_true(*reg(TXDCTL) & 1u << 22);
    for (; some > 0 && *reg(TDH) != *reg(TDT); some--) {
        send_one((uint64_t *)reach(base + *reg(TDH) * 16, 16));
        *reg(TDH) = (*reg(TDH) + 1) % (*reg(TDLEN) / 16);
    }
}
