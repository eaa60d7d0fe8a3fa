/* SPDX-License-Identifier: MIT */
/*
 * Signals in detail: what a handler is told, which signals it blocks, where
 * it runs, what a call that it interrupted does.
 */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static volatile sig_atomic_t count;
static volatile sig_atomic_t blocked;
static siginfo_t seen;
static char *volatile handler_stack;

static void
handler(int sig, siginfo_t *info, void *context)
{
    sigset_t mask;
    char here;

    (void)sig;
    (void)context;
    count++;
    seen = *info;
    handler_stack = &here;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    blocked = sigismember(&mask, SIGUSR1) + 2 * sigismember(&mask, SIGUSR2);
}

static void catch (int sig, int flags, int also)
{
    struct sigaction action = { .sa_sigaction = handler,
                                .sa_flags = SA_SIGINFO | flags };

    sigemptyset(&action.sa_mask);

    if (also != 0) {
        sigaddset(&action.sa_mask, also);
    }

    sigaction(sig, &action, NULL);
    count = 0;
    blocked = 0;
}

static void
test_action(void)
{
    struct sigaction old;

    catch (SIGUSR1, 0, SIGUSR2);
    raise(SIGUSR1);
    ok(count == 1 && seen.si_signo == SIGUSR1 && seen.si_pid == getpid() &&
           seen.si_uid == getuid() && seen.si_code == SI_USER,
       "siginfo says who sent it");
    ok(blocked == 3, "the signal itself and sa_mask are blocked");
    sigprocmask(SIG_BLOCK, NULL, &old.sa_mask);
    ok(!sigismember(&old.sa_mask, SIGUSR1) &&
           !sigismember(&old.sa_mask, SIGUSR2),
       "and not afterwards");
    catch (SIGUSR1, SA_NODEFER, 0);
    raise(SIGUSR1);
    ok(blocked == 0, "SA_NODEFER");
    catch (SIGUSR1, (int)SA_RESETHAND, 0);
    raise(SIGUSR1);
    ok(sigaction(SIGUSR1, NULL, &old) == 0 && count == 1 &&
           old.sa_handler == SIG_DFL,
       "SA_RESETHAND");
    errno = 0;
    ok(signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL,
       "SIGKILL can't be ignored");
    errno = 0;
    ok(kill(getpid(), 99) == -1 && errno == EINVAL, "no signal 99");
    ok(kill(getpid(), 0) == 0, "signal 0 to oneself");
    errno = 0;
    ok(kill(30000, 0) == -1 && errno == ESRCH, "no process 30000: ESRCH");
}

static void
test_altstack(void)
{
    size_t size = 65536;
    char *memory = malloc(size);
    stack_t stack = { .ss_sp = memory, .ss_size = size };
    stack_t old;

    ok(sigaltstack(&stack, NULL) == 0, "sigaltstack");
    catch (SIGUSR1, SA_ONSTACK, 0);
    raise(SIGUSR1);
    ok(count == 1 && handler_stack >= memory && handler_stack < memory + size,
       "SA_ONSTACK");
    stack.ss_flags = SS_DISABLE;
    ok(sigaltstack(&stack, &old) == 0 && old.ss_sp == memory, "SS_DISABLE");
    raise(SIGUSR1);
    ok(count == 2 && (handler_stack < memory || handler_stack >= memory + size),
       "the usual stack again");
    free(memory);
}

/* A child that sends the parent `sig` after a while and then writes. */
static pid_t
disturber(int sig, int fd)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid == 0) {
        usleep(50000);
        kill(parent, sig);
        usleep(50000);
        write(fd, "x", 1);
        _exit(0);
    }

    return pid;
}

static void
test_interrupted(void)
{
    char byte;
    int ends[2];
    pid_t pid;

    pipe(ends);
    catch (SIGUSR1, 0, 0);
    pid = disturber(SIGUSR1, ends[1]);
    errno = 0;
    ok(read(ends[0], &byte, 1) == -1 && errno == EINTR && count == 1,
       "a read without SA_RESTART: EINTR");
    ok(read(ends[0], &byte, 1) == 1 && byte == 'x', "the byte comes later");
    waitpid(pid, NULL, 0);
    catch (SIGUSR1, SA_RESTART, 0);
    pid = disturber(SIGUSR1, ends[1]);
    ok(read(ends[0], &byte, 1) == 1 && byte == 'x' && count == 1,
       "a read with SA_RESTART goes on");
    waitpid(pid, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

static void
test_suspend(void)
{
    sigset_t all, old, wait_mask;
    int ends[2];
    pid_t pid;

    pipe(ends);
    catch (SIGUSR2, 0, 0);
    sigemptyset(&all);
    sigaddset(&all, SIGUSR2);
    sigprocmask(SIG_BLOCK, &all, &old);
    pid = disturber(SIGUSR2, ends[1]);
    wait_mask = old;
    errno = 0;
    ok(sigsuspend(&wait_mask) == -1 && errno == EINTR && count == 1,
       "sigsuspend waits for it");
    sigprocmask(SIG_BLOCK, NULL, &wait_mask);
    ok(sigismember(&wait_mask, SIGUSR2) == 1, "and the mask is as before");
    kill(getpid(), SIGUSR2);
    sigpending(&wait_mask);
    ok(sigismember(&wait_mask, SIGUSR2) == 1 && count == 1, "sigpending");
    sigprocmask(SIG_SETMASK, &old, NULL);
    ok(count == 2, "it comes when it is let in");
    waitpid(pid, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

static sigjmp_buf jump;

static void
jump_out(int sig)
{
    siglongjmp(jump, sig);
}

static int
touch_null(void)
{
    int sig = sigsetjmp(jump, 1);

    if (sig == 0) {
        *(volatile int *)8 = 1;
    }

    return sig;
}

static int
divide(volatile int by)
{
    int sig = sigsetjmp(jump, 1);

    if (sig == 0) {
        return 1000 / by - 100000;
    }

    return sig;
}

static void
test_faults(void)
{
    int good = 1;

    signal(SIGSEGV, jump_out);
    signal(SIGFPE, jump_out);

    for (int i = 0; i < 100; i++) {
        good &= touch_null() == SIGSEGV;
    }

    ok(good, "a hundred SIGSEGV, each left by siglongjmp");
    ok(divide(0) == SIGFPE, "SIGFPE");
    catch (SIGSEGV, 0, 0);
    signal(SIGSEGV, SIG_DFL);
}

/* The timer comes while the processor is busy with doubles. */
static void
test_computing(void)
{
    struct itimerval timer = { { 0, 10000 }, { 0, 10000 } };
    struct itimerval off = { { 0, 0 }, { 0, 0 } };
    volatile double sum = 0;
    double expected = 0;
    long turns = 0;

    catch (SIGALRM, 0, 0);
    setitimer(ITIMER_REAL, &timer, NULL);

    while (count < 20 && turns < 2000000000L) {
        sum = sum * 0.5 + (double)turns;
        expected = expected * 0.5 + (double)turns;
        turns++;
    }

    setitimer(ITIMER_REAL, &off, NULL);
    ok(count >= 20 && sum == expected,
       "twenty timer signals leave a computation alone");
}

int
main(void)
{
    test_action();
    test_altstack();
    test_interrupted();
    test_suspend();
    test_faults();
    test_computing();
    return tap_done();
}
