/* SPDX-License-Identifier: MIT */
/*
 * Random traps and malformed messages from tasks that hold nothing but their
 * own ports.  Each is ended or gets errors; the kernel goes on, and keeps
 * nothing of them.
 */

#include "tap.h"

#define PATIENCE_MS 1500
#define TRAPS 300
#define MESSAGES 1500

struct message {
    mach_msg_header_t head;
    uint32_t words[250];
};

static uint64_t seed = 0x9e3779b97f4a7c15;
static long trap_number;

static uint64_t
fuzz_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static const uint64_t wild_values[] = {
    0,
    1,
    8,
    0xfff,
    0x1000,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    0x100000000,
    0x7ffffffff000,
    0x7fffffffffff,
    0x800000000000,
    0x7fffffffffffffff,
    0x8000000000000000,
    0xffff800000000000,
    0xffffffff80000000,
    0xffffffff80100000,
    0xfffffffffffff000,
    0xfffffffffffffff8,
    0xffffffffffffffff,
};

#define WILD_COUNT (sizeof(wild_values) / sizeof(wild_values[0]))

/* A name of this task's space, or one that might be. */
static mach_port_t
fuzz_port(void)
{
    uint64_t random = fuzz_random();

    switch (random % 6) {
    case 0:
        return mach_task_self_trap();
    case 1:
        return mach_thread_self();
    case 2:
        return mach_host_self_trap();
    case 3:
        return mach_reply_port();
    default:
        return MACH_PORT_MAKE(random >> 8 & 31, random >> 16 & 3);
    }
}

static long
fuzz_argument(void)
{
    static char area[16384];
    uint64_t random = fuzz_random();

    switch (random % 7) {
    case 0:
    case 1:
        return (long)wild_values[(random >> 8) % WILD_COUNT];
    case 2:
        return (long)&area[random >> 8 & 0x3fff];
    case 3:
        return (long)(random >> 8 & 0xffff);
    case 4:
        return (long)fuzz_port();
    case 5:
        return (long)((random >> 8 & 0xffff) << 32 | (random >> 24 & 0xffff));
    default:
        return (long)random;
    }
}

static void
fuzz_traps(mach_port_t port)
{
    (void)port;

    for (int i = 0; i < TRAPS; i++) {
        (void)guest_trap(trap_number, fuzz_argument(), fuzz_argument(),
                         fuzz_argument(), fuzz_argument(), fuzz_argument(),
                         fuzz_argument());
    }
}

/* A header that is mostly right, and a body that is anything. */
static void
fuzz_message(struct message *message)
{
    static const mach_msg_id_t bases[] = { 64,   200,  2401,      2900,
                                           2980, 3200, 3400,      3600,
                                           3800, 4900, 0x7fffff9c };
    uint64_t random = fuzz_random();
    uint32_t *words = (uint32_t *)message;

    for (unsigned int i = 0; i < sizeof(*message) / 4; i++) {
        words[i] = (uint32_t)fuzz_random();

        if ((words[i] & 7) < 4) {
            words[i] &= 0xff;
        }
    }

    message->head.msgh_bits =
        random % 4 == 0 ? (uint32_t)fuzz_random()
                        : MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
                                         MACH_MSG_TYPE_MAKE_SEND_ONCE) |
                              (uint32_t)(random & MACH_MSGH_BITS_COMPLEX);
    message->head.msgh_remote_port = fuzz_port();
    message->head.msgh_local_port =
        random % 3 == 0 ? fuzz_port() : MACH_PORT_NULL;
    message->head.msgh_voucher_port = random % 9 == 0 ? (uint32_t)random : 0;
    message->head.msgh_id =
        bases[(random >> 16) % (sizeof(bases) / sizeof(bases[0]))] +
        (mach_msg_id_t)(random >> 32 & 63);
}

static void
fuzz_messages(mach_port_t port)
{
    static struct message message;

    (void)port;

    for (int i = 0; i < MESSAGES; i++) {
        mach_msg_option_t option = MACH_SEND_MSG | MACH_SEND_TIMEOUT;
        uint64_t random = fuzz_random();
        uint64_t size =
            random % 8 == 0 ? random >> 8 & 0xffff : random >> 8 & 0x3fc;

        fuzz_message(&message);

        if (random % 3 == 0) {
            option |= MACH_RCV_MSG | MACH_RCV_TIMEOUT;
        }

        (void)mach_msg_trap(&message.head, option,
                            size | (uint64_t)sizeof(message) << 32, fuzz_port(),
                            1, NULL);
    }
}

/* Wait until the child is gone, or end it: some traps wait for ever. */
static void
fuzz_end(mach_port_t task)
{
    mach_port_t port = guest_port();
    mach_port_type_t type = 0;
    mach_msg_header_t head;

    for (int ms = 0; ms < PATIENCE_MS; ms += 5) {
        if (mach_port_type(mach_task_self(), task, &type) != KERN_SUCCESS ||
            (type & MACH_PORT_TYPE_DEAD_NAME) != 0) {
            break;
        }

        (void)mach_msg(&head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(head),
                       port, 5, 0);
    }

    (void)task_terminate(task);
    (void)mach_port_deallocate(mach_task_self(), task);
    (void)mach_port_destroy(mach_task_self(), port);
}

static void
fuzz_child(void (*function)(mach_port_t))
{
    /* The child begins with a copy of the seed; the next one differs. */
    fuzz_end(guest_child(function, MACH_PORT_NULL, NULL));
    (void)fuzz_random();
}

/* Whether the kernel still does the usual for this task. */
static bool
fuzz_kernel_lives(void)
{
    vm_address_t address;
    mach_port_t port = guest_port();
    bool good;

    good = vm_allocate(mach_task_self(), &address, PAGE_SIZE,
                       VM_FLAGS_ANYWHERE) == KERN_SUCCESS;

    if (good) {
        *(volatile int *)address = 1;
        good =
            vm_deallocate(mach_task_self(), address, PAGE_SIZE) == KERN_SUCCESS;
    }

    return mach_port_destroy(mach_task_self(), port) == KERN_SUCCESS && good;
}

void
guest_main(void)
{
    struct guest_counts before;

    fuzz_child(fuzz_messages);
    guest_counts_get(&before);

    for (trap_number = -100; trap_number < 4; trap_number++) {
        fuzz_child(fuzz_traps);
        ok(fuzz_kernel_lives(), "random calls of trap %ld", trap_number);
    }

    trap_number = 0x100000000;
    fuzz_child(fuzz_traps);
    ok(fuzz_kernel_lives(), "random calls of trap %ld", trap_number);

    for (int turn = 0; turn < 40; turn++) {
        fuzz_child(fuzz_messages);
        ok(fuzz_kernel_lives(), "malformed messages, turn %d", turn);
    }

    guest_counts_check(&before, "all of it");
}
