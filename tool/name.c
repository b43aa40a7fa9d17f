/* SPDX-License-Identifier: BSD-2-Clause */
/* Names: see name.h. */
#include "tool/name.h"

#include <string.h>

bool name_check(struct description_file *file, const char *where, const char *name, size_t most)
{
    bool good = name[0] && !name[strspn(name, WORD_CHARACTERS)];

    if (!good) {
        description_error(file, where,
                          "'%s' is no name; use letters, digits, '-', '_' and '.', at least one",
                          name);
    } else if (strlen(name) > most) {
        description_error(file, where, "'%s' has %zu characters; at most %zu fit", name,
                          strlen(name), most);
        good = false;
    }
    return good;
}
