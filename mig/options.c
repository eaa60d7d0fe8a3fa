/*
 * SPDX-License-Identifier: MIT
 *
 * The command line: that of both older tools, as far as it means something.
 */

#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_VERSION "1.1"

/* Of one message: MACH_MSG_DESCRIPTOR_MAX. */
#define OPTIONS_DESCRIPTOR_MAX 256

struct options options = {
    .default_files = true,
    .ndr = true,
    .descriptor_limit = { OPTIONS_DESCRIPTOR_MAX, OPTIONS_DESCRIPTOR_MAX },
    .prefix = "",
    .runtime_prefix = "",
};

struct diag_options options_diag;

/* Options with an operand, and where it goes. */
static const struct {
    const char *name;
    const char **place;
} options_operands[] = {
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
} options_switches[] = {
    { "--no-default-files", &options.default_files, false },
    { "--ndr", &options.ndr, true },
    { "--no-ndr", &options.ndr, false },
    { "--strict", &options_diag.strict, true },
    { "-q", &options_diag.quiet, true },
    { "-Q", &options_diag.quiet, false },
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
} options_numbers[] = {
    { "-maxonstack", &options.stack_limit },
    { "-max_descrs", &options.descriptor_limit[0] },
    { "-max_reply_descrs", &options.descriptor_limit[1] },
};

/* Options of other tools, and why they change nothing; NULL: that is what
 * they ask for. */
static const struct {
    const char *name;
    const char *why;
} options_others[] = {
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

#define OPTIONS_COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char options_usage[] =
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
options_switch(const char *word)
{
    size_t i;

    for (i = 0; i < OPTIONS_COUNT(options_switches); i++) {
        if (strcmp(word, options_switches[i].name) == 0) {
            *options_switches[i].place = options_switches[i].value;
            return true;
        }
    }

    return false;
}

static bool
options_other(const char *word)
{
    size_t i;

    for (i = 0; i < OPTIONS_COUNT(options_others); i++) {
        if (strcmp(word, options_others[i].name) == 0) {
            if (options_others[i].why != NULL) {
                fprintf(stderr,
                        "migcom: warning: option `%s' has no effect: %s\n",
                        word, options_others[i].why);
            }

            return true;
        }
    }

    return false;
}

static void
options_number(const char *word, const char *operand, unsigned long *place)
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
options_number_place(const char *word)
{
    size_t i;

    for (i = 0; i < OPTIONS_COUNT(options_numbers); i++) {
        if (strcmp(word, options_numbers[i].name) == 0) {
            return options_numbers[i].place;
        }
    }

    return NULL;
}

static void
options_need_operand(const char *word, const char *operand)
{
    if (operand == NULL) {
        fprintf(stderr, "migcom: option `%s' needs an operand\n", word);
        exit(2);
    }
}

static bool
options_operand(const char *word, const char *operand)
{
    unsigned long *number;
    size_t i;

    number = options_number_place(word);

    if (number != NULL) {
        options_need_operand(word, operand);
        options_number(word, operand, number);
        return true;
    }

    for (i = 0; i < OPTIONS_COUNT(options_operands); i++) {
        if (strcmp(word, options_operands[i].name) != 0) {
            continue;
        }

        options_need_operand(word, operand);
        *options_operands[i].place = operand;
        return true;
    }

    return false;
}

void
options_parse(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            printf("%s", options_usage);
            exit(0);
        }

        if (strcmp(argv[i], "--version") == 0 ||
            strcmp(argv[i], "-version") == 0) {
            printf("migcom (Portolan) " OPTIONS_VERSION "\n");
            exit(0);
        }

        if (options_switch(argv[i]) || options_other(argv[i])) {
            continue;
        }

        if (!options_operand(argv[i], argv[i + 1])) {
            fprintf(stderr, "migcom: unknown option `%s'\n%s", argv[i],
                    options_usage);
            exit(2);
        }

        i++;
    }
}
