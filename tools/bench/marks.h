/* SPDX-License-Identifier: MIT */
/*
 * Marks in a program for trace_plugin.c: instructions that do nothing and
 * that no compiler makes.
 */

#ifndef BENCH_MARKS_H
#define BENCH_MARKS_H

#define MARK_BEGIN 0x6e676562
#define MARK_END 0x0a646e65

/* nopl value(%rax,%rax,1): 0f 1f 84 00 and the value, lowest byte first. */
#define MARK_PREFIX "\x0f\x1f\x84"
#define MARK_SIZE 8

#define MARK(value)                                                            \
    __asm__ volatile("nopl %c0(%%rax,%%rax,1)" : : "i"(value) : "memory")

#endif /* BENCH_MARKS_H */
