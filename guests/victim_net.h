/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Has frames sent back by guests/net.c on the VM's network, if it has one, with one under way at a
 * time: two tests. */
void victim_net(void);

/* Says how many frames it has taken since. */
void victim_net_end(void);
