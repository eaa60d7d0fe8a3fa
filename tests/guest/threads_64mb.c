/* SPDX-License-Identifier: MIT */
/*
 * Ten thousand threads that wait for messages, in a machine with 64 MB: what
 * each costs the kernel, that all are woken, and that nothing stays behind.
 * A thread has a quarter of a kilobyte of user memory: it enters the message
 * trap directly, and counts itself when it comes out.
 */

#include "tap.h"

#define SELF mach_task_self()
#define THREADS 10000
#define SLICE 256u
#define COST_MAX 1536 /* bytes of kernel memory for a waiting thread */

/* What a thread has: the buffer of its message, and its stack above. */
union slice {
    mach_msg_header_t message;
    uint64_t words[SLICE / 8];
};

static union slice slices[THREADS] __attribute__((aligned(PAGE_SIZE)));
static mach_port_t threads[THREADS];
static volatile uint32_t woken;

/* mach_msg_trap returns here, in each thread: it counts, and sleeps until it
 * is terminated. */
void threads_woken(void);
extern volatile uint32_t *threads_counter;
volatile uint32_t *threads_counter = &woken;

__asm__("        .text\n"
        "threads_woken:\n"
        "        movq    threads_counter(%rip), %rax\n"
        "        lock incl (%rax)\n"
        "1:      xorl    %edi, %edi\n"
        "        movl    $2, %esi\n" /* SWITCH_OPTION_WAIT */
        "        movl    $1000000, %edx\n"
        "        movq    $-61, %rax\n" /* thread_switch */
        "        syscall\n"
        "        jmp     1b\n");

static bool
thread_start(int number, mach_port_t port)
{
    union slice *slice = &slices[number];
    uint64_t *top = &slice->words[SLICE / 8 - 1];
    x86_thread_state64_t state = {
        .rip = (uint64_t)mach_msg_trap,
        .rsp = (uint64_t)top,
        .rdi = (uint64_t)&slice->message,
        .rsi = MACH_RCV_MSG,
        .rdx = 64ul << 32, /* room */
        .rcx = port,
    };

    *top = (uint64_t)threads_woken;
    return thread_create(SELF, &threads[number]) == KERN_SUCCESS &&
           thread_set_state(threads[number], x86_THREAD_STATE64,
                            (thread_state_t)&state,
                            x86_THREAD_STATE64_COUNT) == KERN_SUCCESS &&
           thread_resume(threads[number]) == KERN_SUCCESS;
}

static bool
send_one(mach_port_t port)
{
    mach_msg_header_t head = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
        .msgh_remote_port = port,
    };

    return mach_msg(&head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, sizeof(head), 0,
                    0, 0, 0) == MACH_MSG_SUCCESS;
}

static void
wait_until_woken(uint32_t count)
{
    for (int i = 0; i < 1000 && woken < count; i++) {
        (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 10);
    }
}

static void
cost(const struct guest_counts *before)
{
    struct guest_counts now;
    uint64_t bytes;

    guest_counts_get(&now);
    is(now.counts.threads - before->counts.threads, THREADS, "all are there");
    is(now.counts.stacks, before->counts.stacks, "none keeps a kernel stack");
    bytes = (now.counts.kernel_pages - before->counts.kernel_pages) *
            PAGE_SIZE / THREADS;
    ok(bytes <= COST_MAX, "a waiting thread costs the kernel %lu bytes", bytes);
}

/* Start them, wake them, end them. */
static void
many_receivers(void)
{
    mach_port_t port = guest_port();
    struct guest_counts before;
    bool good = true;

    woken = 0;
    guest_counts_get(&before);

    for (int i = 0; i < THREADS; i++) {
        good = good && thread_start(i, port);
    }

    ok(good, "%d threads receive", THREADS);
    cost(&before);
    is(woken, 0, "and wait");

    for (int i = 0; i < THREADS / 2; i++) {
        good = good && send_one(port);
    }

    wait_until_woken(THREADS / 2);
    is(woken, THREADS / 2, "half of them have a message");
    is(slices[0].message.msgh_local_port, port, "the first");
    is(slices[THREADS / 2 - 1].message.msgh_local_port, port, "to the last");
    is(slices[THREADS / 2].message.msgh_local_port, 0,
       "in the order in which "
       "they came");

    for (int i = THREADS / 2; i < THREADS; i++) {
        good = good && send_one(port);
    }

    wait_until_woken(THREADS);
    is(woken, THREADS, "all have");
    ok(good, "no message was refused");

    for (int i = 0; i < THREADS; i++) {
        good = good && thread_terminate(threads[i]) == KERN_SUCCESS;
    }

    for (int i = 0; i < THREADS; i++) {
        good = good && mach_port_deallocate(SELF, threads[i]) == KERN_SUCCESS;
        slices[i].message.msgh_local_port = MACH_PORT_NULL;
    }

    ok(good, "they end");
    (void)mach_port_destroy(SELF, port);
}

void
guest_main(void)
{
    struct guest_counts before;

    many_receivers();
    guest_counts_get(&before);
    many_receivers();
    guest_counts_check(&before, "ten thousand threads");
}
