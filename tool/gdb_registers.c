/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/gdb_registers.h"

#include "abi/exit.h"

const struct gdb_register gdb_registers[] = {
#define FEATURE(name)
#define END
#define REGISTER(name, bits, type, source, offset) {name, (bits) / 8, GDB_##source, offset},
#include "tool/gdb_registers.def"
#undef REGISTER
#undef END
#undef FEATURE
};

const size_t gdb_register_count = sizeof(gdb_registers) / sizeof(gdb_registers[0]);

#define FLAG(name, bit) "<field name=\"" name "\" start=\"" #bit "\" end=\"" #bit "\"/>\n"
#define VECTOR(name, type, count)                                                                  \
    "<vector id=\"" name "\" type=\"" type "\" count=\"" #count "\"/>\n"

/* Each feature has the types again: it sees no other's. */
const char gdb_description[] =
    "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
    "<target>\n<architecture>i386:x86-64</architecture>\n"
#define END           "</feature>\n"
#define FEATURE(name) "<feature name=\"" name "\">\n" TYPES
#define TYPES                                                                                      \
    "<flags id=\"i386_eflags\" size=\"4\">\n" FLAG("", 1) FLAG("CF", 0) FLAG("PF", 2)              \
        FLAG("AF", 4) FLAG("ZF", 6) FLAG("SF", 7) FLAG("TF", 8) FLAG("IF", 9) FLAG("DF", 10) FLAG( \
            "OF", 11) FLAG("NT", 14) FLAG("RF", 16) FLAG("VM", 17) FLAG("AC", 18) FLAG("VIF", 19)  \
            FLAG("VIP", 20) FLAG("ID", 21) "</flags>\n" VECTOR("v4f", "ieee_single", 4)            \
                VECTOR("v2d", "ieee_double", 2) VECTOR("v16i8", "int8", 16)                        \
                    VECTOR("v8i16", "int16", 8) VECTOR("v4i32", "int32", 4) VECTOR(                \
                        "v2i64", "int64",                                                          \
                        2) "<union id=\"vec128\">\n<field name=\"v4_float\" type=\"v4f\"/>\n"      \
                           "<field name=\"v2_double\" type=\"v2d\"/>\n"                            \
                           "<field name=\"v16_int8\" type=\"v16i8\"/>\n"                           \
                           "<field name=\"v8_int16\" type=\"v8i16\"/>\n"                           \
                           "<field name=\"v4_int32\" type=\"v4i32\"/>\n"                           \
                           "<field name=\"v2_int64\" type=\"v2i64\"/>\n"                           \
                           "<field name=\"uint128\" type=\"uint128\"/>\n</union>\n"
#define REGISTER(name, bits, type, source, offset)                                                 \
    "<reg name=\"" name "\" bitsize=\"" #bits "\" type=\"" type "\"/>\n"
#include "tool/gdb_registers.def"
#undef REGISTER
#undef FEATURE
#undef END
    "</target>\n";
