/* SPDX-License-Identifier: BSD-2-Clause */
#include "device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/gate.h"
#include "tests/native/drivers/machine.h"

/* The machine's RAM: what is above 4 GiB follows in the file behind 3 GiB. */
#define RAM       "8G"
#define BELOW_4G  0xc0000000ULL
#define RAM_FILE  "ram"
#define DISK_FILE "disk"
#define ROM_FILE  "rom"
#define BAR       0xfe000000u

static FILE *qtest;
static pid_t qemu;

/* One command of the protocol, and the value of its answer. */
static uint64_t ask(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static uint64_t ask(const char *fmt, ...)
{
    char answer[128];
    uint64_t value = 0;
    va_list args;

    va_start(args, fmt);
    vfprintf(qtest, fmt, args);
    va_end(args);
    fputc('\n', qtest);
    fflush(qtest);
    assert_non_null(fgets(answer, sizeof(answer), qtest));
    assert_memory_equal(answer, "OK", 2);
    sscanf(answer, "OK %" SCNi64, &value);
    return value;
}

static void make_file(const char *name, off_t size)
{
    int file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

    assert_true(file >= 0);
    assert_int_equal(ftruncate(file, size), 0);
    close(file);
}

/* A firmware that halts: CLI, HLT, and back to that, at the reset vector. */
static void make_rom(void)
{
    static const uint8_t code[] = {0xfa, 0xf4, 0xeb, 0xfd};
    int file;

    make_file(ROM_FILE, 0x10000);
    file = open(ROM_FILE, O_WRONLY);
    assert_int_equal(pwrite(file, code, sizeof(code), 0xfff0), sizeof(code));
    close(file);
}

static _Noreturn void become_qemu(const char *const words[], int channel)
{
    const char *argv[64] = {
        "qemu-system-x86_64",
        "-nodefaults",
        "-display",
        "none",
        "-machine",
        "pc,memory-backend=ram",
        "-accel",
        "tcg",
        "-bios",
        ROM_FILE,
        "-m",
        RAM,
        "-object",
        "memory-backend-file,id=ram,size=" RAM ",mem-path=" RAM_FILE ",share=on",
        "-qtest",
        "stdio",
        "-qtest-log",
        "/dev/null",
    };
    size_t count = 18;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(channel, 0);
    dup2(channel, 1);
    while (*words != NULL)
        argv[count++] = *words++;
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

static void config_write(unsigned device_number, unsigned reg, uint32_t value)
{
    ask("outl 0xcf8 0x%x", 0x80000000u | device_number << 11 | reg);
    ask("outl 0xcfc 0x%x", value);
}

void device_start(const char *const words[], unsigned device_number, unsigned bar)
{
    int ends[2];

    make_file(RAM_FILE, 8LL << 30);
    make_file(DISK_FILE, MEDIUM_SECTORS * BLOCK_SECTOR);
    make_rom();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    qemu = fork();
    if (qemu == 0)
        become_qemu(words, ends[1]);
    close(ends[1]);
    qtest = fdopen(ends[0], "r+");
    assert_non_null(qtest);
    config_write(device_number, 0x10 + 4 * bar, BAR);
    config_write(device_number, 4, 6); /* memory, bus mastering */
}

void device_end(void)
{
    fclose(qtest);
    kill(qemu, SIGKILL);
    waitpid(qemu, NULL, 0);
}

static void *map_file(const char *name, void *at, off_t offset, size_t size)
{
    int file = open(name, O_RDWR);
    void *mapped = mmap(at, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | (at ? MAP_FIXED_NOREPLACE : 0), file, offset);

    close(file);
    assert_ptr_not_equal(mapped, MAP_FAILED);
    assert_true(at == NULL || mapped == at);
    return mapped;
}

void *device_map(void *at, uint64_t physical, size_t size)
{
    if (physical >= 1ULL << 32)
        physical -= (1ULL << 32) - BELOW_4G;
    return map_file(RAM_FILE, at, (off_t)physical, size);
}

void *device_medium(void)
{
    return map_file(DISK_FILE, NULL, 0, MEDIUM_SECTORS * BLOCK_SECTOR);
}

uint32_t device_read(unsigned window, uint64_t offset)
{
    assert_int_equal(window, 0);
    return (uint32_t)ask("readl 0x%" PRIx64, BAR + offset);
}

void device_write(unsigned window, uint64_t offset, uint32_t value)
{
    assert_int_equal(window, 0);
    ask("writel 0x%" PRIx64 " 0x%x", BAR + offset, value);
}

void device_work(void)
{
    poll(NULL, 0, 1);
}

uint64_t gate_tsc(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 * TSC_KHZ + (uint64_t)now.tv_nsec / (1000000 / TSC_KHZ);
}
