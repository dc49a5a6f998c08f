// The nuclear and the spectral norm and their derivatives written by singular vectors: U, V' and the values s.
//
// With K = U'WV the derivative of U V' along W is U (E .* (K + K')/2 + O .* (K - K')/2) V' plus what W has outside the
// spaces of U and V; E(i,j) and O(i,j) are divided differences of s_i and s_j (grad/divided.h). That of u v', u and v
// the first vectors, needs the first row and column of the like alone: vectors.
#include "grad/graph/op.h"
#include "grad/lower/lower_parts.h"

typedef struct basis {
  tg_graph *g;
  tg_node u;       // m x k
  tg_node ut;      // its transpose
  tg_node v;       // n x k
  tg_node vt;      // k x n
  tg_node values;  // k x 1
  tg_node pick;    // 1 x k, (1, 0, ..., 0)
  tg_node largest; // 1 x 1
  bool is_tall;
  bool is_wide;
} basis;

static tg_status find_basis(tg_graph *g, tg_node x, basis *b)
{
  const tg_info *info = tg_node_info(g, x);
  const int64_t m = tg_dim_value(g, info->rows);
  const int64_t n = tg_dim_value(g, info->cols);
  tg_dim one = 0;
  *b = (basis){.g = g, .is_tall = m > n, .is_wide = m < n};
  TG_TRY(tg_make_singular_part(g, TG_LEFTVECTORS, x, &b->u));
  TG_TRY(tg_make_trans(g, b->u, &b->ut));
  TG_TRY(tg_make_singular_part(g, TG_RIGHTVECTORS, x, &b->vt));
  TG_TRY(tg_make_trans(g, b->vt, &b->v));
  TG_TRY(tg_make_singular_part(g, TG_SINGULARVALUES, x, &b->values));
  TG_TRY(tg_dim_number(g, 1, &one));
  TG_TRY(tg_make_pick(g, one, tg_node_info(g, b->values)->rows, one, &b->pick));
  return tg_make_mul(g, b->pick, b->values, &b->largest);
}

static tg_status chain(tg_graph *g, tg_node a, tg_node b, tg_node c, tg_node *out)
{
  return tg_make_prod(g, c == TG_NONE ? 2 : 3, (const tg_node[]){a, b, c}, out);
}

static tg_status had(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  return tg_make_had(g, 2, (const tg_node[]){a, b}, out);
}

// U diag(sign(s)) V'
static tg_status polar(const basis *b, tg_node *out)
{
  TG_TRY(tg_make_function(b->g, TG_SIGN, b->values, out));
  TG_TRY(tg_make_diag(b->g, *out, out));
  return chain(b->g, b->u, *out, b->vt, out);
}

// The first vectors, m x 1 and n x 1.
static tg_status first_vectors(const basis *b, tg_node *u, tg_node *v)
{
  tg_node column = TG_NONE;
  TG_TRY(tg_make_trans(b->g, b->pick, &column));
  TG_TRY(tg_make_mul(b->g, b->u, column, u));
  return tg_make_mul(b->g, b->v, column, v);
}

static tg_status dyad(const basis *b, tg_node *out)
{
  tg_node u = TG_NONE;
  tg_node v = TG_NONE;
  tg_node sign = TG_NONE;
  TG_TRY(first_vectors(b, &u, &v));
  TG_TRY(tg_make_trans(b->g, v, &v));
  TG_TRY(tg_make_function(b->g, TG_SIGN, b->largest, &sign));
  return chain(b->g, sign, u, v, out);
}

// Divided differences of all pairs of singular values, k x k.
static tg_status weights(const basis *b, tg_divided which, tg_node *out)
{
  tg_dim one = 0;
  tg_node ones = TG_NONE;
  tg_node sides[2] = {TG_NONE, TG_NONE};
  TG_TRY(tg_dim_number(b->g, 1, &one));
  TG_TRY(tg_make_ones(b->g, one, tg_node_info(b->g, b->values)->rows, &ones));
  TG_TRY(tg_make_mul(b->g, b->values, ones, &sides[0]));
  TG_TRY(tg_make_trans(b->g, sides[0], &sides[1]));
  return tg_make_divided(b->g, which, sides[0], sides[1], out);
}

// (W V - U K) diag(1/s) V' of a tall X, U diag(1/s) (U'W - K V') of a wide one; 1/s is 0 where s is.
static tg_status outside(const basis *b, tg_node w, tg_node k, tg_node *out)
{
  tg_graph *g = b->g;
  tg_node inverse = TG_NONE;
  tg_node part = TG_NONE;
  *out = TG_NONE;
  if (!b->is_tall && !b->is_wide) return TG_OK;
  TG_TRY(tg_make_divided(g, TG_DIVIDED_SIGNS, b->values, b->values, &inverse));
  TG_TRY(tg_make_diag(g, inverse, &inverse));
  TG_TRY(b->is_tall ? tg_make_mul(g, w, b->v, out) : tg_make_mul(g, b->ut, w, out));
  TG_TRY(b->is_tall ? tg_make_mul(g, b->u, k, &part) : tg_make_mul(g, k, b->vt, &part));
  TG_TRY(tg_make_sub(g, *out, part, out));
  return b->is_tall ? chain(g, *out, inverse, b->vt, out) : chain(g, b->u, inverse, *out, out);
}

static tg_status along_polar(const basis *b, tg_node w, tg_node *out)
{
  static const double halves[2][2] = {{0.5, 0.5}, {0.5, -0.5}};
  tg_graph *g = b->g;
  tg_node k[2] = {TG_NONE, TG_NONE};
  tg_node inner = TG_NONE;
  tg_node rest = TG_NONE;
  TG_TRY(chain(g, b->ut, w, b->v, &k[0]));
  TG_TRY(tg_make_trans(g, k[0], &k[1]));
  for (int s = 0; s < 2; s++) {
    tg_node part = TG_NONE;
    tg_node factor = TG_NONE;
    TG_TRY(tg_make_lin(g, 2, halves[s], k, &part));
    TG_TRY(weights(b, s == 0 ? TG_DIVIDED_STEP : TG_DIVIDED_SIGNS, &factor));
    TG_TRY(had(g, factor, part, &part));
    if (s == 0)
      inner = part;
    else
      TG_TRY(tg_make_add(g, inner, part, &inner));
  }
  TG_TRY(chain(g, b->u, inner, b->vt, out));
  TG_TRY(outside(b, w, k[0], &rest));
  return rest == TG_NONE ? TG_OK : tg_make_add(g, *out, rest, out);
}

// x .* p + y .* q with x, y divided differences of s_1 and each s_j.
static tg_status mix(const basis *b, tg_node p, tg_node q, tg_node *out)
{
  const tg_info *shape = tg_node_info(b->g, b->values);
  tg_node top = TG_NONE;
  tg_node parts[2] = {p, q};
  TG_TRY(tg_make_filled(b->g, b->largest, shape->rows, shape->cols, &top));
  for (int s = 0; s < 2; s++) {
    tg_node factor = TG_NONE;
    TG_TRY(tg_make_divided(b->g, s == 0 ? TG_DIVIDED_TOP : TG_DIVIDED_BELOW_TOP, top, b->values, &factor));
    TG_TRY(had(b->g, factor, parts[s], &parts[s]));
  }
  return tg_make_add(b->g, parts[0], parts[1], out);
}

// With a = V'W'u and c = U'W v: u (mix(a, c)'V') + (U mix(c, a)) v', and (W v - U c) v'/s_1, u (u'W - a'V')/s_1.
static tg_status along_dyad(const basis *b, tg_node w, tg_node *out)
{
  tg_graph *g = b->g;
  tg_node u = TG_NONE;
  tg_node v = TG_NONE;
  tg_node vt = TG_NONE;
  tg_node a = TG_NONE;
  tg_node c = TG_NONE;
  tg_node wt = TG_NONE;
  tg_node terms[3] = {TG_NONE, TG_NONE, TG_NONE};
  tg_node inverse = TG_NONE;
  int32_t n = 2;
  TG_TRY(first_vectors(b, &u, &v));
  TG_TRY(tg_make_trans(g, v, &vt));
  TG_TRY(tg_make_trans(g, w, &wt));
  TG_TRY(chain(g, b->vt, wt, u, &a));
  TG_TRY(chain(g, b->ut, w, v, &c));
  TG_TRY(mix(b, a, c, &terms[0]));
  TG_TRY(tg_make_trans(g, terms[0], &terms[0]));
  TG_TRY(chain(g, u, terms[0], b->vt, &terms[0]));
  TG_TRY(mix(b, c, a, &terms[1]));
  TG_TRY(chain(g, b->u, terms[1], vt, &terms[1]));
  if (b->is_tall || b->is_wide) {
    tg_node part = TG_NONE;
    TG_TRY(tg_make_pow_number(g, b->largest, -1.0, &inverse));
    TG_TRY(b->is_tall ? tg_make_mul(g, w, v, &terms[2]) : tg_make_mul(g, wt, u, &terms[2]));
    TG_TRY(b->is_tall ? tg_make_mul(g, b->u, c, &part) : tg_make_mul(g, b->v, a, &part));
    TG_TRY(tg_make_sub(g, terms[2], part, &terms[2]));
    if (b->is_wide) TG_TRY(tg_make_trans(g, terms[2], &terms[2]));
    TG_TRY(b->is_tall ? chain(g, inverse, terms[2], vt, &terms[2]) : chain(g, inverse, u, terms[2], &terms[2]));
    n = 3;
  }
  return tg_make_lin(g, n, (const double[]){1, 1, 1}, terms, out);
}

tg_status tg_low_open_singular(tg_graph *g, tg_kind kind, const tg_node *args, tg_node *out)
{
  basis b;
  TG_TRY(find_basis(g, args[0], &b));
  switch (kind) {
  case TG_NUCLEAR:
    return tg_make_sum(g, b.values, out);
  case TG_SPECTRAL:
    *out = b.largest;
    return TG_OK;
  case TG_POLAR:
    return polar(&b, out);
  case TG_DYAD:
    return dyad(&b, out);
  case TG_DPOLAR:
    return along_polar(&b, args[1], out);
  default:
    return along_dyad(&b, args[1], out);
  }
}
