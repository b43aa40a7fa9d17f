/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/process/channel.h"

#include "hypervisor/cpu/arena.h"
#include "hypervisor/report/panic.h"
#include "hypervisor/sched/sched.h"
#include "lib/bits.h"
#include "lib/string.h"

/* Whose memory is where is the server's to know: it programs a device with it. */
static void map_extents(const struct process *client, struct process *server, uint32_t n)
{
    struct process_extents *page = arena_alloc(PAGE_SIZE);

    page->count = client->extent_count;
    memcpy(page->extent, client->extents, client->extent_count * sizeof(*client->extents));
    process_map(server, PROCESS_EXTENT + n * PAGE_SIZE, page, PAGE_SIZE, PAGING_NX);
}

/* Returns its number there. The peer's index is the plan's. */
static uint32_t add_side(struct process *p, const struct process *peer, uint32_t peer_index,
                         const struct plan_channel *plan, void *pages)
{
    uint32_t n = p->info->channel_count++;
    struct process_channel *c = &p->info->channels[n];

    ASSERT(n < PROCESS_CHANNELS);
    *c = (struct process_channel){
        .kind = plan->kind,
        .read_only = plan->read_only,
        .size = plan->size,
        .peer_index = peer_index,
    };
    memcpy(c->peer, peer->info->name, sizeof(c->peer));
    memcpy(c->label, plan->label, sizeof(c->label));
    ASSERT(paging_map(p->root, PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE, phys_of(pages),
                      plan->size, PAGING_W | PAGING_U | PAGING_NX));
    return n;
}

void channel_create(const struct plan_channel *plan, struct process *client, struct process *server)
{
    void *pages = arena_alloc(plan->size);
    uint32_t c = add_side(client, server, plan->server, plan, pages),
             s = add_side(server, client, plan->client, plan, pages);
    struct process_channel *served = &server->info->channels[s];

    client->peers[c] = (struct process_peer){server, s};
    server->peers[s] = (struct process_peer){client, c};
    served->server = 1;
    served->physical = phys_of(pages);
    if (plan->kind == PLAN_CHANNEL_BLOCK)
        map_extents(client, server, s);
}

void channel_notify(const struct process *p, uint64_t channels)
{
    for (; channels != 0; channels &= channels - 1) {
        unsigned n = (unsigned)__builtin_ctzll(channels);
        sched_post(p->peers[n].process->listener, EVENT_CHANNEL(p->peers[n].channel));
    }
}

void channel_end_all(const struct process *p)
{
    for (uint32_t n = 0; n < p->info->channel_count; n++) {
        p->peers[n].process->info->channels[p->peers[n].channel].ended = 1;
        channel_notify(p, BIT(n));
    }
}
