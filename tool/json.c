/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/json.h"

void json_string(FILE *to, const char *string)
{
    fputc('"', to);
    for (; *string; string++)
        if (*string == '"' || *string == '\\')
            fprintf(to, "\\%c", *string);
        else if ((unsigned char)*string < ' ')
            fprintf(to, "\\u%04x", *string);
        else
            fputc(*string, to);
    fputc('"', to);
}
