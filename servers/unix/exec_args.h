/* SPDX-License-Identifier: MIT */
/*
 * The strings of a program's arguments and environment, one after the other,
 * each with its 0 byte; and the first line of a script. Pure.
 */

#ifndef UNIX_EXEC_ARGS_H
#define UNIX_EXEC_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exec_args {
    char *strings;
    size_t size;
    uint32_t argc;
    uint32_t envc;
};

/* Are these argc + envc strings, no more and no less? */
bool exec_args_valid(const struct exec_args *args);

#define EXEC_SCRIPT_LINE 256

/* What a script's first line names; argument is null or one word. */
struct exec_script {
    char *interpreter;
    char *argument;
    char line[EXEC_SCRIPT_LINE];
};

/* False: it is none. head: the first bytes of the file. */
bool
exec_script_parse(const void *head, size_t size, struct exec_script *script);

/*
 * Put interpreter and its argument before the arguments, the script's path in
 * place of the first. ENOMEM, E2BIG.
 */
int
exec_args_for_script(struct exec_args *args, const struct exec_script *script,
                     const char *path, size_t limit);

#endif /* UNIX_EXEC_ARGS_H */
