/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that dies: the ordinary one, where the linker (--wrap) puts functions between it and
 * what it calls: included by one file that has a row for each of them. Each of its first starts
 * ends before or behind some call, whichever chance says, within MORTAL_CALLS, which the build
 * gives. Its arguments may be "calls=N seed=N": how many calls each of them lives for at most, and
 * another chance; or ALWAYS: then each start ends so.
 */
#pragma once

#include <stdint.h>

#include "abi/process.h"
#include "lib/string.h"

#define DEATHS 4u
#define ALWAYS "calls=100 always"

static uint32_t left;

static uint32_t calls(const char *at)
{
    static const char word[] = "calls=";
    uint32_t value = 0;

    if (strncmp(at, word, sizeof(word) - 1) != 0)
        return MORTAL_CALLS;
    for (at += sizeof(word) - 1; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint32_t)(*at - '0');
    return value;
}

/* How many calls this start lives for. */
static uint32_t choose(const struct process_info *info)
{
    uint64_t chance = info->starts;

    for (const char *at = info->arguments; *at != '\0'; at++)
        chance = chance * 31 + (uint64_t)*at;
    chance *= 0x9e3779b97f4a7c15;
    chance = (chance ^ chance >> 32) * 0xbf58476d1ce4e5b9;
    return 1 + (uint32_t)(chance >> 40) % calls(info->arguments);
}

static void live(void)
{
    const struct process_info *info = (const struct process_info *)PROCESS_INFO;

    if (info->starts > DEATHS && strcmp(info->arguments, ALWAYS) != 0)
        return;
    if (left == 0)
        left = choose(info);
    if (--left == 0)
        __builtin_trap();
}

#define MORTAL(type, name, parameters, ...)                                                        \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        live();                                                                                    \
        type result = __real_##name(__VA_ARGS__);                                                  \
        live();                                                                                    \
        return result;                                                                             \
    }

#define MORTAL_VOID(name, parameters, ...)                                                         \
    void __real_##name parameters;                                                                 \
    void __wrap_##name parameters;                                                                 \
    void __wrap_##name parameters                                                                  \
    {                                                                                              \
        live();                                                                                    \
        __real_##name(__VA_ARGS__);                                                                \
        live();                                                                                    \
    }
