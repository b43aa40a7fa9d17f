/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers that gdb gets, and how they are described to it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum gdb_source {
    GDB_STATE,
    GDB_SELECTOR,
    GDB_VECTORS,
    GDB_FPU,
    GDB_MSR,
    GDB_NONE,
};

struct gdb_register {
    const char *name;
    size_t size; /* bytes */
    enum gdb_source source;
    uint32_t offset;
};

/* One for each row of gdb_registers.def, in gdb's order. */
extern const struct gdb_register gdb_registers[];
extern const size_t gdb_register_count;

/* The target description, XML. */
extern const char gdb_description[];
