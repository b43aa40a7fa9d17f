/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel snapshot and lintel restore: a VM is kept as it is, and becomes that again. */
#include "tool/command.h"
#include "tool/control_line.h"
#include "tool/on_vm.h"
#include "tool/snapshot.h"

static enum exit_code perform(struct control_line *line, const struct control_hello *hello,
                              const char *name, const void *call)
{
    struct control_vm is;
    unsigned vm;
    enum exit_code code = control_line_find(line, hello, name, &vm, &is);

    if (code != LINTEL_OK)
        return code;
    if (is.state == CONTROL_VM_ENDED)
        return fail(LINTEL_USAGE, "vm %s has ended: it is not what it was any more", name);
    return snapshot_copy(line, *(const enum control_call *)call, vm, name,
                         is.state == CONTROL_VM_RUNS);
}

int command_snapshot(const struct command *self, int argc, char *argv[])
{
    static const enum control_call call = CONTROL_CALL_SNAPSHOT;

    return on_vm(self, argc, argv, perform, &call);
}

int command_restore(const struct command *self, int argc, char *argv[])
{
    static const enum control_call call = CONTROL_CALL_RESTORE;

    return on_vm(self, argc, argv, perform, &call);
}
