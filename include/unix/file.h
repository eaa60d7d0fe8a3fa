/* SPDX-License-Identifier: MIT */
/* Files: flags, modes and structures as they go over the wire. */

#ifndef UNIX_FILE_H
#define UNIX_FILE_H

#include <stddef.h>
#include <stdint.h>

/* unix_open */
#define UNIX_O_RDONLY 0
#define UNIX_O_WRONLY 1
#define UNIX_O_RDWR 2
#define UNIX_O_ACCMODE 3
#define UNIX_O_APPEND 0x0008
#define UNIX_O_CREAT 0x0200
#define UNIX_O_TRUNC 0x0400
#define UNIX_O_EXCL 0x0800
#define UNIX_O_SYNC 0x2000
#define UNIX_O_NONBLOCK 0x4000
#define UNIX_O_NOCTTY 0x8000
#define UNIX_O_CLOEXEC 0x40000
#define UNIX_O_NOFOLLOW 0x100000
#define UNIX_O_DIRECTORY 0x200000
#define UNIX_O_SEARCH 0x400000

/* The descriptor that means the working directory, and unix_*at flags. */
#define UNIX_AT_FDCWD (-2)
#define UNIX_AT_EACCESS 0x01
#define UNIX_AT_SYMLINK_NOFOLLOW 0x02
#define UNIX_AT_SYMLINK_FOLLOW 0x04
#define UNIX_AT_REMOVEDIR 0x08
#define UNIX_AT_EMPTY_PATH 0x10

/* unix_fcntl */
#define UNIX_F_DUPFD 0
#define UNIX_F_GETFD 1
#define UNIX_F_SETFD 2
#define UNIX_F_GETFL 3
#define UNIX_F_SETFL 4
#define UNIX_F_GETOWN 5
#define UNIX_F_SETOWN 6
#define UNIX_F_GETLK 7
#define UNIX_F_SETLK 8
#define UNIX_F_SETLKW 9
#define UNIX_F_DUPFD_CLOEXEC 14
#define UNIX_FD_CLOEXEC 1

/* unix_lock */
#define UNIX_F_RDLCK 1
#define UNIX_F_WRLCK 2
#define UNIX_F_UNLCK 3

struct unix_flock {
    int16_t type;
    int16_t whence;
    int32_t pid;
    int64_t start;
    int64_t length;
};

#define UNIX_SEEK_SET 0
#define UNIX_SEEK_CUR 1
#define UNIX_SEEK_END 2

/* Offset of unix_read and unix_write that means: where the file stands. */
#define UNIX_OFFSET_CURRENT (-1)

/* unix_access */
#define UNIX_F_OK 0
#define UNIX_X_OK 1
#define UNIX_W_OK 2
#define UNIX_R_OK 4

#define UNIX_S_IFMT 0170000u
#define UNIX_S_IFIFO 0010000u
#define UNIX_S_IFCHR 0020000u
#define UNIX_S_IFDIR 0040000u
#define UNIX_S_IFBLK 0060000u
#define UNIX_S_IFREG 0100000u
#define UNIX_S_IFLNK 0120000u
#define UNIX_S_IFSOCK 0140000u
#define UNIX_S_ISUID 0004000u
#define UNIX_S_ISGID 0002000u
#define UNIX_S_ISVTX 0001000u

struct unix_timespec {
    int64_t sec;
    int64_t nsec;
};

#define UNIX_UTIME_NOW ((1L << 30) - 1L)
#define UNIX_UTIME_OMIT ((1L << 30) - 2L)

/* struct stat of <sys/stat.h>. */
struct unix_stat {
    uint64_t dev;
    uint64_t ino;
    uint64_t nlink;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    uint32_t pad;
    uint64_t rdev;
    int64_t size;
    int64_t blksize;
    int64_t blocks; /* of 512 bytes */
    struct unix_timespec atime;
    struct unix_timespec mtime;
    struct unix_timespec ctime;
    uint64_t spare[2];
};

/* struct statvfs of <sys/statvfs.h>. */
struct unix_statvfs {
    uint64_t bsize;
    uint64_t frsize;
    uint64_t blocks;
    uint64_t bfree;
    uint64_t bavail;
    uint64_t files;
    uint64_t ffree;
    uint64_t favail;
    uint64_t fsid;
    uint64_t flag;
    uint64_t namemax;
};

/* An entry that unix_getdents returns: struct dirent of <sys/dirent.h>, cut
 * off after the name's 0 byte and filled up to a multiple of 8. */
struct unix_dirent {
    uint64_t ino;
    int64_t next; /* cookie of the entry after this */
    uint16_t reclen;
    uint8_t type;
    char name[5]; /* and more */
};

#define UNIX_DIRENT_NAME 19 /* offset of the name */
#define UNIX_DIRENT_TYPE(mode) (((mode)&UNIX_S_IFMT) >> 12)

/* struct pollfd of <poll.h>. */
struct unix_pollfd {
    int32_t fd;
    int16_t events;
    int16_t revents;
};

#define UNIX_POLLIN 0x0001
#define UNIX_POLLPRI 0x0002
#define UNIX_POLLOUT 0x0004
#define UNIX_POLLERR 0x0008
#define UNIX_POLLHUP 0x0010
#define UNIX_POLLNVAL 0x0020
#define UNIX_POLLRDNORM 0x0040
#define UNIX_POLLRDBAND 0x0080
#define UNIX_POLLWRNORM 0x0100
#define UNIX_POLLWRBAND 0x0200

/* Device numbers: major in the upper half. */
#define UNIX_MAKEDEV(major, minor)                                             \
    (((uint64_t)(major) << 32) | (uint32_t)(minor))

_Static_assert(sizeof(struct unix_stat) == 136, "ABI");
_Static_assert(offsetof(struct unix_stat, rdev) == 40, "ABI");
_Static_assert(offsetof(struct unix_stat, atime) == 72, "ABI");
_Static_assert(sizeof(struct unix_statvfs) == 88, "ABI");
_Static_assert(offsetof(struct unix_dirent, name) == UNIX_DIRENT_NAME, "ABI");
_Static_assert(sizeof(struct unix_pollfd) == 8, "ABI");
_Static_assert(sizeof(struct unix_flock) == 24, "ABI");

#endif /* UNIX_FILE_H */
