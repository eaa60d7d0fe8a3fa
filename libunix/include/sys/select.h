/* SPDX-License-Identifier: MIT */
/*
 * Waiting for several descriptors. FD_SETSIZE is part of the binary
 * interface.
 */

#ifndef _SYS_SELECT_H
#define _SYS_SELECT_H

#include <sys/_sigset.h>
#include <sys/_timespec.h>
#include <sys/_timeval.h>
#include <sys/cdefs.h>

#ifndef _SIGSET_T_DECLARED
#define _SIGSET_T_DECLARED
typedef __sigset_t sigset_t;
#endif

__BEGIN_DECLS

#define FD_SETSIZE 1024
#define NFDBITS 64
typedef unsigned long fd_mask;
typedef unsigned long __fd_mask;

typedef struct fd_set {
    __fd_mask fds_bits[FD_SETSIZE / NFDBITS];
} fd_set;
#define _SYS_TYPES_FD_SET

#define FD_SET(n, p)                                                           \
    ((void)((p)->fds_bits[(n) / NFDBITS] |= 1UL << ((n) % NFDBITS)))
#define FD_CLR(n, p)                                                           \
    ((void)((p)->fds_bits[(n) / NFDBITS] &= ~(1UL << ((n) % NFDBITS))))
#define FD_ISSET(n, p)                                                         \
    (((p)->fds_bits[(n) / NFDBITS] & (1UL << ((n) % NFDBITS))) != 0)
#define FD_ZERO(p) ((void)__builtin_memset((p), 0, sizeof(fd_set)))

int select(int, fd_set *__restrict, fd_set *__restrict, fd_set *__restrict,
           struct timeval *__restrict);
int pselect(int, fd_set *__restrict, fd_set *__restrict, fd_set *__restrict,
            const struct timespec *__restrict, const sigset_t *__restrict);

__END_DECLS

#endif /* _SYS_SELECT_H */
