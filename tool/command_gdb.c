/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel gdb: a server for one gdb, which debugs one VM. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tool/command.h"
#include "tool/control_line.h"
#include "tool/gdb_session.h"
#include "tool/local_socket.h"
#include "tool/unfinished.h"

#define PORT    1234
#define LOOK_MS 5   /* while it runs */
#define IDLE_MS 200 /* between looks for a signal */
#define SEND_MS 5000

struct server {
    struct gdb_session session;
    struct gdb_target target;
    struct control_line line;
    const char *path; /* of a socket; NULL: `port` */
    unsigned long long port;
    bool wait;
    int listener, gdb;
};

static int listen_at_port(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        listen(listener, 1) == 0)
        return listener;
    int error = errno;
    close(listener);
    errno = error;
    return -1;
}

static bool open_listener(struct server *s)
{
    s->listener = s->path ? local_socket_listen(s->path, 1) : listen_at_port((unsigned)s->port);
    if (s->listener < 0 && !s->path)
        fail(LINTEL_MACHINE, "port %llu: %s; choose another with --port", s->port, strerror(errno));
    return s->listener >= 0;
}

static void send_bytes(void *context, const char *bytes, size_t size)
{
    struct server *s = context;

    for (ssize_t sent; size > 0; bytes += sent, size -= (size_t)sent)
        if ((sent = send(s->gdb, bytes, size, MSG_NOSIGNAL)) <= 0) {
            s->session.ends = true;
            return;
        }
}

/* Until gdb is there. False: a signal has come, or the socket is gone. */
static bool await_gdb(struct server *s)
{
    const struct timeval patience = {.tv_sec = SEND_MS / 1000};
    struct pollfd polled = {.fd = s->listener, .events = POLLIN};

    while (poll(&polled, 1, IDLE_MS) <= 0)
        if (unfinished_ends())
            return false;
    s->gdb = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
    setsockopt(s->gdb, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return s->gdb >= 0;
}

/* What gdb asks, and that the VM stops, until one of them has gone. */
static void serve(struct server *s)
{
    struct pollfd polled = {.fd = s->gdb, .events = POLLIN};
    uint8_t bytes[4096];

    while (!s->session.ends && !unfinished_ends()) {
        if (poll(&polled, 1, s->session.runs ? LOOK_MS : IDLE_MS) > 0) {
            ssize_t size = read(s->gdb, bytes, sizeof(bytes));
            if (size <= 0)
                return;
            gdb_session_take(&s->session, bytes, (size_t)size);
        }
        if (s->session.runs)
            gdb_session_look(&s->session);
    }
}

/* The VM stands before gdb comes, or with --wait at once, at its first instruction. */
static bool start_anew(struct server *s)
{
    return gdb_session_stop(&s->session) && gdb_target_act(&s->target, CONTROL_CALL_RESET) &&
           gdb_target_command(&s->target, 0, GATE_DEBUG_GO) && gdb_session_await(&s->session, 0);
}

static enum exit_code debug(struct server *s)
{
    if (s->wait && !start_anew(s) && !s->target.gone)
        return fail(LINTEL_MACHINE, "vm %s does not start anew", s->target.name);
    if (s->target.gone)
        return control_line_gone(&s->line);
    printf("vm %s waits for gdb: gdb -ex 'target remote %s", s->target.name,
           s->path ? s->path : "");
    if (!s->path)
        printf("127.0.0.1:%llu", s->port);
    printf("' KERNEL\n");
    fflush(stdout);
    if (!await_gdb(s))
        return LINTEL_UNFINISHED;
    if (gdb_session_stop(&s->session))
        serve(s);
    close(s->gdb);
    if (s->target.gone)
        return control_line_gone(&s->line);
    return LINTEL_OK;
}

static enum exit_code serve_vm(struct server *s)
{
    if (!open_listener(s))
        return LINTEL_MACHINE;
    unfinished_begin(s->path ? s->path : ""); /* a signal waits until the VM goes on */
    enum exit_code code = debug(s);
    gdb_session_end(&s->session);
    close(s->listener);
    if (s->path)
        unlink(s->path);
    unfinished_end();
    return code;
}

int command_gdb(const struct command *self, int argc, char *argv[])
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"socket", required_argument, NULL, 's'},
                                            {"wait", no_argument, NULL, 'w'},
                                            {0}};
    static struct server s = {.port = PORT};
    struct control_hello hello;
    struct control_vm is;
    int option;

    while ((option = command_option(self, argc, argv, "", options)) >= 0) {
        if (option == 'p' && !command_number(self, "--port", optarg, 1, 65535, &s.port))
            return LINTEL_USAGE;
        if (option == '?')
            return LINTEL_USAGE;
        s.path = option == 's' ? optarg : s.path;
        s.wait |= option == 'w';
    }
    if (optind != argc - 2)
        return command_misused(self, "give a run's socket and the name of a VM");
    int code = control_line_open(&s.line, argv[optind], &hello);
    if (code != LINTEL_OK)
        return code;
    code = control_line_find(&s.line, &hello, argv[optind + 1], &s.target.vm, &is);
    if (code == LINTEL_OK && is.state == CONTROL_VM_ENDED)
        code = fail(LINTEL_USAGE, "vm %s is ended: it cannot be debugged", is.name);
    s.target.line = &s.line;
    s.target.name = argv[optind + 1];
    s.target.vcpus = is.vcpus;
    s.session = (struct gdb_session){.target = &s.target, .send = send_bytes, .context = &s};
    if (code == LINTEL_OK)
        code = serve_vm(&s);
    control_line_close(&s.line);
    return code;
}
