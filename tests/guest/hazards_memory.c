/* SPDX-License-Identifier: MIT */
/* Hazards of memory in messages, and of exceptions: rows 21, 25 and 26. */

#include <mach/exc_server.h>

#include "hazards.h"

#define CHURN_DEFAULT 20000
#define CHURN_SIZE (2 * PAGE_SIZE)

/* -- 21: receive after receive ---------------------------------------------- */

static bool
churn_turn(mach_port_t port, vm_address_t memory, uint32_t turn)
{
    volatile uint32_t *words = (volatile uint32_t *)memory;
    const volatile uint32_t *got;
    bool good;

    words[0] = turn;
    words[CHURN_SIZE / 4 - 1] = ~turn;
    prepare_memory(port, memory, CHURN_SIZE);

    if (hazard_send(MEMORY_SIZE) != MACH_MSG_SUCCESS ||
        hazard_receive(port) != MACH_MSG_SUCCESS ||
        m.memory.size != CHURN_SIZE) {
        return false;
    }

    got = (const volatile uint32_t *)m.memory.address;
    good = got[0] == turn && got[CHURN_SIZE / 4 - 1] == ~turn &&
           got[PAGE_SIZE / 4] == 0x600d600d;
    return vm_deallocate(SELF, m.memory.address, CHURN_SIZE) == KERN_SUCCESS &&
           good;
}

/* churn=1000000 on the kernel's command line for a longer one. */
static void
test_churn(void)
{
    uint32_t turns = (uint32_t)guest_argument("churn", CHURN_DEFAULT);
    mach_port_t port = guest_port();
    vm_address_t memory;
    uint32_t turn = 0;

    is(vm_allocate(SELF, &memory, CHURN_SIZE, VM_FLAGS_ANYWHERE), KERN_SUCCESS,
       "hazard 21: two pages");
    *(volatile uint32_t *)(memory + PAGE_SIZE) = 0x600d600d;

    while (turn < turns && churn_turn(port, memory, turn)) {
        turn++;
    }

    is(turn, turns, "hazard 21: arrive as they are, each time");
    is(vm_deallocate(SELF, memory, CHURN_SIZE), KERN_SUCCESS,
       "hazard 21: done");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 21: with them");
}

/* -- 25: ranges ------------------------------------------------------------- */

static const uint64_t bad_addresses[] = {
    VM_MAX_ADDRESS - 8, VM_MAX_ADDRESS,     0x7ffffffffff8,
    0x800000000000,     0xffff7ffffffffff0, 0xffff800000000000,
    0xffff800000100000, 0xffffffff80100000, 0xfffffffffffffff0,
};

#define BAD_COUNT (sizeof(bad_addresses) / sizeof(bad_addresses[0]))

static void
test_message_ranges(void)
{
    mach_port_t port = guest_port();
    unsigned int taken = 0;

    for (unsigned int i = 0; i < BAD_COUNT; i++) {
        mach_msg_header_t *bad = (mach_msg_header_t *)bad_addresses[i];

        taken += mach_msg(bad, MACH_SEND_MSG, 64, 0, 0, 0, 0) !=
                 MACH_SEND_INVALID_DATA;
        prepare(port, MACH_MSG_TYPE_COPY_SEND);
        (void)hazard_send(64);
        taken += mach_msg(bad, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m),
                          port, 0, 0) != MACH_RCV_INVALID_DATA;
    }

    is(taken, 0, "hazard 25: no message out of or into what is not the user's");
    taken = 0;

    for (unsigned int i = 0; i < BAD_COUNT; i++) {
        prepare_memory(port, bad_addresses[i], PAGE_SIZE);
        taken += hazard_send(MEMORY_SIZE) != MACH_SEND_INVALID_MEMORY;
        prepare_memory(port, bad_addresses[i], UINT32_MAX);
        taken += hazard_send(MEMORY_SIZE) != MACH_SEND_INVALID_MEMORY;
        prepare_memory(port, bad_addresses[i], 0);
        m.ports.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;
        m.ports.disposition = MACH_MSG_TYPE_COPY_SEND;
        m.ports.count = 64;
        taken += hazard_send(MEMORY_SIZE) != MACH_SEND_INVALID_MEMORY;
    }

    is(taken, 0, "hazard 25: nor memory of it in a message");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 25: done");
}

static void
test_memory_ranges(void)
{
    unsigned int taken = 0;
    uint64_t word;

    for (unsigned int i = 0; i < BAD_COUNT; i++) {
        vm_address_t bad = bad_addresses[i];
        vm_address_t page = bad & ~(vm_address_t)PAGE_MASK;
        vm_address_t where = page;
        vm_address_t data = 0;
        mach_msg_type_number_t count = 0;
        vm_size_t size = 0;

        taken += vm_allocate(SELF, &where, 2 * PAGE_SIZE, VM_FLAGS_FIXED) ==
                 KERN_SUCCESS;
        taken += vm_protect(SELF, page, 2 * PAGE_SIZE, FALSE, VM_PROT_READ) ==
                 KERN_SUCCESS;
        taken += vm_read(SELF, bad, 64, &data, &count) == KERN_SUCCESS;
        taken += vm_write(SELF, bad, (vm_address_t)&word, sizeof(word)) ==
                 KERN_SUCCESS;
        taken +=
            vm_copy(SELF, page, PAGE_SIZE, (vm_address_t)&m) == KERN_SUCCESS;
        taken += syscall_vm_read_overwrite(SELF, bad, sizeof(word),
                                           (vm_address_t)&word,
                                           &size) == KERN_SUCCESS;
        taken +=
            syscall_vm_read_overwrite(SELF, (vm_address_t)&word, sizeof(word),
                                      bad, &size) == KERN_SUCCESS;
        taken += syscall_vm_write(SELF, (vm_address_t)&word, bad,
                                  sizeof(word)) == KERN_SUCCESS;
        taken += syscall_vm_write(SELF, bad, (vm_address_t)&word,
                                  sizeof(word)) == KERN_SUCCESS;
        taken += vm_deallocate(SELF, 0x600000000000, bad_addresses[i]) ==
                 KERN_SUCCESS;
    }

    is(taken, 0, "hazard 25: no routine takes a range that is not the user's");
}

/* -- 26: what a handler is told --------------------------------------------- */

static struct {
    unsigned int count;
    exception_type_t type[4];
    int64_t code[4][EXCEPTION_CODE_MAX];
    uint64_t address[4]; /* exception state */
    uint64_t error[4];
} told;

static void
fault_third(void)
{
    __asm__ volatile("int3");
}

static void
fault_second(void)
{
    __asm__ volatile("ud2");
}

static void
fault_first(void *unused)
{
    (void)unused;
    *(volatile int *)0x123456789000 = 1;
}

kern_return_t
catch_exception_raise(mach_port_t exception_port, mach_port_t thread,
                      mach_port_t task, exception_type_t exception,
                      mach_exception_data_t code,
                      mach_msg_type_number_t codeCnt)
{
    mach_msg_type_number_t count = x86_THREAD_STATE64_COUNT;
    void (*const next[])(void) = { fault_second, fault_third, NULL };
    x86_exception_state64_t state = { 0 };
    x86_thread_state64_t registers;
    unsigned int i = told.count;

    (void)exception_port;
    told.type[i] = exception;

    for (unsigned int c = 0; c < EXCEPTION_CODE_MAX; c++) {
        told.code[i][c] = c < codeCnt ? code[c] : 0;
    }

    (void)thread_suspend(thread);
    (void)thread_get_state(thread, x86_THREAD_STATE64,
                           (thread_state_t)&registers, &count);
    count = x86_EXCEPTION_STATE64_COUNT;
    (void)thread_get_state(thread, x86_EXCEPTION_STATE64,
                           (thread_state_t)&state, &count);
    told.address[i] = state.faultvaddr;
    told.error[i] = state.err;
    told.count++;

    if (next[i] == NULL) {
        (void)thread_terminate(thread);
    } else {
        registers.rip = (uint64_t)(uintptr_t)next[i];
        (void)thread_set_state(thread, x86_THREAD_STATE64,
                               (thread_state_t)&registers,
                               x86_THREAD_STATE64_COUNT);
        (void)thread_resume(thread);
    }

    (void)mach_port_deallocate(SELF, thread);
    (void)mach_port_deallocate(SELF, task);
    return KERN_SUCCESS;
}

kern_return_t
catch_exception_raise_state(
    mach_port_t exception_port, exception_type_t exception,
    mach_exception_data_t code, mach_msg_type_number_t codeCnt,
    thread_state_flavor_t flavor, thread_state_t old_state,
    mach_msg_type_number_t old_stateCnt, thread_state_t new_state,
    mach_msg_type_number_t *new_stateCnt)
{
    (void)exception_port;
    (void)exception;
    (void)code;
    (void)codeCnt;
    (void)flavor;
    (void)old_state;
    (void)old_stateCnt;
    (void)new_state;
    (void)new_stateCnt;
    return KERN_FAILURE;
}

kern_return_t
catch_exception_raise_state_identity(
    mach_port_t exception_port, mach_port_t thread, mach_port_t task,
    exception_type_t exception, mach_exception_data_t code,
    mach_msg_type_number_t codeCnt, thread_state_flavor_t flavor,
    thread_state_t old_state, mach_msg_type_number_t old_stateCnt,
    thread_state_t new_state, mach_msg_type_number_t *new_stateCnt)
{
    (void)thread;
    (void)task;
    return catch_exception_raise_state(exception_port, exception, code, codeCnt,
                                       flavor, old_state, old_stateCnt,
                                       new_state, new_stateCnt);
}

/* One thread, one fault after the other: nothing of the first is told of
 * those that have no such thing. */
static void
test_exception_codes(void)
{
    mach_port_t handler = guest_port();
    mach_port_t thread = guest_thread(fault_first, NULL);

    (void)thread_suspend(thread);
    memset(&told, 0, sizeof(told));
    is(thread_set_exception_ports(thread, EXC_MASK_ALL, handler,
                                  EXCEPTION_DEFAULT, x86_THREAD_STATE64),
       KERN_SUCCESS, "hazard 26: a handler");
    (void)thread_resume(thread);

    for (unsigned int i = 0; i < 3; i++) {
        is(mach_msg_server_once(exc_server, 1024, handler, 0, 0),
           MACH_MSG_SUCCESS, "hazard 26: is told of fault %u", i);
    }

    is(told.count, 3, "hazard 26: three faults");
    is(told.type[0], EXC_BAD_ACCESS, "hazard 26: a bad access");
    is(told.code[0][1], 0x123456789000, "hazard 26: its address");
    is(told.type[1], EXC_BAD_INSTRUCTION, "hazard 26: a bad instruction");
    is(told.code[1][0], EXC_X86_INVOP, "hazard 26: its code");
    is(told.code[1][1], 0, "hazard 26: and no other");
    is(told.address[1], 0, "hazard 26: it has no address");
    is(told.error[1], 0, "hazard 26: and no error code");
    is(told.type[2], EXC_BREAKPOINT, "hazard 26: a breakpoint");
    is(told.code[2][1], 0, "hazard 26: has no second code");
    is(told.address[2], 0, "hazard 26: nor an address");
    guest_thread_join(thread);
    is(mach_port_destroy(SELF, handler), KERN_SUCCESS, "hazard 26: done");
}

const struct hazard hazards_memory[] = {
    { 21, "out-of-line receives", test_churn },
    { 25, "ranges of messages", test_message_ranges },
    { 25, "ranges of memory", test_memory_ranges },
    { 26, "what a handler is told", test_exception_codes },
    { 0, NULL, NULL },
};
