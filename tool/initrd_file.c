/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading an initrd to its end: see initrd_file.h.
 *
 * libarchive undoes the compression and finds its damage. It is not asked to read the cpio
 * archives, because an initrd is often several of them one after the other (microcode first),
 * padded with zeros.
 */
#include "tool/initrd_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEWC_HEADER  110
#define NEWC_SIZE    54
#define NEWC_NAME    94
#define NAME_MAX_LEN 4096
#define TRAILER      "TRAILER!!!"

/* A stream of plain bytes, out of the compressed ones. */
struct stream {
    struct archive *archive;
    uint64_t position;
    char wrong[256]; /* empty: nothing yet */
};

static void stream_damaged(struct stream *stream, uint64_t position)
{
    const char *detail = archive_error_string(stream->archive);

    snprintf(stream->wrong, sizeof(stream->wrong),
             "is truncated or damaged: its compression ends after %llu bytes of content (%s); copy "
             "or build it again",
             (unsigned long long)position, detail ? detail : "unexpected end");
}

static bool stream_open(struct stream *stream, const uint8_t *data, size_t size)
{
    struct archive_entry *entry;

    stream->position = 0;
    stream->archive = archive_read_new();
    archive_read_support_filter_gzip(stream->archive);
    archive_read_support_filter_bzip2(stream->archive);
    archive_read_support_filter_lzma(stream->archive);
    archive_read_support_filter_xz(stream->archive);
    archive_read_support_filter_lz4(stream->archive);
    archive_read_support_filter_zstd(stream->archive);
    archive_read_support_format_raw(stream->archive);
    if (archive_read_open_memory(stream->archive, data, size) == ARCHIVE_OK &&
        archive_read_next_header(stream->archive, &entry) == ARCHIVE_OK) {
        return true;
    }
    stream_damaged(stream, 0);
    return false;
}

/* Reads up to `size` bytes (to nowhere when `buffer` is NULL); returns how many there were. */
static uint64_t stream_read(struct stream *stream, void *buffer, uint64_t size)
{
    uint8_t nowhere[4096];
    uint64_t done = 0;

    while (done < size) {
        uint64_t part = size - done;
        void *to = buffer ? (uint8_t *)buffer + done : nowhere;
        if (!buffer && part > sizeof(nowhere))
            part = sizeof(nowhere);
        la_ssize_t got = archive_read_data(stream->archive, to, part);
        if (got < 0)
            stream_damaged(stream, stream->position + done);
        if (got <= 0)
            break;
        done += (uint64_t)got;
    }
    stream->position += done;
    return done;
}

static bool truncated(struct stream *stream)
{
    if (!stream->wrong[0]) {
        snprintf(
            stream->wrong, sizeof(stream->wrong),
            "is truncated: it ends inside an archive, after %llu bytes; copy or build it again",
            (unsigned long long)stream->position);
    }
    return false;
}

/* Passes `size` bytes, and those up to the next multiple of 4. */
static bool stream_skip(struct stream *stream, uint64_t size)
{
    uint64_t padding = -(stream->position + size) & 3;

    return stream_read(stream, NULL, size + padding) == size + padding || truncated(stream);
}

/* The eight hexadecimal digits at `digits`: no sign, blank or prefix, which strtoul would take. */
static bool newc_number(const char *digits, uint64_t *value)
{
    char copy[9] = {0};

    memcpy(copy, digits, 8);
    *value = strtoul(copy, NULL, 16);
    return strspn(copy, "0123456789abcdefABCDEF") == 8;
}

/* Reads one member, whose first `have` bytes of header are in `header`. `*last` is set after the
 * trailer. */
static bool read_member(struct stream *stream, char header[static NEWC_HEADER], size_t have,
                        bool *last)
{
    uint64_t start = stream->position - have, size, name_size;
    char name[NAME_MAX_LEN];

    if (stream_read(stream, header + have, NEWC_HEADER - have) != NEWC_HEADER - have)
        return truncated(stream);
    if ((memcmp(header, "070701", 6) != 0 && memcmp(header, "070702", 6) != 0) ||
        !newc_number(header + NEWC_SIZE, &size) || !newc_number(header + NEWC_NAME, &name_size) ||
        name_size == 0 || name_size > sizeof(name)) {
        snprintf(stream->wrong, sizeof(stream->wrong),
                 "has no cpio header (newc) where one must be, at byte %llu of its content",
                 (unsigned long long)start);
        return false;
    }
    if (stream_read(stream, name, name_size) != name_size)
        return truncated(stream);
    name[name_size - 1] = '\0';
    *last = strcmp(name, TRAILER) == 0;
    return stream_skip(stream, 0) && stream_skip(stream, size);
}

/*
 * Reads archives to the end of the stream. When plain archives are followed by something else, that
 * starts at `*next` (the rest of the initrd, compressed in another way); otherwise `*next` is 0.
 */
static bool read_archives(struct stream *stream, uint64_t *next)
{
    char header[NEWC_HEADER];
    bool last = true;
    bool plain = archive_filter_code(stream->archive, 0) == ARCHIVE_FILTER_NONE;

    *next = 0;
    for (;;) {
        size_t have = stream_read(stream, header, 4);
        if (stream->wrong[0])
            return false;
        if (have == 0)
            return last || truncated(stream);
        if (last && memcmp(header, "\0\0\0\0", have) == 0)
            continue; /* the padding between archives */
        if (have < 4)
            return truncated(stream);
        if (last && plain && stream->position > 4 && memcmp(header, "0707", 4) != 0) {
            *next = stream->position - 4;
            return true;
        }
        if (!read_member(stream, header, have, &last))
            return false;
    }
}

const char *initrd_inspect(const uint8_t *data, size_t size)
{
    static struct stream stream;
    uint64_t next = 0;
    bool good = size > 0;

    stream.wrong[0] = '\0';
    if (!good)
        return "is empty";
    do {
        data += next;
        size -= next;
        good = stream_open(&stream, data, size) && read_archives(&stream, &next);
        archive_read_free(stream.archive);
    } while (good && next);
    return good ? NULL : stream.wrong;
}
