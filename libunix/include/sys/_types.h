/* SPDX-License-Identifier: MIT */
/*
 * The C library's own names (__xxx_t) for the types of POSIX. They are part
 * of the binary interface: wide from the first day, never to be changed.
 */

#ifndef _SYS__TYPES_H
#define _SYS__TYPES_H

#define __need_size_t
#define __need_wint_t
#include <stddef.h>

#include <machine/_types.h>
#include <newlib.h>
#include <sys/config.h>

typedef __int64_t __blkcnt_t;
typedef __int64_t __blksize_t;
typedef __uint64_t __fsblkcnt_t;
typedef __uint64_t __fsfilcnt_t;
typedef __uint64_t __dev_t;
typedef __uint64_t __ino_t;
typedef __uint64_t __nlink_t;
typedef __uint32_t __mode_t;
typedef __uint32_t __uid_t;
typedef __uint32_t __gid_t;
typedef __uint32_t __id_t;
typedef __int32_t __pid_t;
typedef __int32_t __key_t;

typedef long _off_t;
typedef long _off64_t;
typedef _off_t __off_t;
typedef _off64_t __loff_t;
typedef long _fpos_t;
typedef long _fpos64_t;

#undef __size_t
typedef __SIZE_TYPE__ __size_t;
typedef __PTRDIFF_TYPE__ _ssize_t;
typedef _ssize_t __ssize_t;

#define _CLOCK_T_ long
#define _TIME_T_ long
#define _CLOCKID_T_ int
#define _TIMER_T_ void *

typedef _CLOCK_T_ __clock_t;
typedef _TIME_T_ __time_t;
typedef _CLOCKID_T_ __clockid_t;
typedef _TIMER_T_ __timer_t;
typedef long __suseconds_t;
typedef __uint32_t __useconds_t;

typedef __uint16_t __sa_family_t;
typedef __uint32_t __socklen_t;
typedef int __nl_item;
typedef void *_iconv_t;
typedef __builtin_va_list __va_list;

/* The state of a conversion between multibyte and wide characters. */
typedef struct {
    int __count;
    union {
        wint_t __wch;
        unsigned char __wchb[4];
    } __value;
} _mbstate_t;

#endif /* _SYS__TYPES_H */
