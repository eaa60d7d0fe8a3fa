/*
 * SPDX-License-Identifier: MIT
 *
 * Headers: prototypes, message structures and ids.
 */

#include <ctype.h>
#include <string.h>

#include "gen.h"
#include "options.h"
#include "pool.h"
#include "subsystem.h"

static const char *
gen_header_upper(const char *name)
{
    char *upper;
    size_t i;

    upper = pool_strndup(name, strlen(name));

    for (i = 0; upper[i] != '\0'; i++) {
        upper[i] = (char)toupper((unsigned char)upper[i]);
    }

    return upper;
}

static void
gen_header_ids(struct text *text)
{
    const struct routine *routine;
    const char *name;

    emit(text, "#ifndef %s_MSG_COUNT\n", subsystem.name);
    emit(text, "#define %s_MSG_COUNT %u\n", subsystem.name, subsystem.slots);
    emit(text, "#endif\n\n");

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        name = gen_header_upper(routine->name);
        emit(text, "#define MIG_RPC_HAVE_%s 1\n", name);
        emit(text, "#define MIG_RPC_REQUEST_ID_%s %lu\n", name,
             subsystem_request_id(routine));

        if (!routine->oneway) {
            emit(text, "#define MIG_RPC_REPLY_ID_%s %lu\n", name,
                 subsystem_reply_id(routine));
        }
    }

    emit(text, "\n#ifndef subsystem_to_name_map_%s\n", subsystem.name);
    emit(text, "#define subsystem_to_name_map_%s", subsystem.name);

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        emit(text, " \\\n    { \"%s\", %lu }%s", routine->name,
             subsystem_request_id(routine), (routine->next == NULL) ? "" : ",");
    }

    emit(text, "\n#endif\n\n");
}

void
gen_user_interface(struct text *text)
{
    const struct routine *routine;

    emit(text, "#ifndef mig_external\n#define mig_external extern\n"
               "#endif\n\n"
               "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        emit(text, "mig_external ");
        gen_prototype(text, routine, false);
        emit(text, ";\n\n");
    }

    emit(text, "#ifdef __cplusplus\n}\n#endif\n\n");
    gen_header_ids(text);
    gen_message_types(text, false);
}

void
gen_server_interface(struct text *text)
{
    const struct routine *routine;
    const char *demux;

    demux = subsystem_demux();
    emit(text, "#ifndef mig_external\n#define mig_external extern\n"
               "#endif\n\n"
               "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
               "/* The functions that the server provides. */\n\n");

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        emit(text, "mig_external ");
        gen_prototype(text, routine, true);
        emit(text, ";\n\n");
    }

    emit(text,
         "/* Serve a request; FALSE: the id is not one of ours. */\n"
         "boolean_t\n%s%s(mach_msg_header_t *InHeadP, "
         "mach_msg_header_t *OutHeadP);\n\n",
         options.prefix, demux);
    emit(text,
         "/* The stub for a request; NULL: the id is not one of ours. */"
         "\nmig_routine_t\n"
         "%s%s_routine(mach_msg_header_t *InHeadP);\n\n",
         options.prefix, demux);
    emit(text, "extern const struct mig_subsystem %s%s_subsystem;\n",
         subsystem.server_prefix, subsystem.name);
    emit(text, "extern const mig_routine_t %s%s_routines[];\n\n",
         options.prefix, demux);
    emit(text, "#ifdef __cplusplus\n}\n#endif\n\n");
    gen_header_ids(text);
    gen_message_types(text, true);
}

/* With -split it is the C file that includes, before the header. */
static void
gen_header_includes(struct text *text, bool server)
{
    if (!options.split_headers) {
        gen_includes(text, server);
    }
}

void
gen_user_header(struct text *text)
{
    gen_banner(text, "Client side");
    emit(text, "#ifndef _%s_user_\n#define _%s_user_\n\n", subsystem.name,
         subsystem.name);
    gen_header_includes(text, false);
    gen_user_interface(text);
    emit(text, "#endif /* _%s_user_ */\n", subsystem.name);
}

void
gen_server_header(struct text *text)
{
    gen_banner(text, "Server side");
    emit(text, "#ifndef _%s_server_\n#define _%s_server_\n\n", subsystem.name,
         subsystem.name);
    gen_header_includes(text, true);
    gen_server_interface(text);
    emit(text, "#endif /* _%s_server_ */\n", subsystem.name);
}

void
gen_internal_header(struct text *text)
{
    const struct routine *routine;
    const struct import *import;

    gen_banner(text, "Names inside the kernel");
    emit(text, "#ifndef _%s_internal_\n#define _%s_internal_\n\n",
         subsystem.name, subsystem.name);

    for (import = subsystem.imports; import != NULL; import = import->next) {
        if (import->side == IMPORT_BOTH || import->side == IMPORT_INTERNAL) {
            emit(text, "#include %s\n", import->file);
        }
    }

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        if (subsystem.kernel_server) {
            emit(text, "#define %s %s_external\n", routine->user_name,
                 routine->user_name);
        }
    }

    emit(text, "\n#endif /* _%s_internal_ */\n", subsystem.name);
}

void
gen_defines_header(struct text *text)
{
    const struct routine *routine;
    const struct import *import;
    const char *name;

    gen_banner(text, "Message ids");
    emit(text, "#ifndef _%s_defines_\n#define _%s_defines_\n\n", subsystem.name,
         subsystem.name);

    for (import = subsystem.imports; import != NULL; import = import->next) {
        if (import->side == IMPORT_DEFINES) {
            emit(text, "#include %s\n", import->file);
        }
    }

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        name = gen_header_upper(routine->name);
        emit(text, "#define MACH_ID_%s %lu\n", name,
             subsystem_request_id(routine));

        if (!routine->oneway) {
            emit(text, "#define MACH_ID_%s_REPLY %lu\n", name,
                 subsystem_reply_id(routine));
        }
    }

    emit(text, "\n#endif /* _%s_defines_ */\n", subsystem.name);
}
