/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network card of Intel's, of the families 8254x and 82574: the driver serves a network's switch
 * (abi/net.h). Names and section numbers are of the "PCI/PCI-X Family of Gigabit Ethernet
 * Controllers Software Developer's Manual" (317453), and of the 82574's data sheet (317694) where
 * that is said. Neither family's own PHY needs help to agree with the other end of its wire.
 *
 * The process's window 0 is BAR 0. The DMA area is a struct dma_area: each descriptor has a buffer
 * of its own there, and the card is told of no other memory. So each frame is copied once, which
 * keeps it as it was when it was looked at.
 *
 * Frames are received whatever their address is: the machines behind the switch are many.
 */
#include "drivers/e1000.h"

#include "drivers/e1000_regs.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "runtime/device.h"
#include "runtime/gate.h"
#include "runtime/io.h"
#include "runtime/log.h"
#include "runtime/net.h"
#include "runtime/process.h"
#include "runtime/segment.h"
#include "runtime/shared.h"

#define RING     256u  /* descriptors */
#define BUFFER   2048u /* bytes: of a received frame, or of a piece of one that is sent */
#define SHORTEST 17u   /* bytes of a frame: the card pads those that are not less */
#define TURN     64u   /* frames that are sent before others' turn */
#define MSS_MIN  8u    /* bytes, the least that Linux makes: one entry shall be no flood */

/* What is sent is on the wire after much less than STALL_MS. */
enum { RESET_MS = 100, PAUSE_US = 10000, POLL_MS = 1, TICK_MS = 500, STALL_MS = 2000 };

/* What is the same for all, behind a reset: 14.4, 14.5. No flow control: who waits for nobody has
 * no use for it. At most 15,000 interrupts each second, in units of 256 ns. */
static const struct {
    uint32_t reg, value;
} setup[] = {
    {FCAL, 0},          {FCAH, 0},          {FCT, 0},           {FCTTV, 0},
    {RXCSUM, 3u << 8},  {ITR, 260},         {RDBAH, 0},         {RDH, 0},
    {RDT, 0},           {TDBAH, 0},         {TDH, 0},           {TDT, 0},
    {RDLEN, RING * 16}, {TDLEN, RING * 16}, {TIPG, 0x00602008}, {TCTL, TCTL_SETUP},
};

struct dma_area {
    _Alignas(128) struct rx rx[RING];
    _Alignas(128) struct tx tx[RING];
    uint8_t rx_buffer[RING][BUFFER];
    uint8_t tx_buffer[RING][BUFFER];
};

_Static_assert(NET_FRAME_MTU <= BUFFER, "a received frame has one descriptor");
_Static_assert(1 + NET_FRAME_MAX / BUFFER + 1 < RING, "the longest frame has descriptors");

/* The 8254x cut IPv6 frames, and give them a wrong length (3.5.9.1). */
#define TAKES_8254X (NET_TAKES_CHECKSUM | NET_TAKES_TCP4)
#define TAKES_82574 (TAKES_8254X | NET_TAKES_TCP6)

static const struct model {
    uint16_t device;
    bool is_82574; /* or an 82583, which is one for this driver */
    uint32_t takes;
    const char *name;
} models[] = {
    {0x1008, false, NET_TAKES_CHECKSUM, "82544EI"}, {0x100c, false, NET_TAKES_CHECKSUM, "82544GC"},
    {0x100e, false, TAKES_8254X, "82540EM"},        {0x1015, false, TAKES_8254X, "82540EM"},
    {0x1016, false, TAKES_8254X, "82540EP"},        {0x1017, false, TAKES_8254X, "82540EP"},
    {0x101e, false, TAKES_8254X, "82540EP"},        {0x1013, false, TAKES_8254X, "82541EI"},
    {0x1018, false, TAKES_8254X, "82541EI"},        {0x1076, false, TAKES_8254X, "82541GI"},
    {0x1077, false, TAKES_8254X, "82541GI"},        {0x1078, false, TAKES_8254X, "82541ER"},
    {0x107c, false, TAKES_8254X, "82541PI"},        {0x100f, false, TAKES_8254X, "82545EM"},
    {0x1026, false, TAKES_8254X, "82545GM"},        {0x1010, false, TAKES_8254X, "82546EB"},
    {0x101d, false, TAKES_8254X, "82546EB"},        {0x1079, false, TAKES_8254X, "82546GB"},
    {0x1019, false, NET_TAKES_CHECKSUM, "82547EI"}, {0x1075, false, NET_TAKES_CHECKSUM, "82547GI"},
    {0x10d3, true, TAKES_82574, "82574L"},          {0x10f6, true, TAKES_82574, "82574LA"},
    {0x150c, true, TAKES_82574, "82583V"},
};

static struct {
    const struct process_info *info;
    const struct model *model;
    struct net_end client;
    bool alive, link;
    uint32_t rx_next;           /* the descriptor of the next frame */
    uint32_t tx_tail, tx_clean; /* the next to fill, the first under way: counted for ever */
    uint32_t tx_told;           /* what the card knows of tx_tail */
    uint32_t tx_end[RING];      /* by a frame's first descriptor: the one behind its last */
    bool blocked;               /* the client has a frame that finds no room */
    bool ticking;
    uint32_t stuck_ms, stuck_at; /* nothing was sent for so long, since tx_clean was this */
    uint64_t received, sent, bad, dropped, missed, resets;
} nic;

static struct dma_area *const area = (struct dma_area *)PROCESS_DMA;

/* Causes that are to interrupt, or to do so no longer. */
static void write_causes(uint32_t reg, uint32_t causes)
{
    device_write32(reg, nic.model->is_82574 ? causes : causes & ~CAUSES_82574);
}

static void tell(const char *what)
{
    nic.missed += device_read32(MPC);
    log_line("%s; frames: %lu received, %lu sent, %lu bad, %lu dropped, %lu missed; %lu resets",
             what, nic.received, nic.sent, nic.bad, nic.dropped, nic.missed, nic.resets);
}

static void look_at_link(void)
{
    uint32_t status = device_read32(STATUS);
    bool link = nic.alive && status != UINT32_MAX && (status & STATUS_LU);

    if (link != nic.link)
        tell(link ? "the link is up" : "the link is down");
    nic.link = link;
    net_set_link(&nic.client, link);
}

/* The device. */

/* Stops it and resets it, whatever it does for whom (14.3; 82574: 4.6.1, 5.2): the waits are the
 * manuals', for what is under way on the bus, and to load the EEPROM. */
static bool reset(void)
{
    device_write32(IMC, UINT32_MAX);
    device_write32(RCTL, 0);
    device_write32(TCTL, 0);
    if (nic.model->is_82574) {
        device_write32(CTRL, device_read32(CTRL) | CTRL_MASTER_DISABLE);
        device_wait(STATUS, STATUS_MASTER, 0, RESET_MS);
    }
    device_pause(PAUSE_US);
    device_write32(CTRL, (device_read32(CTRL) & ~CTRL_MASTER_DISABLE) | CTRL_RST);
    device_pause(PAUSE_US);
    if (!device_wait(CTRL, CTRL_RST, 0, RESET_MS))
        return false;
    device_write32(IMC, UINT32_MAX);
    device_read32(ICR);
    return true;
}

static void make_rings(void)
{
    memset(area->tx, 0, sizeof(area->tx));
    for (unsigned i = 0; i < RING; i++)
        area->rx[i] = (struct rx){.address = device_physical(area->rx_buffer[i])};
    nic.rx_next = nic.tx_tail = nic.tx_clean = nic.tx_told = 0;
    nic.stuck_ms = nic.stuck_at = 0;
    nic.blocked = false;
}

static void start(void)
{
    nic.alive = reset();
    if (!nic.alive) {
        log_line("the %s does not end its reset (CTRL %x)", nic.model->name, device_read32(CTRL));
        return;
    }
    make_rings();
    for (unsigned i = 0; i < ARRAY_SIZE(setup); i++)
        device_write32(setup[i].reg, setup[i].value);
    device_write32(RDBAL, (uint32_t)device_physical(area->rx));
    device_write32(TDBAL, (uint32_t)device_physical(area->tx));
    for (unsigned i = 0; i < MTA_WORDS; i++)
        device_write32(MTA + 4 * i, 0);
    if (nic.model->is_82574) {
        device_write32(TXDCTL, device_read32(TXDCTL) | TXDCTL_82574);
        device_write32(IVAR, IVAR_ALL);
        device_write32(EITR, 260);
    }
    device_write32(CTRL, (device_read32(CTRL) & ~(CTRL_FORCED | CTRL_FLOW)) | CTRL_SLU);
    io_fence();
    device_write32(RCTL, RCTL_SETUP | RCTL_EN);
    device_write32(RDT, RING - 1);
    write_causes(IMS, CAUSE_RECEIVED | CAUSE_LINK | CAUSE_OTHER);
}

static void restart(void)
{
    nic.resets++;
    tell("nothing has been sent for 2 s, it is reset");
    start();
    look_at_link();
}

/* From the wire. */

/* A frame, or what the card says is one: to the client. False: that one has no room. */
static bool pass_on(struct rx d, const uint8_t *buffer)
{
    struct net_entry e = {.size = d.length};
    uint8_t *place;

    if (!(d.status & RX_EOP) || (d.errors & RX_FRAME_BAD) || d.length < NET_FRAME_MIN ||
        d.length > NET_FRAME_MTU) {
        nic.bad++;
        return true;
    }
    place = net_wait(&nic.client, e.size);
    if (place == NULL)
        return false;
    if ((d.status & (RX_TCPCS | RX_IXSM)) == RX_TCPCS && !(d.errors & (RX_TCPE | RX_IPE)))
        e.flags = NET_CHECKSUM_GOOD;
    memcpy(place, buffer, e.size);
    net_put(&nic.client, &e);
    nic.received++;
    return true;
}

/* What the client has no room for stays with the card, which drops more when it has none either. */
static void receive(void)
{
    unsigned n;

    for (n = 0; n < RING; n++) {
        uint32_t at = nic.rx_next;
        struct rx d = area->rx[at];

        io_fence();
        if (!(d.status & RX_DD) || !pass_on(d, area->rx_buffer[at]))
            break;
        area->rx[at] = (struct rx){.address = device_physical(area->rx_buffer[at])};
        nic.rx_next = (at + 1) % RING;
    }
    io_fence();
    if (n > 0)
        device_write32(RDT, (nic.rx_next + RING - 1) % RING);
}

/* To the wire. */

static uint8_t *tx_buffer(uint32_t position)
{
    return area->tx_buffer[position % RING];
}

/* What has been sent is no longer under way. */
static void clean(void)
{
    while (nic.tx_clean != nic.tx_tail) {
        uint32_t end = nic.tx_end[nic.tx_clean % RING];
        io_fence();
        if (!(area->tx[(end - 1) % RING].high & TX_DD))
            break;
        nic.tx_clean = end;
    }
}

static bool has_room(uint32_t descriptors)
{
    if (RING - 1 - (nic.tx_tail - nic.tx_clean) < descriptors)
        clean();
    return RING - 1 - (nic.tx_tail - nic.tx_clean) >= descriptors;
}

/* Fills in the context of a frame with NET_NEEDS_CHECKSUM, whose first bytes these are (as many as
 * it has, or BUFFER), and changes its headers to what the card wants to find there: 3.3.6, and for
 * TCP segmentation 3.5. Returns what the descriptors of its data have in their high word for it; 0:
 * the card cannot do that. */
static uint64_t offload(struct tx *context, uint8_t *frame, const struct net_entry *e)
{
    uint32_t start = e->checksum_start, at = start + e->checksum_offset;
    struct segments s;

    if (at > CONTEXT_MOST)
        return 0;
    *context = (struct tx){.low = (uint64_t)start << 32 | (uint64_t)at << 40, .high = TX_DEXT};
    if (e->gso == NET_GSO_NONE)
        return TX_TXSM;
    if (e->segment_size < MSS_MIN || !segments_read(&s, e, frame))
        return 0;
    segments_leave(&s, frame);
    context->low |= s.ip | (uint64_t)(s.ip + 10) << 8 | (s.v6 ? 0 : (uint64_t)(s.tcp - 1) << 16);
    context->high |= s.payload | TX_TSE | CONTEXT_TCP | (s.v6 ? 0 : CONTEXT_IPV4) |
                     (uint64_t)s.header_size << 40 | (uint64_t)s.most << 48;
    return TX_TXSM | TX_TSE | (s.v6 ? 0 : TX_IXSM);
}

/* Copies a frame, and gives it to the card with the next write of TDT. There is room. False: the
 * card cannot finish such a frame. */
static bool send(const uint8_t *frame, const struct net_entry *e)
{
    uint32_t size = e->size < SHORTEST ? SHORTEST : e->size, first = nic.tx_tail, at = first;
    bool whole = !(e->flags & NET_NEEDS_CHECKSUM);
    uint64_t what = 0;

    memset(tx_buffer(first + !whole), 0, SHORTEST);
    for (uint32_t done = 0; done < e->size; done += BUFFER)
        shared_copy(tx_buffer(first + !whole + done / BUFFER), frame + done,
                    min_u64(e->size - done, BUFFER));
    if (!whole) {
        what = offload(&area->tx[at % RING], tx_buffer(at + 1), e);
        if (what == 0)
            return false;
        at++;
    }
    for (uint32_t left = size, some; left > 0; left -= some, at++) {
        some = (uint32_t)min_u64(left, BUFFER);
        area->tx[at % RING] = (struct tx){.low = device_physical(tx_buffer(at)),
                                          .high = some | TX_DATA | TX_DEXT | TX_IFCS | what |
                                                  (left == some ? TX_EOP | TX_RS : 0)};
    }
    nic.tx_end[first % RING] = at;
    nic.tx_tail = at;
    return true;
}

/* Takes frames from the client. True: there may be more. */
static bool transmit(void)
{
    struct net_entry e;
    const uint8_t *frame;
    bool was_blocked = nic.blocked;
    unsigned n = 0;

    nic.blocked = false;
    for (; n < TURN && (frame = net_next(&nic.client, &e)) != NULL; n++) {
        nic.blocked = nic.link && !has_room(2 + e.size / BUFFER);
        if (nic.blocked)
            break;
        if (nic.link && send(frame, &e))
            nic.sent++;
        else
            nic.dropped++;
        net_take(&nic.client);
    }
    io_fence();
    if (nic.tx_told != nic.tx_tail)
        device_write32(TDT, nic.tx_tail % RING);
    nic.tx_told = nic.tx_tail;
    if (nic.blocked != was_blocked)
        write_causes(nic.blocked ? IMS : IMC, CAUSE_SENT);
    return n == TURN;
}

/* Events. */

static uint32_t tick_ms(void)
{
    return nic.info->interrupt_count > 0 ? TICK_MS : POLL_MS;
}

/* While something is under way, and always where there is no interrupt. */
static void keep_ticking(void)
{
    if (nic.ticking || !nic.alive || (nic.info->interrupt_count > 0 && nic.tx_tail == nic.tx_clean))
        return;
    gate_timer(device_deadline(tick_ms()));
    nic.ticking = true;
}

static void tick(void)
{
    nic.ticking = false;
    clean();
    if (nic.tx_clean == nic.tx_tail || nic.tx_clean != nic.stuck_at)
        nic.stuck_ms = 0;
    else
        nic.stuck_ms += tick_ms();
    nic.stuck_at = nic.tx_clean;
    if (nic.stuck_ms >= STALL_MS)
        restart();
}

/* With MSI-X the 82574 does not clear causes that are read. */
static void look_at_causes(void)
{
    uint32_t causes = device_read32(ICR);

    device_write32(ICR, causes);
    if (causes & CAUSE_LINK)
        look_at_link();
}

static void wait(void)
{
    uint64_t events = (uint64_t)gate_wait();

    if (!nic.alive)
        return; /* and its interrupt is left for one that nobody has handled */
    if (events & ~EVENT_CHANNEL(nic.client.channel.number))
        look_at_causes();
    gate_interrupts_done(EVENT_INTERRUPTS(events));
    if (events & EVENT_TIMER)
        tick();
}

void e1000_turn(void)
{
    bool more;

    if (nic.alive)
        receive();
    more = transmit();
    keep_ticking();
    net_flush(&nic.client);
    if (nic.blocked || (!more && channel_sleep(&nic.client.channel)))
        wait();
    else
        gate_send();
    channel_awake(&nic.client.channel);
}

/* The start. */

static bool find(const struct process_info *info)
{
    uint32_t vendor = info->pci_id & 0xffff, device = info->pci_id >> 16;

    for (unsigned i = 0; i < ARRAY_SIZE(models); i++)
        if (vendor == 0x8086 && device == models[i].device)
            nic.model = &models[i];
    if (info->pci_id == 0)
        log_line("it has no card");
    else if (nic.model == NULL)
        log_line("PCI device %04x:%04x is no card of the families that it drives: SUPPORT.md has "
                 "them",
                 vendor, device);
    else if (info->window_count == 0 || info->windows[0].size < WINDOW ||
             info->dma_size < sizeof(struct dma_area))
        log_line("the %s has no registers in memory, or too small a DMA area", nic.model->name);
    else
        return true;
    return false;
}

/* The client's end of the channel, as far as that is there. */
static void open_client(const struct process_info *info)
{
    unsigned n = 0;

    while (n < info->channel_count &&
           !(info->channels[n].server && info->channels[n].kind == PLAN_CHANNEL_NET))
        n++;
    if (n == info->channel_count)
        log_stop(GATE_STOP_POWER_OFF, "no network was granted");
    net_open(&nic.client, (void *)(PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE), n, true);
}

/* Its own address has loaded itself (5.6.1), if there is an EEPROM: it tells people which card it
 * is. */
static void tell_name(void)
{
    uint32_t low = device_read32(RAL), high = device_read32(RAH);

    if (high & RAH_AV)
        log_line("%s, %02x:%02x:%02x:%02x:%02x:%02x", nic.model->name, low & 0xff, low >> 8 & 0xff,
                 low >> 16 & 0xff, low >> 24, high & 0xff, high >> 8 & 0xff);
    else
        log_line("%s", nic.model->name);
}

void e1000_start(const struct process_info *info)
{
    memset(&nic, 0, sizeof(nic));
    nic.info = info;
    device_open(info, 0);
    open_client(info);
    if (!find(info))
        return;
    start();
    if (!nic.alive)
        return;
    net_set_takes(&nic.client, nic.model->takes);
    tell_name();
    look_at_link();
}

_Noreturn void process_main(const struct process_info *info)
{
    e1000_start(info);
    for (;;)
        e1000_turn();
}
