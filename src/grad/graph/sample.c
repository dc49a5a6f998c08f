// The value of a node on small matrices, in plain loops: an oracle for claims and tests.
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/calculus.h"
#include "grad/graph/entry.h"
#include "grad/graph/op.h"

enum { SAMPLE_ENTRIES_MAX = 1000000 };

// A number for a size; -1 when one of its names has none, or it is no size.
static int64_t size_value(const tg_graph *g, const tg_sampling *how, tg_dim dim)
{
  const tg_size_form *form = tg_dim_form(g, dim);
  int64_t numbers[TG_SIZE_TERMS_MAX * TG_SIZE_FACTORS_MAX];
  tg_size_form numbered = *form; // the same with variables that count its own factors
  int32_t n = 0;
  for (int32_t t = 0; t < form->n_terms; t++)
    for (int32_t i = 0; i < form->terms[t].n; i++) {
      const char *name = tg_dim_name(g, form->terms[t].vars[i]);
      int32_t k = 0;
      while (k < how->n_sizes && strcmp(how->sizes[k].name, name) != 0) k++;
      numbers[n] = k < how->n_sizes ? how->sizes[k].number : -1;
      numbered.terms[t].vars[i] = n++;
    }
  return tg_size_form_value(&numbered, numbers);
}

// A small congruential generator: samples need to repeat, not to be random (Knuth's MMIX constants).
static double next_noise(uint64_t *state)
{
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return 2.0 * ((double)(*state >> 11) / 9007199254740992.0) - 1.0;
}

// Some units in the last place, each entry by itself; what a function lost to underflow comes back as something tiny.
static void disturb(tg_value *value, bool may_underflow, uint64_t *state)
{
  for (int64_t i = 0; i < value->rows * value->cols; i++) {
    const bool is_lost = may_underflow && fabs(value->data[i]) < DBL_MIN;
    value->data[i] *= 1.0 + 4.0 * DBL_EPSILON * next_noise(state);
    if (is_lost) value->data[i] += 1e10 * DBL_MIN * next_noise(state);
  }
}

// Never zero but by underflow.
static bool is_exponential(tg_kind kind)
{
  const tg_entry_facts *f = tg_entry(kind);
  return f != NULL && f->sign == TG_SIGN_POSITIVE;
}

// The arguments as the operator reads them: with noise, copies of their own.
static tg_status sample_args(const tg_graph *g, const tg_info *info, const tg_sampling *how, const tg_value *all,
                             tg_value *args)
{
  double exponent = 0.0;
  if (info->kind == TG_PICK) args[0] = (tg_value){.rows = size_value(g, how, info->dims[0])};
  if (info->kind == TG_COMM)
    args[0] = (tg_value){.rows = size_value(g, how, info->dims[0]), .cols = size_value(g, how, info->dims[1])};
  for (int32_t i = 0; i < info->n_args; i++) {
    args[i] = all[info->args[i]];
    if (how->noise == NULL) continue;
    const int64_t count = args[i].rows * args[i].cols;
    args[i].data = NULL;
    TG_TRY(TG_NEW(count, &args[i].data));
    memcpy(args[i].data, all[info->args[i]].data, sizeof(double) * (size_t)count);
    // A number that is an exponent is exact: (-2)^2 stays real.
    if (info->kind != TG_POW || i == 0 || !tg_node_is_number(g, info->args[i], &exponent))
      disturb(&args[i], false, how->noise);
  }
  return TG_OK;
}

static tg_status apply(const tg_graph *g, tg_node node, const tg_sampling *how, const tg_value *all, tg_value *value)
{
  tg_status status = TG_OK;
  tg_value *args = NULL;
  const tg_info *info = tg_node_info(g, node);
  TG_TRY_GOTO(TG_NEW(info->n_args + 1, &args));
  TG_TRY_GOTO(sample_args(g, info, how, all, args));
  TG_TRY_GOTO(tg_op_get(info->kind)->sample(g, node, args, value));
  if (how->noise != NULL && info->n_args > 0) disturb(value, is_exponential(info->kind), how->noise);
done:
  for (int32_t i = 0; args != NULL && how->noise != NULL && i < info->n_args; i++) tg_free(args[i].data);
  tg_free(args);
  return status;
}

static tg_status sample_node(const tg_graph *g, tg_node node, const double *const *values, const tg_sampling *how,
                             tg_value *all)
{
  const tg_info *info = tg_node_info(g, node);
  tg_value *value = &all[node];
  value->rows = size_value(g, how, info->rows);
  value->cols = size_value(g, how, info->cols);
  if (value->rows < 0 || value->cols < 0) TG_FAIL(TG_SHAPE, "a sample needs sizes that are numbers");
  if (value->rows > SAMPLE_ENTRIES_MAX / value->cols)
    TG_FAIL(TG_LIMIT, "a sample matrix would have more than %d entries", SAMPLE_ENTRIES_MAX);
  const int64_t count = value->rows * value->cols;
  TG_TRY(TG_NEW(count, &value->data));
  if (info->kind != TG_SYM) return apply(g, node, how, all, value);
  memcpy(value->data, values[info->symbol], sizeof(double) * (size_t)count);
  return TG_OK;
}

tg_status tg_sample_as(tg_graph *graph, tg_node node, const double *const *values, const tg_sampling *how, double **out)
{
  tg_status status = TG_OK;
  uint8_t *below = NULL;
  tg_value *all = NULL;
  *out = NULL;
  TG_TRY_GOTO(tg_node_find_below(graph, node, &below));
  TG_TRY_GOTO(TG_NEW((int64_t)node + 1, &all));
  for (tg_node at = 1; at <= node; at++)
    if (below[at] != 0) TG_TRY_GOTO(sample_node(graph, at, values, how, all));
  *out = all[node].data;
  all[node].data = NULL;
done:
  for (tg_node at = 1; all != NULL && at <= node; at++) tg_free(all[at].data);
  tg_free(all);
  tg_free(below);
  return status;
}

tg_status tg_sample(tg_graph *graph, tg_node node, const double *const *values, double **out)
{
  return tg_sample_as(graph, node, values, &(tg_sampling){0}, out);
}

int64_t tg_sample_size(const tg_graph *graph, const tg_sampling *how, tg_dim dim)
{
  return size_value(graph, how, dim);
}

// Whether rows and columns of all nodes are positive, and what is picked lies within.
static bool are_possible(const tg_graph *g, tg_node top, const uint8_t *below, const tg_sampling *how)
{
  for (tg_node at = 1; at <= top; at++) {
    if (below[at] == 0) continue;
    const tg_info *info = tg_node_info(g, at);
    const int64_t rows = size_value(g, how, info->rows);
    const int64_t cols = size_value(g, how, info->cols);
    if (rows < 1 || cols < 1) return false;
    if (info->kind != TG_PICK) continue;
    const int64_t first = size_value(g, how, info->dims[0]);
    if (first < 1 || first + rows - 1 > cols) return false;
  }
  return true;
}

tg_status tg_sample_find_sizes(const tg_graph *graph, tg_node top, const uint8_t *below, int32_t n,
                               tg_named_size *sizes)
{
  enum { ATTEMPTS = 400 };
  const tg_sampling how = {.n_sizes = n, .sizes = sizes};
  uint64_t state = 1;
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (are_possible(graph, top, below, &how)) return TG_OK;
    for (int32_t k = n - 1; k > 0; k--) { // another order, drawn
      const int32_t other = (int32_t)((next_noise(&state) + 1.0) / 2.0 * (double)(k + 1));
      const int64_t held = sizes[k].number;
      sizes[k].number = sizes[other].number;
      sizes[other].number = held;
    }
    if (n > 0 && attempt % 8 == 7) sizes[attempt / 8 % n].number += 5;
  }
  TG_FAIL(TG_SHAPE, "no numbers were found for the open sizes; give them in numbers");
}
