/* SPDX-License-Identifier: BSD-2-Clause */
/* The tool's end of a control line: see control_line.h. */
#include "tool/control_line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "lib/bits.h"
#include "lib/control_frame.h"
#include "tool/local_socket.h"

#define TRIES       3
#define PATIENCE_MS 4000 /* for each of them; more than a run's own (relay.h) */

/* -1 with errno set; an address that is none has been told. */
static int open_socket(const char *path)
{
    struct sockaddr_un address;
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    errno = ENAMETOOLONG;
    if (file >= 0 && local_socket_address(path, &address) &&
        connect(file, (struct sockaddr *)&address, sizeof(address)) == 0)
        return file;
    int error = errno;
    close(file);
    errno = error;
    return -1;
}

/* One tool at a time: one that shows a console, or debugs, may have it for long. */
static bool lock_device(int file, const char *path)
{
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        progress("%s: another tool has this port; this one waits for its end", path);
    bool locked = flock(file, LOCK_EX) == 0;
    int error = errno;
    progress_end();
    errno = error;
    return locked;
}

/* 115200 baud, 8N1, bytes as they are. */
static int open_device(const char *path)
{
    int file = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios line;

    if (file < 0)
        return -1;
    if (lock_device(file, path) && tcgetattr(file, &line) == 0) {
        cfmakeraw(&line);
        cfsetspeed(&line, B115200);
        line.c_cflag |= CLOCAL | CREAD;
        line.c_cflag &= ~(tcflag_t)(CRTSCTS | CSTOPB);
        if (tcsetattr(file, TCSAFLUSH, &line) == 0)
            return file;
    }
    int error = errno;
    close(file);
    errno = error;
    return -1;
}

static int left_ms(const struct timespec *begin)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return PATIENCE_MS -
           (int)((now.tv_sec - begin->tv_sec) * 1000 + (now.tv_nsec - begin->tv_nsec) / 1000000);
}

/* Waits for the answer with this tag. False: it has not come. */
static bool await(struct control_line *line, struct control_answer *answer)
{
    uint8_t bytes[sizeof(*answer)];
    size_t count = 0, size;
    struct timespec begin;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int left; (left = left_ms(&begin)) > 0;) {
        struct pollfd polled = {.fd = line->file, .events = POLLIN};
        if (poll(&polled, 1, left) <= 0)
            continue;
        ssize_t length = read(line->file, bytes + count, sizeof(bytes) - count);
        if (length <= 0)
            return false;
        count += (size_t)length;
        enum control_verdict verdict;
        while ((verdict = control_frame(bytes, count, CONTROL_ANSWER, &size)) !=
               CONTROL_FRAME_SHORT) {
            bool whole = verdict == CONTROL_FRAME_WHOLE;
            if (whole) {
                *answer = (struct control_answer){0};
                memcpy(answer, bytes, size);
            }
            if (whole && answer->tag == line->tag)
                return true;
            size = whole ? size : 1;
            count -= size;
            memmove(bytes, bytes + size, count);
        }
    }
    return false;
}

enum control_error control_line_ask(struct control_line *line, enum control_call call, unsigned vm,
                                    uint64_t argument, struct control_answer *answer)
{
    struct control_request request = {
        .magic = CONTROL_REQUEST, .call = (uint8_t)call, .vm = (uint8_t)vm, .argument = argument};

    for (int i = 0; i < TRIES; i++) {
        request.tag = ++line->tag;
        size_t size = control_seal(&request);
        if (write(line->file, &request, size) != (ssize_t)size)
            return CONTROL_SILENT;
        if (await(line, answer) && answer->error != CONTROL_SILENT)
            return (enum control_error)answer->error;
    }
    return CONTROL_SILENT;
}

enum exit_code control_line_open(struct control_line *line, const char *path,
                                 struct control_hello *hello)
{
    struct control_answer answer;
    struct stat info;
    bool device = stat(path, &info) == 0 && S_ISCHR(info.st_mode);

    *line =
        (struct control_line){.path = path, .file = device ? open_device(path) : open_socket(path)};
    if (line->file < 0)
        return fail(LINTEL_MACHINE,
                    "%s: %s; name the socket of 'lintel run --control', or the serial port that "
                    "leads to the machine",
                    path, strerror(errno));
    if (control_line_ask(line, CONTROL_CALL_HELLO, 0, 0, &answer) != CONTROL_OK) {
        control_line_close(line);
        return fail(LINTEL_MACHINE, "%s: nobody answers; does the machine boot yet?", path);
    }
    memcpy(hello, answer.data, sizeof(*hello));
    bool speaks = hello->version == CONTROL_LINE_VERSION;
    if (speaks && hello->tsc_khz > 0)
        return LINTEL_OK;
    control_line_close(line);
    if (speaks)
        return fail(LINTEL_MACHINE, "%s: what it says of the machine is damaged: its TSC stands",
                    path);
    return fail(LINTEL_MACHINE,
                "%s: the machine speaks version %u of the control line, this tool %u", path,
                hello->version, CONTROL_LINE_VERSION);
}

void control_line_close(struct control_line *line)
{
    close(line->file);
}

void control_line_plain(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '?';
}

void control_line_name(char name[PLAN_NAME_SIZE])
{
    name[PLAN_NAME_SIZE - 1] = '\0';
    control_line_plain(name, strlen(name));
}

enum exit_code control_line_gone(const struct control_line *line)
{
    return fail(LINTEL_MACHINE, "%s: nobody answers any more; has the machine ended?", line->path);
}

enum exit_code control_line_look(struct control_line *line, unsigned vm, struct control_vm *is)
{
    struct control_answer answer;

    if (control_line_ask(line, CONTROL_CALL_LOOK, vm, 0, &answer) != CONTROL_OK)
        return control_line_gone(line);
    memcpy(is, answer.data, sizeof(*is));
    control_line_name(is->name);
    if (is->vcpus <= PLAN_MAX_VCPUS)
        return LINTEL_OK;
    return fail(LINTEL_MACHINE, "%s: what it says of vm %s is damaged: %u vCPUs", line->path,
                is->name, is->vcpus);
}

enum exit_code control_line_find(struct control_line *line, const struct control_hello *hello,
                                 const char *name, unsigned *vm, struct control_vm *is)
{
    for (*vm = 0; *vm < PLAN_MAX_VMS; ++*vm) {
        if (!(hello->vms & BIT(*vm)))
            continue;
        enum exit_code code = control_line_look(line, *vm, is);
        if (code != LINTEL_OK || strcmp(is->name, name) == 0)
            return code;
    }
    return fail(LINTEL_USAGE, "there is no VM '%s' that may be controlled; see lintel ps %s", name,
                line->path);
}
