/* SPDX-License-Identifier: MIT */
/*
 * posixbench.c - operating-system primitive costs, for any POSIX system.
 *
 * Prints one line per test:
 *
 *     name <TAB> iterations <TAB> total_ns <TAB> ns_per_op
 *
 * Lines that begin with '#' are remarks (skipped or failed tests, settings).
 *
 * usage: posixbench [-d dir] [-s percent] [-x self] [-l] [filter...]
 *     -d dir      make the working directory "posixbench.tmp" in dir (".")
 *     -s percent  scale every iteration count (100)
 *     -x self     absolute path of this program, for the exec tests
 *     -l          list the tests and what one operation is, run none
 *     filter      run only tests whose name contains one of the filters;
 *                 "=name" matches exactly
 *
 * C99 and POSIX.1-2008 only.  A port that lacks something can say so with
 * POSIXBENCH_NO_SOCKETS, POSIXBENCH_NO_POLL, POSIXBENCH_NO_SELECT,
 * POSIXBENCH_NO_MMAP, POSIXBENCH_NO_SBRK, POSIXBENCH_NO_DIRENT or
 * POSIXBENCH_NO_CLOCK_GETTIME; those tests are then reported as skipped.
 *
 * Iteration counts are fixed, not adapted to the clock, so that a run under a
 * deterministic clock (QEMU -icount) executes the same operations each time.
 * Every test is first run with 5% of its count, and that result thrown away.
 * Nothing is subtracted: loop overhead is part of each figure.
 */

#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE 1       /* MAP_ANONYMOUS, sbrk */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __has_include
# if !__has_include(<sys/socket.h>)
#  define POSIXBENCH_NO_SOCKETS 1
# endif
# if !__has_include(<poll.h>)
#  define POSIXBENCH_NO_POLL 1
# endif
# if !__has_include(<sys/select.h>)
#  define POSIXBENCH_NO_SELECT 1
# endif
# if !__has_include(<sys/mman.h>)
#  define POSIXBENCH_NO_MMAP 1
# endif
# if !__has_include(<dirent.h>)
#  define POSIXBENCH_NO_DIRENT 1
# endif
#endif

#ifndef POSIXBENCH_NO_SOCKETS
# include <sys/socket.h>
#endif
#ifndef POSIXBENCH_NO_POLL
# include <poll.h>
#endif
#ifndef POSIXBENCH_NO_SELECT
# include <sys/select.h>
#endif
#ifndef POSIXBENCH_NO_MMAP
# include <sys/mman.h>
#endif
#ifndef POSIXBENCH_NO_DIRENT
# include <dirent.h>
#endif

#define KIB             1024L
#define MIB             (1024L * KIB)
#define PAGE            4096L           /* stride of the page-touching tests */
#define BUFFER_SIZE     (64 * KIB)
#define MAX_FDS         10
#define MAX_RING        8
#define FILES           1000
#define WORK_DIRECTORY  "posixbench.tmp"
#define DATA_FILE       "data"
#define UNSUPPORTED     "not supported by this build"

struct run {
        long     arg;           /* the test's parameter, from the table */
        long     count;         /* in: operations wanted; out: operations done */
        uint64_t started_ns;
        uint64_t total_ns;
};

/* A test returns NULL, or why it could not be measured. */
typedef const char *test_function(struct run *);

struct test {
        const char    *name;
        test_function *function;
        long           arg;
        long           count;
        const char    *operation;
};

static char        buffer[BUFFER_SIZE];
static char        file_names[FILES][8];
static char        self_path[1024];

/* ------------------------------------------------------------------ clock */

static uint64_t now_ns(void)
{
        struct timeval tv;
#ifndef POSIXBENCH_NO_CLOCK_GETTIME
        struct timespec ts;

        if (clock_gettime(CLOCK_MONOTONIC, &ts) == 0)
                return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
#endif
        gettimeofday(&tv, NULL);
        return (uint64_t)tv.tv_sec * 1000000000u + (uint64_t)tv.tv_usec * 1000u;
}

static void start(struct run *run)
{
        run->started_ns = now_ns();
}

static void stop(struct run *run)
{
        run->total_ns += now_ns() - run->started_ns;
}

/* ---------------------------------------------------------------- helpers */

static const char *failed(const char *what)
{
        static char text[128];

        snprintf(text, sizeof text, "%s: %s", what, strerror(errno));
        return text;
}

static int read_all(int fd, char *data, long size)
{
        while (size > 0) {
                ssize_t n = read(fd, data, (size_t)size);
                if (n <= 0)
                        return -1;
                data += n;
                size -= n;
        }
        return 0;
}

static int write_all(int fd, const char *data, long size)
{
        while (size > 0) {
                ssize_t n = write(fd, data, (size_t)size);
                if (n <= 0)
                        return -1;
                data += n;
                size -= n;
        }
        return 0;
}

/* Operations are done in groups (pages of a map, chunks of a file). */
static long groups(struct run *run, long group)
{
        long n = (run->count + group - 1) / group;

        run->count = n * group;
        return n;
}

static const char *make_data_file(long size)
{
        int fd = open(DATA_FILE, O_RDWR | O_CREAT | O_TRUNC, 0644);

        if (fd < 0)
                return failed("create " DATA_FILE);
        memset(buffer, 'd', sizeof buffer);
        for (long done = 0; done < size; done += BUFFER_SIZE) {
                if (write_all(fd, buffer, BUFFER_SIZE) < 0) {
                        close(fd);
                        return failed("write " DATA_FILE);
                }
        }
        close(fd);
        return NULL;
}

/* ------------------------------------------------------------ calibration */

static volatile uint32_t sink;

/* Pure user-mode work: 1000 steps of a linear congruential generator. */
static const char *test_cpu_loop(struct run *run)
{
        uint32_t x = 1;

        start(run);
        for (long i = 0; i < run->count; i++)
                for (int step = 0; step < 1000; step++)
                        x = x * 1664525u + 1013904223u;
        stop(run);
        sink = x;
        return NULL;
}

static const char *test_clock_read(struct run *run)
{
        start(run);
        for (long i = 0; i < run->count; i++)
                sink = (uint32_t)now_ns();
        stop(run);
        return NULL;
}

/* ----------------------------------------------------------- system calls */

/* lmbench: lat_syscall null.  No libc caches getppid. */
static const char *test_getppid(struct run *run)
{
        start(run);
        for (long i = 0; i < run->count; i++)
                getppid();
        stop(run);
        return NULL;
}

static const char *test_getpid(struct run *run)
{
        start(run);
        for (long i = 0; i < run->count; i++)
                getpid();
        stop(run);
        return NULL;
}

/* lmbench: lat_syscall read */
static const char *test_read_zero(struct run *run)
{
        int fd = open("/dev/zero", O_RDONLY);

        if (fd < 0)
                return failed("/dev/zero");
        start(run);
        for (long i = 0; i < run->count; i++)
                if (read(fd, buffer, 1) != 1)
                        return failed("read");
        stop(run);
        close(fd);
        return NULL;
}

/* lmbench: lat_syscall write */
static const char *test_write_null(struct run *run)
{
        int fd = open("/dev/null", O_WRONLY);

        if (fd < 0)
                return failed("/dev/null");
        start(run);
        for (long i = 0; i < run->count; i++)
                if (write(fd, buffer, 1) != 1)
                        return failed("write");
        stop(run);
        close(fd);
        return NULL;
}

/* lmbench: lat_syscall stat */
static const char *test_stat(struct run *run)
{
        struct stat st;
        const char *error = make_data_file(0);

        if (error)
                return error;
        start(run);
        for (long i = 0; i < run->count; i++)
                if (stat(DATA_FILE, &st) < 0)
                        return failed("stat");
        stop(run);
        return NULL;
}

/* lmbench: lat_syscall fstat */
static const char *test_fstat(struct run *run)
{
        struct stat st;
        const char *error = make_data_file(0);
        int fd = open(DATA_FILE, O_RDONLY);

        if (error || fd < 0)
                return failed("open");
        start(run);
        for (long i = 0; i < run->count; i++)
                if (fstat(fd, &st) < 0)
                        return failed("fstat");
        stop(run);
        close(fd);
        return NULL;
}

/* lmbench: lat_syscall open */
static const char *test_open_close(struct run *run)
{
        const char *error = make_data_file(0);

        if (error)
                return error;
        start(run);
        for (long i = 0; i < run->count; i++) {
                int fd = open(DATA_FILE, O_RDONLY);
                if (fd < 0)
                        return failed("open");
                close(fd);
        }
        stop(run);
        return NULL;
}

static const char *test_dup_close(struct run *run)
{
        start(run);
        for (long i = 0; i < run->count; i++) {
                int fd = dup(0);
                if (fd < 0)
                        return failed("dup");
                close(fd);
        }
        stop(run);
        return NULL;
}

static const char *test_getcwd(struct run *run)
{
        start(run);
        for (long i = 0; i < run->count; i++)
                if (getcwd(buffer, sizeof buffer) == NULL)
                        return failed("getcwd");
        stop(run);
        return NULL;
}

/* ------------------------------------------------- two and more processes */

/* Answer each message with itself, until one begins with 'q'. */
static void echo(int in, int out, long size)
{
        do {
                if (read_all(in, buffer, size) < 0)
                        _exit(1);
                if (write_all(out, buffer, size) < 0)
                        _exit(1);
        } while (buffer[0] != 'q');
        _exit(0);
}

static int exchange(int out, int in, long size)
{
        return write_all(out, buffer, size) < 0 || read_all(in, buffer, size) < 0;
}

/* Time round trips to an echo process; child_* are its ends. */
static const char *round_trips(struct run *run, int in, int out,
                               int child_in, int child_out)
{
        pid_t child;

        memset(buffer, 'm', sizeof buffer);
        child = fork();
        if (child < 0)
                return failed("fork");
        if (child == 0)
                echo(child_in, child_out, run->arg);
        if (exchange(out, in, run->arg))
                return failed("exchange");
        start(run);
        for (long i = 0; i < run->count; i++)
                if (exchange(out, in, run->arg))
                        return failed("exchange");
        stop(run);
        buffer[0] = 'q';
        exchange(out, in, run->arg);
        waitpid(child, NULL, 0);
        return NULL;
}

/* lmbench: lat_pipe.  arg: message size */
static const char *test_pipe_round_trip(struct run *run)
{
        int there[2], back[2];
        const char *error;

        if (pipe(there) < 0 || pipe(back) < 0)
                return failed("pipe");
        error = round_trips(run, back[0], there[1], there[0], back[1]);
        close(there[0]), close(there[1]), close(back[0]), close(back[1]);
        return error;
}

/* lmbench: lat_unix.  arg: message size */
static const char *test_unix_round_trip(struct run *run)
{
#ifdef POSIXBENCH_NO_SOCKETS
        (void)run;
        return UNSUPPORTED;
#else
        int ends[2];
        const char *error;

        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
                return failed("socketpair");
        error = round_trips(run, ends[0], ends[0], ends[1], ends[1]);
        close(ends[0]), close(ends[1]);
        return error;
#endif
}

/* lmbench: bw_pipe.  One process writes chunks of arg bytes, one reads. */
static const char *test_pipe_bandwidth(struct run *run)
{
        int ends[2];
        pid_t child;
        char ready;

        if (pipe(ends) < 0)
                return failed("pipe");
        memset(buffer, 'm', sizeof buffer);
        child = fork();
        if (child < 0)
                return failed("fork");
        if (child == 0) {
                if (write_all(ends[1], "r", 1) < 0)
                        _exit(1);
                for (long i = 0; i < run->count; i++)
                        if (write_all(ends[1], buffer, run->arg) < 0)
                                _exit(1);
                _exit(0);
        }
        if (read_all(ends[0], &ready, 1) < 0)
                return failed("read");
        start(run);
        for (long i = 0; i < run->count; i++)
                if (read_all(ends[0], buffer, run->arg) < 0)
                        return failed("read");
        stop(run);
        waitpid(child, NULL, 0);
        close(ends[0]), close(ends[1]);
        return NULL;
}

/*
 * lmbench: lat_ctx -s 0, without its subtraction of the pipe cost.  A token
 * goes round arg processes; one operation is one hop: a one-byte write, a
 * switch to the next process, a one-byte read.
 */
static const char *test_context_ring(struct run *run)
{
        int   ends[MAX_RING][2];
        pid_t child[MAX_RING];
        int   size = (int)run->arg;
        long  laps = groups(run, size);

        for (int i = 0; i < size; i++)
                if (pipe(ends[i]) < 0)
                        return failed("pipe");
        for (int i = 1; i < size; i++) {
                child[i] = fork();
                if (child[i] < 0)
                        return failed("fork");
                if (child[i] == 0)
                        echo(ends[i][0], ends[(i + 1) % size][1], 1);
        }
        buffer[0] = 't';
        if (exchange(ends[1][1], ends[0][0], 1))
                return failed("exchange");
        start(run);
        for (long i = 0; i < laps; i++)
                if (exchange(ends[1][1], ends[0][0], 1))
                        return failed("exchange");
        stop(run);
        buffer[0] = 'q';
        exchange(ends[1][1], ends[0][0], 1);
        for (int i = 1; i < size; i++)
                waitpid(child[i], NULL, 0);
        for (int i = 0; i < size; i++)
                close(ends[i][0]), close(ends[i][1]);
        return NULL;
}

/* -------------------------------------------------------------- processes */

/* Fork, run program (NULL: just exit) in the child, and wait for it. */
static const char *fork_and_wait(struct run *run, char *const program[])
{
        start(run);
        for (long i = 0; i < run->count; i++) {
                int status;
                pid_t child = fork();

                if (child < 0)
                        return failed("fork");
                if (child == 0) {
                        if (program) {
                                execv(program[0], program);
                                _exit(127);
                        }
                        _exit(0);
                }
                if (waitpid(child, &status, 0) != child)
                        return failed("waitpid");
                if (status != 0)
                        return "the child failed";
        }
        stop(run);
        return NULL;
}

/* lmbench: lat_proc fork */
static const char *test_fork_exit(struct run *run)
{
        return fork_and_wait(run, NULL);
}

/* lmbench: lat_proc exec */
static const char *test_fork_exec(struct run *run)
{
        char *program[] = { self_path, "--true", NULL };

        return fork_and_wait(run, program);
}

/* lmbench: lat_proc shell */
static const char *test_fork_shell(struct run *run)
{
        static char command[sizeof self_path + 16];
        char *program[] = { "/bin/sh", "-c", command, NULL };

        if (access(program[0], X_OK) < 0)
                return failed(program[0]);
        snprintf(command, sizeof command, "%s --true", self_path);
        return fork_and_wait(run, program);
}

/* ----------------------------------------------------------------- memory */

#ifndef POSIXBENCH_NO_MMAP

static char *map_anonymous(long size)
{
        int protection = PROT_READ | PROT_WRITE;
#ifdef MAP_ANONYMOUS
        return mmap(NULL, (size_t)size, protection,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
#else
        int fd = open("/dev/zero", O_RDWR);
        char *map = mmap(NULL, (size_t)size, protection, MAP_PRIVATE, fd, 0);

        close(fd);
        return map;
#endif
}

/* lmbench: lat_mmap (there on a file).  One operation is one page. */
static const char *test_map_touch(struct run *run)
{
        const long size = 1 * MIB;
        long maps = groups(run, size / PAGE);

        start(run);
        for (long i = 0; i < maps; i++) {
                char *map = map_anonymous(size);

                if (map == MAP_FAILED)
                        return failed("mmap");
                for (long at = 0; at < size; at += PAGE)
                        ((volatile char *)map)[at] = 1;
                munmap(map, (size_t)size);
        }
        stop(run);
        return NULL;
}

static const char *test_map_unmap(struct run *run)
{
        start(run);
        for (long i = 0; i < run->count; i++) {
                char *map = map_anonymous(1 * MIB);

                if (map == MAP_FAILED)
                        return failed("mmap");
                munmap(map, 1 * MIB);
        }
        stop(run);
        return NULL;
}

/*
 * lmbench: lat_pagefault.  Touch each page of a cached file, mapped privately;
 * arg: 0 reads each page, 1 writes it (copy on write).  The map and unmap
 * calls are outside the timed part.
 */
static const char *test_file_fault(struct run *run)
{
        const long size = 1 * MIB;
        long maps = groups(run, size / PAGE);
        const char *error = make_data_file(size);
        int fd = open(DATA_FILE, O_RDWR);

        if (error || fd < 0)
                return failed("open");
        for (long i = 0; i < maps; i++) {
                volatile char *map = mmap(NULL, (size_t)size,
                                          PROT_READ | PROT_WRITE, MAP_PRIVATE,
                                          fd, 0);
                if ((void *)map == MAP_FAILED)
                        return failed("mmap");
                start(run);
                for (long at = 0; at < size; at += PAGE) {
                        if (run->arg)
                                map[at] = 1;
                        else
                                (void)map[at];
                }
                stop(run);
                munmap((void *)map, (size_t)size);
        }
        close(fd);
        return NULL;
}

static char *guarded;

static void unguard(int signal_number)
{
        (void)signal_number;
        mprotect(guarded, PAGE, PROT_READ | PROT_WRITE);
}

/*
 * lmbench: lat_sig prot.  One operation: mprotect to read-only, a write that
 * faults, the signal handler, which calls mprotect, and the write again.
 */
static const char *test_protection_fault(struct run *run)
{
        struct sigaction action, old_segv, old_bus;

        guarded = map_anonymous(PAGE);
        if (guarded == MAP_FAILED)
                return failed("mmap");
        *(volatile char *)guarded = 1;
        memset(&action, 0, sizeof action);
        action.sa_handler = unguard;
        sigaction(SIGSEGV, &action, &old_segv);
        sigaction(SIGBUS, &action, &old_bus);
        start(run);
        for (long i = 0; i < run->count; i++) {
                mprotect(guarded, PAGE, PROT_READ);
                *(volatile char *)guarded = 1;
        }
        stop(run);
        sigaction(SIGSEGV, &old_segv, NULL);
        sigaction(SIGBUS, &old_bus, NULL);
        munmap(guarded, PAGE);
        return NULL;
}

/* The two mprotect calls of the test above, with no fault. */
static const char *test_mprotect_pair(struct run *run)
{
        char *map = map_anonymous(PAGE);

        if (map == MAP_FAILED)
                return failed("mmap");
        *(volatile char *)map = 1;
        start(run);
        for (long i = 0; i < run->count; i++) {
                mprotect(map, PAGE, PROT_READ);
                mprotect(map, PAGE, PROT_READ | PROT_WRITE);
        }
        stop(run);
        munmap(map, PAGE);
        return NULL;
}

#else /* POSIXBENCH_NO_MMAP */

static const char *test_without_mmap(struct run *run)
{
        (void)run;
        return UNSUPPORTED;
}
# define test_map_touch         test_without_mmap
# define test_map_unmap         test_without_mmap
# define test_file_fault        test_without_mmap
# define test_protection_fault  test_without_mmap
# define test_mprotect_pair     test_without_mmap

#endif

/* Grow the heap by arg bytes, touch each page, shrink it again. */
static const char *test_break(struct run *run)
{
#ifdef POSIXBENCH_NO_SBRK
        (void)run;
        return UNSUPPORTED;
#else
        start(run);
        for (long i = 0; i < run->count; i++) {
                char *grown = sbrk((intptr_t)run->arg);

                if (grown == (char *)-1)
                        return failed("sbrk");
                for (long at = 0; at < run->arg; at += PAGE)
                        ((volatile char *)grown)[at] = 1;
                if (sbrk(-(intptr_t)run->arg) == (void *)-1)
                        return failed("sbrk back");
        }
        stop(run);
        return NULL;
#endif
}

/* Eight blocks of 1 MiB: allocate, touch each page, free.  Much libc. */
static const char *test_malloc(struct run *run)
{
        char *block[8];
        long rounds = groups(run, 8);

        start(run);
        for (long i = 0; i < rounds; i++) {
                for (int b = 0; b < 8; b++) {
                        block[b] = malloc(1 * MIB);
                        if (block[b] == NULL)
                                return failed("malloc");
                        for (long at = 0; at < 1 * MIB; at += PAGE)
                                ((volatile char *)block[b])[at] = 1;
                }
                for (int b = 0; b < 8; b++)
                        free(block[b]);
        }
        stop(run);
        return NULL;
}

/* ---------------------------------------------------------------- signals */

static volatile sig_atomic_t signals_caught;

static void count_signal(int signal_number)
{
        (void)signal_number;
        signals_caught++;
}

/* lmbench: lat_sig install */
static const char *test_signal_install(struct run *run)
{
        struct sigaction action, old;

        memset(&action, 0, sizeof action);
        action.sa_handler = count_signal;
        sigaction(SIGUSR1, &action, &old);
        start(run);
        for (long i = 0; i < run->count; i++)
                sigaction(SIGUSR1, &action, NULL);
        stop(run);
        sigaction(SIGUSR1, &old, NULL);
        return NULL;
}

/* lmbench: lat_sig catch */
static const char *test_signal_catch(struct run *run)
{
        struct sigaction action, old;
        pid_t self = getpid();
        long before = signals_caught;

        memset(&action, 0, sizeof action);
        action.sa_handler = count_signal;
        sigaction(SIGUSR1, &action, &old);
        start(run);
        for (long i = 0; i < run->count; i++)
                kill(self, SIGUSR1);
        stop(run);
        sigaction(SIGUSR1, &old, NULL);
        return signals_caught - before == run->count ? NULL : "signals were lost";
}

/* ---------------------------------------------------------- select, poll */

#if !defined POSIXBENCH_NO_SELECT || !defined POSIXBENCH_NO_POLL
static int idle_pipes[MAX_FDS][2];

static int open_idle_pipes(void)
{
        for (int i = 0; i < MAX_FDS; i++)
                if (pipe(idle_pipes[i]) < 0)
                        return -1;
        return 0;
}

static void close_idle_pipes(void)
{
        for (int i = 0; i < MAX_FDS; i++)
                close(idle_pipes[i][0]), close(idle_pipes[i][1]);
}
#endif

/* lmbench: lat_select, here on pipes: none ready, no waiting */
static const char *test_select(struct run *run)
{
#ifdef POSIXBENCH_NO_SELECT
        (void)run;
        return UNSUPPORTED;
#else
        fd_set all, ready;
        int highest = 0;

        if (open_idle_pipes() < 0)
                return failed("pipe");
        FD_ZERO(&all);
        for (int i = 0; i < MAX_FDS; i++) {
                FD_SET(idle_pipes[i][0], &all);
                if (idle_pipes[i][0] > highest)
                        highest = idle_pipes[i][0];
        }
        start(run);
        for (long i = 0; i < run->count; i++) {
                struct timeval none = { 0, 0 };

                ready = all;
                if (select(highest + 1, &ready, NULL, NULL, &none) != 0)
                        return failed("select");
        }
        stop(run);
        close_idle_pipes();
        return NULL;
#endif
}

static const char *test_poll(struct run *run)
{
#ifdef POSIXBENCH_NO_POLL
        (void)run;
        return UNSUPPORTED;
#else
        struct pollfd wanted[MAX_FDS];

        if (open_idle_pipes() < 0)
                return failed("pipe");
        for (int i = 0; i < MAX_FDS; i++) {
                wanted[i].fd = idle_pipes[i][0];
                wanted[i].events = POLLIN;
        }
        start(run);
        for (long i = 0; i < run->count; i++)
                if (poll(wanted, MAX_FDS, 0) != 0)
                        return failed("poll");
        stop(run);
        close_idle_pipes();
        return NULL;
#endif
}

/* ------------------------------------------------------------------ files */

static const char *create_files(long count, long size)
{
        for (long i = 0; i < count; i++) {
                int fd = open(file_names[i], O_WRONLY | O_CREAT | O_TRUNC, 0644);

                if (fd < 0)
                        return failed("create");
                if (size && write_all(fd, buffer, size) < 0)
                        return failed("write");
                close(fd);
        }
        return NULL;
}

static const char *remove_files(long count)
{
        for (long i = 0; i < count; i++)
                if (unlink(file_names[i]) < 0)
                        return failed("unlink");
        return NULL;
}

/* lmbench: lat_fs, files of arg bytes, all created before any is removed */
static const char *test_file_create(struct run *run)
{
        const char *error;

        if (run->count > FILES)
                run->count = FILES;
        start(run);
        error = create_files(run->count, run->arg);
        stop(run);
        return error ? error : remove_files(run->count);
}

static const char *test_file_unlink(struct run *run)
{
        const char *error;

        if (run->count > FILES)
                run->count = FILES;
        error = create_files(run->count, run->arg);
        if (error)
                return error;
        start(run);
        error = remove_files(run->count);
        stop(run);
        return error;
}

/* Write a new 16 MiB file in chunks of arg bytes, then fsync it. */
static const char *test_file_write(struct run *run)
{
        long chunks = 16 * MIB / run->arg;
        long files = groups(run, chunks);

        memset(buffer, 'w', sizeof buffer);
        for (long i = 0; i < files; i++) {
                int fd;

                unlink(DATA_FILE);
                start(run);
                fd = open(DATA_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0644);
                if (fd < 0)
                        return failed("create");
                for (long c = 0; c < chunks; c++)
                        if (write_all(fd, buffer, run->arg) < 0)
                                return failed("write");
                if (fsync(fd) < 0 && errno != EINVAL && errno != ENOSYS)
                        return failed("fsync");
                close(fd);
                stop(run);
        }
        return NULL;
}

/* lmbench: bw_file_rd.  Read a 16 MiB file that was just read. */
static const char *test_file_reread(struct run *run)
{
        long chunks = 16 * MIB / run->arg;
        long passes = groups(run, chunks);
        const char *error = make_data_file(16 * MIB);
        int fd = open(DATA_FILE, O_RDONLY);

        if (error || fd < 0)
                return failed("open");
        for (long c = 0; c < 16 * MIB / BUFFER_SIZE; c++)
                read_all(fd, buffer, BUFFER_SIZE);
        start(run);
        for (long i = 0; i < passes; i++) {
                if (lseek(fd, 0, SEEK_SET) != 0)
                        return failed("lseek");
                for (long c = 0; c < chunks; c++)
                        if (read(fd, buffer, (size_t)run->arg) != run->arg)
                                return failed("read");
        }
        stop(run);
        close(fd);
        unlink(DATA_FILE);
        return NULL;
}

/* Open, read to the end and close a directory of 1000 files. */
static const char *test_list_directory(struct run *run)
{
#ifdef POSIXBENCH_NO_DIRENT
        (void)run;
        return UNSUPPORTED;
#else
        const char *error = create_files(FILES, 0);

        if (error)
                return error;
        start(run);
        for (long i = 0; i < run->count; i++) {
                DIR *directory = opendir(".");
                long entries = 0;

                if (directory == NULL)
                        return failed("opendir");
                while (readdir(directory) != NULL)
                        entries++;
                closedir(directory);
                if (entries < FILES)
                        return "entries are missing";
        }
        stop(run);
        return remove_files(FILES);
#endif
}

/* ------------------------------------------------------------------ table */

static const struct test tests[] = {
        { "cpu_loop",       test_cpu_loop,        0,         20000, "1000 multiply-add steps, user mode" },
        { "clock_read",     test_clock_read,      0,         50000, "one clock reading" },
        { "getppid",        test_getppid,         0,        100000, "getppid (null system call)" },
        { "getpid",         test_getpid,          0,        100000, "getpid" },
        { "read_zero_1",    test_read_zero,       0,         50000, "read 1 byte, /dev/zero" },
        { "write_null_1",   test_write_null,      0,         50000, "write 1 byte, /dev/null" },
        { "stat",           test_stat,            0,         20000, "stat, relative name" },
        { "fstat",          test_fstat,           0,         50000, "fstat" },
        { "open_close",     test_open_close,      0,         20000, "open + close, relative name" },
        { "dup_close",      test_dup_close,       0,         50000, "dup + close" },
        { "getcwd",         test_getcwd,          0,         20000, "getcwd" },
        { "select_10",      test_select,          0,         20000, "select, 10 idle pipes, no wait" },
        { "poll_10",        test_poll,            0,         20000, "poll, 10 idle pipes, no wait" },
        { "sig_install",    test_signal_install,  0,         50000, "sigaction" },
        { "sig_catch",      test_signal_catch,    0,         20000, "kill self + handler + return" },
        { "prot_fault",     test_protection_fault, 0,        10000, "mprotect + fault + handler(mprotect) + retry" },
        { "mprotect_pair",  test_mprotect_pair,   0,         10000, "mprotect read-only + mprotect read-write" },
        { "map_unmap_1m",   test_map_unmap,       0,         10000, "mmap + munmap 1 MiB, untouched" },
        { "map_touch_1m",   test_map_touch,       0,         25600, "one page of mmap 1 MiB + write each page + munmap" },
        { "file_fault_rd",  test_file_fault,      0,         25600, "first read of one page, private file map" },
        { "file_fault_wr",  test_file_fault,      1,         25600, "first write of one page, private file map" },
        { "brk_64k",        test_break,           64 * KIB,   2000, "sbrk 64 KiB + touch 16 pages + sbrk back" },
        { "malloc_1m",      test_malloc,          0,           160, "malloc 1 MiB + touch 256 pages + free" },
        { "pipe_rtt_1",     test_pipe_round_trip, 1,         10000, "1 byte there and back, two pipes" },
        { "pipe_rtt_4k",    test_pipe_round_trip, 4 * KIB,    5000, "4 KiB there and back, two pipes" },
        { "unix_rtt_1",     test_unix_round_trip, 1,         10000, "1 byte there and back, AF_UNIX stream" },
        { "pipe_bw_64k",    test_pipe_bandwidth,  64 * KIB,   1024, "64 KiB through a pipe" },
        { "ctx_ring_2",     test_context_ring,    2,         10000, "one hop, 2 processes" },
        { "ctx_ring_8",     test_context_ring,    8,         10000, "one hop, 8 processes" },
        { "fork_exit",      test_fork_exit,       0,           400, "fork + _exit + waitpid" },
        { "fork_exec",      test_fork_exec,       0,           200, "fork + exec self + waitpid" },
        { "fork_sh",        test_fork_shell,      0,           100, "fork + exec /bin/sh -c 'self --true' + waitpid" },
        { "create_0k",      test_file_create,     0,          1000, "create + close" },
        { "unlink_0k",      test_file_unlink,     0,          1000, "unlink an empty file" },
        { "create_1k",      test_file_create,     1 * KIB,    1000, "create + write 1 KiB + close" },
        { "unlink_1k",      test_file_unlink,     1 * KIB,    1000, "unlink a 1 KiB file" },
        { "create_10k",     test_file_create,     10 * KIB,   1000, "create + write 10 KiB + close" },
        { "unlink_10k",     test_file_unlink,     10 * KIB,   1000, "unlink a 10 KiB file" },
        { "file_write_4k",  test_file_write,      4 * KIB,    8192, "4 KiB of writing 16 MiB + fsync" },
        { "file_write_64k", test_file_write,      64 * KIB,    512, "64 KiB of writing 16 MiB + fsync" },
        { "file_reread_4k", test_file_reread,     4 * KIB,   16384, "4 KiB of rereading 16 MiB" },
        { "file_reread_64k", test_file_reread,    64 * KIB,   1024, "64 KiB of rereading 16 MiB" },
        { "list_1000",      test_list_directory,  0,            40, "list a directory of 1000 files" },
};

#define TESTS (sizeof tests / sizeof tests[0])

/* ------------------------------------------------------------------- main */

static int wanted(const char *name, char **filters)
{
        if (*filters == NULL)
                return 1;
        for (; *filters; filters++) {
                const char *filter = *filters;

                if (filter[0] == '=' ? strcmp(name, filter + 1) == 0
                                     : strstr(name, filter) != NULL)
                        return 1;
        }
        return 0;
}

static const char *measure(const struct test *test, long count, struct run *run)
{
        memset(run, 0, sizeof *run);
        run->arg = test->arg;
        run->count = count > 0 ? count : 1;
        return test->function(run);
}

static int run_test(const struct test *test, long percent)
{
        long count = test->count * percent / 100;
        struct run run;
        const char *error = measure(test, count / 20, &run);

        if (error == NULL)
                error = measure(test, count, &run);
        if (error) {
                printf("# skipped %s: %s\n", test->name, error);
        } else {
                unsigned long long ops = (unsigned long long)run.count;
                unsigned long long total = (unsigned long long)run.total_ns;

                printf("%s\t%llu\t%llu\t%llu.%02llu\n", test->name, ops, total,
                       total / ops, total % ops * 100 / ops);
        }
        fflush(stdout);
        return error != NULL;
}

static void find_self(const char *argv0)
{
        if (argv0[0] == '/' || getcwd(self_path, sizeof self_path) == NULL) {
                snprintf(self_path, sizeof self_path, "%s", argv0);
        } else {
                size_t length = strlen(self_path);

                snprintf(self_path + length, sizeof self_path - length, "/%s", argv0);
        }
}

int main(int argc, char **argv)
{
        const char *directory = ".";
        long percent = 100;
        int option, list = 0, failures = 0;

        if (argc > 1 && strcmp(argv[1], "--true") == 0)
                _exit(0);
        find_self(argv[0]);
        while ((option = getopt(argc, argv, "d:s:x:l")) != -1) {
                switch (option) {
                case 'd': directory = optarg; break;
                case 's': percent = atol(optarg); break;
                case 'x': snprintf(self_path, sizeof self_path, "%s", optarg); break;
                case 'l': list = 1; break;
                default:
                        fprintf(stderr, "usage: posixbench [-d dir] [-s percent]"
                                        " [-x self] [-l] [filter...]\n");
                        return 2;
                }
        }
        for (int i = 0; i < FILES; i++)
                snprintf(file_names[i], sizeof file_names[i], "f%03d", i);
        if (!list && (chdir(directory) < 0
                      || (mkdir(WORK_DIRECTORY, 0755) < 0 && errno != EEXIST)
                      || chdir(WORK_DIRECTORY) < 0)) {
                fprintf(stderr, "posixbench: %s: %s\n", directory, strerror(errno));
                return 1;
        }
        for (size_t i = 0; i < TESTS; i++) {
                if (!wanted(tests[i].name, argv + optind))
                        continue;
                if (list)
                        printf("# %-16s %ld x %s\n", tests[i].name,
                               tests[i].count, tests[i].operation);
                else
                        failures += run_test(&tests[i], percent);
        }
        if (!list) {
                unlink(DATA_FILE);
                if (chdir("..") == 0)
                        rmdir(WORK_DIRECTORY);
        }
        return failures != 0;
}
