/* SPDX-License-Identifier: MIT */
/*
 * The line discipline, in the way of POSIX chapter 11. Editing: erase, word
 * erase, kill, reprint, literal next. A character of UTF-8 is erased whole
 * when IUTF8 is set.
 */

#include <string.h>

#include <unix/signal.h>

#include "line_discipline.h"

#define CONTROL(c) ((c)&0x1f)
#define LINE_DELETE 0x7f
#define LINE_BELL 0x07
#define LINE_TAB 8

static const struct unix_termios line_default = {
    .iflag = UNIX_ICRNL | UNIX_IXON | UNIX_IUTF8,
    .oflag = UNIX_OPOST | UNIX_ONLCR,
    .cflag = UNIX_CS8 | UNIX_CREAD | UNIX_CLOCAL,
    .lflag = UNIX_ISIG | UNIX_ICANON | UNIX_ECHO | UNIX_ECHOE | UNIX_ECHOK |
             UNIX_ECHOCTL | UNIX_ECHOKE | UNIX_IEXTEN,
    .cc = {
        [UNIX_VINTR] = CONTROL('C'),
        [UNIX_VQUIT] = CONTROL('\\'),
        [UNIX_VERASE] = LINE_DELETE,
        [UNIX_VKILL] = CONTROL('U'),
        [UNIX_VEOF] = CONTROL('D'),
        [UNIX_VMIN] = 1,
        [UNIX_VSTART] = CONTROL('Q'),
        [UNIX_VSTOP] = CONTROL('S'),
        [UNIX_VSUSP] = CONTROL('Z'),
        [UNIX_VREPRINT] = CONTROL('R'),
        [UNIX_VDISCARD] = CONTROL('O'),
        [UNIX_VWERASE] = CONTROL('W'),
        [UNIX_VLNEXT] = CONTROL('V'),
    },
    .ispeed = 115200,
    .ospeed = 115200,
};

static bool
line_local(const struct line_discipline *line, uint32_t flag)
{
    return (line->termios.lflag & flag) != 0;
}

static bool
line_is(const struct line_discipline *line, int index, uint8_t byte)
{
    return line->termios.cc[index] != 0 && line->termios.cc[index] == byte;
}

void
line_init(struct line_discipline *line, const struct line_ops *ops)
{
    memset(line, 0, sizeof(*line));
    line->ops = ops;
    line->termios = line_default;
    ring_init(&line->input, line->input_data, LINE_INPUT_SIZE);
}

/* -- Output ---------------------------------------------------------------- */

static void
line_emit(struct line_discipline *line, uint8_t byte)
{
    line->ops->emit(line, &byte, 1);

    if (byte == '\r') {
        line->column = 0;
    } else if (byte == '\b') {
        line->column -= line->column != 0;
    } else if (byte == '\t') {
        line->column = (line->column / LINE_TAB + 1) * LINE_TAB;
    } else if (byte >= ' ' && byte != LINE_DELETE && (byte & 0xc0) != 0x80) {
        line->column++;
    }
}

void
line_write(struct line_discipline *line, uint8_t byte)
{
    uint32_t oflag = line->termios.oflag;

    if ((oflag & UNIX_OPOST) == 0) {
        line_emit(line, byte);
        return;
    }

    if (byte == '\n' && (oflag & UNIX_ONLCR) != 0) {
        line_emit(line, '\r');
    } else if (byte == '\r') {
        if ((oflag & UNIX_ONOCR) != 0 && line->column == 0) {
            return;
        }

        if ((oflag & UNIX_OCRNL) != 0) {
            byte = '\n';
        }
    }

    line_emit(line, byte);

    if (byte == '\n' && (oflag & UNIX_ONLRET) != 0) {
        line->column = 0;
    }
}

/* -- Echo and editing ------------------------------------------------------ */

static bool
line_shown_as_control(const struct line_discipline *line, uint8_t byte)
{
    return line_local(line, UNIX_ECHOCTL) &&
           ((byte < ' ' && byte != '\t' && byte != '\n') ||
            byte == LINE_DELETE);
}

static void
line_show(struct line_discipline *line, uint8_t byte)
{
    if (line_shown_as_control(line, byte)) {
        line_emit(line, '^');
        line_emit(line, byte ^ 0x40);
    } else {
        line_write(line, byte);
    }
}

static void
line_echo(struct line_discipline *line, uint8_t byte)
{
    if (line_local(line, UNIX_ECHO) ||
        (byte == '\n' && line_local(line, UNIX_ECHONL) &&
         line_local(line, UNIX_ICANON))) {
        line_show(line, byte);
    }
}

/* The column that the cursor is in after the edited line. */
static size_t
line_edit_width(const struct line_discipline *line, size_t length)
{
    size_t column = line->edit_column;
    size_t i;

    for (i = 0; i < length; i++) {
        uint8_t byte = line->edit[i];

        if (byte == '\t') {
            column = (column / LINE_TAB + 1) * LINE_TAB;
        } else if (line_shown_as_control(line, byte)) {
            column += 2;
        } else if ((byte & 0xc0) != 0x80) {
            column++;
        }
    }

    return column;
}

/* Take the last character away, from the line and from the screen. */
static void
line_erase_character(struct line_discipline *line)
{
    size_t before = line_edit_width(line, line->edit_length);
    size_t after;

    line->edit_length--;

    if ((line->termios.iflag & UNIX_IUTF8) != 0) {
        while (line->edit_length > 0 &&
               (line->edit[line->edit_length] & 0xc0) == 0x80) {
            line->edit_length--;
        }
    }

    if (!line_local(line, UNIX_ECHO)) {
        return;
    }

    if (!line_local(line, UNIX_ECHOE)) {
        line_show(line, line->termios.cc[UNIX_VERASE]);
        return;
    }

    after = line_edit_width(line, line->edit_length);

    for (; before > after; before--) {
        line_emit(line, '\b');
        line_emit(line, ' ');
        line_emit(line, '\b');
    }
}

static bool
line_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static void
line_erase_word(struct line_discipline *line)
{
    while (line->edit_length > 0 &&
           line_is_blank(line->edit[line->edit_length - 1])) {
        line_erase_character(line);
    }

    while (line->edit_length > 0 &&
           !line_is_blank(line->edit[line->edit_length - 1])) {
        line_erase_character(line);
    }
}

static void
line_kill(struct line_discipline *line)
{
    if (line_local(line, UNIX_ECHOKE) && line_local(line, UNIX_ECHOE)) {
        while (line->edit_length > 0) {
            line_erase_character(line);
        }

        return;
    }

    line->edit_length = 0;

    if (line_local(line, UNIX_ECHO)) {
        line_show(line, line->termios.cc[UNIX_VKILL]);

        if (line_local(line, UNIX_ECHOK)) {
            line_write(line, '\n');
        }
    }
}

static void
line_reprint(struct line_discipline *line)
{
    size_t i;

    line_show(line, line->termios.cc[UNIX_VREPRINT]);
    line_write(line, '\n');
    line->edit_column = 0;

    for (i = 0; i < line->edit_length; i++) {
        line_show(line, line->edit[i]);
    }
}

/* -- Input ----------------------------------------------------------------- */

/* Make the edited line readable. */
static void
line_finish(struct line_discipline *line)
{
    unsigned int slot;

    if (line->line_count == LINE_COUNT ||
        ring_room(&line->input) < line->edit_length) {
        line->edit_length = 0;
        line_emit(line, LINE_BELL);
        return;
    }

    slot = (line->line_first + line->line_count) % LINE_COUNT;
    line->lines[slot] = line->edit_length;
    line->line_count++;
    ring_put(&line->input, line->edit, line->edit_length);
    line->edit_length = 0;
}

static void
line_append(struct line_discipline *line, uint8_t byte)
{
    /* The last place is kept for the end of the line. */
    if (line->edit_length >= LINE_EDIT_SIZE - 1 && byte != '\n') {
        line_emit(line, LINE_BELL);
        return;
    }

    if (line->edit_length == 0) {
        line->edit_column = line->column;
    }

    line->edit[line->edit_length] = byte;
    line->edit_length++;
    line_echo(line, byte);
}

/* True: the byte was an editing character. */
static bool
line_edit_control(struct line_discipline *line, uint8_t byte)
{
    bool extended = line_local(line, UNIX_IEXTEN);

    if (line_is(line, UNIX_VERASE, byte)) {
        if (line->edit_length > 0) {
            line_erase_character(line);
        }
    } else if (line_is(line, UNIX_VKILL, byte)) {
        line_kill(line);
    } else if (extended && line_is(line, UNIX_VWERASE, byte)) {
        line_erase_word(line);
    } else if (extended && line_is(line, UNIX_VREPRINT, byte)) {
        line_reprint(line);
    } else {
        return false;
    }

    return true;
}

static void
line_receive_canonical(struct line_discipline *line, uint8_t byte)
{
    if (line_edit_control(line, byte)) {
        return;
    }

    if (line_is(line, UNIX_VEOF, byte)) {
        line_finish(line);
        return;
    }

    line_append(line, byte);

    if (byte == '\n' || line_is(line, UNIX_VEOL, byte) ||
        line_is(line, UNIX_VEOL2, byte)) {
        line_finish(line);
    }
}

/* True: the byte raised a signal. */
static bool
line_receive_signal(struct line_discipline *line, uint8_t byte)
{
    int signo;

    if (line_is(line, UNIX_VINTR, byte)) {
        signo = UNIX_SIGINT;
    } else if (line_is(line, UNIX_VQUIT, byte)) {
        signo = UNIX_SIGQUIT;
    } else if (line_is(line, UNIX_VSUSP, byte)) {
        signo = UNIX_SIGTSTP;
    } else {
        return false;
    }

    if (!line_local(line, UNIX_NOFLSH)) {
        line_flush(line);
    }

    /* It may throw the output away: what is echoed comes after that. */
    line->stopped = false;
    line->ops->signal(line, signo);
    line_echo(line, byte);
    return true;
}

/* True: the byte stopped or started the output. */
static bool
line_receive_flow(struct line_discipline *line, uint8_t byte)
{
    if (line_is(line, UNIX_VSTOP, byte)) {
        /* One character may be both: it toggles. */
        line->stopped = !line_is(line, UNIX_VSTART, byte) || !line->stopped;
        return true;
    }

    if (line_is(line, UNIX_VSTART, byte)) {
        line->stopped = false;
        return true;
    }

    if (line->stopped && (line->termios.iflag & UNIX_IXANY) != 0) {
        line->stopped = false;
    }

    return false;
}

static void
line_receive_literal(struct line_discipline *line, uint8_t byte)
{
    line->literal = false;

    if (line_local(line, UNIX_ICANON)) {
        line_append(line, byte);
    } else {
        ring_put(&line->input, &byte, 1);
        line_echo(line, byte);
    }
}

/* Carriage return and newline as the input flags say; false: drop it. */
static bool
line_translate(const struct line_discipline *line, uint8_t *bytep)
{
    uint32_t iflag = line->termios.iflag;

    if ((iflag & UNIX_ISTRIP) != 0) {
        *bytep &= 0x7f;
    }

    if (*bytep == '\r') {
        if ((iflag & UNIX_IGNCR) != 0) {
            return false;
        }

        if ((iflag & UNIX_ICRNL) != 0) {
            *bytep = '\n';
        }
    } else if (*bytep == '\n' && (iflag & UNIX_INLCR) != 0) {
        *bytep = '\r';
    }

    return true;
}

void
line_receive(struct line_discipline *line, uint8_t byte)
{
    if (line->literal) {
        line_receive_literal(line, byte);
        return;
    }

    if (!line_translate(line, &byte)) {
        return;
    }

    if (line_local(line, UNIX_ISIG) && line_receive_signal(line, byte)) {
        return;
    }

    if ((line->termios.iflag & UNIX_IXON) != 0 &&
        line_receive_flow(line, byte)) {
        return;
    }

    if (line_local(line, UNIX_IEXTEN) && line_local(line, UNIX_ICANON) &&
        line_is(line, UNIX_VLNEXT, byte)) {
        line->literal = true;
        return;
    }

    if (line_local(line, UNIX_ICANON)) {
        line_receive_canonical(line, byte);
    } else if (ring_put(&line->input, &byte, 1) == 1) {
        line_echo(line, byte);
    }
}

/* -- Reading --------------------------------------------------------------- */

long
line_readable(const struct line_discipline *line, size_t size)
{
    size_t used = ring_used(&line->input);
    size_t least = line->termios.cc[UNIX_VMIN];

    if (line_local(line, UNIX_ICANON)) {
        if (line->line_count == 0) {
            return -1;
        }

        used = line->lines[line->line_first];
        return (long)(used < size ? used : size);
    }

    if (line->termios.cc[UNIX_VTIME] != 0) {
        /* With a time limit: one byte, or (tty.c) the time is over. */
        least = 1;
    }

    if (least > size) {
        least = size;
    }

    if (used < least) {
        return -1;
    }

    return (long)(used < size ? used : size);
}

size_t
line_read(struct line_discipline *line, uint8_t *data, size_t size)
{
    long count = line_readable(line, size);
    uint16_t *length;

    if (count < 0) {
        return 0;
    }

    if (!line_local(line, UNIX_ICANON)) {
        return ring_get(&line->input, data, (size_t)count);
    }

    length = &line->lines[line->line_first];
    ring_get(&line->input, data, (size_t)count);
    *length = (uint16_t)(*length - count);

    if (*length == 0) {
        line->line_first = (line->line_first + 1) % LINE_COUNT;
        line->line_count--;
    }

    return (size_t)count;
}

void
line_flush(struct line_discipline *line)
{
    ring_consume(&line->input, ring_used(&line->input));
    line->line_count = 0;
    line->edit_length = 0;
    line->literal = false;
}

void
line_configure(struct line_discipline *line, const struct unix_termios *termios)
{
    bool was_canonical = line_local(line, UNIX_ICANON);

    line->termios = *termios;

    if (was_canonical && !line_local(line, UNIX_ICANON)) {
        /* What was typed can be read, whole lines or not. */
        ring_put(&line->input, line->edit, line->edit_length);
        line->edit_length = 0;
        line->line_count = 0;
    } else if (!was_canonical && line_local(line, UNIX_ICANON)) {
        line->line_first = 0;
        line->line_count = ring_used(&line->input) != 0;
        line->lines[0] = (uint16_t)ring_used(&line->input);
    }

    if ((line->termios.iflag & UNIX_IXON) == 0) {
        line->stopped = false;
    }
}
