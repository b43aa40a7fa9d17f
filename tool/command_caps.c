/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/command.h"
#include "tool/report.h"
int command_caps(const struct command *self, int argc, char *argv[])
{
    return LINTEL_OK;
}
