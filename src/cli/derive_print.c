// The result of derive in each format.
#include <string.h>

#include "cli/derive.h"
#include "cli/json.h"

static void add_shape(const derivation *d, tg_dim rows, tg_dim cols, tg_text *out)
{
  if (tg_dim_is_one(d->graph, rows) && tg_dim_is_one(d->graph, cols)) {
    tg_text_add(out, "scalar");
    return;
  }
  tg_dim_print(d->graph, rows, out);
  tg_text_add(out, " x ");
  tg_dim_print(d->graph, cols, out);
}

static void add_node_shape(const derivation *d, tg_node node, tg_text *out)
{
  const tg_info *info = tg_node_info(d->graph, node);
  add_shape(d, info->rows, info->cols, out);
}

// ---- formats of one line each ----

static tg_status print_lines(const derivation *d, tg_format format, tg_text *out)
{
  for (int32_t k = 0; k < d->n_targets; k++) {
    const derive_target *target = &d->targets[k];
    TG_TRY(tg_print(d->graph, target->hessian != TG_NONE ? target->hessian : target->derivative, format, out));
    tg_text_add(out, "\n");
  }
  return TG_OK;
}

// ---- human ----

static void add_label(const derivation *d, const derive_target *target, tg_text *out)
{
  const char *mark = target->transposed ? "'" : "";
  if (d->scalar)
    tg_text_addf(out, "df/d%s%s", target->name, mark);
  else
    tg_text_addf(out, "d vec(F)/d vec(%s%s)'", target->name, mark);
}

static tg_status print_names(const derivation *d, tg_text *out)
{
  tg_text_add(out, "where ");
  bool first = true;
  for (int32_t s = 0; s < tg_symbol_count(d->graph); s++) {
    const tg_symbol *symbol = tg_symbol_info(d->graph, s);
    tg_text_addf(out, "%s%s: ", first ? "" : ", ", symbol->name);
    add_shape(d, symbol->rows, symbol->cols, out);
    if ((symbol->properties & TG_SPD) != 0)
      tg_text_add(out, " positive definite");
    else if ((symbol->properties & TG_DIAGONAL) != 0)
      tg_text_add(out, " diagonal");
    else if ((symbol->properties & TG_SYMMETRIC) != 0)
      tg_text_add(out, " symmetric");
    if ((symbol->properties & TG_ORTHOGONAL) != 0) tg_text_add(out, " orthogonal");
    first = false;
  }
  tg_text_add(out, "\n\n");
  return TG_OK;
}

static tg_status print_result(const derivation *d, const derive_target *target, tg_format format, tg_text *out)
{
  tg_text_add(out, "  ");
  add_label(d, target, out);
  tg_text_add(out, " = ");
  TG_TRY(tg_print(d->graph, target->derivative, format, out));
  tg_text_add(out, "    (");
  add_node_shape(d, target->derivative, out);
  tg_text_add(out, ")\n");
  if (target->hessian == TG_NONE) return TG_OK;
  tg_text_addf(out, "  H[%s] = ", target->direction);
  TG_TRY(tg_print(d->graph, target->hessian, format, out));
  tg_text_add(out, "    (");
  add_node_shape(d, target->hessian, out);
  tg_text_add(out, ")\n");
  return TG_OK;
}

static tg_status print_human(derivation *d, tg_text *out)
{
  const tg_format format = d->utf8 ? TG_FORMAT_UNICODE : TG_FORMAT_EXPR;
  tg_text_add(out, d->scalar ? "f = " : "F = ");
  TG_TRY(tg_print(d->graph, d->f, format, out));
  tg_text_add(out, "    (");
  add_node_shape(d, d->f, out);
  tg_text_add(out, ")\n");
  TG_TRY(print_names(d, out));
  for (int32_t k = 0; k < d->n_targets; k++) TG_TRY(print_result(d, &d->targets[k], format, out));
  tg_text_add(out, d->scalar ? "\nThe gradient G satisfies f(X+H) = f(X) + <G,H> + o(|H|), entries of X independent.\n"
                             : "\nThe Jacobian is d vec(F)/d vec(X)', vec column by column.\n");
  return TG_OK;
}

tg_status derive_print(derivation *d, derive_format format, tg_text *out)
{
  switch (format) {
  case DERIVE_EXPR:
    return print_lines(d, TG_FORMAT_EXPR, out);
  case DERIVE_LATEX:
    return print_lines(d, TG_FORMAT_LATEX, out);
  case DERIVE_NUMPY:
    return print_lines(d, TG_FORMAT_NUMPY, out);
  case DERIVE_OCTAVE:
    return print_lines(d, TG_FORMAT_OCTAVE, out);
  default:
    return print_human(d, out);
  }
}
