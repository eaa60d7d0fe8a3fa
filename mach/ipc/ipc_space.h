/* SPDX-License-Identifier: MIT */
/*
 * A task's port space: the table of its names. A name is an index and a
 * generation; entries lie in chunks of one page, so they never move and a
 * look-up is two loads. Send rights are also found by port, through a hash,
 * since a space has one name for all send rights of a port.
 *
 * References: the task, and each user.
 *
 * Lock keys: (c) set at creation, (l) space->lock, (a) atomic.
 */

#ifndef IPC_IPC_SPACE_H
#define IPC_IPC_SPACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ipc/ipc_reply.h>
#include <kern/macros.h>
#include <kern/refcount.h>
#include <kern/spinlock.h>
#include <mach/message.h>

struct ipc_port;
struct ipc_dnrequest;
struct task;

/* Entry types: MACH_PORT_TYPE_* shifted down to a byte. */
#define IE_NONE 0u
#define IE_SEND (MACH_PORT_TYPE_SEND >> 16)
#define IE_RECEIVE (MACH_PORT_TYPE_RECEIVE >> 16)
#define IE_SEND_ONCE (MACH_PORT_TYPE_SEND_ONCE >> 16)
#define IE_PORT_SET (MACH_PORT_TYPE_PORT_SET >> 16)
#define IE_DEAD_NAME (MACH_PORT_TYPE_DEAD_NAME >> 16)
#define IE_REPLY 0x80u /* a thread's reply slot: ipc/ipc_reply.h */
#define IE_PORT (IE_SEND | IE_RECEIVE | IE_SEND_ONCE)

struct ipc_entry {
    void *object;                  /* ipc_port or ipc_pset by type: ref; or
                                      the thread of a reply slot */
    struct ipc_dnrequest *request; /* dead-name request, or NULL */
    uint32_t urefs;                /* of send, send-once, dead name, set */
    uint32_t next;                 /* free list or hash chain: an index */
    uint8_t type;                  /* IE_*; IE_NONE: free */
    uint16_t generation;           /* a name's, or with IPC_ENTRY_NAMELESS */
};

/* In the generation of entries that no name finds: free ones keep the next
 * generation in the low byte. */
#define IPC_ENTRY_NAMELESS 0x100u

/*
 * What a task may have queued, or waiting for room in a queue: what it sent
 * by send rights, and what was sent by the send-once rights that it made,
 * which are its replies. In bytes of kernel memory; each message counts for
 * so many at least. A task that has more can send nothing until it has less.
 */
#define IPC_QUEUED_MAX (16ul << 20)
#define IPC_QUEUED_MESSAGE 1024ul

/* What receivers are told of a sender. */
struct ipc_identity {
    security_token_t security;
    audit_token_t audit;
};

extern const struct ipc_identity ipc_identity_kernel;

#define IPC_CHUNK_ENTRIES (4096 / sizeof(struct ipc_entry))
#define IPC_CHUNK_NUMBER ((MACH_PORT_INDEX_MAX + 1) / IPC_CHUNK_ENTRIES)

struct ipc_chunk {
    struct ipc_entry entries[IPC_CHUNK_ENTRIES];
};

struct ipc_space {
    struct spinlock lock; /* LOCK_RANK_SPACE */
    struct refcount refs;
    bool active;               /* (l) */
    struct task *task;         /* (c) no reference: the task holds us */
    struct ipc_chunk **chunks; /* (c) IPC_CHUNK_NUMBER pointers, (l) */
    uint32_t size;             /* (l) entries that exist */
    uint32_t free;             /* (l) first free index, 0: none */
    uint32_t free_last;        /* (l) the last one, if there is any */
    uint32_t count;            /* (l) names in use */
    uint32_t limit;            /* (l) names at most */
    uint32_t changes;          /* (l) names that lost a right; read unlocked */
    uint32_t *hash;            /* (l) heads: index of the first, 0: none */
    uint32_t hash_size;        /* (l) a power of two */
    uint32_t hash_count;       /* (l) */

    atomic_ulong queued; /* (a) bytes queued at its expense */

    struct ipc_identity identity; /* (l), read as the next member says */
    atomic_uint identity_changes; /* (a) odd during one: look again */
};

/* The receiver of kernel ports. Has no names. */
extern struct ipc_space ipc_space_kernel;

void ipc_space_setup(void);

MUST_CHECK struct ipc_space *ipc_space_create(struct task *task);

static inline void
ipc_space_ref(struct ipc_space *space)
{
    refcount_ref(&space->refs);
}

/* Nobody refers to it any more. */
void ipc_space_free(struct ipc_space *space);

static inline void
ipc_space_unref(struct ipc_space *space)
{
    if (unlikely(refcount_unref(&space->refs))) {
        ipc_space_free(space);
    }
}

/* Has the task as much queued as it may? */
static inline bool
ipc_space_queued_over(struct ipc_space *space)
{
    return unlikely(atomic_load_explicit(&space->queued, memory_order_relaxed) >
                    IPC_QUEUED_MAX);
}

/* Takes and drops space->lock. */
void ipc_space_set_identity(struct ipc_space *space,
                            const struct ipc_identity *identity);

/* Takes no locks: for senders with a port locked. */
void ipc_space_identity(struct ipc_space *space, struct ipc_identity *identity);

/* The task ends: release every right. Afterwards the space is inactive. */
void ipc_space_terminate(struct ipc_space *space);

/* The entry of a name, or NULL. Locks: space->lock held. */
struct ipc_entry *
ipc_entry_lookup(struct ipc_space *space, mach_port_name_t name);

/* The entry at an index below space->size. Locks: space->lock held. */
struct ipc_entry *ipc_entry_at(struct ipc_space *space, uint32_t index);

/*
 * Lock the space and make sure that one entry is free.
 *
 * Returns: KERN_SUCCESS (locked); KERN_NO_SPACE (limit),
 *          KERN_RESOURCE_SHORTAGE, KERN_TERMINATED (all unlocked).
 */
MUST_CHECK kern_return_t ipc_space_lock_reserve(struct ipc_space *space);

/* Take the free entry. Locks: held since ipc_space_lock_reserve(). */
struct ipc_entry *
ipc_entry_alloc(struct ipc_space *space, mach_port_name_t *namep);

/*
 * Take the entry of a name that the caller chose, its generation included.
 * Returns locked on success; KERN_NAME_EXISTS, KERN_INVALID_VALUE (index
 * beyond the bound), and as ipc_space_lock_reserve().
 */
MUST_CHECK kern_return_t ipc_entry_alloc_name(struct ipc_space *space,
                                              mach_port_name_t name,
                                              struct ipc_entry **entryp);

/* Free an entry, its object gone. Locks: space->lock held. */
void ipc_entry_free(struct ipc_space *space, mach_port_name_t name,
                    struct ipc_entry *entry);

/* Hash of send rights by port. Locks: space->lock held. */
void ipc_hash_insert(struct ipc_space *space, mach_port_name_t name,
                     struct ipc_entry *entry);
void ipc_hash_remove(struct ipc_space *space, mach_port_name_t name,
                     struct ipc_entry *entry);
/* The name under which the space has send rights to the port, not the
 * receive right; 0 if none. */
mach_port_name_t ipc_hash_lookup(struct ipc_space *space, struct ipc_port *port,
                                 struct ipc_entry **entryp);

/* ipc_entry_lookup() for the paths where a call shows. */
static inline struct ipc_entry *
ipc_entry_lookup_inline(struct ipc_space *space, mach_port_name_t name)
{
    uint32_t index = MACH_PORT_INDEX(name);
    struct ipc_entry *entry;

    if (unlikely(index >= space->size)) {
        return NULL;
    }

    entry = &space->chunks[index / IPC_CHUNK_ENTRIES]
                 ->entries[index % IPC_CHUNK_ENTRIES];

    if (unlikely(entry->generation != MACH_PORT_GEN(name))) {
        return entry->type == IE_REPLY ? ipc_reply_settle(space, entry, name)
                                       : NULL;
    }

    return entry;
}

/* A name no longer stands for the send right that it stood for: who keeps
 * what they found must look again. Locks: space->lock held. */
static inline void
ipc_space_changed(struct ipc_space *space)
{
    space->changes++;
}

uint64_t ipc_space_count(void);

#endif /* IPC_IPC_SPACE_H */
