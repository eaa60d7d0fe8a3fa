/* SPDX-License-Identifier: MIT */
/* See vm/memory_entry.h. */

#include <debug/assert.h>
#include <kern/sched.h>
#include <kern/slab.h>
#include <kern/string.h>
#include <vm/memory_entry.h>
#include <vm/vm_map_i.h>
#include <vm/vm_page.h>

static struct slab_cache memory_entry_cache;

void
memory_entry_setup(void)
{
    slab_cache_init(&memory_entry_cache, "memory_entry",
                    sizeof(struct memory_entry), 16);
}

void
memory_entry_ref(struct memory_entry *entry)
{
    refcount_ref(&entry->refs);
}

void
memory_entry_unref(struct memory_entry *entry)
{
    if (refcount_unref(&entry->refs)) {
        vm_object_unref(entry->object);
        slab_free(&memory_entry_cache, entry);
    }
}

/* Takes over the reference to the object, also on failure. */
static kern_return_t
entry_create(struct vm_object *object, uint64_t offset, vm_size_t size,
             vm_prot_t protection, struct memory_entry **entryp)
{
    struct memory_entry *entry = slab_alloc(&memory_entry_cache);

    if (entry == NULL) {
        vm_object_unref(object);
        return KERN_RESOURCE_SHORTAGE;
    }

    refcount_init(&entry->refs, 1);
    entry->object = object;
    entry->offset = offset;
    entry->size = size;
    entry->protection = protection;
    *entryp = entry;
    return KERN_SUCCESS;
}

/* Sizes of memory that is no map's. */
static bool
size_valid(vm_size_t size)
{
    return size != 0 && size <= VM_MAX_ADDRESS;
}

kern_return_t
memory_entry_create(struct vm_map *map, vm_size_t size, vm_prot_t protection,
                    struct memory_entry **entryp)
{
    struct vm_object *object;
    kern_return_t kr;

    if (!size_valid(size) || (protection & ~VM_PROT_ALL) != 0) {
        return KERN_INVALID_ARGUMENT;
    }

    size = (size + PAGE_MASK) & ~PAGE_MASK;
    kr = vm_account_charge(map->account, size);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    object = vm_object_create(0, size >> PAGE_SHIFT);

    if (object == NULL) {
        vm_account_uncharge(map->account, size);
        return KERN_RESOURCE_SHORTAGE;
    }

    vm_account_ref(map->account);
    object->account = map->account;
    object->charge = size;
    vm_object_share(object);
    return entry_create(object, 0, size, protection, entryp);
}

kern_return_t
memory_entry_create_from_map(struct vm_map *map, vm_offset_t address,
                             vm_size_t *sizep, vm_prot_t protection,
                             struct memory_entry **entryp)
{
    struct vm_map_entry *entry;
    struct vm_object *object;
    vm_offset_t start, end;
    uint64_t offset;
    kern_return_t kr;

    if (*sizep == 0 || (protection & ~VM_PROT_ALL) != 0) {
        return KERN_INVALID_ARGUMENT;
    }

    kr = vm_map_range(address, *sizep, &start, &end);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    vm_map_lock_write(&map->lock);
    entry = vm_map_lookup(map, start);

    if (entry == NULL) {
        kr = KERN_INVALID_ADDRESS;
    } else if ((protection & ~entry->protection) != 0) {
        kr = KERN_PROTECTION_FAILURE;
    } else {
        kr = vm_map_entry_prepare(entry, true);
    }

    if (kr != KERN_SUCCESS) {
        vm_map_unlock_write(&map->lock);
        return kr;
    }

    object = entry->object;
    entry->shared = true;
    vm_object_share(object);
    vm_object_ref(object);
    offset = entry->offset + (start - entry->node.start);
    end = MIN(end, entry->node.end);
    vm_map_unlock_write(&map->lock);
    *sizep = end - start;
    return entry_create(object, offset, end - start, protection, entryp);
}

kern_return_t
memory_entry_create_part(struct memory_entry *parent, uint64_t offset,
                         vm_size_t size, vm_prot_t protection,
                         struct memory_entry **entryp)
{
    if (!size_valid(size) || (offset & PAGE_MASK) != 0 ||
        offset > parent->size || size > parent->size - offset) {
        return KERN_INVALID_ARGUMENT;
    }

    if ((protection & ~parent->protection) != 0) {
        return KERN_PROTECTION_FAILURE;
    }

    size = (size + PAGE_MASK) & ~PAGE_MASK;
    vm_object_ref(parent->object);
    return entry_create(parent->object, parent->offset + offset, size,
                        protection, entryp);
}

kern_return_t
memory_entry_create_from_frames(uint64_t physical, vm_size_t size,
                                vm_prot_t protection,
                                struct memory_entry **entryp)
{
    struct vm_object *object;
    uint64_t count = (size + PAGE_MASK) >> PAGE_SHIFT;

    if (!size_valid(size) || (physical & PAGE_MASK) != 0) {
        return KERN_INVALID_ARGUMENT;
    }

    object = vm_object_create(0, count);

    if (object == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    for (uint64_t i = 0; i < count; i++) {
        struct vm_page *page = vm_page_lookup(physical + (i << PAGE_SHIFT));
        bool inserted;

        assert(page != NULL && (page->state == VM_PAGE_KERNEL ||
                                page->state == VM_PAGE_RESERVED));
        page->state = VM_PAGE_KERNEL; /* a module's frame is ours now */
        spin_lock(&object->lock);
        inserted = vm_object_insert(object, page, i);
        spin_unlock(&object->lock);

        if (!inserted) {
            vm_object_unref(object);
            return KERN_RESOURCE_SHORTAGE;
        }
    }

    /* Whatever stands behind the end of the data is nobody's to read. */
    if ((size & PAGE_MASK) != 0) {
        memset((char *)phys_to_direct(physical) + size, 0,
               PAGE_SIZE - (size & PAGE_MASK));
    }

    vm_object_share(object);
    return entry_create(object, 0, count << PAGE_SHIFT, protection, entryp);
}

kern_return_t
memory_entry_create_device(uint64_t physical, vm_size_t size,
                           vm_prot_t protection, struct memory_entry **entryp)
{
    const uint64_t limit = 1ul << 52; /* physical addresses: SDM 3, 4.5.4 */
    struct vm_object *object;

    if (!size_valid(size) || (physical & PAGE_MASK) != 0 || physical > limit ||
        size > limit - physical || (protection & ~VM_PROT_ALL) != 0) {
        return KERN_INVALID_ARGUMENT;
    }

    size = (size + PAGE_MASK) & ~PAGE_MASK;

    if (vm_page_is_ram(physical, physical + size)) {
        return KERN_INVALID_ARGUMENT;
    }

    object = vm_object_create_device(physical, size);

    if (object == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    return entry_create(object, 0, size, protection, entryp);
}

kern_return_t
memory_entry_map(struct memory_entry *entry, struct vm_map *map,
                 struct vm_map_request *request, uint64_t offset)
{
    vm_size_t size = request->size;

    if ((offset & PAGE_MASK) != 0 || offset > entry->size ||
        size > entry->size - offset) {
        return KERN_INVALID_ARGUMENT;
    }

    /* Who has a copy may do what he likes with it, if he may read. */
    if (request->copy) {
        if ((entry->protection & VM_PROT_READ) == 0) {
            return KERN_PROTECTION_FAILURE;
        }
    } else {
        if ((request->protection & ~entry->protection) != 0) {
            return KERN_PROTECTION_FAILURE;
        }

        request->max_protection &= entry->protection;
    }

    return vm_map_object(map, request, entry->object, entry->offset + offset);
}

kern_return_t
memory_entry_read(struct memory_entry *entry, uint64_t offset, void *to,
                  vm_size_t size)
{
    if (offset > entry->size || size > entry->size - offset ||
        entry->object->is_device) {
        return KERN_INVALID_ARGUMENT;
    }

    offset += entry->offset;

    while (size != 0) {
        vm_size_t part = MIN(PAGE_SIZE - (offset & PAGE_MASK), size);

        vm_object_read(entry->object, offset, to, part);
        offset += part;
        to = (char *)to + part;
        size -= part;
        thread_preempt_point();
    }

    return KERN_SUCCESS;
}

kern_return_t
memory_entry_drop(struct memory_entry *entry, uint64_t offset, vm_size_t size)
{
    if (((offset | size) & PAGE_MASK) != 0 || offset > entry->size ||
        size > entry->size - offset || entry->object->is_device) {
        return KERN_INVALID_ARGUMENT;
    }

    if ((entry->protection & VM_PROT_WRITE) == 0) {
        return KERN_PROTECTION_FAILURE;
    }

    offset += entry->offset;
    return vm_object_discard(entry->object, offset >> PAGE_SHIFT,
                             (offset + size) >> PAGE_SHIFT);
}

uint64_t
memory_entry_pages(struct memory_entry *entry)
{
    return vm_object_resident(entry->object, entry->offset >> PAGE_SHIFT,
                              (entry->offset + entry->size) >> PAGE_SHIFT);
}
