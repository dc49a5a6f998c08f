// Submatrices X(i:j,k:l), and the rows of identities that they are made of.
#include "grad/graph/op.h"
#include "grad/text/print_parts.h"

// The indices that rows of an identity take; NULL: all. NumPy counts from 0, and does not take the last.
static tg_status print_range(tg_printer *p, const tg_info *pick)
{
  const bool numpy = p->format == TG_FORMAT_NUMPY;
  tg_dim first = 0;
  tg_dim last = 0;
  if (pick == NULL) {
    tg_print_add(p, ":");
    return TG_OK;
  }
  TG_TRY(tg_dim_offset(p->g, pick->dims[0], numpy ? -1 : 0, &first));
  TG_TRY(tg_dim_sum(p->g, first, 1, pick->rows, &last));
  if (!numpy) TG_TRY(tg_dim_offset(p->g, last, -1, &last));
  tg_print_size(p, first);
  if (first == last) return TG_OK;
  tg_print_add(p, ":");
  tg_print_size(p, last);
  return TG_OK;
}

static void print_indices(tg_printer *p, const tg_info *rows, const tg_info *columns, tg_status *status)
{
  const bool numpy = p->format == TG_FORMAT_NUMPY;
  tg_print_add(p, numpy ? "[" : "(");
  if (*status == TG_OK) *status = print_range(p, rows);
  tg_print_add(p, numpy ? ", " : ",");
  if (*status == TG_OK) *status = print_range(p, columns);
  tg_print_add(p, numpy ? "]" : ")");
}

void tg_print_pick(tg_printer *p, const tg_info *pick, bool transposed, tg_status *status)
{
  tg_node eye = TG_NONE;
  *status = tg_make_eye(p->g, pick->cols, &eye);
  if (*status != TG_OK) return;
  tg_print_constant(p, tg_node_info(p->g, eye));
  print_indices(p, transposed ? NULL : pick, transposed ? pick : NULL, status);
}

// A pick, transposed or not; NULL: it is none.
static const tg_info *pick_of(const tg_printer *p, tg_node node, bool transposed)
{
  const tg_info *info = tg_node_info(p->g, node);
  if (transposed && info->kind != TG_TRANS) return NULL;
  if (transposed) info = tg_node_info(p->g, info->args[0]);
  return info->kind == TG_PICK ? info : NULL;
}

// What has indices behind it. Brackets alone do not show that they are NumPy's: the first name then stands in
// np.asarray.
static void print_indexed(tg_printer *p, tg_node x, const tg_info *rows, const tg_info *columns, tg_status *status)
{
  const bool numpy = p->format == TG_FORMAT_NUMPY;
  const bool spelled = numpy && p->spell;
  p->has_entrywise = p->has_entrywise || numpy;
  if (spelled) p->spell = false;
  tg_print_add(p, spelled ? "np.asarray(" : "");
  tg_print_node(p, x, spelled ? PREC_SUM : PREC_ATOM, status);
  tg_print_add(p, spelled ? ")" : "");
  print_indices(p, rows, columns, status);
}

int32_t tg_print_submatrix(tg_printer *p, const tg_info *chain, int32_t i, tg_status *status)
{
  int32_t at = i;
  const tg_info *rows = pick_of(p, chain->args[at], false);
  if (rows != NULL) at++;
  if (at == chain->n_args || tg_node_info(p->g, chain->args[at])->kind != TG_SYM) return 0;
  const tg_node x = chain->args[at++];
  const tg_info *columns = at < chain->n_args ? pick_of(p, chain->args[at], true) : NULL;
  if (columns != NULL) at++;
  if (rows == NULL && columns == NULL) return 0;
  print_indexed(p, x, rows, columns, status);
  return at - i;
}

bool tg_print_rest(tg_printer *p, const tg_info *chain, tg_status *status)
{
  int32_t first = 0;
  int32_t last = chain->n_args;
  if (chain->kind != TG_PROD || last < 2) return false;
  const tg_info *rows = pick_of(p, chain->args[0], false);
  const tg_info *columns = pick_of(p, chain->args[last - 1], true);
  if (rows != NULL && tg_node_info(p->g, chain->args[1])->kind != TG_SYM) first++;
  if (columns != NULL && tg_node_info(p->g, chain->args[last - 2])->kind != TG_SYM) last--;
  if (last - first == chain->n_args || last <= first) return false;
  tg_node inner = TG_NONE;
  *status = tg_make_prod(p->g, last - first, chain->args + first, &inner);
  if (*status != TG_OK) return true;
  print_indexed(p, inner, first > 0 ? rows : NULL, last < chain->n_args ? columns : NULL, status);
  return true;
}
