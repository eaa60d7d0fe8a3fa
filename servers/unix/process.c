/* SPDX-License-Identifier: MIT */
/*
 * The table of processes, and what each has of Mach: a task, a port, a page.
 * Fork, exec and exit are in files of their own.
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <mach/mach.h>

#include "descriptor.h"
#include "host.h"
#include "payload.h"
#include "process.h"
#include "signal_delivery.h"
#include "vnode.h"

#define PROCESSES_MAX 1024
#define PROCESSES_FOR_ROOT 16
#define SHARED_FREE_MAX 16

static struct process *processes[UNIX_PID_MAX + 1];
static uint32_t process_count;
static uint32_t process_generation;
static int process_last_pid;
static mach_port_t process_port_set;
static struct shared_page *shared_free;
static uint32_t shared_free_count;
static struct list process_doomed_list = { &process_doomed_list,
                                           &process_doomed_list };
static struct list process_unwanted_list = { &process_unwanted_list,
                                             &process_unwanted_list };

struct process *process_init;

void
process_setup(mach_port_t port_set)
{
    process_port_set = port_set;
}

/* -- The table ------------------------------------------------------------- */

struct process *
process_lookup(int pid)
{
    return pid > 0 && pid <= UNIX_PID_MAX ? processes[pid] : NULL;
}

struct process *
process_lookup_payload(uint64_t payload)
{
    struct process *process = process_lookup(payload_index(payload));

    if (process == NULL || process->state == PROCESS_ZOMBIE ||
        process->generation != payload_generation(payload)) {
        return NULL;
    }

    return process;
}

void
process_for_each(void (*function)(struct process *process, void *argument),
                 void *argument)
{
    int pid;

    for (pid = 1; pid <= UNIX_PID_MAX; pid++) {
        if (processes[pid] != NULL) {
            function(processes[pid], argument);
        }
    }
}

/* A number that is neither a process's nor a group's; 0: there is none. */
static int
process_choose_pid(void)
{
    int tries;

    for (tries = 0; tries < UNIX_PID_MAX; tries++) {
        process_last_pid = process_last_pid % UNIX_PID_MAX + 1;

        if (processes[process_last_pid] == NULL &&
            group_lookup(process_last_pid) == NULL) {
            return process_last_pid;
        }
    }

    return 0;
}

/* -- Pages ----------------------------------------------------------------- */

/* Map memory into the server: null if that fails. */
static void *
shared_page_map(mach_port_t entry)
{
    struct mach_vm_map_args args;

    memset(&args, 0, sizeof(args));
    args.size = PAGE_SIZE;
    args.target_task = mach_task_self();
    args.flags = VM_FLAGS_ANYWHERE;
    args.object = entry;
    args.cur_protection = VM_PROT_DEFAULT;
    args.max_protection = VM_PROT_DEFAULT;
    args.inheritance = VM_INHERIT_NONE;

    return syscall_vm_map(&args) == KERN_SUCCESS ? (void *)args.address : NULL;
}

static struct shared_page *
shared_page_create(void)
{
    struct shared_page *shared = shared_free;
    vm_size_t size = PAGE_SIZE;

    if (shared != NULL) {
        shared_free = shared->next;
        shared_free_count--;
        memset(shared->page, 0, PAGE_SIZE);
        return shared;
    }

    shared = malloc(sizeof(*shared));

    if (shared == NULL) {
        return NULL;
    }

    if (mach_make_memory_entry(
            mach_task_self(), &size, 0, MAP_MEM_NAMED_CREATE | VM_PROT_DEFAULT,
            &shared->entry, MACH_PORT_NULL) != KERN_SUCCESS) {
        free(shared);
        return NULL;
    }

    shared->page = shared_page_map(shared->entry);

    if (shared->page == NULL) {
        (void)syscall_mach_port_deallocate(mach_task_self(), shared->entry);
        free(shared);
        return NULL;
    }

    return shared;
}

/* Some pages stay mapped for the next processes. */
static void
shared_page_destroy(struct shared_page *shared)
{
    if (shared_free_count < SHARED_FREE_MAX) {
        shared->next = shared_free;
        shared_free = shared;
        shared_free_count++;
        return;
    }

    (void)syscall_vm_deallocate(mach_task_self(), (vm_address_t)shared->page,
                                PAGE_SIZE);
    (void)syscall_mach_port_deallocate(mach_task_self(), shared->entry);
    free(shared);
}

void
process_publish(struct process *process)
{
    struct unix_process_page *page = process->shared->page;

    page->sequence++;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    page->version = UNIX_ABI_VERSION;
    page->pid = process->pid;
    page->ppid = process->parent != NULL ? process->parent->pid : 0;
    page->pgid = process->group->pgid;
    page->sid = process->group->session->sid;
    page->uid = process->cred.uid;
    page->euid = process->cred.euid;
    page->suid = process->cred.suid;
    page->gid = process->cred.gid;
    page->egid = process->cred.egid;
    page->sgid = process->cred.sgid;
    page->umask = process->umask;
    page->slots = UNIX_THREAD_SLOTS;
    page->slot[0].thread = 1;
    page->slot[0].mask = process->signals.mask;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    page->sequence++;
}

/* -- Ports and tasks ------------------------------------------------------- */

int
process_create_port(struct process *process, mach_port_t *portp)
{
    mach_port_t self = mach_task_self();
    mach_port_t port;
    kern_return_t kr;

    kr = syscall_mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, &port);

    if (kr != KERN_SUCCESS) {
        return error_from_kernel(kr);
    }

    kr = mach_port_set_protected_payload(
        self, port,
        payload_make(PAYLOAD_PROCESS, process->generation, process->pid));

    if (kr == KERN_SUCCESS) {
        kr = mach_port_move_member(self, port, process_port_set);
    }

    if (kr == KERN_SUCCESS) {
        kr = syscall_mach_port_insert_right(self, port, port,
                                            MACH_MSG_TYPE_MAKE_SEND);
    }

    if (kr != KERN_SUCCESS) {
        process_destroy_port(port);
        return error_from_kernel(kr);
    }

    *portp = port;
    return 0;
}

void
process_destroy_port(mach_port_t port)
{
    if (MACH_PORT_VALID(port)) {
        (void)syscall_mach_port_destroy(mach_task_self(), port);
    }
}

static kern_return_t
process_map_page(struct process *process, mach_port_t task)
{
    vm_address_t address = UNIX_PROCESS_PAGE;

    return vm_map(task, &address, PAGE_SIZE, 0, VM_FLAGS_FIXED,
                  process->shared->entry, 0, FALSE, VM_PROT_READ, VM_PROT_READ,
                  VM_INHERIT_NONE);
}

int
process_identify(struct process *process, mach_port_t task,
                 const struct credentials *cred)
{
    security_token_t security = { { cred->euid, cred->egid } };
    audit_token_t audit = {
        { cred->uid, cred->euid, cred->egid, cred->uid, cred->gid,
          (uint32_t)process->pid, (uint32_t)process->group->session->sid,
          (uint32_t)process->generation },
    };
    kern_return_t kr;

    kr = host_identify(task, security, audit);
    return kr == KERN_SUCCESS ? 0 : error_from_kernel(kr);
}

void
process_limit_memory(struct process *process, mach_port_t task)
{
    uint64_t limit = process->limits[UNIX_RLIMIT_AS].cur;

    /* 0 would leave the kernel's limit as it is. */
    if (limit != UNIX_RLIM_INFINITY) {
        (void)task_set_limits(task, limit > PAGE_SIZE ? limit : PAGE_SIZE, 0);
    }
}

int
process_bind_task(struct process *process, mach_port_t task, mach_port_t port)
{
    mach_port_t previous = MACH_PORT_NULL;
    kern_return_t kr;

    kr = mach_port_insert_right(task, UNIX_PROCESS_PORT, port,
                                MACH_MSG_TYPE_COPY_SEND);

    if (kr == KERN_SUCCESS) {
        kr = task_set_exception_ports(task, EXC_MASK_ALL, port, EXCEPTION_STATE,
                                      x86_THREAD_STATE64);
    }

    if (kr == KERN_SUCCESS) {
        kr = process_map_page(process, task);
    }

    if (kr == KERN_SUCCESS) {
        process_limit_memory(process, task);
    }

    if (kr == KERN_SUCCESS) {
        /* Whoever ends the task, the process hears of it. */
        kr = mach_port_request_notification(
            mach_task_self(), task, MACH_NOTIFY_DEAD_NAME, 1, port,
            MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
    }

    return kr == KERN_SUCCESS ? 0 : error_from_kernel(kr);
}

void
process_terminate_task(mach_port_t task, mach_port_t thread)
{
    if (MACH_PORT_VALID(task)) {
        (void)task_terminate(task);

        /* All references: the name is dead now, and the notification of that
         * has one, even if it found nobody. */
        (void)syscall_mach_port_destroy(mach_task_self(), task);
    }

    if (MACH_PORT_VALID(thread)) {
        (void)syscall_mach_port_deallocate(mach_task_self(), thread);
    }
}

/* -- Life ------------------------------------------------------------------ */

static void
process_alarm(struct timer *timer)
{
    struct process *process = list_entry(timer, struct process, alarm);

    if (process->alarm_interval != 0) {
        (void)timer_set(timer, clock_uptime() + process->alarm_interval);
    }

    signal_post_kernel(process, UNIX_SIGALRM);
}

static struct process *
process_allocate(void)
{
    struct process *process;
    int pid = process_choose_pid();

    if (pid == 0) {
        return NULL;
    }

    process = calloc(1, sizeof(*process));

    if (process == NULL) {
        return NULL;
    }

    process_generation = (process_generation + 1) & PAYLOAD_GENERATION_MAX;
    process->pid = pid;
    process->generation = process_generation;
    list_init(&process->children);
    list_init(&process->sibling_link);
    list_init(&process->group_link);
    list_init(&process->reap_link);
    list_init(&process->calls);
    wait_queue_init(&process->signaled);
    wait_queue_init(&process->child_changed);
    timer_init(&process->alarm, process_alarm);
    timer_init(&process->retry, signal_retry);
    signal_state_init(&process->signals);
    processes[pid] = process;
    process_count++;
    return process;
}

static void
process_set_limits(struct process *process)
{
    int i;

    for (i = 0; i < UNIX_RLIMITS; i++) {
        process->limits[i].cur = UNIX_RLIM_INFINITY;
        process->limits[i].max = UNIX_RLIM_INFINITY;
    }

    process->limits[UNIX_RLIMIT_STACK].cur = UNIX_STACK_SIZE;
    process->limits[UNIX_RLIMIT_NOFILE].cur = UNIX_OPEN_MAX;
    process->limits[UNIX_RLIMIT_NOFILE].max = UNIX_OPEN_MAX;
    process->limits[UNIX_RLIMIT_CORE].cur = 0;
}

/* What a child has of its parent. */
static int
process_inherit(struct process *process, struct process *parent)
{
    process->cred = parent->cred;
    process->umask = parent->umask;
    process->nice = parent->nice;
    process->trampoline = parent->trampoline;
    memcpy(process->limits, parent->limits, sizeof(process->limits));
    memcpy(process->name, parent->name, sizeof(process->name));
    signal_state_fork(&process->signals, &parent->signals);
    process->root = vnode_ref(parent->root);
    process->cwd = vnode_ref(parent->cwd);

    if (parent->program != NULL) {
        process->program = vnode_ref(parent->program);
        process->program->programs++;
    }

    process->parent = parent;
    list_insert_tail(&parent->children, &process->sibling_link);
    return descriptor_copy_all(process, parent);
}

int
process_create(struct process *parent, struct process **processp)
{
    struct process *process;
    int error;

    if (process_count >= PROCESSES_MAX ||
        (parent != NULL && !credentials_root(&parent->cred) &&
         process_count >= PROCESSES_MAX - PROCESSES_FOR_ROOT)) {
        return EAGAIN;
    }

    process = process_allocate();

    if (process == NULL) {
        return EAGAIN;
    }

    process->shared = shared_page_create();

    if (process->shared == NULL) {
        error = ENOMEM;
    } else if (parent == NULL) {
        process_set_limits(process);
        error = session_create(process);
    } else {
        error = process_inherit(process, parent);

        if (error == 0) {
            group_join(process, parent->group);
        }
    }

    if (error == 0) {
        error = process_create_port(process, &process->port);
    }

    if (error != 0) {
        process_destroy(process);
        return error;
    }

    process_publish(process);
    *processp = process;
    return 0;
}

/* What a zombie does not have. */
static void
process_release(struct process *process)
{
    mach_port_t task = process->task;
    mach_port_t thread = process->thread;

    process->task = MACH_PORT_NULL;
    process->thread = MACH_PORT_NULL;
    timer_cancel(&process->alarm);
    timer_cancel(&process->retry);
    call_destroy_all(process);

    /* The port goes first: nothing that the task's end sends arrives. */
    process_destroy_port(process->port);
    process->port = MACH_PORT_NULL;
    process_terminate_task(task, thread);
    descriptor_close_all(process);
    signal_state_fini(&process->signals);
    vnode_unref(process->root);
    vnode_unref(process->cwd);
    process->root = NULL;
    process->cwd = NULL;

    if (process->program != NULL) {
        process->program->programs--;
        vnode_unref(process->program);
        process->program = NULL;
    }

    if (process->shared != NULL) {
        shared_page_destroy(process->shared);
        process->shared = NULL;
    }
}

void
process_destroy(struct process *process)
{
    process_release(process);
    group_join(process, NULL);
    list_remove(&process->sibling_link);
    list_remove(&process->reap_link);
    processes[process->pid] = NULL;
    process_count--;
    free(process);
}

void
process_walk_context(struct process *process, struct walk_context *context)
{
    context->root = process->root;
    context->start = process->cwd;
    context->cred = &process->cred;
}

/* -- Use of resources ------------------------------------------------------ */

static void
usage_add_time(int64_t *sec, int64_t *usec, int64_t more_sec, int64_t more_usec)
{
    *sec += more_sec;
    *usec += more_usec;

    if (*usec >= 1000000) {
        *usec -= 1000000;
        (*sec)++;
    }
}

void
process_usage_add(struct unix_rusage *sum, const struct unix_rusage *usage)
{
    int i;

    usage_add_time(&sum->utime_sec, &sum->utime_usec, usage->utime_sec,
                   usage->utime_usec);
    usage_add_time(&sum->stime_sec, &sum->stime_usec, usage->stime_sec,
                   usage->stime_usec);

    /* The first is the largest resident size, the others are counts. */
    if (usage->counts[0] > sum->counts[0]) {
        sum->counts[0] = usage->counts[0];
    }

    for (i = 1; i < 14; i++) {
        sum->counts[i] += usage->counts[i];
    }
}

void
process_usage(struct process *process, struct unix_rusage *usage)
{
    struct task_basic_info info;
    mach_msg_type_number_t count = TASK_BASIC_INFO_COUNT;
    struct unix_rusage now;

    *usage = process->usage;

    if (!MACH_PORT_VALID(process->task) ||
        task_info(process->task, TASK_BASIC_INFO, (task_info_t)&info, &count) !=
            KERN_SUCCESS) {
        return;
    }

    memset(&now, 0, sizeof(now));
    now.utime_sec = info.user_time.seconds;
    now.utime_usec = info.user_time.microseconds;
    now.stime_sec = info.system_time.seconds;
    now.stime_usec = info.system_time.microseconds;
    now.counts[0] = (int64_t)(info.resident_size / 1024);
    process_usage_add(usage, &now);
}

/* -- Death ----------------------------------------------------------------- */

void
process_changed(struct process *process)
{
    struct process *parent = process->parent;
    struct signal_info info;

    if (parent == NULL) {
        return;
    }

    memset(&info, 0, sizeof(info));
    info.signo = UNIX_SIGCHLD;
    info.pid = process->pid;
    info.uid = process->cred.uid;

    if (process->state == PROCESS_ZOMBIE) {
        bool exited = (process->status & 0x7f) == 0;

        info.code = exited ? UNIX_CLD_EXITED : UNIX_CLD_KILLED;
        info.status = exited ? process->status >> 8 : process->status & 0x7f;
    } else if (process->state == PROCESS_STOPPED) {
        info.code = UNIX_CLD_STOPPED;
        info.status = process->status;
    } else {
        info.code = UNIX_CLD_CONTINUED;
        info.status = UNIX_SIGCONT;
    }

    wait_queue_wake(&parent->child_changed);

    if (process->state == PROCESS_ZOMBIE ||
        (parent->signals.actions[UNIX_SIGCHLD].flags & UNIX_SA_NOCLDSTOP) ==
            0) {
        signal_post(parent, &info);
    }
}

/* Does the parent not want to know? */
static bool
process_unwanted(const struct process *process)
{
    const struct unix_sigaction *action;

    if (process->parent == NULL) {
        return true;
    }

    action = &process->parent->signals.actions[UNIX_SIGCHLD];
    return action->handler == UNIX_SIG_IGN ||
           (action->flags & UNIX_SA_NOCLDWAIT) != 0;
}

/* A group that has nobody left to continue its stopped members. */
static void
process_check_orphaned(struct group *group)
{
    struct list *link;

    if (!group_orphaned(group)) {
        return;
    }

    list_for_each(&group->members, link)
    {
        struct process *member = list_entry(link, struct process, group_link);

        if (member->state == PROCESS_STOPPED) {
            group_signal(group, UNIX_SIGHUP);
            group_signal(group, UNIX_SIGCONT);
            return;
        }
    }
}

/* Its children become those of number 1. */
static void
process_abandon_children(struct process *process)
{
    while (!list_empty(&process->children)) {
        struct process *child =
            list_first_entry(&process->children, struct process, sibling_link);

        list_remove(&child->sibling_link);
        child->parent = process_init;
        list_insert_tail(&process_init->children, &child->sibling_link);

        if (child->state == PROCESS_ZOMBIE) {
            process_changed(child);
        } else {
            process_publish(child);

            if (child->group != process->group) {
                process_check_orphaned(child->group);
            }
        }
    }
}

void
process_exit(struct process *process, int status)
{
    if (process->state == PROCESS_ZOMBIE) {
        return;
    }

    if (process == process_init) {
        server_panic("init ended with status 0x%x", (unsigned int)status);
    }

    list_remove(&process->reap_link);
    process_usage(process, &process->usage);
    process->state = PROCESS_ZOMBIE;
    process->status = status;
    process->stop_report = false;
    process->continue_report = false;

    if (process->group->session->sid == process->pid) {
        signal_hang_up(process->group->session);
    }

    process_release(process);
    process_abandon_children(process);
    process_check_orphaned(process->group);

    if (process_unwanted(process)) {
        /* Later: somebody may be going through its group. */
        list_insert_tail(&process_unwanted_list, &process->reap_link);
        return;
    }

    process_changed(process);
}

void
process_doom(struct process *process, int status)
{
    if (process->doomed || process->state == PROCESS_ZOMBIE) {
        return;
    }

    process->doomed = true;
    process->status = status;
    list_insert_tail(&process_doomed_list, &process->reap_link);
}

bool
process_reap(void)
{
    bool any = false;

    /* As after almost every request. */
    if (list_empty(&process_doomed_list) &&
        list_empty(&process_unwanted_list)) {
        return false;
    }

    while (!list_empty(&process_doomed_list)) {
        struct process *process =
            list_first_entry(&process_doomed_list, struct process, reap_link);

        list_remove(&process->reap_link);
        process_exit(process, process->status);
        any = true;
    }

    while (!list_empty(&process_unwanted_list)) {
        struct process *process =
            list_first_entry(&process_unwanted_list, struct process, reap_link);
        struct process *parent = process->parent;

        process_destroy(process);
        any = true;

        if (parent != NULL) {
            wait_queue_wake(&parent->child_changed);
        }
    }

    return any;
}
