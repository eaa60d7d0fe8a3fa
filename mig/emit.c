/*
 * SPDX-License-Identifier: MIT
 *
 * A buffer that doubles.
 */

#include "emit.h"

#include <stdarg.h>
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
