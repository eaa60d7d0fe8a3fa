/* SPDX-License-Identifier: MIT */
/* Entries of a map, for the files that work on them. */

#ifndef VM_VM_MAP_I_H
#define VM_VM_MAP_I_H

#include <vm/vm_map.h>
#include <vm/vm_object.h>

/* Where requests for "anywhere" begin to look; below is for program images
 * and what grows behind them. */
#define VM_ANYWHERE_BASE 0x20000000ul

static inline struct vm_map_entry *
vm_map_entry_of(struct vm_map_node *node)
{
    return (struct vm_map_entry *)(void *)node; /* its first member */
}

static inline struct vm_map_entry *
vm_map_entry_at(struct list *link)
{
    return list_entry(link, struct vm_map_entry, link);
}

/* Index in the object of an address in the entry. */
static inline uint64_t
vm_map_entry_index(const struct vm_map_entry *entry, vm_offset_t address)
{
    return (entry->offset + (address - entry->node.start)) >> PAGE_SHIFT;
}

static inline vm_size_t
vm_map_entry_size(const struct vm_map_entry *entry)
{
    return entry->node.end - entry->node.start;
}

/* The entry that holds the address, or NULL. Locks: map, for reading. */
static inline struct vm_map_entry *
vm_map_lookup(struct vm_map *map, vm_offset_t address)
{
    struct vm_map_entry *entry =
        atomic_load_explicit(&map->hint, memory_order_relaxed);

    if (likely(entry != NULL && address >= entry->node.start &&
               address < entry->node.end)) {
        return entry;
    }

    entry = vm_map_entry_of(vm_map_tree_lookup(&map->tree, address));

    if (entry == NULL || address < entry->node.start) {
        return NULL;
    }

    atomic_store_explicit(&map->hint, entry, memory_order_relaxed);
    return entry;
}

/* The entry that holds the address, or the next above, or NULL. */
static inline struct vm_map_entry *
vm_map_lookup_above(struct vm_map *map, vm_offset_t address)
{
    return vm_map_entry_of(vm_map_tree_lookup(&map->tree, address));
}

/* The entry after this one, or NULL. */
static inline struct vm_map_entry *
vm_map_next(struct vm_map *map, struct vm_map_entry *entry)
{
    return entry->link.next == &map->entries
               ? NULL
               : vm_map_entry_at(entry->link.next);
}

/* New and zeroed, or NULL. Free: takes no notice of the object. */
MUST_CHECK struct vm_map_entry *vm_map_entry_create(void);
void vm_map_entry_destroy(struct vm_map_entry *entry);

/* Free entries that left their map, with their references to objects.
 * Locks: none; long. */
void vm_map_entries_dispose(struct list *entries);

/* Put an entry with its range set into the map, below `above` (NULL: at the
 * end), or take it out. Locks of this and all that follow: map, for writing. */
void vm_map_link(struct vm_map *map, struct vm_map_entry *above,
                 struct vm_map_entry *entry);
void vm_map_unlink(struct vm_map *map, struct vm_map_entry *entry);

/* Split the entry so that a border is at the address, if it is inside: the
 * entry keeps the upper (clip_start) or lower (clip_end) part. False: no
 * memory. */
MUST_CHECK bool
vm_map_clip_start(struct vm_map *map, struct vm_map_entry *entry,
                  vm_offset_t address);
MUST_CHECK bool vm_map_clip_end(struct vm_map *map, struct vm_map_entry *entry,
                                vm_offset_t address);

/* Join the entry with the one before if they could be one. Returns the entry
 * that has its range now. */
struct vm_map_entry *
vm_map_join(struct vm_map *map, struct vm_map_entry *entry);

/* Take all out of the range; what is left of it goes on the list. The only
 * error is KERN_RESOURCE_SHORTAGE, and then nothing is gone. */
MUST_CHECK kern_return_t vm_map_clear(struct vm_map *map, vm_offset_t start,
                                      vm_offset_t end, struct list *dead);

/* A free place: the range, and the entry above it, or NULL. */
struct vm_map_place {
    vm_offset_t start, end;
    struct vm_map_entry *above;
};

/* Choose and free the place for a request. With VM_FLAGS_OVERWRITE what was
 * there goes on the list. */
MUST_CHECK kern_return_t vm_map_find_place(struct vm_map *map,
                                           const struct vm_map_request *request,
                                           struct vm_map_place *place,
                                           struct list *dead);

/*
 * Put one entry, whose addresses begin at 0, anywhere in the map as ordinary
 * memory. Takes the entry over on success only.
 *
 * Locks:   takes and drops map->lock.
 * Returns: KERN_SUCCESS, KERN_NO_SPACE, KERN_RESOURCE_SHORTAGE,
 *          KERN_LIMIT_REACHED, KERN_TERMINATED.
 */
MUST_CHECK kern_return_t vm_map_insert_entry(struct vm_map *map,
                                             struct vm_map_entry *entry,
                                             vm_offset_t *addressp);

/* Flags, protections and inheritance of a request, KERN_SUCCESS or
 * KERN_INVALID_ARGUMENT, KERN_PROTECTION_FAILURE. */
MUST_CHECK kern_return_t
vm_map_request_check(const struct vm_map_request *request);

/* Make an untouched entry's object, or the shadow that it needs before a
 * write. Returns: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE. */
MUST_CHECK kern_return_t vm_map_entry_prepare(struct vm_map_entry *entry,
                                              bool write);

/* How extracted memory is related to its source. */
enum vm_map_extract {
    VM_MAP_EXTRACT_COPY,  /* a snapshot */
    VM_MAP_EXTRACT_SHARE, /* the same memory */
};

/*
 * Fill a new entry with [start, end) of the source entry.
 *
 * Returns: KERN_SUCCESS, KERN_RESOURCE_SHORTAGE.
 */
MUST_CHECK kern_return_t vm_map_entry_extract(
    struct vm_map *map, struct vm_map_entry *source, vm_offset_t start,
    vm_offset_t end, enum vm_map_extract how, struct vm_map_entry *entry);

/*
 * Entries for the range, which must be without holes; their addresses begin
 * at 0. Each must allow `access`. *request: protections all of them allow.
 *
 * Returns: KERN_SUCCESS, KERN_INVALID_ADDRESS, KERN_PROTECTION_FAILURE,
 *          KERN_RESOURCE_SHORTAGE; on an error the list is empty.
 */
MUST_CHECK kern_return_t vm_map_extract(struct vm_map *map, vm_offset_t start,
                                        vm_offset_t end, vm_prot_t access,
                                        enum vm_map_extract how,
                                        struct list *entries,
                                        struct vm_map_request *request);

/*
 * Put extracted entries where the request says; their size is its size.
 * They are consumed on success only. request->address: the result.
 */
MUST_CHECK kern_return_t vm_map_insert(struct vm_map *map,
                                       struct vm_map_request *request,
                                       struct list *entries);

#endif /* VM_VM_MAP_I_H */
