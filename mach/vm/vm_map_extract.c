/* SPDX-License-Identifier: MIT */
/*
 * Ranges of one map on their way into another: fork, remap, and the copies of
 * messages all take entries out here, and put them in again elsewhere.
 */

#include <debug/assert.h>
#include <kern/sched.h>
#include <machine/pmap.h>
#include <vm/vm_map_i.h>

/* Symmetric copy: both entries may only read from now on. */
static void
extract_symmetric(struct vm_map *map, struct vm_map_entry *source)
{
    struct vm_object *object = source->object;

    spin_lock(&object->lock);
    object->refs++;
    object->one_map = false;
    spin_unlock(&object->lock);

    if (source->needs_copy) {
        return;
    }

    source->needs_copy = true;

    if ((source->protection & VM_PROT_WRITE) != 0 && source->mapped) {
        pmap_protect(map->pmap, source->node.start, source->node.end,
                     source->protection & ~VM_PROT_WRITE);
    }
}

kern_return_t
vm_map_entry_extract(struct vm_map *map, struct vm_map_entry *source,
                     vm_offset_t start, vm_offset_t end,
                     enum vm_map_extract how, struct vm_map_entry *entry)
{
    bool share = how == VM_MAP_EXTRACT_SHARE;
    kern_return_t kr;

    assert(vm_map_lock_written(&map->lock));
    entry->protection = source->protection;
    entry->max_protection = source->max_protection;
    entry->inheritance = source->inheritance;
    entry->charged = source->charged || !share;

    if (share) {
        kr = vm_map_entry_prepare(source, true);

        if (kr != KERN_SUCCESS) {
            return kr;
        }

        source->shared = true;
        vm_object_share(source->object);
    }

    entry->object = source->object;
    entry->offset = source->offset + (start - source->node.start);

    if (entry->object == NULL) {
        return KERN_SUCCESS;
    }

    if (share || entry->object->is_device) {
        vm_object_ref(entry->object);
        entry->shared = true;
        entry->charged = source->charged;
        return KERN_SUCCESS;
    }

    entry->needs_copy = true;

    if (!source->needs_copy && entry->object->shared) {
        uint64_t first = entry->offset >> PAGE_SHIFT;
        struct vm_object *object = entry->object;

        entry->object = NULL;
        return vm_object_copy_delayed(object, first,
                                      first + ((end - start) >> PAGE_SHIFT),
                                      &entry->object);
    }

    extract_symmetric(map, source);
    return KERN_SUCCESS;
}

/* The next entry of vm_map_extract(), from `at` on. */
static kern_return_t
extract_one(struct vm_map *map, struct vm_map_entry *source, vm_offset_t at,
            vm_offset_t end, enum vm_map_extract how,
            struct vm_map_entry **entryp)
{
    struct vm_map_entry *entry;
    kern_return_t kr;

    /* A symmetric copy marks the whole source entry: only the range, then. */
    if (how != VM_MAP_EXTRACT_SHARE && source->object != NULL &&
        !source->needs_copy && !source->object->shared &&
        (!vm_map_clip_start(map, source, at) ||
         !vm_map_clip_end(map, source, end))) {
        return KERN_RESOURCE_SHORTAGE;
    }

    entry = vm_map_entry_create();

    if (entry == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    end = MIN(end, source->node.end);
    kr = vm_map_entry_extract(map, source, at, end, how, entry);

    if (kr != KERN_SUCCESS) {
        vm_map_entry_destroy(entry);
        return kr;
    }

    *entryp = entry;
    return KERN_SUCCESS;
}

/* Is the range without holes, and may all of it be accessed so? Copies of
 * device memory don't exist. */
static kern_return_t
extract_check(struct vm_map *map, vm_offset_t start, vm_offset_t end,
              vm_prot_t access, enum vm_map_extract how,
              struct vm_map_request *request)
{
    struct vm_map_entry *entry = vm_map_lookup(map, start);

    request->protection = VM_PROT_ALL;
    request->max_protection = VM_PROT_ALL;

    for (; entry != NULL && entry->node.start <= start;
         entry = vm_map_next(map, entry)) {
        if ((access & ~entry->protection) != 0 ||
            (how != VM_MAP_EXTRACT_SHARE && entry->object != NULL &&
             entry->object->is_device)) {
            return KERN_PROTECTION_FAILURE;
        }

        request->protection &= entry->protection;
        request->max_protection &= entry->max_protection;
        start = entry->node.end;

        if (start >= end) {
            return KERN_SUCCESS;
        }
    }

    return KERN_INVALID_ADDRESS;
}

kern_return_t
vm_map_extract(struct vm_map *map, vm_offset_t start, vm_offset_t end,
               vm_prot_t access, enum vm_map_extract how, struct list *entries,
               struct vm_map_request *request)
{
    kern_return_t kr = extract_check(map, start, end, access, how, request);
    vm_offset_t at = start;

    list_init(entries);

    while (kr == KERN_SUCCESS && at < end) {
        struct vm_map_entry *source = vm_map_lookup(map, at);
        struct vm_map_entry *entry;

        kr = extract_one(map, source, at, end, how, &entry);

        if (kr == KERN_SUCCESS) {
            vm_offset_t next = MIN(end, source->node.end);

            entry->node.start = at - start;
            entry->node.end = next - start;
            list_insert_tail(entries, &entry->link);
            at = next;
        }
    }

    if (kr != KERN_SUCCESS) {
        vm_map_entries_dispose(entries);
    }

    return kr;
}

kern_return_t
vm_map_insert(struct vm_map *map, struct vm_map_request *request,
              struct list *entries)
{
    struct list dead;
    struct vm_map_place place;
    vm_size_t charge = 0;
    kern_return_t kr;

    list_for_each(entries, link)
    {
        struct vm_map_entry *entry = vm_map_entry_at(link);

        charge += entry->charged ? vm_map_entry_size(entry) : 0;
    }

    kr = vm_account_charge(map->account, charge);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    list_init(&dead);
    vm_map_lock_write(&map->lock);
    kr = vm_map_find_place(map, request, &place, &dead);

    while (kr == KERN_SUCCESS && !list_empty(entries)) {
        struct vm_map_entry *entry = vm_map_entry_at(list_first(entries));

        list_remove(&entry->link);
        entry->node.start += place.start;
        entry->node.end += place.start;
        entry->protection = (uint8_t)request->protection;
        entry->max_protection = (uint8_t)request->max_protection;
        entry->inheritance = (uint8_t)request->inheritance;
        vm_map_link(map, place.above, entry);
    }

    vm_map_unlock_write(&map->lock);
    vm_map_entries_dispose(&dead);

    if (kr != KERN_SUCCESS) {
        vm_account_uncharge(map->account, charge);
        return kr;
    }

    request->address = place.start;
    return KERN_SUCCESS;
}

kern_return_t
vm_map_remap(struct vm_map *map, struct vm_map_request *request,
             struct vm_map *source, vm_offset_t source_address)
{
    enum vm_map_extract how =
        request->copy ? VM_MAP_EXTRACT_COPY : VM_MAP_EXTRACT_SHARE;
    struct vm_map_request checked = *request;
    struct list entries;
    vm_offset_t start, end;
    kern_return_t kr;

    checked.protection = VM_PROT_NONE;
    checked.max_protection = VM_PROT_ALL;
    kr = vm_map_request_check(&checked);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    kr = vm_map_range(source_address, request->size, &start, &end);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    vm_map_lock_write(&source->lock);
    kr = vm_map_extract(source, start, end, VM_PROT_NONE, how, &entries,
                        request);
    vm_map_unlock_write(&source->lock);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    request->size = end - start;
    request->address &= ~PAGE_MASK;
    kr = vm_map_insert(map, request, &entries);

    if (kr != KERN_SUCCESS) {
        vm_map_entries_dispose(&entries);
    }

    return kr;
}

/* -- Fork ------------------------------------------------------------------ */

/* One range of the parent, into the child. */
static kern_return_t
fork_entry(struct vm_map *parent, struct vm_map_entry *source,
           struct vm_map *child)
{
    enum vm_map_extract how = source->inheritance == VM_INHERIT_SHARE
                                  ? VM_MAP_EXTRACT_SHARE
                                  : VM_MAP_EXTRACT_COPY;
    struct vm_map_entry *entry;
    kern_return_t kr;

    if (source->inheritance == VM_INHERIT_NONE) {
        return KERN_SUCCESS;
    }

    entry = vm_map_entry_create();

    if (entry == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    kr = vm_map_entry_extract(parent, source, source->node.start,
                              source->node.end, how, entry);

    if (kr != KERN_SUCCESS) {
        vm_map_entry_destroy(entry);
        return kr;
    }

    entry->node.start = source->node.start;
    entry->node.end = source->node.end;
    vm_map_link(child, NULL, entry);

    if (!entry->charged) {
        return KERN_SUCCESS;
    }

    kr = vm_account_charge(child->account, vm_map_entry_size(entry));

    if (kr != KERN_SUCCESS) {
        entry->charged = false;
    }

    return kr;
}

kern_return_t
vm_map_fork(struct vm_map *parent, struct vm_map **childp)
{
    struct pmap *pmap = pmap_create();
    struct vm_map *child = pmap == NULL ? NULL : vm_map_create(pmap);
    kern_return_t kr = KERN_SUCCESS;

    if (child == NULL) {
        if (pmap != NULL) {
            pmap_unref(pmap);
        }

        return KERN_RESOURCE_SHORTAGE;
    }

    child->account->limit = parent->account->limit;
    vm_map_lock_write(&parent->lock);
    vm_map_lock_write(&child->lock); /* nobody else knows it */

    list_for_each(&parent->entries, link)
    {
        kr = fork_entry(parent, vm_map_entry_at(link), child);

        if (kr != KERN_SUCCESS) {
            break;
        }

        thread_preempt_point();
    }

    vm_map_unlock_write(&child->lock);
    vm_map_unlock_write(&parent->lock);

    if (kr != KERN_SUCCESS) {
        vm_map_unref(child);
        return kr;
    }

    *childp = child;
    return KERN_SUCCESS;
}
