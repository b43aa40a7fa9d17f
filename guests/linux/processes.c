/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes: fork, exec, wait, pipes; and the 32-bit program beside this one. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guests/linux/tap.h"

#define CHILDREN   20
#define ROUND_TRIP 200

static int wait_for(pid_t child)
{
    int status;

    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_fork(void)
{
    pid_t children[CHILDREN];
    bool good = true;

    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(i);
    }
    for (int i = 0; i < CHILDREN; i++)
        good = wait_for(children[i]) == i && good;
    ok(good, "twenty children end with their exit codes");
}

static void test_pipe(void)
{
    int there[2], back[2];
    bool good = pipe(there) == 0 && pipe(back) == 0;
    unsigned char byte;
    pid_t child = fork();

    if (child == 0) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1) {
            byte ^= 0xff;
            if (write(back[1], &byte, 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    for (unsigned i = 0; i < ROUND_TRIP && good; i++) {
        unsigned char sent = (unsigned char)i;
        good =
            write(there[1], &sent, 1) == 1 && read(back[0], &byte, 1) == 1 && byte == (sent ^ 0xff);
    }
    close(there[1]);
    ok(good && wait_for(child) == 0, "two processes answer each other over pipes");
    close(there[0]);
    close(back[0]);
    close(back[1]);
}

static int run(const char *path, const char *argument)
{
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        execl(path, path, argument, NULL);
        _exit(127);
    }
    return wait_for(child);
}

/* The programs of the same folder, whatever it is. */
static void test_exec(void)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 3);

    if (length < 0) {
        ok(false, "/proc is mounted");
        return;
    }
    strcpy(path + length, "32");
    ok(run(path, "exec") == 0, "a 32-bit program runs: SYSENTER, int 80h and signals");
}

#define LAST_PAGE    0xfffff000UL
#define USER_CODE_32 0x23

/* Ends by the signal of an access to address 0, where EIP goes on behind 4 GiB. */
static void jump_to_end_of_32_bits(void)
{
    static const unsigned char cpuid[] = {0x0f, 0xa2};
    unsigned char *page = mmap((void *)LAST_PAGE, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    if (page == MAP_FAILED)
        _exit(1);
    memcpy(page + 0x1000 - sizeof(cpuid), cpuid, sizeof(cpuid));
    __asm__ volatile("pushq %0; pushq %1; lretq"
                     :
                     : "r"((unsigned long)USER_CODE_32), "r"(LAST_PAGE + 0x1000 - sizeof(cpuid))
                     : "memory");
}

/* An instruction that exits to the hypervisor, and that ends where 32-bit addresses do. */
static void test_end_of_32_bits(void)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        jump_to_end_of_32_bits();
        _exit(2);
    }
    ok(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
       "a program whose 32-bit code runs over 4 GiB goes on at 0, and ends alone");
}

void test_processes(void)
{
    test_fork();
    test_pipe();
    test_exec();
    test_end_of_32_bits();
}
