/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory: mappings, protections, copies on write. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guests/linux/tap.h"

#define PAGE  4096
#define LARGE (8u << 20)

static sigjmp_buf jump;

static void on_fault(int signal)
{
    siglongjmp(jump, 1);
}

static bool faults_on_write(volatile uint8_t *at)
{
    if (sigsetjmp(jump, 1) != 0)
        return true;
    *at = 1;
    return false;
}

static bool faults_on_call(void (*code)(void))
{
    if (sigsetjmp(jump, 1) != 0)
        return true;
    code();
    return false;
}

static void *map(size_t size, int protection, int flags)
{
    return mmap(NULL, size, protection, flags | MAP_ANONYMOUS, -1, 0);
}

static void test_large(void)
{
    uint64_t *memory = map(LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    bool zero = true, kept = true;

    for (size_t i = 0; i < LARGE / 8; i += PAGE / 8) {
        zero = zero && memory[i] == 0;
        memory[i] = i * 0x9e3779b97f4a7c15;
    }
    for (size_t i = 0; i < LARGE / 8; i += PAGE / 8)
        kept = kept && memory[i] == i * 0x9e3779b97f4a7c15;
    ok(zero, "new memory is zero");
    ok(kept, "memory keeps what is written");
    munmap(memory, LARGE);
    ok(faults_on_write((uint8_t *)memory), "unmapped memory is gone");
}

static void test_protection(void)
{
    uint8_t *page = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);

    memset(page, 0xc3, PAGE); /* RET */
    ok(!faults_on_write(page), "a writable page can be written");
    page[0] = 0xc3;
    ok(faults_on_call((void (*)(void))(uintptr_t)page), "it cannot be executed");
    mprotect(page, PAGE, PROT_READ);
    ok(faults_on_write(page), "a read-only page cannot be written");
    mprotect(page, PAGE, PROT_READ | PROT_EXEC);
    ok(!faults_on_call((void (*)(void))(uintptr_t)page), "an executable page can be executed");
    mprotect(page, PAGE, PROT_READ | PROT_WRITE);
    ok(!faults_on_write(page), "it can be made writable again");
    munmap(page, PAGE);
}

static void test_fork_copies(void)
{
    uint32_t *own = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    uint32_t *shared = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
    pid_t child;

    own[0] = shared[0] = 1;
    child = fork();
    if (child == 0) {
        own[0] = shared[0] = 2;
        _exit(0);
    }
    waitpid(child, NULL, 0);
    ok(own[0] == 1, "a child's write to private memory is its own");
    ok(shared[0] == 2, "a child's write to shared memory is seen");
    munmap(own, PAGE);
    munmap(shared, PAGE);
}

void test_memory(void)
{
    signal(SIGSEGV, on_fault);
    test_large();
    test_protection();
    test_fork_copies();
    signal(SIGSEGV, SIG_DFL);
}
