/* SPDX-License-Identifier: MIT */
/*
 * Processes: fork, exec, exit, wait; groups and sessions. Who the process is
 * stands on its process page and costs no call.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mach/mig_support.h>
#include <unix/unix_process.h>

#include "call.h"

/* Called by fork.S. */
int unix_fork_parent(uint64_t rsp, uint64_t rip);
void unix_fork_child(void);

int
unix_fork_parent(uint64_t rsp, uint64_t rip)
{
    unix_registers_t registers;
    int32_t pid;
    kern_return_t kr;

    memset(&registers, 0, sizeof(registers));
    registers.rsp = rsp;
    registers.rip = rip;
    registers.rflags = 0x202;
    registers.fs_base = (uint64_t)mach_tcb_self();

    kr = UNIX_CALL(unix_fork(unix_port, registers, &pid));
    return (int)unix_value(kr, pid);
}

/* The copy was made while the parent was in its call. */
void
unix_fork_child(void)
{
    mach_init_child();
    (void)unix_leave(KERN_SUCCESS);
}

/* No answer comes: the thread waits for its end, and the server runs. */
void
_exit(int status)
{
    mach_msg_header_t nothing;

    for (;;) {
        unix_enter();
        (void)unix_exit(unix_port, status & 0xff);
        (void)mach_msg(&nothing, MACH_RCV_MSG, 0, sizeof(nothing),
                       mig_get_reply_port(), MACH_MSG_TIMEOUT_NONE,
                       MACH_PORT_NULL);
    }
}

void
_Exit(int status)
{
    _exit(status);
}

/* The strings of argv and envp one after the other. */
struct exec_strings {
    char *data;
    size_t size;
    uint32_t argc;
    uint32_t envc;
};

static uint32_t
exec_strings_count(char *const list[], size_t *sizep)
{
    uint32_t count = 0;

    if (list == NULL) {
        return 0;
    }

    while (list[count] != NULL) {
        *sizep += strlen(list[count]) + 1;
        count++;
    }

    return count;
}

static char *
exec_strings_copy(char *to, char *const list[], uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t length = strlen(list[i]) + 1;

        memcpy(to, list[i], length);
        to += length;
    }

    return to;
}

/* Not from malloc(): execve() may be called in a signal handler. */
static int
exec_strings_init(struct exec_strings *strings, char *const argv[],
                  char *const envp[])
{
    vm_address_t address;
    char *at;

    strings->size = 0;
    strings->argc = exec_strings_count(argv, &strings->size);
    strings->envc = exec_strings_count(envp, &strings->size);

    if (strings->size > UNIX_ARG_MAX) {
        return E2BIG;
    }

    if (mig_allocate(&address, strings->size + 1) != KERN_SUCCESS) {
        return ENOMEM;
    }

    strings->data = (char *)address;
    at = exec_strings_copy(strings->data, argv, strings->argc);
    exec_strings_copy(at, envp, strings->envc);
    return 0;
}

int
execve(const char *path, char *const argv[], char *const envp[])
{
    struct exec_strings strings;
    kern_return_t kr;
    int error;

    error = exec_strings_init(&strings, argv, envp);

    if (error != 0) {
        errno = error;
        return -1;
    }

    kr = UNIX_CALL(unix_exec(unix_port, UNIX_AT_FDCWD, (uint64_t)strings.data,
                             strings.size, strings.argc, strings.envc,
                             unix_path(path)));
    mig_deallocate((vm_address_t)strings.data, strings.size + 1);
    return unix_result(kr);
}

/* What newlib's execl() calls. */
int _execve(const char *path, char *const argv[], char *const envp[]);

int
_execve(const char *path, char *const argv[], char *const envp[])
{
    return execve(path, argv, envp);
}

/* What execvp() does about a script without #!. */
static int
execvpe_shell(const char *path, char *const argv[], char *const envp[])
{
    size_t count = 0;
    char **args;

    while (argv[count] != NULL) {
        count++;
    }

    args = alloca((count + 3) * sizeof(*args));
    args[0] = unix_path("sh");
    args[1] = unix_path(path);
    args[2] = NULL;

    if (count > 1) {
        memcpy(&args[2], &argv[1], count * sizeof(*args));
    }

    return execve("/bin/sh", args, envp);
}

static int
execvpe_try(const char *path, char *const argv[], char *const envp[])
{
    execve(path, argv, envp);

    if (errno == ENOEXEC) {
        execvpe_shell(path, argv, envp);
    }

    return errno;
}

int
execvpe(const char *file, char *const argv[], char *const envp[])
{
    const char *list = getenv("PATH");
    char path[UNIX_PATH_MAX];
    bool denied = false;
    size_t length = strlen(file);
    int error;

    if (length == 0 || strchr(file, '/') != NULL) {
        execvpe_try(file, argv, envp);
        return -1;
    }

    error = ENOENT;

    for (list = (list != NULL) ? list : "/bin:/usr/bin"; list != NULL;) {
        const char *colon = strchr(list, ':');
        size_t part = (colon != NULL) ? (size_t)(colon - list) : strlen(list);

        if (part + length + 2 <= sizeof(path)) {
            memcpy(path, list, part);
            path[part] = '/';
            memcpy(&path[part + (part != 0)], file, length + 1);
            error = execvpe_try(path, argv, envp);
            denied |= error == EACCES;

            if (error != ENOENT && error != ENOTDIR && error != EACCES) {
                return -1;
            }
        }

        list = (colon != NULL) ? colon + 1 : NULL;
    }

    errno = denied ? EACCES : error;
    return -1;
}

pid_t
wait4(pid_t which, int *statusp, int options, struct rusage *usage)
{
    unix_rusage_t rusage;
    int32_t pid, status;
    kern_return_t kr;

    kr =
        UNIX_CALL(unix_wait(unix_port, which, options, &pid, &status, &rusage));

    if (kr != KERN_SUCCESS) {
        return (pid_t)unix_fail(kr);
    }

    if (pid != 0 && statusp != NULL) {
        *statusp = status;
    }

    if (pid != 0 && usage != NULL) {
        memcpy(usage, &rusage, sizeof(rusage));
    }

    return pid;
}

pid_t
wait3(int *statusp, int options, struct rusage *usage)
{
    return wait4(-1, statusp, options, usage);
}

pid_t
waitpid(pid_t which, int *statusp, int options)
{
    return wait4(which, statusp, options, NULL);
}

pid_t
wait(int *statusp)
{
    return wait4(-1, statusp, 0, NULL);
}

pid_t
getpid(void)
{
    return unix_page->pid;
}

pid_t
getppid(void)
{
    return unix_page->ppid;
}

pid_t
getpgrp(void)
{
    return unix_page->pgid;
}

pid_t
getpgid(pid_t pid)
{
    int32_t pgid;
    kern_return_t kr;

    kr = UNIX_CALL(unix_getpgid(unix_port, pid, &pgid));
    return (pid_t)unix_value(kr, pgid);
}

int
setpgid(pid_t pid, pid_t pgid)
{
    return unix_result(UNIX_CALL(unix_setpgid(unix_port, pid, pgid)));
}

int
setpgrp(void)
{
    return setpgid(0, 0);
}

pid_t
getsid(pid_t pid)
{
    int32_t sid;
    kern_return_t kr;

    kr = UNIX_CALL(unix_getsid(unix_port, pid, &sid));
    return (pid_t)unix_value(kr, sid);
}

pid_t
setsid(void)
{
    int32_t sid;
    kern_return_t kr;

    kr = UNIX_CALL(unix_setsid(unix_port, &sid));
    return (pid_t)unix_value(kr, sid);
}
