/* SPDX-License-Identifier: MIT */
/*
 * newlib's <unistd.h>, and what it leaves out.
 */

#ifndef UNISTD_H
#define UNISTD_H

#include <sys/unistd.h>

__BEGIN_DECLS

#define _CS_PATH 0

__END_DECLS

#endif /* UNISTD_H */
