/* SPDX-License-Identifier: MIT */
/* See kern/string.h. Copies are rep strings: the processor's fast path. */

#include <stdint.h>

#include <kern/string.h>

void *
memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *result = to;
    size_t words = size / 8;
    size_t rest = size % 8;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest)::"memory");
    return result;
}

void *
memmove(void *to, const void *from, size_t size)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    if ((uintptr_t)t - (uintptr_t)f >= size) {
        return memcpy(to, from, size);
    }

    while (size != 0) {
        size--;
        t[size] = f[size];
    }

    return to;
}

void *
memset(void *at, int byte, size_t size)
{
    void *result = at;
    size_t words = size / 8;
    size_t rest = size % 8;
    uint64_t fill = (uint8_t)byte * 0x0101010101010101ul;

    __asm__ volatile("rep stosq"
                     : "+D"(at), "+c"(words)
                     : "a"(fill)
                     : "memory");
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(fill) : "memory");
    return result;
}

int
memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *x = a;
    const unsigned char *y = b;

    for (; size != 0; size--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }

    return 0;
}

size_t
strlen(const char *text)
{
    return strnlen(text, SIZE_MAX);
}

size_t
strnlen(const char *text, size_t max)
{
    size_t length = 0;

    while (length < max && text[length] != '\0') {
        length++;
    }

    return length;
}

int
strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int
strncmp(const char *a, const char *b, size_t size)
{
    for (; size != 0; size--, a++, b++) {
        if (*a != *b || *a == '\0') {
            return (unsigned char)*a - (unsigned char)*b;
        }
    }

    return 0;
}

void
strzcpy(char *to, const char *from, size_t size)
{
    size_t length = strnlen(from, size - 1);

    memcpy(to, from, length);
    memset(to + length, 0, size - length);
}
