/* SPDX-License-Identifier: MIT */
/* The line discipline: editing, signals, flow, and a run of random input. */

#include <stdlib.h>
#include <string.h>

#include <unix/signal.h>

#include "../../servers/unix/line_discipline.h"
#include "tap.h"

static struct line_discipline line;
static char output[65536];
static size_t output_size;
static int last_signal;

static void
test_emit(struct line_discipline *of, const uint8_t *data, size_t size)
{
    (void)of;

    if (output_size + size < sizeof(output)) {
        memcpy(output + output_size, data, size);
        output_size += size;
    }
}

static void
test_signal(struct line_discipline *of, int signo)
{
    (void)of;
    last_signal = signo;
}

static const struct line_ops ops = { test_emit, test_signal };

static void
start(void)
{
    line_init(&line, &ops);
    output_size = 0;
    last_signal = 0;
}

static void
type(const char *text)
{
    for (; *text != '\0'; text++) {
        line_receive(&line, (uint8_t)*text);
    }
}

/* What a read of `size` gives, compared. */
static bool
reads(size_t size, const char *want)
{
    uint8_t data[8192];
    size_t got;

    if (line_readable(&line, size) < 0) {
        return false;
    }

    got = line_read(&line, data, size);
    return got == strlen(want) && memcmp(data, want, got) == 0;
}

static bool
shown(const char *want)
{
    bool same =
        output_size == strlen(want) && memcmp(output, want, output_size) == 0;

    output_size = 0;
    return same;
}

static void
canonical(void)
{
    start();
    type("hel");
    is(line_readable(&line, 10), -1, "half a line is not read");
    type("lo\r");
    ok(shown("hello\r\n"), "typing is echoed, return is a new line");
    ok(reads(100, "hello\n"), "a line is read");
    is(line_readable(&line, 10), -1, "and then no more");
    type("one\ntwo\n");
    ok(reads(2, "on") && reads(100, "e\n"), "a short read leaves the rest");
    ok(reads(100, "two\n"), "one line at a time");
    type("\004");
    is(line_readable(&line, 10), 0, "^D alone is the end of the file");
    ok(reads(10, ""), "which is read once");
    is(line_readable(&line, 10), -1, "only");
    type("ab\004");
    ok(reads(10, "ab"), "^D after text gives the text without new line");
}

static void
editing(void)
{
    start();
    type("abc\177\177x\n");
    ok(shown("abc\b \b\b \bx\r\n"), "erase is shown");
    ok(reads(10, "ax\n"), "erase");
    type("\177\177y\n");
    ok(reads(10, "y\n"), "nothing to erase");
    output_size = 0;
    type("one two  \027\025z\n");
    ok(reads(10, "z\n"), "word erase and kill");
    output_size = 0;
    type("a\001\177");
    ok(shown("a^A\b \b\b \b"), "a control character takes two columns");
    type("\n");
    (void)reads(10, "a\n");
    output_size = 0;
    type("\303\251\177q\n");
    ok(reads(10, "q\n"), "a character of two bytes is erased whole");
    type("\026\003\n");
    ok(reads(10, "\003\n") && last_signal == 0, "literal next");
    output_size = 0;
    type("ab\022");
    ok(shown("ab^R\r\nab"), "reprint");
}

static void
signals(void)
{
    start();
    type("abc\003");
    is(last_signal, UNIX_SIGINT, "^C raises SIGINT");
    ok(shown("abc^C"), "and is shown");
    type("d\n");
    ok(reads(10, "d\n"), "the line is forgotten");
    type("\032");
    is(last_signal, UNIX_SIGTSTP, "^Z");
    type("\034");
    is(last_signal, UNIX_SIGQUIT, "^\\");
    type("\023");
    ok(line.stopped, "^S stops the output");
    type("\021");
    ok(!line.stopped, "^Q lets it go on");
}

static void
raw(void)
{
    struct unix_termios termios;

    start();
    type("typed");
    termios = line.termios;
    termios.lflag &= ~(UNIX_ICANON | UNIX_ECHO | UNIX_ISIG);
    line_configure(&line, &termios);
    ok(reads(100, "typed"), "raw: what was typed can be read");
    type("\003");
    ok(reads(1, "\003") && last_signal == 0, "raw: ^C is a character");
    is(line_readable(&line, 1), -1, "VMIN is 1");
    termios.cc[UNIX_VMIN] = 3;
    line_configure(&line, &termios);
    type("ab");
    is(line_readable(&line, 10), -1, "VMIN 3: two are too few");
    type("c");
    ok(reads(10, "abc"), "three are enough");
    termios.cc[UNIX_VMIN] = 0;
    line_configure(&line, &termios);
    is(line_readable(&line, 10), 0, "VMIN 0: nothing is there");
    termios.lflag |= UNIX_ICANON;
    type("x");
    line_configure(&line, &termios);
    ok(reads(10, "x"), "canonical again: what is there is a line");
}

static void
limits(void)
{
    int i;

    start();

    for (i = 0; i < 3000; i++) {
        type("x");
    }

    type("\n");
    is(line_readable(&line, 100000), LINE_EDIT_SIZE, "a line has a limit");
    start();

    for (i = 0; i < 1000; i++) {
        type("\n");
    }

    is(line.line_count, LINE_COUNT, "so has the number of lines");
    start();

    for (i = 0; i < 20; i++) {
        int j;

        for (j = 0; j < 900; j++) {
            type("y");
        }

        type("\n");
    }

    ok(ring_used(&line.input) <= LINE_INPUT_SIZE, "and their size");
}

/* Whatever comes in, counts and lengths agree. */
static void
random_input(void)
{
    unsigned int seed = 1;
    bool good = true;
    int i;

    start();

    for (i = 0; i < 200000; i++) {
        struct unix_termios termios = line.termios;
        uint8_t data[300];
        unsigned int total = 0;
        unsigned int n;

        seed = seed * 1103515245 + 12345;
        output_size = 0;

        if (i % 97 == 0) {
            termios.lflag ^= (seed >> 8) & UNIX_ICANON;
            termios.cc[UNIX_VMIN] = (seed >> 12) % 4;
            line_configure(&line, &termios);
        }

        line_receive(&line, (uint8_t)(seed >> 16));

        if (i % 5 == 0 && line_readable(&line, sizeof(data)) > 0) {
            line_read(&line, data, (seed >> 20) % sizeof(data));
        }

        if ((line.termios.lflag & UNIX_ICANON) != 0) {
            for (n = 0; n < line.line_count; n++) {
                total += line.lines[(line.line_first + n) % LINE_COUNT];
            }

            good = good && total == ring_used(&line.input);
        }

        good = good && line.edit_length <= LINE_EDIT_SIZE;
    }

    ok(good, "200,000 random bytes, and the lines add up to the input");
}

int
main(void)
{
    canonical();
    editing();
    signals();
    raw();
    limits();
    random_input();
    return tap_done();
}
