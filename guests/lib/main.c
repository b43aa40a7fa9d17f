/* SPDX-License-Identifier: BSD-2-Clause */
/* A test kernel's life: prepare, run guest_main, print the plan, power off. */
#include "guests/lib/guest.h"

/* Linux boot protocol, "The boot_params structure". */
#define BOOT_PARAMS_CMDLINE 0x228

static const char *cmdline = "";

const char *command_line(void)
{
    return cmdline;
}

void guest_start(uint64_t boot_params, uint64_t multiboot_info);

/* From start.S; one of the two addresses is 0. */
void guest_start(uint64_t boot_params, uint64_t multiboot_info)
{
    machine_init();
    interrupt_init();
    memory_init(boot_params, multiboot_info);
    if (boot_params != 0)
        cmdline = (const char *)(uintptr_t)*(const uint32_t *)(boot_params + BOOT_PARAMS_CMDLINE);
    guest_main();
    tap_end();
    power_off();
}
