/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lintel-mkinitrd OUTPUT LIST [PROGRAM...]: makes an initrd at build time, without root.
 *
 * LIST has a member in each line, with paths and octal modes; # starts a comment:
 *   dir PATH MODE | node PATH MODE MAJOR MINOR (a character device) | link PATH TARGET | file PATH
 * MODE SOURCE A relative SOURCE is looked for beside the list. Each PROGRAM becomes /bin/NAME,
 * without a suffix ".elf".
 */
#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool/cpio.h"

#define WORD_SIZE 256

static _Noreturn void die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("lintel-mkinitrd: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static void add_file(struct cpio *cpio, const char *name, unsigned mode, const char *source)
{
    struct stat info;
    FILE *file = fopen(source, "r");

    if (!file || fstat(fileno(file), &info) != 0)
        die("%s: %s", source, strerror(errno));
    size_t size = (size_t)info.st_size;
    char *data = malloc(size + 1);
    if (!data || fread(data, 1, size, file) != size)
        die("%s: cannot be read", source);
    cpio_add(cpio, &(struct cpio_member){
                       .name = name, .mode = S_IFREG | mode, .data = data, .size = size});
    free(data);
    fclose(file);
}

/* Adds what one line of the list says. False when the line makes no sense. */
static bool add_line(struct cpio *cpio, const char *line, const char *folder)
{
    char name[WORD_SIZE], other[WORD_SIZE], source[2 * WORD_SIZE];
    unsigned mode, major, minor;

    if (sscanf(line, "dir /%255s %o", name, &mode) == 2) {
        cpio_add(cpio, &(struct cpio_member){.name = name, .mode = S_IFDIR | mode, .data = ""});
    } else if (sscanf(line, "node /%255s %o %u %u", name, &mode, &major, &minor) == 4) {
        cpio_add(
            cpio,
            &(struct cpio_member){
                .name = name, .mode = S_IFCHR | mode, .major = major, .minor = minor, .data = ""});
    } else if (sscanf(line, "link /%255s %255s", name, other) == 2) {
        cpio_add(cpio,
                 &(struct cpio_member){
                     .name = name, .mode = S_IFLNK | 0777, .data = other, .size = strlen(other)});
    } else if (sscanf(line, "file /%255s %o %255s", name, &mode, other) == 3) {
        snprintf(source, sizeof(source), "%s%s%s", other[0] == '/' ? "" : folder,
                 other[0] == '/' ? "" : "/", other);
        add_file(cpio, name, mode, source);
    } else {
        return line[strspn(line, " \t\n")] == '\0' || line[0] == '#';
    }
    return true;
}

static void add_program(struct cpio *cpio, char *path)
{
    char name[WORD_SIZE], *copy = strdup(path), *base = basename(copy);

    base[strcspn(base, ".")] = '\0';
    snprintf(name, sizeof(name), "bin/%s", base);
    add_file(cpio, name, 0755, path);
    free(copy);
}

int main(int argc, char *argv[])
{
    struct cpio cpio;
    char line[4 * WORD_SIZE];

    if (argc < 3)
        die("give OUTPUT LIST [PROGRAM...]");
    FILE *list = fopen(argv[2], "r"), *output = fopen(argv[1], "w");
    if (!list || !output)
        die("%s: %s", list ? argv[1] : argv[2], strerror(errno));
    cpio_begin(&cpio, output);
    char *copy = strdup(argv[2]), *folder = dirname(copy);
    for (unsigned number = 1; fgets(line, sizeof(line), list); number++)
        if (!add_line(&cpio, line, folder))
            die("%s:%u: no such kind of line: %s", argv[2], number, line);
    for (int i = 3; i < argc; i++)
        add_program(&cpio, argv[i]);
    if (!cpio_end(&cpio) || fclose(output) != 0)
        die("%s: %s", argv[1], strerror(errno));
    free(copy);
    fclose(list);
    return 0;
}
