/* SPDX-License-Identifier: MIT */
/*
 * Walking a path. Symbolic links are not followed by recursion: the rest of
 * the path is put behind the link's target in one buffer, and the walk goes
 * on there. Every step holds exactly one reference, to the directory it is in.
 */

#include <stdlib.h>
#include <string.h>

#include "walk.h"

/* The path that is still to go. */
struct walk_state {
    const struct walk_context *context;
    struct vnode *directory; /* reference */
    const char *rest;
    char *buffer; /* where rest is, once a link was met; or null */
    unsigned int links;
};

/* Across mount points: into the root of what is mounted here. */
static struct vnode *
walk_enter(struct vnode *vnode)
{
    while (vnode->mounted != NULL) {
        struct vnode *root = vnode_ref(vnode->mounted->root);

        vnode_unref(vnode);
        vnode = root;
    }

    return vnode;
}

static int
walk_up(struct walk_state *state, struct vnode **vnodep)
{
    struct vnode *directory = state->directory;

    if (directory == state->context->root) {
        *vnodep = vnode_ref(directory);
        return 0;
    }

    while (directory == directory->fs->root && directory->fs->covered != NULL) {
        directory = directory->fs->covered;
    }

    return directory->ops->parent(directory, vnodep);
}

/* One component, which is in state->directory. */
static int
walk_lookup(struct walk_state *state, const char *name, size_t length,
            struct vnode **vnodep)
{
    struct vnode *directory = state->directory;
    int error;

    if (length == 1 && name[0] == '.') {
        *vnodep = vnode_ref(directory);
        return 0;
    }

    if (length == 2 && name[0] == '.' && name[1] == '.') {
        return walk_up(state, vnodep);
    }

    error = directory->ops->lookup(directory, name, length, vnodep);

    if (error == 0) {
        *vnodep = walk_enter(*vnodep);
    }

    return error;
}

static bool
walk_is_dots(const char *name, size_t length)
{
    return name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
}

static void
walk_move(struct walk_state *state, struct vnode *directory)
{
    vnode_unref(state->directory);
    state->directory = directory;
}

/* Put a link's target before what is left of the path. */
static int
walk_follow(struct walk_state *state, struct vnode *vnode, const char *rest)
{
    const char *target = vnode->ops->readlink(vnode);
    size_t target_length = strlen(target);
    size_t rest_length = strlen(rest);
    char *buffer;

    state->links++;

    if (state->links > UNIX_SYMLINKS_MAX) {
        return ELOOP;
    }

    if (target_length + rest_length >= UNIX_PATH_MAX) {
        return ENAMETOOLONG;
    }

    buffer = malloc(target_length + rest_length + 1);

    if (buffer == NULL) {
        return ENOMEM;
    }

    memcpy(buffer, target, target_length);
    memcpy(buffer + target_length, rest, rest_length + 1);
    free(state->buffer);
    state->buffer = buffer;
    state->rest = buffer;

    if (buffer[0] == '/') {
        walk_move(state, vnode_ref(state->context->root));
    }

    return target_length == 0 ? ENOENT : 0;
}

/* Split off the next component: its length, and what follows its slashes. */
static size_t
walk_component(const char *rest, const char **afterp)
{
    size_t length = strcspn(rest, "/");

    *afterp = rest + length + strspn(rest + length, "/");
    return length;
}

static int
walk_check_directory(struct walk_state *state)
{
    if (!vnode_is_directory(state->directory)) {
        return ENOTDIR;
    }

    return vnode_access(state->directory, state->context->cred, UNIX_X_OK);
}

/* The last component was found, or not. Takes the vnode's reference. */
static int
walk_finish(struct walk_state *state, const char *name, size_t length,
            struct vnode *vnode, unsigned int flags, struct walk *walk)
{
    if (vnode == NULL && (flags & WALK_PARENT) == 0) {
        return ENOENT;
    }

    if (vnode != NULL && walk->slash && !vnode_is_directory(vnode)) {
        vnode_unref(vnode);
        return ENOTDIR;
    }

    memcpy(walk->name, name, length);
    walk->name[length] = '\0';
    walk->length = length;
    walk->vnode = vnode;

    if (!walk_is_dots(name, length)) {
        walk->parent = vnode_ref(state->directory);
    }

    return 0;
}

/* One step; *donep when it was the last. */
static int
walk_step(struct walk_state *state, unsigned int flags, struct walk *walk,
          bool *donep)
{
    const char *name = state->rest;
    struct vnode *vnode = NULL;
    const char *after;
    size_t length;
    bool last;
    int error;

    error = walk_check_directory(state);

    if (error != 0) {
        return error;
    }

    length = walk_component(name, &after);
    last = *after == '\0';
    walk->slash = last && name[length] == '/';

    if (length > UNIX_NAME_MAX) {
        return ENAMETOOLONG;
    }

    error = walk_lookup(state, name, length, &vnode);

    if (error != 0 && (error != ENOENT || !last)) {
        return error;
    }

    if (vnode != NULL && vnode_type(vnode) == UNIX_S_IFLNK &&
        (!last || walk->slash || (flags & WALK_FOLLOW) != 0)) {
        error = walk_follow(state, vnode, name + length);
        vnode_unref(vnode);
        return error;
    }

    if (last) {
        *donep = true;
        return walk_finish(state, name, length, vnode, flags, walk);
    }

    walk_move(state, vnode);
    state->rest = after;
    return 0;
}

int
walk_path(const struct walk_context *context, const char *path,
          unsigned int flags, struct walk *walk)
{
    struct walk_state state;
    bool done = false;
    int error = 0;

    walk->parent = NULL;
    walk->vnode = NULL;
    walk->slash = false;
    walk->length = 0;
    walk->name[0] = '\0';

    if (path[0] == '\0') {
        return ENOENT;
    }

    state.context = context;
    state.directory =
        vnode_ref(path[0] == '/' ? context->root : context->start);
    state.rest = path;
    state.buffer = NULL;
    state.links = 0;

    while (!done && error == 0) {
        state.rest += strspn(state.rest, "/");

        if (*state.rest == '\0') {
            /* Nothing but slashes: the directory itself. */
            walk->vnode = vnode_ref(state.directory);
            break;
        }

        error = walk_step(&state, flags, walk, &done);
    }

    vnode_unref(state.directory);
    free(state.buffer);
    return error;
}

void
walk_end(struct walk *walk)
{
    vnode_unref(walk->parent);
    vnode_unref(walk->vnode);
}

int
walk_vnode(const struct walk_context *context, const char *path,
           unsigned int flags, struct vnode **vnodep)
{
    struct walk walk;
    int error;

    error = walk_path(context, path, flags, &walk);

    if (error != 0) {
        return error;
    }

    *vnodep = vnode_ref(walk.vnode);
    walk_end(&walk);
    return 0;
}

/* The name that a directory has in its parent. */
static int
walk_find_name(struct vnode *parent, const struct vnode *directory,
               struct directory_entry *entry)
{
    int64_t cookie = 0;

    while (parent->ops->readdir(parent, cookie, entry)) {
        if (entry->ino == directory->ino) {
            return 0;
        }

        cookie = entry->next;
    }

    return ENOENT;
}

int
walk_name(const struct walk_context *context, struct vnode *directory,
          char *path, size_t size)
{
    size_t start = size - 1;
    int error = 0;

    path[start] = '\0';

    while (directory != context->root) {
        struct directory_entry entry;
        struct vnode *parent;

        if (directory == directory->fs->root) {
            if (directory->fs->covered == NULL) {
                return ENOENT;
            }

            directory = directory->fs->covered;
            continue;
        }

        error = directory->ops->parent(directory, &parent);

        if (error != 0) {
            return error;
        }

        /* The parent stays while it has this directory. */
        error = walk_find_name(parent, directory, &entry);
        vnode_unref(parent);

        if (error != 0) {
            return error;
        }

        if (entry.length + 1 > start) {
            return ERANGE;
        }

        start -= entry.length;
        memcpy(path + start, entry.name, entry.length);
        start--;
        path[start] = '/';
        directory = parent;
    }

    if (path[start] == '\0') {
        if (start == 0) {
            return ERANGE;
        }

        start--;
        path[start] = '/';
    }

    memmove(path, path + start, size - start);
    return 0;
}
