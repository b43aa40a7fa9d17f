/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the vCPUs of a VM agree on, each on the CPU where it is at home (R21, R36): who has the
 * monitor, whether anybody will ever run again, what INITs, SIPIs and NMIs have been sent, and when
 * all have heard that the machine starts anew. All else of a vCPU is its own CPU's. Pure: words,
 * and what is done to them. tests/native/vm/agree_model.c explores it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A VM's. */
struct agree {
    uint64_t monitor; /* a bit for each vCPU that has it, or waits for it */
    uint64_t awake;   /* vCPUs that do not rest, and signals on their way that may end a rest */
    uint64_t resets;  /* vCPUs that have still to hear of a reset, and one; 0: there is none */
};

#define AGREE_NOBODY UINT32_MAX

/* Whether vCPU n, which does not have the monitor, has it now. If not, it gets it from whoever
 * gives it up. */
bool agree_take(struct agree *a, uint32_t n);

/* vCPU n, which has the monitor, has it no more. Returns who has it now: in turn the next one
 * behind n that waits, or AGREE_NOBODY. */
uint32_t agree_give_up(struct agree *a, uint32_t n);

/*
 * What has been sent to a vCPU and it has not taken, in one word: an INIT, and behind it a SIPI and
 * an NMI. The low byte is the SIPI's vector.
 */
#define SIGNAL_SIPI      0x100u
#define SIGNAL_INIT      0x200u
#define SIGNAL_NMI       0x400u
#define SIGNAL_ENDS_REST (SIGNAL_SIPI | SIGNAL_NMI)

/* What has been sent before an INIT is forgotten; of two SIPIs behind it the first one counts, and
 * two NMIs are one. True: nobody is awake any more. */
bool agree_send(struct agree *a, uint64_t *signals, uint64_t signal);

/* What has been sent. With something of SIGNAL_ENDS_REST the next agree_change says what has become
 * of it. */
uint64_t agree_receive(uint64_t *signals);

/* `by` more are awake; a signal that has been received counts as one until then. True: now nobody
 * is, nor will be. */
bool agree_change(struct agree *a, int64_t by);

/* All `count` vCPUs are to hear of a reset; until agree_begin nobody does what has been sent
 * before. */
void agree_reset(struct agree *a, uint32_t count);
bool agree_resets(const struct agree *a);

/* One has heard of it, and does nothing any more. True: it was the last one. */
bool agree_heard(struct agree *a);

/* The machine has started anew, and nothing is on its way: the first vCPU has the monitor, and is
 * the only one that is awake. */
void agree_begin(struct agree *a);
