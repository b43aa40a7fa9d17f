/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A state that has been seen is known by a hash of 64 bits. Two states with the same hash would be
 * taken for one: among a few million states the chance of that is less than one in a million.
 */
#include "tests/native/model/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 4096

struct node {
    uint64_t hash;
    uint32_t parent; /* the first node is its own */
    uint32_t action;
};

/* The states seen, in the order of their depths, and an open hash table of their
 * numbers plus one. */
static struct node *nodes;
static uint32_t *buckets;
static size_t node_count, node_room, bucket_count;

/* The states of one depth: the last nodes, in the same order. */
struct frontier {
    struct model_state *states;
    size_t count, room;
};

static struct model_action actions[MODEL_ACTIONS_MAX];
static unsigned action_count;

static void *grow(void *array, size_t size)
{
    array = realloc(array, size);
    if (array == NULL) {
        perror("model");
        exit(2);
    }
    return array;
}

static uint64_t hash_of(const struct model_state *state)
{
    uint64_t hash = 0x9e3779b97f4a7c15, word;

    for (size_t i = 0; i < sizeof(*state); i += sizeof(word)) {
        size_t left = sizeof(*state) - i;
        word = 0;
        memcpy(&word, (const uint8_t *)state + i, left < sizeof(word) ? left : sizeof(word));
        unsigned __int128 product = (unsigned __int128)(hash ^ word) * 0xd6e8feb86659fd93;
        hash = (uint64_t)product ^ (uint64_t)(product >> 64) ^ (hash << 29 | hash >> 35);
    }
    return hash;
}

static uint32_t *bucket_of(uint64_t hash)
{
    size_t i = hash & (bucket_count - 1);

    while (buckets[i] != 0 && nodes[buckets[i] - 1].hash != hash)
        i = (i + 1) & (bucket_count - 1);
    return &buckets[i];
}

static void double_buckets(void)
{
    bucket_count = bucket_count != 0 ? 2 * bucket_count : FIRST_BUCKETS;
    buckets = grow(buckets, bucket_count * sizeof(*buckets));
    memset(buckets, 0, bucket_count * sizeof(*buckets));
    for (size_t n = 0; n < node_count; n++)
        *bucket_of(nodes[n].hash) = (uint32_t)n + 1;
}

static void push(struct frontier *f, const struct model_state *state)
{
    if (f->count == f->room)
        f->states = grow(f->states, (f->room = 2 * f->room + 64) * sizeof(*f->states));
    f->states[f->count++] = *state;
}

/* Makes a node of the model's state and puts it into the frontier, unless it has been seen. */
static void arrive(struct frontier *next, uint32_t parent, uint32_t action)
{
    struct model_state state;

    model_save(&state);
    if (2 * node_count >= bucket_count)
        double_buckets();
    uint64_t hash = hash_of(&state);
    uint32_t *bucket = bucket_of(hash);
    if (*bucket != 0)
        return;
    if (node_count == node_room)
        nodes = grow(nodes, (node_room = 2 * node_room + 64) * sizeof(*nodes));
    nodes[node_count] = (struct node){hash, parent, action};
    *bucket = (uint32_t)++node_count;
    push(next, &state);
}

/* All that can happen in a state; false when it breaks an invariant, and then the last node is
 * where. */
static bool expand(const struct model_state *state, uint32_t parent, struct frontier *next,
                   struct search_result *result)
{
    for (uint32_t i = 0; i < action_count; i++) {
        model_restore(state);
        if (!model_act(&actions[i]))
            continue;
        result->transitions++;
        if (model_broken() == NULL)
            arrive(next, parent, i);
        if (model_broken() != NULL) {
            nodes = grow(nodes, (node_count + 1) * sizeof(*nodes));
            node_room = node_count + 1;
            nodes[node_count++] = (struct node){0, parent, i};
            return false;
        }
    }
    return true;
}

struct search_result search(const struct model_config *config, enum msr_strategy strategy)
{
    struct search_result result = {0};
    struct frontier now = {0}, next = {0};
    bool goes_on = true;

    node_count = bucket_count = 0;
    action_count = model_actions(config, actions);
    model_begin(config, strategy);
    if (model_broken() == NULL)
        arrive(&next, 0, 0);
    while (goes_on && next.count != 0 && (config->depth == 0 || result.depth < config->depth)) {
        struct frontier swap = now;
        now = next;
        next = swap;
        next.count = 0;
        uint32_t first = (uint32_t)(node_count - now.count);
        for (size_t i = 0; goes_on && i < now.count; i++)
            goes_on = expand(&now.states[i], first + (uint32_t)i, &next, &result);
        result.depth += goes_on && next.count == 0 ? 0 : 1;
    }
    result.broken = model_broken();
    result.states = node_count;
    free(now.states);
    free(next.states);
    return result;
}

static void print_way(const char *prefix, uint32_t node)
{
    char text[80];

    if (nodes[node].parent == node)
        return;
    print_way(prefix, nodes[node].parent);
    model_describe(&actions[nodes[node].action], text);
    printf("%s%s\n", prefix, text);
}

void search_print_trace(const char *prefix)
{
    if (node_count == 0)
        printf("%sthe start\n", prefix);
    else
        print_way(prefix, (uint32_t)node_count - 1);
}
