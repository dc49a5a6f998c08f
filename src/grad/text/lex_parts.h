// What the files of the lexer share.
#ifndef TG_GRAD_LEX_PARTS_H
#define TG_GRAD_LEX_PARTS_H

#include "grad/text/lex.h"

typedef struct tg_lexer {
  const char *text;
  size_t length;
  size_t position;
} tg_lexer;

char tg_lex_at(const tg_lexer *l, size_t position); // '\0' beyond the end
bool tg_lex_starts(const tg_lexer *l, size_t position, const char *word);
bool tg_lex_is_digit(char c);
bool tg_lex_is_letter(char c);
// Appends to the token's name; TG_LIMIT.
tg_status tg_lex_add_name(tg_token *token, const char *bytes, size_t n);
// The index in braces, or lowered, behind a name.
tg_status tg_lex_name_end(tg_lexer *l, tg_token *out);
// The name of the Greek letter at the position and its bytes; NULL: none.
const char *tg_lex_greek_name(const tg_lexer *l, size_t position, size_t *bytes);
// A name that begins with a Greek letter of so many bytes at the position.
tg_status tg_lex_greek(tg_lexer *l, const char *name, size_t bytes, tg_token *out);

// In lex_latex.c.

// White space, also LaTeX's; \left and \right, which give the next token its side.
tg_status tg_lex_spaces(tg_lexer *l, tg_token *out);
// The bytes of a mark of a matrix of blocks at the position, and what it is in the language: \begin{bmatrix} is
// TG_SYMBOL_MATRIX, \end{bmatrix} ']', & ',' and \\ ';'. 0: it is none.
size_t tg_lex_matrix(const tg_lexer *l, size_t position, char *symbol);
// What stands in the braces at the position, appended to the token's name: letters, digits, fonts and signs between.
tg_status tg_lex_braced(tg_lexer *l, tg_token *out);
// The sizes in the braces at the position, where the token's name is that of a constant; false, and nothing is read:
// it is none.
bool tg_lex_constant(tg_lexer *l, tg_token *out);
// A backslash and what it begins: a Greek letter, a function, a font around a name.
tg_status tg_lex_command(tg_lexer *l, tg_token *out);
// The error about a character that begins no token.
tg_status tg_lex_unexpected(const tg_lexer *l);

#endif
