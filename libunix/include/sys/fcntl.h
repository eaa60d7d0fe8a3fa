/* SPDX-License-Identifier: MIT */
/*
 * Flags and requests of open() and fcntl(). The values are newlib's where
 * newlib has one.
 */

#ifndef SYS_FCNTL_H
#define SYS_FCNTL_H

#include <sys/cdefs.h>
#include <sys/stat.h>
#include <sys/types.h>

__BEGIN_DECLS

#define O_RDONLY 0
#define O_WRONLY 1
#define O_RDWR 2
#define O_ACCMODE 3
#define O_APPEND 0x0008
#define O_CREAT 0x0200
#define O_TRUNC 0x0400
#define O_EXCL 0x0800
#define O_SYNC 0x2000
#define O_DSYNC O_SYNC
#define O_RSYNC O_SYNC
#define O_NONBLOCK 0x4000
#define O_NOCTTY 0x8000
#define O_CLOEXEC 0x40000
#define O_NOFOLLOW 0x100000
#define O_DIRECTORY 0x200000
#define O_SEARCH 0x400000
#define O_EXEC O_SEARCH

#if __BSD_VISIBLE
#define O_NDELAY O_NONBLOCK
#define FAPPEND O_APPEND
#define FNDELAY O_NONBLOCK
#define FNONBLOCK O_NONBLOCK
#endif

#define FD_CLOEXEC 1

#define F_DUPFD 0
#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define F_SETFL 4
#define F_GETOWN 5
#define F_SETOWN 6
#define F_GETLK 7
#define F_SETLK 8
#define F_SETLKW 9
#define F_DUPFD_CLOEXEC 14

#define F_RDLCK 1
#define F_WRLCK 2
#define F_UNLCK 3

struct flock {
    short l_type;
    short l_whence;
    __pid_t l_pid;
    __off_t l_start;
    __off_t l_len;
};

#if __BSD_VISIBLE || __POSIX_VISIBLE >= 200809
#define AT_FDCWD (-2)
#define AT_EACCESS 0x01
#define AT_SYMLINK_NOFOLLOW 0x02
#define AT_SYMLINK_FOLLOW 0x04
#define AT_REMOVEDIR 0x08
#define AT_EMPTY_PATH 0x10
#endif

int open(const char *, int, ...);
int creat(const char *, mode_t);
int fcntl(int, int, ...);
#if __ATFILE_VISIBLE
int openat(int, const char *, int, ...);
#endif

__END_DECLS

#endif /* SYS_FCNTL_H */
