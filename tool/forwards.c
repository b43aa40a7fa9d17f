/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports that lead to a guest: see forwards.h. */
#include "tool/forwards.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT_MAX 65535
/* The network that the emulators' cards lead to, and the first address that its DHCP server gives
 * away (slirp's defaults). */
#define NETWORK       "10.0.2."
#define FIRST_ADDRESS NETWORK "15"

/* A port's number up to `end`, which must follow it; 0: there is none. */
static unsigned read_port(const char *word, char end)
{
    size_t digits = strspn(word, "0123456789");
    unsigned long port = strtoul(word, NULL, 10);

    return digits > 0 && digits <= 5 && word[digits] == end && port <= PORT_MAX ? (unsigned)port
                                                                                : 0;
}

/* Reads PORT:PORT or PORT:ADDRESS:PORT. NULL, or what is wrong. */
static const char *read_forward(const char *word, struct machine_forward *forward)
{
    const char *first = strchr(word, ':'), *last = strrchr(word, ':');
    struct in_addr address;

    forward->port = read_port(word, ':');
    forward->guest_port = last ? read_port(last + 1, '\0') : 0;
    if (!forward->port || !forward->guest_port)
        return "is no pair of ports; write for example 2222:22, this machine's port and the "
               "guest's";
    if (first == last) {
        strcpy(forward->address, FIRST_ADDRESS);
        return NULL;
    }
    size_t length = (size_t)(last - first - 1);
    if (length >= sizeof(forward->address))
        length = sizeof(forward->address) - 1;
    memcpy(forward->address, first + 1, length);
    forward->address[length] = '\0';
    if (strncmp(forward->address, NETWORK, strlen(NETWORK)) != 0 ||
        inet_pton(AF_INET, forward->address, &address) != 1)
        return "names no guest; write for example 2222:" FIRST_ADDRESS ":22, with an address in "
               "the card's network, " NETWORK "0/24";
    return NULL;
}

/* The place of the entry with this port; NULL: there is none. */
static const char *find(const struct machine *machine, unsigned port)
{
    for (unsigned i = 0; i < machine->forward_count; i++)
        if (machine->forwards[i].port == port)
            return machine->forwards[i].place;
    return NULL;
}

void forwards_load(struct loading *loading, const char *where, const struct nic_description *nic)
{
    struct machine *machine = loading->machine;

    for (unsigned i = 0; i < nic->forward_count; i++) {
        struct machine_forward forward = {.place = text("%s.forward[%u]", where, i)};
        const char *wrong = read_forward(nic->forward[i], &forward);
        const char *other = wrong ? NULL : find(machine, forward.port);

        if (wrong) {
            description_error(&loading->file, forward.place, "'%s' %s", nic->forward[i], wrong);
        } else if (other) {
            description_error(&loading->file, forward.place,
                              "%s has port %u already; choose another", other, forward.port);
        } else if (machine->forward_count == MACHINE_FORWARDS) {
            description_error(&loading->file, forward.place,
                              "a card has at most %d of these; remove the others",
                              MACHINE_FORWARDS);
        } else {
            machine->forwards[machine->forward_count++] = forward;
            continue;
        }
        free(forward.place);
    }
}

/* Whether a port can be had, as the emulator will ask for it; otherwise errno says why. */
static bool is_free(unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((in_port_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = listener >= 0 &&
                setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
                bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                listen(listener, 1) == 0;
    int error = errno;

    close(listener);
    errno = error;
    return good;
}

void forwards_try(struct loading *loading)
{
    for (unsigned i = 0; i < loading->machine->forward_count; i++) {
        const struct machine_forward *forward = &loading->machine->forwards[i];

        if (is_free(forward->port))
            continue;
        description_error(&loading->file, forward->place, "port %u of this machine %s",
                          forward->port,
                          errno == EADDRINUSE ? "is taken; choose another, or end who has it"
                          : errno == EACCES   ? "is root's; choose one from 1024 on"
                                              : strerror(errno));
    }
}
