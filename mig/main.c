/*
 * SPDX-License-Identifier: MIT
 *
 * migcom: preprocessed .defs on the standard input, C files as the options
 * name them. The `mig' script runs the preprocessor and this program.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#define MAIN_VERSION "1.1"

/* Of one message: MACH_MSG_DESCRIPTOR_MAX, MACH_MSG_SIZE_MAX. */
#define MAIN_DESCRIPTOR_MAX 256
#define MAIN_SIZE_MAX 65536

struct options options = {
    .default_files = true,
    .ndr = true,
    .descriptor_limit = { MAIN_DESCRIPTOR_MAX, MAIN_DESCRIPTOR_MAX },
    .prefix = "",
    .runtime_prefix = "",
};

static struct diag_options main_diag;

/* Options with an operand, and where it goes. */
static const struct {
    const char *name;
    const char **place;
} main_operands[] = {
    { "-user", &options.user_file },
    { "-server", &options.server_file },
    { "-header", &options.user_header },
    { "-sheader", &options.server_header },
    { "-iheader", &options.internal_header },
    { "-dheader", &options.defines_header },
    { "-list", &options.list_file },
    { "--json", &options.json_file },
    { "--harness", &options.harness_file },
    { "-i", &options.split_prefix },
    { "-prefix", &options.prefix },
    { "-subrprefix", &options.runtime_prefix },
};

/* Options without one. */
static const struct {
    const char *name;
    bool *place;
    bool value;
} main_switches[] = {
    { "--no-default-files", &options.default_files, false },
    { "--ndr", &options.ndr, true },
    { "--no-ndr", &options.ndr, false },
    { "--strict", &main_diag.strict, true },
    { "-q", &main_diag.quiet, true },
    { "-Q", &main_diag.quiet, false },
    { "-s", &options.symbols, true },
    { "-S", &options.symbols, false },
    { "-v", &options.verbose, true },
    { "-V", &options.verbose, false },
    { "-n", &options.default_files, false },
    { "-r", &options.two_traps, false },
    { "-R", &options.two_traps, true },
    { "-split", &options.split_headers, true },
    { "-b", &options.counted, true },
    { "-B", &options.counted, false },
};

/* Options with a number. */
static const struct {
    const char *name;
    unsigned long *place;
} main_numbers[] = {
    { "-maxonstack", &options.stack_limit },
    { "-max_descrs", &options.descriptor_limit[0] },
    { "-max_reply_descrs", &options.descriptor_limit[1] },
};

/* Options of other tools, and why they change nothing; NULL: that is what
 * they ask for. */
static const struct {
    const char *name;
    const char *why;
} main_others[] = {
    { "-N", NULL },
    { "-l", NULL },
    { "-k", NULL },
    { "-T", NULL },
    { "-X", NULL },
    { "-novouchers", NULL },
    { "-L", "stubs call the hooks __BeforeSendRpc and so on instead" },
    { "-K", "C without prototypes is not written" },
    { "-t", "there are no RPC traps" },
    { "-x", "calls always go through the kernel" },
    { "-mach_msg2", "messages inside the kernel are in one piece" },
};

#define MAIN_COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char main_usage[] =
    "usage: migcom [options] < preprocessed-defs\n"
    "  -user F, -server F     client stubs, server stubs\n"
    "  -header F, -sheader F  headers of the two sides\n"
    "  -iheader F             names inside the kernel\n"
    "  -dheader F             message ids\n"
    "  -list F, --json F      tables for other programs\n"
    "  --harness F            a test of the stubs\n"
    "  -i P                   client stubs in files P<routine>.c\n"
    "  -prefix P              put P before all functions\n"
    "  -subrprefix P          put P before run-time functions\n"
    "  --no-default-files     write only the files that are named\n"
    "  --no-ndr               leave NDR records out of messages\n"
    "  --strict               warnings are errors; no inout rights\n"
    "  -q, -s, -v             no warnings; symbol table; print types\n"
    "  -n                     as --no-default-files\n"
    "  -R                     send and receive in two traps, not in one\n"
    "  -split                 headers include nothing, C files all\n"
    "  -b                     __counted_by(n) behind array parameters\n"
    "  -maxonstack N          messages of more than N bytes are allocated\n"
    "  -max_descrs N          refuse requests with more descriptors\n"
    "  -max_reply_descrs N    and replies\n"
    "/dev/null as a file means: do not write it.\n";

bool
options_wants(const char *file)
{
    return file != NULL && strcmp(file, "/dev/null") != 0;
}

static bool
main_switch(const char *word)
{
    size_t i;

    for (i = 0; i < MAIN_COUNT(main_switches); i++) {
        if (strcmp(word, main_switches[i].name) == 0) {
            *main_switches[i].place = main_switches[i].value;
            return true;
        }
    }

    return false;
}

static bool
main_other(const char *word)
{
    size_t i;

    for (i = 0; i < MAIN_COUNT(main_others); i++) {
        if (strcmp(word, main_others[i].name) == 0) {
            if (main_others[i].why != NULL) {
                fprintf(stderr,
                        "migcom: warning: option `%s' has no effect: %s\n",
                        word, main_others[i].why);
            }

            return true;
        }
    }

    return false;
}

static void
main_number(const char *word, const char *operand, unsigned long *place)
{
    char *end;

    errno = 0;
    *place = strtoul(operand, &end, 10);

    if (operand[0] < '0' || operand[0] > '9' || *end != '\0' || errno != 0) {
        fprintf(stderr, "migcom: option `%s' needs a number, not `%s'\n", word,
                operand);
        exit(2);
    }
}

/* Where the option's number goes; NULL: it has none. */
static unsigned long *
main_number_place(const char *word)
{
    size_t i;

    for (i = 0; i < MAIN_COUNT(main_numbers); i++) {
        if (strcmp(word, main_numbers[i].name) == 0) {
            return main_numbers[i].place;
        }
    }

    return NULL;
}

static void
main_need_operand(const char *word, const char *operand)
{
    if (operand == NULL) {
        fprintf(stderr, "migcom: option `%s' needs an operand\n", word);
        exit(2);
    }
}

static bool
main_operand(const char *word, const char *operand)
{
    unsigned long *number;
    size_t i;

    number = main_number_place(word);

    if (number != NULL) {
        main_need_operand(word, operand);
        main_number(word, operand, number);
        return true;
    }

    for (i = 0; i < MAIN_COUNT(main_operands); i++) {
        if (strcmp(word, main_operands[i].name) != 0) {
            continue;
        }

        main_need_operand(word, operand);
        *main_operands[i].place = operand;
        return true;
    }

    return false;
}

static void
main_parse_options(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            printf("%s", main_usage);
            exit(0);
        }

        if (strcmp(argv[i], "--version") == 0 ||
            strcmp(argv[i], "-version") == 0) {
            printf("migcom (Portolan) " MAIN_VERSION "\n");
            exit(0);
        }

        if (main_switch(argv[i]) || main_other(argv[i])) {
            continue;
        }

        if (!main_operand(argv[i], argv[i + 1])) {
            fprintf(stderr, "migcom: unknown option `%s'\n%s", argv[i],
                    main_usage);
            exit(2);
        }

        i++;
    }
}

static void
main_default(const char **file, const char *suffix)
{
    if (*file == NULL) {
        *file = options.default_files
                    ? pool_printf("%s%s", subsystem.name, suffix)
                    : "/dev/null";
    }
}

static void
main_generate(const char *file, void (*generate)(struct text *text))
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
main_generate_split(void)
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
main_check_layout(const struct routine *routine, const struct layout *layout,
                  const char *which, unsigned long descriptors)
{
    if (layout->descriptors > descriptors) {
        diag_error(&routine->pos,
                   "the %s of `%s' has %u descriptors; there may be %lu", which,
                   routine->name, layout->descriptors, descriptors);
    }

    if (layout->min_size > MAIN_SIZE_MAX) {
        diag_warning(&routine->pos,
                     "the %s of `%s' has %u bytes, and a message at most %u",
                     which, routine->name, layout->min_size, MAIN_SIZE_MAX);
    }
}

static bool
main_write(void)
{
    struct routine *routine;

    main_default(&options.user_header, ".h");
    main_default(&options.user_file, "User.c");
    main_default(&options.server_file, "Server.c");

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        layout_routine(routine, options.ndr);
        main_check_layout(routine, &routine->request, "request",
                          options.descriptor_limit[0]);
        main_check_layout(routine, &routine->reply, "reply",
                          options.descriptor_limit[1]);
    }

    if (diag_error_count() != 0) {
        return false;
    }

    main_generate(options.user_header, gen_user_header);

    if (options.split_prefix != NULL) {
        main_generate_split();
    } else {
        main_generate(options.user_file, gen_user);
    }

    main_generate(options.server_header, gen_server_header);
    main_generate(options.server_file, gen_server);
    main_generate(options.internal_header, gen_internal_header);
    main_generate(options.defines_header, gen_defines_header);
    main_generate(options.list_file, gen_list);
    main_generate(options.json_file, gen_json);
    main_generate(options.harness_file, gen_harness);
    return output_commit();
}

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

    main_parse_options(argc, argv);
    diag_setup(&main_diag);
    subsystem_setup();
    type_setup();

    if (!source_read(stdin)) {
        perror("migcom: standard input");
        return 1;
    }

    lexer_setup(source_text(), source_length());
    parser_parse();
    lexer_fini();

    check_subsystem();
    good = diag_error_count() == 0 && main_write();

    if (good && options.verbose) {
        main_print();
    }

    pool_fini();
    return good ? 0 : 1;
}
