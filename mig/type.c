/*
 * SPDX-License-Identifier: MIT
 *
 * Building types out of types. Sizes are bounded by TYPE_SIZE_MAX at every
 * step, so that no later sum over a message can overflow.
 */

#include "type.h"

#include <stdio.h>
#include <string.h>

#include "diag.h"
#include "pool.h"
#include "word.h"

static struct type *type_head;
static struct type **type_tail = &type_head;

static struct type *
type_create(const struct source_pos *pos, enum type_form form)
{
    struct type *type;

    type = pool_alloc(sizeof(*type));
    type->pos = *pos;
    type->form = form;
    type->align = 1;
    return type;
}

struct type *
type_error(const struct source_pos *pos)
{
    return type_create(pos, TYPE_FORM_ERROR);
}

/*
 * A C type of SIZE bytes is aligned to a divisor of SIZE, and no type that
 * travels in messages asks for more than 8.
 */
static uint32_t
type_align_for(uint32_t size)
{
    uint32_t align;

    align = 8;

    while (align > 1 && (size % align) != 0) {
        align /= 2;
    }

    return align;
}

static void
type_set_data(struct type *type, uint32_t size)
{
    type->form = TYPE_FORM_DATA;
    type->size = size;
    type->unit = size;
    type->count = 1;
    type->align = type_align_for(size);
}

struct type *
type_primitive(const struct source_pos *pos, const struct ipc_name *sent,
               const struct ipc_name *received)
{
    struct type *type;

    type = type_create(pos, TYPE_FORM_ERROR);
    type->sent = ipc_name_sent(sent);
    type->received = ipc_name_received(received);

    if (sent->class != received->class) {
        diag_error(pos, "`%s' cannot be received as `%s'", sent->name,
                   received->name);
        return type;
    }

    if (sent->bits != received->bits) {
        diag_error(pos, "`%s' and `%s' differ in size", sent->name,
                   received->name);
        return type;
    }

    if (sent->class == IPC_CLASS_PORT) {
        type->form = TYPE_FORM_PORT;
        type->unit = 4;
        type->count = 1;
        type->size = 4;
        type->align = 4;
        return type;
    }

    /* A blob without a size stays an error that type_sized() repairs. */
    if (sent->bits != 0) {
        type_set_data(type, (sent->bits + 7) / 8);
    }

    return type;
}

struct type *
type_sized(const struct source_pos *pos, const struct type *base,
           unsigned long bits)
{
    struct type *type;

    type = type_copy(pos, base);

    if (base->sent == NULL) {
        return type;
    }

    if (base->form == TYPE_FORM_PORT) {
        if (bits != 32 && bits != 64) {
            diag_error(pos, "a port right is 32 bits wide, not %lu", bits);
            type->form = TYPE_FORM_ERROR;
        }

        return type;
    }

    if (bits == 0 || (bits + 7) / 8 > TYPE_SIZE_MAX) {
        diag_error(pos, "a size of %lu bits is not possible", bits);
        type->form = TYPE_FORM_ERROR;
        return type;
    }

    if ((bits % 8) != 0 && bits != base->sent->bits) {
        diag_warning(pos, "%lu bits are not a whole number of bytes", bits);
    }

    type_set_data(type, (uint32_t)((bits + 7) / 8));

    if (base->sent->class == IPC_CLASS_STRING) {
        type->form = TYPE_FORM_STRING;
        type->unit = 1;
        type->count = type->size;
        type->align = 1;
    }

    return type;
}

struct type *
type_copy(const struct source_pos *pos, const struct type *old)
{
    struct type *type;

    type = type_create(pos, old->form);
    type->like_inline = old->like_inline;
    type->dealloc = old->dealloc;
    type->structure = old->structure;
    type->sent = old->sent;
    type->received = old->received;
    type->element = old->element;
    type->unit = old->unit;
    type->count = old->count;
    type->size = old->size;
    type->align = old->align;
    type->native = old->native;
    return type;
}

/* A blob whose size was never given is caught where it is first used. */
static bool
type_check_element(const struct source_pos *pos, const struct type *element)
{
    if (element->form != TYPE_FORM_ERROR) {
        return true;
    }

    if (element->sent != NULL && element->sent->bits == 0) {
        diag_error(pos, "`%s' needs a size: (%s, bits)", element->sent->name,
                   element->sent->name);
    }

    return false;
}

static bool
type_check_size(const struct source_pos *pos, unsigned long count,
                uint32_t unit)
{
    if (unit != 0 && count > TYPE_SIZE_MAX / unit) {
        diag_error(pos, "type is too large: %lu elements of %u bytes", count,
                   unit);
        return false;
    }

    return true;
}

static struct type *
type_make_array(const struct source_pos *pos, enum type_form form,
                unsigned long count, const struct type *element)
{
    struct type *type;

    type = type_create(pos, form);
    type->sent = element->sent;
    type->received = element->received;
    type->element = element;
    type->unit = element->size;
    type->count = (uint32_t)count;
    type->size = (uint32_t)count * element->size;
    type->align = element->align;
    return type;
}

/* One descriptor for each element. */
static struct type *
type_make_ools(const struct source_pos *pos, enum type_form form,
               unsigned long count, const struct type *element)
{
    struct type *type;

    type = type_copy(pos, element);
    type->form = form;
    type->like_inline = false;
    type->element = element;
    type->count = (uint32_t)count;
    type->size = 0;
    type->align = 8;
    return type;
}

static bool
type_is_region(const struct type *type)
{
    return type->form == TYPE_FORM_OOL || type->form == TYPE_FORM_VOOL ||
           type->form == TYPE_FORM_OOL_PORTS ||
           type->form == TYPE_FORM_VOOL_PORTS;
}

static bool
type_is_fixed_data(const struct type *type)
{
    return type->form == TYPE_FORM_DATA || type->form == TYPE_FORM_ARRAY ||
           type->form == TYPE_FORM_STRING;
}

struct type *
type_array(const struct source_pos *pos, unsigned long count,
           const struct type *element)
{
    if (!type_check_element(pos, element)) {
        return type_error(pos);
    }

    if (count == 0) {
        diag_error(pos, "an array needs at least one element");
        return type_error(pos);
    }

    if (!type_check_size(pos, count, element->size)) {
        return type_error(pos);
    }

    if (element->form == TYPE_FORM_PORT) {
        return type_make_array(pos, TYPE_FORM_PORTS, count, element);
    }

    if (type_is_region(element)) {
        return type_make_ools(pos, TYPE_FORM_OOLS, count, element);
    }

    if (type_is_fixed_data(element)) {
        return type_make_array(pos, TYPE_FORM_ARRAY, count, element);
    }

    diag_error(pos, "an array of %s is too complicated",
               type_describe(element));
    return type_error(pos);
}

struct type *
type_varray(const struct source_pos *pos, unsigned long count,
            const struct type *element)
{
    struct type *type;
    bool ports;

    if (!type_check_element(pos, element) ||
        !type_check_size(pos, count, element->size)) {
        return type_error(pos);
    }

    if (count != 0 && type_is_region(element)) {
        return type_make_ools(pos, TYPE_FORM_VOOLS, count, element);
    }

    ports = (element->form == TYPE_FORM_PORT);

    if (!ports && !type_is_fixed_data(element)) {
        diag_error(pos, "a variable array of %s is too complicated",
                   type_describe(element));
        return type_error(pos);
    }

    if (count == 0) {
        type = type_make_array(
            pos, ports ? TYPE_FORM_VOOL_PORTS : TYPE_FORM_VOOL, 0, element);
        type->like_inline = true;
        return type;
    }

    return type_make_array(pos, ports ? TYPE_FORM_VPORTS : TYPE_FORM_VARRAY,
                           count, element);
}

struct type *
type_struct_array(const struct source_pos *pos, unsigned long count,
                  const struct type *element)
{
    struct type *type;

    if (!type_check_element(pos, element)) {
        return type_error(pos);
    }

    if (!type_is_fixed_data(element)) {
        diag_error(pos, "a structure of %s is too complicated",
                   type_describe(element));
        return type_error(pos);
    }

    if (count == 0 || !type_check_size(pos, count, element->size)) {
        if (count == 0) {
            diag_error(pos, "a structure needs at least one element");
        }

        return type_error(pos);
    }

    type = type_create(pos, TYPE_FORM_DATA);
    type->sent = element->sent;
    type->received = element->received;
    type->structure = true;
    type_set_data(type, (uint32_t)count * element->size);
    return type;
}

struct type *
type_struct_begin(const struct source_pos *pos)
{
    struct type *type;

    type = type_create(pos, TYPE_FORM_DATA);
    type->sent = ipc_name_lookup("MACH_MSG_TYPE_BYTE");
    type->received = type->sent;
    type->structure = true;
    return type;
}

void
type_struct_add(struct type *type, const struct type *member,
                const struct source_pos *pos)
{
    uint32_t offset;

    if (type->form == TYPE_FORM_ERROR || !type_check_element(pos, member)) {
        type->form = TYPE_FORM_ERROR;
        return;
    }

    if (!type_is_fixed_data(member)) {
        diag_error(pos, "%s cannot be a member of a structure",
                   type_describe(member));
        type->form = TYPE_FORM_ERROR;
        return;
    }

    offset = (type->size + member->align - 1) & ~(member->align - 1);

    if (!type_check_size(pos, offset + member->size, 1)) {
        type->form = TYPE_FORM_ERROR;
        return;
    }

    type->size = offset + member->size;

    if (member->align > type->align) {
        type->align = member->align;
    }
}

void
type_struct_end(struct type *type)
{
    type->size = (type->size + type->align - 1) & ~(type->align - 1);
    type->unit = type->size;
    type->count = 1;
}

struct type *
type_pointer(const struct source_pos *pos, const struct type *target)
{
    struct type *type;

    if (!type_check_element(pos, target)) {
        return type_error(pos);
    }

    type = type_copy(pos, target);
    type->like_inline = false;

    switch (target->form) {
    case TYPE_FORM_DATA:
    case TYPE_FORM_ARRAY:
    case TYPE_FORM_STRING:
        type->form = TYPE_FORM_OOL;
        return type;
    case TYPE_FORM_VARRAY:
        type->form = TYPE_FORM_VOOL;
        return type;
    case TYPE_FORM_PORT:
    case TYPE_FORM_PORTS:
        type->form = TYPE_FORM_OOL_PORTS;
        return type;
    case TYPE_FORM_VPORTS:
        type->form = TYPE_FORM_VOOL_PORTS;
        return type;
    default:
        if (target->like_inline) {
            return type;
        }

        diag_error(pos, "a pointer to %s is too complicated",
                   type_describe(target));
        return type_error(pos);
    }
}

struct type *
type_string(const struct source_pos *pos, unsigned long size, bool variable)
{
    struct type *type;

    if (size == 0 || !type_check_size(pos, size, 1)) {
        if (size == 0) {
            diag_error(pos, "a string needs room for its NUL at least");
        }

        return type_error(pos);
    }

    type = type_create(pos, variable ? TYPE_FORM_VSTRING : TYPE_FORM_STRING);
    type->sent = ipc_name_lookup("MACH_MSG_TYPE_STRING_C");
    type->received = type->sent;
    type->unit = 1;
    type->count = (uint32_t)size;
    type->size = (uint32_t)size;
    return type;
}

struct type *
type_native(const struct source_pos *pos, struct type_native native,
            unsigned long limit)
{
    struct type *type;

    if (!type_check_size(pos, limit, 1)) {
        return type_error(pos);
    }

    type = type_create(pos, TYPE_FORM_NATIVE);
    type->sent = ipc_name_lookup("MACH_MSG_TYPE_BYTE");
    type->received = type->sent;
    type->native = native;
    type->unit = 1;
    type->count = ((uint32_t)limit + 3) & ~3u;
    type->size = type->count;
    return type;
}

static void
type_predefine(const char *name, const char *ipc, const char *ctype)
{
    static const struct source_pos nowhere;
    const struct ipc_name *primitive;
    struct type *type;

    primitive = ipc_name_lookup(ipc);
    type = type_primitive(&nowhere, primitive, primitive);
    type->predefined = true;
    type->name = name;
    type->user_name = ctype;
    type->server_name = ctype;
    *type_tail = type;
    type_tail = &type->next;
}

void
type_setup(void)
{
    type_head = NULL;
    type_tail = &type_head;
    type_predefine("char", "MACH_MSG_TYPE_CHAR", NULL);
    type_predefine("short", "MACH_MSG_TYPE_INTEGER_16", NULL);
    type_predefine("int", "MACH_MSG_TYPE_INTEGER_32", NULL);
    type_predefine("unsigned", "MACH_MSG_TYPE_INTEGER_32", NULL);
    type_predefine("int64", "MACH_MSG_TYPE_INTEGER_64", "int64_t");
    type_predefine("uintptr_t", "MACH_MSG_TYPE_INTEGER_64", NULL);
    type_predefine("intptr_t", "MACH_MSG_TYPE_INTEGER_64", NULL);
    type_predefine("int8_t", "MACH_MSG_TYPE_INTEGER_8", NULL);
    type_predefine("int16_t", "MACH_MSG_TYPE_INTEGER_16", NULL);
    type_predefine("int32_t", "MACH_MSG_TYPE_INTEGER_32", NULL);
    type_predefine("int64_t", "MACH_MSG_TYPE_INTEGER_64", NULL);
    type_predefine("uint8_t", "MACH_MSG_TYPE_INTEGER_8", NULL);
    type_predefine("uint16_t", "MACH_MSG_TYPE_INTEGER_16", NULL);
    type_predefine("uint32_t", "MACH_MSG_TYPE_INTEGER_32", NULL);
    type_predefine("uint64_t", "MACH_MSG_TYPE_INTEGER_64", NULL);
}

struct type *
type_lookup(const char *name)
{
    struct type *type;

    for (type = type_head; type != NULL; type = type->next) {
        if (strcmp(type->name, name) == 0) {
            return type;
        }
    }

    return NULL;
}

struct type *
type_lookup_like(const char *name)
{
    struct type *type;

    for (type = type_head; type != NULL; type = type->next) {
        if (type->form != TYPE_FORM_ERROR && word_is_like(name, type->name)) {
            return type;
        }
    }

    return NULL;
}

static bool
type_same_layout(const struct type *a, const struct type *b)
{
    return a->form == b->form && a->size == b->size && a->unit == b->unit &&
           a->count == b->count && a->sent == b->sent &&
           a->received == b->received;
}

void
type_set_name(struct type *type, const char *name)
{
    type->name = name;

    if (!type_check_element(&type->pos, type)) {
        type->sent = NULL; /* said once */
    }
}

void
type_declare(struct type *type)
{
    struct type *old;
    struct type *next;

    old = type_lookup(type->name);

    if (old == NULL) {
        *type_tail = type;
        type_tail = &type->next;
        return;
    }

    if (!old->predefined && old->form != TYPE_FORM_ERROR &&
        type->form != TYPE_FORM_ERROR && !type_same_layout(old, type)) {
        diag_error(&type->pos, "type `%s' is already defined otherwise",
                   type->name);
        diag_note(&old->pos, "the other definition is here");
        return;
    }

    next = old->next;
    *old = *type;
    old->next = next;
}

const struct type *
type_first(void)
{
    return type_head;
}

bool
type_is_variable(const struct type *type)
{
    return type->form == TYPE_FORM_VARRAY || type->form == TYPE_FORM_VPORTS ||
           type->form == TYPE_FORM_VOOL || type->form == TYPE_FORM_VOOL_PORTS ||
           type->form == TYPE_FORM_VOOLS;
}

bool
type_is_inline(const struct type *type)
{
    switch (type->form) {
    case TYPE_FORM_DATA:
    case TYPE_FORM_ARRAY:
    case TYPE_FORM_VARRAY:
    case TYPE_FORM_STRING:
    case TYPE_FORM_VSTRING:
    case TYPE_FORM_NATIVE:
        return true;
    default:
        return false;
    }
}

bool
type_is_inline_variable(const struct type *type)
{
    return type->form == TYPE_FORM_VARRAY || type->form == TYPE_FORM_VSTRING;
}

bool
type_is_ool(const struct type *type)
{
    switch (type->form) {
    case TYPE_FORM_OOL:
    case TYPE_FORM_VOOL:
    case TYPE_FORM_OOL_PORTS:
    case TYPE_FORM_VOOL_PORTS:
    case TYPE_FORM_OOLS:
    case TYPE_FORM_VOOLS:
        return true;
    default:
        return false;
    }
}

bool
type_is_port(const struct type *type)
{
    switch (type->form) {
    case TYPE_FORM_PORT:
    case TYPE_FORM_PORTS:
    case TYPE_FORM_VPORTS:
    case TYPE_FORM_OOL_PORTS:
    case TYPE_FORM_VOOL_PORTS:
        return true;
    case TYPE_FORM_OOLS:
    case TYPE_FORM_VOOLS:
        return type_is_port(type->element);
    default:
        return false;
    }
}

bool
type_is_array(const struct type *type)
{
    switch (type->form) {
    case TYPE_FORM_ARRAY:
    case TYPE_FORM_VARRAY:
    case TYPE_FORM_STRING:
    case TYPE_FORM_VSTRING:
    case TYPE_FORM_PORTS:
    case TYPE_FORM_VPORTS:
    case TYPE_FORM_OOLS:
    case TYPE_FORM_VOOLS:
        return true;
    default:
        return false;
    }
}

/* Without a clause that says otherwise. */
static const char *
type_ctype(const struct type *type)
{
    return (type->native.name != NULL) ? type->native.name : type->name;
}

const char *
type_user_ctype(const struct type *type)
{
    return (type->user_name != NULL) ? type->user_name : type_ctype(type);
}

const char *
type_server_ctype(const struct type *type)
{
    return (type->server_name != NULL) ? type->server_name : type_ctype(type);
}

/* C's name for a primitive that was given none. */
static const char *
type_primitive_ctype(const struct type *type)
{
    static const struct {
        const char *ipc;
        const char *ctype;
    } names[] = {
        { "MACH_MSG_TYPE_BOOLEAN", "boolean_t" },
        { "MACH_MSG_TYPE_BYTE", "char" },
        { "MACH_MSG_TYPE_CHAR", "char" },
        { "MACH_MSG_TYPE_INTEGER_8", "int8_t" },
        { "MACH_MSG_TYPE_INTEGER_16", "int16_t" },
        { "MACH_MSG_TYPE_INTEGER_32", "int32_t" },
        { "MACH_MSG_TYPE_INTEGER_64", "int64_t" },
        { "MACH_MSG_TYPE_PORT_NAME", "mach_port_name_t" },
        { "MACH_MSG_TYPE_REAL_32", "float" },
        { "MACH_MSG_TYPE_REAL_64", "double" },
    };
    size_t i;

    if (type->form == TYPE_FORM_PORT) {
        return "mach_port_t";
    }

    if (type->form != TYPE_FORM_DATA || type->sent == NULL) {
        return NULL;
    }

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].ipc, type->sent->name) == 0 &&
            type->size * 8 == type->sent->bits) {
            return names[i].ctype;
        }
    }

    return NULL;
}

const char *
type_element_ctype(const struct type *type, bool server)
{
    const struct type *element;
    const char *name;

    element = type->element;

    if (element == NULL) {
        return NULL;
    }

    name = server ? type_server_ctype(element) : type_user_ctype(element);

    if (name == NULL && type_is_ool(element)) {
        return type_is_port(element) ? "mach_port_t *" : "void *";
    }

    return (name != NULL) ? name : type_primitive_ctype(element);
}

const char *
type_describe(const struct type *type)
{
    static const char *const names[] = {
        [TYPE_FORM_ERROR] = "a wrong type",
        [TYPE_FORM_DATA] = "plain data",
        [TYPE_FORM_ARRAY] = "a fixed array",
        [TYPE_FORM_VARRAY] = "a variable array",
        [TYPE_FORM_STRING] = "a string",
        [TYPE_FORM_VSTRING] = "a variable string",
        [TYPE_FORM_PORT] = "a port right",
        [TYPE_FORM_PORTS] = "an array of port rights",
        [TYPE_FORM_VPORTS] = "a variable array of port rights",
        [TYPE_FORM_OOL] = "out-of-line memory",
        [TYPE_FORM_VOOL] = "variable out-of-line memory",
        [TYPE_FORM_OOL_PORTS] = "an out-of-line array of port rights",
        [TYPE_FORM_VOOL_PORTS] = "a variable out-of-line array of port rights",
        [TYPE_FORM_OOLS] = "an array of out-of-line items",
        [TYPE_FORM_VOOLS] = "a variable array of out-of-line items",
        [TYPE_FORM_NATIVE] = "a native C type",
    };

    return names[type->form];
}
