/* SPDX-License-Identifier: MIT */
/*
 * Programs that do wrong: each is run in a child, which is ended or gets an
 * error; and after each the system still starts processes and moves bytes.
 *
 *   faults [PART [SEED]]
 *
 * PART is one of faults, calls, traps, messages, hunger.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define NUMBER_OF(array) (sizeof(array) / sizeof((array)[0]))
#define PATIENCE 20 /* seconds for a child */

#define TRAP_MSG (-31)
#define TRAP_THREAD_SELF (-27)
#define TRAP_TASK_SELF (-28)
#define TRAP_HOST_SELF (-29)

static uint64_t seed;

static uint64_t
next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static long
trap(long number, const uint64_t arguments[6])
{
    register uint64_t r10 __asm__("r10") = arguments[3];
    register uint64_t r8 __asm__("r8") = arguments[4];
    register uint64_t r9 __asm__("r9") = arguments[5];
    uint64_t rdi = arguments[0];
    uint64_t rsi = arguments[1];
    uint64_t rdx = arguments[2];
    long result = number;

    __asm__ volatile("syscall"
                     : "+a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10),
                       "+r"(r8), "+r"(r9)
                     :
                     : "rcx", "r11", "memory");
    return result;
}

/* A new process, a pipe, a file: the system is there. */
static int
system_lives(void)
{
    char text[8];
    int status;
    int ends[2];
    ssize_t count;
    pid_t pid;

    if (pipe(ends) != 0) {
        return 0;
    }

    pid = fork();

    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        execl("/bin/echo", "echo", "alive", (char *)NULL);
        _exit(1);
    }

    close(ends[1]);
    count = read(ends[0], text, sizeof(text));
    close(ends[0]);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 &&
           count == 6 && memcmp(text, "alive\n", 6) == 0;
}

/*
 * Run `function` in a child and end that one after `patience` seconds: some
 * of what it does may wait for ever.  Returns its wait status.
 */
static int
in_child(void (*function)(void), unsigned patience)
{
    int status;
    pid_t child;
    pid_t guard;

    child = fork();

    if (child == 0) {
        setpgid(0, 0);
        function();
        _exit(0);
    }

    guard = fork();

    if (guard == 0) {
        sleep(patience);
        kill(child, SIGKILL);
        _exit(0);
    }

    status = -1;
    waitpid(child, &status, 0);
    kill(guard, SIGKILL);
    waitpid(guard, NULL, 0);
    return status;
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
    volatile int *volatile pointer = (volatile int *)0xffffffff80100000UL;

    (void)*pointer;
}

static void
read_not_canonical(void)
{
    volatile int *volatile pointer = (volatile int *)0x800000000000UL;

    (void)*pointer;
}

static void
execute_garbage(void)
{
    __asm__ volatile("ud2");
}

static void
execute_data(void)
{
    static unsigned char code[16] = { 0xc3 };
    void (*volatile function)(void) = (void (*)(void))(uintptr_t)code;

    function();
}

static void
execute_null(void)
{
    void (*volatile function)(void) = NULL;

    function();
}

static void
divide_by_zero(void)
{
    volatile int zero = 0;
    volatile int result;

    result = 7 / zero;
    (void)result;
}

static void
halt(void)
{
    __asm__ volatile("hlt");
}

static void
port_output(void)
{
    __asm__ volatile("outb %%al, %%dx" : : "a"(0), "d"(0x64));
}

static void
breakpoint(void)
{
    __asm__ volatile("int3");
}

static void
software_interrupt(void)
{
    __asm__ volatile("int $0x20");
}

static void
bad_stack_pointer(void)
{
    __asm__ volatile("movq $-8, %%rsp; pushq $1" : : : "memory");
}

static void
single_step(void)
{
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop"
                     :
                     :
                     : "memory", "cc");
}

static __attribute__((noinline)) int
recurse_for_ever(volatile char *above)
{
    volatile char frame[4000];

    frame[0] = above[0];

    if (frame[0] != 0) {
        return 0;
    }

    return recurse_for_ever(frame) + frame[0];
}

static void
overflow_stack(void)
{
    volatile char first[1] = { 0 };

    recurse_for_ever(first);
}

static void
user_flags(void)
{
    /* Alignment checks and the direction flag must not reach the kernel. */
    __asm__ volatile("pushfq; orq $0x40400, (%%rsp); popfq"
                     :
                     :
                     : "memory", "cc");
    getppid();
    __asm__ volatile("pushfq; andq $~0x40400, (%%rsp); popfq"
                     :
                     :
                     : "memory", "cc");
    _exit(0);
}

static const struct {
    const char *name;
    void (*function)(void);
    int signals[3]; /* one of them ends it; 0: it exits by itself */
} faults[] = {
    { "read from NULL", read_null, { SIGSEGV, SIGBUS, -1 } },
    { "write to text", write_text, { SIGSEGV, SIGBUS, -1 } },
    { "read the kernel", read_kernel, { SIGSEGV, SIGBUS, -1 } },
    { "read a non-canonical address",
      read_not_canonical,
      { SIGSEGV, SIGBUS, -1 } },
    { "execute garbage", execute_garbage, { SIGILL, -1, -1 } },
    { "execute data", execute_data, { SIGSEGV, SIGBUS, SIGILL } },
    { "execute NULL", execute_null, { SIGSEGV, SIGBUS, SIGILL } },
    { "divide by zero", divide_by_zero, { SIGFPE, -1, -1 } },
    { "halt the processor", halt, { SIGSEGV, SIGILL, SIGBUS } },
    { "write to an I/O port", port_output, { SIGSEGV, SIGILL, SIGBUS } },
    { "a breakpoint", breakpoint, { SIGTRAP, -1, -1 } },
    { "a software interrupt", software_interrupt, { SIGSEGV, SIGILL, SIGBUS } },
    { "a bad stack pointer", bad_stack_pointer, { SIGSEGV, SIGBUS, SIGILL } },
    { "a single step", single_step, { SIGTRAP, -1, -1 } },
    { "an endless recursion", overflow_stack, { SIGSEGV, SIGBUS, -1 } },
    { "AC and DF set in a call", user_flags, { 0, SIGBUS, -1 } },
};

static void
test_faults(void)
{
    int status;
    int ended;
    size_t i;
    size_t j;

    for (i = 0; i < NUMBER_OF(faults); i++) {
        status = in_child(faults[i].function, PATIENCE);
        ended = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

        for (j = 0; j < 3 && faults[i].signals[j] != ended; j++) {
            continue;
        }

        ok(j < 3 && status != -1, "%s (status 0x%x)", faults[i].name,
           (unsigned)status);
        ok(system_lives(), "%s: the system lives", faults[i].name);
    }
}

static const uint64_t wild_values[] = {
    0,
    1,
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
    0xffffffffffffffff,
};

#define WILD(i) wild_values[(i) % NUMBER_OF(wild_values)]

static void
call_with(size_t kind, void *pointer, size_t length)
{
    switch (kind) {
    case 0:
        read(open("/bin/sh", O_RDONLY), pointer, length);
        break;

    case 1:
        write(open("/dev/null", O_WRONLY), pointer, length);
        break;

    case 2:
        open(pointer, (int)length);
        break;

    case 3:
        stat(pointer, (struct stat *)((char *)pointer + 8));
        break;

    case 4:
        stat("/bin", pointer);
        break;

    case 5:
        pipe(pointer);
        break;

    case 6:
        execve(pointer, pointer, pointer);
        break;

    case 7:
        execve("/bin/true", pointer, pointer);
        break;

    case 8:
        readlink("/bin", pointer, length);
        break;

    case 9:
        sigaction(SIGUSR1, pointer, (struct sigaction *)((char *)pointer + 8));
        break;

    case 10:
        getcwd(pointer, length);
        break;

    case 11:
        rename(pointer, pointer);
        break;

    case 12:
        lseek((int)length, (off_t)length, (int)length);
        break;

    case 13:
        waitpid((pid_t)length, pointer, (int)length);
        break;

    case 14:
        kill((pid_t)(length | 0x40000000), (int)length);
        break;

    case 15:
        sbrk((ptrdiff_t)length);
        break;

    default:
        dup2((int)length, (int)length);
        break;
    }
}

static size_t wild_kind;

/* Each call in a child of its own: most end by a signal. */
static void
wild_call(void)
{
    size_t i;
    size_t j;

    for (i = 0; i < NUMBER_OF(wild_values); i++) {
        for (j = 0; j < NUMBER_OF(wild_values); j++) {
            if (fork() == 0) {
                call_with(wild_kind, (void *)WILD(i), WILD(j));
                _exit(0);
            }

            wait(NULL);
        }
    }
}

static void
test_wild_calls(void)
{
    int status;

    for (wild_kind = 0; wild_kind <= 16; wild_kind++) {
        status = in_child(wild_call, 3 * PATIENCE);
        ok(WIFEXITED(status), "wild pointers to call %zu (status 0x%x)",
           wild_kind, (unsigned)status);
        ok(system_lives(), "call %zu: the system lives", wild_kind);
    }
}

static long trap_number;

static uint64_t
random_argument(void)
{
    static char area[16384];
    uint64_t random = next_random();

    switch (random >> 61) {
    case 0:
    case 1:
        return WILD(random & 0xffff);

    case 2:
        return (uintptr_t)area + (random & 0x3fff);

    case 3:
        return random & 0xffff;

    case 4: {
        static const uint64_t none[6];

        return (uint64_t)trap(TRAP_TASK_SELF + (long)(random % 3) - 1, none);
    }

    case 5:
        return ((random & 0xff) << 8) | (random >> 8 & 3);

    case 6:
        return (random & 0xffff) << 32 | (random >> 16 & 0xffff);

    default:
        return random;
    }
}

static void
random_traps(void)
{
    uint64_t arguments[6];
    int turn;
    int i;

    for (turn = 0; turn < 300; turn++) {
        for (i = 0; i < 6; i++) {
            arguments[i] = random_argument();
        }

        trap(trap_number, arguments);
    }
}

static void
test_traps(void)
{
    int status;

    for (trap_number = -100; trap_number < 8; trap_number++) {
        seed = seed * 6364136223846793005UL + 1442695040888963407UL;
        status = in_child(random_traps, 2);
        ok(status != -1, "trap %ld (status 0x%x)", trap_number,
           (unsigned)status);
    }

    for (trap_number = 512; trap_number < 1L << 50; trap_number *= 512) {
        status = in_child(random_traps, 2);
        ok(status != -1, "trap %ld (status 0x%x)", trap_number,
           (unsigned)status);
    }

    ok(system_lives(), "the system lives");
}

/* Subsystems of kernel and servers; routine ids are near their bases. */
static const uint32_t bases[] = {
    64,   200,  400,  1000,  2401,  2500,  2900,  2980,  3200,  3400,
    3600, 3800, 4900, 70000, 70100, 70200, 70400, 70600, 70800, 0x7fffff9c,
};

static uint32_t
random_port(void)
{
    static const uint64_t none[6];
    uint64_t random = next_random();

    switch (random % 5) {
    case 0:
        return (uint32_t)trap(TRAP_TASK_SELF, none);

    case 1:
        return (uint32_t)trap(TRAP_THREAD_SELF, none);

    case 2:
        return (uint32_t)trap(TRAP_HOST_SELF, none);

    default:
        return (uint32_t)((random >> 8 & 31) << 8 | (random >> 16 & 3));
    }
}

/* A header that is mostly right, and a body that is anything. */
static void
random_message(uint32_t *message, uint64_t arguments[6])
{
    uint64_t random = next_random();
    size_t size;
    size_t i;

    for (i = 0; i < 256; i++) {
        message[i] = (uint32_t)next_random();

        if ((message[i] & 7) < 4) {
            message[i] &= 0xff;
        }
    }

    size = random % 8 == 0 ? random >> 8 & 0xffff : random >> 8 & 0x3fc;
    message[0] = random % 4 == 0 ? (uint32_t)next_random()
                                 : 0x1513 | (uint32_t)(random & 0x80000000);
    message[1] = random % 5 == 0 ? (uint32_t)next_random() : (uint32_t)size;
    message[2] = random_port();
    message[3] = random % 3 == 0 ? random_port() : 0;
    message[4] = random % 9 == 0 ? (uint32_t)random : 0;
    message[5] = bases[next_random() % NUMBER_OF(bases)] +
                 (uint32_t)(next_random() % 60);
    arguments[0] = (uintptr_t)message;
    arguments[1] = 1 | 0x10 | (random % 3 == 0 ? 2 | 0x100 : 0);
    arguments[2] = size | (uint64_t)1024 << 32;
    arguments[3] = random_port();
    arguments[4] = 5;
    arguments[5] = 0;
}

static void
random_messages(void)
{
    uint32_t message[512];
    uint64_t arguments[6];
    int turn;

    for (turn = 0; turn < 2000; turn++) {
        random_message(message, arguments);
        trap(TRAP_MSG, arguments);
    }
}

static void
test_messages(void)
{
    int status;
    int turn;

    for (turn = 0; turn < 40; turn++) {
        seed = seed * 6364136223846793005UL + 1442695040888963407UL;
        status = in_child(random_messages, 5);
        ok(status != -1, "2000 malformed messages (status 0x%x)",
           (unsigned)status);
        ok(system_lives(), "the system lives");
    }
}

static void
eat_memory(void)
{
    const size_t size = 256 * 1024;
    char *block;
    size_t at;

    while ((block = malloc(size)) != NULL) {
        for (at = 0; at < size; at += 4096) {
            block[at] = 1;
        }
    }

    _exit(3);
}

/* Until fork itself fails; the children wait to be told to go. */
static void
eat_processes(void)
{
    int ends[2];
    char byte;
    pid_t pid;
    int count;

    pipe(ends);

    for (count = 0; count < 20000; count++) {
        pid = fork();

        if (pid == 0) {
            close(ends[1]);
            read(ends[0], &byte, 1);
            _exit(0);
        }

        if (pid < 0) {
            break;
        }
    }

    close(ends[1]);

    while (wait(NULL) > 0) {
        continue;
    }

    _exit(count < 20000 ? 3 : 0);
}

static void
eat_descriptors(void)
{
    int ends[2];
    int count;

    for (count = 0; count < 100000 && pipe(ends) == 0; count++) {
        continue;
    }

    _exit(count < 100000 &&
                  (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
              ? 3
              : 0);
}

static void
fill_files(void)
{
    static char block[65536];
    ssize_t count;
    int fd;

    fd = open("/tmp/full", O_CREAT | O_WRONLY | O_TRUNC, 0600);
    memset(block, 1, sizeof(block));

    do {
        count = write(fd, block, sizeof(block));
    } while (count > 0);

    _exit(errno == ENOSPC || errno == ENOMEM || errno == EFBIG ? 3 : 0);
}

static void
test_hunger(void)
{
    int status;

    status = in_child(eat_memory, 2 * PATIENCE);
    ok(WIFSIGNALED(status) || WEXITSTATUS(status) == 3,
       "all memory (status 0x%x)", (unsigned)status);
    ok(system_lives(), "all memory: the system lives");
    status = in_child(eat_processes, 6 * PATIENCE);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 3,
       "all processes (status 0x%x)", (unsigned)status);
    ok(system_lives(), "all processes: the system lives");
    status = in_child(eat_descriptors, 2 * PATIENCE);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 3,
       "all descriptors (status 0x%x)", (unsigned)status);
    ok(system_lives(), "all descriptors: the system lives");
    status = in_child(fill_files, 2 * PATIENCE);
    unlink("/tmp/full");
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 3,
       "all of the file system (status 0x%x)", (unsigned)status);
    ok(system_lives(), "all of the file system: the system lives");
}

int
main(int argc, char **argv)
{
    const char *part = argc > 1 ? argv[1] : "faults";

    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

    if (strcmp(part, "faults") == 0) {
        test_faults();
    } else if (strcmp(part, "calls") == 0) {
        test_wild_calls();
    } else if (strcmp(part, "traps") == 0) {
        test_traps();
    } else if (strcmp(part, "messages") == 0) {
        test_messages();
    } else if (strcmp(part, "hunger") == 0) {
        test_hunger();
    }

    return tap_done();
}
