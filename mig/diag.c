/*
 * SPDX-License-Identifier: MIT
 *
 * After DIAG_ERROR_MAX errors the rest is most likely noise, so it is counted
 * but not printed.
 */

#include "diag.h"

#include <stdarg.h>
#include <stdio.h>

#define DIAG_ERROR_MAX 50

static struct diag_options diag_options;
static unsigned int diag_errors;
static bool diag_muted;

void
diag_setup(const struct diag_options *options)
{
    diag_options = *options;
    diag_errors = 0;
    diag_muted = false;
}

bool
diag_is_strict(void)
{
    return diag_options.strict;
}

unsigned int
diag_error_count(void)
{
    return diag_errors;
}

/*
 * The caret line repeats the tabs of the text above it, so both stay aligned
 * whatever a tab is worth.
 */
static void
diag_print_line(unsigned int number, const struct source_line *line)
{
    unsigned int i;

    if (number != 0) {
        fprintf(stderr, "%5u | %s\n", number, line->text);
    } else {
        fprintf(stderr, "      | %s\n", line->text);
    }

    if (line->column == 0) {
        return;
    }

    fprintf(stderr, "      | ");

    for (i = 0; i + 1 < line->column && line->text[i] != '\0'; i++) {
        fputc((line->text[i] == '\t') ? '\t' : ' ', stderr);
    }

    fputc('^', stderr);

    for (i = 1; i < line->width; i++) {
        fputc('~', stderr);
    }

    fputc('\n', stderr);
}

static __attribute__((format(printf, 3, 0))) void
diag_print(const struct source_pos *pos, const char *kind, const char *format,
           va_list args)
{
    struct source_line line, expanded;

    if (pos == NULL || pos->file == NULL) {
        fprintf(stderr, "migcom: %s: ", kind);
        vfprintf(stderr, format, args);
        fputc('\n', stderr);
        return;
    }

    line = source_original_line(pos);
    expanded = source_expanded_line(pos);

    if (line.text == NULL) {
        line = expanded;
    }

    fprintf(stderr, "%s:%u:", pos->file, pos->line);

    if (line.column != 0) {
        fprintf(stderr, "%u:", line.column);
    }

    fprintf(stderr, " %s: ", kind);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);

    if (line.text != NULL) {
        diag_print_line(pos->line, &line);
    }

    if (line.column == 0 && expanded.text != NULL && pos->length != 0) {
        fprintf(stderr, "      | after macro expansion:\n");
        diag_print_line(0, &expanded);
    }
}

static __attribute__((format(printf, 2, 0))) void
diag_count_error(const struct source_pos *pos, const char *format, va_list args)
{
    diag_errors++;
    diag_muted = (diag_errors > DIAG_ERROR_MAX);

    if (!diag_muted) {
        diag_print(pos, "error", format, args);
    } else if (diag_errors == DIAG_ERROR_MAX + 1) {
        fprintf(stderr, "migcom: too many errors; no more are shown\n");
    }
}

void
diag_error(const struct source_pos *pos, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    diag_count_error(pos, format, args);
    va_end(args);
}

void
diag_warning(const struct source_pos *pos, const char *format, ...)
{
    va_list args;

    va_start(args, format);

    if (diag_options.strict) {
        diag_count_error(pos, format, args);
    } else {
        diag_muted = diag_options.quiet;

        if (!diag_muted) {
            diag_print(pos, "warning", format, args);
        }
    }

    va_end(args);
}

void
diag_note(const struct source_pos *pos, const char *format, ...)
{
    va_list args;

    if (diag_muted) {
        return;
    }

    va_start(args, format);
    diag_print(pos, "note", format, args);
    va_end(args);
}
