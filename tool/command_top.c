/* SPDX-License-Identifier: BSD-2-Clause */
/* lintel top: what the VMs and processes of a machine use, on a screen; or once, for Prometheus. */
#include <curses.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool/command.h"
#include "tool/control_line.h"
#include "tool/report.h"
#include "tool/usage.h"

#define INTERVAL_MAX 3600 /* seconds */

struct wish {
    bool batch;
    unsigned long long interval; /* seconds */
};

static enum exit_code print_batch(struct control_line *line, const struct control_hello *hello)
{
    struct usage now;
    enum exit_code code = usage_fetch(line, hello, &now);

    if (code == LINTEL_OK)
        usage_prometheus(stdout, &now);
    return code;
}

static int row; /* of the screen; what is below it is not seen */

static void draw_line(const char *text)
{
    mvaddstr(row++, 0, text);
}

static void draw(const struct usage *before, const struct usage *now)
{
    erase();
    row = 0;
    usage_table(before, now, (unsigned)getmaxx(stdscr) - 1, draw_line);
    refresh();
}

/* True: it was asked to end. A window of another size is drawn at once. */
static bool wait_for_key(const struct wish *wish)
{
    timeout((int)wish->interval * 1000);
    int key = getch();

    return key == 'q' || key == 'Q';
}

/* Until q is pressed, or the machine is gone: then why goes to where it stays. */
static enum exit_code run_screen(struct control_line *line, const struct control_hello *hello,
                                 const struct wish *wish)
{
    static struct usage looks[2];
    unsigned now = 0;
    enum exit_code code = usage_fetch(line, hello, &looks[0]);

    if (code != LINTEL_OK)
        return code;
    looks[1] = looks[0];
    SCREEN *screen = newterm(NULL, stdout, stdin);
    if (!screen)
        return fail(LINTEL_USAGE, "this terminal has no screen: set TERM, or take --batch");
    noecho();
    curs_set(0);
    do {
        draw(&looks[!now], &looks[now]);
        if (wait_for_key(wish))
            break;
        now = !now;
        code = usage_fetch(line, hello, &looks[now]);
    } while (code == LINTEL_OK);
    endwin();
    delscreen(screen);
    return code;
}

static bool read_words(const struct command *self, int argc, char *argv[], struct wish *wish)
{
    static const struct option options[] = {
        {"batch", no_argument, NULL, 'b'}, {"interval", required_argument, NULL, 'i'}, {0}};
    int option;

    while ((option = command_option(self, argc, argv, "", options)) >= 0)
        if (option == 'b')
            wish->batch = true;
        else if (option != 'i' ||
                 !command_number(self, "--interval", optarg, 1, INTERVAL_MAX, &wish->interval))
            return false;
    if (optind == argc - 1)
        return true;
    command_misused(self, "give a run's socket");
    return false;
}

int command_top(const struct command *self, int argc, char *argv[])
{
    struct wish wish = {.interval = 1};
    struct control_hello hello;
    struct control_line line;

    if (!read_words(self, argc, argv, &wish))
        return LINTEL_USAGE;
    if (!wish.batch && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
        return command_misused(self, "the screen wants a terminal: take --batch");
    int code = control_line_open(&line, argv[optind], &hello);
    if (code == LINTEL_OK) {
        code = wish.batch ? print_batch(&line, &hello) : run_screen(&line, &hello, &wish);
        control_line_close(&line);
    }
    return code;
}
