/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets with a path, of this user alone. */
#pragma once

#include <stdbool.h>
#include <sys/un.h>

/* A socket's address. False after a message: the path is too long for one. */
bool local_socket_address(const char *path, struct sockaddr_un *address);

/* A listening socket, also where one is left of a tool that was killed; the caller unlinks it. -1
 * after a message. */
int local_socket_listen(const char *path, int clients);
