/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that are yes or no: see yes_no.h. */
#include "tool/yes_no.h"

#include <string.h>

bool yes_no(struct loading *loading, const char *where, const char *word, bool otherwise)
{
    if (!word)
        return otherwise;
    if (strcmp(word, "yes") == 0 || strcmp(word, "true") == 0)
        return true;
    if (strcmp(word, "no") != 0 && strcmp(word, "false") != 0) {
        description_error(&loading->file, where, "'%s' is not possible; write yes or no", word);
        return otherwise;
    }
    return false;
}
