/* SPDX-License-Identifier: BSD-2-Clause */
/* An NMI or an interrupt behind STI: where it returns to. On an emulator no NMI comes just there
 * (tests/qemu/ended.sh has one sent as a platform does). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hypervisor/cpu/trap.h"
#include "lib/bits.h"

/* sti; hlt; cli; nop; sti; sysexitq; nop */
static const uint8_t code[] = {0xfb, 0xf4, 0xfa, 0x90, 0xfb, 0x48, 0x0f, 0x35, 0x90};

#define IF    0x200
#define OTHER 0x46

/* In the shadow of STI the frame goes back to it, with interrupts off; everywhere else it stays. */
static void in_the_shadow_sti_comes_again(void **state)
{
    for (unsigned at = 1; at < ARRAY_SIZE(code); at++)
        for (unsigned on = 0; on < 2; on++) {
            struct trap_frame frame = {.rip = (uint64_t)(code + at),
                                       .rflags = OTHER | (on ? IF : 0)};
            bool shadow = on && (at == 1 || at == 5);

            trap_repeat_sti(&frame);
            assert_int_equal(frame.rip, (uint64_t)(code + at) - shadow);
            assert_int_equal(frame.rflags, OTHER | (on && !shadow ? IF : 0));
        }
}

static void an_interrupt_before_hlt_ends_its_wait(void **state)
{
    for (unsigned at = 0; at < ARRAY_SIZE(code); at++) {
        struct trap_frame frame = {.rip = (uint64_t)(code + at), .rflags = OTHER | IF};

        trap_skip_hlt(&frame);
        assert_int_equal(frame.rip, (uint64_t)(code + at) + (at == 1));
        assert_int_equal(frame.rflags, OTHER | IF);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_shadow_sti_comes_again),
        cmocka_unit_test(an_interrupt_before_hlt_ends_its_wait),
    };

    return cmocka_run_group_tests_name("the return to STI's shadow", tests, NULL, NULL);
}
