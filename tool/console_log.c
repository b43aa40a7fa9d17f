/* SPDX-License-Identifier: BSD-2-Clause */
/* Splitting the serial line by VM: see console_log.h, and services/console/clients.h for what
 * comes. */
#include "tool/console_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool/outcome.h"

#define NOBODY (-1)

/* The VM with this name, of which `length` characters count, or NOBODY. */
static int vm_named(const struct console_log *log, const char *name, size_t length)
{
    for (unsigned i = 0; i < log->plan->vm_count; i++)
        if (strlen(log->plan->vms[i].name) == length &&
            memcmp(log->plan->vms[i].name, name, length) == 0)
            return (int)i;
    return NOBODY;
}

/* What follows a beginning, or NULL. */
static const char *after(const char *line, const char *beginning)
{
    size_t length = strlen(beginning);

    return strncmp(line, beginning, length) == 0 ? line + length : NULL;
}

/* A line of the hypervisor's says whose output comes next, or that a VM has ended, of which the
 * rest was shown. */
static void read_own_line(struct console_log *log)
{
    const char *name = after(log->line, OUTCOME_PREFIX "console of vm ");

    if (name) {
        log->before = log->current;
        log->current = vm_named(log, name, strcspn(name, ","));
        return;
    }
    name = after(log->line, OUTCOME_PREFIX "vm ");
    const char *end = name ? strstr(name, ": ") : NULL;
    if (end && (after(end, ": stopped for a fault: ") || after(end, ": powered off: ")) &&
        vm_named(log, name, (size_t)(end - name)) == log->current)
        log->current = log->before;
}

/* Whether the line's beginning can still become `beginning`. */
static bool may_become(const struct console_log *log, const char *beginning)
{
    return strncmp(log->line, beginning, log->length) == 0;
}

static void put(struct console_log *log, const char *bytes, size_t length)
{
    if (log->writer != NOBODY && log->vms[log->writer])
        fwrite(bytes, 1, length, log->vms[log->writer]);
}

/* Whose line this is, as soon as its beginning tells; a label is not the VM's. */
static void decide(struct console_log *log, bool ended)
{
    bool open = false;

    log->writer = log->current;
    log->decided = true;
    if (after(log->line, OUTCOME_PREFIX)) {
        log->writer = NOBODY;
        return;
    }
    open |= may_become(log, OUTCOME_PREFIX);
    for (unsigned i = 0; log->labelled && i < log->plan->vm_count; i++) {
        char *label = text("[%s] ", log->plan->vms[i].name);
        bool whole = log->length == strlen(label) && may_become(log, label);
        open |= may_become(log, label);
        free(label);
        if (whole) {
            log->writer = log->current = (int)i;
            return;
        }
    }
    log->decided = ended || !open;
    if (log->decided)
        put(log, log->line, log->length);
}

static void take(struct console_log *log, char byte)
{
    bool ended = byte == '\n';

    if (!log->decided && !ended) {
        log->line[log->length++] = byte;
        log->line[log->length] = '\0';
        decide(log, false);
        return;
    }
    if (!log->decided)
        decide(log, true);
    if (log->writer == NOBODY && !ended && log->length < sizeof(log->line) - 1) {
        log->line[log->length++] = byte;
        log->line[log->length] = '\0';
    }
    put(log, &byte, 1);
    if (ended) {
        if (log->writer == NOBODY)
            read_own_line(log);
        log->decided = false;
        log->length = 0;
        log->line[0] = '\0';
    }
}

/* Whether a VM has a share of the line. */
static bool has_line(const struct plan *plan, unsigned vm)
{
    bool has = false;

    for (uint32_t i = 0; i < plan->channel_count; i++) {
        const struct plan_channel *c = &plan->channels[i];
        has |= c->kind == PLAN_CHANNEL_CONSOLE && c->client == vm && !c->read_only;
    }
    return has;
}

static FILE *open_file(const char *folder, const char *name, enum exit_code *code)
{
    char *path = text("%s/%s.log", folder, name);

    mkdir(folder, 0777);
    FILE *file = fopen(path, "we");
    if (!file)
        *code = fail(LINTEL_MACHINE, "%s: %s; name a folder that can be written", path,
                     strerror(errno));
    else
        setvbuf(file, NULL, _IOLBF, 0);
    free(path);
    return file;
}

enum exit_code console_log_open(struct console_log *log, const struct plan *plan, bool labelled,
                                const char *whole_folder, const char *vms_folder)
{
    enum exit_code code = LINTEL_OK;

    *log = (struct console_log){
        .plan = plan, .labelled = labelled, .current = NOBODY, .before = NOBODY};
    for (unsigned i = plan->vm_count; i-- > 0;)
        if (has_line(plan, i))
            log->current = (int)i;
    if (whole_folder)
        log->whole = open_file(whole_folder, "console", &code);
    for (unsigned i = 0; vms_folder && code == LINTEL_OK && i < plan->vm_count; i++)
        log->vms[i] = open_file(vms_folder, plan->vms[i].name, &code);
    if (code != LINTEL_OK)
        console_log_close(log);
    return code;
}

void console_log_take(struct console_log *log, const char *bytes, size_t length)
{
    char out[1024];

    for (size_t part; length; bytes += part, length -= part) {
        part = length < sizeof(out) ? length : sizeof(out);
        size_t count = plain_text(&log->plain, bytes, part, out);
        if (log->whole)
            fwrite(out, 1, count, log->whole);
        for (size_t i = 0; i < count; i++)
            take(log, out[i]);
    }
}

enum exit_code console_log_close(struct console_log *log)
{
    bool good = true;

    if (log->plan && !log->decided && log->length)
        decide(log, true);
    if (log->whole) {
        good &= !ferror(log->whole);
        good &= fclose(log->whole) == 0;
    }
    for (unsigned i = 0; i < PLAN_MAX_VMS; i++) {
        if (log->vms[i]) {
            good &= !ferror(log->vms[i]);
            good &= fclose(log->vms[i]) == 0;
        }
    }
    return good ? LINTEL_OK : fail(LINTEL_MACHINE, "the console's log cannot be written");
}
