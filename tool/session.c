/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal and the serial line: see session.h. */
#include "tool/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "tool/keys.h"
#include "tool/pacer.h"
#include "tool/plain.h"
#include "tool/report.h"
#include "tool/terminal.h"
#include "tool/unfinished.h"

#define INPUT_SIZE 4096

/* How long a machine may be silent after its last word, before it is taken for halted. */
#define HALTED_MS 3000

/* How long the VMs have to say where their guests are, and of that how long none may be silent. */
#define WHERE_MS        30000
#define WHERE_SILENT_MS 5000

enum {
    POLL_SERIAL,
    POLL_SIGNAL,
    POLL_INPUT,
    POLL_OUTPUT,
    POLL_COUNT,
    POLL_ALL = POLL_COUNT + RELAY_POLLS
};

struct session {
    int serial, signals;
    bool console; /* the terminal is ours, and raw */
    bool started, input_ended;
    int output_error;         /* an errno: standard output cannot be written; 0 as long as it can */
    uint64_t begin, deadline; /* ms; deadline 0: none */
    uint64_t told;            /* ms: when the progress line was last written */
    bool asked; /* the limit was reached, and the VMs were asked where their guests are: */
    uint64_t asked_at;
    struct outcome *outcome;
    struct console_log *log;
    struct relay *relay;
    struct cores *cores;
    struct keys keys;
    struct pacer pacer;
    struct plain plain;
    char input[INPUT_SIZE]; /* waits for the pacer */
    size_t input_length;
    char early[sizeof(OUTCOME_PREFIX)]; /* the last bytes before the hypervisor's first line */
    size_t early_length;
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Writes all bytes. False when the other end is gone. */
static bool write_all(int to, const char *bytes, size_t length)
{
    while (length) {
        ssize_t done = write(to, bytes, length);
        if (done < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (done > 0) {
            bytes += done;
            length -= (size_t)done;
        }
    }
    return true;
}

/* Passes by what the firmware prints. Returns how many of the bytes to drop. */
static size_t skip_early(struct session *session, const char *bytes, size_t length)
{
    const size_t prefix = strlen(OUTCOME_PREFIX);

    for (size_t i = 0; i < length; i++) {
        if (session->early_length == prefix)
            memmove(session->early, session->early + 1, --session->early_length);
        session->early[session->early_length++] = bytes[i];
        if (session->early_length == prefix &&
            memcmp(session->early, OUTCOME_PREFIX, prefix) == 0) {
            session->started = true;
            return i + 1;
        }
    }
    return length;
}

static void put(struct session *session, const char *bytes, size_t length)
{
    if (!session->output_error && !write_all(STDOUT_FILENO, bytes, length))
        session->output_error = errno;
}

static void show(struct session *session, const char *bytes, size_t length)
{
    char text[1024];

    progress_end();
    outcome_take(session->outcome, bytes, length);
    console_log_take(session->log, bytes, length);
    pacer_output(&session->pacer, now_ms(), bytes, length);
    if (session->console) {
        put(session, bytes, length);
        return;
    }
    for (size_t part; length; bytes += part, length -= part) {
        part = length < sizeof(text) ? length : sizeof(text);
        put(session, text, plain_text(&session->plain, bytes, part, text));
    }
}

/* Before the machine says anything: how to get out of its console. */
static void print_hint(void)
{
    progress_end();
    fputs("Ctrl-] q quits, Ctrl-] h shows all keys of the console\r\n", stderr);
}

/* Reads the serial line. False at its end. */
static bool take_output(struct session *session)
{
    char bytes[4096];
    ssize_t length = read(session->serial, bytes, sizeof(bytes));
    size_t skipped = 0;

    if (length <= 0)
        return length < 0 && errno == EINTR;
    if (!session->started) {
        skipped = skip_early(session, bytes, (size_t)length);
        if (!session->started)
            return true;
        if (session->console)
            print_hint();
        show(session, OUTCOME_PREFIX, strlen(OUTCOME_PREFIX));
    }
    show(session, bytes + skipped, (size_t)length - skipped);
    return true;
}

static void print_help(void)
{
    fputs("\r\nCtrl-] q  quit, and end the machine\r\n"
          "Ctrl-] n  the next VM's console\r\n"
          "Ctrl-] d  where each VM's guest is: its registers\r\n"
          "Ctrl-] Ctrl-]  a Ctrl-] for the guest\r\n"
          "Ctrl-] h  this help\r\n",
          stderr);
}

/* Reads what the user typed. False when that is the command to quit. */
static bool take_input(struct session *session)
{
    char bytes[256], out[2];
    size_t room = (INPUT_SIZE - session->input_length) / 2, out_length;
    ssize_t length = read(STDIN_FILENO, bytes, room < sizeof(bytes) ? room : sizeof(bytes));

    if (length <= 0) {
        /* EIO: the terminal is not ours any more */
        session->input_ended = length == 0 || (errno != EINTR && errno != EIO);
        return true;
    }
    if (!session->console) {
        memcpy(session->input + session->input_length, bytes, (size_t)length);
        session->input_length += (size_t)length;
        return true;
    }
    for (ssize_t i = 0; i < length; i++) {
        enum keys_command command = keys_take(&session->keys, bytes[i], out, &out_length);
        memcpy(session->input + session->input_length, out, out_length);
        session->input_length += out_length;
        if (command == KEYS_QUIT)
            return false;
        if (command == KEYS_HELP)
            print_help();
    }
    return true;
}

/* Sends what may be sent now. Returns for how many ms to wait for the rest; -1: until something
 * happens. */
static int send_input(struct session *session)
{
    int wait = -1;
    uint64_t now = now_ms();

    if (!session->started || session->input_length == 0)
        return -1;
    size_t ready = pacer_ready(&session->pacer, now, session->input, session->input_length, &wait);
    if (ready == 0)
        return wait;
    write_all(session->serial, session->input, ready);
    pacer_sent(&session->pacer, now, session->input, ready);
    session->input_length -= ready;
    memmove(session->input, session->input + ready, session->input_length);
    return session->input_length ? PACER_GAP_MS : -1;
}

/* On a terminal: says that the machine still works, as long as there was no prompt. Returns ms to
 * the next time. */
static int tell_progress(struct session *session)
{
    uint64_t now = now_ms();

    if (!isatty(STDERR_FILENO) || session->pacer.prompted || session->pacer.line_open)
        return -1;
    if (now - session->told >= 1000 && now - session->pacer.last_output >= 1000) {
        progress(
            "%s, %u s (%s quits)", session->started ? "the guest boots" : "the firmware starts",
            (unsigned)((now - session->begin) / 1000), session->console ? "Ctrl-] q" : "Ctrl-C");
        session->told = now;
    }
    return 1000;
}

/* Ms until the machine is taken for halted; -1: there was no last word. An emulator need not end
 * with the hypervisor. */
static int until_halted(const struct session *session)
{
    uint64_t silent = now_ms() - session->pacer.last_output;

    if (!outcome_is_last_word(session->outcome))
        return -1;
    return silent < HALTED_MS ? (int)(HALTED_MS - silent) : 0;
}

/* The sooner of two waits, of which -1 is never. */
static int sooner(int a, int b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* What is said, or done, when standard output cannot be written. */
static enum session_end end_unread(const struct session *session, int *signal)
{
    if (session->output_error == EPIPE) {
        *signal = SIGPIPE;
        return SESSION_SIGNAL;
    }
    note("the console's output cannot be written: %s", strerror(session->output_error));
    return SESSION_UNREAD;
}

/* The shell can take the terminal from us at any time, and give it back. Returns ms to the next
 * look. */
static int look_at_terminal(struct session *session)
{
    bool ours = terminal_is_ours();

    if (ours && !session->console)
        terminal_raw();
    session->console = ours;
    return isatty(STDIN_FILENO) ? 1000 : -1;
}

/* Reads a signal. True when it ends the run: any but SIGCONT, after which the shell may have set
 * the terminal anew. */
static bool take_signal(struct session *session, int *signal)
{
    struct signalfd_siginfo info;

    if (read(session->signals, &info, sizeof(info)) != sizeof(info))
        return false;
    *signal = (int)info.ssi_signo;
    if (*signal == SIGCONT)
        session->console = false;
    return *signal != SIGCONT;
}

/* Ms until VMs that were asked are taken for silent; -1: nobody was asked. */
static int until_silent(const struct session *session)
{
    uint64_t last = session->pacer.last_output > session->asked_at ? session->pacer.last_output
                                                                   : session->asked_at,
             silent = now_ms() - last;

    if (!session->asked)
        return -1;
    return silent < WHERE_SILENT_MS ? (int)(WHERE_SILENT_MS - silent) : 0;
}

/* At the limit, the VMs are asked. True when they have answered, or have had their time. */
static bool reached_limit(struct session *session, uint64_t now)
{
    if (!session->deadline)
        return false;
    if (session->asked && (outcome_all_reported(session->outcome) || until_silent(session) == 0))
        return true;
    if (now < session->deadline)
        return false;
    if (session->asked || !session->started)
        return true;
    outcome_asked(session->outcome);
    write_all(session->serial, KEYS_WHERE, strlen(KEYS_WHERE));
    session->asked = true;
    session->asked_at = now;
    session->deadline = now + WHERE_MS;
    return false;
}

static enum session_end loop(struct session *session, int *signal)
{
    while (!session->output_error) {
        int wait = sooner(send_input(session), tell_progress(session));
        wait = sooner(wait, sooner(until_halted(session), look_at_terminal(session)));
        if (session->cores)
            wait = sooner(wait, cores_work(session->cores));
        uint64_t now = now_ms();
        if (reached_limit(session, now))
            return SESSION_TIMEOUT;
        if (session->deadline) {
            uint64_t left = session->deadline - now;
            wait = sooner(wait, left > 60000 ? 60000 : (int)left);
        }
        wait = sooner(wait, until_silent(session));
        bool room = !session->input_ended && session->input_length < INPUT_SIZE / 2 &&
                    terminal_input_is_ours();
        struct pollfd polled[POLL_ALL] = {
            [POLL_SERIAL] = {.fd = session->serial, .events = POLLIN},
            [POLL_SIGNAL] = {.fd = session->signals, .events = POLLIN},
            [POLL_INPUT] = {.fd = room ? STDIN_FILENO : -1, .events = POLLIN},
            [POLL_OUTPUT] = {.fd = STDOUT_FILENO, .events = 0},
        };
        if (session->relay) {
            relay_polls(session->relay, polled + POLL_COUNT);
            wait = sooner(wait, relay_wait(session->relay, now));
        }
        if (poll(polled, session->relay ? POLL_ALL : POLL_COUNT, wait) < 0 && errno != EINTR)
            return SESSION_CLOSED;
        if (session->relay)
            relay_work(session->relay, polled + POLL_COUNT, now_ms());
        if (polled[POLL_SIGNAL].revents && take_signal(session, signal))
            return SESSION_SIGNAL;
        if (polled[POLL_SERIAL].revents && !take_output(session) && !session->output_error)
            return SESSION_CLOSED;
        if (!polled[POLL_SERIAL].revents && until_halted(session) == 0)
            return SESSION_HALTED;
        if (polled[POLL_OUTPUT].revents & POLLERR)
            session->output_error = EPIPE; /* a silent guest would never show it */
        if (polled[POLL_INPUT].revents && !take_input(session))
            return SESSION_QUIT;
    }
    return end_unread(session, signal);
}

enum session_end session_run(const struct session_request *request, int *signal_number)
{
    struct session *session = calloc(1, sizeof(*session));
    sigset_t watched, before;

    if (!session)
        return SESSION_CLOSED;
    unfinished_signals(&watched);
    sigaddset(&watched, SIGCONT);
    sigprocmask(SIG_BLOCK, &watched, &before);

    session->serial = request->serial;
    session->signals = signalfd(-1, &watched, SFD_CLOEXEC);
    session->pacer.typed = isatty(STDIN_FILENO);
    session->begin = session->told = now_ms();
    session->deadline = request->seconds ? session->begin + 1000ULL * request->seconds : 0;
    session->outcome = request->outcome;
    session->log = request->log;
    session->relay = request->relay;
    session->cores = request->cores;
    enum session_end end = loop(session, signal_number);
    if (session->cores)
        cores_end(session->cores);
    terminal_restore();
    progress_end();
    if (session->console && session->pacer.line_open)
        write_all(STDOUT_FILENO, "\n", 1);
    close(session->signals);
    sigprocmask(SIG_SETMASK, &before, NULL);
    free(session);
    return end;
}
