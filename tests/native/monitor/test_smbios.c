/* SPDX-License-Identifier: BSD-2-Clause */
/* The SMBIOS tables: their frame, and what dmidecode reads in them. Argument: dmidecode. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor/smbios/layout.h"
#include "monitor/smbios/smbios.h"
#include "tests/native/monitor/fakes.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static const char *dmidecode;
static uint8_t memory[SMBIOS_BASE + SMBIOS_SIZE];

static const struct smbios_entry *build(uint64_t bytes)
{
    struct guest_memory m = guest_memory_make(memory, bytes);
    struct process_info process = {.tsc_khz = 2100000, .name = "a-name-of-31-characters-at-most"};
    struct monitor_info info = {.vcpus = 1, .memory = bytes};

    memset(memory, 0xcc, sizeof(memory));
    smbios_build(&m, &process, &info);
    return (const struct smbios_entry *)(memory + SMBIOS_BASE);
}

/* The entry point is right, structures follow one another to the last, which ends the table. */
static void frame(void **state)
{
    const struct smbios_entry *e = build(64 * MIB);
    const uint8_t *at = memory + e->address, *end = at + e->size;
    uint8_t sum = 0, type = 0;
    unsigned count = 0;

    assert_memory_equal(e->anchor, "_SM3_", 5);
    assert_int_equal(e->length, 0x18);
    for (size_t i = 0; i < e->length; i++)
        sum += ((const uint8_t *)e)[i];
    assert_int_equal(sum, 0);
    assert_in_range(e->address + e->size, SMBIOS_BASE, SMBIOS_BASE + SMBIOS_SIZE);
    for (; at < end; count++) {
        struct smbios_header h;

        memcpy(&h, at, sizeof(h));
        assert_int_equal(h.handle, count);
        type = h.type;
        for (at += h.length; at[0] != 0 || at[1] != 0; at++)
            assert_true(at + 2 < end);
        at += 2;
    }
    assert_ptr_equal(at, end);
    assert_int_equal(type, SMBIOS_END);
    assert_int_equal(*end, 0xcc);
}

/* Each of the lines is among what dmidecode says, and it finds nothing to complain of. */
static void judge(uint64_t bytes, const char *const *lines)
{
    const struct smbios_entry *e = build(bytes);
    struct smbios_entry moved = *e; /* a dump's table is at 20h */
    char name[] = "/tmp/lintel-smbios-XXXXXX", command[256], said[8192];
    int file = mkstemp(name);

    assert_true(file >= 0);
    moved.checksum += (uint8_t)(moved.address >> 16);
    moved.address &= 0xffff;
    assert_int_equal(write(file, &moved, sizeof(moved)), sizeof(moved));
    assert_int_equal(pwrite(file, memory + e->address, e->size, 0x20), e->size);
    close(file);
    snprintf(command, sizeof(command), "'%s' --from-dump %s 2>&1", dmidecode, name);
    FILE *output = popen(command, "r");
    said[fread(said, 1, sizeof(said) - 1, output)] = '\0';
    assert_int_equal(pclose(output), 0);
    unlink(name);
    for (; *lines != NULL; lines++)
        if (strstr(said, *lines) == NULL)
            fail_msg("no \"%s\" in: %s", *lines, said);
    if (strstr(said, "BAD") || strstr(said, "OUT OF SPEC") || strstr(said, "roken"))
        fail_msg("%s", said);
}

static void judged_by_dmidecode(void **state)
{
    judge(64 * MIB, (const char *const[]){
                        "SMBIOS 3.0.0 present", "Vendor: Lintel\n", "Version: " LINTEL_VERSION "\n",
                        "System is a virtual machine\n", "Manufacturer: Lintel\n",
                        "Product Name: Lintel virtual machine\n",
                        "Serial Number: a-name-of-31-characters-at-most\n", "UUID: Not Present\n",
                        "Type: Central Processor\n", "Current Speed: 2100 MHz\n", "Core Count: 1\n",
                        "Maximum Capacity: 64 MB\n", "Size: 64 MB\n",
                        "Ending Address: 0x00003FFFFFF\n", "Status: No errors detected\n", NULL});
}

static void judged_with_much_memory(void **state)
{
    judge(5 * GIB, (const char *const[]){"Maximum Capacity: 5 GB\n", "Size: 5 GB\n",
                                         "Starting Address: 0x00000000000\n",
                                         "Ending Address: 0x000BFFFFFFF\n",
                                         "Starting Address: 0x00100000000\n",
                                         "Ending Address: 0x0017FFFFFFF\n", NULL});
    judge(64 * GIB, (const char *const[]){"Size: 64 GB\n", NULL});
    judge(6144 * GIB, (const char *const[]){"Maximum Capacity: 6 TB\n", "Size: 6 TB\n",
                                            "Range Size: 6141 GB\n", NULL});
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame),
        cmocka_unit_test(judged_by_dmidecode),
        cmocka_unit_test(judged_with_much_memory),
    };

    dmidecode = argc > 1 ? argv[1] : "dmidecode";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
