/* SPDX-License-Identifier: BSD-2-Clause */
#include "runtime/process.h"
#include "services/switch/switch.h"

_Noreturn void process_main(const struct process_info *info)
{
    switch_start(info, (void *)PROCESS_CHANNEL);
    for (;;)
        switch_turn();
}
