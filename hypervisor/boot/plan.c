/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/boot/plan.h"

#include "hypervisor/cpu/arena.h"
#include "hypervisor/report/panic.h"
#include "lib/bits.h"
#include "lib/string.h"

static struct plan plan;

const struct plan *plan_read(const struct boot_info *info)
{
    static char text[200];

    if (info->module_count < PLAN_MODULE_FIRST_FILE)
        stopped("plan: the boot loader gave %u modules; the plan and the monitor are needed",
                info->module_count);
    const struct boot_module *m = &info->modules[PLAN_MODULE_PLAN];
    uint64_t size = m->end - m->start;
    memcpy(&plan, virt_of(m->start), min_u64(size, sizeof(plan)));
    const char *error = plan_check(&plan, size, info, text, sizeof(text));
    if (error != NULL)
        stopped("plan: %s", error);
    return &plan;
}
