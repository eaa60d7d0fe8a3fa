/* SPDX-License-Identifier: MIT */
/*
 * system(): the shell runs a command, and ^C and ^\ meanwhile are the
 * command's, not ours.
 */

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct command_signals {
    struct sigaction interrupt;
    struct sigaction quit;
    sigset_t mask;
};

static void
command_signals_save(struct command_signals *old)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t child;

    sigaction(SIGINT, &ignore, &old->interrupt);
    sigaction(SIGQUIT, &ignore, &old->quit);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &old->mask);
}

static void
command_signals_restore(const struct command_signals *old)
{
    sigaction(SIGINT, &old->interrupt, NULL);
    sigaction(SIGQUIT, &old->quit, NULL);
    sigprocmask(SIG_SETMASK, &old->mask, NULL);
}

/* The child's signals are what ours were. */
static int
command_start(const char *command, const struct command_signals *old,
              pid_t *pidp)
{
    char *argv[] = { strdup("sh"), strdup("-c"), strdup(command), NULL };
    posix_spawnattr_t attributes;
    sigset_t defaults;
    int error = ENOMEM;

    sigemptyset(&defaults);

    if (old->interrupt.sa_handler != SIG_IGN) {
        sigaddset(&defaults, SIGINT);
    }

    if (old->quit.sa_handler != SIG_IGN) {
        sigaddset(&defaults, SIGQUIT);
    }

    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setsigmask(&attributes, &old->mask);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);

    if (argv[0] != NULL && argv[1] != NULL && argv[2] != NULL) {
        error = posix_spawn(pidp, "/bin/sh", NULL, &attributes, argv, environ);
    }

    for (int i = 0; i < 3; i++) {
        free(argv[i]);
    }

    return error;
}

int
system(const char *command)
{
    struct command_signals old;
    int status = -1;
    int error;
    pid_t pid;

    if (command == NULL) {
        return access("/bin/sh", X_OK) == 0;
    }

    command_signals_save(&old);
    error = command_start(command, &old, &pid);

    if (error == 0) {
        while (waitpid(pid, &status, 0) < 0) {
            if (errno != EINTR) {
                status = -1;
                break;
            }
        }
    }

    command_signals_restore(&old);

    if (error != 0) {
        errno = error;
    }

    return status;
}
