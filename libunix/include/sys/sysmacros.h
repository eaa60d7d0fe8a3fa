/* SPDX-License-Identifier: MIT */
/*
 * A device number: the major part in the upper 32 bits, the minor part in
 * the lower.
 */

#ifndef SYS_SYSMACROS_H
#define SYS_SYSMACROS_H

#define major(dev) ((unsigned int)((unsigned long)(dev) >> 32))
#define minor(dev) ((unsigned int)(dev))
#define makedev(major, minor)                                                  \
    (((unsigned long)(major) << 32) | (unsigned int)(minor))

#endif /* SYS_SYSMACROS_H */
