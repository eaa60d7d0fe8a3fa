/* SPDX-License-Identifier: MIT */
/*
 * The machine's part of <setjmp.h>. A jmp_buf holds rbx rbp r12-r15 rsp rip;
 * a sigjmp_buf is followed by the flag "mask saved" and the mask.
 */

#ifndef MACHINE_SETJMP_H
#define MACHINE_SETJMP_H

#include <sys/features.h>

typedef long long jmp_buf[8];

#if __POSIX_VISIBLE || __BSD_VISIBLE
typedef long long sigjmp_buf[10];

int sigsetjmp(sigjmp_buf, int);
void siglongjmp(sigjmp_buf, int) __attribute__((__noreturn__));
#endif

#if __BSD_VISIBLE || __XSI_VISIBLE
int _setjmp(jmp_buf);
void _longjmp(jmp_buf, int) __attribute__((__noreturn__));
#endif

#endif /* MACHINE_SETJMP_H */
