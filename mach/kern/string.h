/* SPDX-License-Identifier: MIT */
/* The memory and string functions of C that the kernel uses. */

#ifndef KERN_STRING_H
#define KERN_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *at, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);

/* Copy and terminate; the rest of `to` is zeroed. */
void strzcpy(char *to, const char *from, size_t size);

#endif /* KERN_STRING_H */
