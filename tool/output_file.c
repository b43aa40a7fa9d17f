/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/output_file.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum exit_code output_open(const char *path, FILE **file)
{
    *file = path ? fopen(path, "we") : NULL;
    if (path && !*file) {
        return fail(LINTEL_MACHINE, "%s: %s; name a file that can be written", path,
                    strerror(errno));
    }
    return LINTEL_OK;
}

int output_close(FILE *file, const char *path, int code)
{
    if (!file)
        return code;
    bool good = !ferror(file);
    if ((fclose(file) == 0) & good)
        return code;
    return fail(code ? code : LINTEL_MACHINE, "%s: cannot be written", path);
}
