// What functions of matrices are computed from: eigenvectors, eigenvalues, divided differences. Lowering makes them,
// and Jacobians of functions of symmetric matrices hold them; they have no derivatives themselves.
#include <math.h>

#include "base/memory.h"
#include "grad/graph/op.h"
#include "grad/graph/sample_dense.h"

static tg_status intern(tg_graph *g, tg_kind kind, tg_dim rows, tg_dim cols, int64_t number, int32_t n,
                        const tg_node *args, tg_node *out)
{
  const tg_info draft = {.kind = kind, .rows = rows, .cols = cols, .n_args = n, .args = args, .exponent = number};
  return tg_intern(g, &draft, out);
}

tg_status tg_make_eigvectors(tg_graph *g, tg_node s, tg_node *out)
{
  const tg_info *info = tg_node_info(g, s);
  return intern(g, TG_EIGVECTORS, info->rows, info->rows, 0, 1, &s, out);
}

tg_status tg_make_eigvalues(tg_graph *g, tg_node s, int64_t domain, tg_node *out)
{
  tg_dim one = 0;
  TG_TRY(tg_dim_number(g, 1, &one));
  return intern(g, TG_EIGVALUES, tg_node_info(g, s)->rows, one, domain, 1, &s, out);
}

tg_status tg_make_singular_part(tg_graph *g, tg_kind kind, tg_node a, tg_node *out)
{
  const tg_info *info = tg_node_info(g, a);
  const tg_dim k = tg_dim_value(g, info->rows) < tg_dim_value(g, info->cols) ? info->rows : info->cols;
  tg_dim one = 0;
  TG_TRY(tg_dim_number(g, 1, &one));
  return intern(g, kind, kind == TG_LEFTVECTORS ? info->rows : k,
                kind == TG_RIGHTVECTORS  ? info->cols
                : kind == TG_LEFTVECTORS ? k
                                         : one,
                0, 1, &a, out);
}

tg_status tg_make_divided(tg_graph *g, tg_divided which, tg_node a, tg_node b, tg_node *out)
{
  const bool swaps = tg_divided_is_symmetric(which) && tg_node_compare(g, a, b) > 0;
  const tg_info *info = tg_node_info(g, a);
  return intern(g, TG_DIVIDED, info->rows, info->cols, (int64_t)which, 2,
                (const tg_node[]){swaps ? b : a, swaps ? a : b}, out);
}

// Entry (i,j) is the divided difference of v_i and v_j, of a column v.
tg_status tg_make_divided_pairs(tg_graph *g, tg_divided which, tg_node v, tg_node *out)
{
  tg_dim one = 0;
  tg_node ones = TG_NONE;
  tg_node sides[2] = {TG_NONE, TG_NONE};
  TG_TRY(tg_dim_number(g, 1, &one));
  TG_TRY(tg_make_ones(g, one, tg_node_info(g, v)->rows, &ones));
  TG_TRY(tg_make_mul(g, v, ones, &sides[0]));
  TG_TRY(tg_make_trans(g, sides[0], &sides[1]));
  return tg_make_divided(g, which, sides[0], sides[1], out);
}

static tg_status remake(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  const tg_info info = *tg_node_info(g, node);
  if (info.kind == TG_DIVIDED) return tg_make_divided(g, (tg_divided)info.exponent, args[0], args[1], out);
  return intern(g, info.kind, info.rows, info.cols, info.exponent, info.n_args, args, out);
}

static tg_status refuse(const tg_graph *g, tg_node node)
{
  const tg_info *info = tg_node_info(g, node);
  const char *name =
      info->kind == TG_DIVIDED ? tg_divided_function((tg_divided)info->exponent) : tg_kind_name(info->kind);
  TG_FAIL(TG_UNSUPPORTED,
          "%s has no derivative in the language; functions of eigenvalues that have one are tr(S), tr(S^k), "
          "tr(expm(S)), logdet(S), nuclear_norm(S) and spectral_norm(S)",
          name != NULL ? name : "a divided difference");
}

static tg_status forward(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  (void)dargs;
  (void)out;
  return refuse(g, node);
}

static tg_status reverse(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)adjoint;
  (void)k;
  (void)out;
  return refuse(g, node);
}

static tg_status jacobian(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  (void)k;
  (void)out;
  return refuse(g, node);
}

// Of the symmetric part; no numbers where the argument is not symmetric up to rounding.
static tg_status sample_eigen(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  const bool is_values = tg_node_info(g, node)->kind == TG_EIGVALUES;
  const int64_t n = args[0].rows;
  const double *a = args[0].data;
  double *work = NULL;
  double size = 0;
  double skew = 0;
  TG_TRY(TG_NEW(2 * n * n + n, &work));
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) {
      size = fmax(size, fabs(a[i + j * n]));
      skew = fmax(skew, fabs(a[i + j * n] - a[j + i * n]));
      work[i + j * n] = 0.5 * (a[i + j * n] + a[j + i * n]);
    }
  tg_dense_eigen(n, work, work + n * n, work + 2 * n * n);
  const double *from = is_values ? work + 2 * n * n : work + n * n;
  for (int64_t i = 0; i < out->rows * out->cols; i++) out->data[i] = skew <= 1e-6 * size ? from[i] : (double)NAN;
  tg_free(work);
  return TG_OK;
}

static tg_status sample_divided(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  const tg_divided which = (tg_divided)tg_node_info(g, node)->exponent;
  for (int64_t i = 0; i < out->rows * out->cols; i++)
    out->data[i] = tg_divided_value(which, args[0].data[i], args[1].data[i]);
  return TG_OK;
}

static tg_status sample_none(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)args;
  (void)out;
  TG_FAIL(TG_INTERNAL, "%s stands in plans only", tg_kind_name(tg_node_info(g, node)->kind));
}

#define SPECTRUM(text, sampler)                                                                                      \
  {                                                                                                                  \
    .name = text, .remake = remake, .forward = forward, .reverse = reverse, .jacobian = jacobian, .sample = sampler, \
    .degree = tg_degree_none, .templates = {                                                                         \
      text "(@)",                                                                                                    \
      text "(@)",                                                                                                    \
      TG_LATEX_FUNCTION(text),                                                                                       \
      text "(@)",                                                                                                    \
      text "(@)"                                                                                                     \
    }                                                                                                                \
  }

const tg_op tg_op_eigvectors = SPECTRUM("eigvectors", sample_eigen);
const tg_op tg_op_eigvalues = SPECTRUM("eigvalues", sample_eigen);
const tg_op tg_op_leftvectors = SPECTRUM("leftvectors", sample_none);
const tg_op tg_op_rightvectors = SPECTRUM("rightvectors", sample_none);
const tg_op tg_op_singularvalues = SPECTRUM("singularvalues", sample_none);
const tg_op tg_op_divided = SPECTRUM("divided", sample_divided); // the printer knows which
