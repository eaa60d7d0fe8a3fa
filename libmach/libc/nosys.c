/* SPDX-License-Identifier: MIT */
/*
 * What newlib may call and a server has no business with: files, processes
 * and signals are the Unix server's. Each fails with ENOSYS. The arguments do
 * not matter to the caller's registers, so none are declared.
 */

#include <errno.h>

#define NOSYS(name)                                                            \
    int name(void);                                                            \
    int name(void)                                                             \
    {                                                                          \
        errno = ENOSYS;                                                        \
        return -1;                                                             \
    }

/* The same where the failure is a null pointer. */
#define NOSYS_POINTER(name)                                                    \
    void *name(void);                                                          \
    void *name(void)                                                           \
    {                                                                          \
        errno = ENOSYS;                                                        \
        return 0;                                                              \
    }

NOSYS(_close)
NOSYS(_execve)
NOSYS(_fcntl)
NOSYS(_open)
NOSYS(closedir)
NOSYS(dup2)
NOSYS(execve)
NOSYS(execvpe)
NOSYS(fcntl)
NOSYS(fork)
NOSYS(getdents)
NOSYS(getentropy)
NOSYS(kill)
NOSYS(link)
NOSYS(lstat)
NOSYS(mkdir)
NOSYS(open)
NOSYS(pipe)
NOSYS(rename)
NOSYS(sched_setparam)
NOSYS(sched_setscheduler)
NOSYS(setegid)
NOSYS(seteuid)
NOSYS(setpgid)
NOSYS(sigaction)
NOSYS(sigprocmask)
NOSYS(stat)
NOSYS(tcgetattr)
NOSYS(tcsetattr)
NOSYS(times)
NOSYS(unlink)
NOSYS(vfork)
NOSYS(wait)
NOSYS(waitpid)

NOSYS_POINTER(getlogin)
NOSYS_POINTER(opendir)
NOSYS_POINTER(readdir)

/* A server is nobody's process: it has the identity of the system. */
int getpid(void);
int getuid(void);
int getgid(void);
int issetugid(void);
int raise(int signal);

int
getpid(void)
{
    return 0;
}

int
getuid(void)
{
    return 0;
}

int
getgid(void)
{
    return 0;
}

int
issetugid(void)
{
    return 0;
}

/* abort() raises: an exception says where, and ends the server. */
int
raise(int signal)
{
    (void)signal;
    __builtin_trap();
}
