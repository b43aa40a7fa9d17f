/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything that a test kernel may use. A kernel is one function: guest_main. */
#pragma once

#include "guests/lib/apic.h"
#include "guests/lib/cpu.h"
#include "guests/lib/interrupt.h"
#include "guests/lib/machine.h"
#include "guests/lib/memory.h"
#include "guests/lib/selectors.h"
#include "guests/lib/tap.h"
#include "guests/lib/trap.h"

/* Runs in ring 0, interrupts off; when it returns, the plan is printed and the machine switched
 * off. */
void guest_main(void);
