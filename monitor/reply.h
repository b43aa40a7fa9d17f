/* SPDX-License-Identifier: BSD-2-Clause */
/* The answer to an exit by an exception. */
#pragma once

#include "abi/exit.h"
#include "monitor/emulate.h"

static inline void reply_fault(struct exit_page *page, const struct emulate_fault *fault)
{
    page->reply = REPLY_EXCEPTION;
    page->reply_vector = fault->vector;
    page->reply_error_code = fault->error_code;
    page->reply_cr2 = fault->cr2;
}
