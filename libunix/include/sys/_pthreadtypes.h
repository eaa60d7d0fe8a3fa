/* SPDX-License-Identifier: MIT */
/*
 * The types of threads that <sys/types.h> has to name.
 */

#ifndef SYS__PTHREADTYPES_H
#define SYS__PTHREADTYPES_H

typedef unsigned long pthread_t;

#endif /* SYS__PTHREADTYPES_H */
