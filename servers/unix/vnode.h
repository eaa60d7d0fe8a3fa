/* SPDX-License-Identifier: MIT */
/*
 * A vnode is a file, directory, link or device of some file system. Its
 * attributes are here; what it contains is behind its operations.
 *
 * References: open files, working directories, running programs, a walk in
 * progress, a mount. A file system keeps a vnode while it has a name as well.
 */

#ifndef UNIX_VNODE_H
#define UNIX_VNODE_H

#include <stdbool.h>
#include <stdint.h>

#include <mach/port.h>

#include <unix/file.h>

#include "credentials.h"
#include "list.h"
#include "server.h"

struct io;
struct pipe;
struct vnode;

/* What vnode_ops.create makes. */
struct vnode_attributes {
    uint32_t mode; /* with its type */
    uint32_t uid;
    uint32_t gid;
    uint64_t rdev;
    const char *target; /* of a symbolic link */
};

/* What vnode_ops.readdir finds. */
struct directory_entry {
    const char *name;
    size_t length;
    uint64_t ino;
    uint8_t type;
    int64_t next; /* cookie of the entry after this */
};

/*
 * Operations on a directory get a name that is neither empty nor "." nor
 * ".."; permissions were checked. lookup and create give a reference.
 */
struct vnode_ops {
    int (*lookup)(struct vnode *directory, const char *name, size_t length,
                  struct vnode **vnodep);
    int (*parent)(struct vnode *directory, struct vnode **vnodep);
    int (*create)(struct vnode *directory, const char *name, size_t length,
                  const struct vnode_attributes *attributes,
                  struct vnode **vnodep);
    int (*link)(struct vnode *directory, const char *name, size_t length,
                struct vnode *vnode);
    /* Of a directory: ENOTEMPTY. */
    int (*unlink)(struct vnode *directory, const char *name, size_t length);
    /* Both are in this file system; what stood at the new name goes. */
    int (*rename)(struct vnode *from, const char *name, size_t length,
                  struct vnode *to, const char *new_name, size_t new_length);
    /* The entry at a cookie, 0 being the first; false: none. */
    bool (*readdir)(struct vnode *directory, int64_t cookie,
                    struct directory_entry *entry);
    const char *(*readlink)(struct vnode *vnode);
    /* io->offset is an offset. */
    int (*read)(struct vnode *vnode, struct io *io);
    int (*write)(struct vnode *vnode, struct io *io);
    int (*truncate)(struct vnode *vnode, uint64_t size);
    /* A memory entry of the whole file; it stays the vnode's. */
    int (*entry)(struct vnode *vnode, mach_port_t *entryp);
    /* Bytes that the file takes. */
    uint64_t (*usage)(struct vnode *vnode);
    /* Neither name nor reference is left. */
    void (*destroy)(struct vnode *vnode);
};

struct filesystem {
    const char *type;
    uint64_t dev;
    struct vnode *root;    /* reference */
    struct vnode *covered; /* what it is mounted on: reference, or null */
    void (*statvfs)(struct filesystem *fs, struct unix_statvfs *status);
};

struct vnode {
    const struct vnode_ops *ops;
    struct filesystem *fs;
    uint32_t refs;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    uint32_t nlink;
    uint32_t writers;  /* open files that may write to it */
    uint32_t programs; /* processes that run it */
    uint64_t ino;
    uint64_t rdev;
    uint64_t size;
    struct unix_timespec atime;
    struct unix_timespec mtime;
    struct unix_timespec ctime;
    struct filesystem *mounted; /* on this directory, or null */
    struct pipe *fifo;          /* of a FIFO that is open, or null */
    struct list locks;          /* struct file_lock, by start */
};

/* Everything but the file system's own part; one reference. */
void vnode_init(struct vnode *vnode, struct filesystem *fs,
                const struct vnode_ops *ops, uint64_t ino, uint32_t mode);

struct vnode *vnode_ref(struct vnode *vnode);
void vnode_unref(struct vnode *vnode); /* null: nothing */

static inline uint32_t
vnode_type(const struct vnode *vnode)
{
    return vnode->mode & UNIX_S_IFMT;
}

static inline bool
vnode_is_directory(const struct vnode *vnode)
{
    return vnode_type(vnode) == UNIX_S_IFDIR;
}

/* mask: UNIX_R_OK and so on. EACCES. */
MUST_CHECK int vnode_access(const struct vnode *vnode,
                            const struct credentials *cred, uint32_t mask);

void vnode_stat(struct vnode *vnode, struct unix_stat *status);

/* Set times of the file to now. */
#define VNODE_ATIME 1u
#define VNODE_MTIME 2u
#define VNODE_CTIME 4u
void vnode_touch(struct vnode *vnode, unsigned int times);

/* What chmod, chown, utimens and truncate do, with their permissions. ~0
 * leaves an id. */
MUST_CHECK int
vnode_chmod(struct vnode *vnode, const struct credentials *cred, uint32_t mode);
MUST_CHECK int vnode_chown(struct vnode *vnode, const struct credentials *cred,
                           uint32_t uid, uint32_t gid);
MUST_CHECK int
vnode_utimens(struct vnode *vnode, const struct credentials *cred,
              const struct unix_timespec *atime,
              const struct unix_timespec *mtime);
MUST_CHECK int vnode_truncate(struct vnode *vnode, int64_t size);

/* A file was written by somebody: it is not set-id any more. */
void vnode_written(struct vnode *vnode, const struct credentials *cred);

#endif /* UNIX_VNODE_H */
