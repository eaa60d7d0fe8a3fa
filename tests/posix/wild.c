/* SPDX-License-Identifier: MIT */
/*
 * Wild pointers and lengths to every call: each is made in a child, which may
 * get an error or a signal, but must come to an end; and the parent must find
 * the system as it was.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

static void *wild;
static size_t length;
static struct timeval zero;

static int
file(void)
{
    return open("/tmp/wild", O_RDWR | O_CREAT, 0600);
}

#define CASE(name, call)                                                       \
    static void case_##name(void)                                              \
    {                                                                          \
        (void)(call);                                                          \
    }

CASE(read, read(file(), wild, length))
CASE(read_zero, read(open("/dev/zero", O_RDONLY), wild, length))
CASE(write, write(file(), wild, length))
CASE(pread, pread(file(), wild, length, 1L << 62))
CASE(pwrite, pwrite(file(), wild, length, 0))
CASE(readv, readv(file(), wild, 10))
CASE(writev, writev(file(), wild, 10))
CASE(open, open(wild, O_RDWR | O_CREAT, 0600))
CASE(stat, stat(wild, wild))
CASE(stat_out, stat("/", wild))
CASE(fstat, fstat(0, wild))
CASE(access, access(wild, 0))
CASE(link, link(wild, "/tmp/x"))
CASE(symlink, symlink(wild, wild))
CASE(readlink, readlink(wild, wild, length))
CASE(unlink, unlink(wild))
CASE(rename, rename(wild, wild))
CASE(mkdir, mkdir(wild, 0))
CASE(mknod, mknod(wild, 0, 0))
CASE(chmod, chmod(wild, 0))
CASE(chdir, chdir(wild))
CASE(getcwd, getcwd(wild, length))
CASE(execve, execve(wild, wild, wild))
CASE(execve_args, execve("/bin/sh", wild, NULL))
CASE(wait, wait4(-1, wild, WNOHANG, wild))
CASE(pipe, pipe(wild))
CASE(sigaction, sigaction(SIGUSR1, wild, wild))
CASE(sigprocmask, sigprocmask(SIG_SETMASK, wild, wild))
CASE(sigaltstack, sigaltstack(wild, wild))
CASE(nanosleep, nanosleep(wild, wild))
CASE(clock, clock_gettime(CLOCK_REALTIME, wild))
CASE(getrusage, getrusage(RUSAGE_SELF, wild))
CASE(getrlimit, getrlimit(RLIMIT_STACK, wild))
CASE(times, times(wild))
CASE(uname, uname(wild))
CASE(gethostname, gethostname(wild, length))
CASE(getgroups, getgroups(16, wild))
CASE(setgroups, getgroups((int)length, wild))
CASE(poll, poll(wild, length, 0))
CASE(select, select(1024, wild, wild, wild, &zero))
CASE(tcgetattr, tcgetattr(0, wild))
CASE(tcsetattr, tcsetattr(0, TCSANOW, wild))
CASE(ioctl, ioctl(0, TIOCSWINSZ, wild))
CASE(itimer, setitimer(ITIMER_REAL, wild, wild))
CASE(utimens, utimensat(AT_FDCWD, wild, wild, 0))
CASE(opendir, opendir(wild))
CASE(mmap, mmap(wild, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
CASE(mmap_fixed, mmap(wild, length, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0))
CASE(munmap, munmap(wild, length))
CASE(mprotect, mprotect(wild, length, PROT_NONE))
CASE(sbrk, sbrk((ptrdiff_t)length))

#undef CASE
#define CASE(name)                                                             \
    {                                                                          \
#name, case_##name                                                     \
    }

static const struct {
    const char *name;
    void (*function)(void);
} cases[] = {
    CASE(read),        CASE(read_zero), CASE(write),     CASE(pread),
    CASE(pwrite),      CASE(readv),     CASE(writev),    CASE(open),
    CASE(stat),        CASE(stat_out),  CASE(fstat),     CASE(access),
    CASE(link),        CASE(symlink),   CASE(readlink),  CASE(unlink),
    CASE(rename),      CASE(mkdir),     CASE(mknod),     CASE(chmod),
    CASE(chdir),       CASE(getcwd),    CASE(execve),    CASE(execve_args),
    CASE(wait),        CASE(pipe),      CASE(sigaction), CASE(sigprocmask),
    CASE(sigaltstack), CASE(nanosleep), CASE(clock),     CASE(getrusage),
    CASE(getrlimit),   CASE(times),     CASE(uname),     CASE(gethostname),
    CASE(getgroups),   CASE(setgroups), CASE(poll),      CASE(select),
    CASE(tcgetattr),   CASE(tcsetattr), CASE(ioctl),     CASE(itimer),
    CASE(utimens),     CASE(opendir),   CASE(mmap),      CASE(mmap_fixed),
    CASE(munmap),      CASE(mprotect),  CASE(sbrk),
};

static const uintptr_t addresses[] = {
    0,
    1,
    0x1000,
    0x7fffffffe000,
    0x800000000000,
    0xffff800000000000,
    0xfffffffffffff000,
    0xffffffffffffffff,
    0x401000,
    0x123456789abc,
};

static const size_t lengths[] = {
    1, 4096, 65537, (size_t)1 << 40, SIZE_MAX / 2, SIZE_MAX,
};

/* Returns whether the child came to an end. */
static int
run(void (*function)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        alarm(5);
        function();
        _exit(0);
    }

    return pid > 0 && waitpid(pid, &status, 0) == pid &&
           !(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
}

int
main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int good = 1;

        for (size_t j = 0; j < sizeof(addresses) / sizeof(addresses[0]); j++) {
            wild = (void *)addresses[j];
            length = lengths[(i + j) % (sizeof(lengths) / sizeof(lengths[0]))];
            good &= run(cases[i].function);
        }

        ok(good, "%s", cases[i].name);
    }

    unlink("/tmp/wild");
    return tap_done();
}
