/* SPDX-License-Identifier: MIT */
/*
 * Maps and their entries: life, look-up, and the operations on ranges. A
 * change first checks the whole range (decode), then does what can fail for
 * lack of memory - splitting entries -, then changes. What was removed is
 * freed after the map is unlocked.
 */

#include <debug/assert.h>
#include <kern/sched.h>
#include <kern/slab.h>
#include <machine/pmap.h>
#include <vm/vm_map_i.h>

#define REMOVE_CHUNK 0x800000ul /* bytes unmapped between preemption points */

static struct slab_cache map_cache;
static struct slab_cache entry_cache;

void
vm_map_setup(void)
{
    slab_cache_init(&map_cache, "vm_map", sizeof(struct vm_map), 64);
    slab_cache_init(&entry_cache, "vm_map_entry", sizeof(struct vm_map_entry),
                    16);
}

/* -- Life ------------------------------------------------------------------ */

struct vm_map *
vm_map_create(struct pmap *pmap)
{
    struct vm_map *map = slab_alloc(&map_cache);

    if (map == NULL) {
        return NULL;
    }

    map->account = vm_account_create();

    if (map->account == NULL) {
        slab_free(&map_cache, map);
        return NULL;
    }

    vm_map_lock_init(&map->lock);
    refcount_init(&map->refs, 1);
    map->pmap = pmap;
    list_init(&map->entries);
    return map;
}

void
vm_map_ref(struct vm_map *map)
{
    refcount_ref(&map->refs);
}

void
vm_map_set_limit(struct vm_map *map, vm_size_t limit)
{
    map->account->limit = limit;
}

vm_size_t
vm_map_limit(struct vm_map *map)
{
    return map->account->limit;
}

vm_size_t
vm_map_charged(struct vm_map *map)
{
    return map->account->charged;
}

vm_size_t
vm_map_size(struct vm_map *map)
{
    return map->size;
}

vm_size_t
vm_map_resident(struct vm_map *map)
{
    return map->pmap->resident << PAGE_SHIFT;
}

uint64_t
vm_map_count(void)
{
    return slab_count(&map_cache);
}

uint64_t
vm_map_entry_count(void)
{
    return slab_count(&entry_cache);
}

/* -- Entries --------------------------------------------------------------- */

struct vm_map_entry *
vm_map_entry_create(void)
{
    struct vm_map_entry *entry = slab_alloc_raw(&entry_cache);

    if (likely(entry != NULL)) {
        __builtin_memset(entry, 0, sizeof(*entry));
    }

    return entry;
}

void
vm_map_entry_destroy(struct vm_map_entry *entry)
{
    slab_free(&entry_cache, entry);
}

static inline void
entry_dispose(struct vm_map_entry *entry)
{
    if (entry->object != NULL) {
        vm_object_unref(entry->object);
        thread_preempt_point();
    }

    slab_free(&entry_cache, entry);
}

void
vm_map_entries_dispose(struct list *entries)
{
    while (!list_empty(entries)) {
        struct vm_map_entry *entry = vm_map_entry_at(list_first(entries));

        list_remove(&entry->link);
        entry_dispose(entry);
    }
}

/* Free bytes below the entry, or below the end of user space (NULL). */
static inline void
map_set_gap(struct vm_map *map, struct vm_map_entry *entry)
{
    if (entry != NULL) {
        vm_offset_t below = entry->link.prev == &map->entries
                                ? VM_MIN_ADDRESS
                                : vm_map_entry_at(entry->link.prev)->node.end;

        vm_map_tree_set_gap(&entry->node, entry->node.start - below);
    }
}

/* Room from the address on. */
static inline void
map_set_hole(struct vm_map *map, vm_offset_t address)
{
    map->hole = MIN(map->hole, address);
}

/* Put the entry between its neighbours. */
static inline void
map_link_after(struct vm_map *map, struct vm_map_entry *before,
               struct vm_map_entry *entry)
{
    vm_offset_t below = before == NULL ? VM_MIN_ADDRESS : before->node.end;

    assert(vm_map_lock_written(&map->lock) && entry->node.start >= below);
    list_insert_after(before == NULL ? &map->entries : &before->link,
                      &entry->link);
    vm_map_tree_insert(&map->tree, &entry->node,
                       before == NULL ? NULL : &before->node,
                       entry->node.start - below);
    map_set_gap(map, vm_map_next(map, entry));
    map->entry_count++;
    map->size += vm_map_entry_size(entry);
}

/* The entry before the address, given the one above it (or NULL). */
static struct vm_map_entry *
map_before(struct vm_map *map, struct vm_map_entry *above)
{
    struct list *link =
        above == NULL ? list_last(&map->entries) : above->link.prev;

    return link == &map->entries ? NULL : vm_map_entry_at(link);
}

static inline void
map_link(struct vm_map *map, struct vm_map_entry *above,
         struct vm_map_entry *entry)
{
    assert(above == NULL || above->node.start >= entry->node.end);

    if (entry->object == NULL) {
        entry->offset = entry->node.start;
    }

    map_link_after(map, map_before(map, above), entry);
}

void
vm_map_link(struct vm_map *map, struct vm_map_entry *above,
            struct vm_map_entry *entry)
{
    map_link(map, above, entry);
}

static inline void
map_unlink(struct vm_map *map, struct vm_map_entry *entry)
{
    struct vm_map_entry *next = vm_map_next(map, entry);

    assert(vm_map_lock_written(&map->lock));
    map_set_hole(map, entry->node.start - entry->node.gap);
    vm_map_tree_remove(&map->tree, &entry->node);
    list_remove(&entry->link);
    map_set_gap(map, next);
    map->entry_count--;
    map->size -= vm_map_entry_size(entry);

    if (map->hint == entry) {
        map->hint = NULL;
    }
}

void
vm_map_unlink(struct vm_map *map, struct vm_map_entry *entry)
{
    map_unlink(map, entry);
}

/* Split at an address inside: a new entry gets the lower part. */
static bool
map_split(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t address)
{
    struct vm_map_entry *before = map_before(map, entry);
    struct vm_map_entry *lower =
        map->entry_count < VM_MAP_ENTRIES_MAX ? vm_map_entry_create() : NULL;

    if (lower == NULL) {
        return false;
    }

    lower->node.start = entry->node.start;
    lower->node.end = address;
    lower->object = entry->object;
    lower->offset = entry->offset;
    lower->protection = entry->protection;
    lower->max_protection = entry->max_protection;
    lower->inheritance = entry->inheritance;
    lower->needs_copy = entry->needs_copy;
    lower->shared = entry->shared;
    lower->charged = entry->charged;
    lower->mapped = entry->mapped;

    if (lower->object != NULL) {
        vm_object_ref(lower->object);
    }

    map->size -= address - entry->node.start;
    entry->offset += address - entry->node.start;
    entry->node.start = address;
    map_link_after(map, before, lower);
    return true;
}

bool
vm_map_clip_start(struct vm_map *map, struct vm_map_entry *entry,
                  vm_offset_t address)
{
    return address <= entry->node.start || map_split(map, entry, address);
}

/* Entry and new entry change roles, so that the caller's keeps the start. */
bool
vm_map_clip_end(struct vm_map *map, struct vm_map_entry *entry,
                vm_offset_t address)
{
    struct vm_map_entry *lower;
    uint64_t offset;
    vm_offset_t start, end;

    if (address >= entry->node.end) {
        return true;
    }

    if (!map_split(map, entry, address)) {
        return false;
    }

    /* The two differ only in range: exchange these, and the places. */
    lower = map_before(map, entry);
    offset = lower->offset;
    start = lower->node.start;
    end = entry->node.end;
    vm_map_unlink(map, lower);
    map->size -= vm_map_entry_size(entry);
    lower->offset = entry->offset;
    lower->node.start = address;
    lower->node.end = end;
    entry->offset = offset;
    entry->node.start = start;
    entry->node.end = address;
    map->size += vm_map_entry_size(entry);
    map_set_gap(map, entry);
    map_link_after(map, entry, lower);
    return true;
}

struct vm_map_entry *
vm_map_join(struct vm_map *map, struct vm_map_entry *entry)
{
    struct vm_map_entry *before = map_before(map, entry);
    vm_offset_t end = entry->node.end;

    if (before == NULL || before->node.end != entry->node.start ||
        before->object != entry->object ||
        before->offset + vm_map_entry_size(before) != entry->offset ||
        before->protection != entry->protection ||
        before->max_protection != entry->max_protection ||
        before->inheritance != entry->inheritance ||
        before->needs_copy != entry->needs_copy ||
        before->shared != entry->shared || before->charged != entry->charged) {
        return entry;
    }

    vm_map_unlink(map, entry);
    before->mapped = before->mapped || entry->mapped;
    map->size += end - before->node.end;
    before->node.end = end;
    map_set_gap(map, vm_map_next(map, before));

    if (entry->object != NULL) {
        vm_object_unref(entry->object);
    }

    slab_free(&entry_cache, entry);
    return before;
}

/* -- Removal --------------------------------------------------------------- */

/* Nobody else sees the pages that the entry has of its object. */
static bool
entry_owns_pages(const struct vm_map_entry *entry)
{
    return entry->object != NULL && !entry->object->shared &&
           (entry->object->one_map || entry->object->refs == 1);
}

static NOINLINE void
unmap_pages(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
    for (vm_offset_t at = start; at < end; at += REMOVE_CHUNK) {
        pmap_remove(map->pmap, at, MIN(at + REMOVE_CHUNK, end));

        if (end - at > REMOVE_CHUNK) {
            thread_preempt_point();
        }
    }
}

/* Undo the mappings and charge of [start, end) of an entry. */
static inline void
entry_unmap(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t start,
            vm_offset_t end)
{
    if (entry->mapped) {
        unmap_pages(map, start, end);
    }

    if (entry->charged) {
        vm_account_uncharge(map->account, end - start);
    }
}

/* An entry goes, but its object stays, for other entries of this map: free
 * the pages that they don't see. */
static void
entry_free_hidden(struct vm_map_entry *entry)
{
    if (entry_owns_pages(entry) && entry->object->refs > 1) {
        vm_object_remove_pages(entry->object,
                               vm_map_entry_index(entry, entry->node.start),
                               vm_map_entry_index(entry, entry->node.end));
    }
}

/* All of the entry goes from the map; it is left to dispose of. */
static inline void
entry_remove(struct vm_map *map, struct vm_map_entry *entry)
{
    entry_unmap(map, entry, entry->node.start, entry->node.end);
    entry_free_hidden(entry);
    map_unlink(map, entry);
}

/* Cut [start, end), at one end of the entry, off it. */
static void
entry_cut(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t start,
          vm_offset_t end)
{
    entry_unmap(map, entry, start, end);

    if (entry_owns_pages(entry)) {
        uint64_t first = vm_map_entry_index(entry, start);
        uint64_t last = vm_map_entry_index(entry, end);

        /* A copy that lost pages says no more by a missing page that the
         * original's is still the same: no new copy may use it. */
        entry->object->snapshot = false;
        vm_object_remove_pages(entry->object, first, last);

        /* Nothing is left at the end: it can grow there again. */
        if (entry->object->refs == 1 && entry->object->end == last) {
            entry->object->end = first;
        }
    }

    map->size -= end - start;

    if (start == entry->node.start) {
        map_set_hole(map, start - entry->node.gap);
        entry->offset += end - start;
        entry->node.start = end;
        map_set_gap(map, entry);
    } else {
        map_set_hole(map, start);
        entry->node.end = start;
        map_set_gap(map, vm_map_next(map, entry));
    }
}

kern_return_t
vm_map_clear(struct vm_map *map, vm_offset_t start, vm_offset_t end,
             struct list *dead)
{
    struct vm_map_entry *entry = vm_map_lookup_above(map, start);
    struct vm_map_entry *next;

    if (entry != NULL && entry->node.start < start && entry->node.end > end &&
        !vm_map_clip_end(map, entry, end)) {
        return KERN_RESOURCE_SHORTAGE;
    }

    for (; entry != NULL && entry->node.start < end; entry = next) {
        next = vm_map_next(map, entry);

        if (entry->node.start < start) {
            entry_cut(map, entry, start, entry->node.end);
        } else if (entry->node.end > end) {
            entry_cut(map, entry, entry->node.start, end);
        } else {
            entry_remove(map, entry);
            list_insert_tail(dead, &entry->link);
        }
    }

    return KERN_SUCCESS;
}

void
vm_map_terminate(struct vm_map *map)
{
    struct list dead;

    vm_map_lock_write(&map->lock);
    map->dead = true;

    list_for_each(&map->entries, link)
    {
        struct vm_map_entry *entry = vm_map_entry_at(link);

        entry_unmap(map, entry, entry->node.start, entry->node.end);
        entry_free_hidden(entry);
    }

    list_move(&dead, &map->entries);
    map->tree.root = NULL;
    map->hint = NULL;
    map->size = 0;
    map->entry_count = 0;
    vm_map_unlock_write(&map->lock);
    vm_map_entries_dispose(&dead);
}

void
vm_map_unref(struct vm_map *map)
{
    if (!refcount_unref(&map->refs)) {
        return;
    }

    if (!map->dead) {
        vm_map_terminate(map);
    }

    pmap_unref(map->pmap);
    vm_account_unref(map->account);
    slab_free(&map_cache, map);
}

/* Whatever is in the range. The map is locked, and unlocked. */
static NOINLINE kern_return_t
map_remove_range(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
    struct list dead;
    kern_return_t kr;

    list_init(&dead);
    kr = vm_map_clear(map, start, end, &dead);
    vm_map_unlock_write(&map->lock);
    vm_map_entries_dispose(&dead);
    return kr;
}

kern_return_t
vm_map_remove(struct vm_map *map, vm_offset_t address, vm_size_t size)
{
    struct vm_map_entry *entry;
    vm_offset_t start, end;
    kern_return_t kr;

    if (size == 0) {
        return KERN_SUCCESS;
    }

    kr = vm_map_range(address, size, &start, &end);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    vm_map_lock_write(&map->lock);
    entry = vm_map_lookup_above(map, start);

    /* Just one entry, as memory that came in a message is. */
    if (entry != NULL && entry->node.start == start && entry->node.end == end) {
        entry_remove(map, entry);
        vm_map_unlock_write(&map->lock);
        entry_dispose(entry);
        return KERN_SUCCESS;
    }

    return map_remove_range(map, start, end);
}

/* -- Finding room ---------------------------------------------------------- */

/* The lowest free range at or above `from`. False: none is large enough. */
static bool
map_find_space(struct vm_map *map, vm_offset_t from, vm_size_t size,
               vm_offset_t mask, struct vm_map_place *place)
{
    vm_offset_t at = from;
    struct vm_map_node *node;

    do {
        struct vm_map_entry *last;
        vm_offset_t limit = VM_MAX_ADDRESS;

        node = vm_map_tree_find_gap(&map->tree, at, size);

        if (node != NULL) {
            at = MAX(at, node->start - node->gap);
            limit = node->start;
        } else if (!list_empty(&map->entries)) {
            last = vm_map_entry_at(list_last(&map->entries));
            at = MAX(at, last->node.end);
        }

        at = (at + mask) & ~mask;

        if (at >= from && at <= limit && size <= limit - at) {
            place->start = at;
            place->end = at + size;
            place->above = vm_map_entry_of(node);
            return true;
        }

        at = node == NULL ? 0 : MAX(at, node->end);
    } while (node != NULL && at >= from);

    return false;
}

/* The same from VM_ANYWHERE_BASE on, for page alignment: begins where nothing
 * as large is known to be below. */
static inline bool
map_find_hole(struct vm_map *map, vm_size_t size, struct vm_map_place *place)
{
    bool known = size >= map->hole_size && map->hole >= VM_ANYWHERE_BASE;

    /* Mostly the range that was given back last. */
    if (known && size <= VM_MAX_ADDRESS - map->hole) {
        place->start = map->hole;
        place->end = map->hole + size;
        place->above = vm_map_lookup_above(map, place->start);

        if (place->above == NULL || place->above->node.start >= place->end) {
            return true;
        }
    }

    if (!map_find_space(map, known ? map->hole : VM_ANYWHERE_BASE, size,
                        PAGE_MASK, place)) {
        return false;
    }

    map->hole = place->start;
    map->hole_size = size;
    return true;
}

/* The place is used now. */
static inline void
map_fill_hole(struct vm_map *map, const struct vm_map_place *place)
{
    if (place->start == map->hole) {
        map->hole = place->end;
    }
}

static kern_return_t
map_place_anywhere(struct vm_map *map, const struct vm_map_request *request,
                   struct vm_map_place *place)
{
    vm_offset_t from = request->address & ~PAGE_MASK;
    vm_offset_t mask = request->mask | PAGE_MASK;
    vm_size_t size = request->size;

    if (size > VM_MAX_ADDRESS || mask >= VM_MAX_ADDRESS) {
        return KERN_NO_SPACE;
    }

    size = (size + PAGE_MASK) & ~PAGE_MASK;

    if (from < VM_MIN_ADDRESS || from >= VM_MAX_ADDRESS) {
        from = VM_ANYWHERE_BASE;

        if (mask == PAGE_MASK && map_find_hole(map, size, place)) {
            return KERN_SUCCESS;
        }
    }

    return map_find_space(map, from, size, mask, place) ||
                   map_find_space(map, VM_MIN_ADDRESS, size, mask, place)
               ? KERN_SUCCESS
               : KERN_NO_SPACE;
}

kern_return_t
vm_map_find_place(struct vm_map *map, const struct vm_map_request *request,
                  struct vm_map_place *place, struct list *dead)
{
    kern_return_t kr;

    if (map->dead) {
        return KERN_TERMINATED;
    }

    if (unlikely(map->entry_count >= VM_MAP_ENTRIES_MAX)) {
        return KERN_RESOURCE_SHORTAGE;
    }

    if ((request->flags & VM_FLAGS_ANYWHERE) != 0) {
        return map_place_anywhere(map, request, place);
    }

    kr = vm_map_range(request->address, request->size, &place->start,
                      &place->end);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if ((place->start & request->mask) != 0) {
        return KERN_INVALID_ARGUMENT;
    }

    place->above = vm_map_lookup_above(map, place->start);

    if (place->above == NULL || place->above->node.start >= place->end) {
        return KERN_SUCCESS;
    }

    if ((request->flags & VM_FLAGS_OVERWRITE) == 0) {
        return KERN_NO_SPACE;
    }

    kr = vm_map_clear(map, place->start, place->end, dead);
    place->above = vm_map_lookup_above(map, place->start);
    return kr;
}

/* A place for an entry of a message. Locks: map, for writing. */
static inline kern_return_t
map_find_entry_place(struct vm_map *map, vm_size_t size,
                     struct vm_map_place *place)
{
    if (map->dead) {
        return KERN_TERMINATED;
    }

    if (unlikely(map->entry_count >= VM_MAP_ENTRIES_MAX)) {
        return KERN_RESOURCE_SHORTAGE;
    }

    return map_find_hole(map, size, place) ||
                   map_find_space(map, VM_MIN_ADDRESS, size, PAGE_MASK, place)
               ? KERN_SUCCESS
               : KERN_NO_SPACE;
}

kern_return_t
vm_map_insert_entry(struct vm_map *map, struct vm_map_entry *entry,
                    vm_offset_t *addressp)
{
    vm_size_t size = vm_map_entry_size(entry);
    vm_size_t charge = entry->charged ? size : 0;
    struct vm_map_place place;
    kern_return_t kr = vm_account_charge(map->account, charge);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    vm_map_lock_write(&map->lock);
    kr = map_find_entry_place(map, size, &place);

    if (kr == KERN_SUCCESS) {
        entry->node.start = place.start;
        entry->node.end = place.end;
        entry->protection = VM_PROT_DEFAULT;
        entry->max_protection = VM_PROT_ALL;
        entry->inheritance = VM_INHERIT_DEFAULT;
        map_link(map, place.above, entry);
        map_fill_hole(map, &place);
    }

    vm_map_unlock_write(&map->lock);

    if (kr != KERN_SUCCESS) {
        vm_account_uncharge(map->account, charge);
        return kr;
    }

    *addressp = place.start;
    return KERN_SUCCESS;
}

kern_return_t
vm_map_request_check(const struct vm_map_request *request)
{
    if ((request->flags & ~(VM_FLAGS_ANYWHERE | VM_FLAGS_OVERWRITE)) != 0 ||
        (request->protection & ~VM_PROT_ALL) != 0 ||
        (request->max_protection & ~VM_PROT_ALL) != 0 ||
        request->inheritance > VM_INHERIT_LAST_VALID || request->size == 0 ||
        (request->mask & (request->mask + 1)) != 0) {
        return KERN_INVALID_ARGUMENT;
    }

    if ((request->protection & ~request->max_protection) != 0) {
        return KERN_PROTECTION_FAILURE;
    }

    return KERN_SUCCESS;
}

/* -- Mapping --------------------------------------------------------------- */

/*
 * Let the entry below the place grow over it, if it is of the same kind:
 * private zero-filled memory that nobody else has.
 */
static bool
map_extend(struct vm_map *map, const struct vm_map_request *request,
           const struct vm_map_place *place)
{
    struct vm_map_entry *below = map_before(map, place->above);
    vm_size_t size = place->end - place->start;
    struct vm_object *object;

    if (below == NULL || below->node.end != place->start ||
        below->protection != request->protection ||
        below->max_protection != request->max_protection ||
        below->inheritance != request->inheritance || below->needs_copy ||
        below->shared || !below->charged) {
        return false;
    }

    object = below->object;

    if (object != NULL) {
        uint64_t first = vm_map_entry_index(below, place->start);

        if (object->refs != 1 || object->shared || object->shadow != NULL ||
            object->copy != NULL) {
            return false;
        }

        /* Pages of an earlier use, when it was shared. */
        if (object->end > first) {
            vm_object_remove_pages(object, first, UINT64_MAX);
        }

        object->end = first + (size >> PAGE_SHIFT);
    }

    map->size += size;
    below->node.end = place->end;
    map_set_gap(map, place->above);
    return true;
}

/*
 * Put memory of the request's kind at a free place that is charged, in a new
 * entry if need be. *entryp is NULL if the entry made before was used.
 */
static kern_return_t
map_enter(struct vm_map *map, struct vm_map_entry **entryp,
          const struct vm_map_request *request,
          const struct vm_map_place *place)
{
    struct vm_map_entry *entry = *entryp;
    struct vm_map_entry *next;

    if ((entry == NULL || entry->object == NULL) &&
        map_extend(map, request, place)) {
        return KERN_SUCCESS;
    }

    if (entry == NULL) {
        entry = vm_map_entry_create();

        if (entry == NULL) {
            return KERN_RESOURCE_SHORTAGE;
        }

        entry->charged = true;
    }

    *entryp = NULL;
    entry->node.start = place->start;
    entry->node.end = place->end;
    entry->protection = (uint8_t)request->protection;
    entry->max_protection = (uint8_t)request->max_protection;
    entry->inheritance = (uint8_t)request->inheritance;
    vm_map_link(map, place->above, entry);

    if (entry->object == NULL) {
        entry = vm_map_join(map, entry);
        next = vm_map_next(map, entry);

        if (next != NULL) {
            vm_map_join(map, next);
        }
    }

    return KERN_SUCCESS;
}

/*
 * The entry for a request, made before the map is locked, as far as needed:
 * for untouched memory only if its place would be cleared for it.
 */
static kern_return_t
map_prepare_entry(const struct vm_map_request *request,
                  struct vm_object *object, uint64_t offset,
                  struct vm_map_entry **entryp)
{
    uint64_t size = (request->size + PAGE_MASK) & ~PAGE_MASK;
    struct vm_map_entry *entry;

    *entryp = NULL;

    if (object == NULL && (request->flags & VM_FLAGS_OVERWRITE) == 0) {
        return KERN_SUCCESS;
    }

    if (object != NULL && object->is_device && request->copy) {
        return KERN_NOT_SUPPORTED;
    }

    entry = vm_map_entry_create();

    if (entry == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    *entryp = entry;
    entry->offset = offset;
    entry->charged = object == NULL || request->copy;

    if (object == NULL) {
        return KERN_SUCCESS;
    }

    if (!request->copy) {
        vm_object_share(object);
        vm_object_ref(object);
        entry->object = object;
        entry->shared = true;
        return KERN_SUCCESS;
    }

    entry->needs_copy = true;
    return vm_object_copy_delayed(object, offset >> PAGE_SHIFT,
                                  (offset + size) >> PAGE_SHIFT,
                                  &entry->object);
}

/* What private memory for the request will be charged. */
static vm_size_t
map_charge(const struct vm_map_request *request, struct vm_object *object)
{
    vm_offset_t offset = (request->flags & VM_FLAGS_ANYWHERE) != 0
                             ? 0
                             : request->address & PAGE_MASK;

    if (object != NULL && !request->copy) {
        return 0;
    }

    return (offset + request->size + PAGE_MASK) & ~PAGE_MASK;
}

kern_return_t
vm_map_object(struct vm_map *map, struct vm_map_request *request,
              struct vm_object *object, uint64_t offset)
{
    struct list dead;
    struct vm_map_place place;
    struct vm_map_entry *entry;
    vm_size_t charge = map_charge(request, object);
    kern_return_t kr = vm_map_request_check(request);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if (request->size > VM_MAX_ADDRESS) {
        return KERN_NO_SPACE;
    }

    list_init(&dead);
    kr = map_prepare_entry(request, object, offset, &entry);

    if (kr != KERN_SUCCESS) {
        goto out_entry;
    }

    kr = vm_account_charge(map->account, charge);

    if (kr != KERN_SUCCESS) {
        goto out_entry;
    }

    vm_map_lock_write(&map->lock);
    kr = vm_map_find_place(map, request, &place, &dead);

    if (kr == KERN_SUCCESS) {
        kr = map_enter(map, &entry, request, &place);
    }

    vm_map_unlock_write(&map->lock);
    vm_map_entries_dispose(&dead);

    if (kr == KERN_SUCCESS) {
        request->address = place.start;
    } else {
        vm_account_uncharge(map->account, charge);
    }

out_entry:
    if (entry != NULL) {
        list_insert_tail(&dead, &entry->link);
        vm_map_entries_dispose(&dead);
    }

    return kr;
}

kern_return_t
vm_map_allocate(struct vm_map *map, vm_offset_t *addressp, vm_size_t size,
                int flags)
{
    struct vm_map_request request = {
        .address = *addressp,
        .size = size,
        .flags = flags,
        .protection = VM_PROT_DEFAULT,
        .max_protection = VM_PROT_ALL,
        .inheritance = VM_INHERIT_DEFAULT,
    };
    kern_return_t kr;

    if (size == 0) {
        *addressp = 0;
        return KERN_SUCCESS;
    }

    kr = vm_map_object(map, &request, NULL, 0);

    if (kr == KERN_SUCCESS) {
        *addressp = request.address;
    }

    return kr;
}

/* The others that shared the entry's object have gone: it is ours, and the
 * pages that only they could reach go. */
static void
entry_take_object(struct vm_map_entry *entry, uint64_t start, uint64_t end)
{
    struct vm_object *object = entry->object;

    if (object->start < start || object->end > end) {
        vm_object_remove_pages(object, 0, start);
        vm_object_remove_pages(object, end, UINT64_MAX);
    }

    spin_lock(&object->lock);
    object->one_map = true;
    object->start = start;
    object->end = end;
    spin_unlock(&object->lock);
    entry->needs_copy = false;
}

kern_return_t
vm_map_entry_prepare(struct vm_map_entry *entry, bool write)
{
    struct vm_object *object = entry->object;
    uint64_t start = entry->offset >> PAGE_SHIFT;
    uint64_t end = start + (vm_map_entry_size(entry) >> PAGE_SHIFT);

    if (object == NULL) {
        entry->object = vm_object_create(start, end);
        return entry->object == NULL ? KERN_RESOURCE_SHORTAGE : KERN_SUCCESS;
    }

    if (!write || !entry->needs_copy) {
        return KERN_SUCCESS;
    }

    if (object->refs == 1 && !object->snapshot && !object->shared) {
        entry_take_object(entry, start, end);
        return KERN_SUCCESS;
    }

    object = vm_object_create_shadow(object, start, end);

    if (object == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    entry->object = object;
    entry->needs_copy = false;
    vm_object_bypass(object);
    return KERN_SUCCESS;
}

/* -- Attributes ------------------------------------------------------------ */

/*
 * Find the entries of a range without holes, all of which allow the maximal
 * protection, and split the outer ones at its ends. *firstp: the lowest.
 */
static kern_return_t
map_isolate(struct vm_map *map, vm_offset_t start, vm_offset_t end,
            vm_prot_t protection, struct vm_map_entry **firstp)
{
    struct vm_map_entry *first = vm_map_lookup(map, start);
    struct vm_map_entry *last = NULL;
    vm_offset_t covered = start;

    for (struct vm_map_entry *entry = first; entry != NULL;
         entry = vm_map_next(map, entry)) {
        if (entry->node.start > covered) {
            break;
        }

        if ((protection & ~entry->max_protection) != 0) {
            return KERN_PROTECTION_FAILURE;
        }

        last = entry;
        covered = entry->node.end;

        if (covered >= end) {
            break;
        }
    }

    if (last == NULL || covered < end) {
        return KERN_INVALID_ADDRESS;
    }

    if (!vm_map_clip_start(map, first, start) ||
        !vm_map_clip_end(map, last, end)) {
        return KERN_RESOURCE_SHORTAGE;
    }

    *firstp = first;
    return KERN_SUCCESS;
}

/* Join what has become alike, from the entry on up to the one at `end`. */
static void
map_join_range(struct vm_map *map, struct vm_map_entry *entry, vm_offset_t end)
{
    while (entry != NULL && entry->node.start <= end) {
        entry = vm_map_next(map, vm_map_join(map, entry));
    }
}

static void
entry_protect(struct vm_map *map, struct vm_map_entry *entry, bool set_maximum,
              vm_prot_t protection)
{
    vm_prot_t old = entry->protection;

    if (set_maximum) {
        entry->max_protection = (uint8_t)protection;
        entry->protection &= (uint8_t)protection;
    } else {
        entry->protection = (uint8_t)protection;
    }

    /* More rights come with the next fault. */
    if ((old & ~entry->protection) != 0 && entry->object != NULL) {
        pmap_protect(map->pmap, entry->node.start, entry->node.end,
                     entry->protection);
    }
}

kern_return_t
vm_map_protect(struct vm_map *map, vm_offset_t address, vm_size_t size,
               bool set_maximum, vm_prot_t protection)
{
    struct vm_map_entry *first, *entry;
    vm_offset_t start, end;
    kern_return_t kr;

    if ((protection & ~VM_PROT_ALL) != 0) {
        return KERN_INVALID_ARGUMENT;
    }

    if (size == 0) {
        return KERN_SUCCESS;
    }

    kr = vm_map_range(address, size, &start, &end);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    vm_map_lock_write(&map->lock);
    kr = map_isolate(map, start, end, protection, &first);

    if (kr == KERN_SUCCESS) {
        for (entry = first; entry != NULL && entry->node.start < end;
             entry = vm_map_next(map, entry)) {
            entry_protect(map, entry, set_maximum, protection);
        }

        map_join_range(map, first, end);
    }

    vm_map_unlock_write(&map->lock);
    return kr;
}

kern_return_t
vm_map_inherit(struct vm_map *map, vm_offset_t address, vm_size_t size,
               vm_inherit_t inheritance)
{
    struct vm_map_entry *first, *entry;
    vm_offset_t start, end;
    kern_return_t kr;

    if (inheritance > VM_INHERIT_LAST_VALID) {
        return KERN_INVALID_ARGUMENT;
    }

    if (size == 0) {
        return KERN_SUCCESS;
    }

    kr = vm_map_range(address, size, &start, &end);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    vm_map_lock_write(&map->lock);
    kr = map_isolate(map, start, end, VM_PROT_NONE, &first);

    if (kr == KERN_SUCCESS) {
        for (entry = first; entry != NULL && entry->node.start < end;
             entry = vm_map_next(map, entry)) {
            entry->inheritance = (uint8_t)inheritance;
        }

        map_join_range(map, first, end);
    }

    vm_map_unlock_write(&map->lock);
    return kr;
}

kern_return_t
vm_map_region(struct vm_map *map, vm_offset_t *addressp, vm_size_t *sizep,
              struct vm_region_basic_info *info)
{
    struct vm_map_entry *entry;

    vm_map_lock_read(&map->lock);
    entry = vm_map_lookup_above(map, *addressp);

    if (entry == NULL) {
        vm_map_unlock_read(&map->lock);
        return KERN_INVALID_ADDRESS;
    }

    *addressp = entry->node.start;
    *sizep = vm_map_entry_size(entry);
    *info = (struct vm_region_basic_info){
        .protection = entry->protection,
        .max_protection = entry->max_protection,
        .inheritance = entry->inheritance,
        .shared = entry->shared,
        .offset = entry->object == NULL ? 0 : entry->offset,
    };

    if (entry->object != NULL) {
        info->resident_pages = (unsigned int)vm_object_resident(
            entry->object, vm_map_entry_index(entry, entry->node.start),
            vm_map_entry_index(entry, entry->node.end));
    }

    vm_map_unlock_read(&map->lock);
    return KERN_SUCCESS;
}
