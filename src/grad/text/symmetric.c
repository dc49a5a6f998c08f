// Whether the argument of a function of symmetric matrices is one, by what the names are declared.
#include <stdio.h>

#include "grad/text/shape.h"

enum { NAMES_MAX = 64 };

// Names of the argument that a declaration could make symmetric.
typedef struct candidates {
  int32_t n;
  int32_t symbols[NAMES_MAX];
} candidates;

static bool is_declared(const tg_symbol *symbol)
{
  return (symbol->properties & TG_SYMMETRIC) != 0;
}

static void find_candidates(const tg_graph *g, tg_node node, bool of_jobs, candidates *out)
{
  out->n = 0;
  for (int32_t s = 0; s < tg_symbol_count(g) && out->n < NAMES_MAX; s++) {
    const tg_symbol *symbol = tg_symbol_info(g, s);
    const bool is_square = symbol->rows == symbol->cols && !tg_dim_is_one(g, symbol->rows);
    if (!is_square || is_declared(symbol) || (of_jobs && !symbol->free) || !tg_node_depends_on(g, node, s)) continue;
    out->symbols[out->n++] = s;
  }
}

// A constant in the place of the symbol, symmetric as it is declared, or as it should be.
static tg_status stand_in(tg_graph *g, int32_t symbol, tg_node *out)
{
  const tg_symbol x = *tg_symbol_info(g, symbol);
  char name[24];
  int32_t made = -1;
  if (is_declared(&x)) {
    TG_TRY(tg_symbol_hold(g, symbol, &made));
    return tg_make_sym(g, made, out);
  }
  snprintf(name, sizeof name, "S#%d", (int)symbol); // a name that no user can write
  made = tg_symbol_find(g, name);
  if (made < 0) TG_TRY(tg_symbol_add(g, name, x.rows, x.cols, x.properties | TG_SYMMETRIC, false, &made));
  return tg_make_sym(g, made, out);
}

// Whether the node is symmetric where the declared names are, and the candidates but one (-1: all; -2: none of them).
static tg_status is_symmetric(tg_graph *g, tg_node node, const candidates *c, int32_t but, bool *out)
{
  const int32_t count = tg_symbol_count(g);
  for (int32_t s = 0; s < count; s++) {
    const tg_symbol *symbol = tg_symbol_info(g, s);
    tg_node constant = TG_NONE;
    bool stands = symbol->free && is_declared(symbol);
    for (int32_t k = 0; k < c->n && but != -2; k++) stands = stands || (c->symbols[k] == s && k != but);
    if (!stands || !tg_node_depends_on(g, node, s)) continue;
    TG_TRY(stand_in(g, s, &constant));
    TG_TRY(tg_substitute(g, node, 1, &s, &constant, &node));
  }
  return tg_node_is_symmetric(g, node, out);
}

// "A,B": the candidates that it takes. Empty where none suffices.
static tg_status name_needed(tg_graph *g, tg_node node, candidates *c, tg_text *out)
{
  bool holds = false;
  TG_TRY(is_symmetric(g, node, c, -1, &holds));
  if (!holds) return TG_OK;
  for (int32_t k = c->n - 1; k >= 0; k--) {
    TG_TRY(is_symmetric(g, node, c, k, &holds));
    if (!holds) continue;
    for (int32_t i = k; i + 1 < c->n; i++) c->symbols[i] = c->symbols[i + 1];
    c->n--;
  }
  for (int32_t k = 0; k < c->n; k++)
    tg_text_addf(out, "%s%s", k > 0 ? "," : "", tg_symbol_info(g, c->symbols[k])->name);
  return tg_text_status(out);
}

static tg_status refuse(tg_builder *b, const tg_ast *ast, tg_node argument, const char *names)
{
  const tg_span span = ast->args[0]->span;
  tg_text shape;
  tg_text_init(&shape);
  tg_dim_print(b->graph, tg_node_info(b->graph, argument)->rows, &shape);
  const char *n = tg_text_string(&shape);
  const int length = span.end - span.begin < 40 ? (int)(span.end - span.begin) : 40;
  const char *what = b->text + span.begin;
  if (names[0] != '\0' && b->may_declare)
    tg_error_set_at(TG_VALUE, TG_HERE, span,
                    "%s needs a symmetric matrix, found %.*s, %s x %s, which is not known to be one: declare it by "
                    "--symmetric %s, or write the symmetric part (X + X')/2",
                    ast->name, length, what, n, n, names);
  else if (names[0] != '\0')
    tg_error_set_at(TG_VALUE, TG_HERE, span,
                    "%s needs a symmetric matrix, found %.*s, %s x %s, which is not known to be one: give %s the "
                    "property symmetric: true",
                    ast->name, length, what, n, n, names);
  else
    tg_error_set_at(TG_VALUE, TG_HERE, span,
                    "%s needs a symmetric matrix, found %.*s, %s x %s, which is none whatever its names are; the "
                    "symmetric part is (X + X')/2",
                    ast->name, length, what, n, n);
  tg_text_fini(&shape);
  return TG_VALUE;
}

tg_status tg_builder_require_symmetric(tg_builder *builder, const tg_ast *ast, tg_node argument)
{
  tg_graph *g = builder->graph;
  candidates c;
  bool holds = false;
  tg_text names;
  tg_status status = TG_OK;
  if (tg_node_is_scalar(g, argument)) return TG_OK;
  tg_text_init(&names);
  find_candidates(g, argument, !builder->may_declare, &c);
  TG_TRY_GOTO(is_symmetric(g, argument, &c, -2, &holds));
  if (!holds && !builder->may_declare) TG_TRY_GOTO(is_symmetric(g, argument, &c, -1, &holds));
  if (holds) goto done;
  find_candidates(g, argument, false, &c);
  TG_TRY_GOTO(name_needed(g, argument, &c, &names));
  status = refuse(builder, ast, argument, tg_text_string(&names));
done:
  tg_text_fini(&names);
  return status;
}
