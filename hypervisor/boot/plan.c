/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/boot/plan.h"

#include "hypervisor/cpu/arena.h"
#include "hypervisor/report/panic.h"
#include "lib/bits.h"
#include "lib/image.h"
#include "lib/string.h"

static struct plan plan;

/* A program is input as well. */
static void check_image(const char *what, const char *name, const struct phys_range *m)
{
    const char *error = image_check(virt_of(m->start), phys_range_size(m));

    if (error != NULL)
        stopped("plan: the image of %s%s %s: build the image again", what, name, error);
}

/* R35: whoever gets a file gets the whole of its last page. */
static void clear_rest(uint64_t end)
{
    memset(virt_of(end), 0, align_up(end, PAGE_SIZE) - end);
}

const struct plan *plan_read(const struct boot_info *info)
{
    static char text[200];

    if (info->module_count < PLAN_MODULE_FIRST_FILE)
        stopped("plan: the boot loader gave %u modules; the plan and the monitor are needed",
                info->module_count);
    const struct phys_range *m = &info->modules[PLAN_MODULE_PLAN];
    uint64_t size = phys_range_size(m);
    memcpy(&plan, virt_of(m->start), min_u64(size, sizeof(plan)));
    const char *error = plan_check(&plan, size, info, text, sizeof(text));
    if (error != NULL)
        stopped("plan: %s", error);
    check_image("the monitor", "", &info->modules[PLAN_MODULE_MONITOR]);
    for (uint32_t i = 0; i < plan.process_count; i++)
        check_image("process ", plan.processes[i].name,
                    &info->modules[PLAN_MODULE_FIRST_FILE + plan.processes[i].image]);
    for (uint32_t i = 0; i < info->module_count; i++)
        clear_rest(info->modules[i].end);
    return &plan;
}
