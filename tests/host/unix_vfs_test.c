/* SPDX-License-Identifier: MIT */
/*
 * Paths, directories and files: the vnode layer, tmpfs and the walk, with the
 * data of files in malloc's memory.
 */

#include <stdlib.h>
#include <string.h>

#include "../../servers/unix/io.h"
#include "../../servers/unix/memory_file.h"
#include "../../servers/unix/tmpfs.h"
#include "../../servers/unix/walk.h"
#include "tap.h"

/* -- The edge of the server, made believe ---------------------------------- */

static int64_t now;

int64_t
clock_realtime(void)
{
    now++;
    return now;
}

void
clock_timespec(struct unix_timespec *time)
{
    time->sec = clock_realtime();
    time->nsec = 0;
}

int
io_put(struct io *io, const void *data, size_t size)
{
    memcpy(io->buffer + io->done, data, size);
    io->done += size;
    return 0;
}

int
io_get(struct io *io, void *data, size_t size)
{
    memcpy(data, io->buffer + io->done, size);
    io->done += size;
    return 0;
}

void
memory_file_init(struct memory_file *file)
{
    memset(file, 0, sizeof(*file));
}

void
memory_file_fini(struct memory_file *file)
{
    free(file->window);
    memory_file_init(file);
}

void
memory_file_archive(struct memory_file *file, const uint8_t *data,
                    uint64_t size)
{
    file->archive = data;
    file->size = size;
}

const uint8_t *
memory_file_data(const struct memory_file *file, uint64_t offset)
{
    return (file->archive != NULL ? file->archive : file->window) + offset;
}

int
memory_file_truncate(struct memory_file *file, uint64_t size)
{
    uint8_t *window = calloc(1, size + 1);
    uint64_t keep = size < file->size ? size : file->size;

    if (keep != 0) {
        memcpy(window, memory_file_data(file, 0), keep);
    }

    free(file->window);
    file->archive = NULL;
    file->window = window;
    file->size = size;
    return 0;
}

int
memory_file_prepare(struct memory_file *file, uint64_t offset, uint64_t length,
                    uint8_t **datap)
{
    uint64_t end = offset + length;

    if (end > MEMORY_FILE_MAX) {
        return EFBIG;
    }

    (void)memory_file_truncate(file, end > file->size ? end : file->size);
    *datap = file->window + offset;
    return 0;
}

int
memory_file_entry(struct memory_file *file, mach_port_t *entryp)
{
    (void)file;
    *entryp = MACH_PORT_NULL;
    return ENOSPC;
}

void
memory_file_usage(uint64_t *limitp, uint64_t *usedp)
{
    *limitp = 1024 * 1024;
    *usedp = 0;
}

/* -- Helpers --------------------------------------------------------------- */

static struct filesystem *fs;
static struct credentials cred; /* root's */
static struct walk_context context;

static int
make(const char *path, uint32_t mode, const char *target)
{
    struct vnode_attributes attributes = { .mode = mode, .target = target };
    struct vnode *vnode;
    struct walk walk;
    int error = walk_path(&context, path, WALK_PARENT, &walk);

    if (error != 0) {
        return error;
    }

    error = walk.vnode != NULL
                ? EEXIST
                : walk.parent->ops->create(walk.parent, walk.name, walk.length,
                                           &attributes, &vnode);

    if (error == 0) {
        vnode_unref(vnode);
    }

    walk_end(&walk);
    return error;
}

static int
folder(const char *path)
{
    return make(path, UNIX_S_IFDIR | 0755, NULL);
}

static int
file(const char *path)
{
    return make(path, UNIX_S_IFREG | 0644, NULL);
}

static int
symlink_to(const char *target, const char *path)
{
    return make(path, UNIX_S_IFLNK | 0777, target);
}

/* The inode number behind a path, or minus the error. */
static long
find(const char *path, unsigned int flags)
{
    struct vnode *vnode;
    int error = walk_vnode(&context, path, flags, &vnode);
    long ino;

    if (error != 0) {
        return -error;
    }

    ino = (long)vnode->ino;
    vnode_unref(vnode);
    return ino;
}

static int
take_away(const char *path)
{
    struct walk walk;
    int error = walk_path(&context, path, 0, &walk);

    if (error == 0) {
        error = walk.parent->ops->unlink(walk.parent, walk.name, walk.length);
        walk_end(&walk);
    }

    return error;
}

static int
move(const char *from, const char *to)
{
    struct walk a;
    struct walk b;
    int error = walk_path(&context, from, 0, &a);

    if (error != 0) {
        return error;
    }

    error = walk_path(&context, to, WALK_PARENT, &b);

    if (error == 0) {
        error = a.parent->ops->rename(a.parent, a.name, a.length, b.parent,
                                      b.name, b.length);
        walk_end(&b);
    }

    walk_end(&a);
    return error;
}

static uint32_t
links(const char *path)
{
    struct vnode *vnode;
    uint32_t count;

    if (walk_vnode(&context, path, 0, &vnode) != 0) {
        return 0;
    }

    count = vnode->nlink;
    vnode_unref(vnode);
    return count;
}

static const char *
name_of(const char *path)
{
    static char name[UNIX_PATH_MAX];
    struct vnode *vnode;
    int error = walk_vnode(&context, path, WALK_FOLLOW, &vnode);

    if (error != 0) {
        return "?";
    }

    error = walk_name(&context, vnode, name, sizeof(name));
    vnode_unref(vnode);
    return error == 0 ? name : "??";
}

/* -- Tests ----------------------------------------------------------------- */

static void
paths(void)
{
    char longest[400];

    is(folder("/a") | folder("/a/b") | folder("/a/b/c"), 0, "folders");
    is(file("/a/b/f"), 0, "a file");
    is(file("/a/b/f"), EEXIST, "not twice");
    ok(find("/a/b/c/../f", 0) > 0, "..");
    is(find("//a///b/./f", 0), find("/a/b/f", 0), "slashes and dots");
    is(find("/..", 0), find("/", 0), ".. of the root");
    is(find("/a/b/f/", 0), -ENOTDIR, "a slash after a file");
    is(find("/a/b/f/x", 0), -ENOTDIR, "a file is no folder");
    is(find("/a/x/f", 0), -ENOENT, "no such folder");
    is(find("/a/b/x", 0), -ENOENT, "no such file");
    is(find("", 0), -ENOENT, "the empty path");
    memset(longest, 'x', 300);
    longest[0] = '/';
    longest[300] = '\0';
    is(find(longest, 0), -ENAMETOOLONG, "too long a name");
    ok(strcmp(name_of("/a/b/c"), "/a/b/c") == 0, "the name of a folder");
    ok(strcmp(name_of("/"), "/") == 0, "the name of the root");
}

static void
symbolic_links(void)
{
    is(symlink_to("b/f", "/a/rel") | symlink_to("/a/b", "/a/abs"), 0, "links");
    is(find("/a/rel", WALK_FOLLOW), find("/a/b/f", 0), "relative");
    is(find("/a/abs/f", 0), find("/a/b/f", 0), "absolute, in the middle");
    ok(find("/a/rel", 0) != find("/a/b/f", 0), "the link itself");
    is(find("/a/abs/", 0), find("/a/b", 0), "a slash follows it");
    (void)symlink_to("/loop", "/loop");
    is(find("/loop", WALK_FOLLOW), -ELOOP, "a loop");
    (void)symlink_to("/nowhere", "/dangling");
    is(find("/dangling", WALK_FOLLOW), -ENOENT, "dangling");
    ok(find("/dangling", 0) > 0, "but there");
}

static void
names(void)
{
    is(links("/a/b"), 3, "., its name, and .. of c");
    is(take_away("/a/b"), ENOTEMPTY, "a folder that is not empty");
    is(take_away("/a/b/c"), 0, "one that is");
    is(links("/a/b"), 2, "one link less");
    is(file("/a/g") | move("/a/g", "/a/b/h"), 0, "rename");
    is(find("/a/g", 0), -ENOENT, "the old name is gone");
    ok(find("/a/b/h", 0) > 0, "the new one is there");
    is(move("/a/b/h", "/a/b/f"), 0, "over another");
    is(links("/a/b/f"), 1, "one link");
    is(folder("/d") | move("/d", "/a/d"), 0, "a folder");
    is(links("/a/d"), 2, "two links");
    is(links("/"), 3, "the root has one folder less");
    ok(strcmp(name_of("/a/d/.."), "/a") == 0, ".. has changed");
    is(folder("/a/d/e") | move("/a/b", "/a/d/e"), 0, "over an empty folder");
    is(links("/a/d/e"), 2, "two links");
    is(move("/a/d/e", "/a/d"), ENOTEMPTY, "not over a full one");
}

static void
listing(void)
{
    struct directory_entry entry;
    struct vnode *vnode;
    int64_t cookie = 0;
    int seen = 0;
    int i;

    (void)folder("/l");

    for (i = 0; i < 20; i++) {
        char path[16];

        (void)sprintf(path, "/l/%d", i);
        (void)file(path);
    }

    if (walk_vnode(&context, "/l", 0, &vnode) != 0) {
        return;
    }

    while (vnode->ops->readdir(vnode, cookie, &entry)) {
        char path[16];

        cookie = entry.next;
        seen++;
        (void)sprintf(path, "/l/%d", seen * 2);
        (void)take_away(path);
    }

    is(seen, 11, "a list that changes meanwhile: none twice, none missed");
    vnode_unref(vnode);
}

/* Many names, with the chains that they need. */
static void
many(void)
{
    char path[32];
    bool good = true;
    int i;

    (void)folder("/many");

    for (i = 0; i < 3000; i++) {
        (void)sprintf(path, "/many/%d", i);
        good = good && file(path) == 0 && file(path) == EEXIST;
    }

    ok(good, "3,000 names");

    for (i = 0; i < 3000; i += 3) {
        (void)sprintf(path, "/many/%d", i);
        good = good && take_away(path) == 0;
    }

    for (i = 1; i < 3000; i += 3) {
        char to[32];

        (void)sprintf(path, "/many/%d", i);
        (void)sprintf(to, "/many/%d", i + 1);
        good = good && move(path, to) == 0;
    }

    for (i = 0; i < 3000; i++) {
        (void)sprintf(path, "/many/%d", i);
        good = good && (find(path, 0) > 0) == (i % 3 == 2);
    }

    ok(good, "a third unlinked, a third renamed over the last");

    for (i = 2; i < 3000; i += 3) {
        (void)sprintf(path, "/many/%d", i);
        good = good && take_away(path) == 0;
    }

    ok(good && take_away("/many") == 0, "and all gone");
}

static void
data(void)
{
    uint8_t bytes[100];
    struct io io = { .buffer = bytes, .size = 5 };
    struct vnode *vnode;

    (void)file("/data");

    if (walk_vnode(&context, "/data", 0, &vnode) != 0) {
        return;
    }

    memcpy(bytes, "hello", 5);
    is(vnode->ops->write(vnode, &io), 0, "write");
    is(vnode->size, 5, "the size");
    io.done = 0;
    io.offset = 1;
    io.size = 100;
    is(vnode->ops->read(vnode, &io), 0, "read");
    ok(io.done == 4 && memcmp(bytes, "ello", 4) == 0, "from the middle");
    io.done = 0;
    io.offset = 5;
    (void)vnode->ops->read(vnode, &io);
    is(io.done, 0, "the end");
    is(vnode_truncate(vnode, 2) | vnode_truncate(vnode, 10), 0, "truncate");
    io.done = 0;
    io.offset = 0;
    (void)vnode->ops->read(vnode, &io);
    ok(io.done == 10 && memcmp(bytes, "he\0\0\0\0\0\0\0", 10) == 0, "zeros");
    is(vnode_truncate(vnode, -1), EINVAL, "not to less than nothing");
    vnode->programs = 1;
    is(vnode_truncate(vnode, 0), ETXTBSY, "not a program that runs");
    vnode->programs = 0;
    is(take_away("/data"), 0, "unlink");
    is(vnode->size, 10, "an open file stays");
    vnode_unref(vnode);
}

static void
permissions(void)
{
    struct credentials user = { .uid = 1, .euid = 1, .gid = 1, .egid = 1 };
    struct vnode *vnode;

    (void)folder("/p");
    (void)file("/p/f");

    if (walk_vnode(&context, "/p/f", 0, &vnode) != 0) {
        return;
    }

    is(vnode_access(vnode, &user, UNIX_R_OK), 0, "others may read");
    is(vnode_access(vnode, &user, UNIX_W_OK), EACCES, "not write");
    is(vnode_access(vnode, &cred, UNIX_W_OK), 0, "root may");
    is(vnode_access(vnode, &cred, UNIX_X_OK), EACCES, "but not execute");
    is(vnode_chmod(vnode, &user, 0777), EPERM, "not the owner");
    is(vnode_chown(vnode, &cred, 1, 2), 0, "root gives it away");
    is(vnode_chmod(vnode, &user, 06755), 0, "the owner may");
    is(vnode->mode & 07777, 04755, "no set-gid for another's group");
    is(vnode_chown(vnode, &user, 2, ~0u), EPERM, "not give it away");
    is(vnode_chown(vnode, &user, ~0u, 1), 0, "but to an own group");
    is(vnode->mode & 07777, 0755, "which is the end of set-uid");
    user.euid = 5;
    user.egid = 1;
    is(vnode_access(vnode, &user, UNIX_W_OK), EACCES, "the group's bits");
    vnode_unref(vnode);

    if (walk_vnode(&context, "/p", 0, &vnode) == 0) {
        is(vnode_chmod(vnode, &cred, 0700), 0, "close a folder");
        context.cred = &user;
        is(find("/p/f", 0), -EACCES, "a closed folder");
        context.cred = &cred;
        vnode_unref(vnode);
    }
}

int
main(void)
{
    fs = tmpfs_create("tmpfs", 1);
    context.root = fs->root;
    context.start = fs->root;
    context.cred = &cred;
    paths();
    symbolic_links();
    names();
    listing();
    many();
    data();
    permissions();
    return tap_done();
}
