/* SPDX-License-Identifier: MIT */
/*
 * Starting a program in a new process at once. There is no choice of a
 * scheduling policy.
 */

#ifndef SPAWN_H
#define SPAWN_H

#include <signal.h>
#include <sys/cdefs.h>
#include <sys/types.h>

__BEGIN_DECLS

#define POSIX_SPAWN_RESETIDS 0x01
#define POSIX_SPAWN_SETPGROUP 0x02
#define POSIX_SPAWN_SETSIGDEF 0x10
#define POSIX_SPAWN_SETSIGMASK 0x20

typedef struct {
    short __flags;
    pid_t __pgroup;
    sigset_t __sigdefault;
    sigset_t __sigmask;
} posix_spawnattr_t;

struct __spawn_action;

typedef struct {
    struct __spawn_action *__first;
    struct __spawn_action **__lastp;
} posix_spawn_file_actions_t;

int
posix_spawn(pid_t *__restrict, const char *__restrict,
            const posix_spawn_file_actions_t *,
            const posix_spawnattr_t *__restrict, char *const[], char *const[]);
int
posix_spawnp(pid_t *__restrict, const char *__restrict,
             const posix_spawn_file_actions_t *,
             const posix_spawnattr_t *__restrict, char *const[], char *const[]);

int posix_spawn_file_actions_init(posix_spawn_file_actions_t *);
int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *);
int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *, int);
int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *, int, int);
int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *__restrict,
                                     int, const char *__restrict, int, mode_t);

int posix_spawnattr_init(posix_spawnattr_t *);
int posix_spawnattr_destroy(posix_spawnattr_t *);
int posix_spawnattr_getflags(const posix_spawnattr_t *__restrict,
                             short *__restrict);
int posix_spawnattr_getpgroup(const posix_spawnattr_t *__restrict,
                              pid_t *__restrict);
int posix_spawnattr_getsigdefault(const posix_spawnattr_t *__restrict,
                                  sigset_t *__restrict);
int posix_spawnattr_getsigmask(const posix_spawnattr_t *__restrict,
                               sigset_t *__restrict);
int posix_spawnattr_setflags(posix_spawnattr_t *, short);
int posix_spawnattr_setpgroup(posix_spawnattr_t *, pid_t);
int posix_spawnattr_setsigdefault(posix_spawnattr_t *__restrict,
                                  const sigset_t *__restrict);
int posix_spawnattr_setsigmask(posix_spawnattr_t *__restrict,
                               const sigset_t *__restrict);

__END_DECLS

#endif /* SPAWN_H */
