/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel console: one VM's console by its machine's control line, beside who has the serial line.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tool/command.h"
#include "tool/control_line.h"
#include "tool/keys.h"
#include "tool/terminal.h"
#include "tool/unfinished.h"

#define PAUSE_MS 50 /* between looks at a console that is silent */
#define LOOKS    40 /* of these, between looks at its VM, whose last words may take a while */

struct view {
    struct control_line *line;
    unsigned vm;
    uint32_t at;    /* the position of what comes next */
    uint8_t number; /* of what is typed next */
    unsigned idle;  /* looks that brought nothing */
    bool raw;       /* the terminal is ours */
    bool input_ended, quit;
    struct keys keys;
    char input[CONTROL_TYPED_MAX]; /* what was typed, and is not sent yet */
    size_t input_length;
    int signals;
};

/* What is new. CONTROL_STATE: the VM has ended, and nothing is. */
static enum control_error show(struct view *view)
{
    struct control_answer answer;
    struct control_console is;
    struct control_vm vm;
    enum control_error error =
        control_line_ask(view->line, CONTROL_CALL_CONSOLE, view->vm, view->at, &answer);

    if (error != CONTROL_OK || answer.size < sizeof(is) || answer.size > CONTROL_DATA)
        return error != CONTROL_OK ? error : CONTROL_SILENT;
    memcpy(&is, answer.data, sizeof(is));
    size_t count = answer.size - sizeof(is);
    view->at = is.at + (uint32_t)count;
    view->number = (uint8_t)(is.typed + 1);
    view->idle = count > 0 ? 0 : view->idle + 1;
    fwrite(answer.data + sizeof(is), 1, count, stdout);
    fflush(stdout);
    if (view->idle == 0 || view->idle % LOOKS != 0)
        return CONTROL_OK;
    if (control_line_ask(view->line, CONTROL_CALL_LOOK, view->vm, 0, &answer) != CONTROL_OK)
        return CONTROL_SILENT;
    memcpy(&vm, answer.data, sizeof(vm));
    return vm.state == CONTROL_VM_ENDED ? CONTROL_STATE : CONTROL_OK;
}

/* What there is no room for is offered again. */
static enum control_error send_input(struct view *view)
{
    struct control_answer answer;
    uint64_t bytes = 0;

    if (view->input_length == 0)
        return CONTROL_OK;
    memcpy(&bytes, view->input, view->input_length);
    enum control_error error =
        control_line_ask(view->line, CONTROL_CALL_TYPE, view->vm,
                         CONTROL_TYPED(bytes, view->input_length, view->number), &answer);
    if (error == CONTROL_OK)
        view->input_length = 0;
    return error == CONTROL_STATE ? CONTROL_OK : error;
}

/* Of the keys of the run's own console, those for all VMs are nobody's here. */
static void take_key(struct view *view, char byte)
{
    char out[2];
    size_t length;
    enum keys_command command = keys_take(&view->keys, byte, out, &length);

    if (command == KEYS_QUIT)
        view->quit = true;
    if (command == KEYS_HELP)
        fputs("\r\nCtrl-] q  leave this console\r\nCtrl-] Ctrl-]  a Ctrl-] for the guest\r\n"
              "Ctrl-] h  this help\r\n",
              stderr);
    if (length == 1 || (length == 2 && out[1] == KEY_ESCAPE))
        view->input[view->input_length++] = out[length - 1];
}

static void take_input(struct view *view)
{
    char bytes[CONTROL_TYPED_MAX];
    ssize_t length = read(STDIN_FILENO, bytes, sizeof(bytes));

    if (length <= 0)
        view->input_ended = length == 0 || errno != EINTR;
    for (ssize_t i = 0; i < length; i++)
        if (view->raw)
            take_key(view, bytes[i]);
        else
            view->input[view->input_length++] = bytes[i];
}

/* Until a key is there, a signal has come, or it is time for the next look. */
static void wait_for_input(struct view *view)
{
    bool takes = !view->input_ended && view->input_length == 0 && terminal_input_is_ours();
    struct pollfd polled[] = {{.fd = takes ? STDIN_FILENO : -1, .events = POLLIN},
                              {.fd = view->signals, .events = POLLIN}};
    struct signalfd_siginfo info;

    if (poll(polled, 2, view->idle > 0 ? PAUSE_MS : 0) <= 0)
        return;
    if (polled[1].revents && read(view->signals, &info, sizeof(info)) == sizeof(info)) {
        terminal_restore();
        unfinished_stop((int)info.ssi_signo);
    }
    if (polled[0].revents)
        take_input(view);
}

/* Until Ctrl-] q, the VM's end, or the machine's. */
static enum exit_code watch(struct view *view)
{
    enum control_error error = show(view);

    if (error == CONTROL_NO_VM)
        return fail(LINTEL_USAGE, "this VM has no console");
    if (error == CONTROL_NO_CALL)
        return fail(LINTEL_MACHINE, "%s: what the machine runs is older, and shows no console",
                    view->line->path);
    if (error == CONTROL_SILENT)
        return control_line_gone(view->line);
    view->raw = terminal_is_ours();
    if (view->raw) {
        fputs("Ctrl-] q leaves this console, Ctrl-] h shows all its keys\n", stderr);
        terminal_raw();
    }
    while (error == CONTROL_OK && !view->quit && !ferror(stdout)) { /* main says that */
        wait_for_input(view);
        error = send_input(view);
        if (error == CONTROL_OK)
            error = show(view);
    }
    terminal_restore();
    return LINTEL_OK;
}

int command_console(const struct command *self, int argc, char *argv[])
{
    static const struct option no_options[] = {{0}};
    struct control_hello hello;
    struct control_line line;
    struct view view = {.line = &line};
    struct control_vm is;
    sigset_t watched, before;

    if (command_option(self, argc, argv, "", no_options) >= 0)
        return LINTEL_USAGE;
    if (optind != argc - 2)
        return command_misused(self, "give a run's socket and the name of a VM");
    int code = control_line_open(&line, argv[optind], &hello);
    if (code != LINTEL_OK)
        return code;
    code = control_line_find(&line, &hello, argv[optind + 1], &view.vm, &is);
    if (code == LINTEL_OK) {
        unfinished_signals(&watched);
        sigprocmask(SIG_BLOCK, &watched, &before);
        view.signals = signalfd(-1, &watched, SFD_CLOEXEC);
        code = watch(&view);
        close(view.signals);
        sigprocmask(SIG_SETMASK, &before, NULL);
    }
    control_line_close(&line);
    return code;
}
