/* SPDX-License-Identifier: BSD-2-Clause */
/* What the control process does for a debugger: the guest's debug registers are its own meanwhile,
 * and what was put into its memory is taken out. Behind it stands a vCPU that is simulated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "abi/control.h"
#include "lib/bits.h"
#include "runtime/gate.h"
#include "services/control/debug.h"

#define VM        1u
#define MEMORY    0x4000u
#define DR_ACCESS 29u
#define FROM      0x10u
#define NO_CR4    0xffffffffu /* cannot be entered */

static struct guest_state vcpu;
static struct gate_stopped stopped;
static bool debugged;
static unsigned resumed;
static unsigned gone; /* how often it went on */
static uint8_t memory[MEMORY];
static char text_page[PROCESS_TEXT_SIZE] __attribute__((aligned(8)));

char *gate_text(void)
{
    return text_page;
}

static int64_t command(uint8_t what)
{
    bool stands = debugged && stopped.why != GATE_STOPPED_NOT;
    int64_t result = 0;

    if (what == GATE_DEBUG_STOP) {
        stopped.why = stands ? stopped.why : GATE_STOPPED_ASKED;
        debugged = true;
    } else if (what != GATE_DEBUG_LOOK) {
        result = stands ? 0 : GATE_ESTATE;
        debugged &= !stands || !(what & GATE_DEBUG_END);
        stopped.why = stands ? GATE_STOPPED_NOT : stopped.why;
        gone += stands;
    }
    memcpy(text_page, &stopped, sizeof(stopped));
    return result;
}

int64_t gate_control(unsigned vm, enum gate_control what, uint64_t argument)
{
    uint64_t at = CONTROL_ADDRESS(argument);

    if (vm != VM)
        return GATE_EINVAL;
    switch (what) {
    case GATE_CONTROL_RESUME:
        resumed++;
        return GATE_ESTATE;
    case GATE_CONTROL_DEBUG:
        if (GATE_CONTROL_VCPU(argument) != 0)
            return GATE_EINVAL;
        return command(argument & 0xff);
    case GATE_CONTROL_REGISTERS:
        memcpy(text_page, &vcpu, sizeof(vcpu));
        return 0;
    case GATE_CONTROL_SET:
        if (!debugged || stopped.why == GATE_STOPPED_NOT)
            return GATE_ESTATE;
        memcpy(&vcpu, text_page, sizeof(vcpu));
        return vcpu.cr4 == NO_CR4 ? GATE_EINVAL : 0;
    case GATE_CONTROL_MEMORY:
        if (argument >= MEMORY)
            return GATE_EINVAL;
        memcpy(text_page, memory + align_down(argument, PAGE_SIZE), PAGE_SIZE);
        return 0;
    case GATE_CONTROL_POKE:
        assert_true(at < MEMORY);
        memory[at] = (uint8_t)(argument >> 56);
        return 0;
    default:
        fail_msg("call %d", what);
        return 0;
    }
}

static int begin(void **state)
{
    debug_init();
    vcpu = (struct guest_state){.dr = {1, 2, 3, 4}, .dr7 = 0x4ff, .dr6 = 0xffff0ff0, .rip = 0x100};
    stopped = (struct gate_stopped){.why = GATE_STOPPED_NOT};
    debugged = false;
    resumed = 0;
    gone = 0;
    for (unsigned i = 0; i < MEMORY; i++)
        memory[i] = (uint8_t)(i * 7);
    return 0;
}

static enum gate_stop_why debug(uint64_t what)
{
    struct gate_stopped is = {0};

    assert_int_equal(debug_command(VM, what, &is), 0);
    return is.why;
}

static void breakpoints_are_the_guests_again(void **state)
{
    struct guest_state seen;

    assert_int_equal(debug(GATE_DEBUG_STOP), GATE_STOPPED_ASKED);
    assert_int_equal(resumed, 1); /* if it was paused */
    assert_int_equal(vcpu.dr7, 0x400);
    vcpu.dr[0] = 0x5000; /* as the debugger sets them */
    vcpu.dr7 = 0x401;
    seen = vcpu;
    debug_hide(VM, 0, &seen);
    assert_int_equal(seen.dr[0], 1);
    assert_int_equal(seen.dr7, 0x4ff);
    assert_int_equal(debug(GATE_DEBUG_GO), GATE_STOPPED_NOT);
    assert_int_equal(vcpu.dr7, 0x401);
    assert_int_equal(debug(GATE_DEBUG_STOP), GATE_STOPPED_ASKED);
    debug(GATE_DEBUG_END);
    assert_int_equal(vcpu.dr[0], 1);
    assert_int_equal(vcpu.dr[3], 4);
    assert_int_equal(vcpu.dr7, 0x4ff);
    assert_false(debugged);
}

/* It is at MOV DR: `number` is of the register, FROM reads it; with RBX. */
static void access_dr(unsigned number, uint64_t rbx)
{
    uint64_t rip = vcpu.rip;
    unsigned before = gone;

    vcpu.gpr[GPR_RBX] = rbx;
    stopped = (struct gate_stopped){.why = GATE_STOPPED_EXIT,
                                    .reason = DR_ACCESS,
                                    .length = 3,
                                    .qualification = number | GPR_RBX << 8};
    assert_int_equal(debug(GATE_DEBUG_LOOK), GATE_STOPPED_NOT);
    assert_int_equal(vcpu.rip, rip + 3);
    assert_int_equal(gone, before + 1);
}

static void debug_registers_are_the_guests(void **state)
{
    debug(GATE_DEBUG_STOP);
    debug(GATE_DEBUG_GO);
    access_dr(2 | FROM, 0);
    assert_int_equal(vcpu.gpr[GPR_RBX], 3);
    access_dr(7, 0xffffffff);
    access_dr(5 | FROM, 0);
    assert_int_equal(vcpu.gpr[GPR_RBX], 0xffff07ff);
    assert_int_equal(vcpu.dr7, 0x400);
    access_dr(6, 0xf);
    assert_int_equal(vcpu.dr6, 0xffff0fff);
    access_dr(4 | FROM, 0);
    assert_int_equal(vcpu.gpr[GPR_RBX], 0xffff0fff);
    access_dr(1, 0xfffff80000000000);
    assert_int_equal(vcpu.dr[1], 2);
    debug(GATE_DEBUG_STOP);
    debug(GATE_DEBUG_END);
    assert_true(vcpu.dr[1] == 0xfffff80000000000);
}

/* A step over it ends behind it. */
static void a_step_is_one(void **state)
{
    debug(GATE_DEBUG_STOP);
    debug(GATE_DEBUG_GO | GATE_DEBUG_STEP);
    stopped = (struct gate_stopped){.why = GATE_STOPPED_EXIT,
                                    .reason = DR_ACCESS,
                                    .length = 3,
                                    .qualification = FROM | GPR_RBX << 8};
    assert_int_equal(debug(GATE_DEBUG_LOOK), GATE_STOPPED_STEP);
    assert_int_equal(vcpu.rip, 0x103);
}

static void what_cannot_be_entered_is_refused(void **state)
{
    assert_int_equal(debug_set(VM, 0, offsetof(struct guest_state, rip), 1), GATE_ESTATE);
    debug(GATE_DEBUG_STOP);
    assert_int_equal(debug_set(VM, 0, offsetof(struct guest_state, rip) + 4, 7), 0);
    assert_true(vcpu.rip == 0x700000100);
    assert_int_equal(debug_set(VM, 0, offsetof(struct guest_state, cr4), NO_CR4), GATE_EINVAL);
    assert_int_equal(vcpu.cr4, 0);
    assert_int_equal(debug_set(VM, 0, sizeof(struct guest_state) - 3, 1), GATE_EINVAL);
    assert_int_equal(debug_set(VM, 0, sizeof(struct guest_state), 1), GATE_EINVAL);
}

static void a_reset_resets_them(void **state)
{
    debug(GATE_DEBUG_STOP);
    vcpu = (struct guest_state){.dr7 = 0x400};
    stopped.why = GATE_STOPPED_RESET;
    assert_int_equal(debug(GATE_DEBUG_LOOK), GATE_STOPPED_RESET);
    vcpu.dr[0] = 0x5000;
    vcpu.dr7 = 0x401;
    assert_int_equal(debug(GATE_DEBUG_LOOK), GATE_STOPPED_RESET);
    assert_int_equal(vcpu.dr7, 0x401);
    debug(GATE_DEBUG_END);
    assert_int_equal(vcpu.dr[0], 0);
    assert_int_equal(vcpu.dr7, 0x400);
}

static void patches_are_taken_out(void **state)
{
    uint8_t byte;

    debug(GATE_DEBUG_STOP);
    assert_int_equal(debug_patch(VM, 0x1003, false, &byte), GATE_ESTATE);
    for (unsigned i = 0; i < CONTROL_PATCHES; i++) {
        assert_int_equal(debug_patch(VM, 0x1000 + 40 * i, true, &byte), 0);
        assert_int_equal(byte, (uint8_t)((0x1000 + 40 * i) * 7));
        assert_int_equal(memory[0x1000 + 40 * i], 0xcc);
    }
    assert_int_equal(debug_patch(VM, 0x10, true, &byte), GATE_ESTATE);
    assert_int_equal(debug_patch(VM, MEMORY, true, &byte), GATE_EINVAL);
    assert_int_equal(debug_patch(VM, 0x1000, true, &byte), 0); /* again */
    assert_int_equal(byte, (uint8_t)(0x1000 * 7));
    assert_int_equal(debug_patch(VM, 0x1000, false, &byte), 0);
    assert_int_equal(memory[0x1000], (uint8_t)(0x1000 * 7));
    memory[0x1028] = 0x90; /* by a reset, or its guest */
    memory[0x1050] = 0x91;
    assert_int_equal(debug_patch(VM, 0x1028, true, &byte), 0);
    assert_int_equal(byte, 0x90);
    debug(GATE_DEBUG_END);
    memory[0x1028] = (uint8_t)(0x1028 * 7);
    assert_int_equal(memory[0x1050], 0x91);
    memory[0x1050] = (uint8_t)(0x1050 * 7);
    for (unsigned i = 0; i < MEMORY; i++)
        assert_int_equal(memory[i], (uint8_t)(i * 7));
}

static void nothing_of_others(void **state)
{
    struct gate_stopped is;
    uint8_t byte;

    assert_int_equal(debug_command(VM + 1, GATE_DEBUG_STOP, &is), GATE_EINVAL);
    for (unsigned bits = 0; bits < 256; bits++) {
        bool known = bits <= GATE_DEBUG_GO || bits == 6 || bits == 10 || bits == 14 || bits == 16;
        if (!known)
            assert_int_equal(debug_command(VM, bits, &is), GATE_EINVAL);
    }
    assert_int_equal(debug_patch(VM + 1, 0, true, &byte), GATE_EINVAL);
    assert_int_equal(debug_command(VM, GATE_DEBUG_END, &is), GATE_ESTATE);
    assert_int_equal(debug_command(VM, GATE_DEBUG_GO, &is), GATE_ESTATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(breakpoints_are_the_guests_again, begin),
        cmocka_unit_test_setup(debug_registers_are_the_guests, begin),
        cmocka_unit_test_setup(a_step_is_one, begin),
        cmocka_unit_test_setup(what_cannot_be_entered_is_refused, begin),
        cmocka_unit_test_setup(a_reset_resets_them, begin),
        cmocka_unit_test_setup(patches_are_taken_out, begin),
        cmocka_unit_test_setup(nothing_of_others, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
