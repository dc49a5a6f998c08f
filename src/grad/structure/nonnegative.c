// The rules of signs for scalars: down the sums and products to squares and to entries.
#include "grad/structure/nonnegative.h"

#include "grad/structure/curvature.h"

static bool is_semidefinite(const tg_graph *g, tg_node node)
{
  const tg_info *info = tg_node_info(g, node);
  if (tg_node_is_spd(g, node)) return true;
  if (info->kind != TG_SYM) return false;
  const tg_symbol *symbol = tg_symbol_info(g, info->symbol);
  return !symbol->free && (symbol->properties & TG_PSD) != 0;
}

// Whether the cycle, read from `shift` on, is Z' Z or Z' S Z.
static tg_status is_mirrored(tg_graph *g, int32_t n, const tg_node *chain, int32_t shift, bool *out)
{
  *out = n % 2 == 0 || is_semidefinite(g, chain[(shift + n / 2) % n]);
  for (int32_t i = 0; *out && i < n / 2; i++) {
    tg_node mirrored = TG_NONE;
    TG_TRY(tg_make_trans(g, chain[(shift + n - 1 - i) % n], &mirrored));
    *out = mirrored == chain[(shift + i) % n];
  }
  return TG_OK;
}

// The trace of a product: scalars that are not negative before a cycle with a mirror.
static tg_status is_square(tg_graph *g, const tg_info *product, bool *out)
{
  const int32_t n = product->n_args - product->n_scalars;
  const tg_node *chain = product->args + product->n_scalars;
  *out = true;
  for (int32_t i = 0; *out && i < product->n_scalars; i++) TG_TRY(tg_nonnegative_find(g, product->args[i], out));
  if (!*out) return TG_OK;
  *out = false;
  for (int32_t shift = 0; shift < n && !*out; shift++) TG_TRY(is_mirrored(g, n, chain, shift, out));
  return TG_OK;
}

tg_status tg_nonnegative_find(tg_graph *g, tg_node f, bool *out)
{
  const tg_info *info = tg_node_info(g, f);
  *out = tg_node_is_nonnegative(g, f);
  if (*out) return TG_OK;
  if (info->kind == TG_LIN || (info->kind == TG_PROD && info->n_scalars == info->n_args)) {
    *out = true;
    for (int32_t i = 0; *out && i < info->n_args; i++) {
      TG_TRY(tg_nonnegative_find(g, info->args[i], out));
      *out = *out && (info->kind == TG_PROD || info->coefs[i] >= 0);
    }
    return TG_OK;
  }
  if (info->kind == TG_POW && tg_node_is_scalar(g, f)) return tg_nonnegative_find(g, info->args[0], out);
  if (info->kind == TG_TR) info = tg_node_info(g, info->args[0]);
  return info->kind == TG_PROD ? is_square(g, info, out) : TG_OK;
}
