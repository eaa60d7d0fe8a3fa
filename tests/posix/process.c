/* SPDX-License-Identifier: MIT */
/*
 * Processes as POSIX has them: waiting in all its forms, groups and sessions,
 * scripts, running programs that may not be written, credentials, FIFOs,
 * record locks, timers.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static volatile sig_atomic_t caught;

static void
handler(int number)
{
    (void)number;
    caught++;
}

/* Run in a child: its wait status. */
static int
in_child(void (*function)(void))
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        alarm(20);
        function();
        _exit(0);
    }

    waitpid(child, &status, 0);
    return status;
}

static int
exits_with(int status, int code)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

/* -- Waiting --------------------------------------------------------------- */

static void
test_wait(void)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        for (;;) {
            pause();
        }
    }

    ok(waitpid(child, &status, WNOHANG) == 0, "nothing to tell yet");
    kill(child, SIGSTOP);
    ok(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) &&
           WSTOPSIG(status) == SIGSTOP,
       "it stopped");
    ok(waitpid(child, &status, WUNTRACED | WNOHANG) == 0, "told once");
    kill(child, SIGCONT);
    ok(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status),
       "it went on");
    kill(child, SIGSTOP);
    (void)waitpid(child, &status, WUNTRACED);
    kill(child, SIGTERM);
    ok(waitpid(child, &status, WNOHANG) == 0, "SIGTERM waits for SIGCONT");
    kill(child, SIGCONT);
    ok(waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGTERM,
       "and then ends it");
    ok(waitpid(child, &status, 0) == -1 && errno == ECHILD, "ECHILD");

    child = fork();

    if (child == 0) {
        for (;;) {
        }
    }

    kill(child, SIGSTOP);
    (void)waitpid(child, &status, WUNTRACED);
    kill(child, SIGKILL);
    ok(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL,
       "SIGKILL ends what is stopped");
}

static void
ignore_children(void)
{
    int status;

    signal(SIGCHLD, SIG_IGN);

    if (fork() == 0) {
        _exit(0);
    }

    _exit(wait(&status) == -1 && errno == ECHILD ? 0 : 1);
}

/* The parent dies: the child is given to number 1. */
static void
orphan(void)
{
    int ends[2];
    pid_t parent = 0;

    if (pipe(ends) != 0) {
        _exit(2);
    }

    if (fork() == 0) {
        if (fork() == 0) {
            while (getppid() != 1) {
                usleep(1000);
            }

            parent = getppid();
            (void)write(ends[1], &parent, sizeof(parent));
            _exit(0);
        }

        _exit(0);
    }

    (void)wait(NULL);
    (void)read(ends[0], &parent, sizeof(parent));
    _exit(parent == 1 ? 0 : 1);
}

static void
usage(void)
{
    struct rusage self;
    struct rusage children;
    volatile unsigned long n;
    pid_t child;

    for (n = 0; n < 30000000; n++) {
    }

    child = fork();

    if (child == 0) {
        for (n = 0; n < 30000000; n++) {
        }

        _exit(0);
    }

    (void)waitpid(child, NULL, 0);
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    _exit(self.ru_utime.tv_sec * 1000000 + self.ru_utime.tv_usec > 1000 &&
                  children.ru_utime.tv_sec * 1000000 +
                          children.ru_utime.tv_usec >
                      1000
              ? 0
              : 1);
}

/* -- Groups ---------------------------------------------------------------- */

static void
groups(void)
{
    pid_t child = fork();

    if (child == 0) {
        pause();
        _exit(0);
    }

    if (setpgid(child, child) != 0 || getpgid(child) != child) {
        _exit(1);
    }

    if (setpgid(child, 29999) != -1 || errno != EPERM) {
        _exit(2);
    }

    if (kill(-child, SIGTERM) != 0 || waitpid(-child, NULL, 0) != child) {
        _exit(3);
    }

    if (kill(-child, 0) != -1 || errno != ESRCH) {
        _exit(4);
    }

    if (setsid() != getpid() || getsid(0) != getpid() ||
        getpgrp() != getpid()) {
        _exit(5);
    }

    if (setsid() != -1 || errno != EPERM) {
        _exit(6);
    }

    if (open("/dev/tty", O_RDWR) != -1 || errno != ENXIO) {
        _exit(7);
    }
}

/* -- Programs -------------------------------------------------------------- */

static void
put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

    (void)write(fd, text, strlen(text));
    close(fd);
}

static int
run(const char *path, char *const *argv)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        execv(path, argv);
        _exit(100 + (errno & 63));
    }

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_programs(void)
{
    char *const args[] = { (char *)"name", (char *)"x", NULL };
    int fd;
    pid_t child;

    put("/tmp/script", "#!/bin/sh\ntest \"$0 $1\" = \"/tmp/script x\" && "
                       "exit 42\n");
    ok(run("/tmp/script", args) == 42, "a script gets its name and arguments");
    put("/tmp/script2", "#!/tmp/script\n");
    ok(run("/tmp/script2", args) != -1, "a script's script");
    put("/tmp/loop", "#!/tmp/loop\n");
    ok(run("/tmp/loop", args) == 100 + (ELOOP & 63), "a script of itself");
    put("/tmp/none", "#!/nowhere/sh\n");
    ok(run("/tmp/none", args) == 100 + ENOENT, "no such interpreter");
    put("/tmp/text", "just text\n");
    ok(run("/tmp/text", args) == 100 + ENOEXEC, "text: ENOEXEC");
    put("/tmp/short", "\177ELF");
    ok(run("/tmp/short", args) == 100 + ENOEXEC, "half an ELF header");
    chmod("/tmp/script", 0644);
    ok(run("/tmp/script", args) == 100 + EACCES, "not executable");
    ok(run("/tmp", args) == 100 + EACCES, "a folder");

    system("cp /bin/sh /tmp/program");
    child = fork();

    if (child == 0) {
        execl("/tmp/program", "sh", "-c", "sleep 5; true", NULL);
        _exit(1);
    }

    usleep(100000);
    ok(open("/tmp/program", O_WRONLY) == -1 && errno == ETXTBSY,
       "a running program can't be written");
    kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    fd = open("/tmp/program", O_WRONLY);
    ok(fd >= 0, "afterwards it can");
    ok(run("/tmp/program", args) == 100 + ETXTBSY,
       "what is open to write can't be run");
    close(fd);
    ok(unlink("/tmp/program") == 0, "unlink");
}

static void
close_on_exec(void)
{
    char text[40];
    int keep = open("/dev/null", O_RDONLY);
    int lose = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)snprintf(text, sizeof(text), "true <&%d && ! true <&%d", keep, lose);
    close(2);
    execl("/bin/sh", "sh", "-c", text, NULL);
    _exit(9);
}

/* -- Credentials ----------------------------------------------------------- */

static void
give_up_root(void)
{
    put("/tmp/private", "x");
    chmod("/tmp/private", 0600);

    if (setgid(7) != 0 || setuid(5) != 0) {
        _exit(1);
    }

    if (getuid() != 5 || geteuid() != 5 || getgid() != 7) {
        _exit(2);
    }

    if (setuid(0) != -1 || errno != EPERM) {
        _exit(3);
    }

    if (open("/tmp/private", O_RDONLY) != -1 || errno != EACCES) {
        _exit(4);
    }

    if (unlink("/tmp/private") != -1 || errno != EPERM) {
        _exit(5); /* /tmp is sticky */
    }

    if (kill(1, SIGTERM) != -1 || errno != EPERM) {
        _exit(6);
    }

    if (mkdir("/folder", 0755) != -1 || errno != EACCES) {
        _exit(7);
    }

    if (sethostname("x", 1) != -1 || errno != EPERM) {
        _exit(8);
    }
}

static void
set_user_id(void)
{
    struct stat status;

    system("cp /bin/id /tmp/id; chmod 4755 /tmp/id");

    if (stat("/tmp/id", &status) != 0 || (status.st_mode & S_ISUID) == 0) {
        _exit(1);
    }

    if (setuid(5) != 0) {
        _exit(2);
    }

    _exit(system("test $(/tmp/id -u) = 0 && test $(/tmp/id -ru) = 5") == 0 ? 0
                                                                           : 3);
}

/* -- FIFOs, locks, timers -------------------------------------------------- */

static void
fifo(void)
{
    char byte = 0;
    int fd;

    unlink("/tmp/fifo");

    if (mkfifo("/tmp/fifo", 0600) != 0) {
        _exit(1);
    }

    if (open("/tmp/fifo", O_WRONLY | O_NONBLOCK) != -1 || errno != ENXIO) {
        _exit(2);
    }

    if (fork() == 0) {
        usleep(50000);
        fd = open("/tmp/fifo", O_WRONLY);
        (void)write(fd, "z", 1);
        _exit(0);
    }

    fd = open("/tmp/fifo", O_RDONLY);

    if (fd < 0 || read(fd, &byte, 1) != 1 || byte != 'z') {
        _exit(3);
    }

    (void)wait(NULL);

    if (read(fd, &byte, 1) != 0) {
        _exit(4);
    }

    /* The reader is there, the writer has come and gone before it looks. */
    if (fork() == 0) {
        fd = open("/tmp/fifo", O_WRONLY);
        close(fd);
        _exit(0);
    }

    close(fd);
    fd = open("/tmp/fifo", O_RDONLY);
    _exit(fd >= 0 ? 0 : 5);
}

static struct flock
range(int type, off_t start, off_t length)
{
    struct flock lock = {
        .l_type = (short)type,
        .l_whence = SEEK_SET,
        .l_start = start,
        .l_len = length,
    };

    return lock;
}

static void
locks(void)
{
    struct flock lock = range(F_WRLCK, 10, 10);
    int fd = open("/tmp/locked", O_RDWR | O_CREAT, 0600);
    pid_t child;
    int status;

    if (fcntl(fd, F_SETLK, &lock) != 0) {
        _exit(1);
    }

    child = fork();

    if (child == 0) {
        struct flock other = range(F_WRLCK, 15, 1);

        if (fcntl(fd, F_SETLK, &other) != -1 || errno != EAGAIN) {
            _exit(1);
        }

        if (fcntl(fd, F_GETLK, &other) != 0 || other.l_pid != getppid() ||
            other.l_start != 10 || other.l_len != 10) {
            _exit(2);
        }

        other = range(F_WRLCK, 20, 0);

        if (fcntl(fd, F_SETLK, &other) != 0) {
            _exit(3);
        }

        other = range(F_WRLCK, 12, 2);
        _exit(fcntl(fd, F_SETLKW, &other) == 0 ? 0 : 4);
    }

    usleep(100000);
    lock = range(F_UNLCK, 12, 2);
    (void)fcntl(fd, F_SETLK, &lock);
    (void)waitpid(child, &status, 0);
    _exit(exits_with(status, 0) ? 0 : 10 + WEXITSTATUS(status));
}

static void
interval(void)
{
    struct itimerval timer = { { 0, 10000 }, { 0, 10000 } };
    struct sigaction action;
    struct itimerval old;
    int i;

    memset(&action, 0, sizeof(action));
    action.sa_handler = handler;
    sigaction(SIGALRM, &action, NULL);

    if (setitimer(ITIMER_REAL, &timer, NULL) != 0) {
        _exit(1);
    }

    for (i = 0; i < 1000 && caught < 5; i++) {
        pause();
    }

    if (getitimer(ITIMER_REAL, &old) != 0 || old.it_interval.tv_usec != 10000) {
        _exit(2);
    }

    memset(&timer, 0, sizeof(timer));
    _exit(setitimer(ITIMER_REAL, &timer, &old) == 0 && caught >= 5 ? 0 : 3);
}

static void
limits(void)
{
    struct rlimit limit = { 1000, 1000 };
    char block[600];
    int fd = open("/tmp/limited", O_RDWR | O_CREAT | O_TRUNC, 0600);

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    memset(block, 1, sizeof(block));

    if (write(fd, block, 600) != 600 || write(fd, block, 600) != 400) {
        _exit(1);
    }

    if (write(fd, block, 1) != -1 || errno != EFBIG) {
        _exit(2);
    }

    limit.rlim_cur = 10;
    limit.rlim_max = 10;
    setrlimit(RLIMIT_NOFILE, &limit);

    while (fd >= 0 && fd < 20) {
        fd = open("/dev/null", O_RDONLY);
    }

    _exit(fd == -1 && errno == EMFILE ? 0 : 3);
}

static void
poll_all(void)
{
    struct pollfd fds[4];
    int a[2];
    int b[2];

    if (pipe(a) != 0 || pipe(b) != 0) {
        _exit(1);
    }

    fds[0].fd = a[0];
    fds[0].events = POLLIN;
    fds[1].fd = b[0];
    fds[1].events = POLLIN;
    fds[2].fd = -1;
    fds[3].fd = 77;
    fds[3].events = POLLIN;

    if (poll(fds, 3, 20) != 0) {
        _exit(2);
    }

    if (poll(fds, 4, -1) != 1 || fds[3].revents != POLLNVAL) {
        _exit(3);
    }

    if (fork() == 0) {
        usleep(20000);
        (void)write(b[1], "x", 1);
        _exit(0);
    }

    if (poll(fds, 3, 5000) != 1 || fds[1].revents != POLLIN) {
        _exit(4);
    }

    (void)wait(NULL);
    close(a[1]);

    if (poll(fds, 1, 5000) != 1 || fds[0].revents != POLLHUP) {
        _exit(5);
    }
}

static void
pipe_capacity(void)
{
    static char block[5000];
    int ends[2];
    long total = 0;
    ssize_t count;

    if (pipe(ends) != 0) {
        _exit(1);
    }

    fcntl(ends[1], F_SETFL, O_NONBLOCK);

    while ((count = write(ends[1], block, 4096)) > 0) {
        if (count != 4096) {
            _exit(2); /* PIPE_BUF bytes go in whole */
        }

        total += count;
    }

    if (errno != EAGAIN || total < 4096) {
        _exit(3);
    }

    (void)read(ends[0], block, 100);

    if (write(ends[1], block, 4096) != -1 || errno != EAGAIN) {
        _exit(4);
    }

    _exit(write(ends[1], block, 100) == 100 ? 0 : 5);
}

static const struct {
    const char *name;
    void (*function)(void);
} tests[] = {
    { "children that nobody waits for", ignore_children },
    { "orphans go to number 1", orphan },
    { "the use of the processor", usage },
    { "groups and sessions", groups },
    { "close on exec", close_on_exec },
    { "a user without privilege", give_up_root },
    { "set-user-id", set_user_id },
    { "a FIFO", fifo },
    { "record locks", locks },
    { "an interval timer", interval },
    { "limits", limits },
    { "poll", poll_all },
    { "what a pipe holds", pipe_capacity },
};

int
main(void)
{
    size_t i;

    test_wait();
    test_programs();

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        int status = in_child(tests[i].function);

        ok(exits_with(status, 0), "%s (status 0x%x)", tests[i].name,
           (unsigned int)status);
    }

    return tap_done();
}
