/*
 * SPDX-License-Identifier: MIT
 *
 * The edit distance (insert, delete, replace, swap two neighbours), for words
 * of ordinary length, computed row by row.
 */

#include "word.h"

#include <string.h>

#define WORD_MAX 40

static unsigned int
word_min(unsigned int a, unsigned int b)
{
    return (a < b) ? a : b;
}

static unsigned int
word_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned int rows[WORD_MAX + 1][WORD_MAX + 1];
    unsigned int cost;
    size_t i, j;

    for (i = 0; i <= a_length; i++) {
        rows[i][0] = (unsigned int)i;
    }

    for (j = 0; j <= b_length; j++) {
        rows[0][j] = (unsigned int)j;
    }

    for (i = 1; i <= a_length; i++) {
        for (j = 1; j <= b_length; j++) {
            cost = (a[i - 1] == b[j - 1]) ? 0 : 1;
            rows[i][j] = word_min(rows[i - 1][j - 1] + cost,
                                  word_min(rows[i - 1][j], rows[i][j - 1]) + 1);

            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1]) {
                rows[i][j] = word_min(rows[i][j], rows[i - 2][j - 2] + 1);
            }
        }
    }

    return rows[a_length][b_length];
}

bool
word_is_like(const char *written, const char *meant)
{
    size_t written_length, meant_length;
    unsigned int allowed;

    written_length = strlen(written);
    meant_length = strlen(meant);

    if (written_length < 3 || written_length > WORD_MAX ||
        meant_length > WORD_MAX) {
        return false;
    }

    allowed = (written_length < 6) ? 1 : 2;
    return word_distance(written, written_length, meant, meant_length) <=
           allowed;
}
