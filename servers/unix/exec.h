/* SPDX-License-Identifier: MIT */
/* Starting a program in a process. */

#ifndef UNIX_EXEC_H
#define UNIX_EXEC_H

#include "exec_args.h"
#include "server.h"
#include "walk.h"

struct process;

/*
 * Run a program. When it succeeds, the process's old task is gone, and the new
 * one runs. args->strings is from malloc, and may be replaced.
 */
MUST_CHECK int
exec_program(struct process *process, const struct walk_context *context,
             const char *path, struct exec_args *args);

#endif /* UNIX_EXEC_H */
