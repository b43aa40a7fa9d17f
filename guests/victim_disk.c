/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of a disk beside a hostile one: it has what it wrote, and no request waits for more than
 * a command of the other one's, and its own. */
#include "guests/victim_disk.h"

#include "guests/lib/guest.h"
#include "guests/lib/virtio.h"
#include "lib/bits.h"

#define VECTOR      0x60
#define FEATURES    (VIRTIO_F_VERSION_1 | BIT(9))
#define PAGES       64u
#define STEP        23u /* from a page to the next one, of all PAGES */
#define SECTORS     (uint32_t)(PAGE_SIZE / 512)
#define WAIT_MS     250u
#define TIMING_LEAF 0x40000010

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4 };

static struct virtio disk;
static struct {
    uint32_t type, reserved;
    uint64_t sector;
    volatile uint8_t status;
} request;
static _Alignas(PAGE_SIZE) uint64_t words[PAGE_SIZE / 8];
static uint64_t longest;

static bool ask(uint32_t type, uint32_t page)
{
    struct virtq_descriptor *d = disk.queue.descriptors;
    uint16_t flags = VIRTQ_NEXT | (type == T_IN ? VIRTQ_WRITE : 0);
    uint64_t begin = rdtsc();
    uint32_t written;

    request.type = type;
    request.sector = (uint64_t)page * SECTORS;
    d[0] = (struct virtq_descriptor){(uintptr_t)&request, 16, VIRTQ_NEXT, type == T_FLUSH ? 2 : 1};
    d[1] = (struct virtq_descriptor){(uintptr_t)words, PAGE_SIZE, flags, 2};
    d[2] = (struct virtq_descriptor){(uintptr_t)&request.status, 1, VIRTQ_WRITE, 0};
    virtio_offer(&disk, 0);
    while (virtio_take(&disk, &written) < 0)
        sti_hlt_cli();
    longest = max_u64(longest, rdtsc() - begin);
    return request.status == 0;
}

static uint64_t word(uint32_t page, unsigned i)
{
    return page * 0x9e3779b97f4a7c15 + i;
}

void victim_disk(void)
{
    bool good = true;

    if (!virtio_find(&disk, VIRTIO_ID_BLOCK))
        return;
    apic_enable(APIC_MEMORY);
    virtio_count_interrupts(VECTOR);
    good = virtio_start(&disk, FEATURES, VECTOR);
    for (uint32_t n = 0; n < PAGES; n++) {
        for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
            words[i] = word(n * STEP % PAGES, i);
        good = ask(T_OUT, n * STEP % PAGES) && good;
    }
    good = ask(T_FLUSH, 0) && good;
    for (uint32_t page = 0; page < PAGES; page++) {
        good = ask(T_IN, page) && good;
        for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
            good = good && words[i] == word(page, i);
    }
    diag("the longest request took %lu us", longest * 1000 / cpuid(TIMING_LEAF, 0).eax);
    ok(good, "what it writes to its disk and flushes is read again");
    ok(longest <= (uint64_t)cpuid(TIMING_LEAF, 0).eax * WAIT_MS, "no request takes more than %u ms",
       WAIT_MS);
}
