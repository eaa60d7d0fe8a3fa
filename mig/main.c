/*
 * SPDX-License-Identifier: MIT
 *
 * migcom: preprocessed .defs on the standard input, C files as the options
 * name them. The `mig' script runs the preprocessor and this program.
 */

#include <stdio.h>

#include "compile.h"
#include "options.h"
#include "output.h"
#include "pool.h"
#include "source.h"
#include "subsystem.h"
#include "type.h"

static void
main_print(void)
{
    const struct routine *routine;
    const struct type *type;

    for (type = type_first(); type != NULL; type = type->next) {
        printf("type %s: %s, %u x %u bytes\n", type->name, type_describe(type),
               type->count, type->unit);
    }

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        printf("%s %s: id %lu, request %u..%u, reply %u..%u bytes\n",
               routine->oneway ? "simpleroutine" : "routine", routine->name,
               subsystem_request_id(routine), routine->request.min_size,
               routine->request.max_size, routine->reply.min_size,
               routine->reply.max_size);
    }
}

int
main(int argc, char **argv)
{
    bool good;

    options_parse(argc, argv);

    if (!source_read(stdin)) {
        perror("migcom: standard input");
        return 1;
    }

    good = compile_source() && output_commit();

    if (good && options.verbose) {
        main_print();
    }

    pool_fini();
    return good ? 0 : 1;
}
