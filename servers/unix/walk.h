/* SPDX-License-Identifier: MIT */
/* From a path to a vnode. */

#ifndef UNIX_WALK_H
#define UNIX_WALK_H

#include "vnode.h"

/* What a path is looked up for, and by whom. */
struct walk_context {
    struct vnode *root;
    struct vnode *start; /* of a relative path */
    const struct credentials *cred;
};

#define WALK_FOLLOW 1u /* the last component, if it is a symbolic link */
#define WALK_PARENT 2u /* the last component need not exist */

/*
 * parent: the directory that holds the last component, or null when the path
 * ends in ".", ".." or is the root; vnode: null if it does not exist.
 */
struct walk {
    struct vnode *parent; /* reference */
    struct vnode *vnode;  /* reference */
    bool slash;           /* a slash follows: it must be a directory */
    size_t length;
    char name[UNIX_NAME_MAX + 1];
};

/* ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG. */
MUST_CHECK int walk_path(const struct walk_context *context, const char *path,
                         unsigned int flags, struct walk *walk);
void walk_end(struct walk *walk);

/* The vnode alone, with a reference. */
MUST_CHECK int walk_vnode(const struct walk_context *context, const char *path,
                          unsigned int flags, struct vnode **vnodep);

/* The path of a directory from the root: ERANGE, ENOENT (it was removed). */
MUST_CHECK int walk_name(const struct walk_context *context,
                         struct vnode *directory, char *path, size_t size);

#endif /* UNIX_WALK_H */
