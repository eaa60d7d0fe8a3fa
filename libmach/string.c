/* SPDX-License-Identifier: MIT */
/*
 * The few string functions that compilers and stubs call, for programs that
 * link libmach without a C library. Weak: a C library's own come first.
 */

#include <stddef.h>
#include <stdint.h>

#define WEAK __attribute__((weak))

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

WEAK void *
memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *at = to;
    size_t words = size / 8;
    size_t rest = size % 8;

    __asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words)::"memory");

    if (rest != 0) {
        __asm__ volatile("rep movsb"
                         : "+D"(at), "+S"(from), "+c"(rest)::"memory");
    }

    return to;
}

WEAK void *
memmove(void *to, const void *from, size_t size)
{
    char *t = to;
    const char *f = from;

    if (t <= f || t >= f + size) {
        return memcpy(to, from, size);
    }

    while (size > 0) {
        size--;
        t[size] = f[size];
        __asm__ volatile("" ::: "memory"); /* not a call to memmove */
    }

    return to;
}

WEAK void *
memset(void *to, int value, size_t size)
{
    void *at = to;
    size_t words = size / 8;
    size_t rest = size % 8;
    uint64_t word = (unsigned char)value * 0x0101010101010101ul;

    __asm__ volatile("rep stosq"
                     : "+D"(at), "+c"(words)
                     : "a"(word)
                     : "memory");

    if (rest != 0) {
        __asm__ volatile("rep stosb"
                         : "+D"(at), "+c"(rest)
                         : "a"(word)
                         : "memory");
    }

    return to;
}

WEAK int
memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *p = a, *q = b;

    for (size_t i = 0; i < size; i++) {
        if (p[i] != q[i]) {
            return p[i] - q[i];
        }
    }

    return 0;
}

WEAK size_t
strlen(const char *s)
{
    size_t length = 0;

    while (s[length] != '\0') {
        length++;
        __asm__ volatile("" ::: "memory"); /* not a call to strlen */
    }

    return length;
}

WEAK int
strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }

    return (unsigned char)*a - (unsigned char)*b;
}
