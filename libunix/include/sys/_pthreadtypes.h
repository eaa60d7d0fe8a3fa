/* SPDX-License-Identifier: MIT */
/*
 * The types of threads that <sys/types.h> has to name: there are no POSIX
 * threads here yet, and programs that look for one type expect all of them.
 */
