/* SPDX-License-Identifier: MIT */
/* See ipc/ipc_space.h. */

#include <debug/assert.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_right.h>
#include <ipc/ipc_space.h>
#include <kern/slab.h>
#include <kern/string.h>

#define IPC_HASH_MIN 16

struct ipc_space ipc_space_kernel;

const struct ipc_identity ipc_identity_kernel = {
    KERNEL_SECURITY_TOKEN_VALUE,
    KERNEL_AUDIT_TOKEN_VALUE,
};

static struct slab_cache space_cache;

void
ipc_space_setup(void)
{
    slab_cache_init(&space_cache, "ipc_space", sizeof(struct ipc_space), 64);
    spin_init(&ipc_space_kernel.lock, LOCK_RANK_SPACE);
    refcount_init(&ipc_space_kernel.refs, 1);
    ipc_space_kernel.active = true;
}

struct ipc_space *
ipc_space_create(struct task *task)
{
    struct ipc_space *space = slab_alloc(&space_cache);

    if (space == NULL) {
        return NULL;
    }

    refcount_init(&space->refs, 1);
    space->hash_size = IPC_HASH_MIN;
    space->chunks = kmem_alloc(IPC_CHUNK_NUMBER * sizeof(*space->chunks));
    space->hash = kmem_alloc(IPC_HASH_MIN * sizeof(*space->hash));

    if (space->chunks == NULL || space->hash == NULL) {
        ipc_space_unref(space);
        return NULL;
    }

    spin_init(&space->lock, LOCK_RANK_SPACE);
    space->active = true;
    space->task = task;
    space->limit = MACH_PORT_INDEX_MAX;
    return space;
}

void
ipc_space_free(struct ipc_space *space)
{
    for (uint32_t i = 0; i < space->size / IPC_CHUNK_ENTRIES; i++) {
        kmem_free(space->chunks[i], sizeof(struct ipc_chunk));
    }

    if (space->chunks != NULL) {
        kmem_free(space->chunks, IPC_CHUNK_NUMBER * sizeof(*space->chunks));
    }

    if (space->hash != NULL) {
        kmem_free(space->hash, space->hash_size * sizeof(*space->hash));
    }

    slab_free(&space_cache, space);
}

void
ipc_space_set_identity(struct ipc_space *space,
                       const struct ipc_identity *identity)
{
    spin_lock(&space->lock);
    atomic_fetch_add(&space->identity_changes, 1);
    space->identity = *identity;
    atomic_fetch_add(&space->identity_changes, 1);
    spin_unlock(&space->lock);
}

void
ipc_space_identity(struct ipc_space *space, struct ipc_identity *identity)
{
    unsigned int changes;

    do {
        changes = atomic_load(&space->identity_changes);
        *identity = space->identity;
        atomic_thread_fence(memory_order_seq_cst);
    } while ((changes & 1) != 0 ||
             changes != atomic_load(&space->identity_changes));
}

/* Entries are released one by one with the lock dropped in between: rights
 * may send notifications. No entry is added any more: the space is inactive. */
void
ipc_space_terminate(struct ipc_space *space)
{
    struct ipc_entry *entry;

    spin_lock(&space->lock);
    space->active = false;
    ipc_reply_settle_all(space);

    for (uint32_t index = 1; index < space->size; index++) {
        entry = ipc_entry_at(space, index);

        if (entry->type != IE_NONE && entry->type != IE_REPLY) {
            ipc_right_destroy(space, MACH_PORT_MAKE(index, entry->generation),
                              entry);
            spin_lock(&space->lock);
        }
    }

    spin_unlock(&space->lock);
}

struct ipc_entry *
ipc_entry_at(struct ipc_space *space, uint32_t index)
{
    return &space->chunks[index / IPC_CHUNK_ENTRIES]
                ->entries[index % IPC_CHUNK_ENTRIES];
}

struct ipc_entry *
ipc_entry_lookup(struct ipc_space *space, mach_port_name_t name)
{
    return ipc_entry_lookup_inline(space, name);
}

/*
 * Add a chunk, made beforehand, at the end of the free list: so the kernel
 * gives out low names although a caller chose a high one. Index 0 is never
 * used: it is the null name.
 */
static void
ipc_space_add_chunk(struct ipc_space *space, struct ipc_chunk *chunk)
{
    uint32_t first = space->size == 0 ? 1 : space->size;
    uint32_t last = space->size + IPC_CHUNK_ENTRIES - 1;

    space->chunks[space->size / IPC_CHUNK_ENTRIES] = chunk;

    for (uint32_t i = 0; i < IPC_CHUNK_ENTRIES; i++) {
        chunk->entries[i].generation = IPC_ENTRY_NAMELESS;
    }

    for (uint32_t index = first; index < last; index++) {
        chunk->entries[index % IPC_CHUNK_ENTRIES].next = index + 1;
    }

    if (space->free == 0) {
        space->free = first;
    } else {
        ipc_entry_at(space, space->free_last)->next = first;
    }

    space->free_last = last;
    space->size += IPC_CHUNK_ENTRIES;
}

/*
 * Grow the table to at least `size` entries. The space is locked; unlocked
 * on failure.
 */
static kern_return_t
ipc_space_grow(struct ipc_space *space, uint32_t size)
{
    struct ipc_chunk *chunk;

    while (space->size < size) {
        spin_unlock(&space->lock);
        chunk = kmem_alloc(sizeof(*chunk));

        if (chunk == NULL) {
            return KERN_RESOURCE_SHORTAGE;
        }

        spin_lock(&space->lock);

        if (!space->active || space->size >= size) {
            spin_unlock(&space->lock);
            kmem_free(chunk, sizeof(*chunk));
            spin_lock(&space->lock);
            break;
        }

        ipc_space_add_chunk(space, chunk);
    }

    if (!space->active) {
        spin_unlock(&space->lock);
        return KERN_TERMINATED;
    }

    return KERN_SUCCESS;
}

/* Double the hash when chains get long. Locked before and after; a failure
 * only leaves the chains longer. */
static void
ipc_hash_grow(struct ipc_space *space)
{
    uint32_t old_size = space->hash_size;
    uint32_t *heads, *old;
    struct ipc_entry *entry;

    spin_unlock(&space->lock);
    heads = kmem_alloc(2 * old_size * sizeof(*heads));
    spin_lock(&space->lock);

    if (heads == NULL) {
        return;
    }

    if (space->hash_size != old_size) {
        spin_unlock(&space->lock);
        kmem_free(heads, 2 * old_size * sizeof(*heads));
        spin_lock(&space->lock);
        return;
    }

    old = space->hash;
    space->hash = heads;
    space->hash_size = 2 * old_size;
    space->hash_count = 0;

    for (uint32_t index = 1; index < space->size; index++) {
        entry = ipc_entry_at(space, index);

        if (entry->type == IE_SEND) {
            ipc_hash_insert(space, MACH_PORT_MAKE(index, 0), entry);
        }
    }

    spin_unlock(&space->lock);
    kmem_free(old, old_size * sizeof(*old));
    spin_lock(&space->lock);
}

kern_return_t
ipc_space_lock_reserve(struct ipc_space *space)
{
    kern_return_t kr;

    spin_lock(&space->lock);

    if (unlikely(space->hash_count > space->hash_size)) {
        ipc_hash_grow(space);
    }

    for (;;) {
        if (unlikely(!space->active)) {
            spin_unlock(&space->lock);
            return KERN_TERMINATED;
        }

        if (unlikely(space->count >= space->limit)) {
            spin_unlock(&space->lock);
            return KERN_NO_SPACE;
        }

        if (likely(space->free != 0)) {
            return KERN_SUCCESS;
        }

        if (space->size > MACH_PORT_INDEX_MAX) {
            spin_unlock(&space->lock);
            return KERN_NO_SPACE;
        }

        kr = ipc_space_grow(space, space->size + 1);

        if (kr != KERN_SUCCESS) {
            return kr;
        }
    }
}

static void
ipc_entry_init(struct ipc_space *space, struct ipc_entry *entry)
{
    entry->object = NULL;
    entry->request = NULL;
    entry->urefs = 0;
    entry->next = 0;
    entry->generation &= 0xff;
    space->count++;
}

struct ipc_entry *
ipc_entry_alloc(struct ipc_space *space, mach_port_name_t *namep)
{
    uint32_t index = space->free;
    struct ipc_entry *entry = ipc_reply_reuse(space, namep);

    if (entry != NULL) {
        ipc_entry_init(space, entry);
        entry->generation = MACH_PORT_GEN(*namep);
        entry->type = IE_NONE;
        return entry;
    }

    assert(index != 0);
    entry = ipc_entry_at(space, index);
    space->free = entry->next;
    ipc_entry_init(space, entry);
    *namep = MACH_PORT_MAKE(index, entry->generation);
    return entry;
}

kern_return_t
ipc_entry_alloc_name(struct ipc_space *space, mach_port_name_t name,
                     struct ipc_entry **entryp)
{
    uint32_t index = MACH_PORT_INDEX(name);
    struct ipc_entry *entry;
    uint32_t *link;
    uint32_t before = 0;
    kern_return_t kr;

    if (index == 0 || index > MACH_PORT_INDEX_MAX) {
        return KERN_INVALID_VALUE;
    }

    kr = ipc_space_lock_reserve(space);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    kr = ipc_space_grow(space, index + 1);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    entry = ipc_entry_at(space, index);

    if (entry->type == IE_REPLY && ipc_reply_evict(entry)) {
        entry->type = IE_NONE;
        ipc_entry_init(space, entry);
        entry->generation = MACH_PORT_GEN(name);
        *entryp = entry;
        return KERN_SUCCESS;
    }

    if (entry->type != IE_NONE) {
        spin_unlock(&space->lock);
        return KERN_NAME_EXISTS;
    }

    for (link = &space->free; *link != index;
         link = &ipc_entry_at(space, *link)->next) {
        assert(*link != 0);
        before = *link;
    }

    *link = entry->next;

    if (space->free_last == index) {
        space->free_last = before;
    }

    ipc_entry_init(space, entry);
    entry->generation = MACH_PORT_GEN(name);
    *entryp = entry;
    return KERN_SUCCESS;
}

/* The generation moves on now, so the old name is dead at once. */
void
ipc_entry_free(struct ipc_space *space, mach_port_name_t name,
               struct ipc_entry *entry)
{
    ipc_space_changed(space);
    entry->type = IE_NONE;
    entry->object = NULL;
    entry->generation = IPC_ENTRY_NAMELESS | ((entry->generation + 1) & 0xff);
    entry->next = space->free;

    if (space->free == 0) {
        space->free_last = MACH_PORT_INDEX(name);
    }

    space->free = MACH_PORT_INDEX(name);
    space->count--;
}

static uint32_t *
ipc_hash_head(struct ipc_space *space, const struct ipc_port *port)
{
    uint32_t key = ipc_port_to_handle(port) * 0x9e3779b9u;

    return &space->hash[(key >> 12) & (space->hash_size - 1)];
}

void
ipc_hash_insert(struct ipc_space *space, mach_port_name_t name,
                struct ipc_entry *entry)
{
    uint32_t *head = ipc_hash_head(space, entry->object);

    entry->next = *head;
    *head = MACH_PORT_INDEX(name);
    space->hash_count++;
}

void
ipc_hash_remove(struct ipc_space *space, mach_port_name_t name,
                struct ipc_entry *entry)
{
    uint32_t *link = ipc_hash_head(space, entry->object);

    while (*link != MACH_PORT_INDEX(name)) {
        assert(*link != 0);
        link = &ipc_entry_at(space, *link)->next;
    }

    *link = entry->next;
    space->hash_count--;
}

mach_port_name_t
ipc_hash_lookup(struct ipc_space *space, struct ipc_port *port,
                struct ipc_entry **entryp)
{
    struct ipc_entry *entry;
    uint32_t index;

    for (index = *ipc_hash_head(space, port); index != 0; index = entry->next) {
        entry = ipc_entry_at(space, index);

        if (entry->object == port) {
            *entryp = entry;
            return MACH_PORT_MAKE(index, entry->generation);
        }
    }

    return MACH_PORT_NULL;
}

uint64_t
ipc_space_count(void)
{
    return slab_count(&space_cache);
}
