/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/local_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/report.h"

bool local_socket_address(const char *path, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address->sun_path)) {
        note("%s: a socket's path has at most %zu characters", path, sizeof(address->sun_path) - 1);
        return false;
    }
    strcpy(address->sun_path, path);
    return true;
}

/* Of a tool that was killed: nobody listens there. What is no socket refuses as well. */
static void remove_stale(const struct sockaddr_un *address)
{
    struct stat info;

    if (stat(address->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode))
        return;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
        errno == ECONNREFUSED)
        unlink(address->sun_path);
    close(probe);
}

int local_socket_listen(const char *path, int clients)
{
    struct sockaddr_un address;

    if (!local_socket_address(path, &address))
        return -1;
    remove_stale(&address);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    bool good = listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0;
    umask(mask);
    if (good && listen(listener, clients) == 0)
        return listener;
    int error = errno;
    close(listener);
    fail(LINTEL_MACHINE, "%s: no socket can be made there: %s; name another path", path,
         strerror(error));
    return -1;
}
