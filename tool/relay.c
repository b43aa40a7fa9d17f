/* SPDX-License-Identifier: BSD-2-Clause */
/* The control line among tools: see relay.h. */
#include "tool/relay.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/control_frame.h"
#include "tool/control_line.h"
#include "tool/unfinished.h"

#define NOBODY (-1)

/* Of a run that was killed: nobody listens there. */
static void remove_stale(const struct sockaddr_un *address)
{
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
        errno == ECONNREFUSED)
        unlink(address->sun_path);
    close(probe);
}

enum exit_code relay_open(struct relay *relay, const char *path)
{
    struct sockaddr_un address;

    *relay = (struct relay){.path = path, .line = -1};
    for (int i = 0; i < RELAY_CLIENTS; i++)
        relay->clients[i].socket = -1;
    if (!control_line_address(path, &address))
        return LINTEL_MACHINE;
    remove_stale(&address);
    relay->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    bool good = relay->listener >= 0 &&
                bind(relay->listener, (struct sockaddr *)&address, sizeof(address)) == 0;
    umask(mask);
    if (good && listen(relay->listener, RELAY_CLIENTS) == 0) {
        unfinished_begin(path);
        return LINTEL_OK;
    }
    int error = errno;
    close(relay->listener);
    return fail(LINTEL_MACHINE, "%s: no socket can be made there: %s; name another path", path,
                strerror(error));
}

void relay_start(struct relay *relay, int line)
{
    relay->line = line;
}

static void close_client(struct relay *relay, int i)
{
    close(relay->clients[i].socket);
    relay->clients[i] = (struct relay_client){.socket = -1};
    if (relay->asker == i)
        relay->asker = NOBODY;
}

/* The machine's answer, or ours, to who asked, with its own tag again. Who does not take it at once
 * does not keep to one request at a time. */
static void give(struct relay *relay, struct control_answer *answer)
{
    int i = relay->asker;

    relay->asked = false;
    relay->asker = NOBODY;
    if (i == NOBODY)
        return;
    struct relay_client *client = &relay->clients[i];
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

/* The next client's request goes to the machine. */
static void ask(struct relay *relay, uint64_t now)
{
    for (unsigned n = 1; !relay->asked && n <= RELAY_CLIENTS; n++) {
        unsigned i = (relay->last + n) % RELAY_CLIENTS;
        const struct relay_client *client = &relay->clients[i];
        if (client->socket < 0 || client->count < CONTROL_HEAD)
            continue;
        struct control_request request = client->request;
        request.tag = ++relay->tag;
        size_t size = control_seal(&request);
        relay->asked = true;
        relay->asker = (int)i;
        relay->last = i;
        relay->count = 0;
        relay->deadline = now + RELAY_PATIENCE_MS;
        if (relay->line < 0 ||
            send(relay->line, &request, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size)
            give_up(relay);
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

static void take_line(struct relay *relay)
{
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
