/* SPDX-License-Identifier: MIT */
/* Arguments of exec. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exec_args.h"

bool
exec_args_valid(const struct exec_args *args)
{
    uint64_t count = 0;
    size_t i;

    if (args->size != 0 && args->strings[args->size - 1] != '\0') {
        return false;
    }

    for (i = 0; i < args->size; i++) {
        count += args->strings[i] == '\0';
    }

    return count == (uint64_t)args->argc + args->envc;
}

static bool
script_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool
exec_script_parse(const void *head, size_t size, struct exec_script *script)
{
    char *line = script->line;
    char *end;
    size_t length;

    if (size < 2 || memcmp(head, "#!", 2) != 0) {
        return false;
    }

    length = size - 2 < EXEC_SCRIPT_LINE - 1 ? size - 2 : EXEC_SCRIPT_LINE - 1;
    memcpy(line, (const char *)head + 2, length);
    line[length] = '\0';
    line[strcspn(line, "\n")] = '\0';

    while (script_is_blank(*line)) {
        line++;
    }

    end = line + strlen(line);

    while (end > line && script_is_blank(end[-1])) {
        end--;
        *end = '\0';
    }

    script->interpreter = line;
    script->argument = NULL;
    line += strcspn(line, " \t");

    if (*line != '\0') {
        *line = '\0';
        line++;

        while (script_is_blank(*line)) {
            line++;
        }

        script->argument = line;
    }

    return script->interpreter[0] != '\0';
}

static char *
args_append(char *to, const char *text)
{
    size_t size = strlen(text) + 1;

    memcpy(to, text, size);
    return to + size;
}

int
exec_args_for_script(struct exec_args *args, const struct exec_script *script,
                     const char *path, size_t limit)
{
    size_t first = args->argc != 0 ? strlen(args->strings) + 1 : 0;
    size_t size = strlen(script->interpreter) + 1 + strlen(path) + 1;
    char *strings;
    char *at;

    if (script->argument != NULL) {
        size += strlen(script->argument) + 1;
    }

    size += args->size - first;

    if (size > limit) {
        return E2BIG;
    }

    strings = malloc(size);

    if (strings == NULL) {
        return ENOMEM;
    }

    at = args_append(strings, script->interpreter);

    args->argc += first != 0 ? 1 : 2; /* the path takes the first's place */

    if (script->argument != NULL) {
        at = args_append(at, script->argument);
        args->argc++;
    }

    at = args_append(at, path);
    memcpy(at, args->strings + first, args->size - first);
    free(args->strings);
    args->strings = strings;
    args->size = size;
    return 0;
}
