// What the letters of names and their places in an expression suggest: scalar, column or matrix.
#include "grad/text/places.h"

#include <ctype.h>
#include <string.h>

#include "grad/graph/entry.h"

// ---- what letters say ----

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

tg_letter tg_letter_of(const char *name)
{
  if (isupper((unsigned char)name[name[0] == 'd'])) return TG_LETTER_MATRIX; // X, dX
  if (is_greek(name)) return TG_LETTER_GREEK;
  if (strchr("ijklmnst", name[0]) != NULL) return TG_LETTER_SCALAR;
  return strchr("uvwxyz", name[0]) != NULL ? TG_LETTER_COLUMN : TG_LETTER_EITHER;
}

bool tg_name_is_count(const char *name)
{
  return strchr("NCT", name[0]) != NULL && name[strcspn(name, "_0123456789")] == name[1];
}

// ---- what places say ----

const tg_function_info *tg_ast_function(const tg_ast *ast)
{
  return ast->kind == TG_AST_CALL || ast->kind == TG_AST_NAME ? tg_function_find(ast->name) : NULL;
}

// x, -x, for a name without a function's meaning.
const tg_ast *tg_ast_bare_name(const tg_ast *ast)
{
  while (ast->kind == TG_AST_NEGATIVE) ast = ast->args[0];
  return ast->kind == TG_AST_NAME && tg_ast_function(ast) == NULL ? ast : NULL;
}

static bool is_bare_small(const tg_ast *ast)
{
  const tg_ast *name = tg_ast_bare_name(ast);
  return name != NULL && tg_letter_of(name->name) != TG_LETTER_MATRIX;
}

// A column by its form: x, A*x, A*x - b.
bool tg_ast_is_column_form(const tg_ast *ast)
{
  if (ast->kind == TG_AST_TERM) return ast->ops[ast->n_args - 1] == '*' && is_bare_small(ast->args[ast->n_args - 1]);
  if (ast->kind != TG_AST_SUM) return is_bare_small(ast);
  bool column = true;
  for (int32_t i = 0; column && i < ast->n_args; i++) column = tg_ast_is_column_form(ast->args[i]);
  return column;
}

// Whether the factors from i on, up to a '/', are a row times ... times a column: x'*A*(x - b).
bool tg_ast_is_inner_product(const tg_ast *term, int32_t i)
{
  int32_t last = i;
  if (term->args[i]->kind != TG_AST_TRANSPOSE) return false;
  while (last + 1 < term->n_args && term->ops[last + 1] == '*') last++;
  return last > i && (last + 1 == term->n_args || term->ops[last + 1] == '/' || term->ops[last + 1] == 'q') &&
         tg_ast_is_column_form(term->args[i]->args[0]) && tg_ast_is_column_form(term->args[last]);
}

// A scalar by its form: a number, tr(X), x^2, x'*y.
bool tg_ast_is_scalar_form(const tg_ast *ast)
{
  if (ast->kind == TG_AST_NUMBER) return true;
  if (ast->kind == TG_AST_PART) return ast->form == 's';
  if (ast->kind == TG_AST_NEGATIVE) return tg_ast_is_scalar_form(ast->args[0]);
  if (ast->kind == TG_AST_POWER)
    return ast->ops[0] == '^' && (is_bare_small(ast->args[0]) || tg_ast_is_scalar_form(ast->args[0]));
  if (ast->kind == TG_AST_TERM) {
    bool all = true;    // scalars by form
    bool before = true; // scalars, perhaps, before an inner product
    for (int32_t i = 0; (all || before) && i < ast->n_args; i++) {
      before = before && (i == 0 || ast->ops[i] == '*');
      if (before && tg_ast_is_inner_product(ast, i)) return true;
      const bool scalar = tg_ast_is_scalar_form(ast->args[i]); // once: products nest deep
      all = all && scalar;
      before = before && (scalar || is_bare_small(ast->args[i]));
    }
    return all;
  }
  const tg_function_info *function = ast->kind == TG_AST_CALL ? tg_ast_function(ast) : NULL;
  if (function == NULL || ast->n_args == 0) return false; // an empty call is refused later, with its place
  switch (function->kind) {
  case TG_TR:
  case TG_DET:
  case TG_LOGDET:
  case TG_SUM:
    return true;
  case TG_VAR:
    return true;
  case TG_LOGSUMEXP:
    return strcmp(function->name, "logsumexp") == 0;
  case TG_MAX:
  case TG_MIN:
    return ast->n_args == 2 && tg_ast_is_scalar_form(ast->args[0]) && tg_ast_is_scalar_form(ast->args[1]);
  case TG_POW:
    return strcmp(function->name, "norm2") == 0 || tg_ast_is_scalar_form(ast->args[0]);
  default:
    return tg_entry(function->kind) != NULL && ast->n_args == 1 && tg_ast_is_scalar_form(ast->args[0]);
  }
}

// A matrix by its form: X, X', inv(...), a sum or product that ends with one.
bool tg_ast_is_matrix_form(const tg_ast *ast)
{
  switch (ast->kind) {
  case TG_AST_PART:
    return ast->form == 'm';
  case TG_AST_NAME:
    return tg_ast_function(ast) == NULL && tg_letter_of(ast->name) == TG_LETTER_MATRIX;
  case TG_AST_NEGATIVE:
  case TG_AST_TRANSPOSE:
  case TG_AST_POWER:
  case TG_AST_SUM:
    return tg_ast_is_matrix_form(ast->args[0]);
  case TG_AST_TERM:
    return tg_ast_is_matrix_form(ast->args[ast->n_args - 1]);
  case TG_AST_CALL:
    return tg_ast_function(ast) != NULL &&
           (tg_ast_function(ast)->kind == TG_INV || tg_ast_function(ast)->kind == TG_DIAG ||
            tg_ast_function(ast)->kind == TG_KRON);
  default:
    return false;
  }
}

static void mark(const tg_places *places, const tg_ast *ast, unsigned place)
{
  const tg_ast *name = tg_ast_bare_name(ast);
  const int32_t index = name != NULL ? tg_name_index_find(places->names, name->name) : -1;
  if (index >= 0) places->marks[index] |= place;
}

// Whether a scalar ends the product: the factors from i on are scalars by form or bare names, at least one the former.
static bool scalar_follows(const tg_ast *term, int32_t i)
{
  bool found = false;
  for (; i < term->n_args; i++) {
    if (tg_ast_is_inner_product(term, i)) return true;
    const bool scalar = tg_ast_is_scalar_form(term->args[i]);
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
  while (tg_ast_bare_name(ast) == NULL) ast = ast->args[ast->kind == TG_AST_TERM ? ast->n_args - 1 : 0];
  return tg_ast_bare_name(ast);
}

// c of c*x or c/norm2(x), not x of x/norm2(x); c of c*x'*y, not x of x*y'*z.
static bool is_front_name(const tg_ast *term, int32_t i)
{
  if (!is_bare_small(term->args[i]) || i + 1 == term->n_args) return false;
  if (term->ops[i + 1] != '*' && term->ops[i + 1] != '/') return false;
  const char *name = tg_ast_bare_name(term->args[i])->name;
  if (tg_ast_is_inner_product(term, i + 1) &&
      tg_letter_of(leading_name(term->args[i + 1]->args[0])->name) <= tg_letter_of(name))
    return false;
  for (int32_t k = i + 1; k < term->n_args; k++)
    if (occurs(name, term->args[k])) return false;
  return true;
}

// Fronts are few: of a product of hundreds of names the first.
enum { FRONT_MAX = 8 };

// ones*b, a term by itself: the intercept of a regression.
static bool is_ones_by_name(const tg_ast *term)
{
  const tg_function_info *function = tg_ast_function(term->args[0]);
  return term->n_args == 2 && term->ops[1] == '*' && function != NULL && function->kind == TG_ONES &&
         term->args[0]->n_args == 0;
}

// mu of w'*mu: the end of a product, or of what is divided, behind a row.
static bool ends_row(const tg_ast *term, int32_t i)
{
  const tg_ast *row = term->args[i - 1];
  const bool ends = i + 1 == term->n_args || term->ops[i + 1] == '/' || term->ops[i + 1] == 'q';
  return ends && row->kind == TG_AST_TRANSPOSE && tg_ast_is_column_form(row->args[0]);
}

static void mark_term(const tg_places *places, const tg_ast *ast)
{
  bool front = true;
  if (is_ones_by_name(ast)) mark(places, ast->args[1], TG_PLACE_BY_SCALAR);
  for (int32_t i = 0; i < ast->n_args; i++) {
    front = front && i < FRONT_MAX && (i == 0 || ast->ops[i] == '*');
    if (front && is_front_name(ast, i))
      mark(places, ast->args[i],
           scalar_follows(ast, i + 1) ? TG_PLACE_AT_FRONT | TG_PLACE_BY_SCALAR : TG_PLACE_AT_FRONT);
    if (i > 0 && ast->ops[i] == '*' && (tg_ast_is_matrix_form(ast->args[i - 1]) || ends_row(ast, i)))
      mark(places, ast->args[i], TG_PLACE_AFTER_MATRIX);
    front = front && (is_bare_small(ast->args[i]) || tg_ast_is_scalar_form(ast->args[i]));
  }
}

static void mark_sum(const tg_places *places, const tg_ast *ast)
{
  bool scalar = false;
  // A number says nothing: 1 - y is a vector as well.
  for (int32_t i = 0; i < ast->n_args && !scalar; i++)
    scalar = ast->args[i]->kind != TG_AST_NUMBER && tg_ast_is_scalar_form(ast->args[i]);
  for (int32_t i = 0; i < ast->n_args && scalar; i++)
    if (is_bare_small(ast->args[i])) mark(places, ast->args[i], TG_PLACE_AT_FRONT | TG_PLACE_BY_SCALAR);
}

// ---- places of capitals that stand for a number ----

// N of N, -N, 2*N, N/2, N - 1: the only name among numbers; else NULL.
static const tg_ast *lone_capital(const tg_ast *ast)
{
  const tg_ast *name = tg_ast_bare_name(ast);
  if (name != NULL) return tg_letter_of(name->name) == TG_LETTER_MATRIX ? name : NULL;
  if (ast->kind == TG_AST_NEGATIVE) return lone_capital(ast->args[0]);
  if (ast->kind != TG_AST_TERM && ast->kind != TG_AST_SUM) return NULL;
  for (int32_t i = 0; i < ast->n_args; i++) {
    if (ast->args[i]->kind == TG_AST_NUMBER) continue;
    if (name != NULL) return NULL;
    name = lone_capital(ast->args[i]);
    if (name == NULL) return NULL;
  }
  return name;
}

// Every name below a bar that divides a scalar, or that is a count: N*T of tr(X)/(N*T).
static void mark_divisor(const tg_places *places, const tg_ast *ast, bool of_scalar)
{
  const tg_ast *name = tg_ast_bare_name(ast);
  if (name != NULL && (of_scalar || tg_name_is_count(name->name))) mark(places, name, TG_PLACE_NUMBER);
  if (ast->kind == TG_AST_CALL && ast->n_args != 1) return;
  for (int32_t i = 0; i < tg_ast_expressions(ast); i++) mark_divisor(places, ast->args[i], of_scalar);
}

// C of C*sumsq(x): beside scalars alone, at least one of them no number.
static void mark_capitals(const tg_places *places, const tg_ast *term)
{
  const tg_ast *capital = NULL;
  bool scalars = true; // but for the capital
  bool value = false;
  for (int32_t i = 0; i < term->n_args; i++) {
    const tg_ast *factor = term->args[i];
    const bool of_scalar = scalars && (capital == NULL || tg_name_is_count(capital->name));
    if ((term->ops[i] == '/' || term->ops[i] == 'q') && i > 0) mark_divisor(places, factor, of_scalar);
    if (factor->kind == TG_AST_NUMBER) continue;
    const tg_ast *name = capital == NULL && term->ops[i] == '*' ? lone_capital(factor) : NULL;
    const bool inner = name == NULL && tg_ast_is_inner_product(term, i);
    if (name != NULL) {
      capital = name;
    } else if (inner || tg_ast_is_scalar_form(factor)) {
      value = true;
    } else if (!is_bare_small(factor)) {
      scalars = false;
    }
    while (inner && i + 1 < term->n_args && term->ops[i + 1] == '*') i++;
  }
  if (capital != NULL && scalars && value) mark(places, capital, TG_PLACE_BY_SCALAR);
}

// N of log(det(S)) + N, N/2 of the same: a term beside a scalar.
static void mark_capital_terms(const tg_places *places, const tg_ast *sum)
{
  bool scalar = false;
  for (int32_t i = 0; i < sum->n_args && !scalar; i++)
    scalar = sum->args[i]->kind != TG_AST_NUMBER && tg_ast_is_scalar_form(sum->args[i]);
  for (int32_t i = 0; i < sum->n_args && scalar; i++) {
    const tg_ast *name = lone_capital(sum->args[i]);
    if (name != NULL && tg_name_is_count(name->name)) mark(places, name, TG_PLACE_BY_SCALAR);
  }
}

void tg_places_mark(const tg_places *places, const tg_ast *ast)
{
  for (int32_t i = 0; i < tg_ast_expressions(ast); i++) tg_places_mark(places, ast->args[i]);
  if (ast->kind == TG_AST_TERM) mark_term(places, ast);
  if (ast->kind == TG_AST_TERM) mark_capitals(places, ast);
  if (ast->kind == TG_AST_SUM) mark_sum(places, ast);
  if (ast->kind == TG_AST_SUM) mark_capital_terms(places, ast);
  if (ast->kind == TG_AST_POWER) mark_divisor(places, ast->args[1], true);
}

bool tg_ast_takes_square(const tg_ast *ast)
{
  const tg_function_info *function = ast->kind == TG_AST_CALL ? tg_ast_function(ast) : NULL;
  return function != NULL && (function->kind == TG_TR || function->kind == TG_DET || function->kind == TG_LOGDET ||
                              function->kind == TG_INV);
}

void tg_places_mark_square(const tg_places *places, const tg_ast *ast, bool inside)
{
  if (inside) mark(places, ast, TG_PLACE_IN_SQUARE);
  inside = inside || tg_ast_takes_square(ast);
  for (int32_t i = 0; i < tg_ast_expressions(ast); i++) tg_places_mark_square(places, ast->args[i], inside);
}
