// Functions of other systems.
#include "grad/text/foreign.h"

#include <strings.h>

#include "grad/text/foreign_names.h"
#include "grad/text/shape.h"

// ---- arguments ----

// Words and options come as names that begin with a quote: 'fro, 'order=F.
static bool is_word(const tg_ast *ast, const char *word)
{
  return ast->kind == TG_AST_NAME && ast->name[0] == '\'' && strcmp(ast->name + 1, word) == 0;
}

static bool is_any_word(const tg_ast *ast)
{
  return ast->kind == TG_AST_NAME && ast->name[0] == '\'';
}

static bool is_number(const tg_ast *ast, double value)
{
  return ast->kind == TG_AST_NUMBER && ast->number == value;
}

typedef struct call {
  tg_parser *p;
  const char *name;
  tg_span span;
  int32_t n;
  tg_ast *const *args;
} call;

static tg_status make_call(const call *c, const char *name, tg_ast *argument, tg_ast **out)
{
  return tg_parse_make_call(c->p, name, c->span, 1, (tg_ast *[]){argument}, out);
}

static tg_status transpose(const call *c, tg_ast *inner, tg_ast **out)
{
  return tg_parse_wrap(c->p, TG_AST_TRANSPOSE, c->span, inner, out);
}

// ---- functions with rules of their own ----

static tg_status read_transpose(const call *c, tg_ast **out)
{
  static const char notice[] = "t(...) is the transpose, as in R; for a product write t*(...)\n";
  tg_text *notices = strcmp(c->name, "t") == 0 && !c->p->is_module ? c->p->notices : NULL;
  if (notices != NULL && strstr(tg_text_string(notices), notice) == NULL) tg_text_add(notices, notice);
  return transpose(c, c->args[0], out);
}

static tg_status read_itself(const call *c, tg_ast **out)
{
  *out = c->args[0];
  return TG_OK;
}

static tg_status read_times(const call *c, tg_ast **out)
{
  return tg_parse_binary(c->p, TG_SYMBOL_TIMES, c->span, c->args[0], c->args[1], out);
}

static tg_status read_over(const call *c, tg_ast **out)
{
  return tg_parse_binary(c->p, TG_SYMBOL_OVER, c->span, c->args[0], c->args[1], out);
}

static tg_status read_product(const call *c, tg_ast **out)
{
  return tg_parse_binary(c->p, '*', c->span, c->args[0], c->args[1], out);
}

static tg_status read_power(const call *c, tg_ast **out)
{
  return tg_parse_binary(c->p, TG_SYMBOL_POWER, c->span, c->args[0], c->args[1], out);
}

static tg_status read_matrix_power(const call *c, tg_ast **out)
{
  return tg_parse_binary(c->p, '^', c->span, c->args[0], c->args[1], out);
}

static tg_status read_square(const call *c, tg_ast **out)
{
  tg_ast *two = NULL;
  TG_TRY(tg_parse_number(c->p, 2.0, c->span, &two));
  return tg_parse_binary(c->p, TG_SYMBOL_POWER, c->span, c->args[0], two, out);
}

// solve(A), solve(A, b)
static tg_status read_solve(const call *c, tg_ast **out)
{
  TG_TRY(make_call(c, "inv", c->args[0], out));
  return c->n == 2 ? tg_parse_binary(c->p, '*', c->span, *out, c->args[1], out) : TG_OK;
}

// X'*Y
static tg_status read_crossprod(const call *c, tg_ast **out)
{
  tg_ast *left = NULL;
  TG_TRY(transpose(c, c->args[0], &left));
  return tg_parse_binary(c->p, '*', c->span, left, c->args[c->n - 1], out);
}

static tg_status read_tcrossprod(const call *c, tg_ast **out)
{
  tg_ast *right = NULL;
  TG_TRY(transpose(c, c->args[c->n - 1], &right));
  return tg_parse_binary(c->p, '*', c->span, c->args[0], right, out);
}

// logaddexp(0, X) is softplus(X).
static tg_status read_logaddexp(const call *c, tg_ast **out)
{
  const int32_t zero = is_number(c->args[0], 0.0) ? 0 : 1;
  if (!is_number(c->args[zero], 0.0))
    TG_FAIL_AT(TG_NAME, c->span, "%s(0, X) is softplus(X); of two matrices it is not in the language", c->name);
  return make_call(c, "softplus", c->args[1 - zero], out);
}

// The larger of two; the largest of all is not in the language.
static tg_status read_max(const call *c, tg_ast **out)
{
  const char *name = strstr(c->name, "max") != NULL ? "max" : "min";
  if (c->n != 2)
    TG_FAIL_AT(TG_NAME, c->span, "the %s entry of a matrix is not in the language; %s(X, Y) takes two arguments",
               name[1] == 'a' ? "largest" : "smallest", name);
  return tg_parse_make_call(c->p, name, c->span, 2, c->args, out);
}

// norm(x) of a vector; of a matrix only where the Frobenius norm is named, or is what the system means.
static tg_status read_norm(const call *c, tg_ast **out)
{
  const tg_ast *kind = c->n == 2 ? c->args[1] : NULL;
  const bool frobenius = kind != NULL && (is_word(kind, "fro") || is_word(kind, "F") || is_word(kind, "f") ||
                                          is_word(kind, "ord=fro") || is_word(kind, "p=fro"));
  const bool one = kind != NULL && (is_number(kind, 1.0) || is_word(kind, "ord=1") || is_word(kind, "p=1"));
  const bool two = kind == NULL || is_number(kind, 2.0) || is_word(kind, "ord=2") || is_word(kind, "2");
  if (kind != NULL && (is_word(kind, "nuc") || is_word(kind, "ord=nuc") || is_word(kind, "p=nuc")))
    return make_call(c, "nuclear_norm", c->args[0], out);
  if (kind != NULL && two) return make_call(c, "spectral_norm", c->args[0], out); // of a vector norm2
  if (!frobenius && !one && !two)
    TG_FAIL_AT(TG_NAME, kind->span,
               "this norm is not in the language; norm2(X) is the Frobenius norm, norm1(X) the sum of absolute values, "
               "spectral_norm(X) the largest singular value, nuclear_norm(X) the sum of them");
  TG_TRY(make_call(c, one ? "norm1" : "norm2", c->args[0], out));
  if (!frobenius && !(kind == NULL && c->p->is_module)) (*out)->wants = 'v';
  return TG_OK;
}

// The axis that is summed over, from the options behind the first argument: 2 in MATLAB and axis=1, keepdims=True in
// NumPy are the sums of rows, 1 and axis=0 those of columns.
static tg_status read_axis(const call *c, const char *of_rows, const char *of_columns, const char *all, tg_ast **out)
{
  bool by_rows = false;
  bool by_columns = false;
  bool keeps = false;
  bool numpy = false;
  for (int32_t i = 1; i < c->n; i++) {
    const tg_ast *option = c->args[i];
    if (is_word(option, "keepdims=True") || is_word(option, "keepdim=True"))
      keeps = true;
    else if ((is_word(option, "all") || is_word(option, "axis=None")) && c->n == 2)
      return make_call(c, all, c->args[0], out);
    else if (is_number(option, 2.0) || is_word(option, "axis=1") || is_word(option, "dim=1"))
      by_rows = true;
    else if (is_number(option, 1.0) || is_word(option, "axis=0") || is_word(option, "dim=0"))
      by_columns = true;
    else
      TG_FAIL_AT(TG_SYNTAX, option->span, "%s takes no such option here; %s(X), %s(X) and %s(X) are known", c->name,
                 all, of_rows, of_columns);
    numpy = numpy || is_any_word(option);
  }
  if (by_rows && by_columns) TG_FAIL_AT(TG_SYNTAX, c->span, "%s over both axes is %s(X)", c->name, all);
  // A vector of NumPy lies and stands: without keepdims it is not known which of the two is meant.
  if (numpy && !keeps)
    TG_FAIL_AT(TG_SYNTAX, c->args[1]->span,
               "without keepdims=True the result neither lies nor stands; write %s(X), a %s",
               by_rows ? of_rows : of_columns, by_rows ? "column" : "row");
  return make_call(c, by_rows ? of_rows : by_columns ? of_columns : all, c->args[0], out);
}

static tg_status read_sum(const call *c, tg_ast **out)
{
  return read_axis(c, "sum_rows", "sum_columns", "sum", out);
}

enum { BIND_MAX = 16 };

static bool is_row_of_blocks(const tg_ast *ast)
{
  return ast->kind == TG_AST_CALL && strcmp(ast->name, "horzcat") == 0;
}

// block([[A, B], [C, D]], hstack([A, B]), vstack([A, B]), concatenate([A, B], axis=1)
static tg_status read_blocks(const call *c, tg_ast **out)
{
  tg_ast *list = c->args[0];
  const bool by_axis = strcmp(c->name, "concatenate") == 0 || strcmp(c->name, "cat") == 0;
  bool above = strcmp(c->name, "vstack") == 0 ||
               (by_axis && (c->n == 1 || is_word(c->args[1], "axis=0") || is_word(c->args[1], "dim=0")));
  if (c->n == 2 && !(by_axis && (above || is_word(c->args[1], "axis=1") || is_word(c->args[1], "dim=1"))))
    TG_FAIL_AT(TG_SYNTAX, c->args[1]->span, "%s takes no such option here", c->name);
  if (!is_row_of_blocks(list)) TG_FAIL_AT(TG_SYNTAX, list->span, "%s takes a list in brackets, as [A, B]", c->name);
  bool nested = strcmp(c->name, "block") == 0;
  for (int32_t i = 0; i < list->n_args; i++) nested = nested && is_row_of_blocks(list->args[i]);
  above = above || nested;
  return tg_parse_make_call(c->p, above ? "vertcat" : "horzcat", c->span, list->n_args, list->args, out);
}

// cbind(1, X), rbind(A, B) of R: a number is repeated for each row.
static tg_status read_bind(const call *c, tg_ast **out)
{
  const bool above = c->name[0] == 'r';
  tg_ast *blocks[BIND_MAX];
  for (int32_t i = 0; i < c->n; i++) {
    blocks[i] = c->args[i];
    if (blocks[i]->kind != TG_AST_NUMBER) continue;
    if (above || blocks[i]->number != 1.0)
      TG_FAIL_AT(TG_SYNTAX, blocks[i]->span, "a number that R repeats is written out, as 2*ones(n,1) for n rows");
    TG_TRY(tg_parse_name(c->p, "ones", blocks[i]->span, &blocks[i]));
    blocks[i]->wants = 'c';
  }
  return tg_parse_make_call(c->p, above ? "vertcat" : "horzcat", c->span, c->n, blocks, out);
}

// var(X), or var(Z, 1) of MATLAB.
static tg_status read_var(const call *c, tg_ast **out)
{
  static const char notice[] =
      "var divides by the number of entries, as NumPy does; those of MATLAB, R and PyTorch divide by one less\n";
  tg_text *notices = c->n == 1 ? c->p->notices : NULL;
  if (c->n == 2 && !is_number(c->args[1], 1.0))
    TG_FAIL_AT(TG_SYNTAX, c->args[1]->span, "var divides by the number of entries, which in MATLAB is var(X, 1)");
  if (notices != NULL && strstr(tg_text_string(notices), notice) == NULL) tg_text_add(notices, notice);
  return make_call(c, "var", c->args[0], out);
}

static tg_status read_logsumexp(const call *c, tg_ast **out)
{
  return read_axis(c, "logsumexp_rows", "logsumexp_columns", "logsumexp", out);
}

// softmax(X, axis=1), softmax(X, dim=0): the axis along which the entries sum to 1; the shape stays.
static tg_status read_softmax(const call *c, tg_ast **out)
{
  if (c->n == 1)
    TG_FAIL_AT(TG_NAME, c->span, "write softmax_rows(X) or softmax_columns(X); softmax_columns(x) of a column");
  const tg_ast *option = c->args[1];
  const bool by_rows = is_number(option, 2.0) || is_word(option, "axis=1") || is_word(option, "dim=1") ||
                       is_word(option, "axis=-1") || is_word(option, "dim=-1");
  const bool by_columns = is_number(option, 1.0) || is_word(option, "axis=0") || is_word(option, "dim=0");
  if (!by_rows && !by_columns)
    TG_FAIL_AT(TG_SYNTAX, option->span, "write softmax_rows(X) or softmax_columns(X); axis=0 and axis=1 are read so");
  return make_call(c, by_rows ? "softmax_rows" : "softmax_columns", c->args[0], out);
}

static tg_status read_slogdet(const call *c, tg_ast **out)
{
  (void)out;
  TG_FAIL_AT(TG_NAME, c->span, "slogdet gives two results; write %s(X)[1], or logdet(X)", c->name);
}

// The derivative of expm alone, as SciPy gives it with that option.
static tg_status read_frechet(const call *c, tg_ast **out)
{
  if (c->n < 3 || !is_word(c->args[2], "compute_expm=False"))
    TG_FAIL_AT(TG_NAME, c->span, "expm_frechet gives two results; write %s(S, V, compute_expm=False), or dexpm(S, V)",
               c->name);
  return tg_parse_make_call(c->p, "dexpm", c->span, 2, c->args, out);
}

typedef struct special {
  const char *name;
  int32_t min_args;
  int32_t max_args;
  tg_status (*read)(const call *c, tg_ast **out);
} special;

static const special specials[] = {
    {"asarray", 1, 1, read_itself},
    {"array", 1, 1, read_itself},
    {"transpose", 1, 1, read_transpose},
    {"t", 1, 1, read_transpose},
    {"multiply", 2, 2, read_times},
    {"mul", 2, 2, read_times},
    {"times", 2, 2, read_times},
    {"divide", 2, 2, read_over},
    {"div", 2, 2, read_over},
    {"rdivide", 2, 2, read_over},
    {"matmul", 2, 2, read_product},
    {"mm", 2, 2, read_product},
    {"mtimes", 2, 2, read_product},
    {"power", 2, 2, read_power},
    {"pow", 2, 2, read_power},
    {"matrix_power", 2, 2, read_matrix_power},
    {"mpower", 2, 2, read_matrix_power},
    {"square", 1, 1, read_square},
    {"solve", 1, 2, read_solve},
    {"crossprod", 1, 2, read_crossprod},
    {"tcrossprod", 1, 2, read_tcrossprod},
    {"logaddexp", 2, 2, read_logaddexp},
    {"max", 1, 3, read_max},
    {"maximum", 1, 3, read_max},
    {"fmax", 1, 3, read_max},
    {"fmin", 1, 3, read_max},
    {"pmax", 1, 3, read_max},
    {"pmin", 1, 3, read_max},
    {"min", 1, 3, read_max},
    {"minimum", 1, 3, read_max},
    {"norm", 1, 2, read_norm},
    {"sum", 2, 3, read_sum},
    {"logsumexp", 2, 3, read_logsumexp},
    {"softmax", 1, 2, read_softmax},
    {"var", 1, 2, read_var},
    {"block", 1, 1, read_blocks},
    {"hstack", 1, 1, read_blocks},
    {"vstack", 1, 1, read_blocks},
    {"concatenate", 1, 2, read_blocks},
    {"cbind", 1, BIND_MAX, read_bind},
    {"rbind", 1, BIND_MAX, read_bind},
    {"cat", 1, 2, read_blocks},
    {"slogdet", 1, 1, read_slogdet},
    {"expm_frechet", 2, 3, read_frechet},
};

static const special *find_special(const char *name)
{
  for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++)
    if (strcmp(specials[i].name, name) == 0) return &specials[i];
  return NULL;
}

bool tg_foreign_is_function(const char *name)
{
  return tg_function_find(name) != NULL || find_special(name) != NULL || tg_foreign_is_known(name);
}

// 'ij,ij' of einsum, dim=1: where the function itself is unknown, that is said.
static tg_status fail_option(const call *c, const tg_ast *option)
{
  char advice[200];
  const tg_span span = {c->span.begin, c->span.begin + strlen(c->name)};
  if (tg_function_find(c->name) == NULL && tg_foreign_advice(c->name, advice, sizeof advice) != NULL)
    TG_FAIL_AT(TG_NAME, span, "unknown function '%s'; %s", c->name, advice);
  TG_FAIL_AT(TG_SYNTAX, option->span, "%s takes no such option here", c->name);
}

tg_status tg_foreign_call(tg_parser *p, const char *name, tg_span span, int32_t n, tg_ast *const *args, tg_ast **out)
{
  const call c = {p, name, span, n, args};
  const bool declared = tg_parse_is_declared(p, name);
  const special *s = declared ? NULL : find_special(name);
  if (s != NULL && n >= s->min_args && n <= s->max_args) return s->read(&c, out);
  for (int32_t i = 0; i < n; i++)
    if (is_any_word(args[i])) return fail_option(&c, args[i]);
  if (s != NULL && tg_function_find(name) == NULL)
    TG_FAIL_AT(TG_SYNTAX, span, "%s takes %d argument%s, found %d", name, (int)s->max_args, s->max_args == 1 ? "" : "s",
               (int)n);
  const char *here = declared ? NULL : tg_foreign_same(name);
  return tg_parse_make_call(p, here != NULL ? here : name, span, n, args, out);
}

tg_status tg_foreign_fail_brackets(const tg_parser *p, const tg_token *token)
{
  char advice[200];
  (void)p;
  const tg_span span = {token->span.begin, p->token.span.end};
  for (int32_t i = 0; i < tg_function_count(); i++)
    if (strcasecmp(tg_function_at(i)->name, token->name) == 0)
      TG_FAIL_AT(TG_SYNTAX, span, "a function has round parentheses; write %s", tg_function_at(i)->signature);
  if (tg_foreign_advice(token->name, advice, sizeof advice) == NULL)
    TG_FAIL_AT(TG_SYNTAX, span, "a function has round parentheses; write %s(...)", token->name);
  TG_FAIL_AT(TG_SYNTAX, span, "'%s[': %s", token->name, advice);
}
