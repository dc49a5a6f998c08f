// The search for the reading of names without a size: letters and places say what is likely, shapes what is possible.
#include "grad/text/guess.h"

#include <string.h>

#include "base/memory.h"
#include "grad/text/places.h"
#include "grad/text/readings.h"

// Preferences of a name, best first; a small letter may be another if it must, a capital a scalar.
static tg_guess preference(tg_letter kind, int32_t rank)
{
  static const tg_guess capital[] = {TG_GUESS_MATRIX, TG_GUESS_SCALAR, TG_GUESS_SCALAR};
  static const tg_guess greek[] = {TG_GUESS_SCALAR, TG_GUESS_COLUMN, TG_GUESS_MATRIX};
  static const tg_guess lower[] = {TG_GUESS_COLUMN, TG_GUESS_SCALAR, TG_GUESS_MATRIX};
  if (kind == TG_LETTER_MATRIX) return capital[rank];
  return kind == TG_LETTER_GREEK ? greek[rank] : lower[rank];
}

static int32_t preferences(tg_letter kind)
{
  return kind == TG_LETTER_MATRIX ? 2 : 3;
}

typedef struct guess_search {
  tg_shaper *shaper;
  tg_ast *ast;
  tg_name_index names;
  tg_letter *letters;
  tg_places places;
  tg_guess *guesses; // of the reading at hand
  tg_guess *best;
  int32_t *searched; // names that may be read in more than one way
  int32_t n_searched;
  int32_t n_nodes;
  int64_t budget; // nodes that may still be shaped
} guess_search;

// ---- the cost of a reading ----

// How far a reading is from what its names suggest. Only the order of sums of a few of these matters:
// `c*sumsq(x)` and `s*u` squeeze the front, x.*y prefers a value that is no scalar to two scalars,
// sumsq(y - X*beta) a column beta to a column X, sumsq(Y - X*w) a column Y to a scalar w.
enum {
  COST_ODD = 20,             // diag(x), vec(x), tr(x), x' of a scalar
  COST_SQUARE_SCALAR = 60,   // tr(rho*log(rho)), det(sigma) of nothing but scalars
  COST_CONSTANT = 5,         // eye, ones, zeros that are 1 x 1
  COST_VALUE = 3,            // a value that is no scalar, for each of its terms
  COST_MIXED = 30,           // with it, x a scalar beside a column y
  COST_MATRIX_SCALAR = 40,   // A is 1 x 1
  COST_NUMBER = 6,           // N of tr(X)/N is 1 x 1
  COST_FACTOR = 5,           // K of K*sumsq(x) is 1 x 1
  COST_COUNT = 2,            // C of C*sumsq(x) is 1 x 1
  COST_MATRIX_VECTOR = 14,   // A is n x 1 or 1 x n
  COST_GREEK_COLUMN = 3,     // lambda is n x 1
  COST_ROW = 15,             // x is 1 x n
  COST_ROW_VALUE = 15,       // and the value is no scalar
  COST_SMALL_MATRIX = 24,    // x is m x n
  COST_AFTER_MATRIX = 6,     // a scalar stands behind a matrix
  COST_BY_SCALAR = 2,        // w of w*sumsq(x) is 1 x 1
  COST_COLUMN_BY_SCALAR = 8, // c of c*sumsq(x) is n x 1
  COST_ADDED_NUMBER = 8,     // 1 - y is ones - y, somewhere
  COST_ADDED_SCALAR = 6,     // X + s is X + s*ones
  COST_SUM_OF_SCALAR = 4,    // sum(s), norm2(s)
  COST_REFUSED = 1 << 20,    // |X| of a capital: a determinant as well as a scalar
  COST_INFEASIBLE = 1 << 30,
};

static int capital_cost(const char *name, unsigned places)
{
  if ((places & TG_PLACE_BY_SCALAR) != 0) return tg_name_is_count(name) ? COST_COUNT : COST_FACTOR;
  return (places & TG_PLACE_NUMBER) != 0 ? COST_NUMBER : COST_MATRIX_SCALAR;
}

static int scalar_cost(tg_letter kind, unsigned places)
{
  static const int at_front[] = {COST_MATRIX_SCALAR, 0, 1, 2, 8};
  static const int elsewhere[] = {COST_MATRIX_SCALAR, 0, 2, 7, 10};
  const int behind = (places & TG_PLACE_AFTER_MATRIX) != 0 ? COST_AFTER_MATRIX : 0;
  if ((places & TG_PLACE_BY_SCALAR) != 0) return kind == TG_LETTER_COLUMN ? COST_BY_SCALAR : 0;
  return behind + ((places & TG_PLACE_AT_FRONT) != 0 ? at_front[kind] : elsewhere[kind]);
}

static int name_cost(const char *name, tg_letter kind, unsigned places, bool one_row, bool one_column)
{
  if (one_row && one_column && kind == TG_LETTER_MATRIX) return capital_cost(name, places);
  if (one_row && one_column) return scalar_cost(kind, places);
  if (kind == TG_LETTER_MATRIX) return one_row || one_column ? COST_MATRIX_VECTOR : 0;
  if (one_row) return COST_ROW;
  if (!one_column) return COST_SMALL_MATRIX;
  if (kind == TG_LETTER_GREEK) return COST_GREEK_COLUMN;
  return (places & TG_PLACE_BY_SCALAR) != 0 && kind != TG_LETTER_COLUMN ? COST_COLUMN_BY_SCALAR : 0;
}

static bool is_number(const tg_ast *ast)
{
  while (ast->kind == TG_AST_NEGATIVE) ast = ast->args[0];
  return ast->kind == TG_AST_NUMBER;
}

// A sum that adds a scalar to every entry of a matrix; numbers and other scalars apart.
static bool adds_scalar(const tg_shaper *shaper, const tg_ast *ast, bool numbers)
{
  bool found = false;
  if (ast->kind != TG_AST_SUM || tg_shape_is_scalar(shaper, ast)) return false;
  for (int32_t i = 0; !found && i < ast->n_args; i++)
    found = tg_shape_is_scalar(shaper, ast->args[i]) && is_number(ast->args[i]) == numbers;
  return found;
}

static bool adds_number(const tg_shaper *shaper, const tg_ast *ast)
{
  bool found = adds_scalar(shaper, ast, true);
  for (int32_t i = 0; !found && i < tg_ast_expressions(ast); i++) found = adds_number(shaper, ast->args[i]);
  return found;
}

// sum, sumsq, norm1, norm2.
static bool wants_entries(const tg_ast *ast, const tg_function_info *function)
{
  static const char *const names[] = {"sum", "sumsq", "norm1", "norm2"};
  bool found = false;
  if (ast->kind != TG_AST_CALL) return false;
  for (size_t i = 0; !found && i < sizeof names / sizeof names[0]; i++) found = strcmp(function->name, names[i]) == 0;
  return found;
}

static bool is_guessed_capital(const tg_shaper *shaper, const tg_ast *ast)
{
  const int32_t found = ast->kind == TG_AST_NAME ? tg_name_index_find(&shaper->index, ast->name) : -1;
  return found >= 0 && shaper->symbols[found].guessed && tg_letter_of(ast->name) == TG_LETTER_MATRIX;
}

// Nothing but names of scalars, at least one of them a guessed Greek one.
static bool is_of_scalars(const tg_shaper *shaper, const tg_ast *ast, bool *guessed)
{
  if (!tg_shape_is_scalar(shaper, ast)) return false;
  const int32_t found = ast->kind == TG_AST_NAME ? tg_name_index_find(&shaper->index, ast->name) : -1;
  *guessed = *guessed || (found >= 0 && shaper->symbols[found].guessed && tg_letter_of(ast->name) == TG_LETTER_GREEK);
  for (int32_t i = 0; i < tg_ast_expressions(ast); i++)
    if (!is_of_scalars(shaper, ast->args[i], guessed)) return false;
  return true;
}

// tr, det, inv and the functions of matrices.
static bool is_for_matrices(const tg_ast *ast, const tg_function_info *function)
{
  return ast->kind == TG_AST_CALL && ast->n_args > 0 &&
         (tg_ast_takes_square(ast) || (function != NULL && function->kind >= TG_SQRTM && function->kind <= TG_LOGM));
}

// Names read as scalars where nobody would put one, and constants that came out as 1 x 1.
static int odd_cost(const tg_shaper *shaper, const tg_ast *ast)
{
  const tg_function_info *function = tg_ast_function(ast);
  if (function != NULL && tg_function_is_constant(function))
    return ast->n_args == 0 && tg_shape_is_scalar(shaper, ast) ? COST_CONSTANT : 0;
  const bool wants_more = ast->kind == TG_AST_TRANSPOSE ||
                          (ast->kind == TG_AST_CALL && function->kind >= TG_INV && function->kind <= TG_UNVEC);
  const bool wants_vector = function != NULL && (function->kind == TG_DIAG || function->kind == TG_VEC);
  int cost = adds_scalar(shaper, ast, false) ? COST_ADDED_SCALAR : 0;
  if (ast->wants == 's' && is_guessed_capital(shaper, ast->args[0])) cost += COST_REFUSED;
  bool guessed = false;
  if (is_for_matrices(ast, function) && is_of_scalars(shaper, ast->args[0], &guessed) && guessed)
    cost += COST_SQUARE_SCALAR;
  if (wants_entries(ast, function) && tg_shape_is_scalar(shaper, ast->args[0])) cost += COST_SUM_OF_SCALAR;
  for (int32_t i = 0; i < tg_ast_expressions(ast); i++) {
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
  int cost = odd_cost(shaper, search->ast) + (adds_number(shaper, search->ast) ? COST_ADDED_NUMBER : 0);
  bool scalar = false; // among names that are columns by their letter
  bool column = false;
  bool row = false;
  for (int32_t i = 0; i < shaper->n_symbols; i++) {
    const tg_scope_symbol *symbol = &shaper->symbols[i];
    if (!symbol->guessed) continue;
    const int32_t name = tg_name_index_find(&search->names, symbol->name);
    const tg_letter kind = name >= 0 ? search->letters[name] : TG_LETTER_MATRIX;
    const bool one_row = tg_size_is_one(&shaper->sizes, symbol->rows);
    const bool one_column = tg_size_is_one(&shaper->sizes, symbol->cols);
    cost += name_cost(symbol->name, kind, name >= 0 ? search->places.marks[name] : 0, one_row, one_column);
    scalar = scalar || (kind == TG_LETTER_COLUMN && one_row && one_column);
    row = row || (kind != TG_LETTER_MATRIX && one_row && !one_column);
    column = column || (kind != TG_LETTER_MATRIX && !(one_row && one_column));
  }
  const tg_ast *value = tg_ast_value(search->ast);
  const int terms = value->kind == TG_AST_SUM ? value->n_args : 1;
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

// Whether nothing but constants has this size: an unknown without a name that no symbol is measured by.
static tg_status is_loose(const tg_shaper *shaper, tg_size size, bool *loose)
{
  const int32_t found = tg_size_variable_of(&shaper->sizes, size);
  *loose = found >= 0 && shaper->sizes.variables[found].name == NULL;
  for (int32_t i = 0; i < 2 * shaper->n_symbols && *loose; i++) {
    const tg_scope_symbol *symbol = &shaper->symbols[i / 2];
    tg_size_form other;
    TG_TRY(tg_size_expand(&shaper->sizes, i % 2 == 0 ? symbol->rows : symbol->cols, &other));
    *loose = !tg_size_form_contains(&other, found);
  }
  return TG_OK;
}

// A ones without a size that is a factor is a column, as on paper, where nothing gives it columns: ones'*x is sum(x).
static tg_status shape_loose_ones(tg_shaper *shaper, const tg_ast *ast, bool is_factor)
{
  for (int32_t i = 0; i < tg_ast_expressions(ast); i++) {
    const bool inner = ast->kind == TG_AST_TRANSPOSE || ast->kind == TG_AST_NEGATIVE;
    TG_TRY(shape_loose_ones(shaper, ast->args[i], inner ? is_factor : ast->kind == TG_AST_TERM));
  }
  const tg_function_info *function = ast->n_args == 0 ? tg_ast_function(ast) : NULL;
  if (!is_factor || function == NULL || function->kind != TG_ONES) return TG_OK;
  bool loose = false;
  TG_TRY(is_loose(shaper, ast->rows, &loose));
  if (loose) return TG_OK;
  TG_TRY(is_loose(shaper, ast->cols, &loose));
  return loose ? tg_size_unify(&shaper->sizes, ast->cols, tg_size_number(1), ast->span, &loose) : TG_OK;
}

tg_status tg_shape_once(tg_shaper *shaper, tg_ast *ast)
{
  reset_shaper(shaper);
  TG_TRY(tg_shape_whole(shaper, ast));
  TG_TRY(tg_sizes_settle(&shaper->sizes));
  TG_TRY(shape_loose_ones(shaper, ast, false));
  return tg_shape_check_sizes(shaper, ast);
}

tg_status tg_shape_find_others(tg_shaper *shaper, tg_ast *ast, tg_status status)
{
  tg_errors *errors = shaper->options->errors;
  if (errors == NULL) return status;
  const int first = errors->count;
  TG_TRY(tg_errors_take(errors, status));
  reset_shaper(shaper);
  shaper->errors = errors;
  const tg_status more = tg_shape_whole(shaper, ast);
  shaper->errors = NULL;
  if (more == TG_MEMORY) return tg_error_pass(more, TG_HERE);
  return errors->count > first ? tg_errors_restore(errors, first) : status;
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
    for (int32_t k = 0; k < search->n_searched; k++) {
      const int32_t name = search->searched[k];
      const int32_t choices = preferences(search->letters[name]);
      search->guesses[name] = preference(search->letters[name], (int32_t)(rest % choices));
      rest /= choices;
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
  const int32_t choices_j = i == j ? 1 : preferences(search->letters[j]);
  for (int32_t a = 0; a < preferences(search->letters[i]); a++) {
    for (int32_t b = 0; b < choices_j; b++) {
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
  const tg_letter kind = search->letters[name];
  const unsigned hint = start == 1 ? TG_PLACE_BY_SCALAR : TG_PLACE_AT_FRONT | TG_PLACE_BY_SCALAR;
  const bool placed = (search->places.marks[name] & hint) != 0 && kind != TG_LETTER_COLUMN;
  const bool all = start == 3 && kind != TG_LETTER_MATRIX;
  if (placed || (start == 2 && kind == TG_LETTER_SCALAR) || all) return TG_GUESS_SCALAR;
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
  return tg_ast_bare_name(ast) != NULL && tg_shape_is_scalar(shaper, ast);
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
  if (inside && has_lost_part(shaper, ast)) return true;
  inside = inside || tg_ast_takes_square(ast);
  bool found = false;
  for (int32_t i = 0; !found && i < tg_ast_expressions(ast); i++) found = has_lost_scalar(shaper, ast->args[i], inside);
  return found;
}

// No capital, no Greek word, no letter of numbers and sizes: the writer may have matrices in small letters.
static bool is_all_small(const guess_search *search)
{
  bool small = search->names.n > 0;
  for (int32_t i = 0; small && i < search->names.n; i++)
    small = search->letters[i] == TG_LETTER_EITHER || search->letters[i] == TG_LETTER_COLUMN;
  return small;
}

// tr(a*b*a'*c): where the best reading, which is the one at hand, loses a scalar in a trace, and all letters are small,
// those in the trace are matrices, if that fits.
static tg_status read_as_matrices(guess_search *search)
{
  tg_shaper *shaper = search->shaper;
  if (!is_all_small(search) || !has_lost_scalar(shaper, search->ast, false)) return TG_OK;
  const bool was_scalar = tg_shape_is_scalar(shaper, search->ast);
  tg_places_mark_square(&search->places, search->ast, false);
  for (int32_t i = 0; i < search->names.n; i++)
    if ((search->places.marks[i] & TG_PLACE_IN_SQUARE) != 0) search->guesses[i] = TG_GUESS_MATRIX;
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

// The best reading by the names to be searched, if it is cheaper than best_cost.
static tg_status search_readings(guess_search *search, int *best_cost)
{
  int64_t readings = 1;
  for (int32_t k = 0; k < search->n_searched && readings * search->n_nodes <= SEARCH_ALL_NODES_MAX; k++)
    readings *= preferences(search->letters[search->searched[k]]);
  search->budget = SEARCH_NODES_MAX;
  if (readings * search->n_nodes <= SEARCH_ALL_NODES_MAX) return search_all(search, readings, best_cost);
  return search_near(search, best_cost);
}

// Capitals that may stand for a number: by their place or, of N, C and T, by the letter.
static bool add_capitals(guess_search *search)
{
  const int32_t before = search->n_searched;
  for (int32_t i = 0; i < search->names.n; i++) {
    const bool placed = (search->places.marks[i] & (TG_PLACE_BY_SCALAR | TG_PLACE_NUMBER)) != 0;
    if (search->letters[i] == TG_LETTER_MATRIX && (placed || tg_name_is_count(search->names.names[i])))
      search->searched[search->n_searched++] = i;
  }
  return search->n_searched > before;
}

enum { HINTS_MAX = 16 };

// Where no reading fits: a capital that, as a scalar, lets one fit; -1 if there is none.
static tg_status find_scalar_capital(guess_search *search, int32_t *out)
{
  *out = -1;
  search->budget = SEARCH_NODES_MAX;
  for (int32_t i = 0; i < search->names.n && i < HINTS_MAX && *out < 0 && search->budget > 0; i++) {
    int cost = 0;
    if (search->letters[i] != TG_LETTER_MATRIX) continue;
    search->guesses[i] = TG_GUESS_SCALAR;
    TG_TRY(try_reading(search, &cost));
    search->guesses[i] = TG_GUESS_MATRIX;
    if (cost < COST_INFEASIBLE / 2) *out = i;
  }
  return TG_OK;
}

// The preferred reading's error.
static tg_status fail_preferred(guess_search *search)
{
  int32_t hint = -1;
  for (int32_t i = 0; i < search->names.n; i++) search->guesses[i] = preference(search->letters[i], 0);
  TG_TRY(find_scalar_capital(search, &hint));
  tg_error_clear();
  tg_status status = tg_shape_once(search->shaper, search->ast);
  if (status == TG_OK) return status;
  if (hint >= 0) {
    const char *name = search->names.names[hint];
    tg_error_append("; if %s is a scalar, give --dims %s=1", name, name);
  }
  return tg_shape_find_others(search->shaper, search->ast, status);
}

static const tg_ast *find_bars(const tg_shaper *shaper, const tg_ast *ast)
{
  if (ast->wants == 's' && is_guessed_capital(shaper, ast->args[0])) return ast;
  const tg_ast *found = NULL;
  for (int32_t i = 0; found == NULL && i < tg_ast_expressions(ast); i++) found = find_bars(shaper, ast->args[i]);
  return found;
}

static tg_status fail_bars(guess_search *search)
{
  memcpy(search->guesses, search->best, (size_t)search->names.n * sizeof search->best[0]);
  tg_error_clear();
  TG_TRY(tg_shape_once(search->shaper, search->ast));
  const tg_ast *bars = find_bars(search->shaper, search->ast);
  const char *name = bars->args[0]->name;
  TG_FAIL_AT(TG_SHAPE, bars->span,
             "bars are the absolute value of a scalar; write det(%s) for the determinant; if %s is a scalar, give "
             "--dims %s=1",
             name, name, name);
}

static tg_status choose_reading(guess_search *search)
{
  int best_cost = COST_INFEASIBLE;
  TG_TRY(search_readings(search, &best_cost));
  if (best_cost > COST_COUNT && add_capitals(search)) TG_TRY(search_readings(search, &best_cost));
  if (best_cost >= COST_INFEASIBLE / 2) return fail_preferred(search);
  if (best_cost >= COST_REFUSED) return fail_bars(search);
  if (search->names.n > 0) memcpy(search->guesses, search->best, (size_t)search->names.n * sizeof search->best[0]);
  tg_error_clear();
  TG_TRY(tg_shape_once(search->shaper, search->ast)); // the best reading again
  TG_TRY(read_as_matrices(search));
  TG_TRY(tg_refuse_products(search->shaper, search->ast));
  return tg_report_readings(search->shaper, search->ast, &search->places);
}

// Undeclared names in order of appearance, and the number of nodes.
static tg_status collect_undeclared(guess_search *search, const tg_ast *ast)
{
  const tg_shaper *shaper = search->shaper;
  int32_t index = 0;
  search->n_nodes++;
  for (int32_t i = 0; i < tg_ast_expressions(ast); i++) TG_TRY(collect_undeclared(search, ast->args[i]));
  if (ast->kind != TG_AST_NAME || tg_ast_function(ast) != NULL) return TG_OK;
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
  TG_TRY(TG_NEW(n, &search->places.marks));
  search->places.names = &search->names;
  TG_TRY(TG_NEW(n, &search->guesses));
  TG_TRY(TG_NEW(n, &search->best));
  TG_TRY(TG_NEW(n, &search->searched));
  for (int32_t i = 0; i < n; i++) {
    search->letters[i] = tg_letter_of(search->names.names[i]);
    search->guesses[i] = preference(search->letters[i], 0);
    if (search->letters[i] != TG_LETTER_MATRIX) search->searched[search->n_searched++] = i;
  }
  tg_places_mark(&search->places, search->ast);
  search->shaper->guesses = search->guesses;
  search->shaper->n_guesses = n;
  return TG_OK;
}

tg_status tg_shape_guessing(tg_shaper *shaper, tg_ast *ast)
{
  tg_status status = TG_OK;
  guess_search search = {.shaper = shaper, .ast = ast};
  TG_TRY_GOTO(prepare(&search));
  TG_TRY_GOTO(choose_reading(&search));
done:
  shaper->guesses = NULL;
  shaper->n_guesses = 0;
  tg_name_index_fini(&search.names);
  tg_free(search.letters);
  tg_free(search.places.marks);
  tg_free(search.guesses);
  tg_free(search.best);
  tg_free(search.searched);
  return status;
}
