/* SPDX-License-Identifier: MIT */
/*
 * posix_spawn(): fork, the actions, exec. The child tells what went wrong
 * through a pipe that a successful exec closes.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum spawn_kind {
    SPAWN_CLOSE,
    SPAWN_DUP2,
    SPAWN_OPEN
};

struct __spawn_action {
    struct __spawn_action *next;
    enum spawn_kind kind;
    int fd;
    int from;  /* SPAWN_DUP2 */
    int flags; /* SPAWN_OPEN */
    mode_t mode;
    char path[];
};

/* What the child needs to know. */
struct spawn_request {
    const char *path;
    const posix_spawn_file_actions_t *actions;
    const posix_spawnattr_t *attributes;
    char *const *argv;
    char *const *envp;
    bool search;
    int report;
};

static int
spawn_attributes(const posix_spawnattr_t *attributes)
{
    struct sigaction action = { .sa_handler = SIG_DFL };
    short flags = attributes->__flags;

    if ((flags & POSIX_SPAWN_SETPGROUP) != 0 &&
        setpgid(0, attributes->__pgroup) != 0) {
        return errno;
    }

    if ((flags & POSIX_SPAWN_RESETIDS) != 0 &&
        (setegid(getgid()) != 0 || seteuid(getuid()) != 0)) {
        return errno;
    }

    for (int sig = 1; sig < NSIG; sig++) {
        if ((flags & POSIX_SPAWN_SETSIGDEF) != 0 &&
            sigismember(&attributes->__sigdefault, sig) == 1) {
            sigaction(sig, &action, NULL);
        }
    }

    if ((flags & POSIX_SPAWN_SETSIGMASK) != 0) {
        sigprocmask(SIG_SETMASK, &attributes->__sigmask, NULL);
    }

    return 0;
}

static int
spawn_open(const struct __spawn_action *action)
{
    int fd = open(action->path, action->flags, action->mode);

    if (fd < 0) {
        return errno;
    }

    if (fd != action->fd) {
        if (dup2(fd, action->fd) < 0) {
            return errno;
        }

        close(fd);
    }

    return 0;
}

static int
spawn_action(const struct __spawn_action *action)
{
    switch (action->kind) {
    case SPAWN_CLOSE:
        close(action->fd);
        return 0;
    case SPAWN_DUP2:
        if (action->from == action->fd) {
            return (fcntl(action->fd, F_SETFD, 0) < 0) ? errno : 0;
        }

        return (dup2(action->from, action->fd) < 0) ? errno : 0;
    case SPAWN_OPEN:
        return spawn_open(action);
    }

    return EINVAL;
}

/* In the child; returns only with what went wrong. */
static int
spawn_child(struct spawn_request *request)
{
    const struct __spawn_action *action = NULL;
    int error = 0;

    if (request->attributes != NULL) {
        error = spawn_attributes(request->attributes);
    }

    if (request->actions != NULL) {
        action = request->actions->__first;
    }

    for (; action != NULL && error == 0; action = action->next) {
        /* The report moves out of the way of a descriptor that is wanted. */
        if (action->fd == request->report) {
            request->report = fcntl(request->report, F_DUPFD_CLOEXEC, 3);
        }

        error = spawn_action(action);
    }

    if (error != 0) {
        return error;
    }

    if (request->search) {
        execvpe(request->path, request->argv, request->envp);
    } else {
        execve(request->path, request->argv, request->envp);
    }

    return errno;
}

static int
spawn(struct spawn_request *request, pid_t *pidp)
{
    int error = 0;
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return errno;
    }

    pid = fork();

    if (pid == 0) {
        close(ends[0]);
        request->report = ends[1];
        error = spawn_child(request);
        write(request->report, &error, sizeof(error));
        _exit(127);
    }

    if (pid < 0) {
        error = errno;
    }

    close(ends[1]);

    if (pid > 0) {
        while (read(ends[0], &error, sizeof(error)) < 0 && errno == EINTR) {
            continue;
        }

        if (error != 0) {
            waitpid(pid, NULL, 0);
        } else if (pidp != NULL) {
            *pidp = pid;
        }
    }

    close(ends[0]);
    return error;
}

int
posix_spawn(pid_t *pidp, const char *path,
            const posix_spawn_file_actions_t *actions,
            const posix_spawnattr_t *attributes, char *const argv[],
            char *const envp[])
{
    struct spawn_request request = { path, actions, attributes, argv,
                                     envp, false,   -1 };

    return spawn(&request, pidp);
}

int
posix_spawnp(pid_t *pidp, const char *file,
             const posix_spawn_file_actions_t *actions,
             const posix_spawnattr_t *attributes, char *const argv[],
             char *const envp[])
{
    struct spawn_request request = { file, actions, attributes, argv,
                                     envp, true,    -1 };

    return spawn(&request, pidp);
}

int
posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions)
{
    actions->__first = NULL;
    actions->__lastp = &actions->__first;
    return 0;
}

int
posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
{
    struct __spawn_action *action = actions->__first;
    struct __spawn_action *next;

    for (; action != NULL; action = next) {
        next = action->next;
        free(action);
    }

    return posix_spawn_file_actions_init(actions);
}

static struct __spawn_action *
spawn_action_add(posix_spawn_file_actions_t *actions, enum spawn_kind kind,
                 int fd, const char *path)
{
    struct __spawn_action *action;
    size_t size = strlen(path) + 1;

    action = malloc(sizeof(*action) + size);

    if (action == NULL) {
        return NULL;
    }

    action->next = NULL;
    action->kind = kind;
    action->fd = fd;
    memcpy(action->path, path, size);

    /* An empty list may have been copied with its structure. */
    if (actions->__first == NULL) {
        actions->__lastp = &actions->__first;
    }

    *actions->__lastp = action;
    actions->__lastp = &action->next;
    return action;
}

int
posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *actions, int fd)
{
    if (fd < 0) {
        return EBADF;
    }

    return (spawn_action_add(actions, SPAWN_CLOSE, fd, "") == NULL) ? ENOMEM
                                                                    : 0;
}

int
posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int fd,
                                 int to)
{
    struct __spawn_action *action;

    if (fd < 0 || to < 0) {
        return EBADF;
    }

    action = spawn_action_add(actions, SPAWN_DUP2, to, "");

    if (action == NULL) {
        return ENOMEM;
    }

    action->from = fd;
    return 0;
}

int
posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions, int fd,
                                 const char *path, int flags, mode_t mode)
{
    struct __spawn_action *action;

    if (fd < 0) {
        return EBADF;
    }

    action = spawn_action_add(actions, SPAWN_OPEN, fd, path);

    if (action == NULL) {
        return ENOMEM;
    }

    action->flags = flags;
    action->mode = mode;
    return 0;
}

int
posix_spawnattr_init(posix_spawnattr_t *attributes)
{
    memset(attributes, 0, sizeof(*attributes));
    return 0;
}

int
posix_spawnattr_destroy(posix_spawnattr_t *attributes)
{
    (void)attributes;
    return 0;
}

int
posix_spawnattr_getflags(const posix_spawnattr_t *attributes, short *flagsp)
{
    *flagsp = attributes->__flags;
    return 0;
}

int
posix_spawnattr_setflags(posix_spawnattr_t *attributes, short flags)
{
    short known = POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP |
                  POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;

    if ((flags & ~known) != 0) {
        return EINVAL;
    }

    attributes->__flags = flags;
    return 0;
}

int
posix_spawnattr_getpgroup(const posix_spawnattr_t *attributes, pid_t *pgroupp)
{
    *pgroupp = attributes->__pgroup;
    return 0;
}

int
posix_spawnattr_setpgroup(posix_spawnattr_t *attributes, pid_t pgroup)
{
    attributes->__pgroup = pgroup;
    return 0;
}

int
posix_spawnattr_getsigdefault(const posix_spawnattr_t *attributes,
                              sigset_t *setp)
{
    *setp = attributes->__sigdefault;
    return 0;
}

int
posix_spawnattr_setsigdefault(posix_spawnattr_t *attributes,
                              const sigset_t *set)
{
    attributes->__sigdefault = *set;
    return 0;
}

int
posix_spawnattr_getsigmask(const posix_spawnattr_t *attributes, sigset_t *setp)
{
    *setp = attributes->__sigmask;
    return 0;
}

int
posix_spawnattr_setsigmask(posix_spawnattr_t *attributes, const sigset_t *set)
{
    attributes->__sigmask = *set;
    return 0;
}
