#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# page.sh GENERATOR PAGE: a page that a program makes from a table is what the program prints now.
set -eu

if ! "$1" | diff -u "$2" -; then
    echo "${2##*/} is stale: write the output of $1 there"
    exit 1
fi
