/* SPDX-License-Identifier: BSD-2-Clause */
/* What a hostile guest may do: random accesses, states and page tables never harm the monitor. */
#include <string.h>

#include "monitor/exit.h"
#include "tests/native/monitor/fakes.h"

#define MEMORY (2 << 20)

static struct board *b;

static int setup(void **state)
{
    b = fake_board(MEMORY);
    return 0;
}

static int teardown(void **state)
{
    fake_board_free(b);
    return 0;
}

/* Mostly ports that somebody answers. */
static uint16_t random_port(void)
{
    static const uint16_t first[] = {0x60, 0x70, 0x3f6, 0xcf6, 0xaffe, 0xb000, 0xb008, 0xfffd};

    return random_u64() % 16 == 0 ? (uint16_t)random_u64()
                                  : (uint16_t)(first[random_u64() % 8] + random_u64() % 12);
}

static unsigned random_size(void)
{
    return 1u << random_u64() % 3;
}

static void calm(void)
{
    b->reset.requested = false;
    b->pm.power_off = false;
    fakes.tsc += random_u64() >> (random_u64() % 40 + 20);
    if (random_u64() % 64 == 0)
        fake_console_take(b, (unsigned)(random_u64() % CHANNEL_ENTRIES));
    if (random_u64() % 64 == 0)
        fake_console_type("some keys that nobody reads", random_u64() % 3);
}

static void ports(void **state)
{
    for (int i = 0; i < 1000000; i++) {
        unsigned vcpu = random_u64() % PLAN_MAX_VCPUS, size = random_size();

        if (random_u64() & 1)
            board_in(b, vcpu, random_port(), size);
        else
            board_out(b, vcpu, random_port(), size, (uint32_t)random_u64());
        if (i % 16 == 0)
            board_events(b, (random_u64() & 3) | (random_u64() & EVENT_CHANNEL(0)));
        calm();
    }
}

static void addresses(void **state)
{
    static const uint64_t bases[] = {0xfec00000, 0xfee00000, 0xc0000000, 0xfffffff0};

    for (int i = 0; i < 1000000; i++) {
        uint64_t address = bases[random_u64() % 4] + random_u64() % 0x1010;
        unsigned size = 1 + random_u64() % 8;

        if (random_u64() & 1)
            board_store(b, 0, address, size, random_u64());
        else
            assert_true(size == 8 || board_load(b, 0, address, size) >> size * 8 == 0);
    }
}

static void random_page(struct exit_page *page)
{
    uint64_t *words = (uint64_t *)page;

    for (size_t i = 0; i < sizeof(*page) / 8; i++)
        words[i] = random_u64() & 1 ? random_u64() : random_u64() % MEMORY;
    page->events = random_u64() & 3;
    if (random_u64() & 1) /* no paging, so that something is reached */
        page->state.cr0 = 1, page->state.efer = 0;
}

/* Whether the VM goes on after the exit; otherwise it was stopped with a report. */
static bool goes_on(struct exit_page *page)
{
    fakes.stop_expected = true;
    if (setjmp(fakes.stopped) != 0)
        return false;
    exit_handle(b, 0, page);
    return true;
}

/* The next refusal of the instruction is one for good. */
static void refuse_next(const struct guest_state *s)
{
    struct refused *r = &b->refused[0];

    *r = (struct refused){.linear = s->rip, .first = fakes.tsc, .times = REFUSED_TIMES - 1};
    memcpy(r->bytes, b->memory.base + s->rip, sizeof(r->bytes));
}

static void string_exits(void **state)
{
    for (int i = 0; i < 30000; i++) {
        struct exit_page page;

        random_page(&page);
        page.kind = EXIT_IO_STRING;
        page.io.port = random_port();
        page.io.size = (uint8_t)random_size();
        page.io.in = random_u64() & 1;
        page.io.rep = random_u64() & 1;
        page.io.address_size = (uint8_t)(2u << random_u64() % 3);
        page.io.segment = (uint8_t)(random_u64() % (SEG_GS + 1));
        calm();
        b->pm.enable = 0;
        goes_on(&page); /* or it switches itself off, or restarts without a kernel */
    }
}

/* Any instruction in any state: it is emulated, faults, is taken again, or stops the VM with a
 * report. */
static void mmio_exits(void **state)
{
    unsigned done = 0;

    for (int i = 0; i < 100000; i++) {
        struct exit_page page;
        uint64_t bytes[2] = {random_u64(), random_u64()};

        random_page(&page);
        page.kind = EXIT_MMIO;
        page.mmio.fetch = random_u64() % 16 == 0;
        page.state.rip = random_u64() % (MEMORY - 16);
        page.state.segment[SEG_CS].base = 0;
        memcpy(b->memory.base + page.state.rip, bytes, sizeof(bytes));
        calm();
        if (i % 2) /* not for the first time */
            refuse_next(&page.state);
        done += goes_on(&page);
    }
    assert_in_range(done, 1000, 99000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ports, setup, teardown),
        cmocka_unit_test_setup_teardown(addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(string_exits, setup, teardown),
        cmocka_unit_test_setup_teardown(mmio_exits, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
