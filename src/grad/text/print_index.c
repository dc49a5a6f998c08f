// Submatrices X(i:j,k:l), and the rows of identities that they are made of.
#include <inttypes.h>

#include "grad/graph/op.h"
#include "grad/text/print_parts.h"

// The indices that rows of an identity take; NULL: all.
static void print_range(tg_printer *p, const tg_info *pick)
{
  const int64_t count = pick != NULL ? tg_dim_value(p->g, pick->rows) : 0;
  const bool numpy = p->format == TG_FORMAT_NUMPY;
  if (pick == NULL)
    tg_print_add(p, ":");
  else if (count == 1 && !numpy)
    tg_text_addf(p->out, "%" PRId64, pick->exponent + 1);
  else // NumPy counts from 0, and does not take the last
    tg_text_addf(p->out, "%" PRId64 ":%" PRId64, pick->exponent + !numpy, pick->exponent + count);
}

static void print_indices(tg_printer *p, const tg_info *rows, const tg_info *columns)
{
  const bool numpy = p->format == TG_FORMAT_NUMPY;
  tg_print_add(p, numpy ? "[" : "(");
  print_range(p, rows);
  tg_print_add(p, numpy ? ", " : ",");
  print_range(p, columns);
  tg_print_add(p, numpy ? "]" : ")");
}

void tg_print_pick(tg_printer *p, const tg_info *pick, bool transposed, tg_status *status)
{
  tg_node eye = TG_NONE;
  *status = tg_make_eye(p->g, pick->cols, &eye);
  if (*status != TG_OK) return;
  tg_print_constant(p, tg_node_info(p->g, eye));
  print_indices(p, transposed ? NULL : pick, transposed ? pick : NULL);
}

// A pick, transposed or not; NULL: it is none.
static const tg_info *pick_of(const tg_printer *p, tg_node node, bool transposed)
{
  const tg_info *info = tg_node_info(p->g, node);
  if (transposed && info->kind != TG_TRANS) return NULL;
  if (transposed) info = tg_node_info(p->g, info->args[0]);
  return info->kind == TG_PICK ? info : NULL;
}

int32_t tg_print_submatrix(tg_printer *p, const tg_info *chain, int32_t i, tg_status *status)
{
  const bool numpy = p->format == TG_FORMAT_NUMPY;
  int32_t at = i;
  const tg_info *rows = pick_of(p, chain->args[at], false);
  if (rows != NULL) at++;
  if (at == chain->n_args || tg_node_info(p->g, chain->args[at])->kind != TG_SYM) return 0;
  const tg_node x = chain->args[at++];
  const tg_info *columns = at < chain->n_args ? pick_of(p, chain->args[at], true) : NULL;
  if (columns != NULL) at++;
  if (rows == NULL && columns == NULL) return 0;
  // Brackets alone do not show that they are NumPy's: the first name then stands in np.asarray.
  const bool spelled = numpy && p->spell;
  p->has_entrywise = p->has_entrywise || numpy;
  if (spelled) p->spell = false;
  tg_print_add(p, spelled ? "np.asarray(" : "");
  tg_print_node(p, x, PREC_ATOM, status);
  tg_print_add(p, spelled ? ")" : "");
  print_indices(p, rows, columns);
  return at - i;
}
