/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program in ring 3 that is no monitor defines. */
#pragma once

#include "abi/process.h"

/* The program. It ends by gate_stop or log_stop. */
_Noreturn void process_main(const struct process_info *info);
