/* SPDX-License-Identifier: MIT */
/*
 * Data of files in memory. Each file has one memory entry, as large as a file
 * can become: it costs only the pages that were touched. The window that the
 * server maps of it grows by doubling, which moves no data.
 */

#include <string.h>

#include <mach/mach.h>

#include "memory_file.h"

#define WINDOW_MIN (64UL * 1024)

static uint64_t memory_limit = 64UL * 1024 * 1024;
static uint64_t memory_used;

static uint64_t
memory_round(uint64_t size)
{
    return (size + PAGE_MASK) & ~PAGE_MASK;
}

void
memory_file_limit(uint64_t bytes)
{
    memory_limit = bytes;
}

void
memory_file_usage(uint64_t *limitp, uint64_t *usedp)
{
    *limitp = memory_limit;
    *usedp = memory_used;
}

void
memory_file_init(struct memory_file *file)
{
    memset(file, 0, sizeof(*file));
}

static void
memory_file_unmap(struct memory_file *file)
{
    if (file->window_size != 0) {
        (void)syscall_vm_deallocate(
            mach_task_self(), (vm_address_t)file->window, file->window_size);
        file->window = NULL;
        file->window_size = 0;
    }
}

void
memory_file_fini(struct memory_file *file)
{
    memory_file_unmap(file);

    if (MACH_PORT_VALID(file->entry)) {
        (void)syscall_mach_port_deallocate(mach_task_self(), file->entry);
    }

    memory_used -= file->charged;
    memory_file_init(file);
}

void
memory_file_archive(struct memory_file *file, const uint8_t *data,
                    uint64_t size)
{
    file->archive = size == 0 ? NULL : data;
    file->size = size;
}

const uint8_t *
memory_file_data(const struct memory_file *file, uint64_t offset)
{
    if (file->archive != NULL) {
        return file->archive + offset;
    }

    return file->window + offset;
}

/* Let the file use `size` bytes of the bound, no matter what it used. */
static int
memory_file_charge(struct memory_file *file, uint64_t size)
{
    uint64_t charge = memory_round(size);
    uint64_t others = memory_used - file->charged;

    if (charge > file->charged && charge > memory_limit - others) {
        return ENOSPC;
    }

    memory_used = others + charge;
    file->charged = charge;
    return 0;
}

static int
memory_file_create_entry(struct memory_file *file)
{
    vm_size_t size = MEMORY_FILE_MAX;
    kern_return_t kr;

    if (MACH_PORT_VALID(file->entry)) {
        return 0;
    }

    kr = mach_make_memory_entry(mach_task_self(), &size, 0,
                                MAP_MEM_NAMED_CREATE | VM_PROT_ALL,
                                &file->entry, MACH_PORT_NULL);
    return kr == KERN_SUCCESS ? 0 : ENOSPC;
}

/* Map a window of at least `size` bytes. */
static int
memory_file_window(struct memory_file *file, uint64_t size)
{
    struct mach_vm_map_args args;
    uint64_t window = WINDOW_MIN;
    int error;

    if (size <= file->window_size) {
        return 0;
    }

    error = memory_file_create_entry(file);

    if (error != 0) {
        return error;
    }

    while (window < size) {
        window *= 2;
    }

    memset(&args, 0, sizeof(args));
    args.size = window;
    args.target_task = mach_task_self();
    args.flags = VM_FLAGS_ANYWHERE;
    args.object = file->entry;
    args.cur_protection = VM_PROT_DEFAULT;
    args.max_protection = VM_PROT_DEFAULT;
    args.inheritance = VM_INHERIT_NONE;

    if (syscall_vm_map(&args) != KERN_SUCCESS) {
        return ENOSPC;
    }

    memory_file_unmap(file);
    file->window = (uint8_t *)args.address;
    file->window_size = window;
    return 0;
}

/* Have `size` bytes of memory of its own, with the data from the archive. */
static int
memory_file_reserve(struct memory_file *file, uint64_t size)
{
    uint64_t charged = file->charged;
    int error;

    if (size > MEMORY_FILE_MAX) {
        return EFBIG;
    }

    error = memory_file_charge(file, size);

    if (error != 0) {
        return error;
    }

    error = memory_file_window(file, size);

    if (error != 0) {
        (void)memory_file_charge(file, charged);
        return error;
    }

    if (file->archive != NULL) {
        memcpy(file->window, file->archive, file->size);
        file->archive = NULL;
    }

    return 0;
}

int
memory_file_prepare(struct memory_file *file, uint64_t offset, uint64_t length,
                    uint8_t **datap)
{
    uint64_t end = offset + length;
    int error;

    if (end < offset || end > MEMORY_FILE_MAX) {
        return EFBIG;
    }

    error = memory_file_reserve(file, end > file->size ? end : file->size);

    if (error != 0) {
        return error;
    }

    if (end > file->size) {
        file->size = end;
    }

    *datap = file->window + offset;
    return 0;
}

/* What lies behind the new end must read as zero if the file grows again. */
static void
memory_file_cut(struct memory_file *file, uint64_t size)
{
    uint64_t first = memory_round(size);
    uint64_t last = memory_round(file->size);

    memset(file->window + size, 0, (first < last ? first : last) - size);

    if (last > first) {
        (void)memory_entry_discard(file->entry, first, last - first);
    }
}

int
memory_file_truncate(struct memory_file *file, uint64_t size)
{
    int error;

    if (size == file->size) {
        return 0;
    }

    if (size == 0 && file->archive != NULL) {
        file->archive = NULL;
        file->size = 0;
        return 0;
    }

    error = memory_file_reserve(file, size > file->size ? size : file->size);

    if (error != 0) {
        return error;
    }

    if (size < file->size) {
        memory_file_cut(file, size);
        (void)memory_file_charge(file, size);
    }

    file->size = size;
    return 0;
}

int
memory_file_entry(struct memory_file *file, mach_port_t *entryp)
{
    int error;

    error = memory_file_reserve(file, file->size);

    if (error == 0) {
        error = memory_file_create_entry(file);
    }

    if (error != 0) {
        return error;
    }

    *entryp = file->entry;
    return 0;
}
