/* SPDX-License-Identifier: MIT */
/*
 * The manifest's parser. A line is a word and its values; a table says which
 * words there are and how many values each takes. Values are checked as they
 * are read, names against each other when all is read.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "manifest.h"

#define MANIFEST_WORDS_MAX 64
#define MANIFEST_LINE_MAX 1024

#define PRIORITY_USER 24
#define PRIORITY_SERVER 40
#define PRIORITY_DRIVER 48
#define PRIORITY_MAX 63

struct parser {
    struct manifest *manifest;
    struct manifest_server *server; /* the one being described, or null */
    struct manifest_error *error;
    unsigned int line;
    char buffer[MANIFEST_LINE_MAX];
    char *words[MANIFEST_WORDS_MAX];
    unsigned int word_count;
};

static __attribute__((format(printf, 2, 3))) bool
parser_fail(struct parser *parser, const char *format, ...)
{
    va_list args;

    parser->error->line = parser->line;
    va_start(args, format);
    vsnprintf(parser->error->text, sizeof(parser->error->text), format, args);
    va_end(args);
    return false;
}

/* -- Values ---------------------------------------------------------------- */

static bool
parse_number(struct parser *parser, const char *word, uint64_t max,
             uint64_t *valuep)
{
    const char *digits = word;
    unsigned int base = 10;
    uint64_t value = 0;

    if (word[0] == '0' && word[1] == 'x') {
        digits += 2;
        base = 16;
    }

    if (*digits == '\0') {
        return parser_fail(parser, "`%.40s' is not a number", word);
    }

    for (; *digits != '\0'; digits++) {
        const char *all = "0123456789abcdef";
        const char *digit = strchr(all, *digits);

        if (digit == NULL || (uint64_t)(digit - all) >= base) {
            return parser_fail(parser, "`%.40s' is not a number", word);
        }

        if (value > (max - (uint64_t)(digit - all)) / base) {
            return parser_fail(parser, "%.40s is more than %llu", word,
                               (unsigned long long)max);
        }

        value = value * base + (uint64_t)(digit - all);
    }

    *valuep = value;
    return true;
}

static bool
parse_name(struct parser *parser, const char *word, char *name)
{
    const char *allowed = "abcdefghijklmnopqrstuvwxyz"
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    if (word[0] == '\0' || word[strspn(word, allowed)] != '\0') {
        return parser_fail(parser, "`%.40s' is not a name", word);
    }

    if (strlen(word) >= MANIFEST_NAME_MAX) {
        return parser_fail(parser, "the name `%.40s' is too long", word);
    }

    strcpy(name, word);
    return true;
}

/* All values of the line as names, after those that are there. */
static bool
parse_names(struct parser *parser, manifest_name_t *names, unsigned int *countp)
{
    for (unsigned int i = 1; i < parser->word_count; i++) {
        if (*countp == MANIFEST_GRANTS_MAX) {
            return parser_fail(parser, "more than %d of `%s'",
                               MANIFEST_GRANTS_MAX, parser->words[0]);
        }

        if (!parse_name(parser, parser->words[i], names[*countp])) {
            return false;
        }

        (*countp)++;
    }

    return true;
}

/* -- Words ----------------------------------------------------------------- */

static bool
word_server(struct parser *parser)
{
    struct manifest *manifest = parser->manifest;
    struct manifest_server *server;

    if (manifest->count == MANIFEST_SERVERS_MAX) {
        return parser_fail(parser, "more than %d servers",
                           MANIFEST_SERVERS_MAX);
    }

    server = &manifest->servers[manifest->count];
    memset(server, 0, sizeof(*server));
    server->line = parser->line;
    server->priority = PRIORITY_SERVER;

    if (!parse_name(parser, parser->words[1], server->name)) {
        return false;
    }

    for (unsigned int i = 0; i < manifest->count; i++) {
        if (strcmp(manifest->servers[i].name, server->name) == 0) {
            return parser_fail(parser, "server `%s' is already in line %u",
                               server->name, manifest->servers[i].line);
        }
    }

    strcpy(server->module, server->name);
    parser->server = server;
    manifest->count++;
    return true;
}

static bool
word_module(struct parser *parser)
{
    return parse_name(parser, parser->words[1], parser->server->module);
}

static bool
word_arguments(struct parser *parser)
{
    struct manifest_server *server = parser->server;

    for (unsigned int i = 1; i < parser->word_count; i++) {
        size_t size = strlen(parser->words[i]) + 1;

        if (size > sizeof(server->arguments) - server->arguments_size) {
            return parser_fail(parser, "arguments of more than %d bytes",
                               MANIFEST_ARGUMENTS_MAX);
        }

        memcpy(server->arguments + server->arguments_size, parser->words[i],
               size);
        server->arguments_size += size;
        server->argc++;
    }

    return true;
}

static bool
word_priority(struct parser *parser)
{
    const char *word = parser->words[1];
    uint64_t value;

    if (strcmp(word, "user") == 0) {
        value = PRIORITY_USER;
    } else if (strcmp(word, "server") == 0) {
        value = PRIORITY_SERVER;
    } else if (strcmp(word, "driver") == 0) {
        value = PRIORITY_DRIVER;
    } else if (!parse_number(parser, word, PRIORITY_MAX, &value)) {
        return false;
    }

    parser->server->priority = (int)value;
    return true;
}

static bool
word_restart(struct parser *parser)
{
    const char *word = parser->words[1];
    uint64_t value;

    if (strcmp(word, "never") == 0) {
        parser->server->restart = 0;
        return true;
    }

    if (strcmp(word, "always") == 0) {
        parser->server->restart = MANIFEST_RESTART_ALWAYS;
        return true;
    }

    if (!parse_number(parser, word, 1000000, &value)) {
        return false;
    }

    parser->server->restart = (int)value;
    return true;
}

static bool
word_wait(struct parser *parser)
{
    const char *word = parser->words[1];

    if (strcmp(word, "check-in") == 0) {
        parser->server->wait = MANIFEST_WAIT_CHECK_IN;
        return true;
    }

    if (strcmp(word, "exit") == 0) {
        parser->server->wait = MANIFEST_WAIT_EXIT;
        return true;
    }

    return parser_fail(parser, "wait for `check-in' or `exit', not `%.40s'",
                       word);
}

/* FIRST or FIRST-LAST. */
static bool
word_ports_one(struct parser *parser, char *word)
{
    struct manifest_server *server = parser->server;
    struct manifest_ports *ports = &server->ports[server->port_count];
    char *dash = strchr(word, '-');
    uint64_t first, last;

    if (server->port_count == MANIFEST_GRANTS_MAX) {
        return parser_fail(parser, "more than %d ranges of ports",
                           MANIFEST_GRANTS_MAX);
    }

    if (dash != NULL) {
        *dash = '\0';
    }

    if (!parse_number(parser, word, 0xffff, &first)) {
        return false;
    }

    last = first;

    if (dash != NULL && !parse_number(parser, dash + 1, 0xffff, &last)) {
        return false;
    }

    if (last < first) {
        return parser_fail(parser, "ports end before they begin");
    }

    ports->first = (uint16_t)first;
    ports->last = (uint16_t)last;
    server->port_count++;
    return true;
}

static bool
word_ports(struct parser *parser)
{
    for (unsigned int i = 1; i < parser->word_count; i++) {
        if (!word_ports_one(parser, parser->words[i])) {
            return false;
        }
    }

    return true;
}

static bool
word_interrupt(struct parser *parser)
{
    struct manifest_server *server = parser->server;

    for (unsigned int i = 1; i < parser->word_count; i++) {
        uint64_t line;

        if (server->interrupt_count == MANIFEST_GRANTS_MAX) {
            return parser_fail(parser, "more than %d interrupts",
                               MANIFEST_GRANTS_MAX);
        }

        if (!parse_number(parser, parser->words[i], 15, &line)) {
            return false;
        }

        server->interrupts[server->interrupt_count] = (unsigned int)line;
        server->interrupt_count++;
    }

    return true;
}

static bool
word_memory(struct parser *parser)
{
    struct manifest_server *server = parser->server;
    struct manifest_memory *memory = &server->memory[server->memory_count];

    if (server->memory_count == MANIFEST_GRANTS_MAX) {
        return parser_fail(parser, "more than %d ranges of memory",
                           MANIFEST_GRANTS_MAX);
    }

    if (!parse_number(parser, parser->words[1], UINT64_MAX, &memory->address) ||
        !parse_number(parser, parser->words[2], UINT64_MAX, &memory->size)) {
        return false;
    }

    if (memory->size == 0 || memory->size > UINT64_MAX - memory->address) {
        return parser_fail(parser, "the range of memory is empty or wraps");
    }

    server->memory_count++;
    return true;
}

static bool
word_check_in(struct parser *parser)
{
    return parse_names(parser, parser->server->check_in,
                       &parser->server->check_in_count);
}

static bool
word_look_up(struct parser *parser)
{
    return parse_names(parser, parser->server->look_up,
                       &parser->server->look_up_count);
}

static bool
word_read_module(struct parser *parser)
{
    return parse_names(parser, parser->server->modules,
                       &parser->server->module_count);
}

static bool
word_privilege(struct parser *parser)
{
    struct manifest_server *server = parser->server;

    for (unsigned int i = 1; i < parser->word_count; i++) {
        const char *word = parser->words[i];

        if (strcmp(word, "host") == 0) {
            server->host_priv = true;
        } else if (strcmp(word, "security") == 0) {
            server->host_security = true;
        } else if (strcmp(word, "device-master") == 0) {
            server->device_master = true;
        } else if (strcmp(word, "vm") == 0) {
            server->vm_privilege = true;
        } else {
            return parser_fail(parser, "no such privilege: `%.40s'", word);
        }
    }

    return true;
}

static bool
word_essential(struct parser *parser)
{
    parser->server->essential = true;
    return true;
}

struct word {
    const char *name;
    bool (*parse)(struct parser *parser);
    unsigned int min; /* values */
    unsigned int max;
};

static const struct word words[] = {
    { "server", word_server, 1, 1 },
    { "module", word_module, 1, 1 },
    { "arguments", word_arguments, 1, MANIFEST_WORDS_MAX },
    { "priority", word_priority, 1, 1 },
    { "restart", word_restart, 1, 1 },
    { "wait", word_wait, 1, 1 },
    { "essential", word_essential, 0, 0 },
    { "ports", word_ports, 1, MANIFEST_WORDS_MAX },
    { "interrupt", word_interrupt, 1, MANIFEST_WORDS_MAX },
    { "memory", word_memory, 2, 2 },
    { "check-in", word_check_in, 1, MANIFEST_WORDS_MAX },
    { "look-up", word_look_up, 1, MANIFEST_WORDS_MAX },
    { "read-module", word_read_module, 1, MANIFEST_WORDS_MAX },
    { "privilege", word_privilege, 1, MANIFEST_WORDS_MAX },
};

/* -- Lines ----------------------------------------------------------------- */

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Take one word off the line; "..." holds blanks together. */
static bool
parse_word(struct parser *parser, char **atp)
{
    char *at = *atp;
    char end = *at;

    if (parser->word_count == MANIFEST_WORDS_MAX) {
        return parser_fail(parser, "too many words");
    }

    if (end == '"') {
        at++;
    }

    parser->words[parser->word_count] = at;
    parser->word_count++;

    if (end == '"') {
        at = strchr(at, '"');

        if (at == NULL) {
            return parser_fail(parser, "no closing \"");
        }
    } else {
        while (*at != '\0' && !is_blank(*at)) {
            at++;
        }
    }

    if (*at != '\0') {
        *at = '\0';
        at++;
    }

    *atp = at;
    return true;
}

static bool
parse_words(struct parser *parser)
{
    char *at = parser->buffer;

    parser->word_count = 0;

    for (;;) {
        while (is_blank(*at)) {
            at++;
        }

        if (*at == '\0' || *at == '#') {
            return true;
        }

        if (!parse_word(parser, &at)) {
            return false;
        }
    }
}

static bool
parse_line(struct parser *parser)
{
    unsigned int values;

    if (!parse_words(parser)) {
        return false;
    }

    if (parser->word_count == 0) {
        return true;
    }

    values = parser->word_count - 1;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].name, parser->words[0]) != 0) {
            continue;
        }

        if (values < words[i].min || values > words[i].max) {
            return parser_fail(
                parser, "`%s' takes %s%u value%s, not %u", words[i].name,
                words[i].max > words[i].min ? "at least " : "", words[i].min,
                words[i].min == 1 ? "" : "s", values);
        }

        if (i != 0 && parser->server == NULL) {
            return parser_fail(parser, "`%s' before the first `server'",
                               words[i].name);
        }

        return words[i].parse(parser);
    }

    return parser_fail(parser, "unknown word `%.40s'", parser->words[0]);
}

/* -- The whole ------------------------------------------------------------- */

/* Who checks a service in, or null. */
static const struct manifest_server *
find_owner(const struct manifest *manifest, const char *service)
{
    for (unsigned int i = 0; i < manifest->count; i++) {
        if (manifest_may_check_in(&manifest->servers[i], service)) {
            return &manifest->servers[i];
        }
    }

    return NULL;
}

static bool
check_server(struct parser *parser, const struct manifest_server *server)
{
    const struct manifest *manifest = parser->manifest;

    parser->line = server->line;

    for (unsigned int i = 0; i < server->check_in_count; i++) {
        const struct manifest_server *owner;

        owner = find_owner(manifest, server->check_in[i]);

        if (owner != server) {
            return parser_fail(parser, "`%s' and `%s' both check in `%s'",
                               owner->name, server->name, server->check_in[i]);
        }
    }

    for (unsigned int i = 0; i < server->look_up_count; i++) {
        if (find_owner(manifest, server->look_up[i]) == NULL) {
            return parser_fail(parser,
                               "`%s' looks up `%s', which nobody checks in",
                               server->name, server->look_up[i]);
        }
    }

    if (server->wait == MANIFEST_WAIT_CHECK_IN && server->check_in_count == 0) {
        return parser_fail(parser, "`%s' has nothing to check in",
                           server->name);
    }

    return true;
}

static bool
check_all(struct parser *parser)
{
    const struct manifest *manifest = parser->manifest;

    for (unsigned int i = 0; i < manifest->count; i++) {
        if (!check_server(parser, &manifest->servers[i])) {
            return false;
        }
    }

    parser->line = 0;

    if (manifest->count == 0) {
        return parser_fail(parser, "there is no server");
    }

    return true;
}

bool
manifest_parse(const char *text, size_t size, struct manifest *manifest,
               struct manifest_error *errorp)
{
    struct parser parser = { .manifest = manifest, .error = errorp };
    const char *end = text + size;

    manifest->count = 0;

    /* The module may be padded with 0 bytes. */
    while (text < end && *text != '\0') {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((newline != NULL ? newline : end) - text);

        parser.line++;

        if (length >= sizeof(parser.buffer)) {
            return parser_fail(&parser, "the line is too long");
        }

        memcpy(parser.buffer, text, length);
        parser.buffer[length] = '\0';

        if (!parse_line(&parser)) {
            return false;
        }

        text += length + (newline != NULL ? 1 : 0);
    }

    return check_all(&parser);
}

/* -- Grants ---------------------------------------------------------------- */

static bool
has_name(const manifest_name_t *names, unsigned int count, const char *name)
{
    for (unsigned int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }

    return false;
}

bool
manifest_may_check_in(const struct manifest_server *server, const char *service)
{
    return has_name(server->check_in, server->check_in_count, service);
}

bool
manifest_may_look_up(const struct manifest_server *server, const char *service)
{
    return has_name(server->look_up, server->look_up_count, service);
}

bool
manifest_may_read_module(const struct manifest_server *server,
                         const char *module)
{
    return has_name(server->modules, server->module_count, module);
}

bool
manifest_may_interrupt(const struct manifest_server *server, unsigned int line)
{
    for (unsigned int i = 0; i < server->interrupt_count; i++) {
        if (server->interrupts[i] == line) {
            return true;
        }
    }

    return false;
}

bool
manifest_may_map(const struct manifest_server *server, uint64_t address,
                 uint64_t size)
{
    for (unsigned int i = 0; i < server->memory_count; i++) {
        const struct manifest_memory *memory = &server->memory[i];

        if (address >= memory->address && size <= memory->size &&
            address - memory->address <= memory->size - size) {
            return true;
        }
    }

    return false;
}
