/*
 * SPDX-License-Identifier: MIT
 *
 * The preprocessor keeps the order of the tokens on a line but not the white
 * space between them, so a column of its output says nothing about the edited
 * file. What is kept is this: the n-th time a token stands on the one line, it
 * is the n-th time that it stands on the other, unless a macro made it.
 */

#include "source.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pool.h"

#define SOURCE_LINE_MAX 4096

static char *source_data;
static size_t source_size;

bool
source_read(FILE *stream)
{
    size_t capacity, got;
    char *data;

    capacity = 0;
    source_size = 0;

    do {
        if (source_size + 1 >= capacity) {
            capacity = (capacity == 0) ? 65536 : capacity * 2;
            data = pool_alloc(capacity);

            if (source_size != 0) {
                memcpy(data, source_data, source_size);
            }

            source_data = data;
        }

        got = fread(source_data + source_size, 1, capacity - source_size - 1,
                    stream);
        source_size += got;
    } while (got != 0);

    return !ferror(stream);
}

void
source_set(const char *text, size_t length)
{
    source_data = pool_strndup(text, length);
    source_size = length;
}

const char *
source_text(void)
{
    return source_data;
}

size_t
source_length(void)
{
    return source_size;
}

static bool
source_is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The next place at or after START where the token stands by itself. */
static const char *
source_find_token(const char *start, const char *line, const char *token,
                  size_t length)
{
    const char *found;
    bool word;

    word = source_is_word(token[0]);

    for (found = start; *found != '\0'; found++) {
        if (strncmp(found, token, length) != 0) {
            continue;
        }

        if (word && ((found > line && source_is_word(found[-1])) ||
                     source_is_word(found[length]))) {
            continue;
        }

        return found;
    }

    return NULL;
}

struct source_line
source_expanded_line(const struct source_pos *pos)
{
    struct source_line line = { 0 };
    size_t start, end;

    if (source_data == NULL || pos->offset > source_size) {
        return line;
    }

    start = pos->offset;
    end = pos->offset;

    while (start > 0 && source_data[start - 1] != '\n') {
        start--;
    }

    while (end < source_size && source_data[end] != '\n') {
        end++;
    }

    line.text = pool_strndup(source_data + start, end - start);
    line.column = (unsigned int)(pos->offset - start) + 1;
    line.width = (unsigned int)pos->length;
    return line;
}

/* A line marker can name anything: only what is a file is read. */
static FILE *
source_open(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        return NULL;
    }

    return fopen(path, "r");
}

static char *
source_read_line(const struct source_pos *pos)
{
    char buffer[SOURCE_LINE_MAX];
    unsigned int number;
    FILE *stream;
    char *text;

    stream = source_open(pos->file);

    if (stream == NULL) {
        return NULL;
    }

    text = NULL;
    number = 1;

    while (text == NULL && fgets(buffer, sizeof(buffer), stream) != NULL) {
        if (number == pos->line) {
            text = pool_strndup(buffer, strcspn(buffer, "\r\n"));
        }

        if (strchr(buffer, '\n') != NULL) {
            number++;
        }
    }

    fclose(stream);
    return text;
}

struct source_line
source_original_line(const struct source_pos *pos)
{
    struct source_line expanded, line = { 0 };
    const char *token, *place, *found;
    size_t length;

    if (pos->file == NULL) {
        return line;
    }

    line.text = source_read_line(pos);
    expanded = source_expanded_line(pos);

    if (line.text == NULL || expanded.text == NULL || pos->length == 0) {
        return line;
    }

    token = pool_strndup(source_data + pos->offset, pos->length);
    length = strlen(token);

    if (length == 0) {
        return line;
    }

    place = expanded.text;
    found = line.text - 1;

    do {
        place = source_find_token(place, expanded.text, token, length);
        found = source_find_token(found + 1, line.text, token, length);

        if (place == NULL || found == NULL) {
            return line;
        }

        place++;
    } while (place <= expanded.text + expanded.column - 1);

    line.column = (unsigned int)(found - line.text) + 1;
    line.width = (unsigned int)length;
    return line;
}
