/* SPDX-License-Identifier: BSD-2-Clause */
/* A network card's driver that dies: tests/mortal.h. */
#include "runtime/gate.h"
#include "runtime/net.h"
#include "tests/mortal.h"

MORTAL(int64_t, gate_wait, (void))
MORTAL_VOID(gate_interrupts_done, (uint64_t interrupts), interrupts)
MORTAL(int64_t, gate_timer, (uint64_t tsc), tsc)
MORTAL(uint64_t, gate_tsc, (void))
MORTAL(uint8_t *, net_wait, (struct net_end * n, uint32_t size), n, size)
MORTAL(const uint8_t *, net_next, (struct net_end * n, struct net_entry *e), n, e)
MORTAL_VOID(net_put, (struct net_end * n, struct net_entry *e), n, e)
MORTAL_VOID(net_take, (struct net_end * n), n)
MORTAL_VOID(net_flush, (struct net_end * n), n)
