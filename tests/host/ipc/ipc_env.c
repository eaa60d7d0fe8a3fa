/* SPDX-License-Identifier: MIT */
/* See ipc_env.h. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <debug/panic.h>
#include <ipc/ipc_kmsg.h>
#include <ipc/ipc_kobject.h>
#include <ipc/ipc_notify.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_pset.h>
#include <ipc/ipc_reply.h>
#include <ipc/ipc_right.h>
#include <ipc/ipc_space.h>
#include <ipc/mach_msg.h>
#include <kern/sched.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <mach/mach_port_server.h>
#include <machine/context.h>
#include <machine/copy.h>
#include <machine/trap.h>
#include <vm/vm_copy.h>
#include <vm/vm_map.h>

#include "ipc_env.h"

#define LOCKS_MAX 16
#define TASKS_MAX 16

struct thread *env_current;
unsigned int env_lost;
unsigned int spin_trylock_failures;

static struct env_task *all_tasks[TASKS_MAX];
static struct list ready; /* threads by ready_link */
static jmp_buf trap_exit;

/* -- debug ------------------------------------------------------------------- */

void
panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("Bail out! panic: ");
    vprintf(format, args);
    printf("\n");
    fflush(stdout);
    abort();
}

void
assert_failed(const char *condition, const char *file, int line)
{
    panic("%s:%d: assert(%s)", file, line, condition);
}

void
env_printf(const char *format, ...)
{
    if (strstr(format, "lost") == NULL) {
        panic("printed: %s", format);
    }

    env_lost++;
}

/* -- kern/spinlock.h --------------------------------------------------------- */

static struct spinlock *held[LOCKS_MAX];
static unsigned int held_count;

void
spin_init(struct spinlock *lock, enum lock_rank rank)
{
    *lock = (struct spinlock){ .rank = rank, .ready = true };
}

static void
spin_take(struct spinlock *lock)
{
    if (!lock->ready || lock->held || held_count == LOCKS_MAX) {
        panic("spin: lock of rank %d taken twice or not ready", lock->rank);
    }

    lock->held = true;
    held[held_count] = lock;
    held_count++;
}

void
spin_lock(struct spinlock *lock)
{
    for (unsigned int i = 0; i < held_count; i++) {
        if (held[i]->rank > lock->rank ||
            (held[i]->rank == lock->rank && held[i] > lock)) {
            panic("spin: rank %d taken with rank %d held", lock->rank,
                  held[i]->rank);
        }
    }

    spin_take(lock);
}

bool
spin_trylock(struct spinlock *lock)
{
    if (lock->held) {
        return false;
    }

    spin_take(lock);
    return true;
}

void
spin_unlock(struct spinlock *lock)
{
    unsigned int i = held_count;

    do {
        if (i == 0) {
            panic("spin: lock of rank %d is not held", lock->rank);
        }

        i--;
    } while (held[i] != lock);

    held_count--;
    held[i] = held[held_count];
    lock->held = false;
}

unsigned int
spin_count(void)
{
    return held_count;
}

static void
no_locks(const char *what)
{
    if (held_count != 0) {
        panic("%s with a lock of rank %d held", what, held[0]->rank);
    }
}

/* -- kern/slab.h, machine/layout.h ------------------------------------------- */

/* Objects of slabs by number; 0 is none, 1 the port that stands for none. */
#define NUMBER_NONE 1
static void **objects;
static size_t object_count = NUMBER_NONE + 1, object_room;

/* What was found of a port, see env_audit(). */
struct found {
    uint32_t receive, send, once, references;
};

/* In front of each object. */
struct object_head {
    struct list link; /* live_objects */
    uint64_t number;
    struct slab_cache *cache;
    struct found found;
};

#define HEAD_SIZE 64
_Static_assert(sizeof(struct object_head) <= HEAD_SIZE, "room for the head");

static struct list live_objects = { &live_objects, &live_objects };

static unsigned int fail_at;
static bool failed;
static size_t total;

void
shim_fail(unsigned int n)
{
    fail_at = n;
    failed = false;
}

bool
shim_failed(void)
{
    return failed;
}

static bool
fails_now(void)
{
    no_locks("slab: allocation");

    if (fail_at == 0) {
        return false;
    }

    fail_at--;
    failed = failed || fail_at == 0;
    return fail_at == 0;
}

void
slab_cache_init(struct slab_cache *cache, const char *name, size_t size,
                size_t align)
{
    (void)align;
    *cache = (struct slab_cache){ .name = name, .size = size };
}

static struct object_head *
object_head(const void *object)
{
    return (struct object_head *)(void *)((char *)(uintptr_t)object -
                                          HEAD_SIZE);
}

void *
slab_alloc(struct slab_cache *cache)
{
    size_t size = (cache->size + HEAD_SIZE + 63) & ~63ul;
    char *object;

    if (cache->size == 0) {
        panic("slab: cache without set-up");
    }

    if (fails_now()) {
        return NULL;
    }

    if (object_count >= object_room) {
        object_room = object_room * 2 + 1024;
        objects = realloc(objects, object_room * sizeof(*objects));
    }

    object = (char *)aligned_alloc(64, size) + HEAD_SIZE;
    memset(object - HEAD_SIZE, 0, size);
    object_head(object)->number = object_count;
    object_head(object)->cache = cache;
    list_insert_tail(&live_objects, &object_head(object)->link);
    objects[object_count] = object;
    object_count++;
    cache->count++;
    total++;
    return object;
}

/* Whoever asks for it raw sets every byte that matters. */
void *
slab_alloc_raw(struct slab_cache *cache)
{
    void *object = slab_alloc(cache);

    if (object != NULL) {
        memset(object, 0xa5, cache->size);
    }

    return object;
}

void
slab_free(struct slab_cache *cache, void *object)
{
    if (object_head(object)->cache != cache || cache->count == 0) {
        panic("slab: %s is not the object's", cache->name);
    }

    objects[object_head(object)->number] = NULL;
    list_remove(&object_head(object)->link);
    cache->count--;
    total--;
    free((char *)object - HEAD_SIZE);
}

size_t
slab_count(struct slab_cache *cache)
{
    return cache->count;
}

size_t
slab_total(void)
{
    return total;
}

void *
kmem_alloc(size_t size)
{
    if (fails_now()) {
        return NULL;
    }

    total++;
    return calloc(1, size);
}

void
kmem_free(void *memory, size_t size)
{
    (void)size;

    if (memory == NULL) {
        panic("kmem: nothing freed");
    }

    total--;
    free(memory);
}

uint64_t
direct_to_phys(const void *address)
{
    return (address == &ipc_port_none ? NUMBER_NONE
                                      : object_head(address)->number) *
           IPC_PORT_ALIGN;
}

void *
phys_to_direct(uint64_t physical)
{
    uint64_t number = physical / IPC_PORT_ALIGN;

    if (number >= object_count || objects[number] == NULL) {
        panic("layout: object %lu is not there", (unsigned long)number);
    }

    return objects[number];
}

/* -- User memory ------------------------------------------------------------- */

static struct env_task *
current_task(void)
{
    for (int i = 0; i < TASKS_MAX; i++) {
        if (all_tasks[i] != NULL && all_tasks[i]->thread == env_current) {
            return all_tasks[i];
        }
    }

    panic("env: no task");
}

static bool
user_range(const struct env_task *task, vm_offset_t address, size_t size)
{
    vm_offset_t base = (vm_offset_t)task->memory;

    if (address >= base && address - base <= ENV_MEMORY &&
        size <= ENV_MEMORY - (address - base)) {
        return true;
    }

    for (int i = 0; i < ENV_REGIONS; i++) {
        base = (vm_offset_t)task->regions[i].at;

        if (base != 0 && address >= base &&
            address - base <= task->regions[i].size &&
            size <= task->regions[i].size - (address - base)) {
            return true;
        }
    }

    return false;
}

bool
copyin(vm_offset_t from, void *to, size_t size)
{
    no_locks("copyin");

    if (!user_range(current_task(), from, size)) {
        return false;
    }

    memcpy(to, (void *)from, size);
    return true;
}

/* These may be called with locks held. */
bool
copyin_quick(vm_offset_t from, void *to, size_t size)
{
    if (!user_range(current_task(), from, size)) {
        return false;
    }

    memcpy(to, (void *)from, size);
    return true;
}

bool
copyout_quick(const void *from, vm_offset_t to, size_t size)
{
    if (!user_range(current_task(), to, size)) {
        return false;
    }

    memcpy((void *)to, from, size);
    return true;
}

bool
copyout(const void *from, vm_offset_t to, size_t size)
{
    no_locks("copyout");

    if (!user_range(current_task(), to, size)) {
        return false;
    }

    memcpy((void *)to, from, size);
    return true;
}

void
env_region_free(struct env_task *task, uint64_t address)
{
    for (int i = 0; i < ENV_REGIONS; i++) {
        if (address != 0 && (uint64_t)task->regions[i].at == address) {
            free(task->regions[i].at);
            task->regions[i].at = NULL;
            return;
        }
    }
}

/* -- vm/vm_copy.h: copies are one piece of host memory ----------------------- */

static struct vm_map_copy *
copy_create(const void *data, vm_size_t size)
{
    struct vm_map_copy *copy = kmem_alloc(sizeof(*copy));

    if (copy != NULL) {
        copy->size = size;
        copy->data = malloc(size);
        memcpy(copy->data, data, size);
    }

    return copy;
}

kern_return_t
vm_map_copyin(struct vm_map *map, vm_offset_t address, vm_size_t size,
              bool destroy, struct vm_map_copy **copyp)
{
    struct env_task *task = (void *)map;

    (void)destroy;

    if (!user_range(task, address, size)) {
        return KERN_INVALID_ADDRESS;
    }

    *copyp = copy_create((void *)address, size);
    return *copyp == NULL ? KERN_RESOURCE_SHORTAGE : KERN_SUCCESS;
}

kern_return_t
vm_map_copy_from_kernel(const void *data, vm_size_t size,
                        struct vm_map_copy **copyp)
{
    *copyp = copy_create(data, size);
    return *copyp == NULL ? KERN_RESOURCE_SHORTAGE : KERN_SUCCESS;
}

void
vm_map_copy_discard(struct vm_map_copy *copy)
{
    free(copy->data);
    kmem_free(copy, sizeof(*copy));
}

kern_return_t
vm_map_copyout(struct vm_map *map, vm_offset_t *addressp,
               struct vm_map_copy *copy)
{
    struct env_task *task = (void *)map;

    no_locks("vm_map_copyout");

    for (int i = 0; i < ENV_REGIONS; i++) {
        if (task->regions[i].at == NULL) {
            if (fails_now()) {
                return KERN_RESOURCE_SHORTAGE;
            }

            task->regions[i].at = copy->data;
            task->regions[i].size = copy->size;
            *addressp = (vm_offset_t)copy->data;
            kmem_free(copy, sizeof(*copy));
            return KERN_SUCCESS;
        }
    }

    return KERN_NO_SPACE;
}

/* Memory of tasks is memory of the test. */
kern_return_t
vm_map_copy_overwrite(struct vm_map *map, vm_offset_t address,
                      struct vm_map_copy *copy)
{
    (void)map;
    no_locks("vm_map_copy_overwrite");

    if (fails_now()) {
        return KERN_RESOURCE_SHORTAGE;
    }

    memcpy((void *)address, copy->data, copy->size);
    vm_map_copy_discard(copy);
    return KERN_SUCCESS;
}

kern_return_t
vm_map_remove(struct vm_map *map, vm_offset_t address, vm_size_t size)
{
    (void)size;
    env_region_free((void *)map, address);
    return KERN_SUCCESS;
}

/* -- ipc/ipc_kobject.h: no kernel objects here ------------------------------- */

void
ipc_kobject_server(struct ipc_kmsg *kmsg)
{
    ipc_kmsg_destroy(kmsg);
}

void
ipc_kobject_no_senders(struct ipc_port *port)
{
    (void)port;
}

/* -- kern/sched.h ------------------------------------------------------------ */

void
context_set_result(struct thread *thread, uint64_t result)
{
    for (int i = 0; i < TASKS_MAX; i++) {
        if (all_tasks[i] != NULL && all_tasks[i]->thread == thread) {
            all_tasks[i]->result = (int64_t)result;
            all_tasks[i]->blocked = false;
        }
    }
}

void
thread_return(void)
{
    no_locks("thread_return");
    longjmp(trap_exit, 1);
}

/* The trap begins behind this here. */
void
mach_msg_trap_general(vm_offset_t buffer, mach_msg_option_t option,
                      uint64_t sizes, uint64_t names, uint64_t timeout,
                      vm_offset_t receive_buffer)
{
    (void)buffer;
    (void)option;
    (void)sizes;
    (void)names;
    (void)timeout;
    (void)receive_buffer;
    panic("env: the trap's entry was called");
}

bool
sched_wait_begin(struct thread *self, bool interruptible, uint64_t timeout_ns)
{
    (void)timeout_ns;
    atomic_store(&self->wait_state, interruptible ? WAIT_STATE_INTERRUPTIBLE
                                                  : WAIT_STATE_UNINTERRUPTIBLE);
    return true;
}

bool
sched_claim(struct thread *thread, bool interrupt)
{
    unsigned int state = atomic_load(&thread->wait_state);

    if (state != WAIT_STATE_INTERRUPTIBLE &&
        (interrupt || state != WAIT_STATE_UNINTERRUPTIBLE)) {
        return false;
    }

    atomic_store(&thread->wait_state, WAIT_STATE_CLAIMED);
    return true;
}

void
sched_wake(struct thread *thread, enum wait_result result)
{
    if (atomic_load(&thread->wait_state) != WAIT_STATE_CLAIMED) {
        panic("sched: a thread is woken that nobody claimed");
    }

    atomic_store(&thread->wait_state, WAIT_STATE_DONE + (unsigned int)result);
    list_insert_tail(&ready, &thread->ready_link);
}

enum wait_result
thread_block(continuation_t continuation)
{
    struct thread *self = env_current;

    no_locks("thread_block");

    if (continuation == NULL) {
        panic("sched: a message wait keeps its stack");
    }

    self->continuation = continuation;

    if (atomic_load(&self->wait_state) >= WAIT_STATE_DONE) {
        list_insert_tail(&ready, &self->ready_link);
    }

    longjmp(trap_exit, 1);
}

void
sched_handoff(struct thread *self, continuation_t continuation,
              struct thread *next, enum wait_result result)
{
    (void)self;
    sched_wake(next, result);
    (void)thread_block(continuation);
    abort();
}

static void
run_one(struct thread *thread)
{
    list_remove(&thread->ready_link);
    thread->wait_result =
        (enum wait_result)(atomic_load(&thread->wait_state) - WAIT_STATE_DONE);
    atomic_store(&thread->wait_state, WAIT_STATE_NONE);
    env_current = thread;

    if (setjmp(trap_exit) == 0) {
        thread->continuation(thread);
        panic("sched: a continuation returned");
    }
}

void
env_run(void)
{
    struct thread *current = env_current;

    no_locks("env_run");

    while (!list_empty(&ready)) {
        run_one(list_entry(list_first(&ready), struct thread, ready_link));
    }

    env_current = current;
}

/* -- Tasks ------------------------------------------------------------------- */

void
env_setup(void)
{
    static struct thread boot = {
        .receive.port = &ipc_port_none,
        .destination.port = &ipc_port_none,
    };

    list_init(&ready);
    env_current = &boot;
    ipc_space_setup();
    ipc_port_setup();
    spin_init(&ipc_port_none.lock, LOCK_RANK_PORT);
    ipc_pset_setup();
    ipc_kmsg_setup();
    ipc_notify_setup();
}

void
env_enter(struct env_task *task)
{
    env_current = task->thread;
}

struct env_task *
env_task_create(void)
{
    struct env_task *task = calloc(1, sizeof(*task));
    int i = 0;

    while (all_tasks[i] != NULL) {
        i++;
    }

    all_tasks[i] = task;
    task->task = aligned_alloc(64, (sizeof(*task->task) + 63) & ~63ul);
    memset(task->task, 0, sizeof(*task->task));
    task->thread = aligned_alloc(64, (sizeof(*task->thread) + 63) & ~63ul);
    memset(task->thread, 0, sizeof(*task->thread));
    task->memory = calloc(1, ENV_MEMORY);
    task->space = ipc_space_create(task->task);
    task->task->space = task->space;
    task->task->map = (void *)task;
    task->thread->task = task->task;
    task->thread->space = task->space;
    task->thread->receive.port = &ipc_port_none;
    task->thread->destination.port = &ipc_port_none;
    atomic_init(&task->thread->reply, IPC_REPLY_NONE);
    list_init(&task->thread->ready_link);
    list_init(&task->thread->wait_link);
    return task;
}

void
env_task_destroy(struct env_task *task)
{
    if (task->blocked) {
        env_abort(task);
    }

    env_enter(task);
    mach_msg_thread_end(task->thread);
    ipc_space_terminate(task->space);
    env_run();
    ipc_space_unref(task->space);

    for (int i = 0; i < ENV_REGIONS; i++) {
        free(task->regions[i].at);
    }

    for (int i = 0; i < TASKS_MAX; i++) {
        if (all_tasks[i] == task) {
            all_tasks[i] = NULL;
        } else if (all_tasks[i] != NULL) {
            env_enter(all_tasks[i]);
        }
    }

    free(task->memory);
    free(task->thread);
    free(task->task);
    free(task);
}

bool
env_msg(struct env_task *task, void *message, mach_msg_option_t option,
        mach_msg_size_t send_size, mach_msg_size_t receive_size,
        mach_port_name_t receive_name, mach_msg_timeout_t timeout)
{
    if (task->blocked) {
        panic("env: a thread that waits calls");
    }

    env_enter(task);
    task->blocked = true;

    if (setjmp(trap_exit) == 0) {
        task->result = mach_msg_trap((vm_offset_t)message, option,
                                     (uint64_t)receive_size << 32 | send_size,
                                     receive_name, timeout, 0);
        task->blocked = false;
    }

    env_run();
    env_enter(task);
    return !task->blocked;
}

static void
end_wait(struct env_task *task, bool interrupt, enum wait_result result)
{
    if (sched_claim(task->thread, interrupt)) {
        sched_wake(task->thread, result);
        env_run();
    }
}

void
env_timeout(struct env_task *task)
{
    end_wait(task, false, WAIT_TIMED_OUT);
}

void
env_abort(struct env_task *task)
{
    end_wait(task, true, WAIT_INTERRUPTED);
}

/* -- Audit ------------------------------------------------------------------- */

static bool audit_good;

static void
audit_fail(const char *what, uint64_t number, uint32_t counted, uint32_t there)
{
    printf("# port %lu: %s: counted %u, there are %u\n", (unsigned long)number,
           what, counted, there);
    audit_good = false;
}

static struct found *
find(const struct ipc_port *port)
{
    return &object_head(port)->found;
}

static void
find_right(struct ipc_port *port, mach_msg_type_name_t type)
{
    if (!IP_VALID(port)) {
        return;
    }

    find(port)->references++;

    switch (type) {
    case MACH_MSG_TYPE_PORT_RECEIVE:
        find(port)->receive++;
        break;
    case MACH_MSG_TYPE_PORT_SEND:
        find(port)->send++;
        break;
    default:
        find(port)->once++;
        break;
    }
}

static void
find_in_entry(const struct ipc_entry *entry)
{
    if ((entry->type & IE_PORT) == 0) {
        return;
    }

    if ((entry->type & IE_RECEIVE) != 0) {
        find_right(entry->object, MACH_MSG_TYPE_PORT_RECEIVE);
    }

    if ((entry->type & IE_SEND) != 0) {
        find_right(entry->object, MACH_MSG_TYPE_PORT_SEND);
    }

    if ((entry->type & IE_SEND_ONCE) != 0) {
        find_right(entry->object, MACH_MSG_TYPE_PORT_SEND_ONCE);
    }
}

static const char *
find_in_descriptor(const char *at)
{
    const mach_msg_port_descriptor_t *port = (const void *)at;
    const mach_msg_ool_ports_descriptor_t *ports = (const void *)at;
    const mach_port_t *handles = (void *)ports->address;

    switch (port->type) {
    case MACH_MSG_PORT_DESCRIPTOR:
        find_right(ipc_port_from_handle(port->name), port->disposition);
        return at + sizeof(*port);
    case MACH_MSG_OOL_PORTS_DESCRIPTOR:
        for (uint32_t i = 0; handles != NULL && i < ports->count; i++) {
            find_right(ipc_port_from_handle(handles[i]), ports->disposition);
        }

        return at + sizeof(*ports);
    default:
        return at + sizeof(mach_msg_ool_descriptor_t);
    }
}

static void
find_in_message(struct ipc_kmsg *kmsg)
{
    const mach_msg_header_t *header = &kmsg->header;
    const mach_msg_body_t *body = (const void *)(header + 1);
    const char *at = (const char *)(body + 1);

    find_right(ipc_port_from_handle(header->msgh_remote_port),
               MACH_MSGH_BITS_REMOTE(header->msgh_bits));
    find_right(ipc_port_from_handle(header->msgh_local_port),
               MACH_MSGH_BITS_LOCAL(header->msgh_bits));

    if (!MACH_MSGH_BITS_IS_COMPLEX(header->msgh_bits)) {
        return;
    }

    for (uint32_t i = 0; i < body->msgh_descriptor_count; i++) {
        at = find_in_descriptor(at);
    }
}

static void
find_in_port(struct ipc_port *port)
{
    uint32_t count = 0;

    list_for_each(&port->messages, link)
    {
        find_in_message(list_entry(link, struct ipc_kmsg, link));
        count++;
    }

    if (count != port->msgcount) {
        audit_fail("messages", object_head(port)->number, port->msgcount,
                   count);
    }

    list_for_each(&port->senders, link)
    {
        find_in_message(list_entry(link, struct thread, wait_link)->msg.kmsg);
    }

    find_right(port->nsrequest, MACH_MSG_TYPE_PORT_SEND_ONCE);
    find_right(port->pdrequest, MACH_MSG_TYPE_PORT_SEND_ONCE);

    list_for_each(&port->dnrequests, link)
    {
        find_right(list_entry(link, struct ipc_dnrequest, link)->notify,
                   MACH_MSG_TYPE_PORT_SEND_ONCE);
    }

    if (port->destination != NULL) {
        find(port->destination)->references++;
    }
}

/* All send rights, and no other, are found by their ports. */
static void
audit_hash(struct ipc_space *space)
{
    struct ipc_entry *entry, *there;
    uint32_t count = 0;

    for (uint32_t index = 1; index < space->size; index++) {
        entry = ipc_entry_at(space, index);

        if (entry->type == IE_SEND) {
            count++;

            if (ipc_hash_lookup(space, entry->object, &there) == 0 ||
                there != entry) {
                audit_fail("hash", object_head(entry->object)->number, 1, 0);
            }
        }
    }

    if (count != space->hash_count) {
        audit_fail("hash", 0, space->hash_count, count);
    }
}

/* The reply right that the thread holds itself. */
static void
find_in_slot(const struct thread *thread)
{
    uint64_t slot = atomic_load(&thread->reply);

    if (slot != IPC_REPLY_NONE && IPC_REPLY_HANDLE(slot) != 0) {
        find_right(ipc_port_from_live_handle(IPC_REPLY_HANDLE(slot)),
                   MACH_MSG_TYPE_PORT_SEND_ONCE);
    }
}

static void
find_in_task(const struct env_task *task)
{
    const struct thread *thread = task->thread;
    uint32_t count = 0;

    for (uint32_t index = 1; index < task->space->size; index++) {
        const struct ipc_entry *entry = ipc_entry_at(task->space, index);

        count += entry->type != IE_NONE && entry->type != IE_REPLY;
        find_in_entry(entry);
    }

    if (count != task->space->count) {
        audit_fail("names", 0, task->space->count, count);
    }

    audit_hash(task->space);
    find_in_slot(thread);

    if (thread->receive.port != &ipc_port_none) {
        find(thread->receive.port)->references++;
    }

    if (thread->destination.port != &ipc_port_none) {
        find(thread->destination.port)->references++;
    }

    if (task->blocked && thread->msg.port != NULL) {
        find(thread->msg.port)->references++;
    }
}

/* The port that an object is, or NULL. */
static struct ipc_port *
port_of(struct list *link)
{
    struct object_head *head = list_entry(link, struct object_head, link);

    return strcmp(head->cache->name, "ipc_port") == 0 ? objects[head->number]
                                                      : NULL;
}

static void
audit_port(struct ipc_port *port)
{
    const struct found *there = find(port);
    uint64_t number = object_head(port)->number;

    if (port->srights != there->send) {
        audit_fail("send rights", number, port->srights, there->send);
    }

    if (port->sorights != there->once) {
        audit_fail("send-once rights", number, port->sorights, there->once);
    }

    if (port->active != (there->receive == 1)) {
        audit_fail("receive rights", number, port->active, there->receive);
    }

    if (refcount_read(&port->refs) != there->references) {
        audit_fail("references", number, refcount_read(&port->refs),
                   there->references);
    }
}

bool
env_audit(void)
{
    struct ipc_port *port;

    audit_good = true;

    list_for_each(&live_objects, link)
    {
        list_entry(link, struct object_head, link)->found =
            (struct found){ 0, 0, 0, 0 };
    }

    list_for_each(&live_objects, link)
    {
        port = port_of(link);

        if (port != NULL) {
            find_in_port(port);
        }
    }

    for (int i = 0; i < TASKS_MAX; i++) {
        if (all_tasks[i] != NULL) {
            find_in_task(all_tasks[i]);
        }
    }

    list_for_each(&live_objects, link)
    {
        port = port_of(link);

        if (port != NULL) {
            audit_port(port);
        }
    }

    return audit_good;
}

/* -- Snapshot ---------------------------------------------------------------- */

static uint64_t digest;

static void
see(uint64_t value)
{
    digest = (digest ^ value) * 0x100000001b3;
    digest ^= digest >> 29;
}

static void
see_port(struct ipc_port *port)
{
    see(object_head(port)->number);
    see(port->active);
    see(port->srights);
    see(port->sorights);
    see(port->mscount);
    see(port->seqno);
    see(port->msgcount);
    see(port->qlimit);
    see(port->receiver_name);
    see(port->pset == NULL ? 0 : port->pset->name);
    see(IP_VALID(port->nsrequest) ? object_head(port->nsrequest)->number : 0);
    see(IP_VALID(port->pdrequest) ? object_head(port->pdrequest)->number : 0);

    list_for_each(&port->dnrequests, link)
    {
        see(list_entry(link, struct ipc_dnrequest, link)->name);
    }
}

static void
see_space(struct ipc_space *space)
{
    see(space->count);

    for (uint32_t index = 1; index < space->size; index++) {
        const struct ipc_entry *entry = ipc_entry_at(space, index);

        if (entry->type != IE_NONE) {
            see(index << 8 | entry->generation);
            see(entry->type);
            see(entry->urefs);
            see(entry->request != NULL);
            see((entry->type & IE_PORT) == 0
                    ? 0
                    : object_head(entry->object)->number);
        }
    }
}

uint64_t
env_snapshot(void)
{
    digest = 1;

    for (int i = 0; i < TASKS_MAX; i++) {
        if (all_tasks[i] != NULL) {
            see_space(all_tasks[i]->space);
        }
    }

    list_for_each(&live_objects, link)
    {
        struct ipc_port *port = port_of(link);

        if (port != NULL) {
            see_port(port);
        }
    }

    return digest;
}

/* -- Calls as messages make them --------------------------------------------- */

unsigned int env_fail_at;

/* What follows is the routine itself: from now on memory may fail. */
static void
call_begin(void)
{
    shim_fail(env_fail_at);
}

static void
call_end(void)
{
    env_fail_at = 0;

    if (!shim_failed()) {
        shim_fail(0);
    }

    env_run();
}

kern_return_t
env_insert_right(struct env_task *caller, struct env_task *target,
                 mach_port_name_t name, mach_port_name_t right,
                 mach_msg_type_name_t disposition)
{
    mach_msg_type_name_t type = ipc_right_received_type(disposition);
    struct ipc_port *port;
    kern_return_t kr;

    env_enter(caller);
    kr = ipc_right_copyin_name(caller->space, right, disposition, &port);

    if (kr != KERN_SUCCESS) {
        env_fail_at = 0;
        return ENV_SEND_FAILED;
    }

    call_begin();
    kr = mach_port_insert_right(target->space, name, ipc_port_to_handle(port),
                                type);
    call_end();

    if (kr != KERN_SUCCESS) {
        ipc_port_release(port, type);
        env_run();
    }

    return kr;
}

kern_return_t
env_extract_right(struct env_task *caller, struct env_task *target,
                  mach_port_name_t name, mach_msg_type_name_t disposition,
                  mach_port_name_t *namep)
{
    mach_msg_type_name_t type;
    mach_port_t handle;
    kern_return_t kr;

    env_enter(caller);
    *namep = MACH_PORT_NULL;
    call_begin();
    kr = mach_port_extract_right(target->space, name, disposition, &handle,
                                 &type);
    call_end();

    if (kr == KERN_SUCCESS) {
        kr = ipc_right_copyout(caller->space, ipc_port_from_handle(handle),
                               type, namep);
        env_run();
    }

    return kr;
}

kern_return_t
env_request_notification(struct env_task *caller, struct env_task *target,
                         mach_port_name_t name, mach_msg_id_t id,
                         mach_port_mscount_t sync, mach_port_name_t notify,
                         mach_port_name_t *previousp)
{
    struct ipc_port *port;
    mach_port_t previous;
    kern_return_t kr;

    env_enter(caller);
    *previousp = MACH_PORT_NULL;
    kr = ipc_right_copyin_name(caller->space, notify,
                               MACH_MSG_TYPE_MAKE_SEND_ONCE, &port);

    if (kr != KERN_SUCCESS) {
        env_fail_at = 0;
        return ENV_SEND_FAILED;
    }

    call_begin();
    kr = mach_port_request_notification(
        target->space, name, id, sync, ipc_port_to_handle(port),
        MACH_MSG_TYPE_PORT_SEND_ONCE, &previous);
    call_end();

    if (kr != KERN_SUCCESS) {
        ipc_port_release(port, MACH_MSG_TYPE_PORT_SEND_ONCE);
    } else {
        kr = ipc_right_copyout(caller->space, ipc_port_from_handle(previous),
                               MACH_MSG_TYPE_PORT_SEND_ONCE, previousp);
    }

    env_run();
    return kr;
}

size_t
env_ports(void)
{
    return ipc_port_count();
}
