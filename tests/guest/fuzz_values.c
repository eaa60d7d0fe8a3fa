/* SPDX-License-Identifier: MIT */
/* Values for the fuzzer: mostly of the right kind, often at a boundary. */

#include "fuzz.h"

#include <mach/gsync.h>

#define SEEN_MAX 64
#define AREA_SIZE 65536

static mach_port_name_t seen[SEEN_MAX];
static char area[AREA_SIZE] __attribute__((aligned(4096)));

static const uint64_t wild_values[] = {
    0,
    1,
    4,
    8,
    0xfff,
    0x1000,
    0x7fff,
    0x10000,
    0x7fffffff,
    0x80000000,
    0xffffff00,
    0xffffffff,
    0x100000000,
    0x7fffffffe000,
    0x7ffffffff000,
    0x7ffffffffff8,
    0x7fffffffffff,
    0x800000000000,
    0x7fffffffffffffff,
    0x8000000000000000,
    0xffff7fffffffffff,
    0xffff800000000000,
    0xffff800000100000,
    0xffffffff80000000,
    0xffffffff80100000,
    0xfffffffffffff000,
    0xfffffffffffffff8,
    0xffffffffffffffff,
};

#define WILD_COUNT (sizeof(wild_values) / sizeof(wild_values[0]))

uint64_t
fuzz_random(struct fuzz_caller *caller)
{
    uint64_t random = caller->random;

    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    caller->random = random;
    return random * 0x2545f4914f6cdd1d;
}

bool
fuzz_once_in(struct fuzz_caller *caller, unsigned int n)
{
    return (fuzz_random(caller) >> 32) % n == 0;
}

static uint64_t
fuzz_wild(struct fuzz_caller *caller)
{
    uint64_t random = fuzz_random(caller);

    switch (random % 4) {
    case 0:
        return fuzz_random(caller);
    case 1:
        return random >> 8 & 0xffff;
    default:
        return wild_values[(random >> 8) % WILD_COUNT] +
               ((random >> 24) % 8 == 0 ? (random >> 32) % 64 - 32 : 0);
    }
}

void
fuzz_name_seen(struct fuzz_caller *caller, mach_port_name_t name)
{
    if (MACH_PORT_VALID(name)) {
        seen[(fuzz_random(caller) >> 16) % SEEN_MAX] = name;
    }
}

static mach_port_name_t
fuzz_name(struct fuzz_caller *caller)
{
    uint64_t random = fuzz_random(caller);
    mach_port_name_t name = seen[(random >> 8) % SEEN_MAX];

    switch (random % 16) {
    case 0:
        return MACH_PORT_MAKE(1 + (random >> 8) % 48, (random >> 16) % 4);
    case 1:
        return name + (uint32_t)(random >> 16) % 8;
    case 2:
        return (random >> 8) % 4 == 0   ? MACH_PORT_NULL
               : (random >> 8) % 4 == 1 ? MACH_PORT_DEAD
                                        : (mach_port_name_t)fuzz_wild(caller);
    case 3:
        return caller->reply_port;
    case 4:
        return FUZZ_PLAYER_PORT((random >> 8) % FUZZ_PLAYERS_MAX);
    default:
        return name;
    }
}

static mach_port_name_t
fuzz_task(struct fuzz_caller *caller)
{
    uint64_t random = fuzz_random(caller);

    switch (random % 8) {
    case 0:
        return fuzz_name(caller);
    case 1:
        return FUZZ_PLAYER_TASK((random >> 8) % FUZZ_PLAYERS_MAX);
    default:
        return mach_task_self();
    }
}

/* Seldom where this program itself is: it would soon be gone. */
static uint64_t
fuzz_address(struct fuzz_caller *caller)
{
    uint64_t random = fuzz_random(caller);
    uint64_t offset = (random >> 8) % FUZZ_GROUND_SIZE;

    switch (random % 16) {
    case 0:
        return fuzz_wild(caller);
    case 1:
        return (uint64_t)&area[offset % AREA_SIZE];
    case 2:
        return FUZZ_GROUND_START + offset;
    case 3:
        return FUZZ_GROUND_START + FUZZ_GROUND_SIZE - (offset & 0x1fff);
    default:
        return FUZZ_GROUND_START + (offset & ~(uint64_t)PAGE_MASK) % 0x40000;
    }
}

static uint64_t
fuzz_size(struct fuzz_caller *caller)
{
    uint64_t random = fuzz_random(caller);

    switch (random % 32) {
    case 0:
        return fuzz_wild(caller);
    case 1:
        return 0;
    case 2:
    case 3:
        return (random >> 8) % 0x100000;
    case 4:
        return -((random >> 8) % 0x4000);
    default:
        return ((random >> 8) % 8 + 1) * PAGE_SIZE;
    }
}

static uint64_t
fuzz_pointer(struct fuzz_caller *caller)
{
    uint64_t random = fuzz_random(caller);

    switch (random % 16) {
    case 0:
        return fuzz_wild(caller);
    case 1:
        return fuzz_address(caller);
    case 2:
        return (uint64_t)&area[PAGE_SIZE - random % 64];
    default:
        return (uint64_t)&area[(random >> 8) % (AREA_SIZE - 256) & ~7ul];
    }
}

/* In the caller's scratch memory: what the trap reads, and writes to. */
static uint64_t
fuzz_vm_map_arguments(struct fuzz_caller *caller)
{
    struct mach_vm_map_args *args = (void *)caller->scratch;

    *args = (struct mach_vm_map_args){
        .address = fuzz_address(caller),
        .size = fuzz_size(caller),
        .mask = fuzz_once_in(caller, 4) ? fuzz_size(caller) : 0,
        .offset = fuzz_once_in(caller, 2) ? fuzz_size(caller) : 0,
        .target_task = fuzz_task(caller),
        .flags = (uint32_t)fuzz_value(caller, FUZZ_SMALL),
        .object = fuzz_once_in(caller, 2) ? fuzz_name(caller) : MACH_PORT_NULL,
        .copy = (uint32_t)fuzz_value(caller, FUZZ_BOOLEAN),
        .cur_protection = (uint32_t)fuzz_value(caller, FUZZ_PROTECTION),
        .max_protection = (uint32_t)fuzz_value(caller, FUZZ_PROTECTION),
        .inheritance = (uint32_t)fuzz_value(caller, FUZZ_SMALL) % 4,
        .reserved = fuzz_once_in(caller, 32) ? 1 : 0,
    };
    return (uint64_t)args;
}

static uint64_t
fuzz_small(struct fuzz_caller *caller)
{
    uint64_t random = fuzz_random(caller);

    return random % 16 == 0 ? fuzz_wild(caller)
                            : (random >> 8) % ((random & 16) != 0 ? 256 : 8);
}

static uint64_t
fuzz_notification(struct fuzz_caller *caller)
{
    return fuzz_once_in(caller, 8)
               ? fuzz_wild(caller)
               : MACH_NOTIFY_FIRST + (fuzz_random(caller) >> 8) % 12;
}

/* A count of user references now and then near its limit. */
static uint64_t
fuzz_delta(struct fuzz_caller *caller)
{
    uint64_t random = fuzz_random(caller);

    return random % 8 == 0 ? fuzz_wild(caller) : (random >> 8) % 5 - 2;
}

static uint64_t
fuzz_pointed(struct fuzz_caller *caller, enum fuzz_source source)
{
    switch (source) {
    case FUZZ_POINTER:
        return fuzz_pointer(caller);
    case FUZZ_ADDRESS_POINTER:
        caller->scratch[0] = fuzz_address(caller);
        return fuzz_once_in(caller, 16) ? fuzz_pointer(caller)
                                        : (uint64_t)caller->scratch;
    case FUZZ_VM_MAP_ARGUMENTS:
        return fuzz_once_in(caller, 16) ? fuzz_pointer(caller)
                                        : fuzz_vm_map_arguments(caller);
    case FUZZ_WORD:
        return fuzz_once_in(caller, 8)
                   ? fuzz_pointer(caller)
                   : (uint64_t)&area[fuzz_random(caller) % 4 * 4];
    default:
        return 0;
    }
}

uint64_t
fuzz_value(struct fuzz_caller *caller, enum fuzz_source source)
{
    uint64_t random = fuzz_random(caller);

    if (random % 32 == 0) {
        return fuzz_wild(caller);
    }

    random >>= 8;

    switch (source) {
    case FUZZ_WILD:
        return fuzz_wild(caller);
    case FUZZ_BOOLEAN:
        return random % 2;
    case FUZZ_NAME:
    case FUZZ_PORT:
        return fuzz_name(caller);
    case FUZZ_TASK:
        return fuzz_task(caller);
    case FUZZ_RIGHT:
        return random % (MACH_PORT_RIGHT_NUMBER + 1);
    case FUZZ_DISPOSITION:
        return MACH_MSG_TYPE_MOVE_RECEIVE + random % 6;
    case FUZZ_DELTA:
        return fuzz_delta(caller);
    case FUZZ_NOTIFICATION:
        return fuzz_notification(caller);
    case FUZZ_ADDRESS:
        return fuzz_address(caller);
    case FUZZ_SIZE:
        return fuzz_size(caller);
    case FUZZ_PROTECTION:
        return random % 4 == 0 ? random >> 8 & 7 : 3;
    case FUZZ_MASK:
        return random & 0xff;
    case FUZZ_SYNC_FLAGS:
        return (random & 0x1f) | GSYNC_TIMED;
    case FUZZ_TIME:
        return random % 3;
    case FUZZ_SMALL:
    case FUZZ_ARRAY:
        return fuzz_small(caller);
    default:
        return fuzz_pointed(caller, source);
    }
}

void
fuzz_values_setup(const struct fuzz_round *round)
{
    vm_address_t ground = FUZZ_GROUND_START;

    (void)syscall_vm_allocate(mach_task_self(), &ground, FUZZ_GROUND_SIZE / 2,
                              VM_FLAGS_FIXED);

    for (unsigned int i = 0; i < SEEN_MAX; i++) {
        mach_port_name_t name = MACH_PORT_NULL;

        switch (i % 8) {
        case 0:
            name = mach_task_self_trap();
            break;
        case 1:
            name = mach_thread_self();
            break;
        case 2:
            name = mach_host_self_trap();
            break;
        case 3:
            name = FUZZ_PLAYER_PORT(i / 8 % round->player_count);
            break;
        default:
            (void)syscall_mach_port_allocate(
                mach_task_self(),
                i % 8 == 7 ? MACH_PORT_RIGHT_PORT_SET : MACH_PORT_RIGHT_RECEIVE,
                &name);
            (void)syscall_mach_port_insert_right(mach_task_self(), name, name,
                                                 MACH_MSG_TYPE_MAKE_SEND);
            break;
        }

        seen[i] = name;
    }
}
