/* SPDX-License-Identifier: MIT */
/*
 * One entry of a directory, as the Unix server writes it and readdir() hands
 * it out, and the names of its types. A DIR is private to the library.
 */

#ifndef SYS_DIRENT_H
#define SYS_DIRENT_H

#include <sys/types.h>

struct dirent {
    __ino_t d_ino;
    __off_t d_off;           /* cookie of the next entry, for seekdir() */
    unsigned short d_reclen; /* whole length, a multiple of 8 */
    unsigned char d_type;    /* one of DT_*, or DT_UNKNOWN */
    char d_name[256];
};

typedef struct __dirstream DIR;

#define _DIRENT_HAVE_D_TYPE 1
#define _DIRENT_HAVE_D_OFF 1
#define _DIRENT_HAVE_D_RECLEN 1
#define d_fileno d_ino

#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
#define DT_LNK 10
#define DT_SOCK 12

#define IFTODT(mode) (((mode)&0170000) >> 12)
#define DTTOIF(type) ((type) << 12)

#endif /* SYS_DIRENT_H */
