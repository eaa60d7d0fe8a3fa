/* SPDX-License-Identifier: MIT */
/*
 * Waiting for children, and the layout of the status word: the exit code in
 * bits 8-15, the ending signal in bits 0-6, 0x7f there for "stopped".
 */

#ifndef SYS_WAIT_H
#define SYS_WAIT_H

#include <signal.h>
#include <sys/cdefs.h>
#include <sys/types.h>

__BEGIN_DECLS

#define WNOHANG 1
#define WUNTRACED 2
#define WCONTINUED 8

#define WEXITSTATUS(status) (((status) >> 8) & 0xff)
#define WTERMSIG(status) ((status)&0x7f)
#define WSTOPSIG(status) WEXITSTATUS(status)
#define WIFEXITED(status) (WTERMSIG(status) == 0)
#define WIFSTOPPED(status) (((status)&0xff) == 0x7f)
#define WIFSIGNALED(status)                                                    \
    (!WIFEXITED(status) && !WIFSTOPPED(status) && !WIFCONTINUED(status))
#define WIFCONTINUED(status) ((status) == 0xffff)

#if __BSD_VISIBLE
#define WCOREFLAG 0x80
#define WCOREDUMP(status) (((status)&WCOREFLAG) != 0)
#endif

struct rusage;

pid_t wait(int *);
pid_t waitpid(pid_t, int *, int);
#if __BSD_VISIBLE
pid_t wait3(int *, int, struct rusage *);
pid_t wait4(pid_t, int *, int, struct rusage *);
#endif

__END_DECLS

#endif /* SYS_WAIT_H */
