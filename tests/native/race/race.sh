#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# race.sh PROGRAM PART [found]: what CPUs share has no race; or one is found. ThreadSanitizer wants its program where it was linked to
# be, which some kernels leave to chance.
program=$1 part=$2
said=$(mktemp)
trap 'rm -f "$said"' EXIT
where=
setarch -R true 2>/dev/null && where='setarch -R'
$where "$program" "$part" 2>"$said"
code=$?
case "${3:-}" in
    found) [ $code != 0 ] && grep -E '^SUMMARY: ThreadSanitizer: data race|^race: ' "$said" && exit 0 ;;
    *) [ $code = 0 ] && exit 0 ;;
esac
cat "$said" >&2
exit 1
