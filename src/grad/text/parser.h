// What the files of the parser share.
#ifndef TG_GRAD_PARSER_H
#define TG_GRAD_PARSER_H

#include <stdio.h>
#include <string.h>

#include "grad/text/ast.h"
#include "grad/text/lex.h"

typedef struct tg_parser {
  tg_arena *arena;
  const char *text;
  size_t length;
  size_t position; // behind the token
  tg_span passed;  // an index that was read ahead, behind an exponent: not read again
  tg_token token;  // the one being looked at
  int nesting;
  int operands;
  char bar;           // '|' or TG_SYMBOL_NORM: the bars that are open here; 0: none
  bool is_latex;      // a backslash occurs: words of several letters are products there
  tg_dialect dialect; // what '*' and '/' are between matrices
  bool is_module;     // the call at hand is of a module, or a method: np.linalg.norm
  tg_span long_word;  // the word of several letters that ended the last primary; empty: none
  bool in_blocks;     // between the brackets of [A, B; C, D], where a space is no product
  const tg_name_index *declared;
  tg_text *notices; // or NULL
} tg_parser;

// Operands of a sum, a term or a call, growing in place.
typedef struct tg_operands {
  tg_ast **items;
  char *ops;
  int32_t count;
  int32_t capacity;
} tg_operands;

tg_status tg_parse_advance(tg_parser *p);
bool tg_parse_at(const tg_parser *p, char symbol);
// At a name, or an attribute, of these letters.
bool tg_parse_at_word(const tg_parser *p, tg_token_kind kind, const char *word);
tg_status tg_parse_expect(tg_parser *p, char symbol, const char *what);
tg_status tg_parse_fail_expected(const tg_parser *p, const char *expected);
tg_status tg_parse_enter(tg_parser *p); // one level deeper, or TG_LIMIT
bool tg_parse_is_declared(const tg_parser *p, const char *name);

tg_status tg_parse_node(tg_parser *p, tg_ast_kind kind, tg_span span, int32_t n_args, tg_ast **out);
tg_status tg_parse_number(tg_parser *p, double value, tg_span span, tg_ast **out);
tg_status tg_parse_name(tg_parser *p, const char *name, tg_span span, tg_ast **out);
// name(args): the name is kept, the arguments copied.
tg_status tg_parse_make_call(tg_parser *p, const char *name, tg_span span, int32_t n, tg_ast *const *args,
                             tg_ast **out);
// a op b as a term or, for '^' and 'e', a power.
tg_status tg_parse_binary(tg_parser *p, char op, tg_span span, tg_ast *a, tg_ast *b, tg_ast **out);
tg_status tg_parse_wrap(tg_parser *p, tg_ast_kind kind, tg_span span, tg_ast *inner, tg_ast **out);
tg_status tg_parse_push(tg_parser *p, tg_operands *list, char op, tg_ast *item);
void tg_parse_free(tg_operands *list);

// What a text as a whole tells.
typedef struct tg_parse_style {
  tg_dialect dialect;
  bool is_latex;
} tg_parse_style;
tg_parse_style tg_parse_style_of(const char *text, tg_span span, const tg_name_index *declared);
// An expression that fills the range of the parser's text.
tg_status tg_parse_range(tg_parser *p, tg_span range, tg_parse_style style, tg_ast **out);
tg_status tg_parse_expression(tg_parser *p, tg_ast **out);
tg_status tg_parse_power(tg_parser *p, tg_ast **out);
tg_status tg_parse_signed_power(tg_parser *p, tg_ast **out);
// In parse_primary.c: numbers, names, calls, parentheses, bars, roots and fractions.
tg_status tg_parse_primary(tg_parser *p, tg_ast **out);
// Whether a primary begins here, where an operator might stand as well.
bool tg_parse_starts_factor(const tg_parser *p);
// A word of letters that nobody declared, as Ax: one name or a product.
bool tg_parse_is_long_word(const tg_parser *p, const tg_token *token);
tg_status tg_parse_fail_long_word(const tg_parser *p, tg_span word);
// In parse_call.c: what stands between the parentheses that the token opens, and what the call means; receiver is the
// first argument of a method, or NULL.
tg_status tg_parse_call(tg_parser *p, const char *name, size_t begin, tg_ast *receiver, tg_ast **out);
// .T, .sum(), behind *out.
tg_status tg_parse_attribute(tg_parser *p, tg_ast **out);
// (:) and the permutations of eye(n), behind *out; *found tells.
tg_status tg_parse_index(tg_parser *p, tg_ast **out, bool *found);

// parse_index.c. The largest index, and whether what the bracket opens are indices: numbers and ranges; of a name also
// a single number.
enum { TG_INDEX_MAX = 2147483647 };
bool tg_parse_looks_like_index(const tg_parser *p, bool is_name);
// The indices behind *out, which becomes the submatrix.
tg_status tg_parse_submatrix(tg_parser *p, tg_ast **out);
// In LaTeX letters beside each other are a product of sizes: whether the name is one, and is cut to its first letter.
bool tg_parse_split_letters(tg_token *token);
// [A, B; C, D], and LaTeX's matrices
tg_status tg_parse_blocks(tg_parser *p, tg_ast **out);

#endif
