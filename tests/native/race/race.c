/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPUs share, with a thread in the place of each, under ThreadSanitizer: it reports accesses
 * to the same memory that nothing orders, whatever the CPU makes of them. The order in which things
 * can happen is the models' (post_model.c, channel_model.c); the files are those of ring 0 and of
 * programs. race PART: log, channel, post or mail; fails for a race, or something lost.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisor/report/log.h"
#include "hypervisor/report/serial.h"
#include "hypervisor/sched/post.h"
#include "hypervisor/vm/agree.h"
#include "hypervisor/vm/mail.h"
#include "lib/bits.h"
#include "runtime/channel.h"
#include "runtime/gate.h"
#include "services/console/log.h"

#define POSTERS 3 /* CPUs beside the one that all of them address */

static void check(bool is, const char *what)
{
    if (is)
        return;
    fprintf(stderr, "race: %s\n", what);
    exit(1);
}

static sem_t wake[2]; /* of who waits */

static pthread_t start(void *(*run)(void *), void *argument)
{
    pthread_t thread;

    check(pthread_create(&thread, NULL, run, argument) == 0, "no thread");
    return thread;
}

/* The log: some CPUs write lines, and the console reads them. */

#define LINES 4000u /* of each CPU; they fit into the ring only as they are read */

void serial_put(char c)
{
    check(false, "ring 0 prints");
}

static void grown(void)
{
    sem_post(&wake[0]);
}

static void *write_lines(void *number)
{
    for (unsigned i = 0; i < LINES;)
        if (log_room() >= POSTERS * LOG_LINE_MAX)
            log_record(LOG_LINE, (uint8_t)(uintptr_t)number, "%u", i++);
        else
            sched_yield();
    return NULL;
}

static void read_log(void)
{
    unsigned next[POSTERS] = {0}, left = POSTERS * LINES;
    pthread_t writers[POSTERS];
    struct log_entry entry;

    log_hand_over(grown);
    log_open(&log_pages);
    for (uintptr_t i = 0; i < POSTERS; i++)
        writers[i] = start(write_lines, (void *)i);
    while (left > 0) {
        char expected[16];

        if (!log_peek(&entry)) {
            sem_wait(&wake[0]);
            continue;
        }
        check(entry.is.vm < POSTERS, "nobody's line");
        snprintf(expected, sizeof(expected), "%u", next[entry.is.vm]++);
        check(entry.is.length == strlen(expected) &&
                  memcmp(entry.text, expected, entry.is.length) == 0,
              "a line is lost or torn");
        log_next(&entry);
        left--;
    }
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(writers[i], NULL);
}

/* A channel: the server returns what it gets. Number 0 is the client's end of it. */

#define ENTRIES 50000u

static struct channel pages;

void gate_notify(unsigned channel)
{
    sem_post(&wake[!channel]);
}

static void *serve(void *nothing)
{
    uint32_t entry[CHANNEL_ENTRY_SIZE / sizeof(uint32_t)];
    struct channel_end c;

    channel_open(&c, &pages, 1, true);
    for (unsigned left = ENTRIES; left > 0;) {
        while (channel_peek(&c, entry) && channel_put(&c, entry)) {
            channel_take(&c);
            left--;
        }
        channel_flush(&c);
        if (left > 0 && (c.blocked || channel_sleep(&c)))
            sem_wait(&wake[1]);
        channel_awake(&c);
    }
    return NULL;
}

static void use_channel(void)
{
    uint32_t entry[CHANNEL_ENTRY_SIZE / sizeof(uint32_t)] = {0};
    unsigned sent = 0, got = 0;
    struct channel_end c;
    pthread_t server;

    channel_open(&c, &pages, 0, false);
    server = start(serve, NULL);
    while (got < ENTRIES) {
        for (; sent < ENTRIES; sent++) {
            entry[0] = entry[ARRAY_SIZE(entry) - 1] = sent;
            if (!channel_put(&c, entry))
                break;
        }
        for (; channel_get(&c, entry); got++)
            check(entry[0] == got && entry[ARRAY_SIZE(entry) - 1] == got, "an entry is lost");
        channel_flush(&c);
        if (got < ENTRIES && (c.blocked || sent == ENTRIES) && channel_sleep(&c))
            sem_wait(&wake[0]);
        channel_awake(&c);
    }
    pthread_join(server, NULL);
}

/* Posts: some CPUs set bits in the words of two threads of one, each with something behind it. */

#define POSTS 20000u

static struct posts posts;
static uint64_t words[2];
static unsigned said[POSTERS][2]; /* what is behind a bit, until it is taken */
static sem_t taken[POSTERS];

static void *post(void *number)
{
    uintptr_t n = (uintptr_t)number;

    for (unsigned i = 1; i <= POSTS; i++) {
        unsigned to = i % ARRAY_SIZE(words);

        said[n][to] = i;
        if (post_put(&posts, &words[to], BIT(n)))
            sem_post(&wake[0]);
        sem_wait(&taken[n]);
    }
    return NULL;
}

static void take_posts(void)
{
    unsigned left = POSTERS * POSTS, next[POSTERS] = {0};
    pthread_t posters[POSTERS];

    for (uintptr_t i = 0; i < POSTERS; i++) {
        sem_init(&taken[i], 0, 0);
        posters[i] = start(post, (void *)i);
    }
    while (left > 0) {
        sem_wait(&wake[0]);
        post_open(&posts);
        for (unsigned to = 0; to < ARRAY_SIZE(words); to++)
            for (uint64_t bits = post_take(&words[to]); bits != 0; bits &= bits - 1, left--) {
                unsigned n = (unsigned)__builtin_ctzll(bits);

                check(n < POSTERS && said[n][to] == ++next[n], "a post is lost");
                sem_post(&taken[n]);
            }
    }
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(posters[i], NULL);
}

/* Mail: some CPUs send vectors and signals to a vCPU, and each has the monitor meanwhile, whose
 * memory is anybody's that has it. The vCPU counts what comes. */

#define MAILS 20000u

static struct mail mail;
static struct agree agree;
static uint64_t signals;
static unsigned monitor_had;
static sem_t called[POSTERS];

static void *send_mail(void *number)
{
    uintptr_t n = (uintptr_t)number;

    for (unsigned i = 1; i <= MAILS; i++) {
        if (!agree_take(&agree, (uint32_t)n))
            sem_wait(&called[n]);
        monitor_had++;
        uint32_t next = agree_give_up(&agree, (uint32_t)n);
        if (next != AGREE_NOBODY)
            sem_post(&called[next]);
        said[n][0] = i;
        mail_put(&mail, (uint8_t)(64 * n + n), n & 1);
        agree_send(&agree, &signals, SIGNAL_NMI);
        if (post_put(&posts, &words[0], 1))
            sem_post(&wake[0]);
        sem_wait(&taken[n]);
    }
    return NULL;
}

/* How many have come. */
static unsigned take_vectors(unsigned next[])
{
    unsigned came = 0;

    for (uintptr_t n = 0; n < POSTERS; n++)
        if (mail_take(&mail, (unsigned)(n + (n & 1) * MAIL_LEVEL)) == BIT(n)) {
            check(said[n][0] == ++next[n], "an interrupt is lost");
            sem_post(&taken[n]);
            came++;
        }
    return came;
}

static void take_mail(void)
{
    unsigned left = POSTERS * MAILS, next[POSTERS] = {0};
    pthread_t senders[POSTERS];

    agree.awake = 1;
    for (uintptr_t i = 0; i < POSTERS; i++) {
        sem_init(&taken[i], 0, 0);
        sem_init(&called[i], 0, 0);
        senders[i] = start(send_mail, (void *)i);
    }
    while (left > 0) {
        sem_wait(&wake[0]);
        post_open(&posts);
        if (post_take(&words[0]) == 0)
            continue;
        left -= take_vectors(next);
        if (agree_receive(&signals) & SIGNAL_NMI)
            check(!agree_change(&agree, -1), "nobody is awake");
    }
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(senders[i], NULL);
    check(monitor_had == POSTERS * MAILS, "two have had the monitor");
    check(agree.awake == 1 && agree.monitor == 0, "a signal is counted twice");
}

int main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        void (*run)(void);
    } parts[] = {
        {"log", read_log}, {"channel", use_channel}, {"post", take_posts}, {"mail", take_mail}};

    sem_init(&wake[0], 0, 0);
    sem_init(&wake[1], 0, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++)
        if (argc == 2 && strcmp(argv[1], parts[i].name) == 0) {
            parts[i].run();
            return 0;
        }
    fprintf(stderr, "race: say which part\n");
    return 2;
}
