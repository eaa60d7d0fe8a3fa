/* SPDX-License-Identifier: MIT */
/* The routines of unix_directory.defs: what is named by a path. */

#include <string.h>

#include <mach/mach.h>

#include <unix/unix_directory_server.h>

#include "descriptor.h"
#include "directory_calls.h"
#include "walk.h"

#define DIRECTORY_VERSION 1

kern_return_t
do_unix_directory_version(process_t process, uint32_t *version)
{
    (void)process;
    *version = DIRECTORY_VERSION;
    return KERN_SUCCESS;
}

/* Where a path starts: EBADF, ENOTDIR. */
static int
directory_context(process_t process, int directory, const char *path,
                  struct walk_context *context)
{
    struct file *file;

    process_walk_context(process, context);

    if (directory == UNIX_AT_FDCWD || path[0] == '/') {
        return 0;
    }

    file = descriptor_file(process, directory);

    if (file == NULL) {
        return EBADF;
    }

    if (file->vnode == NULL || !vnode_is_directory(file->vnode)) {
        return ENOTDIR;
    }

    context->start = file->vnode;
    return 0;
}

int
directory_walk(process_t process, int directory, const char *path,
               unsigned int flags, struct walk *walk)
{
    struct walk_context context;
    int error;

    error = directory_context(process, directory, path, &context);
    return error != 0 ? error : walk_path(&context, path, flags, walk);
}

/* An existing file, with a reference. at_flags: UNIX_AT_SYMLINK_NOFOLLOW. */
static int
directory_vnode(process_t process, int directory, const char *path,
                int at_flags, struct vnode **vnodep)
{
    struct walk_context context;
    int error;

    error = directory_context(process, directory, path, &context);

    if (error != 0) {
        return error;
    }

    return walk_vnode(
        &context, path,
        (at_flags & UNIX_AT_SYMLINK_NOFOLLOW) != 0 ? 0 : WALK_FOLLOW, vnodep);
}

/* May names be made and taken away here? */
static int
directory_writable(process_t process, struct vnode *directory)
{
    return vnode_access(directory, &process->cred, UNIX_W_OK | UNIX_X_OK);
}

/* In a sticky directory only the owner of either may take a name away. */
static int
directory_may_remove(process_t process, struct vnode *directory,
                     struct vnode *vnode)
{
    int error;

    error = directory_writable(process, directory);

    if (error != 0) {
        return error;
    }

    if ((directory->mode & UNIX_S_ISVTX) != 0 &&
        !credentials_root(&process->cred) &&
        process->cred.euid != directory->uid &&
        process->cred.euid != vnode->uid) {
        return EPERM;
    }

    return 0;
}

/* -- Making names ---------------------------------------------------------- */

/* Make what `attributes` says where the walk found nothing. */
int
directory_create(process_t process, struct walk *walk,
                 struct vnode_attributes *attributes, struct vnode **vnodep)
{
    struct vnode *parent = walk->parent;
    int error;

    if (walk->vnode != NULL || parent == NULL) {
        return EEXIST;
    }

    if (walk->slash && (attributes->mode & UNIX_S_IFMT) != UNIX_S_IFDIR) {
        return ENOENT;
    }

    error = directory_writable(process, parent);

    if (error != 0) {
        return error;
    }

    attributes->uid = process->cred.euid;
    attributes->gid = process->cred.egid;

    if ((parent->mode & UNIX_S_ISGID) != 0) {
        attributes->gid = parent->gid;

        if ((attributes->mode & UNIX_S_IFMT) == UNIX_S_IFDIR) {
            attributes->mode |= UNIX_S_ISGID;
        }
    }

    return parent->ops->create(parent, walk->name, walk->length, attributes,
                               vnodep);
}

static kern_return_t
directory_make(process_t process, int directory, const char *path,
               struct vnode_attributes *attributes)
{
    struct walk walk;
    struct vnode *vnode;
    int error;

    error = directory_walk(process, directory, path, WALK_PARENT, &walk);

    if (error != 0) {
        return unix_result(error);
    }

    error = directory_create(process, &walk, attributes, &vnode);

    if (error == 0) {
        vnode_unref(vnode);
    }

    walk_end(&walk);
    return unix_result(error);
}

kern_return_t
do_unix_mkdir(process_t process, int32_t directory, uint32_t mode,
              unix_path_t path)
{
    struct vnode_attributes attributes = {
        .mode = UNIX_S_IFDIR | (mode & 01777 & ~process->umask),
    };

    return directory_make(process, directory, path, &attributes);
}

kern_return_t
do_unix_mknod(process_t process, int32_t directory, uint32_t mode,
              uint64_t device, unix_path_t path)
{
    uint32_t type = mode & UNIX_S_IFMT;
    struct vnode_attributes attributes = {
        .mode = (mode & 07777 & ~process->umask),
    };

    if (type == 0) {
        type = UNIX_S_IFREG;
    }

    if (type == UNIX_S_IFCHR || type == UNIX_S_IFBLK) {
        if (!credentials_root(&process->cred)) {
            return unix_result(EPERM);
        }

        attributes.rdev = device;
    } else if (type != UNIX_S_IFREG && type != UNIX_S_IFIFO) {
        return unix_result(EINVAL);
    }

    attributes.mode |= type;
    return directory_make(process, directory, path, &attributes);
}

kern_return_t
do_unix_symlink(process_t process, int32_t directory, unix_path_t target,
                unix_path_t path)
{
    struct vnode_attributes attributes = {
        .mode = UNIX_S_IFLNK | 0777,
        .target = target,
    };

    if (target[0] == '\0') {
        return unix_result(ENOENT);
    }

    return directory_make(process, directory, path, &attributes);
}

static int
directory_link(process_t process, struct vnode *vnode, struct walk *walk)
{
    int error;

    if (walk->vnode != NULL || walk->parent == NULL) {
        return EEXIST;
    }

    if (walk->slash) {
        return ENOENT;
    }

    if (vnode_is_directory(vnode)) {
        return EPERM;
    }

    if (vnode->fs != walk->parent->fs) {
        return EXDEV;
    }

    error = directory_writable(process, walk->parent);

    if (error != 0) {
        return error;
    }

    return vnode->ops->link(walk->parent, walk->name, walk->length, vnode);
}

kern_return_t
do_unix_link(process_t process, int32_t old_directory, int32_t new_directory,
             int32_t flags, unix_path_t old_path, unix_path_t new_path)
{
    struct vnode *vnode;
    struct walk walk;
    int error;

    error = directory_vnode(
        process, old_directory, old_path,
        (flags & UNIX_AT_SYMLINK_FOLLOW) != 0 ? 0 : UNIX_AT_SYMLINK_NOFOLLOW,
        &vnode);

    if (error != 0) {
        return unix_result(error);
    }

    error =
        directory_walk(process, new_directory, new_path, WALK_PARENT, &walk);

    if (error == 0) {
        error = directory_link(process, vnode, &walk);
        walk_end(&walk);
    }

    vnode_unref(vnode);
    return unix_result(error);
}

/* -- Taking names away ----------------------------------------------------- */

static bool
directory_is_mount(const struct vnode *vnode)
{
    return vnode->mounted != NULL || vnode == vnode->fs->root;
}

static int
directory_unlink(process_t process, struct walk *walk, bool directory)
{
    struct vnode *parent = walk->parent;
    int error;

    if (parent == NULL) {
        return walk->name[0] == '.' && walk->length == 1 ? EINVAL : EBUSY;
    }

    if (directory && !vnode_is_directory(walk->vnode)) {
        return ENOTDIR;
    }

    if (!directory && vnode_is_directory(walk->vnode)) {
        return EISDIR;
    }

    if (directory_is_mount(walk->vnode)) {
        return EBUSY;
    }

    error = directory_may_remove(process, parent, walk->vnode);

    if (error != 0) {
        return error;
    }

    return parent->ops->unlink(parent, walk->name, walk->length);
}

kern_return_t
do_unix_unlink(process_t process, int32_t directory, int32_t flags,
               unix_path_t path)
{
    struct walk walk;
    int error;

    error = directory_walk(process, directory, path, 0, &walk);

    if (error == 0) {
        error =
            directory_unlink(process, &walk, (flags & UNIX_AT_REMOVEDIR) != 0);
        walk_end(&walk);
    }

    return unix_result(error);
}

/* Is a directory the other one, or above it? */
static bool
directory_contains(struct vnode *above, struct vnode *directory)
{
    struct vnode *at = vnode_ref(directory);
    bool contains = false;

    for (;;) {
        struct vnode *parent;

        contains = at == above;

        if (contains || at == at->fs->root ||
            at->ops->parent(at, &parent) != 0) {
            break;
        }

        vnode_unref(at);
        at = parent;
    }

    vnode_unref(at);
    return contains;
}

/* May what `from` found take the place of what `to` found? */
static int
directory_check_rename(process_t process, struct walk *from, struct walk *to)
{
    bool directory = vnode_is_directory(from->vnode);
    int error;

    if (from->parent == NULL || to->parent == NULL) {
        return EINVAL;
    }

    if (from->parent->fs != to->parent->fs) {
        return EXDEV;
    }

    if (directory_is_mount(from->vnode) ||
        (to->vnode != NULL && directory_is_mount(to->vnode))) {
        return EBUSY;
    }

    if (!directory && (from->slash || to->slash)) {
        return ENOTDIR;
    }

    if (to->vnode != NULL && vnode_is_directory(to->vnode) != directory) {
        return directory ? ENOTDIR : EISDIR;
    }

    if (directory && directory_contains(from->vnode, to->parent)) {
        return EINVAL;
    }

    error = directory_may_remove(process, from->parent, from->vnode);

    if (error != 0) {
        return error;
    }

    return to->vnode != NULL
               ? directory_may_remove(process, to->parent, to->vnode)
               : directory_writable(process, to->parent);
}

static int
directory_rename(process_t process, struct walk *from, struct walk *to)
{
    int error;

    error = directory_check_rename(process, from, to);

    if (error != 0 || from->vnode == to->vnode) {
        return error;
    }

    return from->parent->ops->rename(from->parent, from->name, from->length,
                                     to->parent, to->name, to->length);
}

kern_return_t
do_unix_rename(process_t process, int32_t old_directory, int32_t new_directory,
               unix_path_t old_path, unix_path_t new_path)
{
    struct walk from;
    struct walk to;
    int error;

    error = directory_walk(process, old_directory, old_path, 0, &from);

    if (error != 0) {
        return unix_result(error);
    }

    error = directory_walk(process, new_directory, new_path, WALK_PARENT, &to);

    if (error == 0) {
        error = directory_rename(process, &from, &to);
        walk_end(&to);
    }

    walk_end(&from);
    return unix_result(error);
}

/* -- Attributes ------------------------------------------------------------ */

kern_return_t
do_unix_stat(process_t process, int32_t directory, int32_t flags,
             unix_path_t path, unix_stat_t *status)
{
    struct vnode *vnode;
    int error;

    error = directory_vnode(process, directory, path, flags, &vnode);

    if (error == 0) {
        vnode_stat(vnode, status);
        vnode_unref(vnode);
    }

    return unix_result(error);
}

kern_return_t
do_unix_statvfs(process_t process, unix_path_t path, unix_statvfs_t *status)
{
    struct vnode *vnode;
    int error;

    error = directory_vnode(process, UNIX_AT_FDCWD, path, 0, &vnode);

    if (error == 0) {
        vnode->fs->statvfs(vnode->fs, status);
        vnode_unref(vnode);
    }

    return unix_result(error);
}

kern_return_t
do_unix_access(process_t process, int32_t directory, int32_t mode,
               int32_t flags, unix_path_t path)
{
    struct walk_context context;
    struct credentials cred = process->cred;
    struct vnode *vnode;
    int error;

    if ((mode & ~(UNIX_R_OK | UNIX_W_OK | UNIX_X_OK)) != 0) {
        return unix_result(EINVAL);
    }

    if ((flags & UNIX_AT_EACCESS) == 0) {
        cred.euid = cred.uid;
        cred.egid = cred.gid;
    }

    error = directory_context(process, directory, path, &context);

    if (error != 0) {
        return unix_result(error);
    }

    context.cred = &cred;
    error = walk_vnode(
        &context, path,
        (flags & UNIX_AT_SYMLINK_NOFOLLOW) != 0 ? 0 : WALK_FOLLOW, &vnode);

    if (error == 0) {
        error = vnode_access(vnode, &cred, (uint32_t)mode);
        vnode_unref(vnode);
    }

    return unix_result(error);
}

kern_return_t
do_unix_readlink(process_t process, int32_t directory, unix_path_t path,
                 unix_data_t target, mach_msg_type_number_t *targetCnt)
{
    struct vnode *vnode;
    const char *text;
    int error;

    error = directory_vnode(process, directory, path, UNIX_AT_SYMLINK_NOFOLLOW,
                            &vnode);

    if (error != 0) {
        return unix_result(error);
    }

    if (vnode_type(vnode) != UNIX_S_IFLNK) {
        error = EINVAL;
    } else {
        text = vnode->ops->readlink(vnode);
        *targetCnt = (mach_msg_type_number_t)strlen(text);
        memcpy(target, text, *targetCnt);
    }

    vnode_unref(vnode);
    return unix_result(error);
}

kern_return_t
do_unix_chmod(process_t process, int32_t directory, uint32_t mode,
              int32_t flags, unix_path_t path)
{
    struct vnode *vnode;
    int error;

    error = directory_vnode(process, directory, path, flags, &vnode);

    if (error == 0) {
        error = vnode_type(vnode) == UNIX_S_IFLNK
                    ? ENOTSUP
                    : vnode_chmod(vnode, &process->cred, mode);
        vnode_unref(vnode);
    }

    return unix_result(error);
}

kern_return_t
do_unix_chown(process_t process, int32_t directory, uint32_t uid, uint32_t gid,
              int32_t flags, unix_path_t path)
{
    struct vnode *vnode;
    int error;

    error = directory_vnode(process, directory, path, flags, &vnode);

    if (error == 0) {
        error = vnode_chown(vnode, &process->cred, uid, gid);
        vnode_unref(vnode);
    }

    return unix_result(error);
}

kern_return_t
do_unix_utimens(process_t process, int32_t directory, int32_t flags,
                unix_timespec_t atime, unix_timespec_t mtime, unix_path_t path)
{
    struct vnode *vnode;
    int error;

    error = directory_vnode(process, directory, path, flags, &vnode);

    if (error == 0) {
        error = vnode_utimens(vnode, &process->cred, &atime, &mtime);
        vnode_unref(vnode);
    }

    return unix_result(error);
}

kern_return_t
do_unix_truncate(process_t process, int64_t size, unix_path_t path)
{
    struct vnode *vnode;
    int error;

    error = directory_vnode(process, UNIX_AT_FDCWD, path, 0, &vnode);

    if (error != 0) {
        return unix_result(error);
    }

    error = vnode_access(vnode, &process->cred, UNIX_W_OK);

    if (error == 0) {
        error = vnode_truncate(vnode, size);
    }

    vnode_unref(vnode);
    return unix_result(error);
}

/* -- Directories of the process -------------------------------------------- */

static int
directory_enter(process_t process, const char *path, struct vnode **wherep)
{
    struct vnode *vnode;
    int error;

    error = directory_vnode(process, UNIX_AT_FDCWD, path, 0, &vnode);

    if (error != 0) {
        return error;
    }

    error = vnode_is_directory(vnode)
                ? vnode_access(vnode, &process->cred, UNIX_X_OK)
                : ENOTDIR;

    if (error != 0) {
        vnode_unref(vnode);
        return error;
    }

    vnode_unref(*wherep);
    *wherep = vnode;
    return 0;
}

kern_return_t
do_unix_chdir(process_t process, unix_path_t path)
{
    return unix_result(directory_enter(process, path, &process->cwd));
}

kern_return_t
do_unix_chroot(process_t process, unix_path_t path)
{
    if (!credentials_root(&process->cred)) {
        return unix_result(EPERM);
    }

    return unix_result(directory_enter(process, path, &process->root));
}

kern_return_t
do_unix_getcwd(process_t process, unix_path_t path)
{
    struct walk_context context;

    process_walk_context(process, &context);
    return unix_result(walk_name(&context, process->cwd, path, UNIX_PATH_MAX));
}
