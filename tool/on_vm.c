/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/on_vm.h"

int on_vm(const struct command *self, int argc, char *argv[], vm_action *act, const void *what)
{
    static const struct option no_options[] = {{0}};
    struct control_hello hello;
    struct control_line line;

    if (command_option(self, argc, argv, "", no_options) >= 0)
        return LINTEL_USAGE;
    if (optind != argc - 2)
        return command_misused(self, "give a run's socket and the name of a VM");
    int code = control_line_open(&line, argv[optind], &hello);
    if (code == LINTEL_OK) {
        code = act(&line, &hello, argv[optind + 1], what);
        control_line_close(&line);
    }
    return code;
}
