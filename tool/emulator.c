/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting Bochs and QEMU: see emulator.h. */
#include "tool/emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi/plan.h"
#include "tool/control_process.h"
#include "tool/emulated_disk.h"
#include "tool/emulated_nic.h"
#include "tool/loopback.h"
#include "tool/process.h"
#include "tool/size.h"
#include "tool/unfinished.h"

#define CONNECT_SECONDS 30
#define LOG_MAX         (256 * MIB) /* left alone, Bochs can fill a disk with its log */

/* Bochs keeps this much of a machine's memory in its own, and the rest in a file. */
#define BOCHS_RESIDENT_MAX (2048 * MIB)

static const struct {
    const char *name, *bochs_rom, *qemu_rom, *package;
    bool any_msr; /* it reads MSRs that Bochs's models lack, as if every CPU had them */
} firmwares[FIRMWARE_COUNT] = {
    [FIRMWARE_BIOS] = {"bios", "/usr/share/bochs/BIOS-bochs-latest", NULL, "bochsbios", false},
    [FIRMWARE_OVMF] = {"ovmf", "/usr/share/ovmf/OVMF.fd", "/usr/share/ovmf/OVMF.fd", "ovmf", true},
    [FIRMWARE_SEABIOS] = {"seabios", "/usr/share/seabios/bios.bin",
                          "/usr/share/seabios/bios-256k.bin", "seabios", false},
};

#define VGA_ROM "/usr/share/bochs/VGABIOS-lgpl-latest"

bool firmware_parse(const char *name, enum firmware *firmware)
{
    for (int i = 0; i < FIRMWARE_COUNT; i++) {
        if (strcmp(name, firmwares[i].name) == 0) {
            *firmware = (enum firmware)i;
            return true;
        }
    }
    return false;
}

/* What Bochs must be given for a machine with so much memory: what the devices' hole covers is
 * lost. */
static uint64_t bochs_memory(const struct emulation *emulation)
{
    uint64_t hole = PLAN_HOLE_END - PLAN_HOLE_START;

    return emulation->memory > PLAN_HOLE_START ? emulation->memory + hole : emulation->memory;
}

static unsigned line_count(const struct emulation *emulation)
{
    return control_process_is_in(&emulation->machine->plan) ? LINE_COUNT : 1;
}

/* A CPU is MODEL[+FEATURE]...: see bochs_adds_nothing. */
static int model_length(const char *cpu)
{
    return (int)strcspn(cpu, "+");
}

static void write_features(FILE *config, const char *cpu)
{
    const char *features = cpu + model_length(cpu);

    if (*features != '\0')
        fprintf(config, ", add_features=\"");
    for (const char *c = features; *c != '\0'; c++)
        fputc(*c == '+' ? ' ' : *c, config);
    fprintf(config, *features != '\0' ? "\"\n" : "\n");
}

/* Writes bochsrc and rc into the work folder. Returns whether that worked. */
static bool write_bochsrc(const struct emulation *emulation, unsigned port)
{
    uint64_t memory = bochs_memory(emulation) / MIB, resident = BOCHS_RESIDENT_MAX / MIB;
    FILE *config = fopen("bochsrc", "w"), *commands = fopen("rc", "w");

    if (!config || !commands)
        return false;
    fprintf(config,
            "display_library: rfb, options=\"timeout=0\"\n"); /* no window; waits for no viewer */
    fprintf(config, "memory: guest=%" PRIu64 ", host=%" PRIu64 "\n", memory,
            memory < resident ? memory : resident);
    fprintf(config, "romimage: file=%s\n", firmwares[emulation->firmware].bochs_rom);
    fprintf(config, "vgaromimage: file=" VGA_ROM "\n");
    /* A triple fault ends the run. */
    fprintf(config,
            "cpu: model=%.*s, count=%u, ips=%" PRIu64
            ", reset_on_triple_fault=0, ignore_bad_msrs=%d",
            model_length(emulation->cpu), emulation->cpu, emulation->machine->cpus, emulation->ips,
            firmwares[emulation->firmware].any_msr);
    write_features(config, emulation->cpu);
    fprintf(config, "clock: sync=none, time0=%" PRIu64 "\n",
            emulation->start_time ? emulation->start_time : (uint64_t)time(NULL));
    emulated_disks_bochs(emulation->machine, config);
    bool good = emulated_nic_bochs(emulation->machine, config);
    fprintf(config, "ata%d-master: type=cdrom, path=" EMULATOR_IMAGE ", status=inserted\n",
            emulated_disks_take_ata(emulation->machine));
    fprintf(config, "boot: cdrom\n");
    fprintf(config, "log: bochs.log\n");
    for (unsigned line = 0; line < line_count(emulation); line++)
        fprintf(config, "com%u: enabled=1, mode=socket-client, dev=127.0.0.1:%u\n", line + 1, port);
    fprintf(config, "sound: driver=dummy, waveout=/dev/null\n");
    /* Without this Bochs ends while it sets up its sound cards, on a machine that has none. */
    fprintf(config, "plugin_ctrl: es1370=0, sb16=0, speaker=0, voodoo=0, usb_xhci=0\n");
    fputs("c\nq\n", commands); /* to begin, and when the machine has ended */
    return good & (fclose(config) == 0) & (fclose(commands) == 0);
}

/* Which of these words, a bit for each, a line of this answer of Bochs's starts with. */
static unsigned bochs_lists(const char *question, const char *const words[], unsigned count)
{
    char line[256], first[64];
    unsigned found = 0;
    FILE *answer = popen(question, "r");

    while (answer && fgets(line, sizeof(line), answer)) {
        if (sscanf(line, "%63s", first) != 1)
            continue;
        for (unsigned i = 0; i < count; i++)
            found |= (unsigned)(strcmp(first, words[i]) == 0) << i;
    }
    if (answer)
        pclose(answer);
    return found;
}

/*
 * In Debian's Bochs 2.7 the debugger always runs, and reads what to do from the standard input. In
 * 3.0 it wants to be asked for, and is not: with it an instruction takes nearly three times as
 * long.
 */
static void become_bochs(const struct emulation *emulation, unsigned port)
{
    uint64_t disk = emulated_disks_largest(emulation->machine);
    struct rlimit limit = {LOG_MAX, LOG_MAX};

    if (bochs_memory(emulation) > BOCHS_RESIDENT_MAX)
        limit.rlim_cur = limit.rlim_max = LOG_MAX + bochs_memory(emulation);
    if (disk > limit.rlim_max)
        limit.rlim_cur = limit.rlim_max = disk;
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN); /* the log stops growing, and the run goes on */
    if (!write_bochsrc(emulation, port))
        return;
    int commands = open("rc", O_RDONLY | O_CLOEXEC);
    if (commands >= 0 && dup2(commands, 0) == 0)
        execlp("bochs", "bochs", "-q", "-unlock", "-f", "bochsrc", NULL);
}

static void become_qemu(const struct emulation *emulation, unsigned port)
{
    char *memory = text("%" PRIu64 "M", emulation->memory / MIB);
    char *cpus = text("%u", emulation->machine->cpus);
    const char *rom = firmwares[emulation->firmware].qemu_rom;

    const char *words[32 + 4 * LINE_COUNT + EMULATED_DISK_WORDS + EMULATED_NIC_WORDS] = {
        "qemu-system-x86_64",
        "-nodefaults",
        "-no-reboot",
        "-display",
        "none",
        "-accel",
        "kvm",
        "-cpu",
        "host",
        "-m",
        memory,
        "-smp",
        cpus,
        "-cdrom",
        EMULATOR_IMAGE,
        "-boot",
        "d",
        "-device",
        "isa-debug-exit,iobase=0xf4,iosize=4"};
    size_t count = 0;

    while (words[count])
        count++;
    for (unsigned line = 0; line < line_count(emulation); line++) {
        words[count++] = "-chardev";
        words[count++] = text("socket,id=serial%u,host=127.0.0.1,port=%u", line, port);
        words[count++] = "-serial";
        words[count++] = text("chardev:serial%u", line);
    }
    if (rom) {
        words[count++] = "-bios";
        words[count++] = rom;
    }
    count += emulated_disks_qemu(emulation->machine, words + count);
    emulated_nic_qemu(emulation->machine, words + count);
    execvp(words[0], (char *const *)words);
}

static const struct {
    const char *program, *package, *end_word;
    uint32_t cpus; /* at most: with more, its firmware does not start */
    void (*become)(const struct emulation *emulation, unsigned port);
} runners[RUNNER_COUNT] = {
    [RUNNER_BOCHS] = {"bochs", "bochs", "bochs", 15, become_bochs},
    [RUNNER_QEMU_KVM] = {"qemu-system-x86_64", "qemu-system-x86", "qemu", 255, become_qemu},
};

const char *emulator_end_word(enum runner runner)
{
    return runners[runner].end_word;
}

bool emulator_takes_disc(const struct emulation *emulation)
{
    return emulation->runner == RUNNER_BOCHS && emulation->firmware == FIRMWARE_BIOS;
}

static bool cpu_known(const char *cpu)
{
    char model[64];

    snprintf(model, sizeof(model), "%.*s", model_length(cpu), cpu);
    if (strcmp(model, EMULATOR_CPU) == 0)
        return true;
    /* Bit 1 is missing where Bochs lists no models. */
    return bochs_lists("bochs --help cpu 2>&1", (const char *[]){model, EMULATOR_CPU}, 2) != 2;
}

/* Whether Bochs says that it is 2.7, or older: these have no add_features. */
static bool bochs_adds_nothing(void)
{
    unsigned major, minor;
    char line[256];
    bool old = false;
    FILE *answer = popen("bochs --help 2>&1", "r");

    while (answer && fgets(line, sizeof(line), answer))
        if (sscanf(line, " Bochs x86 Emulator %u.%u", &major, &minor) == 2)
            old = major < 2 || (major == 2 && minor <= 7);
    if (answer)
        pclose(answer);
    return old;
}

char *emulator_cpu_obstacle(const char *cpu)
{
    int length = model_length(cpu);

    if (!cpu_known(cpu))
        return text("Bochs has no CPU model '%.*s'; 'bochs --help cpu' lists them", length, cpu);
    if (cpu[length] != '\0' && bochs_adds_nothing()) {
        return text("this Bochs adds no features to a CPU model; write '%.*s' alone, or install "
                    "Bochs 3.0",
                    length, cpu);
    }
    return NULL;
}

enum exit_code emulator_check(const struct emulation *emulation)
{
    const char *rom = emulation->runner == RUNNER_BOCHS ? firmwares[emulation->firmware].bochs_rom
                                                        : firmwares[emulation->firmware].qemu_rom;

    if (!program_exists(runners[emulation->runner].program)) {
        return fail(LINTEL_MACHINE, "%s is missing; install the package %s",
                    runners[emulation->runner].program, runners[emulation->runner].package);
    }
    if (rom && access(rom, R_OK) != 0) {
        return fail(LINTEL_MACHINE, "%s is missing; install the package %s", rom,
                    firmwares[emulation->firmware].package);
    }
    if (emulation->runner == RUNNER_BOCHS && access(VGA_ROM, R_OK) != 0)
        return fail(LINTEL_MACHINE, VGA_ROM " is missing; install the package vgabios");
    char *obstacle =
        emulation->runner == RUNNER_BOCHS ? emulator_cpu_obstacle(emulation->cpu) : NULL;
    if (obstacle) {
        fail(LINTEL_USAGE, "%s", obstacle);
        free(obstacle);
        return LINTEL_USAGE;
    }
    if (emulation->machine->cpus > runners[emulation->runner].cpus) {
        return fail(LINTEL_DESCRIPTION,
                    "the machine needs %u CPUs, and %s emulates %u at most: choose lower numbers "
                    "in 'cpus'",
                    emulation->machine->cpus, runners[emulation->runner].program,
                    runners[emulation->runner].cpus);
    }
    return emulated_disks_check(emulation->machine, emulation->runner);
}

/* In the child: a network, a listener for the tool, then the emulator. */
static _Noreturn void become_emulator(const struct emulation *emulation, int channel)
{
    unsigned port = 0;

    process_reset_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0); /* Ctrl-C on the terminal is for the tool, which then ends the emulator */
    bool keeps_network = emulation->machine->nic_count > 0;
    if (emulation->runner == RUNNER_BOCHS && (keeps_network || !leave_network())) {
        note("%s: while Bochs runs, its display can be reached on TCP port 5900 and up",
             keeps_network ? "the machine has a network card, whose other end is your network"
                           : "no network namespace is allowed here");
    }
    int listener = listen_locally(&port);
    int in = open("/dev/null", O_RDONLY);
    bool linked = emulated_disks_link(emulation->machine, emulation->work_folder);
    int out = chdir(emulation->work_folder) == 0
                  ? open("emulator.out", O_WRONLY | O_CREAT | O_TRUNC, 0600)
                  : -1;
    if (listener < 0 || in < 0 || out < 0 || !linked || !send_descriptor(channel, listener)) {
        note("cannot prepare the emulator: %s", strerror(errno));
        _exit(127);
    }
    dup2(in, 0);
    dup2(out, 1);
    dup2(out, 2);
    runners[emulation->runner].become(emulation, port);
    fprintf(stderr, "%s: %s\n", runners[emulation->runner].program, strerror(errno));
    _exit(127);
}

/*
 * Copies the lines of Bochs's log that have a severity of error or panic: "00000012345e[CPU0  ]
 * ...". They name a failed VM entry's check and a triple fault. Returns how many there were.
 */
static unsigned filter_log(const char *from, const char *to)
{
    FILE *log = fopen(from, "r"), *filtered = fopen(to, "w");
    unsigned count = 0;
    char line[512];

    while (log && filtered && fgets(line, sizeof(line), log)) {
        size_t digits = strspn(line, "0123456789");
        if (digits && strchr("ep", line[digits]) && line[digits + 1] == '[') {
            fputs(line, filtered);
            count++;
        }
    }
    if (log)
        fclose(log);
    if (filtered)
        fclose(filtered);
    return count;
}

/* Before Bochs has opened its log, errors are among its output. */
static void explain_start(const struct emulation *emulation)
{
    char *filtered = text("%s/errors", emulation->work_folder);
    char *output = text("%s/emulator.out", emulation->work_folder);

    if (filter_log(output, filtered))
        print_tail(filtered, 12);
    else
        print_tail(output, 5);
    free(output);
    free(filtered);
}

/* Waits for the emulator to connect its next port. -1 when it ends, or takes too long. */
static int accept_line(const struct emulation *emulation, int listener, pid_t child)
{
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    sigset_t signals;

    unfinished_signals(&signals);
    for (int i = 0; i < CONNECT_SECONDS * 10; i++) {
        if (poll(&waiting, 1, 100) == 1)
            return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        int signal_number = sigtimedwait(&signals, NULL, &(struct timespec){0});
        if (signal_number > 0) {
            emulator_end(child, true);
            unfinished_stop(signal_number);
        }
        siginfo_t ended = {0};
        if (waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            ended.si_pid == child) {
            return -1;
        }
    }
    note("%s has not set its machine up within %d s; it takes long with much memory (host.memory)",
         runners[emulation->runner].program, CONNECT_SECONDS);
    return -1;
}

/* It connects them in their order. False: not all of them. */
static bool accept_lines(const struct emulation *emulation, int listener, pid_t child,
                         int lines[LINE_COUNT])
{
    for (unsigned i = 0; i < line_count(emulation); i++) {
        lines[i] = accept_line(emulation, listener, child);
        if (lines[i] < 0)
            return false;
    }
    return true;
}

enum exit_code emulator_start(const struct emulation *emulation, pid_t *child,
                              int lines[LINE_COUNT])
{
    int channel[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0)
        return fail(LINTEL_MACHINE, "no socket: %s", strerror(errno));
    *child = fork();
    if (*child == 0)
        become_emulator(emulation, channel[1]);
    close(channel[1]);
    int listener = *child > 0 ? receive_descriptor(channel[0]) : -1;
    close(channel[0]);
    lines[LINE_CONSOLE] = lines[LINE_CONTROL] = -1;
    bool connected = listener >= 0 && accept_lines(emulation, listener, *child, lines);
    close(listener);
    if (connected)
        return LINTEL_OK;
    close(lines[LINE_CONSOLE]);
    int code = *child > 0 ? emulator_end(*child, true) : 127;
    note("%s did not start (code %d); it said:", runners[emulation->runner].program, code);
    explain_start(emulation);
    return LINTEL_MACHINE;
}

int emulator_end(pid_t child, bool kill_it)
{
    int status = 0;

    if (kill_it)
        kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void emulator_explain(const struct emulation *emulation)
{
    char *log = text("%s/bochs.log", emulation->work_folder),
         *filtered = text("%s/errors", emulation->work_folder);
    char *output = text("%s/emulator.out", emulation->work_folder);

    print_tail(output, 5);
    filter_log(log, filtered);
    print_tail(filtered, 12);
    free(output);
    free(filtered);
    free(log);
}
