/* SPDX-License-Identifier: MIT */
/* What all file systems share: attributes and the permission to change them. */

#include <assert.h>
#include <string.h>

#include "vnode.h"

#define BLOCK_SIZE 4096
#define STAT_BLOCK 512

void
vnode_init(struct vnode *vnode, struct filesystem *fs,
           const struct vnode_ops *ops, uint64_t ino, uint32_t mode)
{
    memset(vnode, 0, sizeof(*vnode));
    vnode->ops = ops;
    vnode->fs = fs;
    vnode->refs = 1;
    vnode->ino = ino;
    vnode->mode = mode;
    list_init(&vnode->locks);
    vnode_touch(vnode, VNODE_ATIME | VNODE_MTIME | VNODE_CTIME);
}

struct vnode *
vnode_ref(struct vnode *vnode)
{
    vnode->refs++;
    return vnode;
}

void
vnode_unref(struct vnode *vnode)
{
    if (vnode == NULL) {
        return;
    }

    assert(vnode->refs != 0);
    vnode->refs--;

    if (vnode->refs == 0 && vnode->nlink == 0) {
        vnode->ops->destroy(vnode);
    }
}

int
vnode_access(const struct vnode *vnode, const struct credentials *cred,
             uint32_t mask)
{
    uint32_t granted;

    if (credentials_root(cred)) {
        /* Root may do all, but execute only what somebody may. */
        if ((mask & UNIX_X_OK) != 0 && !vnode_is_directory(vnode) &&
            (vnode->mode & 0111) == 0) {
            return EACCES;
        }

        return 0;
    }

    if (cred->euid == vnode->uid) {
        granted = vnode->mode >> 6;
    } else if (credentials_in_group(cred, vnode->gid)) {
        granted = vnode->mode >> 3;
    } else {
        granted = vnode->mode;
    }

    return (mask & ~granted & 7) == 0 ? 0 : EACCES;
}

void
vnode_stat(struct vnode *vnode, struct unix_stat *status)
{
    uint64_t usage = vnode->ops->usage(vnode);

    memset(status, 0, sizeof(*status));
    status->dev = vnode->fs->dev;
    status->ino = vnode->ino;
    status->nlink = vnode->nlink;
    status->mode = vnode->mode;
    status->uid = vnode->uid;
    status->gid = vnode->gid;
    status->rdev = vnode->rdev;
    status->size = (int64_t)vnode->size;
    status->blksize = BLOCK_SIZE;
    status->blocks = (int64_t)((usage + STAT_BLOCK - 1) / STAT_BLOCK);
    status->atime = vnode->atime;
    status->mtime = vnode->mtime;
    status->ctime = vnode->ctime;
}

void
vnode_touch(struct vnode *vnode, unsigned int times)
{
    struct unix_timespec now;

    clock_timespec(&now);

    if ((times & VNODE_ATIME) != 0) {
        vnode->atime = now;
    }

    if ((times & VNODE_MTIME) != 0) {
        vnode->mtime = now;
    }

    if ((times & VNODE_CTIME) != 0) {
        vnode->ctime = now;
    }
}

static bool
vnode_owned(const struct vnode *vnode, const struct credentials *cred)
{
    return credentials_root(cred) || cred->euid == vnode->uid;
}

int
vnode_chmod(struct vnode *vnode, const struct credentials *cred, uint32_t mode)
{
    if (!vnode_owned(vnode, cred)) {
        return EPERM;
    }

    mode &= 07777;

    if (!credentials_root(cred) && !vnode_is_directory(vnode) &&
        !credentials_in_group(cred, vnode->gid)) {
        mode &= ~UNIX_S_ISGID;
    }

    vnode->mode = vnode_type(vnode) | mode;
    vnode_touch(vnode, VNODE_CTIME);
    return 0;
}

int
vnode_chown(struct vnode *vnode, const struct credentials *cred, uint32_t uid,
            uint32_t gid)
{
    bool root = credentials_root(cred);

    if (uid == ~0u) {
        uid = vnode->uid;
    }

    if (gid == ~0u) {
        gid = vnode->gid;
    }

    if (!root && (cred->euid != vnode->uid || uid != vnode->uid ||
                  (gid != vnode->gid && !credentials_in_group(cred, gid)))) {
        return EPERM;
    }

    vnode->uid = uid;
    vnode->gid = gid;

    if (vnode_type(vnode) == UNIX_S_IFREG && (!root || vnode->mode & 0111)) {
        vnode->mode &= ~(UNIX_S_ISUID | UNIX_S_ISGID);
    }

    vnode_touch(vnode, VNODE_CTIME);
    return 0;
}

static bool
vnode_time_valid(const struct unix_timespec *time)
{
    return (time->nsec >= 0 && time->nsec < NS_PER_SECOND) ||
           time->nsec == UNIX_UTIME_NOW || time->nsec == UNIX_UTIME_OMIT;
}

static void
vnode_set_time(struct unix_timespec *to, const struct unix_timespec *from)
{
    if (from->nsec == UNIX_UTIME_NOW) {
        clock_timespec(to);
    } else if (from->nsec != UNIX_UTIME_OMIT) {
        *to = *from;
    }
}

int
vnode_utimens(struct vnode *vnode, const struct credentials *cred,
              const struct unix_timespec *atime,
              const struct unix_timespec *mtime)
{
    bool now = atime->nsec == UNIX_UTIME_NOW && mtime->nsec == UNIX_UTIME_NOW;

    if (!vnode_time_valid(atime) || !vnode_time_valid(mtime)) {
        return EINVAL;
    }

    if (atime->nsec == UNIX_UTIME_OMIT && mtime->nsec == UNIX_UTIME_OMIT) {
        return 0;
    }

    if (!vnode_owned(vnode, cred)) {
        if (!now) {
            return EPERM;
        }

        if (vnode_access(vnode, cred, UNIX_W_OK) != 0) {
            return EACCES;
        }
    }

    vnode_set_time(&vnode->atime, atime);
    vnode_set_time(&vnode->mtime, mtime);
    vnode_touch(vnode, VNODE_CTIME);
    return 0;
}

int
vnode_truncate(struct vnode *vnode, int64_t size)
{
    int error;

    if (size < 0) {
        return EINVAL;
    }

    if (vnode_is_directory(vnode)) {
        return EISDIR;
    }

    if (vnode_type(vnode) != UNIX_S_IFREG) {
        return EINVAL;
    }

    if (vnode->programs != 0) {
        return ETXTBSY;
    }

    error = vnode->ops->truncate(vnode, (uint64_t)size);

    if (error == 0) {
        vnode_touch(vnode, VNODE_MTIME | VNODE_CTIME);
    }

    return error;
}

void
vnode_written(struct vnode *vnode, const struct credentials *cred)
{
    vnode_touch(vnode, VNODE_MTIME | VNODE_CTIME);

    if (!credentials_root(cred)) {
        vnode->mode &= ~UNIX_S_ISUID;

        if ((vnode->mode & 0010) != 0) {
            vnode->mode &= ~UNIX_S_ISGID;
        }
    }
}
