// The table of operators, and constructors that choose by kind.
#include "grad/graph/entry.h"
#include "grad/graph/op.h"

#define TG_OP(kind, descriptor) extern const tg_op descriptor;
#include "grad/graph/ops.def"
#undef TG_OP
extern const tg_op tg_op_entrywise;

const tg_op *tg_op_get(tg_kind kind)
{
  static const tg_op *const table[TG_KIND_COUNT] = {
#define TG_OP(kind, descriptor) [TG_##kind] = &descriptor,
#include "grad/graph/ops.def"
#undef TG_OP
#define TG_ENTRYWISE(KIND, ...) [TG_##KIND] = &tg_op_entrywise,
#include "grad/entrywise.def"
  };
  return table[kind];
}

const char *tg_kind_name(tg_kind kind)
{
  const tg_entry_facts *f = tg_entry(kind);
  return f != NULL ? f->name : tg_op_get(kind)->name;
}

bool tg_kind_has_kinks(tg_kind kind)
{
  const tg_entry_facts *f = tg_entry(kind);
  return f != NULL ? f->kink.kind != TG_KINK_NONE : tg_op_get(kind)->has_kinks;
}

tg_status tg_make_like(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  return tg_op_get(tg_node_info(g, node)->kind)->remake(g, node, args, out);
}

tg_status tg_make_unary(tg_graph *g, tg_kind kind, tg_node a, tg_node *out)
{
  switch (kind) {
  case TG_INV:
    return tg_make_inv(g, a, out);
  case TG_DET:
    return tg_make_det(g, a, out);
  case TG_LOGDET:
    return tg_make_logdet(g, a, out);
  case TG_TR:
    return tg_make_tr(g, a, out);
  case TG_SUM:
    return tg_make_sum(g, a, out);
  case TG_DIAG:
    return tg_make_diag(g, a, out);
  case TG_DIAGVEC:
    return tg_make_diagvec(g, a, out);
  case TG_VEC:
    return tg_make_vec(g, a, out);
  case TG_TRANS:
    return tg_make_trans(g, a, out);
  case TG_NUCLEAR:
  case TG_SPECTRAL:
  case TG_POLAR:
  case TG_DYAD:
    return tg_make_singular(g, kind, a, out);
  case TG_SQRTM:
  case TG_EXPM:
  case TG_LOGM:
    return tg_make_matfun(g, kind, a, out);
  default:
    return tg_make_function(g, kind, a, out);
  }
}
