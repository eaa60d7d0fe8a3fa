/* SPDX-License-Identifier: MIT */
/* What opening a file needs of the other calls that take a path. */

#ifndef UNIX_DIRECTORY_CALLS_H
#define UNIX_DIRECTORY_CALLS_H

#include "process.h"
#include "walk.h"

/* Walk a path from a descriptor: EBADF, ENOTDIR, and what walk_path says. */
MUST_CHECK int
directory_walk(struct process *process, int directory, const char *path,
               unsigned int flags, struct walk *walk);

/* Make what `attributes` says, owned by the process, where the walk found
 * nothing; the vnode comes with a reference. EEXIST, EACCES, ENOSPC. */
MUST_CHECK int
directory_create(struct process *process, struct walk *walk,
                 struct vnode_attributes *attributes, struct vnode **vnodep);

#endif /* UNIX_DIRECTORY_CALLS_H */
