/* SPDX-License-Identifier: BSD-2-Clause */
/* What is answered to a request, and done for it. */
#ifndef CONTROL_ANSWER_H
#define CONTROL_ANSWER_H

#include "abi/control.h"
#include "abi/log.h"

/* Before the first request. */
void answer_init(uint64_t tsc_khz, const struct log_ring *log);

/* Does what a request asks for, and fills in all of the answer but its sum. */
void answer(const struct control_request *request, struct control_answer *answer);

#endif
