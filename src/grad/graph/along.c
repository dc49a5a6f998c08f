// Derivatives of functions of a matrix along directions: their differentials and adjoints.
#include "grad/graph/along.h"

// The direction beside direction k of two.
static tg_node other_direction(const tg_along *along, const tg_info *info, int32_t k)
{
  return info->args[2 * along->first + 1 - k];
}

// d F(S) = L(S,dS), d L(S,V) = L2(S,V,dS) + L(S,dV), likewise of the second one where S is constant.
tg_status tg_along_forward(tg_graph *g, const tg_along *along, tg_node node, const tg_node *d, tg_node *out)
{
  const tg_info info = *tg_node_info(g, node);
  const int32_t order = info.n_args - along->first;
  const tg_node s = info.args[0];
  if (order == 0) return along->make(g, &info, s, d[0], TG_NONE, out);
  if (order == 2 && d[0] != TG_NONE) return along->refuse_third(g, node);
  *out = TG_NONE;
  if (d[0] != TG_NONE) TG_TRY(along->make(g, &info, s, info.args[along->first], d[0], out));
  for (int32_t k = along->first; k < info.n_args; k++) {
    tg_node part = TG_NONE;
    if (d[k] == TG_NONE) continue;
    TG_TRY(along->make(g, &info, s, d[k], order == 2 ? other_direction(along, &info, k) : TG_NONE, &part));
    if (*out != TG_NONE) TG_TRY(tg_make_add(g, *out, part, &part));
    *out = part;
  }
  return TG_OK;
}

// By the words of a power series: <G, L2(S,V,W)> = <L2(S',G,W'), V>, the same with S, V and G exchanged.
tg_status tg_along_reverse(tg_graph *g, const tg_along *along, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  const tg_info info = *tg_node_info(g, node);
  const int32_t order = info.n_args - along->first;
  tg_node turned = TG_NONE;
  tg_node other = TG_NONE;
  TG_TRY(tg_make_trans(g, info.args[0], &turned));
  if (order == 2 && k == 0) return along->refuse_third(g, node);
  if (order == 0 || (order == 1 && k > 0)) return along->make(g, &info, turned, adjoint, TG_NONE, out);
  TG_TRY(tg_make_trans(g, order == 1 ? info.args[along->first] : other_direction(along, &info, k), &other));
  return along->make(g, &info, turned, adjoint, other, out);
}
