/* SPDX-License-Identifier: MIT */
/*
 * See vm/vm_copy.h. Three ways in: less than a page goes into kernel memory;
 * up to COPY_PAGES_MAX pages that the sender keeps are copied, which is
 * cheaper than the copy-on-write faults that follow; all else is extracted as
 * ranges of objects, but for a first and last page that is only partly ours.
 */

#include <debug/assert.h>
#include <kern/sched.h>
#include <kern/slab.h>
#include <kern/string.h>
#include <machine/pmap.h>
#include <vm/vm_copy.h>
#include <vm/vm_map_i.h>
#include <vm/vm_page.h>

#define COPY_PAGES_MAX 4u

static struct slab_cache copy_cache;

void
vm_copy_setup(void)
{
    slab_cache_init(&copy_cache, "vm_map_copy", sizeof(struct vm_map_copy), 16);
}

static struct vm_map_copy *
copy_create(vm_size_t size, vm_offset_t offset)
{
    struct vm_map_copy *copy = slab_alloc_raw(&copy_cache);

    if (copy != NULL) {
        *copy = (struct vm_map_copy){ .size = size, .offset = offset };
        list_init(&copy->entries);
    }

    return copy;
}

static vm_size_t
copy_span(const struct vm_map_copy *copy)
{
    return (copy->offset + copy->size + PAGE_MASK) & ~PAGE_MASK;
}

/* The copy itself; what it held has gone elsewhere. */
static inline void
copy_free(struct vm_map_copy *copy)
{
    if (copy->account != NULL) {
        vm_account_uncharge(copy->account, copy_span(copy));
        vm_account_unref(copy->account);
    }

    slab_free(&copy_cache, copy);
}

void
vm_map_copy_discard(struct vm_map_copy *copy)
{
    if (copy == NULL) {
        return;
    }

    if (!list_empty(&copy->entries)) {
        vm_map_entries_dispose(&copy->entries);
    }

    if (copy->data != NULL) {
        kmem_free(copy->data, copy->size);
    }

    copy_free(copy);
}

/* -- Small data ------------------------------------------------------------ */

static NOINLINE kern_return_t
copyin_small(struct vm_map *map, vm_offset_t address, vm_size_t size,
             struct vm_map_copy **copyp)
{
    struct vm_map_copy *copy = copy_create(size, 0);
    kern_return_t kr;

    if (copy == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    copy->data = kmem_alloc(size);
    kr = copy->data == NULL
             ? KERN_RESOURCE_SHORTAGE
             : vm_map_read_kernel(map, address, copy->data, size);

    if (kr != KERN_SUCCESS) {
        vm_map_copy_discard(copy);
        return kr;
    }

    *copyp = copy;
    return KERN_SUCCESS;
}

/* -- Pages that are copied ------------------------------------------------- */

/* One more page of a new object: zeros but for [offset, offset + size), which
 * comes from the map, or from the kernel if there is no map. */
static kern_return_t
pages_fill(struct vm_object *object, uint64_t index, struct vm_map *map,
           uintptr_t from, vm_offset_t offset, vm_size_t size)
{
    struct vm_page *page =
        vm_page_alloc(size == PAGE_SIZE ? 0 : VM_PAGE_ALLOC_ZERO);
    kern_return_t kr = KERN_SUCCESS;
    char *to;

    if (page == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    to = (char *)vm_page_address(page) + offset;

    if (map == NULL) {
        memcpy(to, (const void *)from, size);
    } else {
        kr = vm_map_read_kernel(map, from, to, size);
    }

    if (kr == KERN_SUCCESS) {
        bool inserted;

        spin_lock(&object->lock);
        inserted = vm_object_insert(object, page, index);
        spin_unlock(&object->lock);
        kr = inserted ? KERN_SUCCESS : KERN_RESOURCE_SHORTAGE;
    }

    if (kr != KERN_SUCCESS) {
        vm_page_free(page);
    }

    return kr;
}

/*
 * An entry at `at` of a copy, with the pages that hold the data; zeros around
 * it. On an error nothing is left.
 */
static NOINLINE kern_return_t
pages_create(struct vm_map *map, uintptr_t from, vm_size_t size, vm_offset_t at,
             struct list *entries)
{
    vm_offset_t offset = from & PAGE_MASK;
    uint64_t count = (offset + size + PAGE_MASK) >> PAGE_SHIFT;
    struct vm_map_entry *entry = vm_map_entry_create();
    kern_return_t kr = KERN_SUCCESS;

    if (entry == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    entry->object = vm_object_create(0, count);

    if (entry->object == NULL) {
        vm_map_entry_destroy(entry);
        return KERN_RESOURCE_SHORTAGE;
    }

    entry->charged = true;
    entry->node.start = at;
    entry->node.end = at + (count << PAGE_SHIFT);

    for (uint64_t i = 0; i < count && kr == KERN_SUCCESS; i++) {
        vm_size_t part = MIN(PAGE_SIZE - offset, size);

        kr = pages_fill(entry->object, i, map, from, offset, part);
        from += part;
        size -= part;
        offset = 0;
    }

    if (kr != KERN_SUCCESS) {
        vm_object_unref(entry->object);
        vm_map_entry_destroy(entry);
        return kr;
    }

    list_insert_tail(entries, &entry->link);
    return KERN_SUCCESS;
}

/* -- Ranges of objects ----------------------------------------------------- */

/* Extract the whole pages [start, end), whose place in the copy is `at`.
 * Locks: map, for writing. */
static kern_return_t
ranges_extract(struct vm_map *map, vm_offset_t start, vm_offset_t end,
               vm_offset_t at, struct list *entries)
{
    struct vm_map_request request;
    struct list ranges;
    kern_return_t kr;

    if (start >= end) {
        return KERN_SUCCESS;
    }

    kr = vm_map_extract(map, start, end, VM_PROT_READ, VM_MAP_EXTRACT_COPY,
                        &ranges, &request);

    while (kr == KERN_SUCCESS && !list_empty(&ranges)) {
        struct vm_map_entry *entry = vm_map_entry_at(list_first(&ranges));

        list_remove(&entry->link);
        entry->node.start += at;
        entry->node.end += at;
        entry->charged = true;
        list_insert_tail(entries, &entry->link);
    }

    return kr;
}

/*
 * The whole pages of the range by extraction, what there is of a first and
 * last one by copying. To destroy, all pages that the data touches leave the
 * map with the extraction, when nothing else can fail.
 */
static NOINLINE kern_return_t
copyin_ranges(struct vm_map *map, vm_offset_t address, vm_size_t size,
              bool destroy, struct vm_map_copy *copy)
{
    vm_offset_t base = address & ~PAGE_MASK;
    vm_offset_t start = (address + PAGE_MASK) & ~PAGE_MASK;
    vm_offset_t end = (address + size) & ~PAGE_MASK;
    struct list tail, dead;
    kern_return_t kr = KERN_SUCCESS;

    list_init(&tail);
    list_init(&dead);

    if (start != address) {
        kr = pages_create(map, address, start - address, 0, &copy->entries);
    }

    if (kr == KERN_SUCCESS && address + size != end) {
        kr = pages_create(map, end, address + size - end, end - base, &tail);
    }

    if (kr == KERN_SUCCESS) {
        vm_map_lock_write(&map->lock);
        kr = ranges_extract(map, start, end, start - base, &copy->entries);

        if (kr == KERN_SUCCESS && destroy) {
            kr = vm_map_clear(map, base, base + copy_span(copy), &dead);
        }

        vm_map_unlock_write(&map->lock);
    }

    while (!list_empty(&tail)) {
        struct list *link = list_first(&tail);

        list_remove(link);
        list_insert_tail(&copy->entries, link);
    }

    vm_map_entries_dispose(&dead);
    return kr;
}

/*
 * The usual case: whole pages of one entry that has been copied before, so
 * that nothing is left to change but a count. False: it is not that.
 */
static bool
copyin_marked(struct vm_map *map, vm_offset_t start, vm_size_t size,
              struct list *entries)
{
    struct vm_map_entry *entry = NULL, *source;
    struct vm_object *object;

    vm_map_lock_write(&map->lock);
    source = vm_map_lookup(map, start);

    if (source != NULL && source->needs_copy &&
        size <= source->node.end - start &&
        (source->protection & VM_PROT_READ) != 0 &&
        !source->object->is_device) {
        entry = vm_map_entry_create();
    }

    if (entry != NULL) {
        object = source->object;
        entry->object = object;
        entry->offset = source->offset + (start - source->node.start);
        entry->node.end = size;
        entry->needs_copy = true;
        entry->charged = true;
        list_insert_tail(entries, &entry->link);
        spin_lock(&object->lock);
        object->refs++;
        object->one_map = false;
        spin_unlock(&object->lock);
    }

    vm_map_unlock_write(&map->lock);
    return entry != NULL;
}

static kern_return_t
copyin_pages(struct vm_map *map, vm_offset_t address, vm_size_t size,
             bool destroy, struct vm_map_copy **copyp)
{
    struct vm_map_copy *copy = copy_create(size, address & PAGE_MASK);
    kern_return_t kr;

    if (copy == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    kr = vm_account_charge(map->account, copy_span(copy));

    if (kr != KERN_SUCCESS) {
        vm_map_copy_discard(copy);
        return kr;
    }

    copy->account = map->account;
    vm_account_ref(copy->account);

    if (!destroy && ((address | size) & PAGE_MASK) == 0 &&
        size > COPY_PAGES_MAX * PAGE_SIZE &&
        copyin_marked(map, address, size, &copy->entries)) {
        *copyp = copy;
        return KERN_SUCCESS;
    }

    if (!destroy && copy_span(copy) <= COPY_PAGES_MAX * PAGE_SIZE) {
        kr = pages_create(map, address, size, 0, &copy->entries);
    } else {
        kr = copyin_ranges(map, address, size, destroy, copy);
    }

    if (kr != KERN_SUCCESS) {
        vm_map_copy_discard(copy);
        return kr;
    }

    *copyp = copy;
    return KERN_SUCCESS;
}

kern_return_t
vm_map_copyin(struct vm_map *map, vm_offset_t address, vm_size_t size,
              bool destroy, struct vm_map_copy **copyp)
{
    vm_offset_t start, end;
    kern_return_t kr;

    if (size == 0) {
        *copyp = NULL;
        return KERN_SUCCESS;
    }

    kr = vm_map_range(address, size, &start, &end);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if (size >= PAGE_SIZE) {
        return copyin_pages(map, address, size, destroy, copyp);
    }

    kr = copyin_small(map, address, size, copyp);

    if (kr == KERN_SUCCESS && destroy) {
        kr = vm_map_remove(map, address, size);

        if (kr != KERN_SUCCESS) {
            vm_map_copy_discard(*copyp);
        }
    }

    return kr;
}

kern_return_t
vm_map_copy_from_kernel(const void *data, vm_size_t size,
                        struct vm_map_copy **copyp)
{
    struct vm_map_copy *copy;
    kern_return_t kr = KERN_SUCCESS;

    if (size == 0) {
        *copyp = NULL;
        return KERN_SUCCESS;
    }

    copy =
        copy_create(size, size < PAGE_SIZE ? 0 : (uintptr_t)data & PAGE_MASK);

    if (copy == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    if (size < PAGE_SIZE) {
        copy->data = kmem_alloc(size);

        if (copy->data != NULL) {
            memcpy(copy->data, data, size);
        } else {
            kr = KERN_RESOURCE_SHORTAGE;
        }
    } else {
        kr = pages_create(NULL, (uintptr_t)data, size, 0, &copy->entries);
    }

    if (kr != KERN_SUCCESS) {
        vm_map_copy_discard(copy);
        return kr;
    }

    *copyp = copy;
    return KERN_SUCCESS;
}

/* -- Out ------------------------------------------------------------------- */

/* Small data gets its page now. */
static NOINLINE kern_return_t
copyout_fill(struct vm_map_copy *copy)
{
    struct vm_map_entry *entry;
    kern_return_t kr;

    if (!list_empty(&copy->entries)) {
        return KERN_SUCCESS; /* from an attempt before */
    }

    entry = vm_map_entry_create();

    if (entry == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    entry->object = vm_object_create(0, 1);
    entry->charged = true;
    entry->node.end = PAGE_SIZE;
    kr = entry->object == NULL
             ? KERN_RESOURCE_SHORTAGE
             : pages_fill(entry->object, 0, NULL, (uintptr_t)copy->data, 0,
                          copy->size);
    list_insert_tail(&copy->entries, &entry->link);

    if (kr != KERN_SUCCESS) {
        vm_map_entries_dispose(&copy->entries);
    }

    return kr;
}

/* All of it is one entry, as most are. */
static inline kern_return_t
copyout_entry(struct vm_map *map, vm_offset_t *addressp,
              struct vm_map_copy *copy, struct vm_map_entry *entry)
{
    kern_return_t kr;

    list_remove(&entry->link);
    kr = vm_map_insert_entry(map, entry, addressp);

    if (kr != KERN_SUCCESS) {
        list_insert_tail(&copy->entries, &entry->link);
        return kr;
    }

    *addressp += copy->offset;

    if (copy->data != NULL) {
        kmem_free(copy->data, copy->size);
    }

    copy_free(copy);
    return KERN_SUCCESS;
}

static NOINLINE kern_return_t
copyout_entries(struct vm_map *map, vm_offset_t *addressp,
                struct vm_map_copy *copy)
{
    struct vm_map_request request = {
        .flags = VM_FLAGS_ANYWHERE,
        .protection = VM_PROT_DEFAULT,
        .max_protection = VM_PROT_ALL,
        .inheritance = VM_INHERIT_DEFAULT,
        .size = copy_span(copy),
    };
    kern_return_t kr = vm_map_insert(map, &request, &copy->entries);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    *addressp = request.address + copy->offset;
    vm_map_copy_discard(copy);
    return KERN_SUCCESS;
}

kern_return_t
vm_map_copyout(struct vm_map *map, vm_offset_t *addressp,
               struct vm_map_copy *copy)
{
    struct list *first;
    kern_return_t kr;

    if (copy == NULL) {
        *addressp = 0;
        return KERN_SUCCESS;
    }

    if (copy->data != NULL) {
        kr = copyout_fill(copy);

        if (kr != KERN_SUCCESS) {
            return kr;
        }
    }

    first = list_first(&copy->entries);

    if (first == list_last(&copy->entries)) {
        return copyout_entry(map, addressp, copy, vm_map_entry_at(first));
    }

    return copyout_entries(map, addressp, copy);
}

/* -- Reading --------------------------------------------------------------- */

static void
copy_read_entry(struct vm_map_entry *entry, vm_offset_t offset, void *to,
                vm_size_t size)
{
    if (entry->object == NULL) {
        memset(to, 0, size);
    } else {
        vm_object_read(entry->object,
                       entry->offset + (offset - entry->node.start), to, size);
    }
}

kern_return_t
vm_map_copy_read(struct vm_map_copy *copy, vm_offset_t offset, void *to,
                 vm_size_t size)
{
    struct vm_map_entry *entry;

    if (offset > vm_map_copy_size(copy) ||
        size > vm_map_copy_size(copy) - offset) {
        return KERN_INVALID_ARGUMENT;
    }

    if (size == 0) {
        return KERN_SUCCESS;
    }

    if (copy->data != NULL) {
        memcpy(to, (char *)copy->data + offset, size);
        return KERN_SUCCESS;
    }

    offset += copy->offset;
    entry = vm_map_entry_at(list_first(&copy->entries));

    while (size != 0) {
        vm_size_t part = MIN(PAGE_SIZE - (offset & PAGE_MASK), size);

        while (offset >= entry->node.end) {
            entry = vm_map_entry_at(entry->link.next);
        }

        copy_read_entry(entry, offset, to, part);
        offset += part;
        to = (char *)to + part;
        size -= part;
        thread_preempt_point();
    }

    return KERN_SUCCESS;
}

kern_return_t
vm_map_copy_overwrite(struct vm_map *map, vm_offset_t address,
                      struct vm_map_copy *copy)
{
    vm_size_t size = vm_map_copy_size(copy);
    struct vm_page *page;
    kern_return_t kr = KERN_SUCCESS;

    if (size == 0) {
        return KERN_SUCCESS;
    }

    if (copy->data != NULL) {
        kr = vm_map_write_kernel(map, address, copy->data, size);
    } else {
        page = vm_page_alloc(0);

        if (page == NULL) {
            return KERN_RESOURCE_SHORTAGE;
        }

        for (vm_offset_t at = 0; at < size && kr == KERN_SUCCESS;) {
            vm_size_t part =
                MIN(PAGE_SIZE - ((address + at) & PAGE_MASK), size - at);

            kr = vm_map_copy_read(copy, at, vm_page_address(page), part);

            if (kr == KERN_SUCCESS) {
                kr = vm_map_write_kernel(map, address + at,
                                         vm_page_address(page), part);
            }

            at += part;
        }

        vm_page_free(page);
    }

    if (kr == KERN_SUCCESS) {
        vm_map_copy_discard(copy);
    }

    return kr;
}
