/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/json.h"

#include "tool/utf8.h"

void json_begin(FILE *to, const char *command)
{
    fprintf(to, "{\n  \"command\": \"%s\",\n  \"version\": %d,\n  ", command, JSON_VERSION);
}

void json_string(FILE *to, const char *string)
{
    size_t length;

    fputc('"', to);
    for (; *string; string += length > 0 ? length : 1) {
        length = utf8_character(string);
        if (*string == '"' || *string == '\\')
            fprintf(to, "\\%c", *string);
        else if (length == 1 && *string < ' ')
            fprintf(to, "\\u%04x", *string);
        else if (length == 0)
            fputs("\\ufffd", to);
        else
            fwrite(string, 1, length, to);
    }
    fputc('"', to);
}
