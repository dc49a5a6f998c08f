// Matrices of blocks: sums of terms that put something among zeros, [A, B; C, D].
#include <math.h>

#include "base/memory.h"
#include "grad/graph/op.h"
#include "grad/text/print_parts.h"

// One side of a matrix of blocks: where they begin, and what they are. `bodies` of TG_NONE are zeros.
typedef struct line {
  int32_t n;
  tg_dim *sizes;
  tg_node *bodies;
} line;

enum { BLOCKS_PRINTED_MAX = 64 };

static const char *const opens[FORMATS] = {"[", "[", "\\begin{bmatrix}", "np.block([[", "["};
static const char *const betweens[FORMATS] = {", ", ", ", " & ", ", ", ", "};
static const char *const breaks[FORMATS] = {"; ", "; ", " \\\\ ", "], [", "; "};
static const char *const closes[FORMATS] = {"]", "]", "\\end{bmatrix}", "]])", "]"};

// The rows of an identity that a term has at its beginning (rows), transposed, or at its end; NULL: it has none.
static const tg_info *padding_of(const tg_graph *g, tg_node term, bool rows)
{
  const tg_info *info = tg_node_info(g, term);
  tg_node end = term;
  if (info->kind == TG_PROD && info->n_scalars == info->n_args) return NULL;
  if (info->kind == TG_PROD) end = info->args[rows ? info->n_scalars : info->n_args - 1];
  if (!tg_node_is_padding(g, end, rows)) return NULL;
  const tg_info *pick = tg_node_info(g, end);
  return rows ? tg_node_info(g, pick->args[0]) : pick;
}

// The term without them.
static tg_status take_padding(tg_graph *g, tg_node term, double coef, const tg_info *pick, bool rows, tg_node *out)
{
  const tg_info *info = tg_node_info(g, term);
  if (info->kind != TG_PROD) {
    TG_TRY(tg_make_identity(g, pick->rows, out));
    return tg_make_scale(g, coef, *out, out);
  }
  tg_node *factors = NULL;
  int32_t n = 0;
  TG_TRY(TG_SCRATCH(g, info->n_args, &factors));
  for (int32_t i = 0; i < info->n_args; i++)
    if (i != (rows ? info->n_scalars : info->n_args - 1)) factors[n++] = info->args[i];
  // Scalars alone are multiples of an identity.
  TG_TRY(tg_make_identity(g, pick->rows, out));
  if (info->n_args - info->n_scalars == 1) factors[n++] = *out;
  TG_TRY(tg_make_prod(g, n, factors, out));
  return tg_make_scale(g, coef, *out, out);
}

static void append(line *out, tg_dim size, tg_node body)
{
  out->sizes[out->n] = size;
  out->bodies[out->n++] = body;
}

// The block of the terms that begins at `position`; where none does, the one that is known to be the next. -1: none.
static int32_t find_next(const tg_graph *g, int32_t n, const tg_info *const *picks, const bool *done, tg_dim position)
{
  int32_t next = -1;
  for (int32_t i = 0; i < n; i++) {
    if (done[i]) continue;
    if (picks[i]->dims[0] == position) return i;
    if (!tg_dim_is_at_least(g, picks[i]->dims[0], position)) return -1;
    if (next < 0 || tg_dim_is_at_least(g, picks[next]->dims[0], picks[i]->dims[0])) next = i;
  }
  return next;
}

static int32_t term_count(const tg_info *info)
{
  return info->kind == TG_LIN ? info->n_args : 1;
}

// Whether a multiple of the term's block is printed as the sum that it is: 0.5*(X - Y) among zeros would be read as
// 0.5*X - 0.5*Y, which is another node there.
static bool is_torn(const tg_graph *g, tg_node term, double coef, bool rows)
{
  const tg_info *info = tg_node_info(g, term);
  if (fabs(coef) == 1.0 || info->kind != TG_PROD || info->n_args - info->n_scalars != 2) return false;
  return tg_node_info(g, info->args[rows ? info->n_args - 1 : info->n_scalars])->kind == TG_LIN;
}

// The node as blocks above one another (rows) or beside one another, gaps filled with zeros; n = 0: it is none.
static tg_status split(tg_graph *g, tg_node node, bool rows, line *out)
{
  const tg_info info = *tg_node_info(g, node);
  const int32_t n = term_count(&info);
  const tg_info *picks[BLOCKS_PRINTED_MAX];
  bool done[BLOCKS_PRINTED_MAX] = {false};
  tg_dim position = 0;
  tg_dim gap = 0;
  out->n = 0;
  if (n > BLOCKS_PRINTED_MAX) return TG_OK;
  for (int32_t i = 0; i < n; i++) {
    picks[i] = padding_of(g, info.kind == TG_LIN ? info.args[i] : node, rows);
    const double coef = info.kind == TG_LIN ? info.coefs[i] : 1.0;
    if (picks[i] == NULL || is_torn(g, info.kind == TG_LIN ? info.args[i] : node, coef, rows)) return TG_OK;
  }
  TG_TRY(TG_SCRATCH(g, 2 * n + 1, &out->sizes));
  TG_TRY(TG_SCRATCH(g, 2 * n + 1, &out->bodies));
  TG_TRY(tg_dim_number(g, 1, &position));
  for (int32_t k = 0; k < n; k++) {
    const int32_t i = find_next(g, n, picks, done, position);
    if (i < 0) {
      out->n = 0;
      return TG_OK;
    }
    tg_node body = TG_NONE;
    TG_TRY(tg_dim_sum(g, picks[i]->dims[0], -1, position, &gap));
    if (picks[i]->dims[0] != position) append(out, gap, TG_NONE);
    TG_TRY(take_padding(g, info.kind == TG_LIN ? info.args[i] : node, info.kind == TG_LIN ? info.coefs[i] : 1.0,
                        picks[i], rows, &body));
    append(out, picks[i]->rows, body);
    done[i] = true;
    TG_TRY(tg_dim_sum(g, picks[i]->dims[0], 1, picks[i]->rows, &position));
  }
  TG_TRY(tg_dim_sum(g, rows ? info.rows : info.cols, -1, position, &gap));
  TG_TRY(tg_dim_offset(g, gap, 1, &gap));
  int64_t number = 1;
  if (!tg_dim_is_number(g, gap, &number) || number > 0) append(out, gap, TG_NONE);
  return TG_OK;
}

// The entries of one row of blocks; a body of TG_NONE is zeros.
static void print_row(tg_printer *p, tg_dim rows, tg_dim cols, tg_node body, tg_status *status)
{
  line across = {0};
  if (body != TG_NONE) *status = split(p->g, body, false, &across);
  for (int32_t k = 0; k < (across.n > 0 ? across.n : 1) && *status == TG_OK; k++) {
    tg_node block = across.n > 0 ? across.bodies[k] : body;
    tg_print_add(p, k > 0 ? betweens[p->format] : "");
    if (block == TG_NONE) *status = tg_make_zero(p->g, rows, across.n > 0 ? across.sizes[k] : cols, &block);
    if (*status == TG_OK && p->format == TG_FORMAT_LATEX && tg_node_is_number(p->g, block, NULL) &&
        tg_node_is_zero(p->g, block))
      tg_print_add(p, "0_{1 \\times 1}"); // 0 alone would be as large as there is room
    else if (*status == TG_OK)
      tg_print_node(p, block, PREC_SUM, status);
  }
}

bool tg_print_blocks(tg_printer *p, tg_node node, tg_status *status)
{
  const tg_info *info = tg_node_info(p->g, node);
  const tg_dim rows = info->rows;
  const tg_dim cols = info->cols;
  line down = {0};
  line across = {0};
  if (info->kind != TG_LIN && info->kind != TG_PROD) return false;
  *status = split(p->g, node, true, &down);
  if (*status == TG_OK && down.n == 0) *status = split(p->g, node, false, &across);
  if (*status != TG_OK || (down.n == 0 && across.n == 0)) return *status != TG_OK;
  tg_print_add(p, opens[p->format]);
  if (down.n == 0) print_row(p, rows, cols, node, status);
  for (int32_t k = 0; k < down.n && *status == TG_OK; k++) {
    tg_print_add(p, k > 0 ? breaks[p->format] : "");
    print_row(p, down.sizes[k], cols, down.bodies[k], status);
  }
  tg_print_add(p, closes[p->format]);
  return true;
}

bool tg_print_is_blocks(const tg_printer *p, tg_node node)
{
  const tg_info *info = tg_node_info(p->g, node);
  line unused = {0};
  if (info->kind != TG_LIN || info->n_args < 2) return false;
  if (split(p->g, node, true, &unused) == TG_OK && unused.n == 0) (void)split(p->g, node, false, &unused);
  return unused.n > 0;
}
