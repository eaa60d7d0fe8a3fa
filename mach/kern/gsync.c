/* SPDX-License-Identifier: MIT */
/*
 * See kern/gsync.h. Waiters meet by a key of two words: map and address, or
 * for shared words the frame that holds the word (held meanwhile, so that it
 * stays what it is) and the place in it. The word is read through the direct
 * map under the bucket's lock, so no wake-up is lost between look and wait.
 */

#include <debug/assert.h>
#include <ipc/ipc_kobject.h>
#include <kern/gsync.h>
#include <kern/sched.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <mach/gsync.h>
#include <machine/context.h>
#include <machine/trap.h>
#include <vm/vm_fault.h>
#include <vm/vm_map.h>
#include <vm/vm_page.h>

#define GSYNC_FLAGS                                                            \
    (GSYNC_SHARED | GSYNC_TIMED | GSYNC_BROADCAST | GSYNC_MUTATE)
#define GSYNC_BUCKETS 256
#define NS_PER_MS 1000000ul

static struct gsync_bucket {
    struct spinlock lock; /* LOCK_RANK_WAIT */
    struct list threads;  /* (l) through wait_link */
} gsync_buckets[GSYNC_BUCKETS];

/* A word, found and kept from going away. */
struct gsync_word {
    struct gsync_key key;
    struct vm_page *page;   /* held */
    _Atomic uint32_t *word; /* in the direct map */
    struct gsync_bucket *bucket;
};

void
gsync_setup(void)
{
    for (unsigned int i = 0; i < GSYNC_BUCKETS; i++) {
        spin_init(&gsync_buckets[i].lock, LOCK_RANK_WAIT);
        list_init(&gsync_buckets[i].threads);
    }
}

static struct gsync_bucket *
gsync_bucket(const struct gsync_key *key)
{
    uint64_t mix = (key->space ^ key->place >> 2) * 0x9e3779b97f4a7c15ul;

    return &gsync_buckets[mix >> 56];
}

static kern_return_t
gsync_find(struct vm_map *map, vm_offset_t address, int flags, bool write,
           struct gsync_word *found)
{
    vm_prot_t access = VM_PROT_READ | (write ? VM_PROT_WRITE : 0);
    struct vm_fault fault;
    kern_return_t kr;

    if ((address & 3) != 0 || (flags & ~GSYNC_FLAGS) != 0) {
        return KERN_INVALID_ARGUMENT;
    }

    if (address >= VM_MAX_ADDRESS) {
        return KERN_INVALID_ADDRESS;
    }

    kr = vm_fault_resolve(map, address & ~PAGE_MASK, access, NULL, &fault);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if (fault.page == NULL) {
        vm_fault_release(&fault);
        return KERN_INVALID_ADDRESS;
    }

    vm_page_hold(fault.page);
    found->page = fault.page;
    vm_fault_release(&fault);
    found->word =
        (void *)((char *)vm_page_address(found->page) + (address & PAGE_MASK));

    if ((flags & GSYNC_SHARED) != 0) {
        found->key = (struct gsync_key){ 0, (uint64_t)(uintptr_t)found->word };
    } else {
        found->key = (struct gsync_key){ (uint64_t)(uintptr_t)map, address };
    }

    found->bucket = gsync_bucket(&found->key);
    return KERN_SUCCESS;
}

static void
gsync_continue(struct thread *self)
{
    struct gsync_bucket *bucket = gsync_bucket(&self->gsync.key);
    kern_return_t kr = KERN_SUCCESS;

    if (self->wait_result != WAIT_AWAKENED) {
        spin_lock(&bucket->lock);
        list_remove(&self->wait_link);
        spin_unlock(&bucket->lock);
        kr = self->wait_result == WAIT_TIMED_OUT ? KERN_OPERATION_TIMED_OUT
                                                 : KERN_ABORTED;
    }

    if (self->gsync.page != NULL) {
        vm_page_release(self->gsync.page);
        self->gsync.page = NULL;
    }

    context_set_result(self, (uint64_t)kr);
    thread_return();
}

kern_return_t
gsync_wait_trap(mach_port_name_t task_name, vm_offset_t address,
                uint32_t expected, uint32_t msec, int flags)
{
    struct thread *self = current_thread();
    struct task *task = task_lookup(task_name);
    struct gsync_word found;
    uint64_t timeout = 0;
    kern_return_t kr;

    cpu_interrupts_enable();

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    kr = gsync_find(task->map, address, flags, false, &found);
    task_unref(task);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if ((flags & GSYNC_TIMED) != 0) {
        timeout = msec * NS_PER_MS + 1;
    }

    spin_lock(&found.bucket->lock);

    if (atomic_load(found.word) != expected) {
        spin_unlock(&found.bucket->lock);
        vm_page_release(found.page);
        return KERN_INVALID_ARGUMENT;
    }

    self->gsync.key = found.key;
    self->gsync.page = found.page;

    if (sched_wait_begin(self, true, timeout)) {
        list_insert_tail(&found.bucket->threads, &self->wait_link);
    } else {
        atomic_store(&self->wait_state, WAIT_STATE_DONE + WAIT_INTERRUPTED);
    }

    spin_unlock(&found.bucket->lock);
    thread_block(gsync_continue);
    __builtin_unreachable();
}

/* Wake those with this key, up to `most`. The bucket is locked. */
static void
gsync_wake_key(struct gsync_bucket *bucket, const struct gsync_key *key,
               unsigned int most)
{
    list_for_each_safe(&bucket->threads, link, following)
    {
        struct thread *thread = list_entry(link, struct thread, wait_link);

        if (most == 0) {
            return;
        }

        if (thread->gsync.key.space != key->space ||
            thread->gsync.key.place != key->place) {
            continue;
        }

        list_remove(&thread->wait_link);

        if (sched_claim(thread, false)) {
            most--;
            sched_wake(thread, WAIT_AWAKENED);
        }
    }
}

kern_return_t
gsync_wake_trap(mach_port_name_t task_name, vm_offset_t address, uint32_t value,
                int flags)
{
    struct task *task = task_lookup(task_name);
    struct gsync_word found;
    kern_return_t kr;

    cpu_interrupts_enable();

    if (task == NULL) {
        return KERN_INVALID_TASK;
    }

    kr = gsync_find(task->map, address, flags, (flags & GSYNC_MUTATE) != 0,
                    &found);
    task_unref(task);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    spin_lock(&found.bucket->lock);

    if ((flags & GSYNC_MUTATE) != 0) {
        atomic_store(found.word, value);
    }

    gsync_wake_key(found.bucket, &found.key,
                   (flags & GSYNC_BROADCAST) != 0 ? ~0u : 1);
    spin_unlock(&found.bucket->lock);
    vm_page_release(found.page);
    return KERN_SUCCESS;
}
