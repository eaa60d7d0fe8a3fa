/* SPDX-License-Identifier: MIT */
/* The fuzzer's calls: traps, of which mach_msg has its own file. */

#include "fuzz.h"

#define TIDY_PERIOD 256

struct fuzz_trap {
    int number;
    enum fuzz_source arguments[6];
};

static const struct fuzz_trap fuzz_traps[] = {
    { MACH_TRAP_NULL, { FUZZ_NONE } },
    { MACH_TRAP_VM_ALLOCATE,
      { FUZZ_TASK, FUZZ_ADDRESS_POINTER, FUZZ_SIZE, FUZZ_SMALL } },
    { MACH_TRAP_VM_DEALLOCATE, { FUZZ_TASK, FUZZ_ADDRESS, FUZZ_SIZE } },
    { MACH_TRAP_VM_PROTECT,
      { FUZZ_TASK, FUZZ_ADDRESS, FUZZ_SIZE, FUZZ_BOOLEAN, FUZZ_PROTECTION } },
    { MACH_TRAP_VM_MAP, { FUZZ_VM_MAP_ARGUMENTS } },
    { MACH_TRAP_PORT_ALLOCATE, { FUZZ_TASK, FUZZ_RIGHT, FUZZ_POINTER } },
    { MACH_TRAP_PORT_DESTROY, { FUZZ_TASK, FUZZ_NAME } },
    { MACH_TRAP_PORT_DEALLOCATE, { FUZZ_TASK, FUZZ_NAME } },
    { MACH_TRAP_PORT_MOD_REFS,
      { FUZZ_TASK, FUZZ_NAME, FUZZ_RIGHT, FUZZ_DELTA } },
    { MACH_TRAP_PORT_INSERT_RIGHT,
      { FUZZ_TASK, FUZZ_NAME, FUZZ_NAME, FUZZ_DISPOSITION } },
    { MACH_TRAP_REPLY_PORT, { FUZZ_NONE } },
    { MACH_TRAP_THREAD_SELF, { FUZZ_NONE } },
    { MACH_TRAP_TASK_SELF, { FUZZ_NONE } },
    { MACH_TRAP_HOST_SELF, { FUZZ_NONE } },
    { MACH_TRAP_VM_READ_OVERWRITE,
      { FUZZ_TASK, FUZZ_ADDRESS, FUZZ_SIZE, FUZZ_ADDRESS, FUZZ_POINTER } },
    { MACH_TRAP_VM_WRITE,
      { FUZZ_TASK, FUZZ_ADDRESS, FUZZ_ADDRESS, FUZZ_SIZE } },
    { MACH_TRAP_SWTCH_PRI, { FUZZ_SMALL } },
    { MACH_TRAP_SWTCH, { FUZZ_NONE } },
    { MACH_TRAP_THREAD_SWITCH, { FUZZ_NAME, FUZZ_BOOLEAN, FUZZ_TIME } },
    { MACH_TRAP_THREAD_SWITCH, { FUZZ_NAME, FUZZ_RIGHT, FUZZ_TIME } },
    { MACH_TRAP_GSYNC_WAIT,
      { FUZZ_TASK, FUZZ_WORD, FUZZ_BOOLEAN, FUZZ_TIME, FUZZ_SYNC_FLAGS } },
    { MACH_TRAP_GSYNC_WAKE,
      { FUZZ_TASK, FUZZ_WORD, FUZZ_BOOLEAN, FUZZ_SYNC_FLAGS } },
    { MACH_TRAP_MSG,
      { FUZZ_POINTER, FUZZ_WILD, FUZZ_WILD, FUZZ_NAME, FUZZ_TIME,
        FUZZ_POINTER } },
};

#define TRAP_COUNT (sizeof(fuzz_traps) / sizeof(fuzz_traps[0]))

/* Any number, known or not, but what would take the caller's own data away. */
static int
fuzz_trap_number(struct fuzz_caller *caller)
{
    int number;

    do {
        number = -(int)(fuzz_random(caller) >> 8) % 130;
    } while (number == MACH_TRAP_THREAD_SET_TLS);

    return number;
}

static void
fuzz_trap_call(struct fuzz_caller *caller, const struct fuzz_round *round,
               bool any)
{
    const struct fuzz_trap *trap =
        &fuzz_traps[(fuzz_random(caller) >> 8) % TRAP_COUNT];
    int number = any ? fuzz_trap_number(caller) : trap->number;
    long arguments[6];
    long result;

    for (unsigned int i = 0; i < 6; i++) {
        arguments[i] =
            (long)fuzz_value(caller, any ? FUZZ_WILD : trap->arguments[i]);
    }

    if (round->trace) {
        tap_diag("call %lu: trap %d (%lx, %lx, %lx, %lx, %lx, %lx)",
                 caller->call, number, arguments[0], arguments[1], arguments[2],
                 arguments[3], arguments[4], arguments[5]);
    }

    result = guest_trap(number, arguments[0], arguments[1], arguments[2],
                        arguments[3], arguments[4], arguments[5]);

    if (number == MACH_TRAP_REPLY_PORT) {
        fuzz_name_seen(caller, (mach_port_name_t)result);
    }
}

/* A new object of the right kind, which the other calls will find. */
static void
fuzz_make_call(struct fuzz_caller *caller)
{
    uint64_t random = fuzz_random(caller);
    mach_port_name_t name = MACH_PORT_NULL;

    if (random % 8 == 0) {
        fuzz_name_seen(caller, random % 16 == 0 ? mach_task_self_trap()
                                                : mach_thread_self());
        return;
    }

    (void)syscall_mach_port_allocate(mach_task_self(),
                                     random % 8 == 1 ? MACH_PORT_RIGHT_PORT_SET
                                                     : MACH_PORT_RIGHT_RECEIVE,
                                     &name);

    if (random % 8 > 2) {
        (void)syscall_mach_port_insert_right(mach_task_self(), name, name,
                                             MACH_MSG_TYPE_MAKE_SEND);
    }

    fuzz_name_seen(caller, name);
}

void
fuzz_call(struct fuzz_caller *caller, struct fuzz_round *round)
{
    uint64_t random = fuzz_random(caller) >> 8;

    if (caller->call % TIDY_PERIOD == 0) {
        fuzz_tidy(caller);
    } else if (random % 1024 == 0) {
        fuzz_trap_call(caller, round, true);
    } else if (random % 16 < 4) {
        fuzz_trap_call(caller, round, false);
    } else if (random % 16 == 4) {
        fuzz_make_call(caller);
    } else if (random % 16 < 8) {
        fuzz_rpc_call(caller, round);
    } else {
        fuzz_message_call(caller, round);
    }
}
