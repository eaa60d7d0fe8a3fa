/*
 * SPDX-License-Identifier: MIT
 *
 * The table of a subsystem's stubs and the functions that look into it.
 */

#include "gen.h"
#include "gen_server.h"
#include "options.h"
#include "pool.h"
#include "subsystem.h"

static uint32_t
gen_server_reply_max(const struct routine *routine)
{
    uint32_t error;

    error = LAYOUT_HEADER_SIZE + LAYOUT_WORD_SIZE +
            (options.ndr ? LAYOUT_NDR_SIZE : 0);

    if (routine == NULL || routine->oneway || routine->reply.max_size < error) {
        return error;
    }

    return routine->reply.max_size;
}

static const char *
gen_server_table_name(void)
{
    return pool_printf("%s%s_subsystem", subsystem.server_prefix,
                       subsystem.name);
}

/* True if some id below the last has no routine. */
static bool
gen_server_has_holes(void)
{
    const struct routine *routine;
    unsigned int count;

    count = 0;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        count++;
    }

    return count < subsystem.slots;
}

/* The stubs alone, for the demultiplexer. */
static void
gen_server_routines(struct text *text)
{
    const struct routine *routine;
    unsigned int number;

    emit(text, "const mig_routine_t %s%s_routines[] = {\n", options.prefix,
         subsystem_demux());
    number = 0;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        for (; number < routine->number; number++) {
            emit(text, "    NULL,\n");
        }

        emit(text, "    _X%s,\n", routine->name);
        number++;
    }

    for (; number < subsystem.slots || number == 0; number++) {
        emit(text, "    NULL,\n");
    }

    emit(text, "};\n\n");
}

void
gen_server_table(struct text *text)
{
    const struct routine *routine;
    uint32_t size;
    unsigned int number, descriptors;

    size = gen_server_reply_max(NULL);

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        if (gen_server_reply_max(routine) > size) {
            size = gen_server_reply_max(routine);
        }
    }

    emit(text, "const struct mig_subsystem %s = {\n", gen_server_table_name());
    emit(text, "    .server = %s%s_routine,\n", options.prefix,
         subsystem_demux());
    emit(text, "    .start = %lu,\n    .end = %lu,\n    .maxsize = %u,\n",
         subsystem.base, subsystem.base + subsystem.slots, size);
    emit(text, "    .routine = {\n");
    number = 0;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        for (; number < routine->number; number++) {
            emit(text, "        { NULL, NULL, 0, 0, NULL, 0 },\n");
        }

        descriptors = routine->request.descriptors;

        if (routine->reply.descriptors > descriptors) {
            descriptors = routine->reply.descriptors;
        }

        emit(text, "        { NULL, _X%s, %u, %u, NULL, %u },\n", routine->name,
             gen_parameter_count(routine, true), descriptors,
             gen_server_reply_max(routine));
        number++;
    }

    for (; number < subsystem.slots || number == 0; number++) {
        emit(text, "        { NULL, NULL, 0, 0, NULL, 0 },\n");
    }

    emit(text, "    },\n};\n\n");
    gen_server_routines(text);
}

void
gen_server_lookup(struct text *text)
{
    emit(text,
         "mig_routine_t\n"
         "%s%s_routine(mach_msg_header_t *InHeadP)\n"
         "{\n",
         options.prefix, subsystem_demux());
    emit(text,
         "    unsigned int index;\n\n"
         "    index = (unsigned int)InHeadP->msgh_id - %lu;\n\n",
         subsystem.base);
    emit(text,
         "    if (MIG_UNLIKELY(index >= %u)) {\n"
         "        return NULL;\n"
         "    }\n\n"
         "    return %s%s_routines[index];\n"
         "}\n\n",
         subsystem.slots, options.prefix, subsystem_demux());
}

void
gen_server_demux(struct text *text)
{
    emit(text,
         "boolean_t\n"
         "%s%s(mach_msg_header_t *InHeadP, mach_msg_header_t *OutHeadP)\n"
         "{\n"
         "    mach_msg_id_t id;\n"
         "    unsigned int index;\n\n",
         options.prefix, subsystem_demux());
    emit(text,
         "    id = InHeadP->msgh_id;\n"
         "    index = (unsigned int)id - %lu;\n\n",
         subsystem.base);
    emit(text,
         "    OutHeadP->msgh_bits = MACH_MSGH_BITS(\n"
         "        %s, 0);\n"
         "    OutHeadP->msgh_size = sizeof(mig_reply_error%s_t);\n",
         gen_server_reply_bits(), options.ndr ? "_ndr" : "");
    emit(text,
         "    OutHeadP->msgh_remote_port = %s;\n"
         "    OutHeadP->msgh_local_port = MACH_PORT_NULL;\n"
         "    OutHeadP->msgh_voucher_port = 0;\n"
         "    OutHeadP->msgh_id = (mach_msg_id_t)(id + 100u);\n\n",
         gen_server_reply_port());
    emit(text,
         "    if (MIG_UNLIKELY(index >= %u%s)) {\n"
         "        mig_refuse(OutHeadP, MIG_BAD_ID);\n"
         "        return FALSE;\n"
         "    }\n\n",
         subsystem.slots,
         gen_server_has_holes() ? pool_printf(" ||\n                     "
                                              "%s%s_routines[index] == NULL",
                                              options.prefix, subsystem_demux())
                                : "");
    emit(text,
         "    %s%s_routines[index](InHeadP, OutHeadP);\n"
         "    return TRUE;\n"
         "}\n",
         options.prefix, subsystem_demux());
}

void
gen_server_symbols(struct text *text)
{
    const struct routine *routine;

    emit(text, "\nconst struct {\n"
               "    const char *name;\n"
               "    mach_msg_id_t id;\n"
               "    mig_routine_t routine;\n");
    emit(text, "} _%sSymTab[] = {\n", subsystem.name);

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        emit(text, "    { \"%s\", %lu, _X%s },\n", routine->name,
             subsystem_request_id(routine), routine->name);
    }

    emit(text, "    { NULL, 0, NULL },\n};\n");
}
