// Conditions of single nodes, each once.
#include "grad/structure/real_domain.h"

#include <math.h>

#include "base/memory.h"
#include "grad/calculus.h"
#include "grad/graph/entry.h"
#include "grad/structure/curvature.h"
#include "grad/structure/nonnegative.h"

enum { CONDITION_BYTES = 60 }; // of a longer argument the beginning is shown

typedef struct finder {
  tg_graph *g;
  int32_t n;
  const int32_t *wrt;
  tg_condition *out;
  int32_t count;
} finder;

static bool moves(const finder *self, tg_node node)
{
  for (int32_t k = 0; k < self->n; k++)
    if (tg_node_depends_on(self->g, node, self->wrt[k])) return true;
  return false;
}

// Declared of a symbol, or of its transpose: for what is differentiated by as well, whose values they are.
static bool is_declared(const tg_graph *g, tg_node node, unsigned property)
{
  const tg_info *info = tg_node_info(g, node);
  if (info->kind == TG_TRANS) info = tg_node_info(g, info->args[0]);
  return info->kind == TG_SYM && (tg_symbol_info(g, info->symbol)->properties & property) != 0;
}

// Z'*Z, as a chain that is its own mirror image.
static tg_status is_gram(tg_graph *g, tg_node node, bool *out)
{
  const tg_info *info = tg_node_info(g, node);
  *out = info->kind == TG_PROD && info->n_scalars == 0 && info->n_args % 2 == 0;
  for (int32_t i = 0; *out && i < info->n_args / 2; i++) {
    tg_node turned = TG_NONE;
    TG_TRY(tg_make_trans(g, info->args[info->n_args - 1 - i], &turned));
    *out = turned == info->args[i];
  }
  return TG_OK;
}

static tg_status is_proved(const finder *self, const tg_condition *c, bool *out)
{
  tg_graph *g = self->g;
  *out = false;
  switch (c->kind) {
  case TG_CONDITION_INTERVAL:
    if (c->high < HUGE_VAL) return TG_OK;
    *out = c->low <= 0 && (tg_node_is_positive(g, c->node) || is_declared(g, c->node, TG_POSITIVE));
    if (*out || (c->low == 0 && !c->is_closed) || c->low > 0) return TG_OK;
    return tg_nonnegative_find(g, c->node, out);
  case TG_CONDITION_DEFINITE:
    *out = tg_node_is_spd(g, c->node) || is_declared(g, c->node, TG_SPD);
    return TG_OK;
  default:
    *out = tg_node_is_spd(g, c->node) || is_declared(g, c->node, TG_SPD | TG_PSD);
    return *out ? TG_OK : is_gram(g, c->node, out);
  }
}

// X and X' ask the same.
static tg_status add(finder *self, tg_condition c)
{
  bool proved = false;
  TG_TRY(is_proved(self, &c, &proved));
  if (proved) return TG_OK;
  for (int32_t k = 0; k < self->count && k < TG_CONDITIONS_MAX; k++) {
    tg_condition *other = &self->out[k];
    const bool same = tg_node_info(self->g, other->node)->mirror == tg_node_info(self->g, c.node)->mirror;
    if (!same || other->kind != c.kind || other->low != c.low || other->high != c.high) continue;
    other->is_closed = other->is_closed && c.is_closed; // the stronger one stays
    if (c.exponent == TG_NONE) other->exponent = TG_NONE;
    return TG_OK;
  }
  if (self->count < TG_CONDITIONS_MAX) self->out[self->count] = c;
  self->count++;
  return TG_OK;
}

// x^p with a fractional p needs x >= 0, x^k with an open one x > 0 or a whole k, of which there is no derivative by k.
// The derivative of a root does not exist at 0: that is a kink, as of a norm, where x is never negative, else x > 0.
static tg_status read_power(finder *self, const tg_info *info)
{
  const tg_node base = info->args[0];
  tg_condition c = {TG_CONDITION_INTERVAL, base, 0, HUGE_VAL, false, TG_NONE};
  double exponent = 0;
  bool nonnegative = false;
  if (!tg_node_is_number(self->g, info->args[1], &exponent)) {
    if (!moves(self, info->args[1])) c.exponent = info->args[1];
    return add(self, c);
  }
  if (exponent == floor(exponent)) return TG_OK;
  TG_TRY(tg_nonnegative_find(self->g, base, &nonnegative));
  c.is_closed = nonnegative || exponent > 1;
  return exponent < 0 && nonnegative ? TG_OK : add(self, c); // a pole
}

static tg_status read_node(finder *self, const tg_info *info)
{
  const tg_entry_facts *entry = tg_entry(info->kind);
  const tg_node arg = info->n_args > 0 ? info->args[0] : TG_NONE;
  if (entry != NULL) {
    const bool is_everywhere = entry->domain.low == -HUGE_VAL && entry->domain.high == HUGE_VAL;
    if (is_everywhere) return TG_OK;
    return add(self, (tg_condition){TG_CONDITION_INTERVAL, arg, entry->domain.low, entry->domain.high, false, TG_NONE});
  }
  switch (info->kind) {
  case TG_POW:
    return read_power(self, info);
  case TG_LOGDET:
  case TG_LOGM:
  case TG_DLOGM:
  case TG_D2LOGM:
  case TG_DSQRTM:
  case TG_D2SQRTM:
    return add(self, (tg_condition){TG_CONDITION_DEFINITE, arg, 0, 0, false, TG_NONE});
  case TG_SQRTM:
    return add(self, (tg_condition){TG_CONDITION_SEMIDEFINITE, arg, 0, 0, false, TG_NONE});
  default:
    return TG_OK;
  }
}

tg_status tg_real_domain_find(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_condition *out,
                              int32_t *count)
{
  finder self = {.g = graph, .n = n, .wrt = wrt, .out = out};
  uint8_t *below = NULL;
  tg_status status = TG_OK;
  TG_TRY(tg_node_find_below(graph, f, &below));
  for (tg_node at = 1; at <= f && status == TG_OK; at++)
    if (below[at] != 0 && moves(&self, at)) status = read_node(&self, tg_node_info(graph, at));
  tg_free(below);
  *count = self.count;
  return status;
}

// ---- in words ----

static tg_status print_argument(tg_graph *g, tg_node node, tg_format format, tg_text *out)
{
  tg_text text;
  tg_text_init(&text);
  tg_status status = tg_print_start(g, node, format, CONDITION_BYTES, &text);
  if (status == TG_OK) status = tg_text_status(&text);
  const char *string = tg_text_string(&text);
  size_t length = text.length < CONDITION_BYTES ? text.length : CONDITION_BYTES;
  while (length < text.length && length > 0 && ((unsigned char)string[length] & 0xC0u) == 0x80u) length--;
  tg_text_addf(out, "%.*s%s", (int)length, string, length < text.length ? "..." : "");
  tg_text_fini(&text);
  return status;
}

static tg_status print_condition(tg_graph *g, const tg_condition *c, tg_format format, tg_text *out)
{
  const bool is_interval = c->kind == TG_CONDITION_INTERVAL;
  if (is_interval && c->high < HUGE_VAL) {
    tg_text_add_number(out, c->low);
    tg_text_add(out, " < ");
  }
  TG_TRY(print_argument(g, c->node, format, out));
  if (!is_interval) {
    tg_text_addf(out, " is positive %s", c->kind == TG_CONDITION_DEFINITE ? "definite" : "semidefinite");
    return TG_OK;
  }
  tg_text_add(out, c->high < HUGE_VAL ? " < " : c->is_closed ? " >= " : " > ");
  tg_text_add_number(out, c->high < HUGE_VAL ? c->high : c->low);
  if (!tg_node_is_scalar(g, c->node)) tg_text_add(out, " entry by entry");
  if (c->exponent == TG_NONE) return TG_OK;
  tg_text_add(out, ", or ");
  TG_TRY(print_argument(g, c->exponent, format, out));
  tg_text_add(out, tg_node_is_scalar(g, c->exponent) ? " is a whole number" : " holds whole numbers");
  return TG_OK;
}

tg_status tg_real_domain_print(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_format format,
                               tg_text *out)
{
  tg_condition conditions[TG_CONDITIONS_MAX];
  int32_t count = 0;
  TG_TRY(tg_real_domain_find(graph, f, n, wrt, conditions, &count));
  for (int32_t k = 0; k < count && k < TG_CONDITIONS_MAX; k++) {
    tg_text_add(out, k > 0 ? "; " : "");
    TG_TRY(print_condition(graph, &conditions[k], format, out));
  }
  if (count > TG_CONDITIONS_MAX) tg_text_addf(out, "; and %d more conditions", (int)(count - TG_CONDITIONS_MAX));
  return tg_text_status(out);
}
