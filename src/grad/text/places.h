// What the letters of names and their places in an expression suggest: scalar, column or matrix.
#ifndef TG_GRAD_PLACES_H
#define TG_GRAD_PLACES_H

#include "grad/text/shape.h"

// In the order in which they give way to a scalar reading.
typedef enum tg_letter {
  TG_LETTER_MATRIX,
  TG_LETTER_GREEK,
  TG_LETTER_SCALAR,
  TG_LETTER_EITHER,
  TG_LETTER_COLUMN
} tg_letter;

tg_letter tg_letter_of(const char *name);
// N, C, T, also with an index: counts and weights by custom.
bool tg_name_is_count(const char *name);

// Where a name stands.
enum {
  TG_PLACE_AT_FRONT = 1 << 0,     // a factor before others: c*x
  TG_PLACE_BY_SCALAR = 1 << 1,    // a factor before a scalar, c*sumsq(x), or a term beside one, tr(X) + c
  TG_PLACE_AFTER_MATRIX = 1 << 2, // a factor behind a matrix: X*b
  TG_PLACE_IN_SQUARE = 1 << 3,    // below tr, det, logdet or inv
  TG_PLACE_NUMBER = 1 << 4,       // where a matrix is of no use: below a bar, tr(X)/N, or as an exponent, s^N
};

typedef struct tg_places {
  const tg_name_index *names;
  unsigned *marks; // of each name
} tg_places;

// Marks the names below ast with their places.
void tg_places_mark(const tg_places *places, const tg_ast *ast);
// Marks the names below tr, det, logdet and inv with TG_PLACE_IN_SQUARE.
void tg_places_mark_square(const tg_places *places, const tg_ast *ast, bool inside);
bool tg_ast_takes_square(const tg_ast *ast);

// The function of a call or of a bare constant such as eye; else NULL.
const tg_function_info *tg_ast_function(const tg_ast *ast);
// A scalar by its form: a number, tr(X), x^2, x'*y.
bool tg_ast_is_scalar_form(const tg_ast *ast);
// A matrix by its form: X, X', inv(...), a sum or product that ends with one.
bool tg_ast_is_matrix_form(const tg_ast *ast);
// A column by its form: x, A*x, A*x - b.
bool tg_ast_is_column_form(const tg_ast *ast);
// Whether the factors from i on, up to a quotient, are a row times ... times a column: x'*A*(x - b).
bool tg_ast_is_inner_product(const tg_ast *term, int32_t i);
// x, -x, for a name without a function's meaning; else NULL.
const tg_ast *tg_ast_bare_name(const tg_ast *ast);

#endif
