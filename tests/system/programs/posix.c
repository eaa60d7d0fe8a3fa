/* SPDX-License-Identifier: MIT */
/*
 * What a plain POSIX program takes for granted: processes, pipes, signals,
 * 100 MB of memory, a deep stack.  Runs itself again for its exec tests.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define MEGABYTE (1024 * 1024)

static const char *self;
static volatile sig_atomic_t caught;
static volatile sig_atomic_t caught_number;

static void
handler(int number)
{
    caught += 1;
    caught_number = number;
}

static void
catch_signal(int number, int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
    caught = 0;
    caught_number = 0;
}

/* Run `function` in a child; returns its wait status. */
static int
in_child(void (*function)(void))
{
    int status;
    pid_t pid;

    pid = fork();

    if (pid == 0) {
        function();
        _exit(0);
    }

    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        return -1;
    }

    return status;
}

static void
exit_seven(void)
{
    _exit(7);
}

static void
exec_self(void)
{
    char *const arguments[] = { (char *)self, "exec", "a b", "", NULL };
    char *const environment[] = { "ONE=1", "TWO=", NULL };

    execve(self, arguments, environment);
    _exit(99);
}

/* The other end of exec_self. */
static int
exec_target(int argc, char **argv)
{
    if (argc != 4 || strcmp(argv[2], "a b") != 0 || argv[3][0] != '\0') {
        return 1;
    }

    if (getenv("ONE") == NULL || strcmp(getenv("ONE"), "1") != 0) {
        return 2;
    }

    if (getenv("TWO") == NULL || getenv("PATH") != NULL) {
        return 3;
    }

    return 42;
}

static void
test_processes(void)
{
    pid_t pids[20];
    pid_t parent;
    int status;
    int good;
    int i;

    status = in_child(exit_seven);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 7, "fork, exit, wait");
    status = in_child(exec_self);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 42,
       "exec with arguments and environment");
    parent = getpid();
    pids[0] = fork();

    if (pids[0] == 0) {
        _exit(getppid() != parent || getpid() == parent);
    }

    waitpid(pids[0], &status, 0);
    ok(status == 0, "getpid and getppid in a child");

    for (i = 0; i < 20; i++) {
        pids[i] = fork();

        if (pids[i] == 0) {
            _exit(i);
        }
    }

    good = 1;

    for (i = 19; i >= 0; i--) {
        good &= waitpid(pids[i], &status, 0) == pids[i];
        good &= WIFEXITED(status) && WEXITSTATUS(status) == i;
    }

    ok(good, "twenty children, each waited for");
    errno = 0;
    ok(wait(&status) == -1 && errno == ECHILD, "no more children");
    errno = 0;
    execl("/nothing", "nothing", (char *)NULL);
    ok(errno == ENOENT, "exec of nothing: ENOENT");
}

/* fork copies memory: neither side sees the other's writes. */
static void
test_copy_on_write(void)
{
    char *block;
    int status;
    pid_t pid;
    int good;
    int i;

    block = malloc(MEGABYTE);
    memset(block, 'p', MEGABYTE);
    pid = fork();

    if (pid == 0) {
        good = 1;

        for (i = 0; i < MEGABYTE; i += 1000) {
            good &= block[i] == 'p';
        }

        memset(block, 'c', MEGABYTE);
        _exit(!good);
    }

    waitpid(pid, &status, 0);
    good = status == 0;

    for (i = 0; i < MEGABYTE; i += 1000) {
        good &= block[i] == 'p';
    }

    ok(good, "fork copies memory");
    free(block);
}

static void
test_pipes(void)
{
    char buffer[4096];
    long total;
    ssize_t count;
    int status;
    int ends[2];
    int good;
    long i;

    pipe(ends);

    if (fork() == 0) {
        close(ends[0]);

        for (i = 0; i < 100000; i++) {
            write(ends[1], &i, sizeof(i));
        }

        _exit(0);
    }

    close(ends[1]);
    total = 0;
    good = 1;
    i = 0;

    while ((count = read(ends[0], &i, sizeof(i))) == sizeof(i)) {
        good &= i == total;
        total += 1;
    }

    wait(&status);
    ok(good && count == 0 && total == 100000,
       "800000 bytes through a pipe, then its end");
    close(ends[0]);
    pipe(ends);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    errno = 0;
    ok(write(ends[1], buffer, 1) == -1 && errno == EPIPE,
       "a pipe with no reader: EPIPE");
    signal(SIGPIPE, SIG_DFL);
    close(ends[1]);
}

static void
test_shell(void)
{
    char line[100];
    FILE *shell;

    shell = popen("echo one two | cat | wc -w", "r");
    line[0] = '\0';

    if (shell != NULL) {
        fgets(line, sizeof(line), shell);
    }

    ok(atoi(line) == 2, "popen of a pipeline");
    ok(shell != NULL && pclose(shell) == 0, "pclose");
    ok(WEXITSTATUS(system("exit 3")) == 3, "system");
}

static void
wait_for_ever(void)
{
    for (;;) {
        pause();
    }
}

static void
compute_for_ever(void)
{
    volatile unsigned long counter = 0;

    for (;;) {
        counter += 1;
    }
}

/* Start `function`, end it by a signal; returns whether that worked. */
static int
killed_by(void (*function)(void), int number)
{
    int status;
    pid_t pid;

    pid = fork();

    if (pid == 0) {
        function();
    }

    usleep(20000);
    kill(pid, number);
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == number;
}

static void
test_signals(void)
{
    sigset_t blocked;
    sigset_t old;
    char byte;
    pid_t pid;
    int ends[2];

    catch_signal(SIGUSR1, 0);
    raise(SIGUSR1);
    ok(caught == 1 && caught_number == SIGUSR1, "raise runs the handler");
    kill(getpid(), SIGUSR1);
    ok(caught == 2, "kill of oneself runs the handler before it returns");
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, &old);
    kill(getpid(), SIGUSR1);
    ok(caught == 2, "a blocked signal waits");
    sigprocmask(SIG_SETMASK, &old, NULL);
    ok(caught == 3, "and comes when it is let in");
    ok(killed_by(wait_for_ever, SIGTERM), "SIGTERM ends a waiting process");
    ok(killed_by(compute_for_ever, SIGKILL),
       "SIGKILL ends a computing process");
    ok(killed_by(compute_for_ever, SIGTERM),
       "SIGTERM ends a computing process");
    catch_signal(SIGCHLD, 0);
    pid = fork();

    if (pid == 0) {
        _exit(0);
    }

    waitpid(pid, NULL, 0);
    ok(caught == 1, "SIGCHLD comes");
    signal(SIGCHLD, SIG_DFL);
    pipe(ends);
    catch_signal(SIGALRM, 0);
    alarm(1);
    errno = 0;
    ok(read(ends[0], &byte, 1) == -1 && errno == EINTR && caught == 1,
       "alarm breaks a read off: EINTR");
    close(ends[0]);
    close(ends[1]);
}

/* A computing process's handler runs too, and everything is as before. */
static void
test_computing_handler(void)
{
    volatile double sum;
    volatile long turns;
    pid_t pid;

    catch_signal(SIGUSR2, 0);
    pid = fork();

    if (pid == 0) {
        usleep(20000);
        kill(getppid(), SIGUSR2);
        _exit(0);
    }

    sum = 0.0;
    turns = 0;

    while (caught == 0 && turns < 2000000000L) {
        sum += 0.5;
        turns += 1;
    }

    ok(caught == 1 && sum == (double)turns * 0.5,
       "a computing process runs its handler");
    waitpid(pid, NULL, 0);
}

static jmp_buf jump;

static void
jump_out(int number)
{
    (void)number;
    longjmp(jump, 1);
}

static void
test_segv_handler(void)
{
    volatile int *volatile wild = (volatile int *)16;
    int jumped;

    signal(SIGSEGV, jump_out);
    jumped = setjmp(jump);

    if (jumped == 0) {
        *wild = 1;
    }

    ok(jumped == 1, "a handler for SIGSEGV jumps out");
    signal(SIGSEGV, SIG_DFL);
}

static void
test_memory(void)
{
    const size_t size = 100L * MEGABYTE;
    size_t at;
    char *block;
    int good;

    block = malloc(size);
    good = block != NULL;

    for (at = 0; good && at < size; at += 4096) {
        good = block[at] == 0 || at == 0;
        block[at] = (char)(at >> 12);
    }

    for (at = 0; good && at < size; at += 4096) {
        good = block[at] == (char)(at >> 12);
    }

    ok(good, "100 MB of memory");
    free(block);
}

static __attribute__((noinline)) long
recurse(long depth)
{
    volatile char frame[1000];

    frame[0] = (char)depth;
    frame[999] = (char)depth;

    if (depth == 0) {
        return 0;
    }

    return recurse(depth - 1) + (frame[0] == frame[999]);
}

static void
test_stack(void)
{
    const long depth = 6L * MEGABYTE / 1056;

    ok(recurse(depth) == depth, "6 MB of stack");
}

static void
test_files(void)
{
    const char *name = "/tmp/posix.file";
    struct stat about;
    char text[20];
    int fd;

    fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0640);
    ok(fd >= 0 && write(fd, "0123456789", 10) == 10, "write a file");
    memset(text, 0, sizeof(text));
    lseek(fd, 4, SEEK_SET);
    ok(read(fd, text, sizeof(text)) == 6 && strcmp(text, "456789") == 0,
       "seek and read");
    ok(fstat(fd, &about) == 0 && about.st_size == 10 &&
           (about.st_mode & 07777) == 0640 && S_ISREG(about.st_mode),
       "fstat");
    ok(ftruncate(fd, 4) == 0 && lseek(fd, 0, SEEK_END) == 4, "ftruncate");
    close(fd);
    ok(rename(name, "/tmp/posix.other") == 0 && access(name, F_OK) == -1 &&
           unlink("/tmp/posix.other") == 0,
       "rename and unlink");
    errno = 0;
    ok(open("/tmp/none/none", O_RDONLY) == -1 && errno == ENOENT, "ENOENT");
    errno = 0;
    ok(close(99) == -1 && errno == EBADF, "EBADF");
}

static void
test_time(void)
{
    struct timespec before;
    struct timespec after;
    long passed;

    clock_gettime(CLOCK_MONOTONIC, &before);
    usleep(50000);
    clock_gettime(CLOCK_MONOTONIC, &after);
    passed = (after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec -
             before.tv_nsec;
    ok(passed >= 50000000L && passed < 5000000000L, "a sleep of 50 ms");
    ok(time(NULL) > 1700000000, "the time of day");
}

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "exec") == 0) {
        return exec_target(argc, argv);
    }

    self = argv[0];
    test_processes();
    test_copy_on_write();
    test_pipes();
    test_shell();
    test_signals();
    test_computing_handler();
    test_segv_handler();
    test_memory();
    test_stack();
    test_files();
    test_time();
    return tap_done();
}
