/*
 * SPDX-License-Identifier: MIT
 *
 * The grammar of the .defs language: the union of both dialects.
 *
 * Only the words that begin statements and types are reserved. All others
 * are keywords where the grammar expects them and names elsewhere (rule
 * `ident'), so that an argument may well be called `error' or `function'.
 */

%code requires {
#include <stdbool.h>

#include "routine.h"
#include "source.h"
#include "subsystem.h"
#include "type.h"
}

%code top {
#include "diag.h"
#include "lexer.h"
#include "pool.h"
#include "word.h"
}

%code {
#include <string.h>
#include <strings.h>

/* An argument of the routine at hand is missing after an error. */
static bool parser_broken;

static void parser_error(const char *message);
static struct routine *parser_routine(bool oneway, const char *name,
                                      const struct source_pos *pos,
                                      struct arg *args);
static struct type *parser_use(const char *name,
                               const struct source_pos *pos);
static const struct ipc_name *parser_ipc_name(const char *name,
                                              const struct source_pos *pos);
static unsigned long parser_calculate(unsigned long left, int operator,
                                      unsigned long right,
                                      const struct source_pos *pos);
static void parser_translate(struct type_tran *tran, const char *clause,
                             struct type_tran value,
                             const struct source_pos *pos);
static void parser_set_ctype(const char **place, const char *name,
                             const struct source_pos *pos);
static bool parser_is_translated(const struct type *type, const char *name);
static void parser_set_wire(struct type *type, struct type_tran tran,
                            const struct source_pos *pos);
static void parser_old_word(const struct source_pos *pos, const char *word,
                            const char *instead);
static struct arg *parser_arg(enum arg_direction direction, const char *name,
                              const struct source_pos *pos);

#define YYLLOC_DEFAULT(Current, Rhs, N)                                       \
    do {                                                                      \
        if ((N) != 0) {                                                       \
            (Current) = YYRHSLOC(Rhs, 1);                                     \
        } else {                                                              \
            (Current) = YYRHSLOC(Rhs, 0);                                     \
        }                                                                     \
    } while (0)
}

%define api.prefix {parser_}
%define api.location.type {struct source_pos}
%define api.token.prefix {TOKEN_}
%define parse.error custom
%define parse.lac full
%define lr.type ielr
%locations
%expect 0

%union {
    const char *text;
    unsigned long number;
    unsigned int flags;
    enum arg_direction direction;
    enum import_side side;
    bool truth;
    const struct ipc_name *ipc;
    struct type *type;
    struct type_tran tran;
    struct type_native native;
    struct arg *arg;
}

%token <text> SUBSYSTEM "`subsystem'" TYPE "`type'" ROUTINE "`routine'"
%token <text> SIMPLEROUTINE "`simpleroutine'" SKIP "`skip'"
%token <text> IMPORT "`import'" UIMPORT "`uimport'" SIMPORT "`simport'"
%token <text> DIMPORT "`dimport'" IIMPORT "`iimport'"
%token <text> ARRAY "`array'" STRUCT "`struct'" OF "`of'"
%token <text> CSTRING "`c_string'" POLYMORPHIC "`polymorphic'"
%token <text> IN "`in'" OUT "`out'" INOUT "`inout'"
%token <text> REQUESTPORT "`requestport'" REPLYPORT "`replyport'"
%token <text> SREPLYPORT "`sreplyport'" UREPLYPORT "`ureplyport'"

%token <text> PROCEDURE "`procedure'" SIMPLEPROCEDURE "`simpleprocedure'"
%token <text> FUNCTION "`function'"
%token <text> KERNELUSER "`kerneluser'" KERNELSERVER "`kernelserver'"
%token <text> KERNELSENDER "`kernelsender'"
%token <text> MSGOPTION "`msgoption'" WAITTIME "`waittime'"
%token <text> NOWAITTIME "`nowaittime'" SENDTIME "`sendtime'"
%token <text> NOSENDTIME "`nosendtime'" MSGSEQNO "`msgseqno'"
%token <text> SERVERPREFIX "`serverprefix'" USERPREFIX "`userprefix'"
%token <text> SERVERDEMUX "`serverdemux'" RCSID "`rcsid'" ERROR "`error'"
%token <text> SPECIALREPLY "`usespecialreplyport'"
%token <text> CONSUME "`consumeonsenderror'"
%token <text> USERTYPELIMIT "`UserTypeLimit'"
%token <text> ONSTACKLIMIT "`OnStackLimit'"
%token <text> INTRAN "`intran'" OUTTRAN "`outtran'"
%token <text> DESTRUCTOR "`destructor'" INTRANPAYLOAD "`intranpayload'"
%token <text> CTYPE "`ctype'" CUSERTYPE "`cusertype'"
%token <text> CSERVERTYPE "`cservertype'"
%token <text> POINTERTO "`PointerTo'" POINTERTOIFNOT "`PointerToIfNot'"
%token <text> VALUEOF "`ValueOf'"
%token <text> SECTOKEN "`sectoken'" SERVERSECTOKEN "`serversectoken'"
%token <text> USERSECTOKEN "`usersectoken'" AUDITTOKEN "`audittoken'"
%token <text> SERVERAUDITTOKEN "`serveraudittoken'"
%token <text> USERAUDITTOKEN "`useraudittoken'"
%token <text> SERVERCONTEXTTOKEN "`servercontexttoken'"
%token <text> SERVERIMPL "`serverimpl'" USERIMPL "`userimpl'"
%token <text> DEALLOC "`dealloc'" NOTDEALLOC "`notdealloc'"
%token <text> COUNTINOUT "`countinout'" RETCODE "`retcode'"
%token <text> SERVERCOPY "`servercopy'" ISLONG "`islong'"
%token <text> ISNOTLONG "`isnotlong'" SAMECOUNT "`samecount'"
%token <text> PHYSICALCOPY "`physicalcopy'" OVERWRITE "`overwrite'"
%token <text> CONST "`const'" AUTO "`auto'"

%token <text> IDENT "a name" IPCNAME "a MACH_MSG_TYPE name"
%token <text> WORD "a word" FILENAME "a file name in \"\" or <>"
%token <text> QUOTED "a string in \"\""
%token <number> NUMBER "a number"
%token END 0 "the end of the file"

%type <text> ident words word
%type <native> native
%type <number> intexp slots
%type <side> import
%type <flags> flag flags
%type <direction> direction
%type <truth> routineword
%type <ipc> prim
%type <type> typespec named members argtype
%type <tran> tran
%type <arg> arg arghead args arglist

%left '+' '-'
%left '*' '/'

%%

file:
    %empty { parser_broken = false; }
  | file statement
  ;

statement:
    ';' { yyerrok; }
  | declaration ';'
  | error { /* until ';' or a word that begins a statement */ }
  ;

declaration:
    subsystem
  | option
  | import_file
  | TYPE named { type_declare($2); }
  | routine
  | SKIP slots { subsystem_skip($2, &@1); }
  ;

slots:
    %empty { $$ = 1; }
  | intexp
  ;

subsystem:
    SUBSYSTEM modes ident intexp { subsystem_set_name($3, $4, &@3); }
  ;

modes:
    %empty
  | modes KERNELUSER
    {
        if (subsystem.kernel_user) {
            diag_warning(&@2, "`KernelUser' is repeated");
        }

        subsystem.kernel_user = true;
    }
  | modes KERNELSERVER
    {
        if (subsystem.kernel_server) {
            diag_warning(&@2, "`KernelServer' is repeated");
        }

        subsystem.kernel_server = true;
    }
  ;

option:
    MSGOPTION { lexer_expect(LEXER_WORD); } WORD
    {
        subsystem.msg_option =
            (strcmp($3, "MACH_MSG_OPTION_NONE") == 0) ? NULL : $3;
    }
  | WAITTIME { lexer_expect(LEXER_WORD); } WORD { subsystem.wait_time = $3; }
  | NOWAITTIME { subsystem.wait_time = NULL; }
  | SENDTIME { lexer_expect(LEXER_WORD); } WORD { subsystem.send_time = $3; }
  | NOSENDTIME { subsystem.send_time = NULL; }
  | SERVERPREFIX ident { subsystem.server_prefix = $2; }
  | USERPREFIX ident { subsystem.user_prefix = $2; }
  | SERVERDEMUX ident { subsystem.demux = $2; }
  | RCSID { lexer_expect(LEXER_QUOTED); } QUOTED { subsystem.rcsid = $3; }
  | ERROR ident { /* an old tool called it on a failure; no effect */ }
  | KERNELSENDER { subsystem.kernel_sender = true; }
  | SPECIALREPLY NUMBER
    {
        if ($2 != 0) {
            diag_warning(&@1, "there are no special reply ports; ignored");
        }
    }
  | CONSUME { lexer_expect(LEXER_WORD); } WORD
    {
        if (strcasecmp($3, "none") == 0) {
            subsystem.consume = NULL;
        } else if (strcasecmp($3, "timeout") == 0 ||
                   strcasecmp($3, "any") == 0) {
            subsystem.consume = $3;
        } else {
            diag_error(&@3, "expected `None', `Timeout' or `Any'");
        }
    }
  | USERTYPELIMIT NUMBER { subsystem.native_limit = $2; }
  | ONSTACKLIMIT NUMBER { subsystem.stack_limit = $2; }
  ;

import_file:
    import { lexer_expect(LEXER_FILENAME); } FILENAME
    {
        subsystem_add_import($1, $3);
    }
  ;

import:
    IMPORT { $$ = IMPORT_BOTH; }
  | UIMPORT { $$ = IMPORT_USER; }
  | SIMPORT { $$ = IMPORT_SERVER; }
  | DIMPORT { $$ = IMPORT_DEFINES; }
  | IIMPORT { $$ = IMPORT_INTERNAL; }
  ;

named:
    typename '=' typespec { $<type>$ = type_copy(&@1, $3); } clauses
    {
        $$ = $<type>4;
        type_set_name($$, $<text>1);
    }
  ;

typename:
    ident { $<text>$ = $1; }
  ;

/* Each clause completes the type that `named' left below it on the stack. */
clauses:
    %empty
  | clauses INTRAN ':' tran
    {
        parser_translate(&$<type>0->intran, "intran", $4, &@2);
        parser_set_wire($<type>0, $4, &@2);
    }
  | clauses OUTTRAN ':' tran
    {
        struct type_tran turned = { $4.raw, $4.function, $4.type };

        parser_translate(&$<type>0->outtran, "outtran", turned, &@2);
        parser_set_wire($<type>0, turned, &@2);
    }
  | clauses DESTRUCTOR ':' ident '(' ident ')'
    {
        struct type_tran value = { $6, $4, NULL };

        parser_translate(&$<type>0->destructor, "destructor", value, &@2);
    }
  | clauses INTRANPAYLOAD ':' ident ident
    {
        struct type_tran value = { $4, $5, NULL };

        parser_translate(&$<type>0->payload, "intranpayload", value, &@2);
    }
  | clauses CTYPE ':' ident
    {
        if ($<type>0->server_name == $<type>0->user_name) {
            $<type>0->server_name = NULL; /* replaced once, said once */
        }

        parser_set_ctype(&$<type>0->user_name, $4, &@2);
        parser_set_ctype(&$<type>0->server_name, $4, &@2);
    }
  | clauses CUSERTYPE ':' ident
    {
        parser_set_ctype(&$<type>0->user_name, $4, &@2);
    }
  | clauses CSERVERTYPE ':' ident
    {
        if (!parser_is_translated($<type>0, $4)) {
            parser_set_ctype(&$<type>0->server_name, $4, &@2);
        }
    }
  ;

tran:
    ident ident '(' ident ')'
    {
        $$.type = $1;
        $$.function = $2;
        $$.raw = $4;
    }
  ;

typespec:
    prim { $$ = type_primitive(&@1, $1, $1); }
  | prim '|' prim { $$ = type_primitive(&@1, $1, $3); }
  | '(' prim ',' intexp flags ')'
    {
        $$ = type_sized(&@2, type_primitive(&@2, $2, $2), $4);
        $$->dealloc = ($5 & ARG_FLAG_DEALLOC) != 0;
    }
  | '(' prim '|' prim ',' intexp flags ')'
    {
        $$ = type_sized(&@2, type_primitive(&@2, $2, $4), $6);
        $$->dealloc = ($7 & ARG_FLAG_DEALLOC) != 0;
    }
  | ident { $$ = parser_use($1, &@1); }
  | ARRAY '[' ']' OF typespec { $$ = type_varray(&@1, 0, $5); }
  | ARRAY '[' '*' ']' OF typespec { $$ = type_varray(&@1, 0, $6); }
  | ARRAY '[' '*' ':' intexp ']' OF typespec
    {
        if ($5 == 0) {
            diag_error(&@1, "an array needs room for one element at least");
            $$ = type_error(&@1);
        } else {
            $$ = type_varray(&@1, $5, $8);
        }
    }
  | ARRAY '[' intexp ']' OF typespec { $$ = type_array(&@1, $3, $6); }
  | '^' typespec { $$ = type_pointer(&@1, $2); }
  | STRUCT '[' intexp ']' OF typespec
    {
        $$ = type_struct_array(&@1, $3, $6);
    }
  | STRUCT '{' members '}'
    {
        type_struct_end($3);
        $$ = $3;
    }
  | STRUCT '{' error '}'
    {
        yyerrok;
        $$ = type_error(&@1);
    }
  | STRUCT '{' members error '}'
    {
        yyerrok;
        $$ = type_error(&@1);
    }
  | CSTRING '[' intexp ']' { $$ = type_string(&@1, $3, false); }
  | CSTRING '[' '*' ':' intexp ']' { $$ = type_string(&@1, $5, true); }
  | native { $$ = type_native(&@1, $1, subsystem.native_limit); }
  ;

members:
    ident ident ';'
    {
        $$ = type_struct_begin(&@1);
        type_struct_add($$, parser_use($1, &@1), &@1);
    }
  | members ident ident ';'
    {
        $$ = $1;
        type_struct_add($$, parser_use($2, &@2), &@2);
    }
  ;

native:
    POINTERTO '(' words ')'
    {
        $$ = (struct type_native){ .name = $3 };
    }
  | VALUEOF '(' words ')'
    {
        $$ = (struct type_native){ .name = $3, .by_value = true };
    }
  | POINTERTOIFNOT '(' words ',' words ')'
    {
        $$ = (struct type_native){ .name = $3, .absent = $5 };
    }
  ;

words:
    word
  | words word { $$ = pool_printf("%s %s", $1, $2); }
  ;

word:
    ident
  | STRUCT
  | NUMBER { $$ = pool_printf("%lu", $1); }
  | '*' { $$ = "*"; }
  ;

prim:
    IPCNAME { $$ = parser_ipc_name($1, &@1); }
  | POLYMORPHIC { $$ = ipc_name_lookup("MACH_MSG_TYPE_POLYMORPHIC"); }
  | NUMBER
    {
        $$ = ipc_name_by_code($1);

        if ($$ == NULL) {
            diag_error(&@1, "there is no message type %lu", $1);
            $$ = ipc_name_lookup("MACH_MSG_TYPE_INTEGER_32");
        }
    }
  ;

intexp:
    NUMBER
  | '(' intexp ')' { $$ = $2; }
  | intexp '+' intexp { $$ = parser_calculate($1, '+', $3, &@2); }
  | intexp '-' intexp { $$ = parser_calculate($1, '-', $3, &@2); }
  | intexp '*' intexp { $$ = parser_calculate($1, '*', $3, &@2); }
  | intexp '/' intexp { $$ = parser_calculate($1, '/', $3, &@2); }
  ;

routine:
    routineword ident arglist
    {
        subsystem_add_routine(parser_routine($1, $2, &@2, $3));
    }
  ;

routineword:
    ROUTINE { $$ = false; }
  | SIMPLEROUTINE { $$ = true; }
  | PROCEDURE
    {
        parser_old_word(&@1, "procedure", "routine");
        $$ = false;
    }
  | FUNCTION
    {
        parser_old_word(&@1, "function", "routine");
        $$ = false;
    }
  | SIMPLEPROCEDURE
    {
        parser_old_word(&@1, "simpleprocedure", "simpleroutine");
        $$ = true;
    }
  ;

arglist:
    '(' ')' { $$ = NULL; }
  | '(' args ')'
    {
        yyerrok;
        $$ = $2;
    }
  ;

args:
    arg
  | arg ';' args
    {
        if ($1 == NULL) {
            $$ = $3;
        } else {
            $1->next = $3;
            $$ = $1;
        }
    }
  ;

arg:
    arghead ':' argtype flags
    {
        $$ = $1;
        $$->type_pos = @3;
        $$->type = $3;
        $$->flags = $4;
    }
  | error
    {
        parser_broken = true;
        $$ = NULL;
    }
  ;

arghead:
    ident { $$ = parser_arg(ARG_DEFAULT, $1, &@1); }
  | direction ident { $$ = parser_arg($1, $2, &@2); }
  ;

argtype:
    typespec
  | named
  ;

direction:
    IN { $$ = ARG_IN; }
  | OUT { $$ = ARG_OUT; }
  | INOUT { $$ = ARG_INOUT; }
  | REQUESTPORT { $$ = ARG_REQUESTPORT; }
  | REPLYPORT { $$ = ARG_REPLYPORT; }
  | SREPLYPORT { $$ = ARG_SREPLYPORT; }
  | UREPLYPORT { $$ = ARG_UREPLYPORT; }
  | WAITTIME { $$ = ARG_WAITTIME; }
  | SENDTIME { $$ = ARG_SENDTIME; }
  | MSGOPTION { $$ = ARG_MSGOPTION; }
  | MSGSEQNO { $$ = ARG_MSGSEQNO; }
  | SECTOKEN { $$ = ARG_SECTOKEN; }
  | SERVERSECTOKEN { $$ = ARG_SERVERSECTOKEN; }
  | USERSECTOKEN { $$ = ARG_USERSECTOKEN; }
  | AUDITTOKEN { $$ = ARG_AUDITTOKEN; }
  | SERVERAUDITTOKEN { $$ = ARG_SERVERAUDITTOKEN; }
  | USERAUDITTOKEN { $$ = ARG_USERAUDITTOKEN; }
  | SERVERCONTEXTTOKEN { $$ = ARG_CONTEXTTOKEN; }
  | implementation
    {
        diag_error(&@1, "trailers have no fields but the sequence number and "
                        "what the kernel says of the sender");
        $$ = ARG_UNSUPPORTED;
    }
  ;

implementation:
    SERVERIMPL
  | USERIMPL
  ;

flags:
    %empty { $$ = 0; }
  | flags ',' flag { $$ = $1 | $3; }
  ;

flag:
    DEALLOC { $$ = ARG_FLAG_DEALLOC; }
  | DEALLOC '[' ']' { $$ = ARG_FLAG_DEALLOC_DYNAMIC; }
  | NOTDEALLOC { $$ = ARG_FLAG_NOTDEALLOC; }
  | COUNTINOUT { $$ = ARG_FLAG_COUNTINOUT; }
  | RETCODE { $$ = ARG_FLAG_RETCODE; }
  | SERVERCOPY { $$ = ARG_FLAG_SERVERCOPY; }
  | ISLONG { $$ = ARG_FLAG_ISLONG; }
  | ISNOTLONG { $$ = ARG_FLAG_ISLONG; }
  | SAMECOUNT { $$ = ARG_FLAG_SAMECOUNT; }
  | PHYSICALCOPY { $$ = ARG_FLAG_PHYSICALCOPY; }
  | OVERWRITE { $$ = ARG_FLAG_OVERWRITE; }
  | CONST { $$ = ARG_FLAG_CONST; }
  | AUTO { $$ = ARG_FLAG_AUTO; }
  ;

ident:
    IDENT | AUDITTOKEN | AUTO | CONST | CONSUME | COUNTINOUT | CSERVERTYPE
  | CTYPE | CUSERTYPE | DEALLOC | DESTRUCTOR | ERROR | FUNCTION | INTRAN
  | INTRANPAYLOAD | ISLONG | ISNOTLONG | KERNELSENDER
  | MSGOPTION | MSGSEQNO | NOSENDTIME | NOTDEALLOC | NOWAITTIME | OUTTRAN
  | OVERWRITE | PHYSICALCOPY | PROCEDURE | RCSID | RETCODE | SAMECOUNT
  | SECTOKEN | SENDTIME | SERVERAUDITTOKEN | SERVERCONTEXTTOKEN | SERVERCOPY
  | SERVERDEMUX | SERVERIMPL | SERVERPREFIX | SERVERSECTOKEN
  | SIMPLEPROCEDURE | SPECIALREPLY | USERAUDITTOKEN
  | USERIMPL | USERPREFIX | USERSECTOKEN | WAITTIME | POINTERTO
  | POINTERTOIFNOT | VALUEOF | USERTYPELIMIT | ONSTACKLIMIT
  ;

%%

/* How many expected tokens a message names before it gives up. */
#define PARSER_EXPECTED_MAX 6

/* What the parser could have gone on with. */
struct parser_expected {
    const char *list;
    int count;
    bool semicolon;
    const char *likely; /* a keyword that looks like what was written */
    bool flag;          /* of an argument */
};

static const char *
parser_token_text(const struct source_pos *pos)
{
    return pool_strndup(source_text() + pos->offset, pos->length);
}

/*
 * Tokens that stand for one thing when the first two of them are expected: what
 * can begin a statement is many words, but the reader knows what a statement
 * is.
 */
static const struct parser_group {
    const char *phrase;
    yysymbol_kind_t marks[2];
    yysymbol_kind_t members[24];
} parser_groups[] = {
    { "a statement",
      { YYSYMBOL_ROUTINE, YYSYMBOL_TYPE },
      { YYSYMBOL_SUBSYSTEM, YYSYMBOL_TYPE, YYSYMBOL_ROUTINE,
        YYSYMBOL_SIMPLEROUTINE, YYSYMBOL_SKIP, YYSYMBOL_IMPORT,
        YYSYMBOL_UIMPORT, YYSYMBOL_SIMPORT, YYSYMBOL_DIMPORT,
        YYSYMBOL_IIMPORT } },
    { "an argument",
      { YYSYMBOL_IN, YYSYMBOL_INOUT },
      { YYSYMBOL_IN, YYSYMBOL_OUT, YYSYMBOL_INOUT, YYSYMBOL_REQUESTPORT,
        YYSYMBOL_REPLYPORT, YYSYMBOL_SREPLYPORT, YYSYMBOL_UREPLYPORT,
        YYSYMBOL_IDENT } },
    { "a type",
      { YYSYMBOL_ARRAY, YYSYMBOL_CSTRING },
      { YYSYMBOL_ARRAY, YYSYMBOL_STRUCT, YYSYMBOL_CSTRING,
        YYSYMBOL_POLYMORPHIC, YYSYMBOL_IPCNAME, YYSYMBOL_NUMBER,
        YYSYMBOL_IDENT } },
    { "a flag", { YYSYMBOL_DEALLOC, YYSYMBOL_COUNTINOUT }, { 0 } },
};

#define PARSER_GROUP_COUNT (sizeof(parser_groups) / sizeof(parser_groups[0]))

static bool
parser_has(const yysymbol_kind_t *symbols, int count, yysymbol_kind_t symbol)
{
    int i;

    for (i = 0; i < count; i++) {
        if (symbols[i] == symbol) {
            return true;
        }
    }

    return false;
}

/* The one thing that the expected tokens have in common; NULL: there is none. */
static const struct parser_group *
parser_group(const yysymbol_kind_t *symbols, int count)
{
    const struct parser_group *group;
    size_t i;

    for (i = 0; i < PARSER_GROUP_COUNT; i++) {
        group = &parser_groups[i];

        /* Where a name may stand, flags are names. */
        if (parser_has(symbols, count, group->marks[0]) &&
            parser_has(symbols, count, group->marks[1]) &&
            (group->members[0] != 0 ||
             !parser_has(symbols, count, YYSYMBOL_IDENT))) {
            return group;
        }
    }

    return NULL;
}

/*
 * True if some expected token needs no mention: operators could follow any
 * number, where a name is possible most keywords are too, and a group has been
 * mentioned as a whole.
 */
static bool
parser_is_noise(yysymbol_kind_t symbol, bool name,
                const struct parser_group *group)
{
    const char *text;

    text = yysymbol_name(symbol);

    if (text[0] == '\'' && strchr("+-*/", text[1]) != NULL) {
        return true;
    }

    if (group != NULL &&
        (parser_has(group->members, 24, symbol) ||
         (text[0] == '\'' && strchr("^(;", text[1]) != NULL))) {
        return true;
    }

    return (name || group != NULL) && symbol >= YYSYMBOL_PROCEDURE &&
           symbol <= YYSYMBOL_AUTO;
}

static struct parser_expected
parser_expected(const yypcontext_t *context, const char *written)
{
    struct parser_expected expected = { "", 0, false, NULL, false };
    yysymbol_kind_t symbols[YYNTOKENS];
    const struct parser_group *group;
    const char *text;
    bool name;
    int count, i;

    count = yypcontext_expected_tokens(context, symbols, YYNTOKENS);
    name = parser_has(symbols, count, YYSYMBOL_IDENT);
    group = parser_group(symbols, count);

    if (group != NULL) {
        expected.list = group->phrase;
        expected.count = 1;
        expected.flag = (group->members[0] == 0);
    }

    for (i = 0; i < count; i++) {
        text = yysymbol_name(symbols[i]);
        expected.semicolon = expected.semicolon || (strcmp(text, "';'") == 0);

        if (text[0] == '`' && expected.likely == NULL &&
            word_is_like(written, pool_strndup(text + 1, strlen(text) - 2))) {
            expected.likely = text;
        }

        if (!parser_is_noise(symbols[i], name, group)) {
            expected.list =
                pool_printf("%s%s%s", expected.list,
                            (expected.count == 0) ? "" : ", ", text);
            expected.count++;
        }
    }

    /* It ends a statement, and begins none that is worth a mention. */
    expected.semicolon = expected.semicolon &&
                         (group == NULL || group != &parser_groups[0]);
    return expected;
}

/* Names the tokens that would do; bison calls it. */
static int
yyreport_syntax_error(const yypcontext_t *context)
{
    const struct source_pos *pos, *before;
    struct parser_expected expected;
    const char *written;
    bool many;

    pos = yypcontext_location(context);
    before = lexer_previous();
    written = parser_token_text(pos);
    expected = parser_expected(context, written);
    many = expected.count == 0 || expected.count > PARSER_EXPECTED_MAX;

    if (yypcontext_token(context) == YYSYMBOL_YYEOF) {
        diag_error(before, "the file ends too early%s%s",
                   many ? "" : "; expected ", many ? "" : expected.list);
    } else if (expected.likely != NULL &&
               yypcontext_token(context) == YYSYMBOL_IDENT) {
        diag_error(pos, "`%s' cannot stand here; did you mean %s?", written,
                   expected.likely);
    } else if (expected.semicolon && before->file == pos->file &&
               before->line != pos->line) {
        diag_error(before, "expected %s after `%s'",
                   (many || expected.count == 0) ? "';'" : expected.list,
                   parser_token_text(before));
    } else if (expected.flag) {
        diag_error(pos, "expected %s before `%s'; ';' stands between arguments",
                   expected.list, written);
    } else if (expected.semicolon && many) {
        diag_error(pos, "expected ';' before `%s'", written);
    } else if (many) {
        diag_error(pos, "`%s' cannot stand here", written);
    } else {
        diag_error(pos, "expected %s before `%s'", expected.list, written);
    }

    return 0;
}

static void
parser_error(const char *message)
{
    diag_error(&parser_lloc, "%s", message);
}

static void
parser_old_word(const struct source_pos *pos, const char *word,
                const char *instead)
{
    diag_warning(pos, "`%s' is an old form of `%s'", word, instead);
}

static struct arg *
parser_arg(enum arg_direction direction, const char *name,
           const struct source_pos *pos)
{
    struct arg *arg;

    arg = pool_alloc(sizeof(*arg));
    arg->direction = direction;
    arg->name = name;
    arg->pos = *pos;
    return arg;
}

static struct routine *
parser_routine(bool oneway, const char *name, const struct source_pos *pos,
               struct arg *args)
{
    struct routine *routine;

    routine = pool_alloc(sizeof(*routine));
    routine->oneway = oneway;
    routine->name = name;
    routine->pos = *pos;
    routine->args = args;
    routine->broken = parser_broken;
    parser_broken = false;
    return routine;
}

static struct type *
parser_use(const char *name, const struct source_pos *pos)
{
    struct type *type;

    type = type_lookup(name);

    if (type == NULL) {
        type = type_lookup_like(name);

        if (type != NULL) {
            diag_error(pos, "undefined type `%s'; did you mean `%s'?", name,
                       type->name);

            if (!type->predefined) {
                diag_note(&type->pos, "`%s' is defined here", type->name);
            }
        } else {
            diag_error(pos, "undefined type `%s'", name);
        }

        /* Say it once: the name stands for a wrong type from here on. */
        type = type_error(pos);
        type_set_name(type, name);
        type_declare(type);
    }

    return type;
}

static const struct ipc_name *
parser_ipc_name(const char *name, const struct source_pos *pos)
{
    const struct ipc_name *ipc;

    ipc = ipc_name_lookup(name);

    if (ipc == NULL) {
        ipc = ipc_name_lookup_like(name);

        if (ipc != NULL) {
            diag_error(pos, "unknown message type `%s'; did you mean `%s'?",
                       name, ipc->name);
        } else {
            diag_error(pos, "unknown message type `%s'", name);
        }

        return ipc_name_lookup("MACH_MSG_TYPE_INTEGER_32");
    }

    if (ipc_name_is_old(name)) {
        diag_warning(pos, "`%s' is an old name of `%s'", name, ipc->name);
    }

    return ipc;
}

static unsigned long
parser_calculate(unsigned long left, int operator, unsigned long right,
                 const struct source_pos *pos)
{
    unsigned long result;
    bool wrong;

    result = 0;

    switch (operator) {
    case '+':
        wrong = __builtin_add_overflow(left, right, &result);
        break;
    case '-':
        wrong = __builtin_sub_overflow(left, right, &result);
        break;
    case '*':
        wrong = __builtin_mul_overflow(left, right, &result);
        break;
    default:
        wrong = (right == 0);
        result = wrong ? 0 : left / right;
        break;
    }

    if (wrong) {
        diag_error(pos, "%lu %c %lu has no value", left, operator, right);
        result = 1;
    }

    return result;
}

static void
parser_translate(struct type_tran *tran, const char *clause,
                 struct type_tran value, const struct source_pos *pos)
{
    if (tran->function != NULL &&
        (strcmp(tran->function, value.function) != 0 ||
         strcmp(tran->type, value.type) != 0)) {
        diag_warning(pos, "this `%s' replaces an earlier one", clause);
    }

    *tran = value;
}

static void
parser_set_ctype(const char **place, const char *name,
                 const struct source_pos *pos)
{
    if (*place != NULL && strcmp(*place, name) != 0) {
        diag_warning(pos, "the C type `%s' replaces `%s'", name, *place);
    }

    *place = name;
}

/*
 * `cservertype' may be meant for what the server's function sees, which a
 * translation says better.
 */
static bool
parser_is_translated(const struct type *type, const char *name)
{
    return (type->intran.type != NULL &&
            strcmp(type->intran.type, name) == 0) ||
           (type->outtran.type != NULL &&
            strcmp(type->outtran.type, name) == 0);
}

/* What is translated has the type of the translation's other end. */
static void
parser_set_wire(struct type *type, struct type_tran tran,
                const struct source_pos *pos)
{
    if (type->server_name != NULL &&
        strcmp(type->server_name, tran.type) == 0) {
        type->server_name = NULL;
    }

    parser_set_ctype(&type->server_name, tran.raw, pos);
}
