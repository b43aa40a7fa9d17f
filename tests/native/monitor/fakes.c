/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's side of the gate, as tests want it. */
#include "tests/native/monitor/fakes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "monitor/entropy.h"
#include "monitor/gate.h"

struct fakes fakes;

static struct monitor_info info;

/* The console, at the other end of channel 0. */
static const struct process_info process = {
    .tsc_khz = 1000000,
    .channel_count = 1,
    .channels = {{.kind = PLAN_CHANNEL_CONSOLE, .size = CONSOLE_CHANNEL_SIZE, .peer = "console"}},
};
static struct channel channel;
static struct channel_end console;

void fakes_reset(void)
{
    fakes = (struct fakes){.timer = UINT64_MAX, .tsc = 1000000000};
    fakes.message_result = 1;
    memset(&channel, 0, sizeof(channel));
    channel_open(&console, &channel, 0, true);
    channel_sleep(&console);
    fakes.process = &process;
    fakes.channels = &channel;
    fakes.notified = 0;
    fakes.entropy_words = UINT32_MAX;
}

void fake_console_take(struct board *board, unsigned most)
{
    struct console_entry entry;

    fakes.notified = 0;
    while (most-- > 0 && channel_get(&console, &entry)) {
        assert_in_range(entry.length, 1, CONSOLE_BYTES);
        if (entry.length > sizeof(fakes.output) - fakes.output_size)
            fakes.output_size = 0;
        memcpy(fakes.output + fakes.output_size, entry.bytes, entry.length);
        fakes.output_size += entry.length;
    }
    channel_flush(&console);
    if (fakes.notified != 0)
        board_events(board, EVENT_CHANNEL(0));
}

void fake_console_take_all(struct board *board)
{
    while (channel_used(&board->console.channel) > 0)
        fake_console_take(board, CHANNEL_ENTRIES);
}

void fake_console_type(const char *text, enum console_what what)
{
    struct console_entry entry = {.length = (uint16_t)strlen(text), .what = (uint16_t)what};

    assert_in_range(entry.length, 0, CONSOLE_BYTES);
    memcpy(entry.bytes, text, entry.length);
    channel_put(&console, &entry);
    channel_flush(&console);
}

int64_t gate_run(void)
{
    fail_msg("a test runs no guest");
    return 0;
}

int64_t gate_start(void)
{
    fakes.starts++;
    return fakes.start_result;
}

int64_t gate_reset(void)
{
    fakes.resets++;
    return 0;
}

int64_t gate_state(void)
{
    if (fakes.state != NULL)
        fakes.state();
    return 0;
}

int64_t gate_ask(void)
{
    return fakes.asked;
}

uint64_t gate_keys(void)
{
    return fakes.keys;
}

int64_t gate_segments(void)
{
    return 0;
}

int64_t gate_message(uint64_t address, uint32_t data)
{
    fakes.message_address[fakes.messages % FAKE_MESSAGES] = address;
    fakes.message_data[fakes.messages % FAKE_MESSAGES] = data;
    fakes.messages++;
    return fakes.message_result;
}

void gate_post_message(uint64_t address, uint32_t data)
{
    gate_message(address, data);
}

int64_t gate_lapic_read(uint32_t offset)
{
    return offset < 0x1000 ? (int64_t)fakes.lapic[offset / 4] : GATE_EINVAL;
}

int64_t gate_lapic_write(uint32_t offset, uint32_t value)
{
    if (offset >= 0x1000)
        return GATE_EINVAL;
    fakes.lapic[offset / 4] = value;
    return 0;
}

int64_t gate_timer(uint64_t tsc)
{
    fakes.timer = tsc;
    fakes.timer_calls++;
    return 0;
}

int64_t gate_log(size_t length)
{
    if (length + 2 > sizeof(fakes.log) - fakes.log_size)
        fakes.log_size = 0;
    memcpy(fakes.log + fakes.log_size, fakes.text, length);
    fakes.log_size += length;
    fakes.log[fakes.log_size++] = '\n';
    fakes.log[fakes.log_size] = '\0';
    return 0;
}

_Noreturn void gate_stop(enum gate_stop why)
{
    if (!fakes.stop_expected) {
        print_error("stopped: %s\n", fakes.text);
        abort();
    }
    fakes.stop = why;
    memcpy(fakes.stop_text, fakes.text, sizeof(fakes.text));
    longjmp(fakes.stopped, 1);
}

char *gate_text(void)
{
    return fakes.text;
}

uint64_t gate_tsc(void)
{
    return fakes.tsc;
}

void gate_notify(unsigned channel)
{
    fakes.notified |= 1u << channel;
}

int64_t gate_doorbell(uint16_t port, unsigned bit)
{
    fakes.doorbells[port] = bit < 64 ? (uint8_t)(bit + 1) : 0;
    return 0;
}

struct cpuid_table *gate_cpuid(void)
{
    static struct cpuid_table table;

    return &table;
}

const struct process_info *gate_process(void)
{
    static const struct process_info none = {.tsc_khz = 1000000};

    return fakes.process != NULL ? fakes.process : &none;
}

void *gate_channel(unsigned n)
{
    return (uint8_t *)fakes.channels + n * PROCESS_CHANNEL_STRIDE;
}

void gate_spin(uint64_t tsc)
{
    if (fakes.spin != NULL)
        fakes.spin();
    if (fakes.tsc < tsc)
        fakes.tsc = tsc;
}

bool entropy_there(void)
{
    return fakes.entropy;
}

uint32_t entropy(uint64_t *words, uint32_t count)
{
    uint32_t filled = count < fakes.entropy_words ? count : fakes.entropy_words;

    for (uint32_t i = 0; i < filled; i++)
        words[i] = random_u64() | 0x0101010101010101;
    return filled;
}

/* Guest memory is mapped as the hypervisor does it: the hole is not there. */
struct board *fake_board_with(uint64_t memory, void (*spin)(void))
{
    struct board *board = calloc(1, sizeof(*board));
    uint64_t span = memory <= PLAN_HOLE_START ? memory : memory + PLAN_HOLE_END - PLAN_HOLE_START;
    uint8_t *base = mmap(NULL, span, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    assert_true(base != MAP_FAILED);
    if (span > PLAN_HOLE_START)
        mprotect(base + PLAN_HOLE_START, PLAN_HOLE_END - PLAN_HOLE_START, PROT_NONE);
    fakes.spin = spin;
    info = (struct monitor_info){
        .vcpus = 1,
        .memory = memory,
        .rtc =
            {[0] = 0x20, [2] = 0x13, [4] = 0x22, [7] = 0x14, [8] = 0x11, [9] = 0x23, [11] = 0x02},
        .rtc_tsc = fakes.tsc};
    board_init(board, &info, base);
    board_reset(board);
    return board;
}

struct board *fake_board(uint64_t memory)
{
    fakes_reset();
    return fake_board_with(memory, NULL);
}

void fake_board_free(struct board *board)
{
    uint64_t end =
        board->memory.high_end > PLAN_HOLE_END ? board->memory.high_end : board->memory.low_end;

    munmap(board->memory.base, end);
    free(board);
}

uint64_t random_u64(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}
