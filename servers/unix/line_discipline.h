/* SPDX-License-Identifier: MIT */
/*
 * The line discipline: what stands between a terminal's bytes and the program
 * that reads and writes it. Pure: it calls the terminal back to send bytes and
 * to raise signals, and knows no processes.
 *
 * Input that can be read is in `input`. In canonical mode it is cut into
 * lines, whose lengths are queued in `lines` (a length of 0 is an end of
 * file); the line that is being edited is in `edit`.
 */

#ifndef UNIX_LINE_DISCIPLINE_H
#define UNIX_LINE_DISCIPLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <unix/tty.h>

#include "ring.h"

#define LINE_INPUT_SIZE 4096 /* bytes that can be read */
#define LINE_EDIT_SIZE 1024  /* the longest line */
#define LINE_COUNT 256       /* lines that can be read */

struct line_discipline;

struct line_ops {
    /* Bytes for the terminal: echo, or processed output. */
    void (*emit)(struct line_discipline *line, const uint8_t *data,
                 size_t size);
    /* A character that stands for a signal was typed. */
    void (*signal)(struct line_discipline *line, int signo);
};

struct line_discipline {
    const struct line_ops *ops;
    struct unix_termios termios;
    struct ring input;
    uint16_t lines[LINE_COUNT];
    unsigned int line_first;
    unsigned int line_count;
    uint16_t edit_length;
    bool literal;       /* the next character is data: VLNEXT was typed */
    bool stopped;       /* output waits: VSTOP was typed */
    size_t column;      /* of the cursor */
    size_t edit_column; /* where the edited line began */
    uint8_t edit[LINE_EDIT_SIZE];
    uint8_t input_data[LINE_INPUT_SIZE];
};

void line_init(struct line_discipline *line, const struct line_ops *ops);

/* A byte came from the terminal. */
void line_receive(struct line_discipline *line, uint8_t byte);

/* How many bytes a read of `size` would give: -1 it must wait, 0 the end of
 * the file (or, not canonical, VMIN is 0 and nothing is there). */
long line_readable(const struct line_discipline *line, size_t size);

/* Take out what line_readable() promised. */
size_t line_read(struct line_discipline *line, uint8_t *data, size_t size);

/* Send one byte of a program to the terminal: at most LINE_EXPANSION bytes. */
#define LINE_EXPANSION 2
void line_write(struct line_discipline *line, uint8_t byte);

/* Forget what was typed and not read. */
void line_flush(struct line_discipline *line);

/* Set new attributes. */
void line_configure(struct line_discipline *line,
                    const struct unix_termios *termios);

#endif /* UNIX_LINE_DISCIPLINE_H */
