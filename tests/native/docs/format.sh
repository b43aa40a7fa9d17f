#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# format.sh ROOT: all C files are laid out as .clang-format says, and each header begins with #pragma once. Each that differs is named.
# One version for all, because each lays out a little otherwise; Debian 12 and 13 both have this one.
cd "$1" || exit 1
folders='abi bench drivers guests hypervisor lib monitor runtime services tests tool'
if find $folders -name '*.h' -print0 | xargs -0 grep -L '^#pragma once$' | grep .; then
    echo 'these headers have no #pragma once' >&2
    exit 1
fi
find $folders -name '*.[ch]' -print0 |
    xargs -0 clang-format-19 --dry-run --Werror
