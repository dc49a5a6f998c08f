// Tokens of the expression language, in its own spelling, in Unicode and in LaTeX.
#ifndef TG_GRAD_LEX_H
#define TG_GRAD_LEX_H

#include "base/status.h"
#include "grad/text/limits.h"

typedef enum tg_token_kind {
  TG_TOKEN_END,
  TG_TOKEN_NUMBER,
  TG_TOKEN_NAME,
  TG_TOKEN_SYMBOL,
  TG_TOKEN_POWER,     // a superscript: number is the exponent
  TG_TOKEN_ATTRIBUTE, // .T, .sum: name is what follows the dot
  TG_TOKEN_CONSTANT // I_{n}, \mathbf{1}_{m \times n}, 0_{...}, K_{m,n}, \operatorname{unvec}_{...}: symbol I, 1, 0, K,
                    // U
} tg_token_kind;

// Symbols of one character stand for themselves, in all their spellings; these have none of one character.
enum {
  TG_SYMBOL_TIMES = 'x',      // .*
  TG_SYMBOL_OVER = 'd',       // ./
  TG_SYMBOL_POWER = 'e',      // .^
  TG_SYMBOL_STARS = 'E',      // **
  TG_SYMBOL_KRON = 'K',       // the circled times
  TG_SYMBOL_R_TIMES = 'M',    // %*%
  TG_SYMBOL_R_OUTER = 'O',    // %o%
  TG_SYMBOL_NORM = 'N',       // two bars
  TG_SYMBOL_ROOT = 'R',       // the sign of a root, \sqrt
  TG_SYMBOL_FRACTION = 'F',   // \frac
  TG_SYMBOL_MATRIX = 'B',     // \begin{bmatrix}; \end{bmatrix} is ']'
  TG_SYMBOL_TOP = 'T',        // \top
  TG_SYMBOL_INVERSE_TOP = 'I' // superscript -T
};

typedef struct tg_token {
  tg_token_kind kind;
  tg_span span;
  char symbol;
  char side;       // of a bar or parenthesis that \left, \right, \lVert, \rVert make one: '(' or ')'; else 0
  bool spaced;     // white space stands before it
  bool is_upright; // a name set as one in LaTeX: \mathrm{Ax}, \operatorname{tr}, \log
  bool is_command; // \log, \operatorname{tr}: a function whatever follows
  bool is_module;  // np.sum
  bool is_greek;   // a letter, or its command
  double number;
  int n_sizes; // of a constant
  tg_span sizes[2];
  char name[TG_NAME_BYTES_MAX + 1]; // as it is declared: lambda for its letter
} tg_token;

// The token at or after *position; advances it past the token.
tg_status tg_lex(const char *text, size_t length, size_t *position, tg_token *out);
// What is between quotes: 'fro', "F". The token at *position is the quote.
tg_status tg_lex_string(const char *text, size_t length, size_t *position, tg_token *out);
// The subscript at *position, in whatever spelling: _F, _{2}, a lowered 1; an empty name where there is none.
tg_status tg_lex_subscript(const char *text, size_t length, size_t *position, tg_token *out);
// Behind a number as an exponent, ^2, ^{2} or a raised 2, the place of the subscript that follows it directly; position
// where there is none.
size_t tg_lex_index_behind_power(const char *text, size_t length, size_t position);

// lambda, Sigma: the name of a Greek letter that is one in LaTeX, among the first bytes.
bool tg_name_is_greek_letter(const char *name, size_t length);

#endif
