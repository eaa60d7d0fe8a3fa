/* SPDX-License-Identifier: MIT */
/*
 * A file system in memory. A directory is a list of entries in the order in
 * which they were made; each has a number that only grows, which is the
 * cookie that readdir goes on from, so that nothing is seen twice or missed
 * when others come and go. To find a name there are chains by its hash, as many
 * as there are entries; small directories have none.
 *
 * The number of nodes is bounded, like the memory of their data.
 */

#include <stdlib.h>
#include <string.h>

#include "io.h"
#include "memory_file.h"
#include "tmpfs.h"

#define TMPFS_NODES_MAX 65536
#define TMPFS_BLOCK 4096
#define TMPFS_CHAINS_MIN 16u /* fewer entries are looked through one by one */

struct tmpfs {
    struct filesystem fs;
    uint64_t next_ino;
    uint64_t nodes;
};

struct tmpfs_entry {
    struct list link;
    struct tmpfs_entry *chain_next;
    struct vnode *vnode; /* no reference: nlink counts it */
    int64_t cookie;
    uint32_t hash;
    uint32_t length;
    char name[];
};

struct tmpfs_node {
    struct vnode vnode;
    struct vnode *parent;          /* of a directory; null: removed */
    struct list entries;           /* of a directory */
    struct tmpfs_entry **chains;   /* of a directory, by hash; or null */
    struct tmpfs_entry *last_read; /* of a directory: what readdir gave */
    uint32_t chain_count;          /* a power of two, or 0 */
    uint32_t entry_count;          /* of a directory */
    int64_t next_cookie;           /* of a directory */
    char *target;                  /* of a symbolic link */
    struct memory_file file;       /* of a regular file */
};

static const struct vnode_ops tmpfs_ops;

static struct tmpfs_node *
tmpfs_node(struct vnode *vnode)
{
    return list_entry(vnode, struct tmpfs_node, vnode);
}

static struct tmpfs *
tmpfs_of(struct vnode *vnode)
{
    return list_entry(vnode->fs, struct tmpfs, fs);
}

static struct tmpfs_node *
tmpfs_node_create(struct tmpfs *tmpfs, const struct vnode_attributes *attr)
{
    struct tmpfs_node *node;

    if (tmpfs->nodes >= TMPFS_NODES_MAX) {
        return NULL;
    }

    node = calloc(1, sizeof(*node));

    if (node == NULL) {
        return NULL;
    }

    if (attr->target != NULL) {
        node->target = strdup(attr->target);

        if (node->target == NULL) {
            free(node);
            return NULL;
        }
    }

    vnode_init(&node->vnode, &tmpfs->fs, &tmpfs_ops, tmpfs->next_ino,
               attr->mode);
    node->vnode.uid = attr->uid;
    node->vnode.gid = attr->gid;
    node->vnode.rdev = attr->rdev;
    node->vnode.size = attr->target != NULL ? strlen(attr->target) : 0;
    node->next_cookie = 1;
    list_init(&node->entries);
    memory_file_init(&node->file);
    tmpfs->next_ino++;
    tmpfs->nodes++;
    return node;
}

static void
tmpfs_destroy(struct vnode *vnode)
{
    struct tmpfs_node *node = tmpfs_node(vnode);

    tmpfs_of(vnode)->nodes--;
    memory_file_fini(&node->file);
    free(node->chains);
    free(node->target);
    free(node);
}

/* -- Directories ----------------------------------------------------------- */

static uint32_t
tmpfs_hash(const char *name, size_t length)
{
    uint32_t hash = 2166136261u;
    size_t i;

    for (i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    }

    return hash;
}

static bool
tmpfs_named(const struct tmpfs_entry *entry, uint32_t hash, const char *name,
            size_t length)
{
    return entry->hash == hash && entry->length == length &&
           memcmp(entry->name, name, length) == 0;
}

static struct tmpfs_entry **
tmpfs_chain(const struct tmpfs_node *node, uint32_t hash)
{
    return &node->chains[hash & (node->chain_count - 1)];
}

static struct tmpfs_entry *
tmpfs_find(struct vnode *directory, const char *name, size_t length)
{
    struct tmpfs_node *node = tmpfs_node(directory);
    uint32_t hash = tmpfs_hash(name, length);
    struct tmpfs_entry *entry;
    struct list *link;

    if (node->chain_count != 0) {
        entry = *tmpfs_chain(node, hash);

        while (entry != NULL && !tmpfs_named(entry, hash, name, length)) {
            entry = entry->chain_next;
        }

        return entry;
    }

    list_for_each(&node->entries, link)
    {
        entry = list_entry(link, struct tmpfs_entry, link);

        if (tmpfs_named(entry, hash, name, length)) {
            return entry;
        }
    }

    return NULL;
}

static void
tmpfs_chain_insert(struct tmpfs_node *node, struct tmpfs_entry *entry)
{
    struct tmpfs_entry **chain = tmpfs_chain(node, entry->hash);

    entry->chain_next = *chain;
    *chain = entry;
}

static void
tmpfs_chain_remove(struct tmpfs_node *node, struct tmpfs_entry *entry)
{
    struct tmpfs_entry **at = tmpfs_chain(node, entry->hash);

    while (*at != entry) {
        at = &(*at)->chain_next;
    }

    *at = entry->chain_next;
}

/* More chains for a directory that has grown. Without memory it has fewer, or
 * none: it is only slower. */
static void
tmpfs_chains_grow(struct tmpfs_node *node)
{
    uint32_t count =
        node->chain_count == 0 ? TMPFS_CHAINS_MIN : node->chain_count * 2;
    struct tmpfs_entry **chains;
    struct list *link;

    if (node->entry_count < count) {
        return;
    }

    chains = calloc(count, sizeof(*chains));

    if (chains == NULL) {
        return;
    }

    free(node->chains);
    node->chains = chains;
    node->chain_count = count;

    list_for_each(&node->entries, link)
    {
        tmpfs_chain_insert(node, list_entry(link, struct tmpfs_entry, link));
    }
}

static void
tmpfs_changed(struct vnode *directory)
{
    vnode_touch(directory, VNODE_MTIME | VNODE_CTIME);
}

/* Give a vnode one name more. */
static int
tmpfs_insert(struct vnode *directory, const char *name, size_t length,
             struct vnode *vnode)
{
    struct tmpfs_node *node = tmpfs_node(directory);
    struct tmpfs_entry *entry;

    entry = malloc(sizeof(*entry) + length);

    if (entry == NULL) {
        return ENOSPC;
    }

    entry->vnode = vnode;
    entry->cookie = node->next_cookie;
    entry->hash = tmpfs_hash(name, length);
    entry->length = (uint32_t)length;
    memcpy(entry->name, name, length);
    node->next_cookie++;
    list_insert_tail(&node->entries, &entry->link);
    node->entry_count++;

    if (node->chain_count != 0) {
        tmpfs_chain_insert(node, entry);
    }

    tmpfs_chains_grow(node);
    directory->size += sizeof(*entry) + length;
    vnode->nlink++;

    if (vnode_is_directory(vnode)) {
        vnode->nlink += vnode->nlink == 1; /* its "." */
        directory->nlink++;                /* its ".." */
        tmpfs_node(vnode)->parent = directory;
    }

    tmpfs_changed(directory);
    return 0;
}

/* Take a name away; the vnode may be gone afterwards. */
static void
tmpfs_remove(struct vnode *directory, struct tmpfs_entry *entry)
{
    struct tmpfs_node *node = tmpfs_node(directory);
    struct vnode *vnode = entry->vnode;

    if (node->chain_count != 0) {
        tmpfs_chain_remove(node, entry);
    }

    if (node->last_read == entry) {
        node->last_read = NULL;
    }

    node->entry_count--;
    list_remove(&entry->link);
    directory->size -= sizeof(*entry) + entry->length;
    free(entry);
    vnode_ref(vnode);
    vnode->nlink--;

    if (vnode_is_directory(vnode)) {
        vnode->nlink--;
        directory->nlink--;
        tmpfs_node(vnode)->parent = NULL;
    }

    vnode_touch(vnode, VNODE_CTIME);
    tmpfs_changed(directory);
    vnode_unref(vnode);
}

static int
tmpfs_lookup(struct vnode *directory, const char *name, size_t length,
             struct vnode **vnodep)
{
    struct tmpfs_entry *entry = tmpfs_find(directory, name, length);

    if (entry == NULL) {
        return ENOENT;
    }

    *vnodep = vnode_ref(entry->vnode);
    return 0;
}

static int
tmpfs_parent(struct vnode *directory, struct vnode **vnodep)
{
    struct vnode *parent = tmpfs_node(directory)->parent;

    if (parent == NULL) {
        return ENOENT;
    }

    *vnodep = vnode_ref(parent);
    return 0;
}

static int
tmpfs_create_node(struct vnode *directory, const char *name, size_t length,
                  const struct vnode_attributes *attributes,
                  struct vnode **vnodep)
{
    struct tmpfs_node *node;
    int error;

    if (directory->nlink == 0) {
        return ENOENT;
    }

    node = tmpfs_node_create(tmpfs_of(directory), attributes);

    if (node == NULL) {
        return ENOSPC;
    }

    error = tmpfs_insert(directory, name, length, &node->vnode);

    if (error != 0) {
        vnode_unref(&node->vnode);
        return error;
    }

    *vnodep = &node->vnode;
    return 0;
}

static int
tmpfs_link(struct vnode *directory, const char *name, size_t length,
           struct vnode *vnode)
{
    int error;

    if (directory->nlink == 0 || vnode->nlink == 0) {
        return ENOENT;
    }

    if (vnode->nlink >= UNIX_LINK_MAX) {
        return EMLINK;
    }

    error = tmpfs_insert(directory, name, length, vnode);

    if (error == 0) {
        vnode_touch(vnode, VNODE_CTIME);
    }

    return error;
}

static bool
tmpfs_removable(struct vnode *vnode)
{
    return !vnode_is_directory(vnode) ||
           list_empty(&tmpfs_node(vnode)->entries);
}

static int
tmpfs_unlink(struct vnode *directory, const char *name, size_t length)
{
    struct tmpfs_entry *entry = tmpfs_find(directory, name, length);

    if (entry == NULL) {
        return ENOENT;
    }

    if (!tmpfs_removable(entry->vnode)) {
        return ENOTEMPTY;
    }

    tmpfs_remove(directory, entry);
    return 0;
}

static int
tmpfs_rename(struct vnode *from, const char *name, size_t length,
             struct vnode *to, const char *new_name, size_t new_length)
{
    struct tmpfs_entry *entry = tmpfs_find(from, name, length);
    struct tmpfs_entry *old = tmpfs_find(to, new_name, new_length);
    struct vnode *vnode;
    int error;

    if (entry == NULL || to->nlink == 0) {
        return ENOENT;
    }

    if (old != NULL && !tmpfs_removable(old->vnode)) {
        return ENOTEMPTY;
    }

    /* The new name stands before the old ones go: only this can fail. */
    vnode = vnode_ref(entry->vnode);
    error = tmpfs_insert(to, new_name, new_length, vnode);

    if (error == 0) {
        if (old != NULL) {
            tmpfs_remove(to, old);
        }

        tmpfs_remove(from, entry);

        if (vnode_is_directory(vnode)) {
            /* remove() thought that the directory has lost its name, and
             * counted its "." away. */
            vnode->nlink++;
            tmpfs_node(vnode)->parent = to;
        }
    }

    vnode_unref(vnode);
    return error;
}

static bool
tmpfs_readdir(struct vnode *directory, int64_t cookie,
              struct directory_entry *found)
{
    struct tmpfs_node *node = tmpfs_node(directory);
    struct list *link = node->entries.next;

    /* Going on from where the last call stopped is the usual case. */
    if (node->last_read != NULL && node->last_read->cookie == cookie) {
        link = node->last_read->link.next;
    }

    for (; link != &node->entries; link = link->next) {
        struct tmpfs_entry *entry = list_entry(link, struct tmpfs_entry, link);

        if (entry->cookie > cookie) {
            found->name = entry->name;
            found->length = entry->length;
            found->ino = entry->vnode->ino;
            found->type = UNIX_DIRENT_TYPE(entry->vnode->mode);
            found->next = entry->cookie;
            node->last_read = entry;
            return true;
        }
    }

    return false;
}

static const char *
tmpfs_readlink(struct vnode *vnode)
{
    return tmpfs_node(vnode)->target;
}

/* -- Files ----------------------------------------------------------------- */

static int
tmpfs_read(struct vnode *vnode, struct io *io)
{
    struct memory_file *file = &tmpfs_node(vnode)->file;
    uint64_t offset = (uint64_t)io->offset;
    uint64_t size = io_left(io);

    if (offset >= vnode->size) {
        return 0;
    }

    if (size > vnode->size - offset) {
        size = vnode->size - offset;
    }

    return io_put(io, memory_file_data(file, offset), size);
}

static int
tmpfs_write(struct vnode *vnode, struct io *io)
{
    struct memory_file *file = &tmpfs_node(vnode)->file;
    uint64_t offset = (uint64_t)io->offset;
    uint64_t before = file->size;
    uint8_t *data;
    int error;

    error = memory_file_prepare(file, offset, io_left(io), &data);

    if (error == 0) {
        error = io_get(io, data, io_left(io));

        if (error != 0) {
            /* Nothing was written: the file does not become larger. */
            (void)memory_file_truncate(file, before);
        }
    }

    vnode->size = file->size;
    return error;
}

static int
tmpfs_truncate(struct vnode *vnode, uint64_t size)
{
    struct memory_file *file = &tmpfs_node(vnode)->file;
    int error = memory_file_truncate(file, size);

    vnode->size = file->size;
    return error;
}

static int
tmpfs_memory_entry(struct vnode *vnode, mach_port_t *entryp)
{
    return memory_file_entry(&tmpfs_node(vnode)->file, entryp);
}

static uint64_t
tmpfs_usage(struct vnode *vnode)
{
    struct memory_file *file = &tmpfs_node(vnode)->file;

    return file->archive != NULL ? file->size : file->charged;
}

void
tmpfs_archive(struct vnode *vnode, const uint8_t *data, uint64_t size)
{
    memory_file_archive(&tmpfs_node(vnode)->file, data, size);
    vnode->size = size;
}

static const struct vnode_ops tmpfs_ops = {
    .lookup = tmpfs_lookup,
    .parent = tmpfs_parent,
    .create = tmpfs_create_node,
    .link = tmpfs_link,
    .unlink = tmpfs_unlink,
    .rename = tmpfs_rename,
    .readdir = tmpfs_readdir,
    .readlink = tmpfs_readlink,
    .read = tmpfs_read,
    .write = tmpfs_write,
    .truncate = tmpfs_truncate,
    .entry = tmpfs_memory_entry,
    .usage = tmpfs_usage,
    .destroy = tmpfs_destroy,
};

/* -- The file system ------------------------------------------------------- */

static void
tmpfs_statvfs(struct filesystem *fs, struct unix_statvfs *status)
{
    struct tmpfs *tmpfs = list_entry(fs, struct tmpfs, fs);
    uint64_t limit;
    uint64_t used;

    memory_file_usage(&limit, &used);
    memset(status, 0, sizeof(*status));
    status->bsize = TMPFS_BLOCK;
    status->frsize = TMPFS_BLOCK;
    status->blocks = limit / TMPFS_BLOCK;
    status->bfree = (limit - used) / TMPFS_BLOCK;
    status->bavail = status->bfree;
    status->files = TMPFS_NODES_MAX;
    status->ffree = TMPFS_NODES_MAX - tmpfs->nodes;
    status->favail = status->ffree;
    status->fsid = fs->dev;
    status->namemax = UNIX_NAME_MAX;
}

struct filesystem *
tmpfs_create(const char *type, uint64_t dev)
{
    static const struct vnode_attributes attributes = {
        .mode = UNIX_S_IFDIR | 0755,
    };
    struct tmpfs *tmpfs;
    struct tmpfs_node *root;

    tmpfs = calloc(1, sizeof(*tmpfs));

    if (tmpfs == NULL) {
        return NULL;
    }

    tmpfs->fs.type = type;
    tmpfs->fs.dev = dev;
    tmpfs->fs.statvfs = tmpfs_statvfs;
    tmpfs->next_ino = 2;
    root = tmpfs_node_create(tmpfs, &attributes);

    if (root == NULL) {
        free(tmpfs);
        return NULL;
    }

    root->vnode.nlink = 2;
    root->parent = &root->vnode;
    tmpfs->fs.root = &root->vnode;
    return &tmpfs->fs;
}
