/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "drivers/serve.h"
#include "runtime/gate.h"
#include "runtime/io.h"
#include "runtime/log.h"

struct process_info process;
uint64_t now;
bool time_passes;
unsigned interrupts_done;
unsigned notified[CHANNELS];
char logged[16384];
struct channel_end client[CHANNELS];

static uint64_t pending, timer;
static bool idle;
static uint8_t guests[CHANNELS][GUEST_LOW + GUEST_MIDDLE + GUEST_HIGH];

#define CHANNEL_PAGES BLOCK_CHANNEL_SIZE

static void *map(uint64_t address, size_t size)
{
    void *at = mmap((void *)address, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    assert_ptr_equal(at, (void *)address);
    return at;
}

static void fill_extents(unsigned n)
{
    struct process_extents *e = map(PROCESS_EXTENT + n * 4096, 4096);

    e->count = 3;
    e->extent[0] = (struct process_extent){0, GUEST_PHYSICAL(n), GUEST_LOW};
    e->extent[1] = (struct process_extent){GUEST_LOW, GUEST_PHYSICAL(n) + 0x100000, GUEST_MIDDLE};
    e->extent[2] = (struct process_extent){GUEST_HIGH_AT, GUEST_PHYSICAL(n) + 0x200000, GUEST_HIGH};
}

void machine_restart(void)
{
    process.starts++;
    pending = 0;
    timer = UINT64_MAX;
}

void machine_new(void)
{
    memset(&process, 0, sizeof(process));
    memset(guests, 0, sizeof(guests));
    memset(notified, 0, sizeof(notified));
    logged[0] = '\0';
    now = 1000;
    time_passes = false;
    interrupts_done = 0;
    map(PROCESS_DMA, DMA_SIZE);
    process.tsc_khz = 1000;
    process.channel_count = CHANNELS;
    process.interrupt_count = 1;
    process.dma_physical = DMA_PHYSICAL;
    process.dma_size = DMA_SIZE;
    for (unsigned n = 0; n < CHANNELS; n++) {
        struct process_channel *c = &process.channels[n];

        map(PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE, CHANNEL_PAGES);
        fill_extents(n);
        c->kind = PLAN_CHANNEL_BLOCK;
        c->server = 1;
        c->size = CHANNEL_PAGES;
        c->physical = CHANNEL_PHYSICAL(n);
        snprintf(c->peer, sizeof(c->peer), "vm%u", n);
        snprintf(c->label, sizeof(c->label), "lintel-%u", n);
    }
    machine_restart();
}

static void *within(uint64_t physical, uint64_t size, uint64_t start, uint64_t length, void *pages)
{
    return physical >= start && size <= length && physical - start <= length - size
               ? (uint8_t *)pages + (physical - start)
               : NULL;
}

void *machine_memory(uint64_t physical, uint64_t size)
{
    void *at = within(physical, size, DMA_PHYSICAL, DMA_SIZE, (void *)PROCESS_DMA);

    for (unsigned n = 0; n < CHANNELS && !at; n++) {
        at = within(physical, size, CHANNEL_PHYSICAL(n), CHANNEL_PAGES,
                    (void *)(PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE));
        if (!at)
            at = within(physical, size, GUEST_PHYSICAL(n), GUEST_LOW, guests[n]);
        if (!at)
            at = within(physical, size, GUEST_PHYSICAL(n) + 0x100000, GUEST_MIDDLE,
                        guests[n] + GUEST_LOW);
        if (!at)
            at = within(physical, size, GUEST_PHYSICAL(n) + 0x200000, GUEST_HIGH,
                        guests[n] + GUEST_LOW + GUEST_MIDDLE);
    }
    assert_non_null(at);
    return at;
}

uint8_t *machine_guest(unsigned n, uint64_t gpa)
{
    return gpa < GUEST_HIGH_AT ? guests[n] + gpa
                               : guests[n] + GUEST_LOW + GUEST_MIDDLE + (gpa - GUEST_HIGH_AT);
}

void machine_raise(uint64_t events)
{
    pending |= events;
}

void machine_run(void)
{
    unsigned turns = 0;

    idle = false;
    while (!idle) {
        assert_true(turns++ < 100000);
        serve_turn();
    }
}

bool has_logged(const char *words)
{
    return strstr(logged, words) != NULL;
}

unsigned lines_logged(const char *words)
{
    unsigned count = 0;

    for (const char *at = logged; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

/* The gate. */

int64_t gate_wait(void)
{
    uint64_t events;

    if (!pending && time_passes && timer != UINT64_MAX)
        now = timer > now ? timer : now;
    if (timer <= now) {
        timer = UINT64_MAX;
        pending |= EVENT_TIMER;
    }
    events = pending;
    pending = 0;
    idle = events == 0;
    return (int64_t)events;
}

void gate_notify(unsigned channel)
{
    assert_true(channel < CHANNELS);
    notified[channel]++;
    pending |= EVENT_CHANNEL(channel);
}

void gate_send(void)
{
}

void gate_interrupts_done(uint64_t interrupts)
{
    assert_int_equal(interrupts >> process.interrupt_count, 0);
    interrupts_done += (unsigned)__builtin_popcountll(interrupts);
}

int64_t gate_timer(uint64_t tsc)
{
    timer = tsc;
    return 0;
}

void io_fence(void)
{
}

/* A program that looks at the clock waits for it. */
uint64_t gate_tsc(void)
{
    return now++;
}

void log_line(const char *fmt, ...)
{
    size_t length = strlen(logged);
    va_list args;

    va_start(args, fmt);
    vsnprintf(logged + length, sizeof(logged) - length, fmt, args);
    va_end(args);
    assert_true(strlen(logged) + 2 < sizeof(logged));
    strcat(logged, "\n");
}

/* Clients. */

struct block_area *area_of(unsigned n)
{
    return (struct block_area *)(PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE + CHANNEL_AREA);
}

void client_open(unsigned n)
{
    channel_open(&client[n], (void *)(PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE), n, false);
}

struct block_request request_of(enum block_op op, uint32_t id, uint64_t sector, uint32_t sectors)
{
    return (struct block_request){
        .id = id, .epoch = process.starts, .op = (uint8_t)op, .sectors = sectors, .sector = sector};
}

bool client_send(unsigned n, struct block_request request, const uint64_t *segments)
{
    uint8_t entry[CHANNEL_ENTRY_SIZE] = {0};
    bool sent;

    for (unsigned i = 0; i < request.segment_count && i < BLOCK_SEGMENTS; i++)
        area_of(n)->segment[request.id % BLOCK_IDS][i] = segments[i];
    memcpy(entry, &request, sizeof(request));
    sent = channel_put(&client[n], entry);
    channel_flush(&client[n]);
    return sent;
}

bool client_receive(unsigned n, struct block_answer *answer)
{
    uint8_t entry[CHANNEL_ENTRY_SIZE];
    bool got = channel_get(&client[n], entry);

    if (got)
        memcpy(answer, entry, sizeof(*answer));
    channel_flush(&client[n]);
    return got;
}

enum block_status client_ask(unsigned n, struct block_request request, const uint64_t *segments)
{
    struct block_answer answer;

    assert_true(client_send(n, request, segments));
    machine_run();
    assert_true(client_receive(n, &answer));
    assert_int_equal(answer.id, request.id);
    assert_int_equal(answer.epoch, process.starts);
    return (enum block_status)answer.status;
}

enum block_status client_move(unsigned n, enum block_op op, uint64_t sector, uint32_t sectors,
                              uint64_t address)
{
    struct block_request request = request_of(op, 1, sector, sectors);
    uint64_t segment =
        BLOCK_SEGMENT(address & ~BLOCK_SEGMENT_BOUNCE, sectors) | (address & BLOCK_SEGMENT_BOUNCE);

    request.segment_count = 1;
    return client_ask(n, request, &segment);
}
