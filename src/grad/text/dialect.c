// Dialects: marks of other systems in the text, and what '*' and '/' mean beside them.
#include "grad/text/dialect.h"

#include <string.h>

#include "grad/text/lex.h"
#include "grad/text/places.h"

typedef struct marks {
  bool own;
  bool numpy;
  bool r;
} marks;

// A name that only R calls so, before '('.
static bool is_of_r(const char *name, const tg_name_index *declared)
{
  static const char *const names[] = {"t",       "crossprod", "tcrossprod", "pmax",     "pmin",  "solve",
                                      "rowSums", "colSums",   "rowMeans",   "colMeans", "cbind", "rbind"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(name, names[i]) == 0) return declared == NULL || tg_name_index_find(declared, name) < 0;
  return false;
}

static void add_mark(const char *text, const tg_token *token, marks *out)
{
  if (token->kind == TG_TOKEN_NAME && token->is_module) out->numpy = true;
  if (token->kind != TG_TOKEN_SYMBOL) return;
  const char first = text[token->span.begin];
  switch (token->symbol) {
  case '@':
    out->numpy = true;
    break;
  case TG_SYMBOL_R_TIMES:
  case TG_SYMBOL_R_OUTER:
    out->r = true;
    break;
  case TG_SYMBOL_KRON:
    out->r = out->r || first == '%';
    break;
  case TG_SYMBOL_TIMES:
  case TG_SYMBOL_OVER:
  case TG_SYMBOL_POWER:
    out->own = out->own || first == '.';
    break;
  default:
    break;
  }
}

static bool is_symbol(const tg_token *token, char symbol)
{
  return token->kind == TG_TOKEN_SYMBOL && token->symbol == symbol;
}

// x[1:] and x[:-1], a range with one bound, are NumPy's alone.
static bool is_open_range(const tg_token *before, const tg_token *colon, const tg_token *behind)
{
  const bool opens = is_symbol(before, '[') || is_symbol(before, ',');
  const bool closes = is_symbol(behind, ']') || is_symbol(behind, ',');
  return is_symbol(colon, ':') && opens != closes;
}

tg_dialect tg_dialect_of(const char *text, size_t length, const tg_name_index *declared)
{
  marks found = {0};
  tg_token token;
  tg_token before = {0};
  tg_token earlier = {0};
  size_t position = 0;
  uint64_t brackets = 0; // a bit for each one that is open, the innermost last: 1 for '['
  while (tg_lex(text, length, &position, &token) == TG_OK && token.kind != TG_TOKEN_END) {
    add_mark(text, &token, &found);
    // norm(X, "F")
    const bool after_comma = is_symbol(&before, ',');
    const size_t inside = token.span.begin + 1;
    const bool is_quote = token.kind == TG_TOKEN_SYMBOL && token.symbol == '"';
    if (after_comma && is_quote && inside < length && text[inside] == 'F') found.r = true;
    const bool is_call = token.kind == TG_TOKEN_SYMBOL && token.symbol == '(' && token.side == 0;
    if (is_call && before.kind == TG_TOKEN_NAME && !before.is_module && is_of_r(before.name, declared)) found.r = true;
    found.numpy = found.numpy || ((brackets & 1) != 0 && is_open_range(&earlier, &before, &token));
    if (is_symbol(&token, '[') || is_symbol(&token, '(') || is_symbol(&token, TG_SYMBOL_MATRIX))
      brackets = brackets << 1 | (uint64_t)is_symbol(&token, '[');
    if (is_symbol(&token, ']') || is_symbol(&token, ')')) brackets >>= 1;
    earlier = before;
    before = token;
  }
  tg_error_clear(); // the parser meets it again
  if ((found.numpy || found.r) && found.own) return TG_DIALECT_MIXED;
  if (found.numpy && found.r) return TG_DIALECT_MIXED;
  return found.numpy ? TG_DIALECT_NUMPY : found.r ? TG_DIALECT_R : TG_DIALECT_OWN;
}

// ---- products that waited ----

static bool waits(char op)
{
  return op == 'n' || op == 'q';
}

static bool is_declared(const tg_name_index *declared, const char *name)
{
  return declared != NULL && tg_name_index_find(declared, name) >= 0;
}

// lambda, s, t: of a declared name the declaration says what it is, and '.*' takes scalars too.
static bool is_scalar_name(const tg_name_index *declared, const tg_ast *ast)
{
  const tg_ast *name = tg_ast_bare_name(ast);
  if (name == NULL || is_declared(declared, name->name)) return false;
  return tg_letter_of(name->name) == TG_LETTER_GREEK || tg_letter_of(name->name) == TG_LETTER_SCALAR;
}

static tg_status settle_term(tg_dialect dialect, const tg_name_index *declared, tg_ast *term)
{
  bool scalar = true; // all so far
  const bool inner = tg_ast_is_inner_product(term, 0);
  for (int32_t i = 0; i < term->n_args; i++) {
    const tg_ast *factor = term->args[i];
    const bool is_scalar = tg_ast_is_scalar_form(factor) || is_scalar_name(declared, factor);
    const tg_ast *name = term->ops[i] == 'q' ? tg_ast_bare_name(factor) : NULL;
    const bool is_count = name != NULL && tg_name_is_count(name->name) && !is_declared(declared, name->name);
    const bool entrywise = i > 0 && waits(term->ops[i]) && !scalar && !is_scalar && !is_count && !inner;
    if (entrywise && dialect == TG_DIALECT_MIXED)
      TG_FAIL_AT(TG_SYNTAX, ((tg_span){term->args[i - 1]->span.begin, factor->span.end}),
                 "'%c' is entry by entry in NumPy and R, not so beside .* and ./; write @ for the matrix product, or "
                 "'.%c'",
                 term->ops[i] == 'n' ? '*' : '/', term->ops[i] == 'n' ? '*' : '/');
    if (term->ops[i] == 'n') term->ops[i] = entrywise ? TG_SYMBOL_TIMES : '*';
    if (term->ops[i] == 'q') term->ops[i] = entrywise ? TG_SYMBOL_OVER : '/';
    scalar = scalar && is_scalar;
  }
  return TG_OK;
}

// 1/X is entry by entry in NumPy, where X is a matrix: 'q' stays, and means either.
static void settle_reciprocal(const tg_name_index *declared, tg_ast *term)
{
  for (int32_t i = 1; i < term->n_args; i++) {
    const tg_ast *factor = term->args[i];
    const tg_ast *name = tg_ast_bare_name(factor);
    const bool is_count = name != NULL && tg_name_is_count(name->name) && !is_declared(declared, name->name);
    if (term->ops[i] == '/' && !is_count && !tg_ast_is_scalar_form(factor) && !is_scalar_name(declared, factor))
      term->ops[i] = 'q';
  }
}

// ---- arrays with one dimension ----

// x' in a chain is a row already: who writes it has columns.
static bool is_written_row(const tg_ast *ast)
{
  return ast->kind == TG_AST_TRANSPOSE && tg_ast_is_column_form(ast->args[0]);
}

// x of x @ y, x @ A @ y becomes a row, where x is a column: '*' is '@' in a text whose own '*' still waits.
static tg_status settle_inner(tg_arena *arena, tg_ast *term)
{
  int32_t last = 0;
  for (int32_t i = 0; i < term->n_args; i = last + 1) {
    bool rows = false;
    for (last = i; last + 1 < term->n_args && term->ops[last + 1] == '*'; last++)
      rows = rows || is_written_row(term->args[last + 1]);
    if (last == i || rows || !tg_ast_is_column_form(term->args[i]) || !tg_ast_is_column_form(term->args[last]))
      continue;
    tg_ast *row = NULL;
    TG_TRY(TG_ARENA_NEW(arena, 1, &row));
    TG_TRY(TG_ARENA_NEW(arena, 1, &row->args));
    TG_TRY(TG_ARENA_NEW(arena, 1, &row->ops));
    row->kind = TG_AST_TRANSPOSE;
    row->span = term->args[i]->span;
    row->n_args = 1;
    row->args[0] = term->args[i];
    row->wants = 'r';
    term->args[i] = row;
  }
  return TG_OK;
}

// ---- what our formats spell out ----

static bool is_same(const tg_ast *a, const tg_ast *b)
{
  if (a->kind != b->kind || a->n_args != b->n_args || a->wants != b->wants) return false;
  if (a->kind == TG_AST_NUMBER && a->number != b->number) return false;
  if ((a->kind == TG_AST_NAME || a->kind == TG_AST_CALL) && strcmp(a->name, b->name) != 0) return false;
  if (a->n_args > 0 && a->kind != TG_AST_CALL && memcmp(a->ops, b->ops, (size_t)a->n_args) != 0) return false;
  bool same = true;
  for (int32_t i = 0; same && i < a->n_args; i++) same = is_same(a->args[i], b->args[i]);
  return same;
}

static bool is_one(const tg_ast *ast)
{
  return ast->kind == TG_AST_NUMBER && ast->number == 1.0;
}

static tg_ast *argument_of(const tg_ast *ast, const char *name)
{
  return ast->kind == TG_AST_CALL && ast->n_args == 1 && strcmp(ast->name, name) == 0 ? ast->args[0] : NULL;
}

// X of -X; of -a*b the product, whose sign is taken away.
static tg_ast *without_sign(tg_ast *ast)
{
  if (ast->kind == TG_AST_NEGATIVE) return ast->args[0];
  if (ast->kind != TG_AST_TERM || ast->args[0]->kind != TG_AST_NEGATIVE) return NULL;
  ast->args[0] = ast->args[0]->args[0];
  return ast;
}

// X of 1 + exp(-X) or exp(-X) + 1.
static tg_ast *sigmoid_argument(const tg_ast *sum)
{
  if (sum->kind != TG_AST_SUM || sum->n_args != 2 || sum->ops[0] != '+' || sum->ops[1] != '+') return NULL;
  const bool is_first = is_one(sum->args[0]);
  if (!is_first && !is_one(sum->args[1])) return NULL;
  tg_ast *inner = argument_of(sum->args[is_first], "exp");
  return inner != NULL ? without_sign(inner) : NULL;
}

// Z of max(Z, 0)
static tg_ast *positive_part(const tg_ast *ast)
{
  const bool is_max = ast->kind == TG_AST_CALL && ast->n_args == 2 && strcmp(ast->name, "max") == 0;
  return is_max && ast->args[1]->kind == TG_AST_NUMBER && ast->args[1]->number == 0.0 ? ast->args[0] : NULL;
}

// Z of max(Z, 0) + log1p(exp(-abs(Z)))
static tg_ast *softplus_argument(const tg_ast *sum)
{
  if (sum->n_args != 2 || sum->ops[1] != '+') return NULL;
  tg_ast *z = positive_part(sum->args[0]);
  const tg_ast *inner = argument_of(sum->args[1], "log1p");
  inner = inner != NULL ? argument_of(inner, "exp") : NULL;
  inner = inner != NULL && inner->kind == TG_AST_NEGATIVE ? argument_of(inner->args[0], "abs") : NULL;
  return z != NULL && inner != NULL && is_same(z, inner) ? z : NULL;
}

// Z of sum(vec(Z)), as sum(Z(:)) is read, and of var and logsumexp: constants keep the shape that they were written
// with.
static tg_ast *stacked_argument(const tg_ast *ast)
{
  const tg_ast *inner = argument_of(ast, "sum");
  if (inner == NULL) inner = argument_of(ast, "var");
  if (inner == NULL) inner = argument_of(ast, "logsumexp");
  return inner != NULL ? argument_of(inner, "vec") : NULL;
}

// Z of sum(Z.^2).
static tg_ast *squares_argument(const tg_ast *ast)
{
  const tg_ast *inner = argument_of(ast, "sum");
  if (inner == NULL || inner->kind != TG_AST_POWER || inner->ops[0] != TG_SYMBOL_POWER) return NULL;
  return inner->args[1]->kind == TG_AST_NUMBER && inner->args[1]->number == 2.0 ? inner->args[0] : NULL;
}

static void make_call(tg_ast *ast, const char *name, tg_ast *argument)
{
  ast->kind = TG_AST_CALL;
  ast->name = name;
  ast->n_args = 1;
  ast->args[0] = argument;
}

// 1/(1 + exp(-X)), wherever it stands in a term: then it is its own factor.
static void recognise(tg_ast *ast)
{
  tg_ast *argument = NULL;
  if (ast->kind == TG_AST_SUM) {
    argument = softplus_argument(ast);
    if (argument != NULL) make_call(ast, "softplus", argument);
  } else if (ast->kind == TG_AST_TERM && ast->n_args == 2 && is_one(ast->args[0]) &&
             (ast->ops[1] == '/' || ast->ops[1] == 'q' || ast->ops[1] == TG_SYMBOL_OVER)) {
    argument = sigmoid_argument(ast->args[1]);
    if (argument != NULL) make_call(ast, "sigmoid", argument);
  } else if (ast->kind == TG_AST_CALL) {
    argument = stacked_argument(ast);
    if (argument != NULL) make_call(ast, ast->name, argument);
    argument = squares_argument(ast);
    if (argument != NULL) make_call(ast, "sumsq", argument);
    const tg_ast *inner = argument_of(ast, "log");
    argument = inner != NULL ? argument_of(inner, "det") : NULL;
    if (argument != NULL) make_call(ast, "logdet", argument);
    inner = argument_of(ast, "sum");
    argument = inner != NULL ? argument_of(inner, "svd") : NULL;
    if (argument == NULL && inner != NULL) argument = argument_of(inner, "svdvals");
    if (argument != NULL) make_call(ast, "nuclear_norm", argument);
  }
}

// ---- the whole ----

static void settle_size(tg_ast *ast)
{
  for (int32_t i = 0; i < ast->n_args; i++) {
    if (ast->kind == TG_AST_TERM && ast->ops[i] == 'n') ast->ops[i] = '*';
    settle_size(ast->args[i]);
  }
}

tg_status tg_dialect_settle(tg_arena *arena, tg_dialect dialect, const tg_name_index *declared, tg_ast *ast)
{
  const int32_t n = tg_ast_expressions(ast);
  for (int32_t i = 0; i < n; i++) TG_TRY(tg_dialect_settle(arena, dialect, declared, ast->args[i]));
  for (int32_t i = n; i < ast->n_args; i++) settle_size(ast->args[i]);
  if (ast->kind == TG_AST_TERM && dialect != TG_DIALECT_OWN) {
    if (dialect == TG_DIALECT_NUMPY) TG_TRY(settle_inner(arena, ast));
    TG_TRY(settle_term(dialect, declared, ast));
    if (dialect != TG_DIALECT_MIXED) settle_reciprocal(declared, ast);
  }
  recognise(ast);
  return TG_OK;
}
