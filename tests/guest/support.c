/* SPDX-License-Identifier: MIT */
/* Threads, child tasks and leak checks for guest tests. */

#include "tap.h"

#define STACK_SIZE (16 * PAGE_SIZE)
#define THREADS_KEPT 16
#define OBJECTS_SLACK 8

/* The last threads, so that they can be joined. */
struct guest_thread {
    mach_port_t port;
    vm_address_t stack;
    struct mach_tcb *tcb;
};

static struct guest_thread threads[THREADS_KEPT];
static unsigned int thread_next;

static void
counts_read(host_object_counts_data_t *counts)
{
    mach_msg_type_number_t count = HOST_OBJECT_COUNTS_COUNT;
    kern_return_t kr;

    kr = host_info(mach_host_self(), HOST_OBJECT_COUNTS, (host_info_t)counts,
                   &count);

    if (kr != KERN_SUCCESS) {
        tap_bail("host_info: %s", mach_error_string(kr));
    }
}

static uint64_t
resident_pages(void)
{
    mach_msg_type_number_t count = TASK_BASIC_INFO_COUNT;
    task_basic_info_data_t info;
    kern_return_t kr;

    kr = task_info(mach_task_self(), TASK_BASIC_INFO, (task_info_t)&info,
                   &count);

    if (kr != KERN_SUCCESS) {
        tap_bail("task_info: %s", mach_error_string(kr));
    }

    return info.resident_size / PAGE_SIZE;
}

/* Ended tasks and threads are taken apart by a kernel thread: wait until no
 * more of them go. */
void
guest_counts_get(struct guest_counts *before)
{
    host_object_counts_data_t last;
    int same = 0;

    counts_read(&last);

    while (same < 3) {
        (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 10);
        counts_read(&before->counts);
        same = before->counts.tasks == last.tasks &&
                       before->counts.threads == last.threads &&
                       before->counts.ports == last.ports
                   ? same + 1
                   : 0;
        last = before->counts;
    }

    before->resident_pages = resident_pages();
}

/* Equal, but for objects that copying makes and undoes in its own time. */
static bool
guest_counts_same(const host_object_counts_data_t *a,
                  const host_object_counts_data_t *b)
{
    return a->ports == b->ports && a->spaces == b->spaces &&
           a->messages == b->messages && a->tasks == b->tasks &&
           a->threads == b->threads && a->maps == b->maps &&
           a->map_entries <= b->map_entries + OBJECTS_SLACK &&
           a->vm_objects <= b->vm_objects + OBJECTS_SLACK &&
           a->kernel_objects <= b->kernel_objects + 8 * OBJECTS_SLACK &&
           a->large_pages == b->large_pages;
}

bool
guest_counts_settle(const struct guest_counts *before, unsigned int looks)
{
    host_object_counts_data_t now;

    for (unsigned int i = 0; i < looks; i++) {
        counts_read(&now);

        if (guest_counts_same(&now, &before->counts)) {
            return true;
        }

        (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 5);
    }

    guest_counts_check(before, "what settled");
    return false;
}

static bool
guest_counts_compare(uint64_t before, uint64_t after, const char *what)
{
    if (before != after) {
        tap_diag("%s: %lu before, %lu after", what, before, after);
    }

    return before == after;
}

/* Of all pages those that are neither free, the kernel's nor this task's: as
 * a number that grows by one for each. */
static uint64_t
guest_pages(const struct guest_counts *counts)
{
    return (1ul << 32) - counts->counts.free_pages -
           counts->counts.kernel_pages - counts->resident_pages;
}

void
guest_counts_check(const struct guest_counts *before, const char *name)
{
    const host_object_counts_data_t *b = &before->counts;
    struct guest_counts now;
    const host_object_counts_data_t *a = &now.counts;
    bool same = true;

    guest_counts_get(&now);
    same &= guest_counts_compare(b->ports, a->ports, "ports");
    same &= guest_counts_compare(b->spaces, a->spaces, "spaces");
    same &= guest_counts_compare(b->messages, a->messages, "messages");
    same &= guest_counts_compare(b->tasks, a->tasks, "tasks");
    same &= guest_counts_compare(b->threads, a->threads, "threads");
    same &= guest_counts_compare(b->maps, a->maps, "maps");
    same &= guest_counts_compare(b->map_entries, a->map_entries, "map entries");
    same &= guest_counts_compare(b->vm_objects, a->vm_objects, "vm objects");
    same &= guest_counts_compare(b->kernel_objects, a->kernel_objects,
                                 "kernel objects of all kinds");
    same &= guest_counts_compare(guest_pages(before), guest_pages(&now),
                                 "pages that are not this task's");
    tap_diag("%s: %ld pages of the kernel more (%ld of tables), %ld free less",
             name, (long)(a->kernel_pages - b->kernel_pages),
             (long)(a->large_pages - b->large_pages),
             (long)(b->free_pages - a->free_pages));
    ok(same, "%s leaves no kernel objects behind", name);
}

/* The number in the text, decimal or, after 0x, hexadecimal. */
static uint64_t
guest_number(const char *text)
{
    uint64_t base = text[0] == '0' && text[1] == 'x' ? 16 : 10;
    uint64_t value = 0;

    for (text += base == 16 ? 2 : 0;; text++) {
        uint64_t digit = base;

        if (*text >= '0' && *text <= '9') {
            digit = (uint64_t)(*text - '0');
        } else if (*text >= 'a' && *text <= 'f') {
            digit = (uint64_t)(*text - 'a' + 10);
        }

        if (digit >= base) {
            return value;
        }

        value = value * base + digit;
    }
}

uint64_t
guest_argument(const char *name, uint64_t otherwise)
{
    kernel_boot_info_t words = "";
    const char *at = words;
    const char *n;

    (void)host_get_boot_info(guest_host_priv, words);

    while (*at != '\0') {
        for (n = name; *n != '\0' && *n == *at; n++) {
            at++;
        }

        if (*n == '\0' && *at == '=') {
            return guest_number(at + 1);
        }

        while (*at != '\0' && *at != ' ') {
            at++;
        }

        at += *at == ' ';
    }

    return otherwise;
}

void
guest_until_waiting(mach_port_t thread)
{
    struct thread_basic_info info;
    mach_msg_type_number_t count;

    for (int seen = 0; seen < 3;) {
        (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 1);
        count = THREAD_BASIC_INFO_COUNT;

        if (thread_info(thread, THREAD_BASIC_INFO, (thread_info_t)&info,
                        &count) != KERN_SUCCESS) {
            return;
        }

        seen = info.run_state == TH_STATE_WAITING ? seen + 1 : 0;
    }
}

mach_port_t
guest_port(void)
{
    mach_port_t port;
    kern_return_t kr;

    kr = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port);

    if (kr == KERN_SUCCESS) {
        kr = mach_port_insert_right(mach_task_self(), port, port,
                                    MACH_MSG_TYPE_MAKE_SEND);
    }

    if (kr != KERN_SUCCESS) {
        tap_bail("no port: %s", mach_error_string(kr));
    }

    return port;
}

static mach_port_t
guest_launch(mach_port_t task, void *entry, uint64_t a, uint64_t b,
             uint64_t fs_base, vm_address_t *stackp)
{
    x86_thread_state64_t state = { 0 };
    vm_address_t stack;
    mach_port_t thread;
    kern_return_t kr;

    kr = vm_allocate(task, &stack, STACK_SIZE, VM_FLAGS_ANYWHERE);

    if (kr == KERN_SUCCESS) {
        kr = thread_create(task, &thread);
    }

    if (kr != KERN_SUCCESS) {
        tap_bail("no thread: %s", mach_error_string(kr));
    }

    *stackp = stack;
    state.rsp = stack + STACK_SIZE - 8;
    state.rip = (uint64_t)entry;
    state.rdi = a;
    state.rsi = b;
    state.fs_base = fs_base;
    kr = thread_set_state(thread, x86_THREAD_STATE64, (thread_state_t)&state,
                          x86_THREAD_STATE64_COUNT);

    if (kr == KERN_SUCCESS) {
        kr = thread_resume(thread);
    }

    if (kr != KERN_SUCCESS) {
        tap_bail("thread does not start: %s", mach_error_string(kr));
    }

    return thread;
}

static _Noreturn void
guest_thread_start(void (*function)(void *), void *argument)
{
    function(argument);

    /* A task that has no room for the name keeps the thread, but idle. */
    for (;;) {
        (void)thread_terminate(mach_thread_self());
        (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 100);
    }
}

mach_port_t
guest_thread(void (*function)(void *), void *argument)
{
    struct mach_tcb *tcb = mach_tcb_create();
    vm_address_t stack;
    mach_port_t thread;

    if (tcb == NULL) {
        tap_bail("no memory for a thread");
    }

    thread = guest_launch(mach_task_self(), (void *)guest_thread_start,
                          (uint64_t)function, (uint64_t)argument, (uint64_t)tcb,
                          &stack);
    threads[thread_next % THREADS_KEPT] =
        (struct guest_thread){ thread, stack, tcb };
    thread_next++;
    return thread;
}

void
guest_thread_join(mach_port_t port)
{
    mach_port_type_t type = MACH_PORT_TYPE_DEAD_NAME;

    while (mach_port_type(mach_task_self(), port, &type) == KERN_SUCCESS &&
           (type & MACH_PORT_TYPE_SEND) != 0) {
        (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 2);
    }

    (void)mach_port_destroy(mach_task_self(), port);

    for (unsigned int i = 0; i < THREADS_KEPT; i++) {
        if (threads[i].port == port) {
            (void)mach_port_destroy(mach_task_self(), threads[i].tcb->reply);
            mach_tcb_destroy(threads[i].tcb);
            (void)vm_deallocate(mach_task_self(), threads[i].stack, STACK_SIZE);
            threads[i].port = MACH_PORT_NULL;
        }
    }
}

static _Noreturn void
guest_child_start(void (*function)(mach_port_t))
{
    mach_init_child();
    function(bootstrap_port);

    for (;;) {
        (void)task_terminate(mach_task_self());
    }
}

mach_port_t
guest_child(void (*function)(mach_port_t), mach_port_t port,
            mach_port_t *threadp)
{
    mach_port_t task, thread;
    vm_address_t stack;
    kern_return_t kr;

    kr = task_create(mach_task_self(), TRUE, &task);

    if (kr != KERN_SUCCESS) {
        tap_bail("no task: %s", mach_error_string(kr));
    }

    if (port != MACH_PORT_NULL) {
        /* The routine takes the right away: give it one of its own. */
        kr =
            mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_SEND, 1);

        if (kr == KERN_SUCCESS) {
            kr = task_set_special_port(task, TASK_BOOTSTRAP_PORT, port);
        }

        if (kr != KERN_SUCCESS) {
            tap_bail("no bootstrap port: %s", mach_error_string(kr));
        }
    }

    thread = guest_launch(task, (void *)guest_child_start, (uint64_t)function,
                          0, (uint64_t)mach_tcb_self(), &stack);

    if (threadp != NULL) {
        *threadp = thread;
    } else {
        (void)mach_port_deallocate(mach_task_self(), thread);
    }

    return task;
}
