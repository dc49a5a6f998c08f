// Points at which a claim is compared: small matrices of several sizes of entries, of both signs.
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "derive/claim_parts.h"

// Sizes that no other size equals, so that no wrong shape passes by chance.
enum { FIRST_SIZE = 3 };

// ---- sizes ----

static void number_sizes(const tg_graph *graph, tg_dim dim, tg_claim_points *out)
{
  const tg_size_form *form = tg_dim_form(graph, dim);
  for (int32_t t = 0; t < form->n_terms; t++)
    for (int32_t i = 0; i < form->terms[t].n; i++) {
      const char *name = tg_dim_name(graph, form->terms[t].vars[i]);
      int32_t k = 0;
      while (k < out->sampling.n_sizes && strcmp(out->sizes[k].name, name) != 0) k++;
      if (k < out->sampling.n_sizes || k == TG_CLAIM_SIZES_MAX) continue;
      out->sizes[k] = (tg_named_size){name, FIRST_SIZE + k};
      out->sampling.n_sizes++;
    }
}

// The number of a size that is a name by itself, or NULL.
static int64_t *number_of(tg_claim_points *points, tg_dim dim)
{
  const tg_size_form *form = tg_dim_form(points->graph, dim);
  if (form->n_terms != 1 || form->terms[0].n != 1 || form->terms[0].coef != 1) return NULL;
  const char *name = tg_dim_name(points->graph, form->terms[0].vars[0]);
  for (int32_t k = 0; k < points->sampling.n_sizes; k++)
    if (strcmp(points->sizes[k].name, name) == 0) return &points->sizes[k].number;
  return NULL;
}

// Q'*Q = eye needs as many rows as columns: sizes change places until that holds.
static void order_orthogonal(tg_claim_points *points)
{
  for (int32_t pass = 0; pass < points->n_symbols; pass++)
    for (int32_t s = 0; s < points->n_symbols; s++) {
      const tg_symbol *symbol = tg_symbol_info(points->graph, s);
      int64_t *rows = number_of(points, symbol->rows);
      int64_t *cols = number_of(points, symbol->cols);
      if ((symbol->properties & TG_ORTHOGONAL) == 0 || rows == NULL || cols == NULL || *rows >= *cols) continue;
      const int64_t held = *rows;
      *rows = *cols;
      *cols = held;
    }
}

// ---- scales ----

static void add_scale(tg_claim_points *points, double scale)
{
  const double size = fabs(scale);
  if (!(size > 1e-150 && size < 1e150) || (size > 0.05 && size < 20.0)) return;
  for (int32_t i = 0; i < points->n_scales; i++)
    if (points->scales[i] == 2.0 * size) return;
  if (points->n_scales + 2 > TG_CLAIM_SCALES_MAX) return;
  points->scales[points->n_scales++] = 2.0 * size;
  points->scales[points->n_scales++] = 2.0 / size;
}

static tg_status find_scales(const tg_graph *graph, int32_t n, const tg_node *nodes, tg_claim_points *out)
{
  static const double usual[] = {1.0, 0.3, 3.0, 0.05, 1.0, 0.5, 2.0, 10.0, 1.0, 0.3, 0.005, 40.0};
  for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) out->scales[out->n_scales++] = usual[i];
  for (int32_t k = 0; k < n; k++) {
    uint8_t *below = NULL;
    TG_TRY(tg_node_find_below(graph, nodes[k], &below));
    for (tg_node at = 1; at <= nodes[k]; at++) {
      const tg_info *info = tg_node_info(graph, at);
      if (below[at] != 0 && info->kind == TG_NUM) add_scale(out, info->value);
      for (int32_t i = 0; below[at] != 0 && info->kind == TG_LIN && i < info->n_args; i++)
        add_scale(out, info->coefs[i]);
    }
    tg_free(below);
  }
  return TG_OK;
}

static bool has_exponent(tg_kind kind)
{
  return kind == TG_MPOWER || kind == TG_DMPOWER || kind == TG_D2MPOWER;
}

// The symbols below exponents of matrices stand for whole numbers.
static tg_status find_whole(const tg_graph *graph, tg_node node, bool *is_whole)
{
  tg_status status = TG_OK;
  uint8_t *below = NULL;
  uint8_t *exponents = NULL;
  TG_TRY_GOTO(tg_node_find_below(graph, node, &below));
  TG_TRY_GOTO(TG_NEW((int64_t)node + 1, &exponents));
  for (tg_node at = 1; at <= node; at++)
    if (below[at] != 0 && has_exponent(tg_node_info(graph, at)->kind)) exponents[tg_node_info(graph, at)->args[1]] = 1;
  tg_node_mark_below(graph, node, exponents);
  for (tg_node at = 1; at <= node; at++)
    if (exponents[at] != 0 && tg_node_info(graph, at)->kind == TG_SYM)
      is_whole[tg_node_info(graph, at)->symbol] = tg_node_is_scalar(graph, at);
done:
  tg_free(below);
  tg_free(exponents);
  return status;
}

// Numbers for all sizes of the symbols and nodes, in the order in which they are met, or against it. Differences, as
// n-1 and the rows behind X(1:n,:), must come out as sizes: other orders are tried then.
static tg_status choose_sizes(int32_t n, const tg_node *nodes, bool is_reversed, tg_claim_points *out)
{
  const tg_graph *graph = out->graph;
  tg_status status = TG_OK;
  uint8_t *below = NULL;
  tg_node top = 1;
  for (int32_t k = 0; k < n; k++) top = nodes[k] > top ? nodes[k] : top;
  for (int32_t s = 0; s < out->n_symbols; s++) {
    number_sizes(graph, tg_symbol_info(graph, s)->rows, out);
    number_sizes(graph, tg_symbol_info(graph, s)->cols, out);
  }
  TG_TRY_GOTO(TG_NEW(top + 1, &below));
  for (int32_t k = 0; k < n; k++) below[nodes[k]] = 1;
  tg_node_mark_below(graph, top, below);
  for (tg_node at = 1; at <= top; at++) {
    const tg_info *info = tg_node_info(graph, at);
    if (below[at] != 0) number_sizes(graph, info->rows, out);
    if (below[at] != 0) number_sizes(graph, info->cols, out);
    if (below[at] != 0 && info->kind == TG_PICK) number_sizes(graph, info->dims[0], out);
  }
  const int32_t n_sizes = out->sampling.n_sizes;
  for (int32_t k = 0; is_reversed && k < n_sizes; k++) out->sizes[k].number = FIRST_SIZE + n_sizes - 1 - k;
  order_orthogonal(out);
  TG_TRY_GOTO(tg_sample_find_sizes(graph, top, below, n_sizes, out->sizes));
done:
  tg_free(below);
  return status;
}

tg_status tg_claim_points_init(const tg_graph *graph, int32_t n, const tg_node *nodes, bool is_reversed,
                               tg_claim_points *out)
{
  *out = (tg_claim_points){.graph = graph, .n_symbols = tg_symbol_count(graph)};
  out->sampling.sizes = out->sizes;
  TG_TRY(choose_sizes(n, nodes, is_reversed, out));
  TG_TRY(find_scales(graph, n, nodes, out));
  TG_TRY(TG_NEW(out->n_symbols + 1, &out->values));
  TG_TRY(TG_NEW(out->n_symbols + 1, &out->is_whole));
  for (int32_t k = 0; k < n; k++) TG_TRY(find_whole(graph, nodes[k], out->is_whole));
  for (int32_t s = 0; s < out->n_symbols; s++) {
    const tg_symbol *symbol = tg_symbol_info(graph, s);
    const int64_t rows = tg_sample_size(graph, &out->sampling, symbol->rows);
    const int64_t cols = tg_sample_size(graph, &out->sampling, symbol->cols);
    if (rows < 0 || cols < 0)
      TG_FAIL(TG_LIMIT, "a claim is compared with at most %d names of sizes", TG_CLAIM_SIZES_MAX);
    if (rows > INT64_C(1000000) / cols)
      TG_FAIL(TG_LIMIT, "a claim is compared at matrices of at most 1000000 entries, '%s' has more; leave --dims out",
              symbol->name);
    TG_TRY(TG_NEW(rows * cols, &out->values[s]));
  }
  return TG_OK;
}

void tg_claim_points_fini(tg_claim_points *points)
{
  for (int32_t s = 0; points->values != NULL && s < points->n_symbols; s++) tg_free(points->values[s]);
  tg_free(points->values);
  tg_free(points->is_whole);
  points->values = NULL;
  points->is_whole = NULL;
}

// ---- values ----

// A small congruential generator: trials need to repeat, not to be random (Knuth's MMIX constants).
static double next_uniform(uint64_t *state)
{
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (double)(*state >> 11) / 9007199254740992.0;
}

typedef struct regime {
  double scale;
  double least; // entries are scale * uniform(least, 1)
  bool is_dominant;
} regime;

// Points where logarithms, roots and determinants exist are tried as often as those of both signs.
static regime regime_of(const tg_claim_points *points, int32_t trial, uint64_t *state)
{
  static const double least[] = {-1.0, 0.2, -1.0, -1.0, 0.2, -1.0};
  static const bool dominant[] = {false, true, true, false, false, false};
  const int32_t kind = trial % 7;
  // The last two of the seven kinds mix: each symbol has a sign, a size and a dominance of its own.
  regime r = {.scale = points->scales[trial % points->n_scales]};
  const double a = next_uniform(state);
  const double b = next_uniform(state);
  const double c = next_uniform(state);
  if (kind < 5) {
    r.least = least[kind];
    r.is_dominant = dominant[kind];
    return r;
  }
  r.least = a < 0.5 ? -1.0 : 0.2;
  r.is_dominant = b < 0.5;
  r.scale *= c < 0.3 ? 0.1 : c < 0.6 ? 1.0 : c < 0.8 ? 4.0 : -1.0;
  return r;
}

static void orthonormalize(int64_t m, int64_t n, double *x)
{
  for (int64_t j = 0; j < n; j++) {
    for (int twice = 0; twice < 2; twice++)
      for (int64_t k = 0; k < j; k++) {
        double dot = 0.0;
        for (int64_t i = 0; i < m; i++) dot += x[i + k * m] * x[i + j * m];
        for (int64_t i = 0; i < m; i++) x[i + j * m] -= dot * x[i + k * m];
      }
    double norm = 0.0;
    for (int64_t i = 0; i < m; i++) norm = hypot(norm, x[i + j * m]);
    for (int64_t i = 0; i < m; i++) x[i + j * m] /= norm;
  }
}

static void fill_value(const tg_symbol *symbol, int64_t m, int64_t n, const regime *r, uint64_t *state, double *x)
{
  const bool spd = (symbol->properties & (TG_SPD | TG_PSD)) != 0;
  const bool positive = (symbol->properties & TG_POSITIVE) != 0;
  const bool symmetric = spd || (symbol->properties & TG_SYMMETRIC) != 0;
  const bool diagonal = (symbol->properties & TG_DIAGONAL) != 0;
  const double scale = spd ? fabs(r->scale) : r->scale;
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < m; i++) {
      const double drawn = scale * (r->least + (1.0 - r->least) * next_uniform(state));
      const double entry = positive ? fabs(drawn) : drawn;
      // Diagonally dominant with positive diagonal: inverses and logarithms of determinants exist.
      const bool lifted = m == n && i == j && (m > 1 ? r->is_dominant || spd : spd);
      x[i + j * m] = lifted ? entry + (double)(n + 1) * scale : entry;
    }
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < m; i++) {
      if (symmetric && i < j) x[i + j * m] = x[j + i * m];
      if (diagonal && i != j) x[i + j * m] = 0.0;
    }
  if ((symbol->properties & TG_ORTHOGONAL) != 0 && m >= n) orthonormalize(m, n, x);
}

// An exponent of a matrix: small numbers of both signs, and 0.
static double exponent_of(int32_t trial, int32_t symbol)
{
  static const double exponents[] = {3, 2, 4, -1, 1, 5, 0, -2};
  return exponents[(trial + 3 * symbol) % 8];
}

void tg_claim_points_fill(tg_claim_points *points, int32_t trial)
{
  uint64_t state = UINT64_C(20240229) + UINT64_C(7919) * (uint64_t)trial;
  for (int k = 0; k < 4; k++) (void)next_uniform(&state);
  for (int32_t s = 0; s < points->n_symbols; s++) {
    const tg_symbol *symbol = tg_symbol_info(points->graph, s);
    const int64_t m = tg_sample_size(points->graph, &points->sampling, symbol->rows);
    const int64_t n = tg_sample_size(points->graph, &points->sampling, symbol->cols);
    const regime r = regime_of(points, trial, &state);
    if (symbol->twin >= 0 && symbol->twin < s)
      memcpy(points->values[s], points->values[symbol->twin], sizeof(double) * (size_t)(m * n));
    else
      fill_value(symbol, m, n, &r, &state, points->values[s]);
    if (points->is_whole[s]) points->values[s][0] = exponent_of(trial, s);
  }
}
