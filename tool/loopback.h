/* SPDX-License-Identifier: BSD-2-Clause */
/* A loopback network of one's own, and a socket in it that another process can use. */
#pragma once

#include <stdbool.h>

/*
 * Gives this process a network of its own, with nothing but a loopback. Bochs's display listens on
 * all addresses of its network, on a port from 5900 on, without a password; in there nobody can
 * reach it. False when that is not allowed.
 */
bool leave_network(void);

/* A listening socket on the loopback address, and its port; -1 with errno set. */
int listen_locally(unsigned *port);

/* Passes a file descriptor to the process at the other end of `channel`, a local socket. */
bool send_descriptor(int channel, int descriptor);

/* The descriptor that the other end sent; -1 when it ended before. */
int receive_descriptor(int channel);
