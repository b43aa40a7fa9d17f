/* SPDX-License-Identifier: BSD-2-Clause */
/* The console device (virtio 1.2, 5.3), without MULTIPORT: see rings.c. */
#include "guests/rings.h"

#define FEATURES      (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC)
#define A_WHILE       (50 * PATIENCE) /* somebody has to type */
#define BUFFER        3u              /* bytes */
#define TEXT          "a line of the virtio console\n"
#define TEXT_IN_THREE "in three\n"

static void text(const char *of_it)
{
    memcpy(rings_out, of_it, strlen(of_it));
}

static void try_output(const char *name, const struct shape *s)
{
    text(TEXT);
    rings_build(s);
    rings_offer(0);
    rings_settle(PATIENCE);
    rings_show(name, "");
    if (rings_gave_up())
        rings_start(FEATURES);
}

static void good_output(void)
{
    static const struct shape good = {{2, 1, 6}, {0}, DIRECT};

    text(TEXT_IN_THREE);
    rings_build(&good);
}

static void many_outputs(void)
{
    text("many 8\n\n");
    for (uint16_t i = 0; i < VIRTQ_SIZE; i++) {
        rings_queue->descriptors[i] = (struct virtq_descriptor){(uintptr_t)rings_out + i, 1, 0, 0};
        rings_add(i);
    }
    virtio_kick(&rings_device, rings_queue);
    rings_settle(PATIENCE);
    rings_show("many", "");
}

static void offer_buffers(void)
{
    for (uint16_t i = 0; i < VIRTQ_SIZE; i++) {
        rings_queue->descriptors[i] =
            (struct virtq_descriptor){(uintptr_t)rings_in + BUFFER * i, BUFFER, VIRTQ_WRITE, 0};
        rings_add(i);
    }
    virtio_kick(&rings_device, rings_queue);
}

/* Buffers are used in turn, with some of the line in each, until it ends. */
static void read_line(char *line, size_t size)
{
    uint32_t written;
    size_t length = 0;

    for (unsigned i = 0; i < A_WHILE && length < size - 1; i++) {
        int head = virtq_take(rings_queue, &written);

        rings_gave_up();
        for (uint32_t k = 0; head >= 0 && k < written && length < size - 1; k++) {
            line[length] = (char)rings_in[BUFFER * (unsigned)head + k];
            if (line[length] == '\n' || line[length] == '\r')
                i = A_WHILE;
            else
                length++;
        }
    }
    line[length] = '\0';
}

static void try_input(void)
{
    char line[16];

    memset(rings_in, 0, PAGE_SIZE);
    rings_start(FEATURES);
    offer_buffers();
    print("type something: ");
    read_line(line, sizeof(line));
    rings_settle(0);
    print("\nconsole/typed used=%s interrupt=%u\n", line, rings_interrupted());
}

void rings_console(void)
{
    const uint16_t all = sizeof(TEXT) - 1;

    if (!rings_find(VIRTIO_ID_CONSOLE, "console"))
        return;
    rings_queue = &rings_second;
    rings_start(FEATURES);
    try_output("output", &(struct shape){{all}, {0}, DIRECT});
    try_output("in-pieces", &(struct shape){{1, 5, 10, all - 16}, {0}, DIRECT});
    try_output("indirect", &(struct shape){{1, 5, 10, all - 16}, {0}, INDIRECT});
    try_output("indirect-crooked", &(struct shape){{all}, {0}, CROOKED});
    try_output("indirect-write-flag", &(struct shape){{all}, {0}, INDIRECT_WRITE});
    try_output("indirect-behind-direct", &(struct shape){{5, all - 5}, {0}, BEHIND});
    try_output("nothing-to-read", &(struct shape){{0}, {10}, DIRECT});
    many_outputs();
    rings_transport(FEATURES, good_output);
    rings_notifications(FEATURES, good_output);
    rings_bad_chains(FEATURES, good_output);
    rings_queue = &rings_device.queue;
    try_input();
}
