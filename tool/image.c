/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing the bootable image with grub-mkrescue: see image.h. */
#include "tool/image.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/console_process.h"
#include "tool/paths.h"
#include "tool/process.h"
#include "tool/unfinished.h"

/* What GRUB needs to read the ISO and to start the hypervisor: a small image boots sooner. */
#define GRUB_MODULES "--install-modules=iso9660 multiboot2 normal serial terminal all_video"

#define OPTION_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=,._:+- "

/* The words before the image's own files in grub-mkrescue's command line, and after: hypervisor,
 * monitor, plan, menu. */
enum { FIXED_BEFORE = 9, FIXED_FILES = 4 };

const char *image_options_wrong(const char *options)
{
    if (options && options[strspn(options, OPTION_CHARACTERS)])
        return "--hypervisor-options takes words of letters, digits and =,._:+-";
    return console_words_read(options) == CONSOLE_WORDS_WRONG
               ? "--hypervisor-options: console= takes focus or lines"
               : NULL;
}

/* Each but those for the console's process, to which the plan tells them. */
static void write_options(const char *options, FILE *to)
{
    for (size_t length; options && *options; options += length + strspn(options + length, " ")) {
        length = strcspn(options, " ");
        if (length > 0 && !console_process_word(options))
            fprintf(to, " %.*s", (int)length, options);
    }
}

void image_write_words(const struct machine *machine, const struct image_request *request, FILE *to)
{
    fprintf(to, "end=%s", request->end);
    if (machine->hide)
        fprintf(to, " hide=%s", machine->hide);
    if (machine->msr_switch)
        fprintf(to, " msr-switch=%s", machine->msr_switch);
    write_options(request->options, to);
}

static enum exit_code write_menu(const struct machine *machine, const struct image_request *request,
                                 const char *path)
{
    FILE *menu = fopen(path, "w");

    if (!menu)
        return fail(LINTEL_MACHINE, "%s: %s", path, strerror(errno));
    if (request->serial_menu) {
        fputs("if serial --unit=0 --speed=115200; then\n"
              "  terminal_input console serial\n"
              "  terminal_output console serial\n"
              "fi\n",
              menu);
    }
    fputs("set timeout=0\n"
          "menuentry Lintel {\n",
          menu);
    fputs("  multiboot2 /boot/lintel-hypervisor ", menu);
    image_write_words(machine, request, menu);
    fputs("\n"
          "  module2 /boot/plan plan\n"
          "  module2 /boot/monitor monitor\n",
          menu);
    for (uint32_t i = 0; i < machine->plan.file_count; i++)
        fprintf(menu, "  module2 /boot/file-%u %s\n", i, machine->plan.files[i].name);
    fputs("}\n", menu);
    if (fclose(menu) != 0)
        return fail(LINTEL_MACHINE, "%s: %s", path, strerror(errno));
    return LINTEL_OK;
}

static enum exit_code write_plan(const struct plan *plan, const char *path)
{
    FILE *file = fopen(path, "w");
    size_t done = file ? fwrite(plan, sizeof(*plan), 1, file) : 0;

    if (!file || (fclose(file) != 0) || done != 1)
        return fail(LINTEL_MACHINE, "%s: %s", path, strerror(errno));
    return LINTEL_OK;
}

/* "PLACE=FILE" for xorriso's -graft-points, in which '=' and '\' of a file's name
 * need a backslash. */
static char *graft(const char *place, const char *file)
{
    char *result = text("%s=%*s", place, (int)(2 * strlen(file)), ""),
         *to = result + strlen(place) + 1;

    for (; *file; file++) {
        if (*file == '=' || *file == '\\')
            *to++ = '\\';
        *to++ = *file;
    }
    *to = '\0';
    return result;
}

/* Runs a program that writes `output`, of which nothing is left when it fails; returns its code. */
static int run_maker(const char *const argv[], const char *output, const char *log)
{
    struct stat info;

    if (stat(output, &info) == 0 && !S_ISREG(info.st_mode))
        return process_run(argv, NULL, log); /* a device, such as a USB stick: it stays */
    unfinished_begin(output);
    int result = process_run(argv, NULL, log);
    if (result != 0)
        unlink(output);
    unfinished_end();
    return result;
}

static enum exit_code make_iso(const struct machine *machine, const struct image_request *request,
                               const char *grafts[])
{
    /* When it fails, it leaves files in there. */
    char *folder = text("TMPDIR=%s", request->work_folder);
    const char *argv[FIXED_BEFORE + FIXED_FILES + PLAN_MAX_FILES + 1] = {
        "env",       folder, "grub-mkrescue", GRUB_MODULES, "--fonts=", "--locales=",
        "--themes=", "-o",   request->output,
    };
    char *log = text("%s/grub-mkrescue.log", request->work_folder);
    enum exit_code code = LINTEL_OK;

    memcpy(argv + FIXED_BEFORE, grafts, (FIXED_FILES + machine->plan.file_count) * sizeof(*argv));
    int result = run_maker(argv, request->output, log);
    if (result != 0) {
        code = fail(LINTEL_MACHINE,
                    "grub-mkrescue ended with code %d (does the disk of %s have room?); it said:",
                    result, request->output);
        print_tail(log, 10);
    }
    free(log);
    free(folder);
    return code;
}

/* Lays out the image's files and makes the ISO. */
static enum exit_code assemble(const struct machine *machine, const struct image_request *request,
                               const char *hypervisor, const char *monitor)
{
    char *grafts[FIXED_FILES + PLAN_MAX_FILES], place[64];
    char *menu = text("%s/grub.cfg", request->work_folder),
         *plan = text("%s/plan", request->work_folder);
    uint32_t count = FIXED_FILES + machine->plan.file_count;

    enum exit_code code = write_menu(machine, request, menu);
    if (code == LINTEL_OK)
        code = write_plan(&machine->plan, plan);
    if (code == LINTEL_OK) {
        grafts[0] = graft("/boot/grub/grub.cfg", menu);
        grafts[1] = graft("/boot/plan", plan);
        grafts[2] = graft("/boot/lintel-hypervisor", hypervisor);
        grafts[3] = graft("/boot/monitor", monitor);
        for (uint32_t i = 0; i < machine->plan.file_count; i++) {
            snprintf(place, sizeof(place), "/boot/file-%u", i);
            grafts[FIXED_FILES + i] = graft(place, machine->files[i]);
        }
        code = make_iso(machine, request, (const char **)grafts);
        for (uint32_t i = 0; i < count; i++)
            free(grafts[i]);
    }
    free(plan);
    free(menu);
    return code;
}

static enum exit_code check_programs(void)
{
    static const struct {
        const char *program, *package;
    } needed[] = {
        {"grub-mkrescue", "grub-common, grub-pc-bin and grub-efi-amd64-bin"},
        {"xorriso", "xorriso"},
        {"mformat", "mtools"},
    };

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (!program_exists(needed[i].program)) {
            return fail(LINTEL_MACHINE,
                        "%s is missing, which writes the image; install the package %s",
                        needed[i].program, needed[i].package);
        }
    }
    return LINTEL_OK;
}

/* Whether the image can be written: grub-mkrescue would find out late, and say it at length. */
static enum exit_code check_output(const char *path)
{
    struct stat info;
    bool there = stat(path, &info) == 0;
    char *copy = text("%s", path);
    int error = access(there || !path[0] ? path : dirname(copy), W_OK) == 0 ? 0 : errno;

    free(copy);
    if (there && S_ISDIR(info.st_mode))
        error = EISDIR;
    if (there && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode)))
        error = ESPIPE; /* the image is not written in its order */
    if (error) {
        return fail(LINTEL_MACHINE, "%s: %s; name a file that can be written",
                    path[0] ? path : "''", strerror(error));
    }
    return LINTEL_OK;
}

enum exit_code image_build(const struct machine *machine, const struct image_request *request)
{
    enum exit_code code = check_programs();

    if (code == LINTEL_OK)
        code = check_output(request->output);
    if (code != LINTEL_OK)
        return code;
    progress("writing the image");
    char *hypervisor = built_path(BUILT_HYPERVISOR);
    char *monitor = hypervisor ? built_path(BUILT_MONITOR) : NULL;
    code = monitor ? assemble(machine, request, hypervisor, monitor) : LINTEL_MACHINE;
    progress_end();
    free(monitor);
    free(hypervisor);
    return code;
}
