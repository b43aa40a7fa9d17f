/* SPDX-License-Identifier: BSD-2-Clause */
/* The control line among tools: see relay.h. */
#include "tool/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/bits.h"
#include "lib/control_frame.h"
#include "tool/local_socket.h"
#include "tool/unfinished.h"

#define NOBODY (-1)

enum exit_code relay_open(struct relay *relay, const char *path)
{
    *relay = (struct relay){.path = path, .line = -1};
    for (int i = 0; i < RELAY_CLIENTS; i++)
        relay->clients[i].socket = -1;
    relay->listener = local_socket_listen(path, RELAY_CLIENTS);
    if (relay->listener < 0)
        return LINTEL_MACHINE;
    unfinished_begin(path);
    return LINTEL_OK;
}

void relay_start(struct relay *relay, int line)
{
    relay->line = line;
}

void relay_release(struct relay *relay)
{
    relay->release = true;
}

static void close_client(struct relay *relay, int i)
{
    close(relay->clients[i].socket);
    relay->left |= relay->clients[i].debugs;
    for (int kind = 0; kind < RELAY_TRACED; kind++)
        relay->left_traced[kind] |= relay->clients[i].traces[kind];
    relay->clients[i] = (struct relay_client){.socket = -1};
    if (relay->asker == i)
        relay->asker = NOBODY;
}

/* Our own request is answered, if it was one: a debugger's end waits for the monitor of a VM that
 * was about to stop. One that has ended does not stop. */
static void take_leave(struct relay *relay, const struct control_answer *answer)
{
    if (answer->call == CONTROL_CALL_RELEASE)
        relay->release = false;
    if (answer->call == CONTROL_CALL_TRACE)
        relay->left_traced[relay->left_kind] &= ~(uint32_t)BIT(answer->vm);
    if (answer->call != CONTROL_CALL_DEBUG || relay->left == 0)
        return;
    bool ends = relay->left_stopped ? answer->error != CONTROL_STATE : answer->error != CONTROL_OK;

    relay->left_stopped = !relay->left_stopped && !ends;
    if (ends)
        relay->left &= ~(uint32_t)BIT(answer->vm);
}

/* When it asks, and when it is answered: what cannot be traced is not. */
static void note_tracer(struct relay_client *client, uint16_t error)
{
    const struct control_request *r = &client->request;
    bool on = r->argument & CONTROL_TRACE_ON && (error == CONTROL_OK || error == CONTROL_SILENT);
    uint32_t *is =
        &client->traces[r->argument & CONTROL_TRACE_PROCESS ? RELAY_PROCESSES : RELAY_VMS];

    if (r->call != CONTROL_CALL_TRACE || r->vm >= PLAN_MAX_PROCESSES)
        return;
    *is = on ? *is | (uint32_t)BIT(r->vm) : *is & ~(uint32_t)BIT(r->vm);
}

/* The machine's answer, or ours, to who asked, with its own tag again. Who does not take it at once
 * does not keep to one request at a time. */
static void give(struct relay *relay, struct control_answer *answer)
{
    int i = relay->asker;

    relay->asked = false;
    relay->asker = NOBODY;
    if (i == NOBODY) {
        take_leave(relay, answer);
        return;
    }
    struct relay_client *client = &relay->clients[i];
    note_tracer(client, answer->error);
    answer->tag = client->request.tag;
    size_t size = control_seal(answer);
    client->count = 0;
    if (send(client->socket, answer, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size)
        close_client(relay, i);
}

static void give_up(struct relay *relay)
{
    struct control_answer answer = {.magic = CONTROL_ANSWER, .error = CONTROL_SILENT};

    if (relay->asker != NOBODY) {
        answer.call = relay->clients[relay->asker].request.call;
        answer.vm = relay->clients[relay->asker].request.vm;
    }
    give(relay, &answer);
}

/* A request goes to the machine, in the name of this client, or our own. */
static void pass_on(struct relay *relay, int asker, struct control_request request, uint64_t now)
{
    request.tag = ++relay->tag;
    size_t size = control_seal(&request);

    relay->asked = true;
    relay->asker = asker;
    relay->count = 0;
    relay->deadline = now + RELAY_PATIENCE_MS;
    if (relay->line < 0 ||
        send(relay->line, &request, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size)
        give_up(relay);
}

static void note_debugger(struct relay_client *client)
{
    const struct control_request *r = &client->request;

    if (r->call != CONTROL_CALL_DEBUG || r->vm >= PLAN_MAX_VMS)
        return;
    if ((r->argument & 0xff) == GATE_DEBUG_STOP)
        client->debugs |= (uint32_t)BIT(r->vm);
    if ((r->argument & 0xff) == GATE_DEBUG_END)
        client->debugs &= ~(uint32_t)BIT(r->vm);
}

static bool is_traced(const struct relay *relay)
{
    bool is = false;

    for (int i = 0; i < RELAY_CLIENTS; i++)
        is |= relay->clients[i].traces[RELAY_VMS] != 0;
    return is;
}

/* What nobody traces any more. */
static void stop_trace(struct relay *relay, int kind, uint64_t now)
{
    for (int i = 0; i < RELAY_CLIENTS; i++)
        relay->left_traced[kind] &= ~relay->clients[i].traces[kind];
    if (relay->left_traced[kind] == 0)
        return;
    relay->left_kind = kind;
    pass_on(relay, NOBODY,
            (struct control_request){.magic = CONTROL_REQUEST,
                                     .call = CONTROL_CALL_TRACE,
                                     .vm = (uint8_t)__builtin_ctz(relay->left_traced[kind]),
                                     .argument = kind == RELAY_VMS ? 0 : CONTROL_TRACE_PROCESS},
            now);
}

/* The next client's request, or our own for those that have left. */
static void ask(struct relay *relay, uint64_t now)
{
    if (!relay->asked && relay->left != 0)
        pass_on(relay, NOBODY,
                (struct control_request){.magic = CONTROL_REQUEST,
                                         .call = CONTROL_CALL_DEBUG,
                                         .vm = (uint8_t)__builtin_ctz(relay->left),
                                         .argument = relay->left_stopped ? GATE_DEBUG_END
                                                                         : GATE_DEBUG_STOP},
                now);
    for (int kind = 0; !relay->asked && kind < RELAY_TRACED; kind++)
        stop_trace(relay, kind, now);
    if (!relay->asked && relay->release && !is_traced(relay))
        pass_on(relay, NOBODY,
                (struct control_request){.magic = CONTROL_REQUEST, .call = CONTROL_CALL_RELEASE},
                now);
    for (unsigned n = 1; !relay->asked && n <= RELAY_CLIENTS; n++) {
        unsigned i = (relay->last + n) % RELAY_CLIENTS;
        struct relay_client *client = &relay->clients[i];
        if (client->socket < 0 || client->count < CONTROL_HEAD)
            continue;
        relay->last = i;
        note_debugger(client);
        note_tracer(client, CONTROL_OK);
        pass_on(relay, (int)i, client->request, now);
    }
}

/* What has come from the machine: answers, and what is none. */
static void take_frames(struct relay *relay)
{
    struct control_answer answer;
    size_t size;

    for (;;) {
        switch (control_frame(relay->in, relay->count, CONTROL_ANSWER, &size)) {
        case CONTROL_FRAME_SHORT:
            return;
        case CONTROL_FRAME_WHOLE:
            memcpy(&answer, relay->in, size);
            if (relay->asked && answer.tag == relay->tag)
                give(relay, &answer);
            break;
        default:
            size = 1;
        }
        relay->count -= size;
        memmove(relay->in, relay->in + size, relay->count);
    }
}

/* An emulator sends an answer byte by byte: all but the first wait there until that is
 * acknowledged, which the system would put off for 40 ms. */
static void take_line(struct relay *relay)
{
    static const int at_once = 1;

    setsockopt(relay->line, IPPROTO_TCP, TCP_QUICKACK, &at_once, sizeof(at_once));
    ssize_t length = read(relay->line, relay->in + relay->count, sizeof(relay->in) - relay->count);

    if (length > 0) {
        relay->count += (size_t)length;
        take_frames(relay);
    } else if (length == 0 || errno != EINTR) {
        close(relay->line);
        relay->line = -1;
    }
}

static void take_client(struct relay *relay, int i)
{
    struct relay_client *client = &relay->clients[i];
    size_t size;
    ssize_t length = recv(client->socket, (uint8_t *)&client->request + client->count,
                          CONTROL_HEAD - client->count, MSG_DONTWAIT);

    if (length > 0)
        client->count += (size_t)length;
    if (length == 0 || (length < 0 && errno != EINTR && errno != EAGAIN) ||
        control_frame((uint8_t *)&client->request, client->count, CONTROL_REQUEST, &size) ==
            CONTROL_FRAME_NONE)
        close_client(relay, i);
}

static void take_listener(struct relay *relay)
{
    int socket = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC), i = 0;

    while (i < RELAY_CLIENTS && relay->clients[i].socket >= 0)
        i++;
    if (i < RELAY_CLIENTS)
        relay->clients[i].socket = socket;
    else
        close(socket);
}

void relay_polls(const struct relay *relay, struct pollfd *polls)
{
    polls[0] = (struct pollfd){.fd = relay->line, .events = POLLIN};
    polls[1] = (struct pollfd){.fd = relay->listener, .events = POLLIN};
    for (int i = 0; i < RELAY_CLIENTS; i++) /* one whose request is there has to wait */
        polls[2 + i] =
            (struct pollfd){.fd = relay->clients[i].socket,
                            .events = relay->clients[i].count < CONTROL_HEAD ? POLLIN : POLLRDHUP};
}

int relay_wait(const struct relay *relay, uint64_t now)
{
    if (!relay->asked)
        return -1;
    return now < relay->deadline ? (int)(relay->deadline - now) : 0;
}

void relay_work(struct relay *relay, const struct pollfd *polls, uint64_t now)
{
    if (polls[0].revents && relay->line >= 0)
        take_line(relay);
    for (int i = 0; i < RELAY_CLIENTS; i++) {
        if (relay->clients[i].socket < 0 || polls[2 + i].fd != relay->clients[i].socket)
            continue;
        if (polls[2 + i].revents & POLLIN && relay->clients[i].count < CONTROL_HEAD)
            take_client(relay, i);
        else if (polls[2 + i].revents & (POLLRDHUP | POLLHUP | POLLERR))
            close_client(relay, i);
    }
    if (polls[1].revents)
        take_listener(relay);
    if (relay->asked && now >= relay->deadline)
        give_up(relay);
    ask(relay, now);
}

void relay_close(struct relay *relay)
{
    for (int i = 0; i < RELAY_CLIENTS; i++)
        if (relay->clients[i].socket >= 0)
            close_client(relay, i);
    if (relay->line >= 0)
        close(relay->line);
    close(relay->listener);
    unlink(relay->path);
    unfinished_end();
}
