/*
 * SPDX-License-Identifier: MIT
 *
 * A buffer that doubles.
 */

#include "emit.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "pool.h"

#define EMIT_FIRST_SIZE 16384

void
emit(struct text *text, const char *format, ...)
{
    va_list args;
    size_t need;
    char *data;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);

    need = text->length + (size_t)length + 1;

    if (need > text->capacity) {
        text->capacity = (need > EMIT_FIRST_SIZE) ? need * 2 : EMIT_FIRST_SIZE;
        data = pool_alloc(text->capacity);

        if (text->length != 0) {
            memcpy(data, text->data, text->length);
        }

        text->data = data;
    }

    va_start(args, format);
    vsnprintf(text->data + text->length, (size_t)length + 1, format, args);
    va_end(args);

    text->length += (size_t)length;
}

/* True if the line that starts there holds nothing before a brace. */
static bool
emit_is_close(const struct text *text, size_t place)
{
    while (place < text->length && text->data[place] == ' ') {
        place++;
    }

    return place < text->length && text->data[place] == '}';
}

void
emit_tidy(struct text *text)
{
    size_t from, to, end, lines;

    to = 0;
    from = 0;

    while (from < text->length) {
        if (text->data[from] != '\n') {
            text->data[to] = text->data[from];
            to++;
            from++;
            continue;
        }

        end = from;

        while (end < text->length && text->data[end] == '\n') {
            end++;
        }

        lines = end - from;

        if (lines > 2) {
            lines = 2;
        }

        if (emit_is_close(text, end)) {
            lines = 1;
        }

        memset(text->data + to, '\n', lines);
        to += lines;
        from = end;
    }

    text->length = to;
}
