/* SPDX-License-Identifier: MIT */
/*
 * Exceptions as messages: each fault of a child arrives here with its kind
 * and codes, in each of the three forms; the child goes on where the answer
 * says, or ends when nobody wants the exception.
 */

#include <mach/exc_server.h>

#include "tap.h"

#define WAIT_MS 10000
#define REQUEST_MAX 2048
#define ANY_CODE INT64_MIN

static mach_port_t handler;

/* What the child does, decided before it is made. */
static void (*child_fault)(void);
static exception_behavior_t child_behavior;

/* What came. */
static struct {
    unsigned int count;
    exception_type_t type;
    int64_t code[EXCEPTION_CODE_MAX];
    uint64_t rip;
    bool has_identity;
} seen;

static kern_return_t answer;

/* Where a child goes on: say so, and end. */
static void
recovered(void)
{
    mach_msg_header_t hello = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
        .msgh_size = sizeof(hello),
        .msgh_remote_port = bootstrap_port,
        .msgh_id = 1,
    };

    (void)mach_msg(&hello, MACH_SEND_MSG, sizeof(hello), 0, 0, 0, 0);

    for (;;) {
        (void)task_terminate(mach_task_self());
    }
}

static void
note(exception_type_t type, const int64_t *code, mach_msg_type_number_t count)
{
    seen.count++;
    seen.type = type;

    for (mach_msg_type_number_t i = 0; i < EXCEPTION_CODE_MAX; i++) {
        seen.code[i] = i < count ? code[i] : 0;
    }
}

static void
redirect(x86_thread_state64_t *state)
{
    seen.rip = state->rip;
    state->rip = (uint64_t)(uintptr_t)recovered;
    state->rsp = (state->rsp & ~15ul) - 264;
    state->rflags &= ~0x40500ul; /* no more single steps, AC or DF */
}

kern_return_t
catch_exception_raise(mach_port_t exception_port, mach_port_t thread,
                      mach_port_t task, exception_type_t exception,
                      mach_exception_data_t code,
                      mach_msg_type_number_t codeCnt)
{
    mach_msg_type_number_t count = x86_THREAD_STATE64_COUNT;
    x86_thread_state64_t state;
    kern_return_t kr;

    (void)exception_port;
    note(exception, code, codeCnt);
    seen.has_identity = MACH_PORT_VALID(thread) && MACH_PORT_VALID(task);
    kr = thread_suspend(thread);

    if (kr == KERN_SUCCESS) {
        kr = thread_get_state(thread, x86_THREAD_STATE64,
                              (thread_state_t)&state, &count);
    }

    if (kr == KERN_SUCCESS) {
        redirect(&state);
        kr = thread_set_state(thread, x86_THREAD_STATE64,
                              (thread_state_t)&state, count);
    }

    if (kr == KERN_SUCCESS) {
        kr = thread_resume(thread);
    }

    is(kr, KERN_SUCCESS, "the handler changes the thread's registers");
    (void)mach_port_deallocate(mach_task_self(), thread);
    (void)mach_port_deallocate(mach_task_self(), task);
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
    x86_thread_state64_t *state = (void *)new_state;

    (void)exception_port;
    note(exception, code, codeCnt);

    if (flavor != x86_THREAD_STATE64 ||
        old_stateCnt != x86_THREAD_STATE64_COUNT) {
        return KERN_INVALID_ARGUMENT;
    }

    for (mach_msg_type_number_t i = 0; i < old_stateCnt; i++) {
        new_state[i] = old_state[i];
    }

    *new_stateCnt = old_stateCnt;
    redirect(state);
    return answer;
}

kern_return_t
catch_exception_raise_state_identity(
    mach_port_t exception_port, mach_port_t thread, mach_port_t task,
    exception_type_t exception, mach_exception_data_t code,
    mach_msg_type_number_t codeCnt, thread_state_flavor_t flavor,
    thread_state_t old_state, mach_msg_type_number_t old_stateCnt,
    thread_state_t new_state, mach_msg_type_number_t *new_stateCnt)
{
    kern_return_t kr;

    seen.has_identity = MACH_PORT_VALID(thread) && MACH_PORT_VALID(task);
    kr = catch_exception_raise_state(exception_port, exception, code, codeCnt,
                                     flavor, old_state, old_stateCnt, new_state,
                                     new_stateCnt);

    if (kr == KERN_SUCCESS) {
        (void)mach_port_deallocate(mach_task_self(), thread);
        (void)mach_port_deallocate(mach_task_self(), task);
    }

    return kr;
}

static void
child_main(mach_port_t port)
{
    if (child_behavior != 0 &&
        task_set_exception_ports(mach_task_self(), EXC_MASK_ALL, port,
                                 child_behavior,
                                 x86_THREAD_STATE64) != KERN_SUCCESS) {
        return;
    }

    child_fault();
}

/* Receive the child's word that it goes on. */
static bool
child_recovered(void)
{
    struct {
        mach_msg_header_t head;
        mach_msg_security_trailer_t trailer;
    } hello;

    return mach_msg(&hello.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
                    sizeof(hello), handler, WAIT_MS, 0) == MACH_MSG_SUCCESS &&
           hello.head.msgh_id == 1;
}

static bool
child_ends(mach_port_t task)
{
    mach_port_t port = guest_port();
    mach_port_type_t type = 0;
    mach_msg_header_t head;

    for (int ms = 0; ms < WAIT_MS; ms += 5) {
        if (mach_port_type(mach_task_self(), task, &type) != KERN_SUCCESS ||
            (type & MACH_PORT_TYPE_DEAD_NAME) != 0) {
            break;
        }

        (void)mach_msg(&head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(head),
                       port, 5, 0);
    }

    (void)mach_port_destroy(mach_task_self(), port);
    return (type & MACH_PORT_TYPE_DEAD_NAME) != 0;
}

static mach_port_t
child_start(void (*fault)(void), exception_behavior_t behavior)
{
    child_fault = fault;
    child_behavior = behavior;
    seen.count = 0;
    seen.has_identity = false;
    return guest_child(child_main, handler, NULL);
}

static void
read_null(void)
{
    volatile int *volatile pointer = NULL;

    (void)*pointer;
}

static void
write_text(void)
{
    volatile char *volatile pointer = (volatile char *)(uintptr_t)read_null;

    *pointer = 0;
}

static void
read_kernel(void)
{
    volatile int *volatile pointer = (volatile int *)0xffffffff80100000;

    (void)*pointer;
}

static void
read_not_canonical(void)
{
    volatile int *volatile pointer = (volatile int *)0x800000000000;

    (void)*pointer;
}

static void
execute_data(void)
{
    static unsigned char code[16] = { 0xc3 };
    void (*volatile function)(void) = (void (*)(void))(uintptr_t)code;

    function();
}

static void
execute_garbage(void)
{
    __asm__ volatile("ud2");
}

static void
divide_by_zero(void)
{
    __asm__ volatile("xorl %%edx, %%edx; divl %%edx" : : : "eax", "edx");
}

static void
breakpoint(void)
{
    __asm__ volatile("int3");
}

static void
single_step(void)
{
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop" : : : "memory");
}

static void
halt(void)
{
    __asm__ volatile("hlt");
}

static void
software_interrupt(void)
{
    __asm__ volatile("int $0x20");
}

static void
port_output(void)
{
    __asm__ volatile("outb %%al, %%dx" : : "a"(0), "d"(0x64));
}

static void
unix_call(void)
{
    (void)guest_trap(39, 1, 2, 3, 4, 5, 6);
}

static const struct {
    const char *name;
    void (*fault)(void);
    exception_type_t type;
    int64_t code[EXCEPTION_CODE_MAX];
} faults[] = {
    { "read from NULL",
      read_null,
      EXC_BAD_ACCESS,
      { KERN_INVALID_ADDRESS, 0 } },
    { "write to text",
      write_text,
      EXC_BAD_ACCESS,
      { KERN_PROTECTION_FAILURE, (int64_t)(uintptr_t)read_null } },
    { "read the kernel", read_kernel, EXC_BAD_ACCESS, { ANY_CODE, ANY_CODE } },
    { "read a non-canonical address",
      read_not_canonical,
      EXC_BAD_ACCESS,
      { EXC_X86_GP, ANY_CODE } },
    { "execute data",
      execute_data,
      EXC_BAD_ACCESS,
      { KERN_PROTECTION_FAILURE, ANY_CODE } },
    { "execute garbage",
      execute_garbage,
      EXC_BAD_INSTRUCTION,
      { EXC_X86_INVOP, ANY_CODE } },
    { "divide by zero",
      divide_by_zero,
      EXC_ARITHMETIC,
      { EXC_X86_DIV, ANY_CODE } },
    { "a breakpoint", breakpoint, EXC_BREAKPOINT, { EXC_X86_BPT, ANY_CODE } },
    { "a single step", single_step, EXC_BREAKPOINT, { EXC_X86_SGL, ANY_CODE } },
    { "halt the processor", halt, EXC_BAD_ACCESS, { EXC_X86_GP, ANY_CODE } },
    { "a software interrupt",
      software_interrupt,
      EXC_BAD_ACCESS,
      { EXC_X86_GP, ANY_CODE } },
    { "an I/O port of nobody",
      port_output,
      EXC_BAD_ACCESS,
      { EXC_X86_GP, ANY_CODE } },
    { "a call of another system", unix_call, EXC_SYSCALL, { 39, ANY_CODE } },
};

static void
test_fault(unsigned int index, exception_behavior_t behavior)
{
    const char *name = faults[index].name;
    mach_msg_return_t mr;
    mach_port_t task;

    answer = KERN_SUCCESS;
    task = child_start(faults[index].fault, behavior);
    mr = mach_msg_server_once(exc_server, REQUEST_MAX, handler,
                              MACH_RCV_TIMEOUT, WAIT_MS);
    is(mr, MACH_MSG_SUCCESS, "%s: a message comes", name);
    is(seen.type, faults[index].type, "%s: its type", name);

    for (unsigned int i = 0; i < EXCEPTION_CODE_MAX; i++) {
        if (faults[index].code[i] != ANY_CODE) {
            is(seen.code[i], faults[index].code[i], "%s: code %u", name, i);
        }
    }

    ok(seen.has_identity == (behavior != EXCEPTION_STATE),
       "%s: ports if asked for", name);
    ok(child_recovered(), "%s: the thread goes on as told", name);
    ok(child_ends(task), "%s: the child ends", name);
    (void)mach_port_deallocate(mach_task_self(), task);
}

/* Nobody wants it: the task ends, and everything else goes on. */
static void
test_unwanted(void)
{
    mach_msg_return_t mr;
    mach_port_t task;

    task = child_start(execute_garbage, 0);
    ok(child_ends(task), "a fault without a handler ends the task");
    (void)mach_port_deallocate(mach_task_self(), task);
    task = child_start(execute_garbage, EXCEPTION_STATE);
    answer = KERN_FAILURE;
    mr = mach_msg_server_once(exc_server, REQUEST_MAX, handler,
                              MACH_RCV_TIMEOUT, WAIT_MS);
    is(mr, MACH_MSG_SUCCESS, "a handler that refuses is asked");
    ok(child_ends(task), "and then the task ends");
    (void)mach_port_deallocate(mach_task_self(), task);
}

/* A handler that dies before it answers. */
static void
test_dead_handler(void)
{
    mach_port_t kept = handler;
    mach_port_t task;

    handler = guest_port();
    task = child_start(execute_garbage, EXCEPTION_DEFAULT);
    (void)mach_port_destroy(mach_task_self(), handler);
    ok(child_ends(task), "the handler's port dies: the task ends");
    (void)mach_port_deallocate(mach_task_self(), task);
    handler = kept;
}

void
guest_main(void)
{
    struct guest_counts before;

    handler = guest_port();
    test_fault(0, EXCEPTION_DEFAULT);
    guest_counts_get(&before);

    for (unsigned int i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        test_fault(i, EXCEPTION_DEFAULT);
        test_fault(i, EXCEPTION_STATE);
        test_fault(i, EXCEPTION_STATE_IDENTITY);
    }

    test_unwanted();
    test_dead_handler();
    guest_counts_check(&before, "all of it");
}
