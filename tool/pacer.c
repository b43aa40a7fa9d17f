/* SPDX-License-Identifier: BSD-2-Clause */
/* Pacing the input: see pacer.h. */
#include "tool/pacer.h"

#include <string.h>

#include "tool/outcome.h"

static void end_line(struct pacer *pacer)
{
    if (!pacer->telling)
        pacer->prompt_cut = pacer->last == ' ' && !pacer->line_sent;
    else if (strstr(pacer->line, ": restart"))
        pacer->prompted = pacer->prompt_cut = false;
}

static void take(struct pacer *pacer, char byte)
{
    if (byte == '\n' || byte == '\r') {
        if (pacer->line_open)
            end_line(pacer);
        pacer->line_open = pacer->line_sent = pacer->telling = false;
        return;
    }
    if (!pacer->line_open) {
        pacer->line_open = pacer->telling = true;
        pacer->told = 0;
        memset(pacer->line, 0, sizeof(pacer->line));
    }
    if (pacer->told < strlen(OUTCOME_PREFIX))
        pacer->telling = pacer->telling && byte == OUTCOME_PREFIX[pacer->told];
    else if (pacer->told - strlen(OUTCOME_PREFIX) < PACER_LINE - 1)
        pacer->line[pacer->told - strlen(OUTCOME_PREFIX)] = byte;
    pacer->told++;
    pacer->last = byte;
}

void pacer_output(struct pacer *pacer, uint64_t now, const char *bytes, size_t length)
{
    if (length)
        pacer->last_output = now;
    for (size_t i = 0; i < length; i++)
        take(pacer, bytes[i]);
}

/* When the next line may start: a time, or UINT64_MAX for not before there is more output. */
static uint64_t line_time(const struct pacer *pacer)
{
    uint64_t last = pacer->last_input > pacer->last_output ? pacer->last_input : pacer->last_output;

    if (pacer->typed)
        return 0;
    if ((pacer->line_open && !pacer->telling && !pacer->line_sent) || pacer->prompt_cut)
        return pacer->last_output + PACER_QUIET_MS;
    return pacer->prompted ? last + PACER_PATIENCE : UINT64_MAX;
}

size_t pacer_ready(const struct pacer *pacer, uint64_t now, const char *bytes, size_t length,
                   int *wait)
{
    uint64_t when = pacer->last_input ? pacer->last_input + PACER_GAP_MS : 0;
    uint64_t line = line_time(pacer);

    if (!pacer->mid_line && line > when)
        when = line;
    if (when > now) {
        *wait = when == UINT64_MAX ? -1 : (int)(when - now);
        return 0;
    }
    const char *end = memchr(bytes, '\n', length);
    size_t ready = end && !pacer->typed ? (size_t)(end - bytes) + 1 : length;
    return ready > PACER_BURST ? PACER_BURST : ready;
}

void pacer_sent(struct pacer *pacer, uint64_t now, const char *bytes, size_t length)
{
    pacer->last_input = now;
    pacer->prompted = true;
    pacer->prompt_cut = false;
    pacer->line_sent = length && bytes[length - 1] == '\n';
    pacer->mid_line = !pacer->line_sent;
}
