/*
 * SPDX-License-Identifier: MIT
 *
 * What the command line asked for.
 */

#ifndef MIG_OPTIONS_H
#define MIG_OPTIONS_H

#include <stdbool.h>

#include "diag.h"

struct options {
    const char *user_file; /* NULL: the default name */
    const char *server_file;
    const char *user_header;
    const char *server_header;   /* NULL: none */
    const char *internal_header; /* NULL: none */
    const char *defines_header;  /* NULL: none */
    const char *list_file;       /* NULL: none */
    const char *json_file;       /* NULL: none */
    const char *harness_file;    /* NULL: none */
    const char *split_prefix;    /* one client file per routine; NULL: no */
    const char *prefix;
    const char *runtime_prefix;
    bool default_files;
    bool ndr;
    bool symbols;
    bool two_traps;            /* send and receive apart */
    bool split_headers;        /* includes go into the C files */
    bool counted;              /* arrays are annotated with their counts */
    unsigned long stack_limit; /* larger messages are allocated; 0: none */
    unsigned long descriptor_limit[2]; /* of requests, of replies */
    bool verbose;
};

extern struct options options;
extern struct diag_options options_diag;

/* Exits when there is nothing to compile, or no way to understand the words. */
void options_parse(int argc, char **argv);

/* True if there is to be such a file. */
bool options_wants(const char *file);

#endif /* MIG_OPTIONS_H */
