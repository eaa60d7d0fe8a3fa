/* SPDX-License-Identifier: MIT */
/*
 * What messages cost: every row of `./bench ipc` that needs no Unix server.
 *
 * Rounds of all rows, so that what disturbs the machine disturbs all alike.
 * Then a line for each row, of which tools/bench/bench.py makes the table:
 *
 *     # ipc ROW COUNT counter-median counter-minimum ns-median ns-minimum
 *
 * of batches of COUNT operations. The counter is the time-stamp counter: under
 * QEMU's `-icount shift=0` instructions. Nothing is subtracted; the loop is
 * part of each figure.
 */

#include <mach/clock_page.h>
#include <mach/exc_server.h>
#include <mach/mach_traps.h>
#include <tests/guest/ipc_bench.h>
#include <tests/guest/ipc_bench_server.h>
#include <tools/bench/marks.h>

#include "tap.h"

#define ROUNDS 21
#define COUNT 200
#define WARM 40
#define WAIT_MS 10000
#define MEASURE_MS 120000
#define REQUEST_MAX 2048
#define MEMORY_SIZE (64 * 1024)

/* -- The counter and the clock -------------------------------------------- */

static const volatile struct mach_clock_page *clock_page;

static uint64_t
counter_read(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return low | ((uint64_t)high << 32);
}

/* The page's scale changes with each adjustment, hardly by anything. */
static uint64_t
clock_scale(uint64_t ticks)
{
    return (uint64_t)(((unsigned __int128)ticks * clock_page->mult) >>
                      clock_page->shift);
}

static void
clock_setup(void)
{
    vm_address_t address = 0;
    mach_port_t entry;
    kern_return_t kr;

    kr = host_get_clock_page(mach_host_self(), &entry);

    if (kr == KERN_SUCCESS) {
        kr = vm_map(mach_task_self(), &address, PAGE_SIZE, 0, VM_FLAGS_ANYWHERE,
                    entry, 0, FALSE, VM_PROT_READ, VM_PROT_READ,
                    VM_INHERIT_SHARE);
    }

    if (kr != KERN_SUCCESS) {
        tap_bail("no clock page: %s", mach_error_string(kr));
    }

    clock_page = (const volatile struct mach_clock_page *)address;
}

/* -- The servers ----------------------------------------------------------- */

kern_return_t
do_ipc_bench_int(mach_port_t server, natural_t value, natural_t *same)
{
    (void)server;
    *same = value;
    return KERN_SUCCESS;
}

kern_return_t
do_ipc_bench_kilobyte(mach_port_t server, ipc_bench_kilobyte_t data)
{
    (void)server;
    (void)data;
    return KERN_SUCCESS;
}

kern_return_t
do_ipc_bench_memory(mach_port_t server, pointer_t data,
                    mach_msg_type_number_t count)
{
    (void)server;
    return syscall_vm_deallocate(mach_task_self(), data, count);
}

/* Header and trailer: the smallest message that can be received. */
struct bare {
    mach_msg_header_t head;
    mach_msg_trailer_t trailer;
};

/* Answers without stubs. */
static void
bare_serve(mach_port_t port)
{
    struct bare m;
    mach_msg_return_t mr;

    mr = mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), port, 0, 0);

    while (mr == MACH_MSG_SUCCESS) {
        m.head.msgh_bits =
            MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(m.head.msgh_bits), 0);
        m.head.msgh_size = sizeof(m.head);
        m.head.msgh_local_port = MACH_PORT_NULL;
        mr = mach_msg(&m.head, MACH_SEND_MSG | MACH_RCV_MSG, sizeof(m.head),
                      sizeof(m), port, 0, 0);
    }
}

static void
stub_serve(mach_port_t port)
{
    (void)mach_msg_server(ipc_bench_server, REQUEST_MAX, port, 0);
}

static void
stub_serve_thread(void *argument)
{
    stub_serve(*(const mach_port_t *)argument);
}

/* Send the parent a right to a port of ours; answer what arrives there. */
static void
child_serve(mach_port_t parent, void (*serve)(mach_port_t port))
{
    mach_port_t port = guest_port();
    mach_msg_header_t hello = {
        .msgh_bits =
            MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND),
        .msgh_size = sizeof(hello),
        .msgh_remote_port = parent,
        .msgh_local_port = port,
    };

    if (mach_msg(&hello, MACH_SEND_MSG, sizeof(hello), 0, 0, 0, 0) ==
        MACH_MSG_SUCCESS) {
        serve(port);
    }
}

static void
bare_child(mach_port_t parent)
{
    child_serve(parent, bare_serve);
}

static void
stub_child(mach_port_t parent)
{
    child_serve(parent, stub_serve);
}

static mach_port_t
child_start(void (*function)(mach_port_t parent), mach_port_t *taskp)
{
    mach_port_t port = guest_port();
    struct bare hello;
    mach_msg_return_t mr;

    *taskp = guest_child(function, port, NULL);
    mr = mach_msg(&hello.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
                  sizeof(hello), port, WAIT_MS, 0);

    if (mr != MACH_MSG_SUCCESS) {
        tap_bail("no word from a server: %s", mach_error_string(mr));
    }

    (void)mach_port_destroy(mach_task_self(), port);
    return hello.head.msgh_remote_port;
}

/* -- The rows -------------------------------------------------------------- */

static mach_port_t bare_port, stub_port, thread_port, self_port;
static char kilobyte[1024];
static vm_address_t memory;

/* Resident from here on: nobody writes to it again. */
static void
memory_setup(void)
{
    kern_return_t kr;

    kr = vm_allocate(mach_task_self(), &memory, MEMORY_SIZE, VM_FLAGS_ANYWHERE);

    if (kr != KERN_SUCCESS) {
        tap_bail("no memory: %s", mach_error_string(kr));
    }

    for (vm_size_t at = 0; at < MEMORY_SIZE; at += PAGE_SIZE) {
        *(volatile char *)(memory + at) = 1;
    }
}

static kern_return_t
run_null_trap(unsigned int count)
{
    for (; count != 0; count--) {
        (void)mach_null_trap();
    }

    return KERN_SUCCESS;
}

static kern_return_t
run_rpc_null_bare(unsigned int count)
{
    mach_port_t reply = mig_get_reply_port();
    kern_return_t kr = KERN_SUCCESS;
    struct bare m;

    for (; count != 0 && kr == KERN_SUCCESS; count--) {
        m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
                                          MACH_MSG_TYPE_MAKE_SEND_ONCE);
        m.head.msgh_size = sizeof(m.head);
        m.head.msgh_remote_port = bare_port;
        m.head.msgh_local_port = reply;
        m.head.msgh_voucher_port = 0;
        kr = mach_msg(&m.head, MACH_SEND_MSG | MACH_RCV_MSG, sizeof(m.head),
                      sizeof(m), reply, 0, 0);
    }

    return kr;
}

static kern_return_t
call_int(mach_port_t server, unsigned int count)
{
    kern_return_t kr = KERN_SUCCESS;
    natural_t same;

    for (; count != 0 && kr == KERN_SUCCESS; count--) {
        kr = ipc_bench_int(server, count, &same);
    }

    return kr == KERN_SUCCESS && same != 1 ? KERN_FAILURE : kr;
}

static kern_return_t
run_rpc_null(unsigned int count)
{
    return call_int(stub_port, count);
}

static kern_return_t
run_rpc_null_threads(unsigned int count)
{
    return call_int(thread_port, count);
}

static kern_return_t
run_rpc_1k(unsigned int count)
{
    kern_return_t kr = KERN_SUCCESS;

    for (; count != 0 && kr == KERN_SUCCESS; count--) {
        kr = ipc_bench_kilobyte(stub_port, kilobyte);
    }

    return kr;
}

static kern_return_t
run_rpc_ool_64k(unsigned int count)
{
    kern_return_t kr = KERN_SUCCESS;

    for (; count != 0 && kr == KERN_SUCCESS; count--) {
        kr = ipc_bench_memory(stub_port, memory, MEMORY_SIZE);
    }

    return kr;
}

static kern_return_t
run_msg_self(unsigned int count)
{
    kern_return_t kr = KERN_SUCCESS;
    struct bare m;

    for (; count != 0 && kr == KERN_SUCCESS; count--) {
        m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
        m.head.msgh_size = sizeof(m.head);
        m.head.msgh_remote_port = self_port;
        m.head.msgh_local_port = MACH_PORT_NULL;
        m.head.msgh_voucher_port = 0;
        kr = mach_msg(&m.head, MACH_SEND_MSG | MACH_RCV_MSG, sizeof(m.head),
                      sizeof(m), self_port, 0, 0);
    }

    return kr;
}

static kern_return_t
run_port_allocate_destroy(unsigned int count)
{
    mach_port_t self = mach_task_self();
    kern_return_t kr = KERN_SUCCESS;
    mach_port_name_t name;

    for (; count != 0 && kr == KERN_SUCCESS; count--) {
        kr = syscall_mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, &name);

        if (kr == KERN_SUCCESS) {
            kr = syscall_mach_port_destroy(self, name);
        }
    }

    return kr;
}

static kern_return_t
run_krpc_port_type(unsigned int count)
{
    kern_return_t kr = KERN_SUCCESS;
    mach_port_type_t type;

    for (; count != 0 && kr == KERN_SUCCESS; count--) {
        kr = mach_port_type(mach_task_self(), self_port, &type);
    }

    return kr;
}

/* -- The exception --------------------------------------------------------- */

static mach_port_t exception_port;
static unsigned int exceptions;

kern_return_t
catch_exception_raise(mach_port_t port, mach_port_t thread, mach_port_t task,
                      exception_type_t exception, mach_exception_data_t code,
                      mach_msg_type_number_t codeCnt)
{
    (void)port;
    (void)exception;
    (void)code;
    (void)codeCnt;
    exceptions++;
    (void)syscall_mach_port_deallocate(mach_task_self(), thread);
    (void)syscall_mach_port_deallocate(mach_task_self(), task);
    return KERN_SUCCESS;
}

kern_return_t
catch_exception_raise_state(
    mach_port_t port, exception_type_t exception, mach_exception_data_t code,
    mach_msg_type_number_t codeCnt, thread_state_flavor_t flavor,
    thread_state_t old_state, mach_msg_type_number_t old_stateCnt,
    thread_state_t new_state, mach_msg_type_number_t *new_stateCnt)
{
    (void)port;
    (void)exception;
    (void)code;
    (void)codeCnt;
    (void)flavor;
    (void)old_state;
    (void)old_stateCnt;
    (void)new_state;
    *new_stateCnt = 0;
    return KERN_FAILURE; /* not the form that was asked for */
}

kern_return_t
catch_exception_raise_state_identity(
    mach_port_t port, mach_port_t thread, mach_port_t task,
    exception_type_t exception, mach_exception_data_t code,
    mach_msg_type_number_t codeCnt, thread_state_flavor_t flavor,
    thread_state_t old_state, mach_msg_type_number_t old_stateCnt,
    thread_state_t new_state, mach_msg_type_number_t *new_stateCnt)
{
    (void)thread;
    (void)task;
    return catch_exception_raise_state(port, exception, code, codeCnt, flavor,
                                       old_state, old_stateCnt, new_state,
                                       new_stateCnt);
}

static void
exception_serve(void *argument)
{
    (void)argument;
    (void)mach_msg_server(exc_server, REQUEST_MAX, exception_port, 0);
}

/* The thread goes on behind the breakpoint. */
static kern_return_t
run_exception_rpc(unsigned int count)
{
    unsigned int before = exceptions;
    unsigned int i;

    for (i = count; i != 0; i--) {
        __asm__ volatile("int3" : : : "memory");
    }

    return exceptions - before == count ? KERN_SUCCESS : KERN_FAILURE;
}

static void
exception_setup(void)
{
    mach_port_t self = mach_thread_self();
    kern_return_t kr;

    exception_port = guest_port();
    (void)guest_thread(exception_serve, NULL);
    kr = thread_set_exception_ports(self, EXC_MASK(EXC_BREAKPOINT),
                                    exception_port, EXCEPTION_DEFAULT, 0);

    if (kr != KERN_SUCCESS) {
        tap_bail("no exception port: %s", mach_error_string(kr));
    }
}

/* -- The table ------------------------------------------------------------- */

static const struct row {
    const char *name;
    kern_return_t (*run)(unsigned int count);
} rows[] = {
    { .name = "null_trap", .run = run_null_trap },
    { .name = "rpc_null_bare", .run = run_rpc_null_bare },
    { .name = "rpc_null", .run = run_rpc_null },
    { .name = "rpc_null_threads", .run = run_rpc_null_threads },
    { .name = "rpc_1k", .run = run_rpc_1k },
    { .name = "rpc_ool_64k", .run = run_rpc_ool_64k },
    { .name = "msg_self", .run = run_msg_self },
    { .name = "port_allocate_destroy", .run = run_port_allocate_destroy },
    { .name = "krpc_port_type", .run = run_krpc_port_type },
    { .name = "exception_rpc", .run = run_exception_rpc },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* In memory that the measuring task and the first one share. */
struct result {
    kern_return_t kr;
    uint64_t counters[ROUNDS];
};

static struct result *results;

static void
measure_batch(size_t index, unsigned int round)
{
    struct result *result = &results[index];
    uint64_t begin;

    if (result->kr == KERN_SUCCESS) {
        begin = counter_read();
        result->kr = rows[index].run(COUNT);
        result->counters[round] = counter_read() - begin;
    }
}

static void
sort(uint64_t *values, unsigned int count)
{
    for (unsigned int i = 1; i < count; i++) {
        uint64_t value = values[i];
        unsigned int at = i;

        for (; at > 0 && values[at - 1] > value; at--) {
            values[at] = values[at - 1];
        }

        values[at] = value;
    }
}

static void
print(size_t index)
{
    const char *name = rows[index].name;
    struct result *result = &results[index];
    uint64_t median, minimum;

    is(result->kr, KERN_SUCCESS, "%s", name);
    sort(result->counters, ROUNDS);
    median = result->counters[ROUNDS / 2];
    minimum = result->counters[0];
    tap_diag("ipc %s %u %lu %lu %lu %lu", name, COUNT, median, minimum,
             clock_scale(median), clock_scale(minimum));
}

/* One operation between two marks, for tools/bench/profile.py. */
static void
profile(size_t index)
{
    if (results[index].kr == KERN_SUCCESS) {
        (void)rows[index].run(WARM);
        MARK(MARK_BEGIN);
        (void)rows[index].run(1);
        MARK(MARK_END);
    }
}

static void
measure_setup(void)
{
    mach_port_t task;

    memory_setup();
    self_port = guest_port();
    bare_port = child_start(bare_child, &task);
    stub_port = child_start(stub_child, &task);
    thread_port = guest_port();
    (void)guest_thread(stub_serve_thread, &thread_port);
    exception_setup();
}

/*
 * The measuring task is a child, as the first task's I/O ports for the test's
 * output would be part of each switch to it. The servers' tasks are children
 * of it.
 */
static void
measure(mach_port_t parent)
{
    mach_msg_header_t done = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
        .msgh_size = sizeof(done),
        .msgh_remote_port = parent,
    };

    measure_setup();

    for (size_t i = 0; i < ROWS; i++) {
        results[i].kr = rows[i].run(WARM);
    }

    for (unsigned int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < ROWS; i++) {
            measure_batch(i, round);
        }
    }

    for (size_t i = 0; i < ROWS; i++) {
        profile(i);
    }

    (void)mach_msg(&done, MACH_SEND_MSG, sizeof(done), 0, 0, 0, 0);
}

static void
results_setup(void)
{
    vm_address_t address;
    kern_return_t kr;

    kr = vm_allocate(mach_task_self(), &address, sizeof(*results) * ROWS,
                     VM_FLAGS_ANYWHERE);

    if (kr == KERN_SUCCESS) {
        kr = vm_inherit(mach_task_self(), address, sizeof(*results) * ROWS,
                        VM_INHERIT_SHARE);
    }

    if (kr != KERN_SUCCESS) {
        tap_bail("no shared memory: %s", mach_error_string(kr));
    }

    results = (struct result *)address;
}

void
guest_main(void)
{
    mach_port_t port = guest_port();
    struct bare done;
    mach_msg_return_t mr;

    clock_setup();
    results_setup();
    (void)guest_child(measure, port, NULL);
    mr = mach_msg(&done.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(done),
                  port, MEASURE_MS, 0);

    if (mr != MACH_MSG_SUCCESS) {
        tap_bail("the measuring task: %s", mach_error_string(mr));
    }

    for (size_t i = 0; i < ROWS; i++) {
        print(i);
    }
}
