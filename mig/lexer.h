/*
 * SPDX-License-Identifier: MIT
 *
 * The lexer's side towards the parser. Tokens themselves are parser_lex().
 */

#ifndef MIG_LEXER_H
#define MIG_LEXER_H

#include <stddef.h>

#include "source.h"

enum lexer_operand {
    LEXER_WORD,
    LEXER_FILENAME,
    LEXER_QUOTED,
};

void lexer_setup(const char *text, size_t length);
void lexer_fini(void);

/* The next token is an operand of this kind. */
void lexer_expect(enum lexer_operand operand);

int parser_lex(void);

/* Where the token before the last one stood; no file: there was none. */
const struct source_pos *lexer_previous(void);

#endif /* MIG_LEXER_H */
