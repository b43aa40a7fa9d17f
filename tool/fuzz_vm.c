/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/fuzz_vm.h"

#include <string.h>
#include <time.h>

#include "tool/snapshot.h"
#include "tool/unfinished.h"

#define LOOK_MS 50 /* between looks at a guest that is not ready */
#define IDLE    10 /* times the limit may pass with the VM idle, or others at work */

static enum exit_code ask(struct fuzz_vm *f, enum control_call call, uint64_t argument)
{
    struct control_answer answer;
    enum control_error error = control_line_ask(f->line, call, f->vm, argument, &answer);

    return error == CONTROL_OK ? LINTEL_OK : control_line_gone(f->line);
}

/* The answer to a first request may have been lost: what the VM is then is what counts. */
static enum exit_code change(struct fuzz_vm *f, enum control_call call)
{
    struct control_answer answer;

    return control_line_ask(f->line, call, f->vm, 0, &answer) != CONTROL_SILENT
               ? LINTEL_OK
               : control_line_gone(f->line);
}

static enum exit_code read_page(struct fuzz_vm *f, struct fuzz_page *page)
{
    struct control_answer answer;

    if (control_line_ask(f->line, CONTROL_CALL_READ, f->vm, FUZZ_PAGE | CONTROL_BYTE(sizeof(*page)),
                         &answer) != CONTROL_OK)
        return control_line_gone(f->line);
    memcpy(page, answer.data, sizeof(*page));
    return LINTEL_OK;
}

static enum exit_code look(struct fuzz_vm *f, struct control_vm *is)
{
    enum exit_code code = control_line_look(f->line, f->vm, is);

    if (code == LINTEL_OK && is->state == CONTROL_VM_ENDED)
        return fail(LINTEL_FAULT, "vm %s has ended; see lintel log %s %s", f->name, f->line->path,
                    f->name);
    return code;
}

/* One that was left with an input, as by a tool that was killed, goes back to where it had none. */
static enum exit_code look_whether_ready(struct fuzz_vm *f, struct fuzz_page *page)
{
    struct control_vm is;
    enum exit_code code = look(f, &is);

    if (code == LINTEL_OK && is.state == CONTROL_VM_STOPPED)
        return fail(LINTEL_USAGE, "vm %s is stopped; have it start by 'lintel start'", f->name);
    if (code == LINTEL_OK && is.state == CONTROL_VM_PAUSED)
        code = change(f, CONTROL_CALL_RESUME);
    if (code == LINTEL_OK)
        code = read_page(f, page);
    if (code == LINTEL_OK && page->state >= FUZZ_RUNS && page->state < FUZZ_STATE_COUNT)
        code = snapshot_copy(f->line, CONTROL_CALL_RESTORE, f->vm, f->name, true);
    return code;
}

enum exit_code fuzz_vm_begin(struct fuzz_vm *f)
{
    static const struct timespec moment = {.tv_nsec = LOOK_MS * 1000000L};
    struct fuzz_page page = {0};
    enum exit_code code;

    while ((code = look_whether_ready(f, &page)) == LINTEL_OK &&
           (page.state != FUZZ_READY || page.given != 0)) {
        if (unfinished_ends())
            return LINTEL_UNFINISHED;
        progress("vm %s has not said yet that it is ready for inputs", f->name);
        nanosleep(&moment, NULL);
    }
    progress_end();
    if (code != LINTEL_OK)
        return code;
    f->buffer = page.buffer;
    f->room = page.room;
    return snapshot_copy(f->line, CONTROL_CALL_SNAPSHOT, f->vm, f->name, true);
}

/* Of a VM that is paused, and stays so. */
static enum exit_code go_back(struct fuzz_vm *f)
{
    enum exit_code code = change(f, CONTROL_CALL_PAUSE);

    return code == LINTEL_OK ? snapshot_copy(f->line, CONTROL_CALL_RESTORE, f->vm, f->name, false)
                             : code;
}

static enum exit_code write_word(struct fuzz_vm *f, uint64_t address, uint32_t word)
{
    return ask(f, CONTROL_CALL_WRITE, address | CONTROL_WORD(word));
}

/* Not one byte more than it has: what is behind it is the guest's. */
static enum exit_code write_input(struct fuzz_vm *f, const uint8_t *bytes, size_t size)
{
    enum exit_code code = LINTEL_OK;
    uint32_t word;
    size_t at = 0;

    for (; code == LINTEL_OK && size - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, bytes + at, sizeof(word));
        code = write_word(f, f->buffer + (uint64_t)at, word);
    }
    for (; code == LINTEL_OK && at < size; at++)
        code = ask(f, CONTROL_CALL_POKE, (f->buffer + (uint64_t)at) | CONTROL_BYTE(bytes[at]));
    if (code == LINTEL_OK)
        code = write_word(f, FUZZ_PAGE + offsetof(struct fuzz_page, given),
                          FUZZ_GIVEN | (uint32_t)size);
    return code;
}

/* Until it has ended, or has used its time, as it was before the last look at the page. */
static enum exit_code await(struct fuzz_vm *f, struct fuzz_page *page)
{
    struct control_vm first = {0}, is = {0};
    enum exit_code code = read_page(f, page);
    bool over = false;

    while (code == LINTEL_OK && !over && page->state <= FUZZ_RUNS) {
        code = unfinished_ends() ? LINTEL_UNFINISHED : look(f, &is);
        if (code != LINTEL_OK)
            break;
        if (first.tsc == 0)
            first = is;
        over = is.used.time - first.used.time > f->limit || is.tsc - first.tsc > IDLE * f->limit;
        code = read_page(f, page);
    }
    return code;
}

enum exit_code fuzz_vm_run(struct fuzz_vm *f, const uint8_t *bytes, size_t size,
                           struct fuzz_verdict *verdict)
{
    struct fuzz_page page = {0};
    enum exit_code code = go_back(f);

    if (code == LINTEL_OK)
        code = write_input(f, bytes, size);
    if (code == LINTEL_OK)
        code = change(f, CONTROL_CALL_RESUME);
    if (code == LINTEL_OK)
        code = await(f, &page);
    if (code != LINTEL_OK)
        return code;
    bool ended = page.state > FUZZ_RUNS && page.state < FUZZ_STATE_COUNT;
    *verdict = (struct fuzz_verdict){.how = ended ? page.state : FUZZ_RUNS};
    if (!ended)
        return LINTEL_OK;
    verdict->value = page.value;
    memcpy(verdict->why, page.why, sizeof(page.why) - 1);
    control_line_plain(verdict->why, strlen(verdict->why));
    return LINTEL_OK;
}

enum exit_code fuzz_vm_end(struct fuzz_vm *f)
{
    enum exit_code code = go_back(f);

    return code == LINTEL_OK ? change(f, CONTROL_CALL_RESUME) : code;
}

const char *fuzz_vm_word(enum fuzz_state how)
{
    static const char *const words[FUZZ_STATE_COUNT] = {
        [FUZZ_RUNS] = "time",   [FUZZ_DONE] = "done", [FUZZ_FAULT] = "fault",
        [FUZZ_RESET] = "reset", [FUZZ_HALT] = "halt", [FUZZ_POWER_OFF] = "power-off",
        [FUZZ_EXIT] = "exit",
    };

    return words[how];
}
