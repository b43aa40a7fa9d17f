/* SPDX-License-Identifier: BSD-2-Clause */
/* A test kernel's life: prepare, run guest_main, print the plan, power off. */
#include "guests/lib/guest.h"

void guest_start(uint64_t boot_params, uint64_t multiboot_info);

/* From start.S; one of the two addresses is 0. */
void guest_start(uint64_t boot_params, uint64_t multiboot_info)
{
    machine_init();
    interrupt_init();
    memory_init(boot_params, multiboot_info);
    guest_main();
    tap_end();
    power_off();
}
