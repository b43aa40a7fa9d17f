/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/control/answer.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "runtime/gate.h"
#include "services/control/debug.h"
#include "services/control/hold.h"
#include "services/control/trace.h"
#include "services/control/watch.h"

/* What ring 0 knows is fetched anew for each request; our own is which VMs are stopped, a bit for
 * each. It is lost if we are started again: then they are paused. */
static uint32_t stopped;
static uint64_t khz;
static const struct log_ring *ring;

void answer_init(const struct process_info *info, const struct log_ring *log,
                 const struct trace_ring *trace)
{
    stopped = 0;
    debug_init();
    hold_init(info);
    khz = info->tsc_khz;
    ring = log;
    trace_init(trace, info->trace_rings);
}

static enum control_error error_of(int64_t result)
{
    switch (result) {
    case 0:
        return CONTROL_OK;
    case GATE_ESTATE:
        return CONTROL_STATE;
    default:
        return CONTROL_NO_VM;
    }
}

static bool is_stopped(uint8_t vm)
{
    return vm < PLAN_MAX_VMS && stopped & BIT(vm);
}

static enum control_error hello(const struct control_request *r, struct control_answer *a)
{
    struct control_hello is = {.version = CONTROL_LINE_VERSION, .tsc_khz = khz};

    for (unsigned vm = 0; vm < PLAN_MAX_VMS; vm++)
        if (gate_control(vm, GATE_CONTROL_LOOK, 0) == 0)
            is.vms |= (uint32_t)BIT(vm);
    memcpy(a->data, &is, sizeof(is));
    a->size = sizeof(is);
    return CONTROL_OK;
}

static enum control_error look(const struct control_request *r, struct control_answer *a)
{
    static const enum control_vm_state states[] = {[GATE_VM_RUNS] = CONTROL_VM_RUNS,
                                                   [GATE_VM_PAUSED] = CONTROL_VM_PAUSED,
                                                   [GATE_VM_ENDED] = CONTROL_VM_ENDED};
    int64_t result = gate_control(r->vm, GATE_CONTROL_LOOK, 0);
    unsigned reasons = GATE_EXIT_REASONS;
    struct control_vm is = {0};
    struct gate_vm seen;

    if (result != 0)
        return error_of(result);
    memcpy(&seen, gate_text(), sizeof(seen));
    memcpy(is.name, seen.name, sizeof(is.name));
    memcpy(is.exits, seen.exits, sizeof(is.exits));
    is.memory = seen.memory;
    is.vcpus = seen.vcpus;
    is.tsc = seen.tsc;
    is.used = seen.used;
    is.state = states[seen.state];
    if (is.state == CONTROL_VM_PAUSED && is_stopped(r->vm))
        is.state = CONTROL_VM_STOPPED;
    while (reasons > 0 && is.exits[reasons - 1] == 0)
        reasons--;
    a->size = (uint16_t)(offsetof(struct control_vm, exits) + reasons * sizeof(is.exits[0]));
    memcpy(a->data, &is, a->size);
    return CONTROL_OK;
}

static enum control_error pause(const struct control_request *r, struct control_answer *a)
{
    return error_of(gate_control(r->vm, GATE_CONTROL_PAUSE, 0));
}

static enum control_error resume(const struct control_request *r, struct control_answer *a)
{
    return is_stopped(r->vm) ? CONTROL_STATE
                             : error_of(gate_control(r->vm, GATE_CONTROL_RESUME, 0));
}

static enum control_error reset(const struct control_request *r, struct control_answer *a)
{
    return is_stopped(r->vm) ? CONTROL_STATE : error_of(gate_control(r->vm, GATE_CONTROL_RESET, 0));
}

static enum control_error power_off(const struct control_request *r, struct control_answer *a)
{
    return is_stopped(r->vm) ? CONTROL_STATE
                             : error_of(gate_control(r->vm, GATE_CONTROL_POWER_OFF, 0));
}

/* A VM that is paused already can be stopped, and one that is stopped again. */
static enum control_error stop(const struct control_request *r, struct control_answer *a)
{
    struct control_answer seen;
    enum control_error error = look(r, &seen);
    struct control_vm is;

    memcpy(&is, seen.data, offsetof(struct control_vm, exits));
    if (error == CONTROL_OK && is.state == CONTROL_VM_RUNS)
        error = pause(r, a);
    else if (error == CONTROL_OK && is.state == CONTROL_VM_ENDED)
        error = CONTROL_STATE;
    if (error == CONTROL_OK)
        stopped |= (uint32_t)BIT(r->vm);
    return error;
}

static enum control_error start(const struct control_request *r, struct control_answer *a)
{
    int64_t result;

    if (!is_stopped(r->vm))
        return gate_control(r->vm, GATE_CONTROL_LOOK, 0) == 0 ? CONTROL_STATE : CONTROL_NO_VM;
    stopped &= ~(uint32_t)BIT(r->vm);
    result = gate_control(r->vm, GATE_CONTROL_RESET, 0);
    return error_of(result == 0 ? gate_control(r->vm, GATE_CONTROL_RESUME, 0) : result);
}

/* How many bytes there are up to the last that is not 0. */
static uint16_t without_zeros(const char *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] == 0)
        size--;
    return (uint16_t)size;
}

static enum control_error registers(const struct control_request *r, struct control_answer *a)
{
    struct gate_registers is;
    int64_t result = gate_control(r->vm, GATE_CONTROL_REGISTERS, r->argument);

    if (result != 0)
        return error_of(result);
    memcpy(&is, gate_text(), sizeof(is));
    debug_hide(r->vm, GATE_CONTROL_VCPU(r->argument), &is.state);
    a->size = without_zeros((const char *)&is, sizeof(is));
    memcpy(a->data, &is, a->size);
    return CONTROL_OK;
}

/* A VM that is stopped stands for its debugger, too, and when that is gone. */
static enum control_error debug(const struct control_request *r, struct control_answer *a)
{
    struct gate_stopped is;

    if (is_stopped(r->vm) && r->argument & GATE_DEBUG_GO)
        return CONTROL_STATE;
    int64_t result = debug_command(r->vm, r->argument, &is);
    if (result != 0)
        return error_of(result);
    if (is_stopped(r->vm) && (uint8_t)r->argument == GATE_DEBUG_END)
        gate_control(r->vm, GATE_CONTROL_PAUSE, 0);
    a->size = sizeof(is);
    memcpy(a->data, &is, a->size);
    return CONTROL_OK;
}

static enum control_error set(const struct control_request *r, struct control_answer *a)
{
    size_t index = r->argument >> 32 & 0xffffff;

    return error_of(debug_set(r->vm, GATE_CONTROL_VCPU(r->argument), index * sizeof(uint32_t),
                              (uint32_t)r->argument));
}

static enum control_error msr(const struct control_request *r, struct control_answer *a)
{
    int64_t result = gate_control(r->vm, GATE_CONTROL_MSR, r->argument);

    if (result != 0)
        return error_of(result);
    a->size = sizeof(uint64_t);
    memcpy(a->data, gate_text(), a->size);
    return CONTROL_OK;
}

static enum control_error process(const struct control_request *r, struct control_answer *a)
{
    int64_t result = gate_control(r->vm, GATE_CONTROL_PROCESS, 0);

    if (result != 0)
        return error_of(result);
    a->size = sizeof(struct gate_process);
    memcpy(a->data, gate_text(), a->size);
    return CONTROL_OK;
}

static enum control_error trace(const struct control_request *r, struct control_answer *a)
{
    bool process = r->argument & CONTROL_TRACE_PROCESS;

    return error_of(gate_control(r->vm, process ? GATE_CONTROL_TRACE_PROCESS : GATE_CONTROL_TRACE,
                                 r->argument & CONTROL_TRACE_ON));
}

static enum control_error poke(const struct control_request *r, struct control_answer *a)
{
    return error_of(gate_control(r->vm, GATE_CONTROL_POKE, r->argument));
}

static enum control_error write_word(const struct control_request *r, struct control_answer *a)
{
    int64_t result = 0;

    for (unsigned i = 0; i < sizeof(uint32_t) && result == 0; i++)
        result = gate_control(r->vm, GATE_CONTROL_POKE,
                              ((uint32_t)r->argument + (uint64_t)i) |
                                  CONTROL_BYTE(r->argument >> (32 + 8 * i)));
    return error_of(result);
}

static enum control_error patch(const struct control_request *r, struct control_answer *a)
{
    a->size = 1;
    return error_of(
        debug_patch(r->vm, CONTROL_ADDRESS(r->argument), r->argument >> 56 != 0, &a->data[0]));
}

static enum control_error release(const struct control_request *r, struct control_answer *a)
{
    hold_release();
    return CONTROL_OK;
}

static enum control_error copy_pieces(const struct control_request *r, struct control_answer *a,
                                      uint64_t back)
{
    uint64_t piece = (uint32_t)r->argument, end = piece + CONTROL_PIECES;
    int64_t result;

    do
        result = gate_control(r->vm, GATE_CONTROL_SNAPSHOT, piece | back);
    while (result > 0 && ++piece < end);
    if (result < 0)
        return error_of(result);
    if (result == 0 && r->argument & CONTROL_GOES_ON)
        gate_control(r->vm, GATE_CONTROL_RESUME, 0);
    piece = result > 0 ? piece : 0;
    a->size = sizeof(piece);
    memcpy(a->data, &piece, a->size);
    return CONTROL_OK;
}

static enum control_error snapshot(const struct control_request *r, struct control_answer *a)
{
    return copy_pieces(r, a, 0);
}

static enum control_error restore(const struct control_request *r, struct control_answer *a)
{
    return copy_pieces(r, a, GATE_SNAPSHOT_BACK);
}

static bool is_zero(const char *piece)
{
    uint64_t word = 0;

    for (size_t i = 0; i < CONTROL_DATA && word == 0; i += sizeof(word))
        memcpy(&word, piece + i, sizeof(word));
    return word == 0;
}

/* The piece at this address, in the text page; NULL: there is no memory. */
static const char *piece_at(uint8_t vm, uint64_t address)
{
    return gate_control(vm, GATE_CONTROL_MEMORY, address) == 0
               ? gate_text() + address % PROCESS_TEXT_SIZE
               : NULL;
}

static enum control_error memory(const struct control_request *r, struct control_answer *a)
{
    const char *piece = is_aligned(r->argument, CONTROL_DATA) ? piece_at(r->vm, r->argument) : NULL;

    if (piece == NULL)
        return CONTROL_NO_VM;
    a->size = without_zeros(piece, CONTROL_DATA);
    memcpy(a->data, piece, a->size);
    return CONTROL_OK;
}

static enum control_error read_bytes(const struct control_request *r, struct control_answer *a)
{
    uint64_t at = CONTROL_ADDRESS(r->argument), size = r->argument >> 56;
    const char *bytes =
        at % PROCESS_TEXT_SIZE + size <= PROCESS_TEXT_SIZE ? piece_at(r->vm, at) : NULL;

    if (bytes == NULL)
        return CONTROL_NO_VM;
    a->size = without_zeros(bytes, size);
    memcpy(a->data, bytes, a->size);
    return CONTROL_OK;
}

static enum control_error search(const struct control_request *r, struct control_answer *a)
{
    uint64_t at = align_down(r->argument, CONTROL_DATA), end = at + CONTROL_SEARCH;
    const char *piece = piece_at(r->vm, at);

    if (piece == NULL)
        return CONTROL_NO_VM;
    while (at < end && piece != NULL && is_zero(piece)) {
        at += CONTROL_DATA;
        piece = at % PROCESS_TEXT_SIZE != 0 ? piece + CONTROL_DATA : piece_at(r->vm, at);
    }
    memcpy(a->data, &at, sizeof(at));
    a->size = sizeof(at);
    return CONTROL_OK;
}

static void copy_ring(void *to, uint64_t from, size_t size)
{
    size_t start = from % LOG_RING_SIZE, first = min_u64(size, LOG_RING_SIZE - start);

    memcpy(to, &ring->bytes[start], first);
    memcpy((uint8_t *)to + first, ring->bytes, size - first);
}

/* Whole records, as many as fit, from a position on at which one begins. What ring 0 has written
 * over meanwhile is given up: the tail is read again behind the copy. */
static enum control_error records(const struct control_request *r, struct control_answer *a)
{
    uint64_t tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
    struct control_log is = {.at = r->argument, .next = r->argument};
    struct log_record record;
    size_t used = sizeof(is);

    if (is.at > tail || !is_aligned(is.at, LOG_ALIGN))
        is.at = is.next = tail;
    while (is.next < tail) {
        copy_ring(&record, is.next, sizeof(record));
        size_t size = align_up(sizeof(record) + min_u64(record.length, LOG_LINE_MAX), LOG_ALIGN);
        if (size > CONTROL_DATA - used || size > tail - is.next)
            break;
        copy_ring(a->data + used, is.next, size);
        used += size;
        is.next += size;
    }
    if (__atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) - is.at > LOG_RING_SIZE) {
        is.at = is.next = tail;
        used = sizeof(is);
    }
    memcpy(a->data, &is, sizeof(is));
    a->size = (uint16_t)used;
    return CONTROL_OK;
}

static enum control_error (*const calls[CONTROL_CALL_COUNT])(const struct control_request *,
                                                             struct control_answer *) = {
    [CONTROL_CALL_HELLO] = hello,
    [CONTROL_CALL_LOOK] = look,
    [CONTROL_CALL_PAUSE] = pause,
    [CONTROL_CALL_RESUME] = resume,
    [CONTROL_CALL_RESET] = reset,
    [CONTROL_CALL_STOP] = stop,
    [CONTROL_CALL_START] = start,
    [CONTROL_CALL_LOG] = records,
    [CONTROL_CALL_REGISTERS] = registers,
    [CONTROL_CALL_MEMORY] = memory,
    [CONTROL_CALL_SEARCH] = search,
    [CONTROL_CALL_DEBUG] = debug,
    [CONTROL_CALL_SET] = set,
    [CONTROL_CALL_MSR] = msr,
    [CONTROL_CALL_READ] = read_bytes,
    [CONTROL_CALL_POKE] = poke,
    [CONTROL_CALL_PATCH] = patch,
    [CONTROL_CALL_POWER_OFF] = power_off,
    [CONTROL_CALL_PROCESS] = process,
    [CONTROL_CALL_CONSOLE] = watch_console,
    [CONTROL_CALL_TYPE] = watch_type,
    [CONTROL_CALL_TRACE] = trace,
    [CONTROL_CALL_RECORDS] = trace_records,
    [CONTROL_CALL_RELEASE] = release,
    [CONTROL_CALL_SNAPSHOT] = snapshot,
    [CONTROL_CALL_RESTORE] = restore,
    [CONTROL_CALL_WRITE] = write_word,
};

void answer(const struct control_request *r, struct control_answer *a)
{
    hold_asked();
    *a = (struct control_answer){
        .magic = CONTROL_ANSWER, .call = r->call, .vm = r->vm, .tag = r->tag};
    a->error = r->call < CONTROL_CALL_COUNT ? (uint16_t)calls[r->call](r, a) : CONTROL_NO_CALL;
}
