// The gradient inside a linear set of matrices, by the orthogonal projection of the one with free entries.
#include "derive/within.h"

#include <string.h>

#include "base/memory.h"

// (G + sign*G')/2
static tg_status project_mirrored(tg_graph *g, tg_node gradient, double sign, tg_node *out)
{
  TG_TRY(tg_make_trans(g, gradient, out));
  return tg_make_lin(g, 2, (const double[]){0.5, 0.5 * sign}, (const tg_node[]){gradient, *out}, out);
}

static tg_status project_symmetric(tg_graph *g, tg_node gradient, tg_node *out)
{
  return project_mirrored(g, gradient, 1.0, out);
}

static tg_status project_skew(tg_graph *g, tg_node gradient, tg_node *out)
{
  return project_mirrored(g, gradient, -1.0, out);
}

static tg_status project_diagonal(tg_graph *g, tg_node gradient, tg_node *out)
{
  TG_TRY(tg_make_unary(g, TG_DIAGVEC, gradient, out));
  return tg_make_unary(g, TG_DIAG, *out, out);
}

// Its entries on and below the diagonal.
static tg_status project_lower(tg_graph *g, tg_node gradient, tg_node *out)
{
  const tg_info *info = tg_node_info(g, gradient);
  if (tg_node_is_scalar(g, gradient)) {
    *out = gradient;
    return TG_OK;
  }
  TG_TRY(tg_make_triangle(g, TG_TRIL, info->rows, info->cols, out));
  return tg_make_had(g, 2, (const tg_node[]){gradient, *out}, out);
}

// The entry (i, j) of a point, from that of a matrix with free entries.
static double point_symmetric(const double *x, int64_t n, int64_t i, int64_t j)
{
  return i < j ? x[j + i * n] : x[i + j * n];
}

static double point_skew(const double *x, int64_t n, int64_t i, int64_t j)
{
  return i == j ? 0.0 : i < j ? -x[j + i * n] : x[i + j * n];
}

static double point_diagonal(const double *x, int64_t n, int64_t i, int64_t j)
{
  return i == j ? x[i + j * n] : 0.0;
}

static double point_lower(const double *x, int64_t n, int64_t i, int64_t j)
{
  return i < j ? 0.0 : x[i + j * n];
}

static const tg_within sets[] = {
    {"symmetric", TG_SYMMETRIC, project_symmetric, point_symmetric,
     "inside symmetric matrices: <G,H> = <(G + G')/2,H> for H = H'"},
    {"diagonal", TG_DIAGONAL, project_diagonal, point_diagonal,
     "inside diagonal matrices: <G,H> = <diag(diagvec(G)),H> for diagonal H"},
    {"skew", TG_SQUARE, project_skew, point_skew, "inside skew matrices: <G,H> = <(G - G')/2,H> for H = -H'"},
    {"lower", TG_SQUARE, project_lower, point_lower,
     "inside lower triangular matrices: <G,H> = <tril(G),H> for H = tril(H)"},
};
enum { SETS = sizeof sets / sizeof sets[0] };

tg_status tg_within_find(const tg_derive_words *words, const char *name, const tg_within **out)
{
  const char *names[SETS];
  for (int k = 0; k < SETS; k++) {
    names[k] = sets[k].name;
    if (strcmp(sets[k].name, name) != 0) continue;
    *out = &sets[k];
    return TG_OK;
  }
  const char *nearest = tg_nearest_word(name, names, SETS);
  if (nearest != NULL)
    TG_FAIL(TG_USAGE, "%sunknown set '%s' in %swithin; did you mean '%s'?", words->command, name, words->dash, nearest);
  TG_FAIL(TG_USAGE, "%sunknown set '%s' in %swithin; one of symmetric, diagonal, skew, lower", words->command, name,
          words->dash);
}

tg_status tg_within_check_shape(const tg_within *set, const tg_derive_words *words, const tg_graph *graph,
                                int32_t symbol)
{
  const tg_symbol *info = tg_symbol_info(graph, symbol);
  if (info->rows == info->cols) return TG_OK;
  tg_text shape;
  tg_text_init(&shape);
  tg_dim_print_shape(graph, info->rows, info->cols, &shape);
  const tg_status status =
      tg_error_set(TG_USAGE, TG_HERE, "%s%swithin %s needs a square matrix, '%s' is %s; give %sdims %s=nxn",
                   words->command, words->dash, set->name, info->name, tg_text_string(&shape), words->dash, info->name);
  tg_text_fini(&shape);
  return status;
}

// X' is -X at skew X: every transpose of the symbol below the node.
static tg_status turn_transposes(tg_graph *g, int32_t symbol, tg_node *node)
{
  tg_status status = TG_OK;
  tg_node *image = NULL;
  uint8_t *below = NULL;
  TG_TRY_GOTO(TG_NEW((int64_t)*node + 1, &image));
  TG_TRY_GOTO(tg_node_find_below(g, *node, &below));
  for (tg_node at = 1; at <= *node; at++) {
    const tg_info *info = tg_node_info(g, at);
    const bool is_symbol = info->n_args == 1 && tg_node_info(g, info->args[0])->symbol == symbol &&
                           tg_node_info(g, info->args[0])->kind == TG_SYM;
    image[at] = at;
    if (below[at] == 0 || info->n_args == 0) continue;
    tg_node *args = NULL;
    TG_TRY_GOTO(TG_NEW(info->n_args, &args));
    for (int32_t i = 0; i < info->n_args; i++) args[i] = image[info->args[i]];
    status = info->kind == TG_TRANS && is_symbol ? tg_make_scale(g, -1.0, info->args[0], &image[at])
                                                 : tg_make_like(g, at, args, &image[at]);
    tg_free(args);
    TG_TRY_GOTO(status);
  }
  *node = image[*node];
done:
  tg_free(image);
  tg_free(below);
  return status;
}

// At points of the set what is declared of X holds, X' = X for one: it is held as a constant that has the property.
static tg_status hold(tg_graph *g, int32_t symbol, tg_node *node)
{
  int32_t held = -1;
  tg_node constant = TG_NONE;
  if (tg_symbol_info(g, symbol)->properties == 0) return TG_OK;
  TG_TRY(tg_symbol_hold(g, symbol, &held));
  TG_TRY(tg_make_sym(g, held, &constant));
  return tg_substitute(g, *node, 1, &symbol, &constant, node);
}

// The symbol that stands for it in a projected derivative.
static int32_t held_or_free(const tg_graph *g, int32_t symbol)
{
  const int32_t twin = tg_symbol_info(g, symbol)->twin;
  return twin >= 0 ? twin : symbol;
}

tg_status tg_within_project(const tg_within *set, tg_graph *graph, int32_t symbol, int32_t direction, tg_node *node)
{
  TG_TRY(hold(graph, symbol, node));
  if (direction >= 0) TG_TRY(hold(graph, direction, node));
  TG_TRY(set->project(graph, *node, node));
  if (set->project != project_skew) return TG_OK;
  TG_TRY(turn_transposes(graph, held_or_free(graph, symbol), node));
  return direction >= 0 ? turn_transposes(graph, held_or_free(graph, direction), node) : TG_OK;
}

void tg_within_move(const tg_within *set, int64_t n, double *x)
{
  // The entries of the lower triangle are read before they are overwritten: they are their own sources.
  for (int64_t j = n - 1; j >= 0; j--)
    for (int64_t i = 0; i < n; i++) {
      if (i < j) x[i + j * n] = set->point(x, n, i, j);
    }
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = j; i < n; i++) x[i + j * n] = set->point(x, n, i, j);
}
