/* SPDX-License-Identifier: MIT */
/*
 * getline() and getdelim(), which newlib has under other names only.
 */

#include <stdio.h>

ssize_t
getdelim(char **restrict linep, size_t *restrict sizep, int delimiter,
         FILE *restrict stream)
{
    return __getdelim(linep, sizep, delimiter, stream);
}

ssize_t
getline(char **restrict linep, size_t *restrict sizep, FILE *restrict stream)
{
    return __getdelim(linep, sizep, '\n', stream);
}
