/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/e1000_offload.h"

#include "lib/bits.h"
#include "lib/string.h"

#define MSS_MIN 8u /* bytes, the least that Linux makes: one entry shall be no flood */

/* The sum of a pseudo-header without the length, which the card adds: 3.5.4. */
static void put_pseudo_header(uint8_t *checksum, const uint8_t *addresses, uint32_t size)
{
    uint32_t sum = 6; /* TCP */

    for (uint32_t i = 0; i < size; i += 2)
        sum += (uint32_t)addresses[i] << 8 | addresses[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    checksum[0] = (uint8_t)(sum >> 8);
    checksum[1] = (uint8_t)sum;
}

/* TCP segmentation (3.5): what the context says, and what the card wants to find in the headers.
 * False: they are none that it can cut. */
static bool segment(struct tx *context, uint8_t *frame, const struct net_entry *e)
{
    bool v4 = e->gso == NET_GSO_TCP4;
    uint32_t ip = frame[12] == 0x81 && frame[13] == 0 ? 18 : 14, tcp = e->checksum_start;
    uint32_t least = ip + (v4 ? (frame[ip] & 0xfu) * 4u : 40u), header = tcp;

    if (tcp + 20 > min_u64(e->size, CONTEXT_MOST) || tcp < ip + 20 || tcp < least ||
        e->checksum_offset != 16 || frame[ip] >> 4 != (v4 ? 4 : 6))
        return false;
    header += (frame[tcp + 12] >> 4) * 4u;
    if (header < tcp + 20 || header > CONTEXT_MOST || header >= e->size ||
        e->segment_size < MSS_MIN || header - ip + e->segment_size > NET_MTU)
        return false;
    memset(frame + ip + (v4 ? 2 : 4), 0, 2);
    if (v4)
        memset(frame + ip + 10, 0, 2);
    put_pseudo_header(frame + tcp + 16, frame + ip + (v4 ? 12 : 8), v4 ? 8 : 32);
    context->low |= ip | (uint64_t)(ip + 10) << 8 | (v4 ? (uint64_t)(tcp - 1) << 16 : 0);
    context->high |= (e->size - header) | TX_TSE | CONTEXT_TCP | (v4 ? CONTEXT_IPV4 : 0) |
                     (uint64_t)header << 40 | (uint64_t)e->segment_size << 48;
    return true;
}

uint64_t e1000_offload(struct tx *context, uint8_t *frame, const struct net_entry *e)
{
    uint32_t start = e->checksum_start, at = start + e->checksum_offset;

    if (at > CONTEXT_MOST)
        return 0;
    *context = (struct tx){.low = (uint64_t)start << 32 | (uint64_t)at << 40, .high = TX_DEXT};
    if (e->gso == NET_GSO_NONE)
        return TX_TXSM;
    if (!segment(context, frame, e))
        return 0;
    return TX_TXSM | TX_TSE | (e->gso == NET_GSO_TCP4 ? TX_IXSM : 0);
}
