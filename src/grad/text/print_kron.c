// Printed Kronecker products, their adjoints and the inverse of vec.
#include "grad/graph/op.h"
#include "grad/text/print_parts.h"

// ---- Kronecker products and stacking ----

void tg_print_kron(tg_printer *p, const tg_info *info, tg_status *status)
{
  if (p->format == TG_FORMAT_UNICODE || p->format == TG_FORMAT_LATEX) {
    tg_print_node(p, info->args[0], PREC_UNARY, status);
    tg_print_add(p, p->format == TG_FORMAT_LATEX ? " \\otimes " : " ⊗ ");
    tg_print_node(p, info->args[1], PREC_UNARY, status);
    return;
  }
  tg_print_add(p, p->format == TG_FORMAT_NUMPY ? "np.kron(" : "kron(");
  tg_print_node(p, info->args[0], PREC_SUM, status);
  tg_print_add(p, ", ");
  tg_print_node(p, info->args[1], PREC_SUM, status);
  tg_print_add(p, ")");
}

// The language has no reshape: v as m x n is (vec(I_n)' kron I_m) (I_n kron v), and the parser knows it again.
void tg_print_unvec(tg_printer *p, const tg_info *info, tg_status *status)
{
  switch (p->format) {
  case TG_FORMAT_NUMPY:
    tg_print_add(p, "(");
    tg_print_node(p, info->args[0], PREC_SUM, status);
    tg_print_two_sizes(p, ").reshape((", info->rows, ", ", info->cols, "), order=\"F\")");
    return;
  case TG_FORMAT_OCTAVE:
    tg_print_add(p, "reshape(");
    tg_print_node(p, info->args[0], PREC_SUM, status);
    tg_print_two_sizes(p, ", ", info->rows, ", ", info->cols, ")");
    return;
  case TG_FORMAT_LATEX:
    tg_print_two_sizes(p, "\\operatorname{unvec}_{", info->rows, "\\times ", info->cols, "}\\left(");
    tg_print_node(p, info->args[0], PREC_SUM, status);
    tg_print_add(p, "\\right)");
    return;
  default:
    tg_print_add(p, "kron(vec(eye(");
    tg_print_size(p, info->cols);
    tg_print_add(p, "))', eye(");
    tg_print_size(p, info->rows);
    tg_print_add(p, "))*kron(eye(");
    tg_print_size(p, info->cols);
    tg_print_add(p, "), ");
    tg_print_node(p, info->args[0], PREC_SUM, status);
    tg_print_add(p, ")");
    return;
  }
}

// kronl(G, B) = unvec((I kron vec(B)') N' vec(G)), kronr(G, A) = unvec((vec(A)' kron I) N' vec(G)), with
// N = I_n kron K(q,m) kron I_p, for A m x n and B p x q.
tg_status tg_print_spell_adjoint(tg_graph *g, const tg_info *info, tg_node *out)
{
  const bool left = info->kind == TG_KRONL;
  const tg_info *part = tg_node_info(g, info->args[1]);
  const tg_info *a = left ? info : part;
  const tg_info *b = left ? part : info;
  tg_dim size = 0;
  tg_node identity = TG_NONE;
  tg_node row = TG_NONE;
  tg_node order = TG_NONE;
  tg_node middle = TG_NONE;
  tg_node end = TG_NONE;
  TG_TRY(tg_dim_product(g, info->rows, info->cols, &size));
  TG_TRY(tg_make_identity(g, size, &identity));
  TG_TRY(tg_make_vec(g, info->args[1], &row));
  TG_TRY(tg_make_trans(g, row, &row));
  TG_TRY(tg_make_kron(g, left ? identity : row, left ? row : identity, &row));
  TG_TRY(tg_make_identity(g, a->cols, &order));
  TG_TRY(tg_make_comm(g, a->rows, b->cols, &middle));
  TG_TRY(tg_make_kron(g, order, middle, &order));
  TG_TRY(tg_make_identity(g, b->rows, &end));
  TG_TRY(tg_make_kron(g, order, end, &order));
  TG_TRY(tg_make_vec(g, info->args[0], &middle));
  TG_TRY(tg_make_prod(g, 3, (const tg_node[]){row, order, middle}, out));
  return tg_make_unvec(g, *out, info->rows, info->cols, out);
}
