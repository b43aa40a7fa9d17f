/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/control/debug.h"

#include "abi/control.h"
#include "lib/bits.h"
#include "lib/exit_reasons.h"
#include "lib/string.h"
#include "runtime/gate.h"

#define INT3 0xcc

/* SDM volume 3, "Debug Registers". GD is left out: what it asks for would need a #DB. */
#define DR7_RESET    0x400ULL
#define DR7_WRITABLE 0xffff03ffULL
#define DR6_WRITABLE 0xe00fULL
#define DR6_RESET    0xffff0ff0ULL

/* Exit qualification of MOV DR. */
#define DR_NUMBER(q) ((q) & 7)
#define DR_FROM(q)   ((q) >> 4 & 1)
#define DR_GPR(q)    ((q) >> 8 & 15)

static struct {
    bool known;          /* whether the next is, and the CPU has the debugger's: */
    uint64_t dr7, dr[4]; /* the guest's own */
    bool steps;
} vcpus[PLAN_MAX_VMS][PLAN_MAX_VCPUS];

static struct patch {
    bool used;
    uint8_t vm, byte;
    uint64_t gpa;
} patches[CONTROL_PATCHES];

void debug_init(void)
{
    memset(vcpus, 0, sizeof(vcpus));
    memset(patches, 0, sizeof(patches));
}

static int64_t read_state(unsigned vm, unsigned vcpu, struct guest_state *state)
{
    int64_t result = gate_control(vm, GATE_CONTROL_REGISTERS, CONTROL_VCPU(vcpu));

    if (result == 0)
        memcpy(state, gate_text(), sizeof(*state));
    return result;
}

static int64_t write_state(unsigned vm, unsigned vcpu, const struct guest_state *state)
{
    memcpy(gate_text(), state, sizeof(*state));
    return gate_control(vm, GATE_CONTROL_SET, CONTROL_VCPU(vcpu));
}

int64_t debug_set(unsigned vm, unsigned vcpu, size_t offset, uint32_t value)
{
    struct guest_state old, state;
    int64_t result = read_state(vm, vcpu, &old);

    if (result != 0 || offset > sizeof(state) - sizeof(value))
        return result != 0 ? result : GATE_EINVAL;
    state = old;
    memcpy((uint8_t *)&state + offset, &value, sizeof(value));
    result = write_state(vm, vcpu, &state);
    if (result == GATE_EINVAL)
        write_state(vm, vcpu, &old);
    return result;
}

/* The guest's own debug registers are put aside, once it stands: the debugger begins with none. */
static void put_aside(unsigned vm, unsigned vcpu)
{
    struct guest_state state;

    if (read_state(vm, vcpu, &state) != 0)
        return;
    vcpus[vm][vcpu].known = true;
    vcpus[vm][vcpu].dr7 = state.dr7;
    memcpy(vcpus[vm][vcpu].dr, state.dr, sizeof(state.dr));
    state.dr7 = DR7_RESET;
    write_state(vm, vcpu, &state);
}

static void put_back(unsigned vm, unsigned vcpu)
{
    struct guest_state state;

    if (read_state(vm, vcpu, &state) != 0)
        return;
    debug_hide(vm, vcpu, &state);
    write_state(vm, vcpu, &state);
}

/* What the guest reads from a debug register, or has it after it has written the value there. DR4
 * and DR5 are DR6 and DR7. */
static uint64_t access_dr(unsigned vm, unsigned vcpu, struct guest_state *state, unsigned dr,
                          bool write, uint64_t value)
{
    uint64_t *is = dr < 4 ? &vcpus[vm][vcpu].dr[dr] : dr & 1 ? &vcpus[vm][vcpu].dr7 : &state->dr6;

    if (write && dr >= 4)
        value = dr & 1 ? (value & DR7_WRITABLE) | DR7_RESET : (value & DR6_WRITABLE) | DR6_RESET;
    if (write)
        *is = value;
    return *is;
}

/* Does the MOV DR that it has stopped at. */
static void move_dr(unsigned vm, unsigned vcpu, const struct gate_stopped *is)
{
    uint64_t q = is->qualification;
    struct guest_state state;

    if (read_state(vm, vcpu, &state) != 0)
        return;
    uint64_t *gpr = &state.gpr[DR_GPR(q)];
    uint64_t value = access_dr(vm, vcpu, &state, DR_NUMBER(q), !DR_FROM(q), *gpr);
    *gpr = DR_FROM(q) ? value : *gpr;
    state.rip += is->length;
    write_state(vm, vcpu, &state);
}

static void look(unsigned vm, unsigned vcpu, struct gate_stopped *is)
{
    memcpy(is, gate_text(), sizeof(*is));
    if (is->why == GATE_STOPPED_OFF) /* INIT has reset its debug registers */
        vcpus[vm][vcpu].known = false;
    if (is->why == GATE_STOPPED_NOT || is->why == GATE_STOPPED_OFF)
        return;
    if (is->why == GATE_STOPPED_RESET) {
        vcpus[vm][vcpu].known = true;
        vcpus[vm][vcpu].dr7 = DR7_RESET;
        memset(vcpus[vm][vcpu].dr, 0, sizeof(vcpus[vm][vcpu].dr));
    }
    if (!vcpus[vm][vcpu].known)
        put_aside(vm, vcpu);
    if (is->why != GATE_STOPPED_EXIT || is->reason != EXIT_REASON_DR_ACCESS)
        return;
    move_dr(vm, vcpu, is);
    is->why = GATE_STOPPED_STEP;
    if (!vcpus[vm][vcpu].steps &&
        gate_control(vm, GATE_CONTROL_DEBUG, GATE_DEBUG_GO | CONTROL_VCPU(vcpu)) == 0)
        is->why = GATE_STOPPED_NOT;
}

static void remove_patches(unsigned vm)
{
    uint8_t byte;

    for (unsigned i = 0; i < CONTROL_PATCHES; i++)
        if (patches[i].used && patches[i].vm == vm)
            debug_patch(vm, patches[i].gpa, false, &byte);
}

/* 0, or why not; what it says of this vCPU then is in the text page. */
static int64_t command_one(unsigned vm, unsigned vcpu, uint8_t command)
{
    return gate_control(vm, GATE_CONTROL_DEBUG, command | CONTROL_VCPU(vcpu));
}

/* As soon as all its vCPUs stand: until then it is GATE_ESTATE, and they are about to. */
static int64_t end(unsigned vm, struct gate_stopped *is)
{
    int64_t result = 0;

    for (unsigned vcpu = 0; command_one(vm, vcpu, GATE_DEBUG_LOOK) == 0; vcpu++) {
        look(vm, vcpu, is);
        if (is->why == GATE_STOPPED_NOT)
            result = GATE_ESTATE;
    }
    if (result != 0)
        return result;
    remove_patches(vm);
    for (unsigned vcpu = 0; command_one(vm, vcpu, GATE_DEBUG_LOOK) == 0; vcpu++) {
        if (vcpus[vm][vcpu].known)
            put_back(vm, vcpu);
        vcpus[vm][vcpu].known = false;
        command_one(vm, vcpu, GATE_DEBUG_END);
    }
    is->why = GATE_STOPPED_NOT;
    return 0;
}

static bool is_command(uint8_t command)
{
    return command == GATE_DEBUG_LOOK || command == GATE_DEBUG_STOP || command == GATE_DEBUG_END ||
           (command & ~(GATE_DEBUG_STEP | GATE_DEBUG_REFLECT)) == GATE_DEBUG_GO;
}

int64_t debug_command(unsigned vm, uint64_t argument, struct gate_stopped *is)
{
    uint8_t command = (uint8_t)argument;
    unsigned vcpu = GATE_CONTROL_VCPU(argument);

    int64_t result = command_one(vm, vcpu, GATE_DEBUG_LOOK);
    if (result != 0 || !is_command(command))
        return result != 0 ? result : GATE_EINVAL;
    look(vm, vcpu, is);
    if (command == GATE_DEBUG_LOOK)
        return 0;
    if (command == GATE_DEBUG_END)
        return end(vm, is);
    vcpus[vm][vcpu].steps = command & GATE_DEBUG_STEP;
    if (command == GATE_DEBUG_STOP)
        gate_control(vm, GATE_CONTROL_RESUME, 0); /* what is paused would not come to a stop */
    for (unsigned other = 0; command == GATE_DEBUG_STOP && other < PLAN_MAX_VCPUS; other++)
        command_one(vm, other, command);
    result = command_one(vm, vcpu, command);
    if (result == 0)
        look(vm, vcpu, is);
    return result;
}

static struct patch *find(unsigned vm, uint64_t gpa)
{
    struct patch *room = NULL;

    for (unsigned i = 0; i < CONTROL_PATCHES; i++) {
        if (patches[i].used && patches[i].vm == vm && patches[i].gpa == gpa)
            return &patches[i];
        room = patches[i].used ? room : &patches[i];
    }
    return room;
}

int64_t debug_patch(unsigned vm, uint64_t gpa, bool on, uint8_t *byte)
{
    struct patch *p = find(vm, gpa);
    int64_t result = gate_control(vm, GATE_CONTROL_MEMORY, gpa);
    uint8_t now = (uint8_t)gate_text()[gpa % PROCESS_TEXT_SIZE];

    if (result != 0)
        return result;
    if (p == NULL || (!on && !p->used))
        return GATE_ESTATE;
    if (!p->used || now != INT3) /* after a reset its memory may be as it was */
        p->byte = now;
    *byte = p->byte;
    p->used = on;
    p->vm = (uint8_t)vm;
    p->gpa = gpa;
    return on || now == INT3
               ? gate_control(vm, GATE_CONTROL_POKE, gpa | CONTROL_BYTE(on ? INT3 : p->byte))
               : 0;
}

void debug_hide(unsigned vm, unsigned vcpu, struct guest_state *state)
{
    if (!vcpus[vm][vcpu].known)
        return;
    state->dr7 = vcpus[vm][vcpu].dr7;
    memcpy(state->dr, vcpus[vm][vcpu].dr, sizeof(state->dr));
}
