/* SPDX-License-Identifier: BSD-2-Clause */
/* Picks the misdeed by the VM's command line; all else is as in the ordinary monitor. */
#include "lib/bits.h"
#include "lib/string.h"
#include "monitor/exit.h"
#include "monitor/gate.h"
#include "monitor/report.h"
#include "monitor/start.h"
#include "runtime/call.h"
#include "tests/bochs/evil/evil.h"

#define MISDEED(name, kernel, pattern)
#define BY_SYSENTER(name, kernel, pattern)
#define INSTRUCTION(name, exception, text)                                                         \
    static void misdeed_##name(struct board *board, struct exit_page *page)                        \
    {                                                                                              \
        __asm__ volatile(text);                                                                    \
        expect(false, "ring 3 was allowed to: " text);                                             \
    }
#include "tests/bochs/evil/instructions.def"
#include "tests/bochs/evil/misdeeds.def"
#undef MISDEED
#undef BY_SYSENTER
#undef INSTRUCTION

#define MISDEED(name, kernel, pattern)     {#name, misdeed_##name},
#define BY_SYSENTER(name, kernel, pattern) {#name, misdeed_##name},
#define INSTRUCTION(name, exception, text) {#name, misdeed_##name},

static const struct {
    const char *name;
    misdeed *commit;
} misdeeds[] = {
    {"", machine_start},
#include "tests/bochs/evil/instructions.def"
#include "tests/bochs/evil/misdeeds.def"
};

static struct board board;

_Noreturn void _start(void);

void expect(bool holds, const char *what)
{
    if (!holds)
        report_stop(GATE_STOP_FAULT, "unexpected: %s", what);
}

void run_to(struct board *b, struct exit_page *page, enum exit_kind kind)
{
    machine_start(b, page);
    for (;;) {
        expect(gate_run() == 0, "GATE_RUN fails");
        if (page->kind == kind)
            return;
        exit_handle(b, 0, page);
    }
}

_Noreturn void _start(void)
{
    const struct monitor_info *info = (const struct monitor_info *)MONITOR_INFO;
    struct exit_page *page = (struct exit_page *)MONITOR_EXIT;
    unsigned i = 0;

    gate_entry = (enum gate_entry)((const struct process_info *)PROCESS_INFO)->gate;
    while (i < ARRAY_SIZE(misdeeds) && strcmp(misdeeds[i].name, info->cmdline) != 0)
        i++;
    expect(i < ARRAY_SIZE(misdeeds), "a misdeed that is not in the table");
    board_init(&board, info, (uint8_t *)MONITOR_MEMORY);
    misdeeds[i].commit(&board, page);
    for (;;) {
        expect(gate_run() == 0, "GATE_RUN fails");
        exit_handle(&board, 0, page);
    }
}
