// The search for the reading of names without a size: letters and places say what is likely, shapes what is possible.
#include "grad/text/guess.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"

// ---- what letters say ----

typedef enum letter { LETTER_MATRIX, LETTER_GREEK, LETTER_SCALAR, LETTER_EITHER, LETTER_COLUMN } letter;

// Greek words, also with an index: sigma2, mu_x.
static bool is_greek(const char *name)
{
  static const char *const greek[] = {"alpha", "beta",  "gamma",   "delta", "epsilon", "eps", "zeta", "eta", "theta",
                                      "iota",  "kappa", "lambda",  "lam",   "mu",      "nu",  "xi",   "pi",  "rho",
                                      "sigma", "tau",   "upsilon", "phi",   "chi",     "psi", "omega"};
  const size_t length = strcspn(name, "_0123456789");
  for (size_t i = 0; i < sizeof greek / sizeof greek[0]; i++)
    if (strlen(greek[i]) == length && strncmp(greek[i], name, length) == 0) return true;
  return false;
}

static letter letter_of(const char *name)
{
  if (isupper((unsigned char)name[name[0] == 'd'])) return LETTER_MATRIX; // X, dX
  if (is_greek(name)) return LETTER_GREEK;
  if (strchr("ijklmnst", name[0]) != NULL) return LETTER_SCALAR;
  return strchr("uvwxyz", name[0]) != NULL ? LETTER_COLUMN : LETTER_EITHER;
}

// Preferences of a name, best first; any may be another if it must.
static tg_guess preference(letter kind, int32_t rank)
{
  static const tg_guess greek[] = {TG_GUESS_SCALAR, TG_GUESS_COLUMN, TG_GUESS_MATRIX};
  static const tg_guess lower[] = {TG_GUESS_COLUMN, TG_GUESS_SCALAR, TG_GUESS_MATRIX};
  if (kind == LETTER_MATRIX) return TG_GUESS_MATRIX;
  return kind == LETTER_GREEK ? greek[rank] : lower[rank];
}

// ---- what places say ----

// Where a name stands.
enum {
  AT_FRONT = 1 << 0,     // a factor before others: c*x
  BY_SCALAR = 1 << 1,    // a factor before a scalar, c*sumsq(x), or a term beside one, tr(X) + c
  AFTER_MATRIX = 1 << 2, // a factor behind a matrix: X*b
  IN_SQUARE = 1 << 3,    // below tr, det, logdet or inv
};

typedef struct guess_search {
  tg_shaper *shaper;
  tg_ast *ast;
  tg_name_index names;
  letter *letters;
  unsigned *places;
  tg_guess *guesses; // of the reading at hand
  tg_guess *best;
  int32_t *searched; // names that may be read in more than one way
  int32_t n_searched;
  int32_t n_nodes;
  int64_t budget; // nodes that may still be shaped
} guess_search;

static const tg_function_info *function_of(const tg_ast *ast)
{
  return ast->kind == TG_AST_CALL || ast->kind == TG_AST_NAME ? tg_function_find(ast->name) : NULL;
}

static bool takes_sizes(const tg_ast *ast)
{
  return function_of(ast) != NULL && tg_function_takes_sizes(function_of(ast));
}

// x, -x, for a name without a function's meaning.
static const tg_ast *bare_name(const tg_ast *ast)
{
  while (ast->kind == TG_AST_NEGATIVE) ast = ast->args[0];
  return ast->kind == TG_AST_NAME && function_of(ast) == NULL ? ast : NULL;
}

static bool is_bare_small(const tg_ast *ast)
{
  const tg_ast *name = bare_name(ast);
  return name != NULL && letter_of(name->name) != LETTER_MATRIX;
}

// A column by its form: x, A*x, A*x - b.
static bool is_column_form(const tg_ast *ast)
{
  if (ast->kind == TG_AST_TERM) return ast->ops[ast->n_args - 1] == '*' && is_bare_small(ast->args[ast->n_args - 1]);
  if (ast->kind != TG_AST_SUM) return is_bare_small(ast);
  bool column = true;
  for (int32_t i = 0; column && i < ast->n_args; i++) column = is_column_form(ast->args[i]);
  return column;
}

// Whether the factors from i on, up to a '/', are a row times ... times a column: x'*A*(x - b).
static bool is_inner_product(const tg_ast *term, int32_t i)
{
  int32_t last = i;
  if (term->args[i]->kind != TG_AST_TRANSPOSE) return false;
  while (last + 1 < term->n_args && term->ops[last + 1] == '*') last++;
  return last > i && (last + 1 == term->n_args || term->ops[last + 1] == '/') &&
         is_column_form(term->args[i]->args[0]) && is_column_form(term->args[last]);
}

// A scalar by its form: a number, tr(X), x^2, x'*y.
static bool is_scalar_form(const tg_ast *ast)
{
  if (ast->kind == TG_AST_NUMBER) return true;
  if (ast->kind == TG_AST_NEGATIVE) return is_scalar_form(ast->args[0]);
  if (ast->kind == TG_AST_POWER)
    return ast->ops[0] == '^' && (is_bare_small(ast->args[0]) || is_scalar_form(ast->args[0]));
  if (ast->kind == TG_AST_TERM) {
    bool all = true;    // scalars by form
    bool before = true; // scalars, perhaps, before an inner product
    for (int32_t i = 0; (all || before) && i < ast->n_args; i++) {
      before = before && (i == 0 || ast->ops[i] == '*');
      if (before && is_inner_product(ast, i)) return true;
      const bool scalar = is_scalar_form(ast->args[i]); // once: products nest deep
      all = all && scalar;
      before = before && (scalar || is_bare_small(ast->args[i]));
    }
    return all;
  }
  const tg_function_info *function = ast->kind == TG_AST_CALL ? function_of(ast) : NULL;
  if (function == NULL || ast->n_args == 0) return false; // an empty call is refused later, with its place
  switch (function->kind) {
  case TG_TR:
  case TG_DET:
  case TG_LOGDET:
  case TG_SUM:
    return true;
  case TG_POW:
    return strcmp(function->name, "norm2") == 0 || is_scalar_form(ast->args[0]);
  default:
    return function->kind >= TG_EXP && ast->n_args == 1 && is_scalar_form(ast->args[0]);
  }
}

// A matrix by its form: X, X', inv(...), a sum or product that ends with one.
static bool is_matrix_form(const tg_ast *ast)
{
  switch (ast->kind) {
  case TG_AST_NAME:
    return function_of(ast) == NULL && letter_of(ast->name) == LETTER_MATRIX;
  case TG_AST_NEGATIVE:
  case TG_AST_TRANSPOSE:
  case TG_AST_POWER:
  case TG_AST_SUM:
    return is_matrix_form(ast->args[0]);
  case TG_AST_TERM:
    return is_matrix_form(ast->args[ast->n_args - 1]);
  case TG_AST_CALL:
    return function_of(ast) != NULL &&
           (function_of(ast)->kind == TG_INV || function_of(ast)->kind == TG_DIAG || function_of(ast)->kind == TG_KRON);
  default:
    return false;
  }
}

static void mark(guess_search *search, const tg_ast *ast, unsigned place)
{
  const tg_ast *name = bare_name(ast);
  const int32_t index = name != NULL ? tg_name_index_find(&search->names, name->name) : -1;
  if (index >= 0) search->places[index] |= place;
}

// Whether a scalar ends the product: the factors from i on are scalars by form or bare names, at least one the former.
static bool scalar_follows(const tg_ast *term, int32_t i)
{
  bool found = false;
  for (; i < term->n_args; i++) {
    if (is_inner_product(term, i)) return true;
    const bool scalar = is_scalar_form(term->args[i]);
    if (!scalar && !is_bare_small(term->args[i])) return false;
    found = found || scalar;
  }
  return found;
}

static bool occurs(const char *name, const tg_ast *ast)
{
  bool found = ast->kind == TG_AST_NAME && strcmp(ast->name, name) == 0;
  for (int32_t i = 0; !found && i < ast->n_args; i++) found = occurs(name, ast->args[i]);
  return found;
}

// The name that a column begins with.
static const tg_ast *leading_name(const tg_ast *ast)
{
  while (bare_name(ast) == NULL) ast = ast->args[ast->kind == TG_AST_TERM ? ast->n_args - 1 : 0];
  return bare_name(ast);
}

// c of c*x or c/norm2(x), not x of x/norm2(x); c of c*x'*y, not x of x*y'*z.
static bool is_front_name(const tg_ast *term, int32_t i)
{
  if (!is_bare_small(term->args[i]) || i + 1 == term->n_args) return false;
  if (term->ops[i + 1] != '*' && term->ops[i + 1] != '/') return false;
  const char *name = bare_name(term->args[i])->name;
  if (is_inner_product(term, i + 1) && letter_of(leading_name(term->args[i + 1]->args[0])->name) <= letter_of(name))
    return false;
  for (int32_t k = i + 1; k < term->n_args; k++)
    if (occurs(name, term->args[k])) return false;
  return true;
}

// Fronts are few: of a product of hundreds of names the first.
enum { FRONT_MAX = 8 };

static void mark_term(guess_search *search, const tg_ast *ast)
{
  bool front = true;
  for (int32_t i = 0; i < ast->n_args; i++) {
    front = front && i < FRONT_MAX && (i == 0 || ast->ops[i] == '*');
    if (front && is_front_name(ast, i))
      mark(search, ast->args[i], scalar_follows(ast, i + 1) ? AT_FRONT | BY_SCALAR : AT_FRONT);
    if (i > 0 && ast->ops[i] == '*' && is_matrix_form(ast->args[i - 1])) mark(search, ast->args[i], AFTER_MATRIX);
    front = front && (is_bare_small(ast->args[i]) || is_scalar_form(ast->args[i]));
  }
}

static void mark_sum(guess_search *search, const tg_ast *ast)
{
  bool scalar = false;
  for (int32_t i = 0; i < ast->n_args && !scalar; i++) scalar = is_scalar_form(ast->args[i]);
  for (int32_t i = 0; i < ast->n_args && scalar; i++)
    if (is_bare_small(ast->args[i])) mark(search, ast->args[i], AT_FRONT | BY_SCALAR);
}

static void mark_places(guess_search *search, const tg_ast *ast)
{
  if (takes_sizes(ast)) return;
  for (int32_t i = 0; i < ast->n_args; i++) mark_places(search, ast->args[i]);
  if (ast->kind == TG_AST_TERM) mark_term(search, ast);
  if (ast->kind == TG_AST_SUM) mark_sum(search, ast);
}

// ---- the cost of a reading ----

// How far a reading is from what its names suggest. Only the order of sums of a few of these matters:
// `c*sumsq(x)` and `s*u` squeeze the front, x.*y prefers a value that is no scalar to two scalars,
// sumsq(y - X*beta) a column beta to a column X, sumsq(Y - X*w) a column Y to a scalar w.
enum {
  COST_ODD = 20,             // diag(x), vec(x), tr(x), x' of a scalar
  COST_CONSTANT = 5,         // eye, ones, zeros that are 1 x 1
  COST_VALUE = 3,            // a value that is no scalar, for each of its terms
  COST_MIXED = 30,           // with it, x a scalar beside a column y
  COST_MATRIX_SCALAR = 40,   // A is 1 x 1
  COST_MATRIX_VECTOR = 9,    // A is n x 1 or 1 x n
  COST_GREEK_COLUMN = 3,     // lambda is n x 1
  COST_ROW = 15,             // x is 1 x n
  COST_ROW_VALUE = 15,       // and the value is no scalar
  COST_SMALL_MATRIX = 24,    // x is m x n
  COST_AFTER_MATRIX = 6,     // a scalar stands behind a matrix
  COST_BY_SCALAR = 2,        // w of w*sumsq(x) is 1 x 1
  COST_COLUMN_BY_SCALAR = 8, // c of c*sumsq(x) is n x 1
  COST_INFEASIBLE = 1 << 30,
};

static int scalar_cost(letter kind, unsigned places)
{
  static const int at_front[] = {COST_MATRIX_SCALAR, 0, 1, 2, 8};
  static const int elsewhere[] = {COST_MATRIX_SCALAR, 0, 2, 7, 10};
  const int behind = (places & AFTER_MATRIX) != 0 ? COST_AFTER_MATRIX : 0;
  if ((places & BY_SCALAR) != 0 && kind != LETTER_MATRIX) return kind == LETTER_COLUMN ? COST_BY_SCALAR : 0;
  return behind + ((places & AT_FRONT) != 0 ? at_front[kind] : elsewhere[kind]);
}

static int name_cost(letter kind, unsigned places, bool one_row, bool one_column)
{
  if (one_row && one_column) return scalar_cost(kind, places);
  if (kind == LETTER_MATRIX) return one_row || one_column ? COST_MATRIX_VECTOR : 0;
  if (one_row) return COST_ROW;
  if (!one_column) return COST_SMALL_MATRIX;
  if (kind == LETTER_GREEK) return COST_GREEK_COLUMN;
  return (places & BY_SCALAR) != 0 && kind != LETTER_COLUMN ? COST_COLUMN_BY_SCALAR : 0;
}

// Names read as scalars where nobody would put one, and constants that came out as 1 x 1.
static int odd_cost(const tg_shaper *shaper, const tg_ast *ast)
{
  const tg_function_info *function = function_of(ast);
  if (function != NULL && tg_function_is_constant(function))
    return ast->n_args == 0 && tg_shape_is_scalar(shaper, ast) ? COST_CONSTANT : 0;
  if (takes_sizes(ast)) return 0;
  const bool wants_more = ast->kind == TG_AST_TRANSPOSE ||
                          (ast->kind == TG_AST_CALL && function->kind >= TG_INV && function->kind <= TG_UNVEC);
  const bool wants_vector = function != NULL && (function->kind == TG_DIAG || function->kind == TG_VEC);
  int cost = 0;
  for (int32_t i = 0; i < ast->n_args; i++) {
    const tg_ast *arg = ast->args[i];
    const bool odd = wants_vector || (wants_more && arg->kind == TG_AST_NAME);
    if (odd && tg_shape_is_scalar(shaper, arg)) cost += COST_ODD;
    cost += odd_cost(shaper, arg);
  }
  return cost;
}

static int reading_cost(const guess_search *search)
{
  const tg_shaper *shaper = search->shaper;
  int cost = odd_cost(shaper, search->ast);
  bool scalar = false; // among names that are columns by their letter
  bool column = false;
  bool row = false;
  for (int32_t i = 0; i < shaper->n_symbols; i++) {
    const tg_scope_symbol *symbol = &shaper->symbols[i];
    if (!symbol->guessed) continue;
    const int32_t name = tg_name_index_find(&search->names, symbol->name);
    const letter kind = name >= 0 ? search->letters[name] : LETTER_MATRIX;
    const bool one_row = tg_size_is_one(&shaper->sizes, symbol->rows);
    const bool one_column = tg_size_is_one(&shaper->sizes, symbol->cols);
    cost += name_cost(kind, name >= 0 ? search->places[name] : 0, one_row, one_column);
    scalar = scalar || (kind == LETTER_COLUMN && one_row && one_column);
    row = row || (kind != LETTER_MATRIX && one_row && !one_column);
    column = column || (kind != LETTER_MATRIX && !(one_row && one_column));
  }
  const int terms = search->ast->kind == TG_AST_SUM ? search->ast->n_args : 1;
  if (tg_shape_is_scalar(shaper, search->ast)) return cost;
  return cost + COST_VALUE * terms + (scalar && column ? COST_MIXED : 0) + (row ? COST_ROW_VALUE : 0);
}

// ---- the search ----

static void reset_shaper(tg_shaper *shaper)
{
  shaper->n_symbols = 0;
  shaper->n_undeclared = 0;
  shaper->n_shaped = 0;
  tg_name_index_clear(&shaper->index);
  tg_sizes_clear(&shaper->sizes);
}

tg_status tg_shape_once(tg_shaper *shaper, tg_ast *ast)
{
  reset_shaper(shaper);
  TG_TRY(tg_shape(shaper, ast));
  TG_TRY(tg_sizes_settle(&shaper->sizes));
  return tg_shape_check_sizes(shaper, ast);
}

// The cost of the reading at hand; of those that do not fit, the one that fits further is cheaper.
static tg_status try_reading(guess_search *search, int *cost)
{
  const tg_status status = tg_shape_once(search->shaper, search->ast);
  search->budget -= search->shaper->n_shaped + 1;
  if (status == TG_MEMORY) return tg_error_pass(status, TG_HERE); // says nothing about the reading
  *cost = status == TG_OK ? reading_cost(search) : COST_INFEASIBLE - search->shaper->n_shaped;
  return TG_OK;
}

static void keep_best(guess_search *search)
{
  if (search->names.n > 0) memcpy(search->best, search->guesses, (size_t)search->names.n * sizeof search->best[0]);
}

// Every reading, the preferred ones first; readings is their number.
static tg_status search_all(guess_search *search, int64_t readings, int *best_cost)
{
  for (int64_t reading = 0; reading < readings && *best_cost != 0; reading++) {
    int64_t rest = reading;
    int cost = 0;
    for (int32_t k = 0; k < search->n_searched; k++, rest /= 3) {
      const int32_t name = search->searched[k];
      search->guesses[name] = preference(search->letters[name], (int32_t)(rest % 3));
    }
    TG_TRY(try_reading(search, &cost));
    if (cost >= *best_cost) continue;
    *best_cost = cost;
    keep_best(search);
  }
  return TG_OK;
}

// Tries the readings that differ from the one at hand in the names i and j (or in i alone if they are the same).
static tg_status improve_pair(guess_search *search, int32_t i, int32_t j, int *best, bool *improved)
{
  const tg_guess old_i = search->guesses[i];
  const tg_guess old_j = search->guesses[j];
  tg_guess kept_i = old_i;
  tg_guess kept_j = old_j;
  for (int32_t a = 0; a < 3; a++) {
    for (int32_t b = 0; b < (i == j ? 1 : 3); b++) {
      int cost = 0;
      search->guesses[j] = preference(search->letters[j], b);
      search->guesses[i] = preference(search->letters[i], a);
      if (search->guesses[i] == old_i || (i != j && search->guesses[j] == old_j)) continue;
      TG_TRY(try_reading(search, &cost));
      if (cost >= *best) continue;
      *best = cost;
      *improved = true;
      kept_i = search->guesses[i];
      kept_j = search->guesses[j];
    }
  }
  search->guesses[j] = kept_j;
  search->guesses[i] = kept_i;
  return TG_OK;
}

// Changes one name at a time, then two, while that helps.
static tg_status descend(guess_search *search, int *cost)
{
  const int32_t n = search->n_searched;
  bool improved = true;
  TG_TRY(try_reading(search, cost));
  while (improved && *cost > 0 && search->budget > 0) {
    improved = false;
    for (int32_t k = 0; k<n && * cost> 0 && search->budget > 0; k++)
      TG_TRY(improve_pair(search, search->searched[k], search->searched[k], cost, &improved));
    for (int32_t k = 0; k < n && !improved && *cost > 0; k++)
      for (int32_t l = 0; l < k && !improved && search->budget > 0; l++)
        TG_TRY(improve_pair(search, search->searched[k], search->searched[l], cost, &improved));
  }
  return TG_OK;
}

// The guess of a name where a descent starts: by places and letters, by letters alone, with the letters of scalars as
// scalars too, with every small letter a scalar.
static tg_guess first_guess(const guess_search *search, int32_t name, int start)
{
  const letter kind = search->letters[name];
  const unsigned hint = start == 1 ? BY_SCALAR : AT_FRONT | BY_SCALAR;
  const bool placed = (search->places[name] & hint) != 0 && kind != LETTER_COLUMN;
  if (placed || (start == 2 && kind == LETTER_SCALAR) || start == 3) return TG_GUESS_SCALAR;
  return preference(kind, 0);
}

enum { STARTS = 4 };

// Several descents.
static tg_status search_near(guess_search *search, int *best_cost)
{
  const int64_t budget = search->budget / STARTS;
  for (int start = 0; start < STARTS && *best_cost != 0; start++) {
    int cost = 0;
    for (int32_t k = 0; k < search->n_searched; k++)
      search->guesses[search->searched[k]] = first_guess(search, search->searched[k], start);
    search->budget = budget;
    TG_TRY(descend(search, &cost));
    if (cost >= *best_cost) continue;
    *best_cost = cost;
    keep_best(search);
  }
  return TG_OK;
}

// ---- small letters for matrices ----

static bool is_scalar_name(const tg_shaper *shaper, const tg_ast *ast)
{
  return bare_name(ast) != NULL && tg_shape_is_scalar(shaper, ast);
}

static bool takes_square(const tg_ast *ast)
{
  const tg_function_info *function = ast->kind == TG_AST_CALL ? function_of(ast) : NULL;
  return function != NULL && (function->kind == TG_TR || function->kind == TG_DET || function->kind == TG_LOGDET ||
                              function->kind == TG_INV);
}

static void mark_square(guess_search *search, const tg_ast *ast, bool inside)
{
  if (takes_sizes(ast)) return;
  if (inside) mark(search, ast, IN_SQUARE);
  for (int32_t i = 0; i < ast->n_args; i++) mark_square(search, ast->args[i], inside || takes_square(ast));
}

// A factor that came out as a scalar behind one that did not, or a product or sum of nothing but scalar names.
static bool has_lost_part(const tg_shaper *shaper, const tg_ast *ast)
{
  bool all = ast->kind == TG_AST_TERM || ast->kind == TG_AST_SUM;
  bool behind = false;
  for (int32_t i = 0; i < ast->n_args && !behind; i++) {
    const bool scalar = is_scalar_name(shaper, ast->args[i]);
    behind = scalar && !all && ast->kind == TG_AST_TERM;
    all = all && scalar;
  }
  return all || behind;
}

// Such a one under tr, det, logdet or inv, where nobody leaves a scalar: it would stand in front of it all.
static bool has_lost_scalar(const tg_shaper *shaper, const tg_ast *ast, bool inside)
{
  if (takes_sizes(ast)) return false;
  if (inside && has_lost_part(shaper, ast)) return true;
  inside = inside || takes_square(ast);
  bool found = false;
  for (int32_t i = 0; !found && i < ast->n_args; i++) found = has_lost_scalar(shaper, ast->args[i], inside);
  return found;
}

// No capital, no Greek word, no letter of numbers and sizes: the writer may have matrices in small letters.
static bool is_all_small(const guess_search *search)
{
  bool small = search->names.n > 0;
  for (int32_t i = 0; small && i < search->names.n; i++)
    small = search->letters[i] == LETTER_EITHER || search->letters[i] == LETTER_COLUMN;
  return small;
}

// tr(a*b*a'*c): where the best reading, which is the one at hand, loses a scalar in a trace, and all letters are small,
// those in the trace are matrices, if that fits.
static tg_status read_as_matrices(guess_search *search)
{
  tg_shaper *shaper = search->shaper;
  if (!is_all_small(search) || !has_lost_scalar(shaper, search->ast, false)) return TG_OK;
  const bool was_scalar = tg_shape_is_scalar(shaper, search->ast);
  mark_square(search, search->ast, false);
  for (int32_t i = 0; i < search->names.n; i++)
    if ((search->places[i] & IN_SQUARE) != 0) search->guesses[i] = TG_GUESS_MATRIX;
  const tg_status status = tg_shape_once(shaper, search->ast);
  if (status == TG_MEMORY) return tg_error_pass(status, TG_HERE);
  if (status == TG_OK && tg_shape_is_scalar(shaper, search->ast) == was_scalar &&
      !has_lost_scalar(shaper, search->ast, false))
    return TG_OK;
  tg_error_clear();
  memcpy(search->guesses, search->best, (size_t)search->names.n * sizeof search->best[0]);
  return tg_shape_once(shaper, search->ast);
}

// Nodes shaped in a search, at most: some tenths of a second.
enum { SEARCH_NODES_MAX = 400000, SEARCH_ALL_NODES_MAX = 100000 };

static tg_status search_readings(guess_search *search)
{
  int best_cost = COST_INFEASIBLE;
  int64_t readings = 1;
  for (int32_t k = 0; k < search->n_searched && readings * search->n_nodes <= SEARCH_ALL_NODES_MAX; k++) readings *= 3;
  search->budget = SEARCH_NODES_MAX;
  if (readings * search->n_nodes <= SEARCH_ALL_NODES_MAX)
    TG_TRY(search_all(search, readings, &best_cost));
  else
    TG_TRY(search_near(search, &best_cost));
  const bool fits = best_cost < COST_INFEASIBLE / 2;
  for (int32_t i = 0; i < search->names.n; i++)
    search->guesses[i] = fits ? search->best[i] : preference(search->letters[i], 0);
  tg_error_clear();
  TG_TRY(tg_shape_once(search->shaper, search->ast)); // the best reading again, or the preferred one's error
  return read_as_matrices(search);
}

// Undeclared names in order of appearance, and the number of nodes.
static tg_status collect_undeclared(guess_search *search, const tg_ast *ast)
{
  const tg_shaper *shaper = search->shaper;
  int32_t index = 0;
  search->n_nodes++;
  for (int32_t i = 0; i < ast->n_args && !takes_sizes(ast); i++) TG_TRY(collect_undeclared(search, ast->args[i]));
  if (ast->kind != TG_AST_NAME || function_of(ast) != NULL) return TG_OK;
  if (tg_name_index_find(&search->names, ast->name) >= 0) return TG_OK;
  if (tg_symbol_find(shaper->graph, ast->name) >= 0) return TG_OK;
  for (int32_t i = 0; i < shaper->options->n_declarations; i++)
    if (strcmp(shaper->options->declarations[i].name, ast->name) == 0 &&
        !tg_shape_is_guessed(shaper, &shaper->options->declarations[i]))
      return TG_OK;
  return tg_name_index_add(&search->names, ast->name, &index);
}

static tg_status prepare(guess_search *search)
{
  TG_TRY(collect_undeclared(search, search->ast));
  const int32_t n = search->names.n;
  TG_TRY(TG_NEW(n, &search->letters));
  TG_TRY(TG_NEW(n, &search->places));
  TG_TRY(TG_NEW(n, &search->guesses));
  TG_TRY(TG_NEW(n, &search->best));
  TG_TRY(TG_NEW(n, &search->searched));
  for (int32_t i = 0; i < n; i++) {
    search->letters[i] = letter_of(search->names.names[i]);
    search->guesses[i] = preference(search->letters[i], 0);
    if (search->letters[i] != LETTER_MATRIX) search->searched[search->n_searched++] = i;
  }
  mark_places(search, search->ast);
  search->shaper->guesses = search->guesses;
  search->shaper->n_guesses = n;
  return TG_OK;
}

tg_status tg_shape_guessing(tg_shaper *shaper, tg_ast *ast)
{
  tg_status status = TG_OK;
  guess_search search = {.shaper = shaper, .ast = ast};
  TG_TRY_GOTO(prepare(&search));
  TG_TRY_GOTO(search_readings(&search));
done:
  shaper->guesses = NULL;
  shaper->n_guesses = 0;
  tg_name_index_fini(&search.names);
  tg_free(search.letters);
  tg_free(search.places);
  tg_free(search.guesses);
  tg_free(search.best);
  tg_free(search.searched);
  return status;
}
