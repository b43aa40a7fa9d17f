/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/report/log.h"

#include "hypervisor/report/serial.h"
#include "lib/format.h"
#include "lib/lock.h"
#include "lib/string.h"

/* Of the ring: what the end of each VM has to say, and some lines. */
#define RESERVE 0x8000u

/* Of the run before, parts of its ring. */
#define PARTS_SHOWN 4

#define CACHE_LINE 64 /* where one is larger, it is flushed more than once */

struct log_pages log_pages;

struct log_ring *log_ring = &log_pages.ring;
static void (*tell)(void); /* NULL: ring 0 prints */
static uint32_t lock;

/* What the console has not taken; nothing, if its page says what cannot be. The lock need not be
 * held: the tail is loaded behind the head, so that no console has come further. */
static uint64_t used(void)
{
    uint64_t head = __atomic_load_n(&log_pages.reader.head, __ATOMIC_ACQUIRE);
    uint64_t used = __atomic_load_n(&log_ring->tail, __ATOMIC_RELAXED) - head;

    return used <= LOG_RING_SIZE && is_aligned(used, LOG_ALIGN) ? used : 0;
}

size_t log_room(void)
{
    uint64_t room = LOG_RING_SIZE - used();

    return room > RESERVE ? room - RESERVE : 0;
}

static void print(const char *words)
{
    while (*words != '\0')
        serial_put(*words++);
}

/* A position between two records gives strange words, no more. */
static void print_from(const struct log_ring *ring, uint64_t at)
{
    for (; at < ring->tail; at = align_up(at, LOG_ALIGN)) {
        const struct log_record *is = (const void *)&ring->bytes[at % LOG_RING_SIZE];
        uint64_t end = at + sizeof(*is) + min_u64(is->length, LOG_LINE_MAX);

        print("lintel: ");
        for (at += sizeof(*is); at < end; at++)
            serial_put((char)ring->bytes[at % LOG_RING_SIZE]);
        print("\r\n");
    }
}

static void print_rest(void)
{
    print_from(log_ring, log_ring->tail - used());
    log_pages.reader.head = log_ring->tail;
}

/* A reset takes away what is in the caches. */
static void flush(const void *from, uint64_t size)
{
    for (uint64_t at = align_down((uint64_t)from, CACHE_LINE); at < (uint64_t)from + size;
         at += CACHE_LINE)
        __asm__ volatile("clflush %0" : : "m"(*(const char *)at) : "memory");
}

/* It is lost where there is no room. */
static void put(const void *record, uint64_t size)
{
    struct log_ring *ring = log_ring;
    uint64_t start = ring->tail % LOG_RING_SIZE, first = min_u64(size, LOG_RING_SIZE - start);

    if (size + LOG_ALIGN > LOG_RING_SIZE - used())
        return;
    memcpy(&ring->bytes[start], record, first);
    memcpy(ring->bytes, (const uint8_t *)record + first, size - first);
    flush(&ring->bytes[start], first);
    flush(ring->bytes, size - first);
    ring->begins[start * LOG_RING_PARTS / LOG_RING_SIZE] = ring->tail;
    __atomic_store_n(&ring->tail, align_up(ring->tail + size, LOG_ALIGN), __ATOMIC_SEQ_CST);
    ring->check = ~ring->tail;
    flush(ring, offsetof(struct log_ring, reserved));
}

void log_move(struct log_ring *to)
{
    uint64_t part = to->tail % LOG_RING_SIZE * LOG_RING_PARTS / LOG_RING_SIZE - PARTS_SHOWN;
    uint64_t at = to->begins[part % LOG_RING_PARTS];

    if (to->magic == LOG_RING_MAGIC && to->check == ~to->tail && to->tail - at <= LOG_RING_SIZE) {
        log_line("log of the run before:");
        print_from(to, align_down(at, LOG_ALIGN));
        log_line("end of the log of the run before");
    }
    memcpy(to, log_ring, sizeof(*to));
    to->magic = LOG_RING_MAGIC;
    log_ring = to;
    flush(to, sizeof(*to));
}

void log_record(enum log_kind kind, uint8_t vm, const char *fmt, ...)
{
    struct {
        struct log_record is;
        char text[LOG_LINE_MAX];
    } record = {{.kind = (uint8_t)kind, .vm = vm}, ""};
    va_list args;

    va_start(args, fmt);
    int length = vformat(record.text, sizeof(record.text), fmt, args);
    va_end(args);
    record.is.length = (uint16_t)min_u64((uint64_t)length, sizeof(record.text) - 1);
    lock_take(&lock);
    put(&record, sizeof(record.is) + record.is.length);
    if (tell == NULL)
        print_rest();
    lock_release(&lock);
    void (*told)(void) = tell;
    if (told != NULL && !__atomic_load_n(&log_pages.reader.looks, __ATOMIC_SEQ_CST))
        told();
}

void log_hand_over(void (*grown)(void))
{
    tell = grown;
}

bool log_is_handed_over(void)
{
    return tell != NULL;
}

/* What the console had in its queue, which may end within a line. */
static void print_queue(struct log_reader *r)
{
    if (r->queued - r->sent <= LOG_QUEUE_SIZE)
        for (; r->sent != r->queued; r->sent++)
            serial_put(r->queue[r->sent % LOG_QUEUE_SIZE]);
    if (r->queue[(r->sent - 1) % LOG_QUEUE_SIZE] != '\n')
        print("\r\n");
}

void log_take_back(void)
{
    lock_take(&lock);
    if (tell != NULL)
        print_queue(&log_pages.reader);
    __atomic_store_n(&tell, NULL, __ATOMIC_SEQ_CST); /* before what follows is looked at */
    print_rest();
    lock_release(&lock);
}
