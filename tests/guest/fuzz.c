/* SPDX-License-Identifier: MIT */
/*
 * Random and mutated calls, round after round: a round is a few tasks that
 * know each other's ports, each with a few threads that make the calls. They
 * hold nothing but what is theirs; whatever they do, the kernel goes on, ends
 * them when told to, and keeps nothing of them.
 *
 * Words of the kernel's command line: fuzz.calls=N, fuzz.seed=N; to repeat
 * one round alone fuzz.round=N, with fewer calls fuzz.quota=N, and fuzz.trace=1
 * to have each said.
 */

#include "fuzz.h"

#include <stdatomic.h>

#define DEFAULT_CALLS 100000
#define DEFAULT_SEED 1
#define ROUND_CALLS 10000
#define EXCEPTION_RAISE_ID 2401
#define REPORTS 10       /* tests of one run */
#define LOOK_MS 20       /* between two looks at a round */
#define STILL_LOOKS 5    /* kicks without effect that end a round */
#define SETTLE_LOOKS 400 /* looks at the counts before it is a leak */
#define MEMORY_MAX (64ul << 20)
#define RIGHTS_MAX 1000

static struct fuzz_round round_page
    __attribute__((aligned(4096), section(".data.round")));
static char round_page_end[PAGE_SIZE - sizeof(round_page)]
    __attribute__((section(".data.round"), used));

static struct fuzz_caller callers[FUZZ_CALLERS_MAX + 1]; /* and a server */
static mach_port_t player_tasks[FUZZ_PLAYERS_MAX];
static mach_port_t notify_port;

/* -- In a player ------------------------------------------------------------ */

mach_port_t fuzz_exception_port;

static unsigned int player_number;

/* Calls until the round has had its share. */
static void
fuzz_caller_run(void *argument)
{
    struct fuzz_caller *caller = argument;

    for (;;) {
        caller->call = atomic_fetch_add(&round_page.next, 1);

        if (caller->call >= round_page.quota) {
            break;
        }

        fuzz_call(caller, &round_page);

        if (fuzz_once_in(caller, 64)) {
            mach_task_self_ = mach_task_self_trap();
        }
    }
}

/* Its own exceptions: an unknown trap is passed over, a thread that does
 * anything worse ends. */
static void
fuzz_exceptions_run(void *argument)
{
    struct {
        mach_msg_base_t base;
        mach_msg_port_descriptor_t thread, task;
        exception_type_t exception;
        char rest[256];
    } request;
    mach_msg_header_t *head = &request.base.header;
    mig_reply_error_t reply = { 0 };
    mach_msg_return_t mr;

    (void)argument;

    for (;;) {
        mr = mach_msg_trap(head, MACH_RCV_MSG, (uint64_t)sizeof(request) << 32,
                           fuzz_exception_port, 0, NULL);

        if (mr == MACH_RCV_INTERRUPTED) {
            continue;
        } else if (mr != MACH_MSG_SUCCESS) {
            break;
        }

        if (head->msgh_id == EXCEPTION_RAISE_ID &&
            request.exception != EXC_SYSCALL) {
            (void)thread_terminate(request.thread.name);
        }

        reply.Head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
        reply.Head.msgh_size = sizeof(reply);
        reply.Head.msgh_remote_port = head->msgh_remote_port;
        reply.Head.msgh_id = head->msgh_id + 100;
        reply.RetCode = KERN_SUCCESS;
        head->msgh_remote_port = MACH_PORT_NULL;
        mach_msg_destroy(head);
        (void)mach_msg_trap(&reply.Head, MACH_SEND_MSG, sizeof(reply), 0, 0,
                            NULL);
    }
}

static void
fuzz_player_run(mach_port_t unused)
{
    (void)unused;
    fuzz_values_setup(&round_page);
    fuzz_exception_port = guest_port();
    (void)task_set_exception_ports(mach_task_self(), EXC_MASK_ALL,
                                   fuzz_exception_port, EXCEPTION_DEFAULT,
                                   x86_THREAD_STATE64);
    (void)guest_thread(fuzz_exceptions_run, NULL);

    for (unsigned int i = 0; i <= round_page.caller_count; i++) {
        callers[i].random =
            round_page.seed ^ (player_number * 16 + i + 1) * 0x9e3779b97f4a7c15;
        callers[i].player = player_number;
        callers[i].number = i;
        callers[i].reply_port = mach_reply_port();
    }

    (void)guest_thread(fuzz_server_run, &callers[round_page.caller_count]);

    for (unsigned int i = 1; i < round_page.caller_count; i++) {
        (void)guest_thread(fuzz_caller_run, &callers[i]);
    }

    fuzz_caller_run(&callers[0]);

    /* The others may still be at their last calls. */
    for (;;) {
        (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 1000);
    }
}

/* -- A round ---------------------------------------------------------------- */

static uint64_t
fuzz_mix(uint64_t value)
{
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return (value ^ value >> 31) | 1;
}

/* Each player has the receive right of one port, and all the send rights;
 * in some rounds they have each other's tasks as well. */
static void
fuzz_introduce(void)
{
    unsigned int count = round_page.player_count;
    bool tasks = round_page.seed >> 40 & 1;

    for (unsigned int i = 0; i < count; i++) {
        mach_port_t port = guest_port();

        for (unsigned int j = 0; j < count; j++) {
            (void)mach_port_insert_right(player_tasks[j], FUZZ_PLAYER_PORT(i),
                                         port, MACH_MSG_TYPE_COPY_SEND);

            if (tasks) {
                (void)mach_port_insert_right(
                    player_tasks[j], FUZZ_PLAYER_TASK(i), player_tasks[i],
                    MACH_MSG_TYPE_COPY_SEND);
            }
        }

        (void)mach_port_insert_right(player_tasks[i], FUZZ_PLAYER_PORT(i), port,
                                     MACH_MSG_TYPE_MOVE_RECEIVE);
        (void)mach_port_deallocate(mach_task_self(), port);
    }
}

static void
fuzz_start_players(void)
{
    mach_port_t old;

    for (unsigned int i = 0; i < round_page.player_count; i++) {
        player_number = i;
        player_tasks[i] = guest_child(fuzz_player_run, MACH_PORT_NULL, NULL);
        (void)task_suspend(player_tasks[i]);

        if (round_page.trace) {
            guest_let_print(player_tasks[i]);
        }

        (void)task_set_limits(player_tasks[i], MEMORY_MAX, RIGHTS_MAX);
        (void)mach_port_request_notification(
            mach_task_self(), player_tasks[i], MACH_NOTIFY_DEAD_NAME, 1,
            notify_port, MACH_MSG_TYPE_MAKE_SEND_ONCE, &old);
    }

    fuzz_introduce();

    for (unsigned int i = 0; i < round_page.player_count; i++) {
        (void)task_resume(player_tasks[i]);
    }
}

static bool
fuzz_player_lives(mach_port_t task)
{
    mach_port_type_t type = 0;

    return mach_port_type(mach_task_self(), task, &type) == KERN_SUCCESS &&
           (type & MACH_PORT_TYPE_SEND) != 0;
}

/* Whoever waits or was suspended goes on. Returns whether somebody is left. */
static bool
fuzz_kick(void)
{
    thread_array_t threads;
    mach_msg_type_number_t count;
    unsigned int total = 0;

    for (unsigned int i = 0; i < round_page.player_count; i++) {
        if (!fuzz_player_lives(player_tasks[i]) ||
            task_threads(player_tasks[i], &threads, &count) != KERN_SUCCESS) {
            continue;
        }

        while (task_resume(player_tasks[i]) == KERN_SUCCESS) {
            continue;
        }

        for (unsigned int t = 0; t < count; t++) {
            while (thread_resume(threads[t]) == KERN_SUCCESS) {
                continue;
            }

            (void)thread_abort(threads[t]);
            (void)mach_port_deallocate(mach_task_self(), threads[t]);
        }

        total += count;
        mig_deallocate((vm_address_t)threads, count * sizeof(*threads));
    }

    return total != 0;
}

/* Until the round has had its calls or nobody is left to make them. */
static void
fuzz_watch(void)
{
    mach_msg_option_t option = MACH_RCV_MSG | MACH_RCV_TIMEOUT;
    uint64_t last = 0;
    unsigned int still = 0;
    struct {
        mach_msg_header_t head;
        char rest[64];
    } message;

    while (round_page.next < round_page.quota && still < STILL_LOOKS) {
        (void)mach_msg(&message.head, option, 0, sizeof(message), notify_port,
                       LOOK_MS, MACH_PORT_NULL);

        if (round_page.next != last) {
            last = round_page.next;
            still = 0;
        } else if (fuzz_kick()) {
            still++;
        } else {
            break;
        }
    }
}

static void
fuzz_end_players(void)
{
    for (unsigned int i = 0; i < round_page.player_count; i++) {
        mach_port_urefs_t refs = 0;

        (void)task_terminate(player_tasks[i]);
        (void)mach_port_get_refs(mach_task_self(), player_tasks[i],
                                 MACH_PORT_RIGHT_DEAD_NAME, &refs);
        (void)mach_port_destroy(mach_task_self(), player_tasks[i]);
    }
}

/* Returns the calls made. */
static uint64_t
fuzz_round_run(uint64_t seed, uint64_t number, uint64_t quota, bool trace)
{
    tap_diag("replay: fuzz.seed=%lu fuzz.round=%lu fuzz.trace=1", seed, number);
    round_page.number = number;
    round_page.seed = fuzz_mix(seed * 0x100000001b3 + number);
    round_page.quota = quota;
    round_page.next = 0;
    round_page.wrong = 0;
    round_page.player_count = 1 + round_page.seed % FUZZ_PLAYERS_MAX;
    round_page.caller_count = 1 + (round_page.seed >> 8) % FUZZ_CALLERS_MAX;
    round_page.trace = trace;
    fuzz_start_players();
    fuzz_watch();
    fuzz_end_players();

    if (round_page.wrong != 0) {
        ok(false, "round %lu: call %lu gets its answer", number,
           round_page.wrong - 1);
    }

    return round_page.next < quota ? round_page.next : quota;
}

/* -- All of it -------------------------------------------------------------- */

/* The dead-name notifications of a round are of no use any more. */
static void
fuzz_drain(void)
{
    struct {
        mach_msg_header_t head;
        char rest[64];
    } message;

    while (mach_msg(&message.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
                    sizeof(message), notify_port, 0,
                    MACH_PORT_NULL) == MACH_MSG_SUCCESS) {
        mach_msg_destroy(&message.head);
    }
}

static void
fuzz_setup(void)
{
    vm_address_t page = (vm_address_t)&round_page;

    (void)round_page_end;

    if (vm_inherit(mach_task_self(), page, PAGE_SIZE, VM_INHERIT_SHARE) !=
        KERN_SUCCESS) {
        tap_bail("the page of the round can't be shared");
    }

    notify_port = guest_port();
}

/* Rounds until there were `calls` calls; false at the first that is wrong. */
static bool
fuzz_rounds(uint64_t seed, uint64_t *numberp, uint64_t calls,
            const struct guest_counts *before)
{
    uint64_t total = 0;

    while (total < calls) {
        uint64_t number = *numberp;
        total += fuzz_round_run(seed, number, ROUND_CALLS, false);
        fuzz_drain();

        if (!guest_counts_settle(before, SETTLE_LOOKS)) {
            ok(false, "round %lu of seed %lu leaves nothing", number, seed);
            return false;
        }

        (*numberp)++;
    }

    return true;
}

static void
fuzz_replay(uint64_t seed, uint64_t number)
{
    struct guest_counts before;

    guest_counts_get(&before);
    tap_diag("%lu calls",
             fuzz_round_run(seed, number,
                            guest_argument("fuzz.quota", ROUND_CALLS),
                            guest_argument("fuzz.trace", 0) != 0));
    fuzz_drain();
    ok(guest_counts_settle(&before, SETTLE_LOOKS), "it leaves nothing");
}

void
guest_main(void)
{
    uint64_t calls = guest_argument("fuzz.calls", DEFAULT_CALLS);
    uint64_t seed = guest_argument("fuzz.seed", DEFAULT_SEED);
    uint64_t only = guest_argument("fuzz.round", UINT64_MAX);
    uint64_t number = 1;
    struct guest_counts before;

    fuzz_setup();
    tap_diag("%lu calls, seed %lu", calls, seed);
    tap_diag("look: %p 4: round, its seed, its quota, the next call",
             (void *)&round_page);

    /* The first makes what is made only once. */
    (void)fuzz_round_run(seed, 0, ROUND_CALLS / 10, false);
    fuzz_drain();

    if (only != UINT64_MAX) {
        fuzz_replay(seed, only);
        return;
    }

    guest_counts_get(&before);

    for (unsigned int part = 1; part <= REPORTS; part++) {
        uint64_t first = number;

        if (!fuzz_rounds(seed, &number, calls / REPORTS, &before)) {
            return;
        }

        ok(true, "%lu calls: rounds %lu to %lu", calls / REPORTS, first,
           number - 1);
    }

    ok(guest_counts_settle(&before, SETTLE_LOOKS), "all of it leaves nothing");
}
