/* SPDX-License-Identifier: MIT */
/*
 * A set of signals: bit n-1 stands for signal n, 1 to 64.
 */

#ifndef SYS__SIGSET_H
#define SYS__SIGSET_H

typedef unsigned long __sigset_t;

#endif /* SYS__SIGSET_H */
