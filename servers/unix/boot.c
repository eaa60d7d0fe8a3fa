/* SPDX-License-Identifier: MIT */
/*
 * The root file system is a tmpfs that is filled from a boot module, an archive
 * whose pages stay mapped: files use the data in place until they are written
 * or run. /dev is another tmpfs, with the device nodes.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mach/mach.h>

#include <mach/bootstrap.h>

#include "boot.h"
#include "cpio.h"
#include "descriptor.h"
#include "device.h"
#include "exec.h"
#include "memory_file.h"
#include "process.h"
#include "tmpfs.h"
#include "walk.h"

#define BOOT_ROOT_DEV 1
#define BOOT_DEV_DEV 2
#define BOOT_MODULE "root.cpio"
#define BOOT_HARD_LINKS 64

static struct vnode *boot_root;

static const struct credentials boot_cred; /* root's */

/* Hard links of the archive: by inode number. */
static struct {
    uint32_t ino;
    struct vnode *vnode; /* reference */
} boot_links[BOOT_HARD_LINKS];
static unsigned int boot_link_count;

static void
boot_context(struct walk_context *context)
{
    context->root = boot_root;
    context->start = boot_root;
    context->cred = &boot_cred;
}

/* -- The archive ----------------------------------------------------------- */

static struct vnode *
boot_find_link(const struct cpio_entry *entry)
{
    unsigned int i;

    for (i = 0; i < boot_link_count; i++) {
        if (boot_links[i].ino == entry->ino) {
            return boot_links[i].vnode;
        }
    }

    return NULL;
}

static void
boot_keep_link(const struct cpio_entry *entry, struct vnode *vnode)
{
    if (boot_link_count < BOOT_HARD_LINKS) {
        boot_links[boot_link_count].ino = entry->ino;
        boot_links[boot_link_count].vnode = vnode_ref(vnode);
        boot_link_count++;
    }
}

static void
boot_set_attributes(struct vnode *vnode, const struct cpio_entry *entry)
{
    vnode->mode = vnode_type(vnode) | (entry->mode & 07777);
    vnode->uid = entry->uid;
    vnode->gid = entry->gid;
    vnode->mtime.sec = entry->mtime;
    vnode->mtime.nsec = 0;
}

/* A new name for what the archive holds. */
static int
boot_create(struct walk *walk, const struct cpio_entry *entry)
{
    struct vnode_attributes attributes = {
        .mode = entry->mode,
        .uid = entry->uid,
        .gid = entry->gid,
        .rdev = UNIX_MAKEDEV(entry->rdev_major, entry->rdev_minor),
    };
    struct vnode *parent = walk->parent;
    struct vnode *vnode;
    char *target = NULL;
    int error;

    if ((entry->mode & UNIX_S_IFMT) == UNIX_S_IFLNK) {
        target = strndup((const char *)entry->data, entry->size);
        attributes.target = target;
    }

    error = parent->ops->create(parent, walk->name, walk->length, &attributes,
                                &vnode);
    free(target);

    if (error != 0) {
        return error;
    }

    boot_set_attributes(vnode, entry);

    if (vnode_type(vnode) == UNIX_S_IFREG) {
        tmpfs_archive(vnode, entry->data, entry->size);

        if (entry->nlink > 1) {
            boot_keep_link(entry, vnode);
        }
    }

    vnode_unref(vnode);
    return 0;
}

static int
boot_add(const struct cpio_entry *entry)
{
    struct walk_context context;
    struct vnode *first;
    struct walk walk;
    int error;

    boot_context(&context);
    error = walk_path(&context, entry->name, WALK_PARENT, &walk);

    if (error != 0) {
        return error;
    }

    first = entry->nlink > 1 && (entry->mode & UNIX_S_IFMT) == UNIX_S_IFREG
                ? boot_find_link(entry)
                : NULL;

    if (walk.vnode != NULL) {
        boot_set_attributes(walk.vnode, entry);
    } else if (first != NULL) {
        error = first->ops->link(walk.parent, walk.name, walk.length, first);

        /* The data come with the last of the names. */
        if (error == 0 && entry->size != 0) {
            tmpfs_archive(first, entry->data, entry->size);
        }
    } else {
        error = boot_create(&walk, entry);
    }

    walk_end(&walk);
    return error;
}

static void
boot_fill(const void *archive, size_t size)
{
    struct cpio_entry entry;
    enum cpio_result result;
    size_t offset = 0;

    for (;;) {
        int error;

        result = cpio_next(archive, size, &offset, &entry);

        if (result != CPIO_ENTRY) {
            break;
        }

        error = boot_add(&entry);

        if (error != 0) {
            server_log("%s: %s", entry.name, strerror(error));
        }
    }

    if (result == CPIO_BAD) {
        server_log("the archive is damaged at byte %zu", offset);
    }

    while (boot_link_count != 0) {
        boot_link_count--;
        vnode_unref(boot_links[boot_link_count].vnode);
    }
}

static void
boot_load_archive(void)
{
    mach_port_t entry = MACH_PORT_NULL;
    vm_address_t address = 0;
    vm_size_t size = 0;
    vm_size_t mapped;
    kern_return_t kr;

    kr = bootstrap_module(bootstrap_port, BOOT_MODULE, &entry, &size);

    if (kr != KERN_SUCCESS) {
        server_log("no boot module %s (0x%x)", BOOT_MODULE, (unsigned int)kr);
        return;
    }

    mapped = (size + PAGE_MASK) & ~PAGE_MASK;
    kr = vm_map(mach_task_self(), &address, mapped, 0, VM_FLAGS_ANYWHERE, entry,
                0, FALSE, VM_PROT_READ, VM_PROT_READ, VM_INHERIT_NONE);

    if (kr != KERN_SUCCESS) {
        server_panic("can't map %s (0x%x)", BOOT_MODULE, (unsigned int)kr);
    }

    boot_fill((const void *)address, size);
}

/* -- Directories ----------------------------------------------------------- */

/* A directory that must be there; with a reference. */
static struct vnode *
boot_directory(const char *path, uint32_t mode)
{
    struct vnode_attributes attributes = { .mode = UNIX_S_IFDIR | mode };
    struct walk_context context;
    struct vnode *vnode = NULL;
    struct walk walk;

    boot_context(&context);

    if (walk_path(&context, path, WALK_PARENT, &walk) != 0) {
        server_panic("can't make %s", path);
    }

    if (walk.vnode != NULL) {
        vnode = vnode_ref(walk.vnode);
    } else if (walk.parent->ops->create(walk.parent, walk.name, walk.length,
                                        &attributes, &vnode) != 0) {
        server_panic("can't make %s", path);
    }

    walk_end(&walk);
    return vnode;
}

static void
boot_mount(struct filesystem *fs, const char *path)
{
    struct vnode *vnode = boot_directory(path, 0755);

    fs->covered = vnode; /* with its reference */
    vnode->mounted = fs;
}

static void
boot_devices(void)
{
    struct filesystem *fs = tmpfs_create("devfs", BOOT_DEV_DEV);
    size_t i;

    if (fs == NULL) {
        server_panic("no memory for /dev");
    }

    for (i = 0; i < device_node_count; i++) {
        const struct device_node *node = &device_nodes[i];
        struct vnode_attributes attributes = {
            .mode = node->mode,
            .rdev = node->rdev,
        };
        struct vnode *vnode;

        if (fs->root->ops->create(fs->root, node->name, strlen(node->name),
                                  &attributes, &vnode) != 0) {
            server_panic("no memory for /dev/%s", node->name);
        }

        vnode_unref(vnode);
    }

    boot_mount(fs, "/dev");
}

void
boot_file_systems(void)
{
    struct filesystem *fs = tmpfs_create("tmpfs", BOOT_ROOT_DEV);

    if (fs == NULL) {
        server_panic("no memory for the root");
    }

    boot_root = fs->root;
    boot_load_archive();
    vnode_unref(boot_directory("/tmp", 01777));
    boot_devices();
}

/* -- The first process ----------------------------------------------------- */

static const char *const boot_programs[] = { "/sbin/init", "/bin/init" };

/* argv[0] and the environment. */
static int
boot_args(const char *path, struct exec_args *args)
{
    static const char environment[] = "PATH=/bin:/usr/bin:/sbin\0"
                                      "HOME=/\0"
                                      "TERM=vt100";
    size_t length = strlen(path) + 1;

    args->size = length + sizeof(environment);
    args->argc = 1;
    args->envc = 3;
    args->strings = malloc(args->size);

    if (args->strings == NULL) {
        return ENOMEM;
    }

    memcpy(args->strings, path, length);
    memcpy(args->strings + length, environment, sizeof(environment));
    return 0;
}

/* Descriptors 0, 1 and 2 are the console, not yet as controlling terminal. */
static int
boot_console(struct process *process)
{
    struct walk_context context;
    struct vnode *vnode;
    struct file *file;
    int error;
    int fd;

    process_walk_context(process, &context);
    error = walk_vnode(&context, "/dev/console", WALK_FOLLOW, &vnode);

    if (error != 0) {
        return error;
    }

    error = file_open(process, vnode, UNIX_O_RDWR | UNIX_O_NOCTTY, &file);
    vnode_unref(vnode);

    for (fd = 0; fd < 3 && error == 0; fd++) {
        error = descriptor_install_at(process, file, fd, false);
        file_ref(file);
    }

    if (error == 0) {
        file_unref(file);
    }

    return error;
}

static int
boot_exec(struct process *process, const char *path)
{
    struct walk_context context;
    struct exec_args args;
    int error;

    error = boot_args(path, &args);

    if (error != 0) {
        return error;
    }

    process_walk_context(process, &context);
    error = exec_program(process, &context, path, &args);
    free(args.strings);
    return error;
}

void
boot_init(void)
{
    struct process *process;
    int error;
    size_t i;

    error = process_create(NULL, &process);

    if (error != 0) {
        server_panic("no first process: %s", strerror(error));
    }

    process_init = process;
    process->umask = 022;
    process->root = vnode_ref(boot_root);
    process->cwd = vnode_ref(boot_root);
    process_publish(process);
    error = boot_console(process);

    if (error != 0) {
        server_log("/dev/console: %s", strerror(error));
    }

    for (i = 0; i < sizeof(boot_programs) / sizeof(boot_programs[0]); i++) {
        error = boot_exec(process, boot_programs[i]);

        if (error == 0) {
            return;
        }

        server_log("%s: %s", boot_programs[i], strerror(error));
    }

    server_panic("there is no first program");
}
