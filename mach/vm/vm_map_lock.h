/* SPDX-License-Identifier: MIT */
/*
 * The lock of a map: many readers or one writer, who may block while holding
 * it. Uncontended it costs one atomic instruction each way. Waiting writers
 * keep new readers out.
 */

#ifndef VM_VM_MAP_LOCK_H
#define VM_VM_MAP_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <kern/macros.h>

#define VM_MAP_LOCK_WRITER 0x80000000u
#define VM_MAP_LOCK_WAITERS 0x40000000u

/* Number of readers, and the flags above. */
struct vm_map_lock {
    _Atomic uint32_t state;
};

void vm_map_lock_read_slow(struct vm_map_lock *lock);
void vm_map_lock_write_slow(struct vm_map_lock *lock);
void vm_map_lock_wake(struct vm_map_lock *lock);

static inline void
vm_map_lock_init(struct vm_map_lock *lock)
{
    atomic_init(&lock->state, 0);
}

static inline void
vm_map_lock_read(struct vm_map_lock *lock)
{
    uint32_t old = atomic_load_explicit(&lock->state, memory_order_relaxed);

    if (unlikely(old >= VM_MAP_LOCK_WAITERS) ||
        unlikely(!atomic_compare_exchange_strong_explicit(
            &lock->state, &old, old + 1, memory_order_acquire,
            memory_order_relaxed))) {
        vm_map_lock_read_slow(lock);
    }
}

static inline void
vm_map_unlock_read(struct vm_map_lock *lock)
{
    uint32_t old =
        atomic_fetch_sub_explicit(&lock->state, 1, memory_order_release);

    if (unlikely(old == (VM_MAP_LOCK_WAITERS | 1))) {
        vm_map_lock_wake(lock);
    }
}

static inline void
vm_map_lock_write(struct vm_map_lock *lock)
{
    uint32_t old = 0;

    if (unlikely(!atomic_compare_exchange_strong_explicit(
            &lock->state, &old, VM_MAP_LOCK_WRITER, memory_order_acquire,
            memory_order_relaxed))) {
        vm_map_lock_write_slow(lock);
    }
}

static inline void
vm_map_unlock_write(struct vm_map_lock *lock)
{
    uint32_t old = atomic_fetch_sub_explicit(&lock->state, VM_MAP_LOCK_WRITER,
                                             memory_order_release);

    if (unlikely(old & VM_MAP_LOCK_WAITERS)) {
        vm_map_lock_wake(lock);
    }
}

/* The only reader becomes the writer; false: there are others. */
static inline bool
vm_map_lock_upgrade(struct vm_map_lock *lock)
{
    uint32_t old = 1;

    return atomic_compare_exchange_strong_explicit(
        &lock->state, &old, VM_MAP_LOCK_WRITER, memory_order_acquire,
        memory_order_relaxed);
}

/* The writer becomes a reader. */
static inline void
vm_map_lock_downgrade(struct vm_map_lock *lock)
{
    uint32_t old = atomic_fetch_sub_explicit(
        &lock->state, VM_MAP_LOCK_WRITER - 1, memory_order_release);

    if (unlikely(old & VM_MAP_LOCK_WAITERS)) {
        vm_map_lock_wake(lock);
    }
}

static inline bool
vm_map_lock_written(struct vm_map_lock *lock)
{
    return (atomic_load_explicit(&lock->state, memory_order_relaxed) &
            VM_MAP_LOCK_WRITER) != 0;
}

#endif /* VM_VM_MAP_LOCK_H */
