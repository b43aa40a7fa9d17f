/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's side of the gate, as tests want it. */
#pragma once

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "abi/exit.h"
#include "abi/gate.h"
#include "abi/process.h"
#include "monitor/board.h"

#define FAKE_MESSAGES 64

extern struct fakes {
    uint64_t tsc;
    uint64_t timer;
    unsigned timer_calls;
    unsigned messages; /* how many came; the last FAKE_MESSAGES are kept */
    uint64_t message_address[FAKE_MESSAGES];
    uint32_t message_data[FAKE_MESSAGES];
    int64_t message_result; /* 1: a local APIC accepts */
    uint32_t lapic[0x400];
    char output[4096]; /* what the console has taken */
    size_t output_size;
    char log[4096]; /* the lines of gate_log */
    size_t log_size;
    uint32_t notified; /* the channels of gate_notify, as bits */
    unsigned starts, resets;
    int64_t start_result;
    char stop_text[PROCESS_TEXT_SIZE];
    enum gate_stop stop;
    jmp_buf stopped; /* where gate_stop goes to */
    bool stop_expected;
    char text[PROCESS_TEXT_SIZE];
    uint8_t doorbells[0x10000]; /* a bit of the kicks and 1, for each port; 0: none */
    const struct process_info *process;
    void *channels;         /* PROCESS_CHANNEL_STRIDE for each */
    void (*spin)(void);     /* what others do meanwhile */
    uint64_t keys;          /* of gate_keys */
    void (*state)(void);    /* what gate_state does */
    int64_t asked;          /* of gate_ask */
    bool entropy;           /* the processor has some */
    uint32_t entropy_words; /* how many at a time */
} fakes;

/* Everything as at the start, with a console that has taken nothing. */
void fakes_reset(void);

/* The console takes so many entries, or all there are and will be, and the board hears of it. */
void fake_console_take(struct board *board, unsigned most);
void fake_console_take_all(struct board *board);

/* It puts an entry, of which the board hears by EVENT_CHANNEL(0). */
void fake_console_type(const char *text, enum console_what what);

/* Runs `call`; it must end in gate_stop. */
#define EXPECT_STOP(call)                                                                          \
    do {                                                                                           \
        fakes.stop_expected = true;                                                                \
        if (setjmp(fakes.stopped) == 0) {                                                          \
            call;                                                                                  \
            fail_msg("it went on");                                                                \
        }                                                                                          \
        fakes.stop_expected = false;                                                               \
    } while (0)

/* A board with that much memory, freshly reset; give it back with fake_board_free. */
struct board *fake_board(uint64_t memory);

/* Likewise, with what fakes.process says, while others do something whenever the monitor spins. */
struct board *fake_board_with(uint64_t memory, void (*spin)(void));
void fake_board_free(struct board *board);

/* A simple generator: the same numbers in each run. */
uint64_t random_u64(void);
