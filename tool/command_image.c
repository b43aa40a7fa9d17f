/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel image: a bootable image for a real machine. */
#include <stdlib.h>
#include <string.h>

#include "tool/command.h"
#include "tool/console_process.h"
#include "tool/image.h"
#include "tool/process.h"

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"end", required_argument, NULL, 'e'},
    {"hypervisor-options", required_argument, NULL, 'O'},
    {"control", no_argument, NULL, 'C'},
    {0},
};

/* Reads the command line into `request` and `use`. LINTEL_USAGE after a message. */
static int read_options(const struct command *self, int argc, char *argv[],
                        struct image_request *request, unsigned *use)
{
    int option;

    while ((option = command_option(self, argc, argv, "o:", long_options)) >= 0) {
        switch (option) {
        case 'o':
            request->output = optarg;
            break;
        case 'e':
            request->end = optarg;
            break;
        case 'O':
            request->options = optarg;
            break;
        case 'C':
            *use |= MACHINE_CONTROLLED;
            break;
        default:
            return LINTEL_USAGE;
        }
    }
    if (optind != argc - 1)
        return command_misused(self, "give one VM description");
    if (!request->output)
        return command_misused(self, "give the image's name with -o");
    if (strcmp(request->end, "halt") != 0 && strcmp(request->end, "bochs") != 0 &&
        strcmp(request->end, "qemu") != 0) {
        return command_misused(self, "--end takes halt, bochs or qemu, not '%s'", request->end);
    }
    const char *wrong = image_options_wrong(request->options);
    if (wrong)
        return command_misused(self, "%s", wrong);
    return LINTEL_OK;
}

int command_image(const struct command *self, int argc, char *argv[])
{
    struct image_request request = {.end = "halt", .serial_menu = true};
    struct machine machine;
    unsigned use = 0;
    int code = read_options(self, argc, argv, &request, &use);

    if (code != LINTEL_OK)
        return code;
    code = machine_load(argv[optind], use, &machine);
    if (code != LINTEL_OK)
        return code;
    console_process_set_lines(&machine.plan,
                              console_words_read(request.options) == CONSOLE_WORDS_LINES);
    char *folder = work_folder_make();
    request.work_folder = folder;
    code = folder ? (int)image_build(&machine, &request) : LINTEL_MACHINE;
    if (folder)
        work_folder_remove(folder);
    machine_free(&machine);
    return code;
}
