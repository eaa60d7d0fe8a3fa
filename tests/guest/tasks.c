/* SPDX-License-Identifier: MIT */
/* Tasks and threads: task.defs, thread_act.defs, gsync, libmach's threads. */

#include <libmach/sync.h>

#include "tap.h"

#define SELF mach_task_self()
#define ROUNDS 2000

void *memset(void *to, int value, size_t size);

static volatile uint32_t word;
static volatile uint64_t spins;

static void
spin(void *argument)
{
    (void)argument;

    for (;;) {
        spins++;
    }
}

static bool
spins_move(void)
{
    uint64_t before = spins;

    (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 30);
    return spins != before;
}

static void
suspend_resume(void)
{
    mach_port_t thread = guest_thread(spin, NULL);
    thread_basic_info_data_t info;
    mach_msg_type_number_t count = THREAD_BASIC_INFO_COUNT;

    ok(spins_move(), "a thread runs");
    is(thread_suspend(thread), KERN_SUCCESS, "suspend");
    ok(!spins_move(), "it stands");
    is(thread_suspend(thread), KERN_SUCCESS, "suspend again");
    is(thread_resume(thread), KERN_SUCCESS, "resume once");
    ok(!spins_move(), "it still stands");
    is(thread_info(thread, THREAD_BASIC_INFO, (thread_info_t)&info, &count),
       KERN_SUCCESS, "its state");
    is(info.suspend_count, 1, "one suspension");
    is(thread_resume(thread), KERN_SUCCESS, "resume again");
    ok(spins_move(), "it runs");
    is(thread_resume(thread), KERN_FAILURE, "it is not suspended");
    count = 1;
    ok(thread_info(thread, THREAD_BASIC_INFO, (thread_info_t)&info, &count) !=
           KERN_SUCCESS,
       "no room for the answer");
    count = THREAD_BASIC_INFO_COUNT;
    is(thread_info(thread, 99, (thread_info_t)&info, &count),
       KERN_INVALID_ARGUMENT, "no such flavor");
    is(thread_terminate(thread), KERN_SUCCESS, "terminate");
    ok(!spins_move(), "it stands for good");
    is(thread_resume(thread), MACH_SEND_INVALID_DEST, "its port is dead");
    is(mach_port_deallocate(SELF, thread), KERN_SUCCESS, "forget it");
}

static void
state(void)
{
    mach_port_t thread = guest_thread(spin, NULL);
    x86_thread_state64_t regs;
    mach_msg_type_number_t count = x86_THREAD_STATE64_COUNT;

    ok(spins_move(), "a thread runs");
    is(thread_suspend(thread), KERN_SUCCESS, "suspend");
    is(thread_get_state(thread, x86_THREAD_STATE64, (thread_state_t)&regs,
                        &count),
       KERN_SUCCESS, "its registers");
    is(count, x86_THREAD_STATE64_COUNT, "all of them");
    ok(regs.rip != 0 && regs.rsp != 0, "rip 0x%lx", regs.rip);

    regs.rflags |= 0x3000 | 0x40000; /* IOPL, AC */
    is(thread_set_state(thread, x86_THREAD_STATE64, (thread_state_t)&regs,
                        count),
       KERN_SUCCESS, "flags that are not the user's");
    is(thread_get_state(thread, x86_THREAD_STATE64, (thread_state_t)&regs,
                        &count),
       KERN_SUCCESS, "read back");
    is(regs.rflags & 0x3000, 0, "no I/O privilege came of it");

    regs.rip = 0x8000000000000000;
    ok(thread_set_state(thread, x86_THREAD_STATE64, (thread_state_t)&regs,
                        count) != KERN_SUCCESS,
       "rip must be canonical");
    regs.rip = 0xffffffff80000000;
    ok(thread_set_state(thread, x86_THREAD_STATE64, (thread_state_t)&regs,
                        count) != KERN_SUCCESS,
       "and the user's");
    is(thread_get_state(thread, x86_THREAD_STATE64, (thread_state_t)&regs,
                        &count),
       KERN_SUCCESS, "get");
    regs.fs_base = 0x8000000000000000;
    ok(thread_set_state(thread, x86_THREAD_STATE64, (thread_state_t)&regs,
                        count) != KERN_SUCCESS,
       "fs must be canonical");
    is(thread_set_state(thread, x86_THREAD_STATE64, (thread_state_t)&regs, 3),
       KERN_INVALID_ARGUMENT, "too short a state");
    is(thread_set_state(thread, 77, (thread_state_t)&regs, count),
       KERN_INVALID_ARGUMENT, "no such flavor");
    is(thread_resume(thread), KERN_SUCCESS, "resume");
    is(thread_terminate(thread), KERN_SUCCESS, "terminate");
    (void)mach_port_deallocate(SELF, thread);
}

/* -- gsync ----------------------------------------------------------------- */

static void
wake_later(void *argument)
{
    (void)argument;
    (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 20);
    word = 1;
    (void)gsync_wake(SELF, (uint32_t *)&word, 0, GSYNC_BROADCAST);
}

static void
gsync(void)
{
    mach_port_t thread;

    word = 0;
    is(gsync_wait(SELF, &word, 7, 0, 0), KERN_INVALID_ARGUMENT,
       "the word has another value");
    is(gsync_wait(SELF, &word, 0, 20, GSYNC_TIMED), KERN_OPERATION_TIMED_OUT,
       "nobody wakes");
    thread = guest_thread(wake_later, NULL);
    is(gsync_wait(SELF, &word, 0, 5000, GSYNC_TIMED), KERN_SUCCESS, "woken");
    is(word, 1, "by the other thread");
    is(gsync_wake(SELF, (uint32_t *)&word, 9, GSYNC_MUTATE), KERN_SUCCESS,
       "wake nobody, but store");
    is(word, 9, "the value");
    ok(gsync_wait(SELF, (uint32_t *)3, 0, 0, 0) != KERN_SUCCESS,
       "a word that is not aligned");
    ok(gsync_wait(SELF, (uint32_t *)0x1000, 0, 0, 0) != KERN_SUCCESS,
       "or not mapped");
    ok(gsync_wait(SELF, (uint32_t *)0xffff800000000000, 0, 0, 0) !=
           KERN_SUCCESS,
       "or the kernel's");
    ok(gsync_wake(SELF, (uint32_t *)0xffff800000000000, 1, GSYNC_MUTATE) !=
           KERN_SUCCESS,
       "nor is it written");
    (void)mach_port_deallocate(SELF, thread);
}

static struct mach_mutex mutex = MACH_MUTEX_INIT;
static struct mach_condition condition = MACH_CONDITION_INIT;
static unsigned long counter;
static unsigned int turn;

static void *
count_up(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        mach_mutex_lock(&mutex);
        counter++;

        if (i % 16 == 0) {
            (void)swtch_pri(0);
        }

        mach_mutex_unlock(&mutex);
    }

    return argument;
}

static void *
take_turns(void *argument)
{
    unsigned int me = (unsigned int)(uintptr_t)argument;

    mach_mutex_lock(&mutex);

    for (int i = 0; i < 200; i++) {
        while (turn != me) {
            mach_condition_wait(&condition, &mutex);
        }

        turn = (turn + 1) % 3;
        mach_condition_broadcast(&condition);
    }

    mach_mutex_unlock(&mutex);
    return NULL;
}

static void
libmach_threads(void)
{
    struct mach_thread *threads[3];
    void *result = NULL;

    counter = 0;

    for (uintptr_t i = 0; i < 3; i++) {
        is(mach_thread_create(count_up, (void *)(i + 100), 0, &threads[i]),
           KERN_SUCCESS, "a thread");
    }

    for (uintptr_t i = 0; i < 3; i++) {
        mach_thread_join(threads[i], &result);
        is(result, i + 100, "its result");
    }

    is(counter, 3 * ROUNDS, "a mutex excludes");
    turn = 0;

    for (uintptr_t i = 0; i < 3; i++) {
        (void)mach_thread_create(take_turns, (void *)i, 0, &threads[i]);
    }

    for (int i = 0; i < 3; i++) {
        mach_thread_join(threads[i], NULL);
    }

    is(turn, 0, "a condition lets them take turns");
    mach_mutex_lock(&mutex);
    ok(!mach_condition_timedwait(&condition, &mutex, 20), "nobody signals");
    mach_mutex_unlock(&mutex);
}

/* -- Tasks ----------------------------------------------------------------- */

static int inherited;

static void
child(mach_port_t port)
{
    mach_msg_header_t head = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
        .msgh_size = sizeof(head),
        .msgh_remote_port = port,
        .msgh_id = inherited,
    };

    inherited = 1;
    (void)mach_msg(&head, MACH_SEND_MSG, sizeof(head), 0, 0, 0, 0);
}

static void
tasks(void)
{
    struct {
        mach_msg_header_t head;
        mach_msg_trailer_t trailer;
    } m;
    mach_port_t port = guest_port(), task, notify = guest_port(), previous;
    task_basic_info_data_t info;
    mach_msg_type_number_t count = TASK_BASIC_INFO_COUNT;

    inherited = 77;
    task = guest_child(child, port, NULL);
    is(mach_port_request_notification(SELF, task, MACH_NOTIFY_DEAD_NAME, 1,
                                      notify, MACH_MSG_TYPE_MAKE_SEND_ONCE,
                                      &previous),
       KERN_SUCCESS, "ask for its death");
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m), port,
                5000, 0),
       MACH_MSG_SUCCESS, "a child with our memory");
    is(m.head.msgh_id, 77, "has our data");
    is(inherited, 77, "and writes to its own");
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT | MACH_RCV_LARGE, 0, 0,
                notify, 5000, 0),
       MACH_RCV_TOO_LARGE, "its death is told");
    (void)mach_port_destroy(SELF, notify);
    (void)mach_port_destroy(SELF, port);
    is(task_info(task, TASK_BASIC_INFO, (task_info_t)&info, &count),
       MACH_SEND_INVALID_DEST, "its port is dead");
    (void)mach_port_destroy(SELF, task);
    is(task_info(SELF, TASK_BASIC_INFO, (task_info_t)&info, &count),
       KERN_SUCCESS, "our own");
    ok(info.virtual_size != 0 && info.thread_count >= 1, "memory, threads");
    is(task_info(SELF, 99, (task_info_t)&info, &count), KERN_INVALID_ARGUMENT,
       "no such flavor");
}

static void
spin_child(mach_port_t port)
{
    (void)port;

    for (;;) {
    }
}

static void
task_control(void)
{
    mach_port_t task, thread, special, *threads;
    mach_msg_type_number_t count;

    task = guest_child(spin_child, MACH_PORT_NULL, &thread);
    is(task_threads(task, &threads, &count), KERN_SUCCESS, "its threads");
    is(count, 1, "one");
    is(threads[0], thread, "which we know");
    (void)mach_port_deallocate(SELF, threads[0]);
    mig_deallocate((vm_address_t)threads, sizeof(*threads));
    is(task_suspend(task), KERN_SUCCESS, "suspend the task");
    is(task_resume(task), KERN_SUCCESS, "resume it");
    is(task_resume(task), KERN_FAILURE, "it is not suspended");
    is(task_get_special_port(task, TASK_KERNEL_PORT, &special), KERN_SUCCESS,
       "its own port");
    is(special, task, "is the task's");
    (void)mach_port_deallocate(SELF, special);
    is(task_get_special_port(task, 99, &special), KERN_INVALID_ARGUMENT,
       "no such port");
    is(task_priority(task, THREAD_PRIORITY_USER, TRUE), KERN_SUCCESS,
       "a user's priority");
    ok(task_priority(task, THREAD_PRIORITY_MAX + 1, TRUE) != KERN_SUCCESS,
       "too high a priority");
    is(task_terminate(task), KERN_SUCCESS, "terminate");
    is(task_terminate(task), MACH_SEND_INVALID_DEST, "it is gone");
    is(thread_resume(thread), KERN_TERMINATED, "its thread is ending");
    (void)mach_port_deallocate(SELF, task);
    (void)mach_port_deallocate(SELF, thread);
    is(task_suspend(guest_host_priv), KERN_INVALID_ARGUMENT,
       "what is no task is refused");
}

static void
many_tasks(void)
{
    mach_port_t port = guest_port();
    struct {
        mach_msg_header_t head;
        mach_msg_trailer_t trailer;
    } m;
    bool good = true;

    for (int i = 0; i < 200; i++) {
        mach_port_t task;

        inherited = i;
        task = guest_child(child, port, NULL);
        good = good &&
               mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), port, 0, 0) ==
                   MACH_MSG_SUCCESS &&
               m.head.msgh_id == i;
        (void)mach_port_deallocate(SELF, task);
    }

    ok(good, "two hundred tasks, one after the other");
    (void)mach_port_destroy(SELF, port);
}

/* Tasks without threads that nobody can name: the count at the end tells
 * whether they are gone. */
static void
forgotten_tasks(void)
{
    boolean_t good = TRUE;

    for (int i = 0; i < 100; i++) {
        mach_port_t task = MACH_PORT_NULL;

        good = good && task_create(SELF, FALSE, &task) == KERN_SUCCESS &&
               mach_port_deallocate(SELF, task) == KERN_SUCCESS;
    }

    ok(good, "a hundred tasks, made and forgotten");
}

void
guest_main(void)
{
    struct guest_counts before;

    suspend_resume();
    state();
    gsync();
    tap_diag("libmach's threads");
    libmach_threads();
    guest_counts_get(&before);
    libmach_threads();
    guest_counts_check(&before, "libmach's threads");
    tap_diag("tasks");
    tasks();
    task_control();
    many_tasks();
    forgotten_tasks();
    guest_counts_get(&before);
    tasks();
    task_control();
    many_tasks();
    forgotten_tasks();
    guest_counts_check(&before, "tasks");
}
