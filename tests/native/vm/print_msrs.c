/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes docs/msrs.md from msr/table.def, and the tables beside it. Without an argument to stdout;
 * with the name of a file it compares instead, and fails when the page is stale.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisor/msr/msr.h"

/* A row in the words of the table. */
struct line {
    uint32_t first, last;
    const char *name, *class, *features, *init, *pass, *check, *control, *handler, *why;
    uint64_t reset, mask;
};

static const struct line lines[] = {
#define LINE(id, first, last, name, class, features, init, pass, check, control, handler, field,   \
             reset, mask, why)                                                                     \
    {first,  last,     name,     #class, #features, #init, #pass,                                  \
     #check, #control, #handler, why,    reset,     mask},
#define MSR(id, index, ...)                     LINE(id, index, index, __VA_ARGS__)
#define MSR_RANGE(id, first, last, stride, ...) LINE(id, first, last, __VA_ARGS__)
#include "hypervisor/msr/table.def"
};

static const char *const head =
    "# The MSRs that a guest sees\n"
    "\n"
    "Made from `hypervisor/msr/table.def` by `print_msrs`; a test fails when this page is stale.\n"
    "What is not here is #GP, and so is [what a guest is not given](#not-there).\n"
    "Classes: `vmcs` is swapped by hardware on each transition, `resident` stays in the CPU\n"
    "until somebody else needs the MSR, `emulated` is answered by Lintel, `direct` shows the\n"
    "hardware's own. A `vmcs` row whose VMCS control is missing on a CPU moves to the VM-entry\n"
    "and VM-exit MSR areas. Numbers are hexadecimal.\n"
    "\n"
    "| index | name | class | needs | exits | a written value | reset | INIT | why |\n"
    "|---|---|---|---|---|---|---|---|---|\n";

/* A pair of the table's word and the page's. */
struct word {
    const char *token, *text;
};

static const struct word exits[] = {{"NONE", "read, write"},
                                    {"READ", "write"},
                                    {"READ_WRITE", "none"},
                                    {"WRITE", "read"},
                                    {"READ_WRITE CANONICAL", "write on a CPU of 57-bit addresses"},
                                    {"READ_EQUAL", "write; read unless equal to the CPU's"}};
static const struct word checks[] = {
    {"MASK", ""},
    {"CANONICAL", "canonical"},
    {"CET", "canonical; not both of SUPPRESS and TRACKER"},
    {"PAT", "eight PAT types"},
    {"MTRR_VARIABLE", "an MTRR type or mask, below the physical width"},
    {"MTRR_FIXED", "eight MTRR types"},
    {"MTRR_DEF_TYPE", "an MTRR type"},
    {"IGNORE", "has no effect"},
    {"CONSTANT", "the reset value but for the mask"},
    {"READ_ONLY", "#GP"},
};

static const char *text_of(const struct word *words, size_t count, const char *token)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i].token, token) == 0)
            return words[i].text;
    fprintf(stderr, "print_msrs: no words for %s\n", token);
    exit(1);
}
#define TEXT_OF(words, token) text_of(words, sizeof(words) / sizeof((words)[0]), token)

static void print_lower(FILE *out, const char *token)
{
    for (; *token; token++)
        fputc(*token == '_' ? '-' : *token >= 'A' && *token <= 'Z' ? *token + 32 : *token, out);
}

static void print_needs(FILE *out, const char *features, const char *control)
{
    if (strcmp(features, "0") != 0)
        print_lower(out, strchr(strchr(features, '_') + 1, '_') + 1);
    if (strcmp(control, "NONE") != 0)
        fputs("; load and save controls", out);
}

static void print_exits(FILE *out, const struct line *l)
{
    bool wide = strcmp(l->pass, "READ_WRITE") == 0 && strcmp(l->check, "CANONICAL") == 0;

    fprintf(out, " | %s | ", TEXT_OF(exits, wide ? "READ_WRITE CANONICAL" : l->pass));
}

static void print_value(FILE *out, const struct line *l)
{
    const char *check = TEXT_OF(checks, l->check);
    if (strcmp(l->check, "READ_ONLY") != 0 && l->mask != UINT64_MAX)
        fprintf(out, "mask %" PRIx64 "%s", l->mask, *check ? "; " : "");
    fputs(check, out);
}

static void print_page(FILE *out)
{
    fputs(head, out);
    for (const struct line *l = lines; l < lines + sizeof(lines) / sizeof(lines[0]); l++) {
        fprintf(out, "| %" PRIx32, l->first);
        if (l->last != l->first)
            fprintf(out, "-%" PRIx32, l->last);
        fprintf(out, " | %s | ", l->name);
        print_lower(out, l->class);
        fputs(" | ", out);
        print_needs(out, l->features, l->control);
        print_exits(out, l);
        print_value(out, l);
        fprintf(out, " | %" PRIx64 " | ", l->reset);
        print_lower(out, l->init);
        fprintf(out, " | %s |\n", l->why);
    }
}

static void print_absent(FILE *out)
{
    static const struct {
        uint32_t first, last, leaf, subleaf;
        const char *reg, *name, *why;
        uint32_t bits;
    } rows[] = {
#define ABSENT(first, last, name, leaf, subleaf, reg, bits, why)                                   \
    {first, last, leaf, subleaf, #reg, name, why, bits},
#include "guests/msr_absent.def"
    };
    fputs(
        "\n"
        "## Not there\n"
        "\n"
        "Made from `guests/msr_absent.def`: what a guest is not given although software looks for "
        "it, or a CPU of today\n"
        "has it. It is #GP, and what CPUID has for it, if anything, is 0.\n"
        "\n"
        "| index | name | in CPUID | why not |\n"
        "|---|---|---|---|\n",
        out);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fprintf(out, "| %" PRIx32, rows[i].first);
        if (rows[i].last != rows[i].first)
            fprintf(out, "-%" PRIx32, rows[i].last);
        fprintf(out, " | %s | ", rows[i].name);
        if (rows[i].bits != 0)
            fprintf(out, "leaf %" PRIx32 ".%" PRIx32 " %s, mask %" PRIx32, rows[i].leaf,
                    rows[i].subleaf, rows[i].reg, rows[i].bits);
        fprintf(out, " | %s |\n", rows[i].why);
    }
}

/* IA32_MISC_ENABLE. */
static void print_bits(FILE *out)
{
    fputs("\n"
          "## IA32_MISC_ENABLE\n"
          "\n"
          "Made from `hypervisor/msr/misc_enable.def`. A write that changes another bit than the "
          "writable ones is "
          "#GP.\n"
          "\n"
          "| bit | name | reset | writable | why |\n"
          "|---|---|---|---|---|\n",
          out);
#define BIT_ROW(bit, name, reset, writable, why)                                                   \
    fprintf(out, "| %d | %s | %d | %s | %s |\n", bit, name, reset, (writable) ? "yes" : "no", why);
#include "hypervisor/msr/misc_enable.def"
}

/* IA32_DEBUGCTL. */
static void print_debugctl(FILE *out)
{
    fputs(
        "\n"
        "## IA32_DEBUGCTL\n"
        "\n"
        "Made from `hypervisor/msr/debugctl.def`. A write of another bit than the writable ones is "
        "#GP.\n"
        "\n"
        "| bit | name | writable | why |\n"
        "|---|---|---|---|\n",
        out);
#define BIT_ROW(bit, name, writable, why)                                                          \
    fprintf(out, "| %d | %s | %s | %s |\n", bit, name, (writable) ? "yes" : "no", why);
#include "hypervisor/msr/debugctl.def"
}

/* IA32_ARCH_CAPABILITIES. */
static void print_capabilities(FILE *out)
{
    fputs(
        "\n"
        "## IA32_ARCH_CAPABILITIES\n"
        "\n"
        "Made from `hypervisor/msr/arch_capabilities.def`: the bits of the CPU's own value that a "
        "guest sees, and what is always set.\n"
        "\n"
        "| bit | name | set | what it says |\n"
        "|---|---|---|---|\n",
        out);
#define CAPABILITY(bit, name, always, why)                                                         \
    fprintf(out, "| %d | %s | %s | %s |\n", bit, name, (always) ? "always" : "as the CPU's", why);
#include "hypervisor/msr/arch_capabilities.def"
}

static bool is_same(const char *path, const char *expected, size_t size)
{
    FILE *file = fopen(path, "rb");
    char *found = malloc(size + 1);
    size_t length = file && found ? fread(found, 1, size + 1, file) : 0;
    bool same = length == size && memcmp(found, expected, size) == 0;
    if (file)
        fclose(file);
    free(found);
    return same;
}

int main(int argc, char **argv)
{
    char *page;
    size_t size;
    FILE *out = open_memstream(&page, &size);
    if (!out)
        return 1;
    print_page(out);
    print_absent(out);
    print_bits(out);
    print_debugctl(out);
    print_capabilities(out);
    fclose(out);
    bool good = true;
    if (argc > 1)
        good = is_same(argv[1], page, size);
    else
        fwrite(page, 1, size, stdout);
    if (!good)
        fprintf(
            stderr,
            "%s is stale: run `print_msrs > docs/msrs.md` in the build folder's tests/native/vm\n",
            argv[1]);
    free(page);
    return good ? 0 : 1;
}
