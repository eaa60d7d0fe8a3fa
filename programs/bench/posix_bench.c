/* SPDX-License-Identifier: MIT */
/*
 * POSIX operations, each as lmbench and posixbench measure it, so that the
 * figures stand beside those of other systems.
 */

#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operation.h"

static int there[2];
static int back[2];
static pid_t partner;

static const char *
run_getppid(long count)
{
    while (count > 0) {
        getppid();
        count -= 1;
    }

    return NULL;
}

/* Two pipes and a process that sends back what it gets. */
static const char *
setup_pipes(void)
{
    char byte;

    if (pipe(there) != 0 || pipe(back) != 0) {
        return "no pipe";
    }

    partner = fork();

    if (partner < 0) {
        return "no process";
    }

    if (partner == 0) {
        close(there[1]);
        close(back[0]);

        while (read(there[0], &byte, 1) == 1) {
            if (write(back[1], &byte, 1) != 1) {
                break;
            }
        }

        _exit(0);
    }

    close(there[0]);
    close(back[1]);
    return NULL;
}

static const char *
run_pipes(long count)
{
    char byte = 'x';

    while (count > 0) {
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) {
            return "the pipe broke";
        }

        count -= 1;
    }

    return NULL;
}

static void
finish_pipes(void)
{
    close(there[1]);
    close(back[0]);

    if (partner > 0) {
        waitpid(partner, NULL, 0);
    }
}

static const char *
run_fork_exit(long count)
{
    int status;
    pid_t pid;

    while (count > 0) {
        pid = fork();

        if (pid == 0) {
            _exit(0);
        }

        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
            return "fork failed";
        }

        count -= 1;
    }

    return NULL;
}

const struct operation posix_operations[] = {
    { "getppid", 10000, NULL, run_getppid, NULL },
    { "pipe_rtt_1", 1000, setup_pipes, run_pipes, finish_pipes },
    { "fork_exit", 40, NULL, run_fork_exit, NULL },
    { NULL, 0, NULL, NULL, NULL },
};
