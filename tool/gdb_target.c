/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/gdb_target.h"

#include <string.h>

#include "lib/bits.h"
#include "lib/x86.h"
#include "tool/gdb_walk.h"

static enum control_error ask(struct gdb_target *t, enum control_call call, uint64_t argument,
                              struct control_answer *answer)
{
    enum control_error error =
        t->gone ? CONTROL_SILENT : control_line_ask(t->line, call, t->vm, argument, answer);

    t->gone |= error == CONTROL_SILENT;
    return error;
}

static void forget(struct gdb_target *t)
{
    t->known = false;
    for (unsigned i = 0; i < GDB_CACHED; i++)
        t->pieces[i].used = false;
}

bool gdb_target_command(struct gdb_target *t, unsigned vcpu, unsigned command)
{
    struct control_answer answer;

    if (ask(t, CONTROL_CALL_DEBUG, command | CONTROL_VCPU(vcpu), &answer) != CONTROL_OK)
        return false;
    memcpy(&t->stopped[vcpu], answer.data, sizeof(t->stopped[vcpu]));
    if (command != GATE_DEBUG_LOOK)
        forget(t);
    return true;
}

enum gate_stop_why gdb_target_look(struct gdb_target *t, unsigned vcpu)
{
    return gdb_target_command(t, vcpu, GATE_DEBUG_LOOK) ? t->stopped[vcpu].why : GATE_STOPPED_NOT;
}

bool gdb_target_is_on(const struct gdb_target *t, unsigned vcpu)
{
    return t->stopped[vcpu].why != GATE_STOPPED_OFF;
}

enum control_vm_state gdb_target_state(struct gdb_target *t)
{
    struct control_answer answer;
    struct control_vm is;

    if (ask(t, CONTROL_CALL_LOOK, 0, &answer) != CONTROL_OK)
        return CONTROL_VM_ENDED;
    memcpy(&is, answer.data, sizeof(is));
    return is.state;
}

bool gdb_target_act(struct gdb_target *t, enum control_call call)
{
    struct control_answer answer;

    return ask(t, call, 0, &answer) == CONTROL_OK;
}

void gdb_target_choose(struct gdb_target *t, unsigned vcpu)
{
    t->known &= vcpu == t->vcpu;
    t->vcpu = vcpu;
}

const struct gate_registers *gdb_target_registers(struct gdb_target *t)
{
    struct control_answer answer;

    if (t->known)
        return &t->registers;
    if (ask(t, CONTROL_CALL_REGISTERS, CONTROL_VCPU(t->vcpu), &answer) != CONTROL_OK)
        return NULL;
    memcpy(&t->registers, answer.data, sizeof(t->registers));
    t->known = true;
    return &t->registers;
}

bool gdb_target_set(struct gdb_target *t, size_t offset, const void *bytes, size_t size)
{
    struct control_answer answer;
    uint32_t word;

    forget(t); /* another CR3 is another memory */
    for (size_t i = 0; i < size; i += sizeof(word)) {
        memcpy(&word, (const uint8_t *)bytes + i, sizeof(word));
        if (ask(t, CONTROL_CALL_SET,
                word | CONTROL_INDEX((offset + i) / sizeof(word)) | CONTROL_VCPU(t->vcpu),
                &answer) != CONTROL_OK)
            return false;
    }
    return true;
}

bool gdb_target_msr(struct gdb_target *t, uint32_t number, uint64_t *value)
{
    struct control_answer answer;

    if (ask(t, CONTROL_CALL_MSR, number | CONTROL_VCPU(t->vcpu), &answer) != CONTROL_OK)
        return false;
    memcpy(value, answer.data, sizeof(*value));
    return true;
}

/* The byte at a guest-physical address, in its piece; NULL: there is no memory. */
static uint8_t *byte_at(struct gdb_target *t, uint64_t gpa)
{
    uint64_t base = align_down(gpa, GDB_PIECE);
    struct control_answer answer;
    struct gdb_piece *piece;

    for (unsigned i = 0; i < GDB_CACHED; i++)
        if (t->pieces[i].used && t->pieces[i].gpa == base)
            return &t->pieces[i].data[gpa - base];
    if (ask(t, CONTROL_CALL_READ, base | CONTROL_BYTE(GDB_PIECE), &answer) != CONTROL_OK)
        return NULL;
    piece = &t->pieces[t->next_piece++ % GDB_CACHED];
    piece->used = true;
    piece->gpa = base;
    memcpy(piece->data, answer.data, sizeof(piece->data));
    return &piece->data[gpa - base];
}

static bool read_entry(void *context, uint64_t gpa, unsigned size, uint64_t *entry)
{
    const uint8_t *at = byte_at(context, gpa);

    *entry = 0;
    if (at)
        memcpy(entry, at, size);
    return at != NULL;
}

static bool translate(struct gdb_target *t, uint64_t address, uint64_t *gpa)
{
    *gpa = address;
    if (t->physical)
        return address < BIT(52);
    const struct gate_registers *registers = gdb_target_registers(t);
    return registers && gdb_walk(&registers->state, address, read_entry, t, gpa);
}

static struct gdb_patch *patch_at(struct gdb_target *t, uint64_t gpa)
{
    for (unsigned i = 0; i < t->patch_count; i++)
        if (t->patches[i].gpa == gpa)
            return &t->patches[i];
    return NULL;
}

/* How many bytes from `address` on lie in one piece, at *gpa. 0: none. */
static size_t run_at(struct gdb_target *t, uint64_t address, size_t size, uint64_t *gpa)
{
    if (!translate(t, address, gpa))
        return 0;
    return min_u64(size, GDB_PIECE - *gpa % GDB_PIECE);
}

size_t gdb_target_read(struct gdb_target *t, uint64_t address, void *to, size_t size)
{
    size_t done = 0;
    uint64_t gpa;

    while (done < size) {
        size_t run = run_at(t, address + done, size - done, &gpa);
        const uint8_t *at = run > 0 ? byte_at(t, gpa) : NULL;
        if (!at)
            break;
        memcpy((uint8_t *)to + done, at, run);
        for (unsigned i = 0; i < t->patch_count; i++)
            if (t->patches[i].gpa - gpa < run)
                ((uint8_t *)to)[done + t->patches[i].gpa - gpa] = t->patches[i].byte;
        done += run;
    }
    return done;
}

/* A byte; one that lies below an INT3 is put there anew. */
static bool poke(struct gdb_target *t, uint64_t gpa, uint8_t byte)
{
    struct control_answer answer;
    struct gdb_patch *patch = patch_at(t, gpa);

    if (patch && ask(t, CONTROL_CALL_PATCH, gpa, &answer) != CONTROL_OK)
        return false;
    if (ask(t, CONTROL_CALL_POKE, gpa | CONTROL_BYTE(byte), &answer) != CONTROL_OK)
        return false;
    if (!patch)
        return true;
    patch->byte = byte;
    return ask(t, CONTROL_CALL_PATCH, gpa | CONTROL_BYTE(1), &answer) == CONTROL_OK;
}

bool gdb_target_write(struct gdb_target *t, uint64_t address, const void *from, size_t size)
{
    size_t done = 0, run;
    uint64_t gpa;

    for (bool good = true; done < size; done += run) {
        run = run_at(t, address + done, size - done, &gpa);
        if (run == 0)
            return false;
        for (size_t i = 0; good && i < run; i++)
            good = poke(t, gpa + i, ((const uint8_t *)from)[done + i]);
        for (unsigned i = 0; i < GDB_CACHED; i++)
            t->pieces[i].used = false;
        if (!good)
            return false;
    }
    return true;
}

bool gdb_target_patched(struct gdb_target *t, uint64_t address)
{
    uint64_t gpa;

    return translate(t, address, &gpa) && patch_at(t, gpa) != NULL;
}

static bool put_patch(struct gdb_target *t, uint64_t gpa, bool on, uint8_t *byte)
{
    struct control_answer answer;

    if (ask(t, CONTROL_CALL_PATCH, gpa | CONTROL_BYTE(on), &answer) != CONTROL_OK)
        return false;
    for (unsigned i = 0; i < GDB_CACHED; i++)
        t->pieces[i].used = false;
    *byte = answer.data[0];
    return true;
}

static bool take_patch(struct gdb_target *t, uint64_t address)
{
    uint8_t byte;

    for (unsigned i = 0; i < t->patch_count; i++)
        if (t->patches[i].address == address) {
            if (!put_patch(t, t->patches[i].gpa, false, &byte))
                return false;
            t->patches[i] = t->patches[--t->patch_count];
            break;
        }
    return true;
}

bool gdb_target_patch(struct gdb_target *t, uint64_t address, bool on)
{
    uint64_t gpa;
    uint8_t byte;

    if (!on)
        return take_patch(t, address);
    if (!translate(t, address, &gpa))
        return false;
    struct gdb_patch *patch = patch_at(t, gpa);
    if ((!patch && t->patch_count == CONTROL_PATCHES) || !put_patch(t, gpa, true, &byte))
        return false;
    if (!patch)
        patch = &t->patches[t->patch_count++];
    *patch = (struct gdb_patch){address, gpa, byte};
    return true;
}

static bool load_hardware(struct gdb_target *t)
{
    unsigned before = t->vcpu;
    uint64_t dr7 = DR7_RESET;
    bool good = true;

    for (unsigned i = 0; i < GDB_HARDWARE; i++)
        if (t->hardware[i].used)
            dr7 |= 2ULL << 2 * i | (uint64_t)t->hardware[i].bits << (16 + 4 * i);
    for (unsigned vcpu = 0; good && vcpu < t->vcpus; vcpu++) {
        if (!gdb_target_is_on(t, vcpu))
            continue;
        gdb_target_choose(t, vcpu);
        for (unsigned i = 0; good && i < GDB_HARDWARE; i++)
            if (t->hardware[i].used)
                good = gdb_target_set(t, offsetof(struct guest_state, dr[0]) + i * sizeof(uint64_t),
                                      &t->hardware[i].address, sizeof(uint64_t));
        good = good && gdb_target_set(t, offsetof(struct guest_state, dr7), &dr7, sizeof(dr7));
    }
    gdb_target_choose(t, before);
    return good;
}

bool gdb_target_hardware(struct gdb_target *t, uint64_t address, uint8_t bits, bool on)
{
    struct gdb_hardware *room = NULL, *is = NULL;

    for (unsigned i = 0; i < GDB_HARDWARE; i++) {
        struct gdb_hardware *h = &t->hardware[i];
        if (h->used && h->address == address && h->bits == bits)
            is = h;
        if (!h->used)
            room = h;
    }
    if (on && !is && !room)
        return false;
    if (on && !is)
        *room = (struct gdb_hardware){true, bits, address};
    if (!on && is)
        is->used = false;
    if (load_hardware(t))
        return true;
    if (on && !is)
        room->used = false;
    return false;
}
