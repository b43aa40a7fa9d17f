/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI tables: checksums, what they say, and iasl's opinion of each. Argument: iasl. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/acpi.h"
#include "monitor/acpi/acpi.h"
#include "tests/native/monitor/fakes.h"

static const char *iasl;
static struct board *b;

static int setup(void **state)
{
    b = fake_board(2 << 20);
    acpi_build(&b->memory, 2);
    return 0;
}

static int teardown(void **state)
{
    fake_board_free(b);
    return 0;
}

static const void *at(uint64_t address)
{
    assert_in_range(address, ACPI_BASE, ACPI_BASE + ACPI_SIZE - 1);
    return b->memory.base + address;
}

static uint8_t sum(const void *table, size_t size)
{
    uint8_t total = 0;

    for (size_t i = 0; i < size; i++)
        total += ((const uint8_t *)table)[i];
    return total;
}

static const struct acpi_header *table(const char *signature)
{
    const struct acpi_rsdp *rsdp = at(ACPI_BASE);
    const struct acpi_header *xsdt = at(rsdp->xsdt);
    const uint64_t *tables = (const uint64_t *)(xsdt + 1);

    for (size_t i = 0; i < (xsdt->length - sizeof(*xsdt)) / 8; i++) {
        uint64_t address;

        memcpy(&address, (const char *)tables + i * 8, 8);
        const struct acpi_header *h = at(address);

        if (memcmp(h->signature, signature, 4) == 0)
            return h;
    }
    fail_msg("no table %s", signature);
    return NULL;
}

static const struct acpi_header *dsdt(void)
{
    return at(((const struct acpi_fadt *)table("FACP"))->x_dsdt);
}

static void checksums(void **state)
{
    const struct acpi_rsdp *rsdp = at(ACPI_BASE);
    const struct acpi_header *xsdt = at(rsdp->xsdt);

    assert_memory_equal(rsdp->signature, "RSD PTR ", 8);
    assert_int_equal(sum(rsdp, 20), 0);
    assert_int_equal(sum(rsdp, 36), 0);
    assert_int_equal(sum(xsdt, xsdt->length), 0);
    assert_int_equal(sum(table("FACP"), table("FACP")->length), 0);
    assert_int_equal(sum(table("APIC"), table("APIC")->length), 0);
    assert_int_equal(sum(dsdt(), dsdt()->length), 0);
    assert_memory_equal(dsdt()->signature, "DSDT", 4);
}

static void fadt(void **state)
{
    const struct acpi_fadt *f = (const struct acpi_fadt *)table("FACP");
    const struct acpi_facs *facs = at(f->facs);

    assert_int_equal(f->pm1a_event, 0xb000);
    assert_int_equal(f->pm1a_control, 0xb004);
    assert_int_equal(f->pm_timer, 0xb008);
    assert_int_equal(f->sci_interrupt, 9);
    assert_int_equal(f->smi_command, 0);
    assert_int_equal(f->reset_register.address, 0xcf9);
    assert_int_equal(f->reset_value, 6);
    assert_int_equal(f->flags & 1u << 20, 0); /* not hardware-reduced */
    assert_int_equal(f->flags & 1u << 4, 0);  /* a power button among the fixed registers */
    assert_int_equal(f->flags & 1u << 6, 0);  /* RTC_STS and RTC_EN are there */
    assert_int_equal(f->boot_flags & 2, 0);   /* no keyboard controller */
    assert_memory_equal(facs->signature, "FACS", 4);
    assert_true(is_aligned(f->facs, 64));
}

/* R21: an enabled local APIC for each vCPU, with its number as id. */
static void madt(void **state)
{
    const struct acpi_header *h = table("APIC");
    const uint8_t *entry = (const uint8_t *)h + 44, *end = (const uint8_t *)h + h->length;
    unsigned local = 0, io = 0;

    assert_int_equal(((const uint8_t *)h)[40] & 1, 0); /* no 8259s */
    for (; entry < end; entry += entry[1]) {
        if (entry[0] == 0) {
            assert_int_equal(entry[3], local++);
            assert_int_equal(entry[4], 1);
        }
        if (entry[0] == 1) {
            uint32_t address;

            memcpy(&address, entry + 4, 4);
            assert_int_equal(address, 0xfec00000);
            io++;
        }
        if (entry[0] == 2) {
            assert_int_equal(entry[3], 9);
            assert_int_equal(entry[4], 9);
            assert_int_equal(entry[8], 0x0d);
        }
    }
    assert_ptr_equal(entry, end);
    assert_int_equal(local, 2);
    assert_int_equal(io, 1);
}

static void write_file(const char *name, const void *data, size_t size)
{
    FILE *f = fopen(name, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
}

/* iasl disassembles each table without a complaint, and compiles what it wrote into
 * the same bytes. */
static void judge(const char *name, const void *data, size_t size)
{
    char command[1024], line[512];
    unsigned complaints = 0;
    FILE *output;

    write_file(name, data, size);
    snprintf(
        command, sizeof(command),
        "'%s' -d %s 2>&1; '%s' -vs -p again %.4s.dsl 2>&1; cmp -i 36 %s again.aml && echo same",
        iasl, name, iasl, name, name);
    output = popen(command, "r");
    assert_non_null(output);
    bool same = false;

    while (fgets(line, sizeof(line), output) != NULL) {
        complaints += strstr(line, "rror ") != NULL || strstr(line, "arning ") != NULL ||
                      strstr(line, "ncorrect") != NULL || strstr(line, "nvalid") != NULL;
        same |= strcmp(line, "same\n") == 0;
        if (complaints > 0)
            print_message("%s: %s", name, line);
    }
    assert_int_equal(pclose(output), 0);
    assert_int_equal(complaints, 0);
    assert_true(same);
}

static void judged_by_iasl(void **state)
{
    char folder[] = "/tmp/lintel-acpi-XXXXXX", command[64];
    const struct acpi_rsdp *rsdp = at(ACPI_BASE);
    const struct acpi_header *xsdt = at(rsdp->xsdt);
    const struct acpi_fadt *f = (const struct acpi_fadt *)table("FACP");

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    judge("dsdt.dat", dsdt(), dsdt()->length);
    judge("facp.dat", f, f->header.length);
    judge("apic.dat", table("APIC"), table("APIC")->length);
    judge("xsdt.dat", xsdt, xsdt->length);
    judge("facs.dat", at(f->facs), sizeof(struct acpi_facs));
    assert_int_equal(chdir("/"), 0);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(checksums, setup, teardown),
        cmocka_unit_test_setup_teardown(fadt, setup, teardown),
        cmocka_unit_test_setup_teardown(madt, setup, teardown),
        cmocka_unit_test_setup_teardown(judged_by_iasl, setup, teardown),
    };

    iasl = argc > 1 ? argv[1] : "iasl";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
