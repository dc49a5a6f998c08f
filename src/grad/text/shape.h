// The shape pass and the functions of the language: one table says what each accepts and what it builds.
#ifndef TG_GRAD_SHAPE_H
#define TG_GRAD_SHAPE_H

#include "grad/calculus.h"
#include "grad/text/name_index.h"
#include "grad/text/sizes.h"

// What a name without a declaration is taken for.
typedef enum tg_guess { TG_GUESS_MATRIX, TG_GUESS_COLUMN, TG_GUESS_SCALAR } tg_guess;

typedef struct tg_scope_symbol {
  const char *name;
  tg_size rows;
  tg_size cols;
  unsigned properties;
  bool is_free;
  bool guessed; // its size is open, to be inferred
} tg_scope_symbol;

typedef struct tg_shaper {
  const char *text;
  tg_sizes sizes;
  tg_arena *arena;
  const tg_graph *graph; // for symbols that it already has
  const tg_compile_options *options;
  tg_scope_symbol *symbols;
  int32_t n_symbols;
  int32_t capacity;
  const tg_guess *guesses; // by the order in which undeclared names appear
  int32_t n_guesses;
  int32_t n_undeclared;
  tg_name_index index; // numbers the symbols
  int32_t n_shaped;    // nodes that fitted so far
  tg_errors *errors;   // or NULL: where a node does not fit the pass goes on, its size open
} tg_shaper;

// Fills rows and cols of every node below ast; of the whole, as options->like has them, where they can be the same.
tg_status tg_shape(tg_shaper *shaper, tg_ast *ast);
tg_status tg_shape_whole(tg_shaper *shaper, tg_ast *ast);
// Afterwards: TG_SHAPE where a matrix stands for a size, as X in eye(X)*X.
tg_status tg_shape_check_sizes(const tg_shaper *shaper, const tg_ast *ast);
void tg_shaper_fini(tg_shaper *shaper);

typedef struct tg_builder {
  tg_graph *graph;
  tg_sizes *sizes;
  tg_node *parts; // built so far, by their positions
  const char *text;
  const tg_compile_options *options;
  bool may_declare; // in a derivation, where the reader can say that a name is symmetric
} tg_builder;

typedef struct tg_function_info {
  const char *name;
  int32_t min_args;
  int32_t max_args;
  const char *signature; // for messages and help: "tr(X), X square"
  const char *help;
  tg_kind kind;
  tg_status (*shape)(tg_shaper *shaper, tg_ast *ast);
  tg_status (*build)(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out);
} tg_function_info;

const tg_function_info *tg_function_find(const char *name);
int32_t tg_function_count(void);
const tg_function_info *tg_function_at(int32_t index);
// eye, ones and zeros may stand without parentheses.
bool tg_function_is_constant(const tg_function_info *function);
// comm(m, n), eye(n), ones(m, n), zeros(m, n) take sizes, not expressions.
bool tg_function_takes_sizes(const tg_function_info *function);
// The arguments of a node that are expressions come first; so many.
int32_t tg_ast_expressions(const tg_ast *ast);

// For shape rules: the text of a node, shortened; "40 x 30"; equality of sizes or TG_SHAPE with both named.
void tg_shape_quote(const tg_shaper *shaper, const tg_ast *ast, tg_text *out);
// Beside '*', where a sum needs its parentheses.
void tg_shape_quote_factor(const tg_shaper *shaper, const tg_ast *ast, tg_text *out);
void tg_shape_describe(tg_shaper *shaper, const tg_ast *ast, tg_text *out);
// A declaration that leaves the size open, of what may be a scalar, a vector or a matrix.
bool tg_shape_is_guessed(const tg_shaper *shaper, const tg_declaration *declaration);
bool tg_shape_is_scalar(const tg_shaper *shaper, const tg_ast *ast);
tg_status tg_shape_require_square(tg_shaper *shaper, const char *what, const tg_ast *ast);
tg_status tg_shape_require_equal(tg_shaper *shaper, const char *what, const tg_ast *a, const tg_ast *b, tg_span span);
// TG_VALUE where the argument of the call is not known to be symmetric, with what to declare. In a job the variables
// are taken for symmetric: their domain is (engine/model/domain.h).
tg_status tg_builder_require_symmetric(tg_builder *builder, const tg_ast *ast, tg_node argument);
// The exponent of a matrix with the numbers that the declarations give put in; TG_VALUE where it is no whole number, is
// too large, or, in a job, no number.
tg_status tg_builder_exponent(tg_builder *builder, const tg_ast *ast, tg_node *exponent);
// A size as a node's dimension; TG_SHAPE at the span where it comes to a number below 1.
tg_status tg_builder_dim(tg_builder *builder, tg_size size, tg_span span, tg_dim *out);

#endif
