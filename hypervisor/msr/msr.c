/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSR table as data, and all that is derived from it (R25-R35, R38, R44, R45). */
#include "hypervisor/msr/msr.h"
#include "abi/vmcs.h"
#include "hypervisor/msr/constrain.h"
#include "lib/bits.h"
#include "lib/string.h"

#define ROW(id, first_, last_, stride_, name_, class_, features_, init_, pass_, check_, control_,  \
            handler_, field_, reset_, mask_, why)                                                  \
    [MSR_ROW_##id] = {.first = first_,                                                             \
                      .last = last_,                                                               \
                      .slot = MSR_SLOT_##id,                                                       \
                      .stride = stride_,                                                           \
                      .class = MSR_CLASS_##class_,                                                 \
                      .init = MSR_INIT_##init_,                                                    \
                      .pass = MSR_PASS_##pass_,                                                    \
                      .check = MSR_CHECK_##check_,                                                 \
                      .control = MSR_CONTROL_##control_,                                           \
                      .handler = MSR_HANDLER_##handler_,                                           \
                      .features = features_,                                                       \
                      .field = field_,                                                             \
                      .reset = reset_,                                                             \
                      .mask = mask_,                                                               \
                      .name = name_},
const struct msr_row msr_rows[MSR_ROW_COUNT] = {
#define MSR(id, index, ...) ROW(id, index, index, 0, __VA_ARGS__)
#define MSR_RANGE(...)      ROW(__VA_ARGS__)
#include "hypervisor/msr/table.def"
};
#undef ROW

const uint64_t msr_index[MSR_ROW_COUNT] = {
#define MSR(id, index, ...) [MSR_SLOT_##id] = (index),
#define MSR_RANGE(...)
#include "hypervisor/msr/table.def"
};

/*
 * For each row the lowest index that it may begin with: an enumerator without a value is one more
 * than the one before it, which is the end of the row before.
 */
enum msr_order {
    MSR_ORDER_BEGIN = -1,
#define MSR(id, index, ...)             MSR_ORDER_##id, MSR_ORDER_END_##id = (index),
#define MSR_RANGE(id, first, last, ...) MSR_ORDER_##id, MSR_ORDER_END_##id = (last),
#include "hypervisor/msr/table.def"
};

/* The indices that rows have, one behind the other: the high ones, the low ones, KVM's. Others have
 * the last place, and no row. */
#define HIGH_COUNT 0x200u
#define LOW_COUNT  0x1000u
#define KVM_COUNT  2u
#define PLACES     (HIGH_COUNT + LOW_COUNT + KVM_COUNT)
#define PLACE(index)                                                                               \
    ((index) - 0xc0000000u < HIGH_COUNT  ? (index) - 0xc0000000u                                   \
     : (index) < LOW_COUNT               ? (index) + HIGH_COUNT                                    \
     : (index) - 0x4b564d00u < KVM_COUNT ? (index) - 0x4b564d00u + HIGH_COUNT + LOW_COUNT          \
                                         : PLACES)

/*
 * What the table must never say: what the areas refuse (R26: FS and GS base, x2APIC's range, the
 * microcode's trigger and signature, SMM's), a bit that the MSR bitmap does not have, rows out of
 * order, several values in one resident row, an index without a place.
 */
#define IS_OUTSIDE(first, last, from, to) ((int64_t)(last) < (from) || (int64_t)(first) > (to))
#define IS_AREA_SAFE(class, control, first, last)                                                  \
    ((MSR_CONTROL_##control == MSR_CONTROL_NONE && MSR_CLASS_##class != MSR_CLASS_RESIDENT) ||     \
     ((first) == (last) && IS_OUTSIDE(first, last, 0xc0000100u, 0xc0000101u) &&                    \
      IS_OUTSIDE(first, last, 0x800u, 0x8ffu) && IS_OUTSIDE(first, last, 0x79u, 0x79u) &&          \
      IS_OUTSIDE(first, last, 0x8bu, 0x8bu) && IS_OUTSIDE(first, last, 0x9bu, 0x9bu) &&            \
      IS_OUTSIDE(first, last, 0x9eu, 0x9eu)))
#define IS_IN_BITMAP(pass, first, last)                                                            \
    (MSR_PASS_##pass == MSR_PASS_NONE || (last) < 0x2000 ||                                        \
     ((first) >= 0xc0000000 && (last) < 0xc0002000))
#define CHECK_ROW(id, first, last, class, pass, control, name)                                     \
    _Static_assert(IS_AREA_SAFE(class, control, first, last),                                      \
                   name ": not allowed in the MSR areas (R26)");                                   \
    _Static_assert(IS_IN_BITMAP(pass, first, last), name ": the MSR bitmap does not reach it");    \
    _Static_assert((first) <= (last) && (first) >= MSR_ORDER_##id,                                 \
                   name ": not behind the row before it");                                         \
    _Static_assert(PLACE((uint32_t)(first)) < PLACES && PLACE((uint32_t)(last)) < PLACES,          \
                   name ": msr_search does not reach it");
#define MSR(id, index, name, class, features, init, pass, check, control, ...)                     \
    CHECK_ROW(id, index, index, class, pass, control, name)
#define MSR_RANGE(id, first, last, stride, name, class, features, init, pass, check, control, ...) \
    CHECK_ROW(id, first, last, class, pass, control, name)
#include "hypervisor/msr/table.def"

/* The row's number and 1, by the index's place: a table, since a search takes twice as long. */
static const uint8_t numbers[PLACES + 1] = {
#define MSR(id, index, ...) [PLACE((uint32_t)(index))] = MSR_ROW_##id + 1,
#define MSR_RANGE(id, first, last, ...)                                                            \
    [PLACE((uint32_t)(first))... PLACE((uint32_t)(last))] = MSR_ROW_##id + 1,
#include "hypervisor/msr/table.def"
};
_Static_assert(MSR_ROW_COUNT < 256, "a row's number and 1 is a byte");

const struct msr_row *msr_search(uint32_t index)
{
    unsigned number = numbers[PLACE(index)];

    return number == 0 ? NULL : &msr_rows[number - 1];
}

static unsigned slot_of(const struct msr_row *row, uint32_t index)
{
    return row->stride == 0 ? row->slot : row->slot + (index - row->first);
}

/* The row's values become its reset value: always (reset), or only where INIT says so. */
static void reset_values(struct msr_file *file, bool init)
{
    for (const struct msr_row *row = msr_rows; row < msr_rows + MSR_ROW_COUNT; row++) {
        if (init && row->init == MSR_INIT_KEEP)
            continue;
        for (unsigned slot = row->slot; slot <= slot_of(row, row->last); slot++)
            file->value[slot] = row->reset;
    }
}

void msr_file_reset(struct msr_file *file, uint32_t features, uint32_t physical_width)
{
    file->features = features;
    file->physical_width = physical_width;
    reset_values(file, false);
}

void msr_file_init(struct msr_file *file)
{
    reset_values(file, true);
}

void msr_file_firmware(struct msr_file *file, uint64_t hole, uint64_t size)
{
    uint64_t *range = &file->value[MSR_SLOT_MTRR_VARIABLE];
    range[0] = hole | MEMORY_UNCACHEABLE;
    range[1] = ((BIT(file->physical_width) - 1) & ~(size - 1)) | MTRR_MASK_VALID;
    file->value[MSR_SLOT_MTRR_DEF_TYPE] = MTRR_DEF_TYPE_ENABLE | MEMORY_WRITE_BACK;
}

static bool is_checked(const struct msr_row *row, uint32_t index, uint64_t value, unsigned width)
{
    switch (row->check) {
    case MSR_CHECK_IGNORE:
    case MSR_CHECK_CONSTANT:
        return true;
    case MSR_CHECK_CANONICAL:
        return is_canonical(value);
    case MSR_CHECK_CET:
        return is_canonical(value) && (value & CET_TRACKER) != CET_TRACKER;
    case MSR_CHECK_PAT:
        return constrain_types(value, PAT_TYPES);
    case MSR_CHECK_MTRR_VARIABLE:
        return constrain_mtrr_variable(value, index & 1, width);
    case MSR_CHECK_MTRR_FIXED:
        return constrain_types(value, MTRR_TYPES);
    case MSR_CHECK_MTRR_DEF_TYPE:
        return constrain_type((uint8_t)value, MTRR_TYPES);
    }
    return false; /* MSR_CHECK_READ_ONLY */
}

bool msr_valid(const struct msr_row *row, uint32_t index, uint64_t value, uint32_t physical_width)
{
    if (row->check == MSR_CHECK_MASK)
        return (value & ~row->mask) == 0;
    uint64_t fixed = row->check == MSR_CHECK_CONSTANT ? row->reset : 0;
    return ((value ^ fixed) & ~row->mask) == 0 && is_checked(row, index, value, physical_width);
}

static bool is_present(const struct msr_file *file, const struct msr_row *row)
{
    return (row->features & ~file->features) == 0;
}

enum msr_result msr_read(const struct msr_file *file, const struct msr_row *row, uint32_t index,
                         uint64_t *value)
{
    if (!is_present(file, row))
        return MSR_GP;
    *value = file->value[slot_of(row, index)];
    return row->handler == MSR_HANDLER_NONE ? MSR_OK : MSR_HANDLER;
}

enum msr_result msr_write(struct msr_file *file, const struct msr_row *row, uint32_t index,
                          uint64_t value)
{
    if (!is_present(file, row) || !msr_valid(row, index, value, file->physical_width))
        return MSR_GP;
    if (row->handler != MSR_HANDLER_NONE)
        return MSR_HANDLER;
    if (row->check != MSR_CHECK_IGNORE)
        file->value[slot_of(row, index)] = value;
    return MSR_OK;
}

/*
 * The bitmap's four quarters: reads of 0-1fffh, reads of c0000000h-c0001fffh, then writes of both.
 * SDM volume 3, "MSR-Bitmap Address".
 */
void msr_bitmap_set(uint8_t bitmap[4096], uint32_t index, bool write, bool exits)
{
    unsigned bit = (index & 0x1fff) + (index >= 0xc0000000 ? 0x2000 : 0) + (write ? 0x4000 : 0);
    uint8_t mask = (uint8_t)(1 << bit % 8), *byte = &bitmap[bit / 8];

    *byte = (uint8_t)(exits ? *byte | mask : *byte & ~mask);
}

bool msr_write_passes(const struct msr_row *row, unsigned linear_width)
{
    return (row->pass == MSR_PASS_READ_WRITE || row->pass == MSR_PASS_WRITE) &&
           ((row->check != MSR_CHECK_CANONICAL && row->check != MSR_CHECK_CET) ||
            linear_width <= LINEAR_WIDTH);
}

void msr_bitmap(uint8_t bitmap[4096], uint32_t features, unsigned linear_width)
{
    memset(bitmap, 0xff, 4096);
    for (const struct msr_row *row = msr_rows; row < msr_rows + MSR_ROW_COUNT; row++) {
        if (row->features & ~features)
            continue;
        for (uint32_t index = row->first; index <= row->last; index++) {
            if (row->pass == MSR_PASS_READ || row->pass == MSR_PASS_READ_WRITE)
                msr_bitmap_set(bitmap, index, false, false);
            if (msr_write_passes(row, linear_width))
                msr_bitmap_set(bitmap, index, true, false);
        }
    }
}

uint64_t msr_area(uint32_t controls)
{
    uint64_t set = 0;

    for (const struct msr_row *row = msr_rows; row < msr_rows + MSR_ROW_COUNT; row++)
        if (row->control & ~controls)
            set |= BIT(row->slot);
    return set;
}

uint64_t msr_resident(uint32_t features)
{
    uint64_t set = 0;

    for (const struct msr_row *row = msr_rows; row < msr_rows + MSR_ROW_COUNT; row++)
        if (row->class == MSR_CLASS_RESIDENT && (row->features & ~features) == 0)
            set |= BIT(row->slot);
    return set;
}
