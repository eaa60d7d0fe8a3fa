/*
 * SPDX-License-Identifier: MIT
 *
 * From the text in source.h to the files in output.h, which are written by
 * whoever called. Everything is set up anew, so that one process may compile
 * many texts.
 */

#include "compile.h"

#include "check.h"
#include "diag.h"
#include "gen.h"
#include "lexer.h"
#include "options.h"
#include "output.h"
#include "pool.h"
#include "source.h"
#include "subsystem.h"
#include "type.h"

#include "parser.h"

/* MACH_MSG_SIZE_MAX */
#define COMPILE_SIZE_MAX 65536

static void
compile_default(const char **file, const char *suffix)
{
    if (*file == NULL) {
        *file = options.default_files
                    ? pool_printf("%s%s", subsystem.name, suffix)
                    : "/dev/null";
    }
}

static void
compile_generate(const char *file, void (*generate)(struct text *text))
{
    struct text *text;

    if (options_wants(file)) {
        text = pool_alloc(sizeof(*text));
        generate(text);
        emit_tidy(text);
        output_add(file, text);
    }
}

/* One file for each client stub. */
static void
compile_generate_split(void)
{
    const struct routine *routine;
    struct text *text;
    const char *file;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        file = pool_printf("%s%s.c", options.split_prefix, routine->name);
        text = pool_alloc(sizeof(*text));
        gen_user_one(text, routine, file);
        emit_tidy(text);
        output_add(file, text);
    }
}

static void
compile_check_layout(const struct routine *routine, const struct layout *layout,
                     const char *which, unsigned long descriptors)
{
    if (layout->too_large) {
        diag_error(&routine->pos, "the %s of `%s' is too large", which,
                   routine->name);
        return;
    }

    if (layout->descriptors > descriptors) {
        diag_error(&routine->pos,
                   "the %s of `%s' has %u descriptors; there may be %lu", which,
                   routine->name, layout->descriptors, descriptors);
    }

    if (layout->min_size > COMPILE_SIZE_MAX) {
        diag_warning(&routine->pos,
                     "the %s of `%s' has %u bytes, and a message at most %u",
                     which, routine->name, layout->min_size, COMPILE_SIZE_MAX);
    }
}

static bool
compile_generate_all(void)
{
    struct routine *routine;

    compile_default(&options.user_header, ".h");
    compile_default(&options.user_file, "User.c");
    compile_default(&options.server_file, "Server.c");

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        layout_routine(routine, options.ndr);
        compile_check_layout(routine, &routine->request, "request",
                             options.descriptor_limit[0]);
        compile_check_layout(routine, &routine->reply, "reply",
                             options.descriptor_limit[1]);
    }

    if (options_wants(options.harness_file)) {
        gen_harness_check();
    }

    if (diag_error_count() != 0) {
        return false;
    }

    compile_generate(options.user_header, gen_user_header);

    if (options.split_prefix != NULL) {
        compile_generate_split();
    } else {
        compile_generate(options.user_file, gen_user);
    }

    compile_generate(options.server_header, gen_server_header);
    compile_generate(options.server_file, gen_server);
    compile_generate(options.internal_header, gen_internal_header);
    compile_generate(options.defines_header, gen_defines_header);
    compile_generate(options.list_file, gen_list);
    compile_generate(options.json_file, gen_json);
    compile_generate(options.harness_file, gen_harness);
    return true;
}

bool
compile_source(void)
{
    diag_setup(&options_diag);
    output_setup();
    subsystem_setup();
    type_setup();

    lexer_setup(source_text(), source_length());
    parser_parse();
    lexer_fini();

    check_subsystem();
    return diag_error_count() == 0 && compile_generate_all();
}
