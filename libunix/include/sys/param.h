/* SPDX-License-Identifier: MIT */
/*
 * Limits and small macros under their BSD names.
 */

#ifndef SYS_PARAM_H
#define SYS_PARAM_H

#include <limits.h>
#include <machine/endian.h>
#include <sys/types.h>

#define NBBY 8
#define HZ 100
#define NOFILE 1024
#define NGROUPS NGROUPS_MAX
#define NCARGS ARG_MAX
#define MAXPATHLEN PATH_MAX
#define MAXNAMLEN NAME_MAX
#define MAXSYMLINKS SYMLOOP_MAX
#define MAXHOSTNAMELEN (HOST_NAME_MAX + 1)
#define DEV_BSIZE 512

#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#ifndef howmany
#define howmany(x, y) (((x) + ((y)-1)) / (y))
#endif
#define roundup(x, y) (howmany(x, y) * (y))
#define powerof2(x) ((((x)-1) & (x)) == 0)

#endif /* SYS_PARAM_H */
