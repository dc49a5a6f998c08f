// Open sizes: an objective is compiled twice, with two sets of numbers for them, and what differs is said by their
// names.
//
// A plan knows numbers only. The nominal sizes are distinct primes, so that a size of a buffer, or a coefficient as
// that of a mean, is recognised as a product of powers of sizes: v = c m^a n^b with the same c in both plans.
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "derive/export/export_parts.h"
#include "grad/lower/lower.h"

// In the same order in both sets, so that chains are multiplied in the same order.
static const int64_t primes[2][TG_EXPORT_SIZES_MAX] = {
    {101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179},
    {211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271, 277, 281, 283, 293}};

// Where that does not give one plan, sizes far apart, so that no two ways cost nearly the same, in nearly the same
// proportions; the last size gets the first of them, so that a matrix with orthonormal columns, which has its rows
// named first, is tall. The offsets are irregular, so that no sum of sizes is another size in both sets.
static const int64_t spread[2][TG_EXPORT_SIZES_MAX] = {
    {101, 149, 223, 331, 499, 743, 1103, 1663, 2503, 3733, 5591, 8389, 12583, 18869, 28307, 42461},
    {113, 166, 251, 369, 560, 830, 1237, 1861, 2806, 4178, 6265, 9391, 14099, 21127, 31707, 47553}};

// ---- which sizes are open ----

static tg_export_size *find_size(tg_export *e, const char *name)
{
  for (int32_t k = 0; k < e->n_sizes; k++)
    if (strcmp(e->sizes[k].own, name) == 0) return &e->sizes[k];
  return NULL;
}

// The variables of a size; one that is a name alone is read off the argument that has it.
static tg_status add_sizes(tg_export *e, tg_dim dim, int32_t argument, bool of_columns)
{
  const tg_size_form *form = tg_dim_form(e->d->graph, dim);
  const bool is_alone = form->n_terms == 1 && form->terms[0].n == 1 && form->terms[0].coef == 1;
  for (int32_t t = 0; t < form->n_terms; t++)
    for (int32_t i = 0; i < form->terms[t].n; i++) {
      const char *name = tg_dim_name(e->d->graph, form->terms[t].vars[i]);
      tg_export_size *size = find_size(e, name);
      if (size == NULL) {
        if (e->n_sizes == TG_EXPORT_SIZES_MAX)
          TG_FAIL(TG_LIMIT, "more than %d sizes are open; give some with the option dims", TG_EXPORT_SIZES_MAX);
        size = &e->sizes[e->n_sizes];
        *size = (tg_export_size){.own = name, .argument = -1};
        for (int set = 0; set < 2; set++) size->nominal[set] = primes[set][e->n_sizes];
        e->n_sizes++;
      }
      if (size->argument >= 0 || !is_alone) continue;
      size->argument = argument;
      size->of_columns = of_columns;
    }
  return TG_OK;
}

// p of an argument with n+p rows, where n is known: *less is n.
static tg_status solve_size(tg_export *e, tg_export_size *size, tg_dim dim, int32_t argument, bool of_columns)
{
  tg_graph *g = e->d->graph;
  const tg_size_form form = *tg_dim_form(g, dim);
  tg_dim own = 0;
  TG_TRY(tg_dim_named(g, size->own, &own));
  const int32_t variable = tg_dim_form(g, own)->terms[0].vars[0];
  int32_t at = -1;
  for (int32_t t = 0; t < form.n_terms; t++) {
    const tg_size_term *term = &form.terms[t];
    if (term->n == 1 && term->coef == 1 && term->vars[0] == variable) at = t;
    for (int32_t i = 0; i < term->n; i++)
      if (term->vars[i] != variable && find_size(e, tg_dim_name(g, term->vars[i]))->argument < 0) return TG_OK;
  }
  if (at < 0) return TG_OK;
  TG_TRY(tg_dim_sum(g, dim, -1, own, &size->less));
  if (tg_size_form_contains(tg_dim_form(g, size->less), variable)) return TG_OK;
  size->argument = argument;
  size->of_columns = of_columns;
  size->is_rest = true;
  return TG_OK;
}

// Sizes that stand in sums only; each behind those that it is made of.
static tg_status solve_sizes(tg_export *e)
{
  int32_t n_known = 0;
  for (int32_t k = 0; k < e->n_sizes; k++) {
    if (e->sizes[k].argument < 0) continue;
    const tg_export_size held = e->sizes[n_known];
    e->sizes[n_known++] = e->sizes[k];
    e->sizes[k] = held;
  }
  for (int32_t k = n_known; k < e->n_sizes; k++)
    for (int32_t other = k; other < e->n_sizes && e->sizes[k].argument < 0; other++) {
      tg_export_size *size = &e->sizes[other];
      for (int32_t a = 0; a < e->n_arguments && size->argument < 0; a++) {
        const tg_symbol *symbol = tg_symbol_info(e->d->graph, e->arguments[a].symbol);
        TG_TRY(solve_size(e, size, symbol->rows, a, false));
        if (size->argument < 0) TG_TRY(solve_size(e, size, symbol->cols, a, true));
      }
      const tg_export_size held = *size;
      if (size->argument < 0) continue;
      *size = e->sizes[k];
      e->sizes[k] = held;
    }
  return TG_OK;
}

// A sum of sizes that numbers may be made of.
static tg_status add_sum(tg_export *e, tg_dim dim)
{
  tg_size_form form = *tg_dim_form(e->d->graph, dim);
  tg_size_form_reduce(&form);
  bool is_known = form.n_terms < 2 || e->n_sums == TG_EXPORT_SIZES_MAX;
  for (int32_t k = 0; k < e->n_sums; k++) is_known = is_known || tg_size_form_is_equal(&e->sums[k].form, &form);
  if (!is_known) e->sums[e->n_sums++].form = form;
  return TG_OK;
}

// What the nodes of the objective have besides the sizes of the arguments: the size of a range of indices, its offset.
static tg_status find_other_sizes(tg_export *e, const uint8_t *below)
{
  for (tg_node at = 1; at <= e->d->f; at++) {
    if (below[at] == 0) continue;
    const tg_info info = *tg_node_info(e->d->graph, at);
    tg_dim offset = info.rows;
    if (info.kind == TG_PICK) TG_TRY(tg_dim_offset(e->d->graph, info.dims[0], -1, &offset));
    const tg_dim dims[3] = {info.rows, info.cols, offset};
    for (int k = 0; k < 3; k++) {
      TG_TRY(add_sizes(e, dims[k], -1, false));
      TG_TRY(add_sum(e, dims[k]));
    }
    // det(s*A) is s^n det(A): n - 1 and n - 2 are exponents of its derivatives.
    for (int less = 1; info.kind == TG_DET && less <= 2; less++) {
      TG_TRY(tg_dim_offset(e->d->graph, tg_node_info(e->d->graph, info.args[0])->rows, -less, &offset));
      TG_TRY(add_sum(e, offset));
    }
  }
  return TG_OK;
}

// Numbers by which both plans are made, such that every difference of sizes is positive.
static tg_status choose_nominal(tg_export *e, const uint8_t *below)
{
  for (int set = 0; set < 2; set++) {
    tg_named_size sizes[TG_EXPORT_SIZES_MAX];
    for (int32_t k = 0; k < e->n_sizes; k++)
      sizes[k] = (tg_named_size){.name = e->sizes[k].own, .number = e->sizes[k].nominal[set]};
    TG_TRY(tg_sample_find_sizes(e->d->graph, e->d->f, below, e->n_sizes, sizes));
    for (int32_t k = 0; k < e->n_sizes; k++) e->sizes[k].nominal[set] = sizes[k].number;
  }
  return TG_OK;
}

static int64_t nominal_form(tg_export *e, int set, const tg_size_form *form)
{
  tg_size_form numbered = *form;
  int64_t numbers[TG_EXPORT_SIZES_MAX];
  for (int32_t k = 0; k < e->n_sizes; k++) numbers[k] = e->sizes[k].nominal[set];
  for (int32_t t = 0; t < form->n_terms; t++)
    for (int32_t i = 0; i < form->terms[t].n; i++)
      numbered.terms[t].vars[i] = (int32_t)(find_size(e, tg_dim_name(e->d->graph, form->terms[t].vars[i])) - e->sizes);
  return tg_size_form_value(&numbered, numbers);
}

static void add_nominal_sums(tg_export *e)
{
  for (int32_t k = 0; k < e->n_sums; k++)
    for (int set = 0; set < 2; set++) e->sums[k].nominal[set] = nominal_form(e, set, &e->sums[k].form);
}

static tg_status find_sizes(tg_export *e)
{
  tg_status status = TG_OK;
  uint8_t *below = NULL;
  for (int32_t k = 0; k < e->n_arguments; k++) {
    const tg_symbol *symbol = tg_symbol_info(e->d->graph, e->arguments[k].symbol);
    TG_TRY(add_sizes(e, symbol->rows, k, false));
    TG_TRY(add_sizes(e, symbol->cols, k, true));
  }
  TG_TRY(tg_node_find_below(e->d->graph, e->d->f, &below));
  TG_TRY_GOTO(find_other_sizes(e, below));
  TG_TRY_GOTO(solve_sizes(e));
  TG_TRY_GOTO(choose_nominal(e, below));
  add_nominal_sums(e);
done:
  tg_free(below);
  TG_TRY(status);
  for (int32_t k = 0; k < e->n_sizes; k++)
    if (e->sizes[k].argument < 0)
      TG_FAIL(TG_UNSUPPORTED, "no argument has the size %s; write its number in the expression", e->sizes[k].own);
  return TG_OK;
}

static int64_t nominal_size(tg_export *e, int set, tg_dim dim)
{
  return nominal_form(e, set, tg_dim_form(e->d->graph, dim));
}

// ---- the two plans ----

// Everything that was declared, with numbers for the sizes.
static tg_status declare(tg_export *e, int set, tg_derivation *to)
{
  const tg_derivation *d = e->d;
  to->n_parts = d->n_parts;
  memcpy(to->parts, d->parts, sizeof d->parts);
  memcpy(to->part_names, d->part_names, sizeof d->part_names);
  for (int32_t k = 0; k < e->n_arguments; k++) {
    const tg_symbol *symbol = tg_symbol_info(d->graph, e->arguments[k].symbol);
    tg_declaration *declared = tg_declarations_get(&to->declarations, symbol->name);
    if (declared == NULL) TG_FAIL(TG_LIMIT, "more than %d names are declared", TG_DERIVE_NAMES_MAX);
    declared->rows = nominal_size(e, set, symbol->rows);
    declared->cols = nominal_size(e, set, symbol->cols);
    declared->properties = symbol->properties;
    declared->is_free = symbol->free;
  }
  for (int32_t k = 0; k < d->n_targets; k++)
    to->targets[k] = (tg_target){.name = d->targets[k].name, .transposed = d->targets[k].transposed};
  to->n_targets = d->n_targets;
  to->has_wrt = true;
  return TG_OK;
}

static tg_status lower(tg_derivation *d, bool wants_hessian, tg_plan **out)
{
  // A function has no setup and no state: everything is made of its arguments each time.
  tg_lower_options options = {.want_hessian = wants_hessian};
  int32_t symbols[TG_TARGETS_MAX];
  options.without[TG_PASS_HOISTING] = options.without[TG_PASS_IMAGES] = options.without[TG_PASS_REUSE] = true;
  for (int32_t k = 0; k < d->n_targets; k++) symbols[k] = d->targets[k].symbol;
  return tg_lower(d->graph, d->f, d->n_targets, symbols, &options, out);
}

static tg_status plan_with(tg_export *e, int set)
{
  TG_TRY(tg_derivation_create(&e->d->words, NULL, &e->nominal[set]));
  tg_derivation *d = e->nominal[set];
  TG_TRY(declare(e, set, d));
  TG_TRY(tg_derivation_read(d, e->d->expression));
  TG_TRY(tg_errors_raise(&d->errors));
  return lower(d, e->d->wants_hessian, &e->plans[set]);
}

static bool is_same_code(const tg_instr *a, const tg_instr *b)
{
  if (a->n_code != b->n_code) return false;
  for (int32_t k = 0; k < a->n_code; k++)
    if (a->code[k].op != b->code[k].op || a->code[k].operand != b->code[k].operand) return false;
  return true;
}

static bool is_same_instr(const tg_instr *a, const tg_instr *b)
{
  if (a->op != b->op || a->out != b->out || a->factor != b->factor || a->n_in != b->n_in) return false;
  if (a->alpha.reg != b->alpha.reg || a->beta != b->beta || a->right != b->right) return false;
  if (a->trans[0] != b->trans[0] || a->trans[1] != b->trans[1] || !is_same_code(a, b)) return false;
  for (int32_t k = 0; k < a->n_in; k++)
    if (a->in[k] != b->in[k] || (a->op == TG_OP_LINCOMB && a->coefs[k].reg != b->coefs[k].reg)) return false;
  return true;
}

static bool is_same_plan(const tg_plan *a, const tg_plan *b)
{
  if (a->n_buffers != b->n_buffers || a->n_registers != b->n_registers || a->n_inits != b->n_inits) return false;
  if (a->n_factors != b->n_factors || a->value_register != b->value_register) return false;
  for (int32_t k = 0; k < a->n_inits; k++)
    if (a->inits[k].reg != b->inits[k].reg) return false;
  for (int p = 0; p < TG_PROGRAM_COUNT; p++) {
    if (a->programs[p].n_instrs != b->programs[p].n_instrs) return false;
    for (int32_t k = 0; k < a->programs[p].n_instrs; k++)
      if (!is_same_instr(&a->programs[p].instrs[k], &b->programs[p].instrs[k])) return false;
  }
  return true;
}

static void forget_plans(tg_export *e)
{
  for (int set = 0; set < 2; set++) {
    tg_plan_destroy(&e->plans[set]);
    tg_derivation_destroy(&e->nominal[set]);
  }
}

static tg_status plan_spread(tg_export *e)
{
  uint8_t *below = NULL;
  forget_plans(e);
  for (int32_t k = 0; k < e->n_sizes; k++)
    for (int set = 0; set < 2; set++) e->sizes[k].nominal[set] = spread[set][e->n_sizes - 1 - k];
  TG_TRY(tg_node_find_below(e->d->graph, e->d->f, &below));
  tg_status status = choose_nominal(e, below);
  tg_free(below);
  if (status == TG_OK) add_nominal_sums(e);
  for (int set = 0; set < 2 && status == TG_OK; set++) status = plan_with(e, set);
  return status;
}

static bool has_orthogonal(const tg_export *e)
{
  bool found = false;
  for (int32_t k = 0; k < e->n_arguments; k++) found = found || (e->arguments[k].properties & TG_ORTHOGONAL) != 0;
  return found;
}

tg_status tg_export_plan(tg_export *e)
{
  TG_TRY(find_sizes(e));
  const bool is_spread = e->n_sizes > 0 && has_orthogonal(e);
  if (!is_spread) TG_TRY(plan_with(e, 0));
  if (e->n_sizes == 0) {
    e->plans[1] = e->plans[0];
    return TG_OK;
  }
  if (!is_spread) TG_TRY(plan_with(e, 1));
  if (is_spread || !is_same_plan(e->plans[0], e->plans[1])) TG_TRY(plan_spread(e));
  if (!is_same_plan(e->plans[0], e->plans[1]))
    TG_FAIL(TG_UNSUPPORTED, "which products are cheapest depends on the sizes; give them with the option dims");
  return TG_OK;
}

void tg_export_unplan(tg_export *e)
{
  if (e->plans[1] != e->plans[0]) tg_plan_destroy(&e->plans[1]);
  tg_plan_destroy(&e->plans[0]);
  for (int set = 0; set < 2; set++) tg_derivation_destroy(&e->nominal[set]);
}

// ---- numbers that depend on sizes ----

typedef struct monomial {
  double coef;
  int n;
  int size[3];
  double power[3];
} monomial;

static bool is_close(double a, double b)
{
  return fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b));
}

// A size by itself, or a sum of sizes: what numbers are sought as products of.
static double nominal_base(const tg_export *e, int k, int set)
{
  return (double)(k < e->n_sizes ? e->sizes[k].nominal[set] : e->sums[k - e->n_sizes].nominal[set]);
}

// Whether c is the same where the powers of sizes in `m` are taken out of both numbers.
static bool fits(const tg_export *e, double first, double second, monomial *m)
{
  double c[2] = {first, second};
  for (int k = 0; k < m->n; k++)
    for (int set = 0; set < 2; set++) c[set] /= pow(nominal_base(e, m->size[k], set), m->power[k]);
  m->coef = c[0];
  return is_close(c[0], c[1]);
}

static bool search(const tg_export *e, double first, double second, monomial *m, int depth)
{
  static const double powers[] = {1, -1, 2, -2, 0.5, -0.5, 3, -3, 1.5, -1.5};
  const int from = m->n > 0 ? m->size[m->n - 1] + 1 : 0;
  if (depth == 0) return fits(e, first, second, m);
  for (int s = from; s < e->n_sizes + e->n_sums; s++)
    for (size_t k = 0; k < sizeof powers / sizeof powers[0]; k++) {
      m->size[m->n] = s;
      m->power[m->n++] = powers[k];
      if (search(e, first, second, m, depth - 1)) return true;
      m->n--;
    }
  return false;
}

// Fewest sizes first.
static bool find_monomial(const tg_export *e, double first, double second, monomial *m)
{
  for (int depth = 1; depth <= 3; depth++) {
    m->n = 0;
    if (search(e, first, second, m, depth)) return true;
  }
  return false;
}

static void add_number(const tg_export *e, double value, bool is_size, tg_text *out)
{
  tg_text text;
  tg_text_init(&text);
  tg_text_add_number(&text, value);
  const char *string = tg_text_string(&text);
  const char *exponent = strchr(string, 'e');
  const size_t length = exponent != NULL ? (size_t)(exponent - string) : strlen(string);
  tg_text_add_bytes(out, string, length);
  if (!is_size && e->language->wants_point && memchr(string, '.', length) == NULL) tg_text_add(out, ".0");
  const bool marks = strcmp(e->language->power_of_ten, "e") != 0;
  if (exponent != NULL || (marks && !is_size))
    tg_text_addf(out, "%s%s", e->language->power_of_ten, exponent != NULL ? exponent + 1 : "0");
  if (tg_text_status(&text) != TG_OK) out->status = tg_text_status(&text);
  tg_text_fini(&text);
}

// The sizes with powers of this sign, as a product.
static int add_powers(const tg_export *e, const monomial *m, double sign, bool is_size, bool begun, tg_text *out)
{
  int n = 0;
  for (int k = 0; k < m->n; k++) {
    const bool is_sum = m->size[k] >= e->n_sizes;
    const char *name = is_sum ? e->sums[m->size[k] - e->n_sizes].name : e->sizes[m->size[k]].name;
    double left = sign * m->power[k];
    for (; left > 0; n++) {
      if (begun || n > 0) tg_text_add(out, "*");
      const bool is_python = e->language->module != NULL;
      if (left == 0.5) tg_text_add(out, is_python ? "(" : "sqrt(");
      tg_export_put(is_size ? "@" : e->language->real, name, out);
      if (left == 0.5) tg_text_add(out, is_python ? ")**0.5" : ")");
      left -= 1;
    }
  }
  return n;
}

static bool has_positive_power(const monomial *m)
{
  for (int k = 0; k < m->n; k++)
    if (m->power[k] > 0) return true;
  return false;
}

tg_status tg_export_number(const tg_export *e, double first, double second, bool is_size, tg_text *out)
{
  monomial m = {0};
  if (first == second) {
    add_number(e, first, is_size, out);
    return TG_OK;
  }
  if (!find_monomial(e, first, second, &m))
    TG_FAIL(TG_UNSUPPORTED, "the number %g depends on sizes that are open; give them with the option dims", first);
  // Rounded by the powers that were taken out: a whole number is meant.
  if (is_close(m.coef, nearbyint(m.coef))) m.coef = nearbyint(m.coef);
  if (is_close(1 / m.coef, nearbyint(1 / m.coef))) m.coef = 1 / nearbyint(1 / m.coef);
  tg_text below;
  tg_text_init(&below);
  const int divisors = add_powers(e, &m, -1, is_size, false, &below);
  const bool has_coef = m.coef != 1.0 || !has_positive_power(&m);
  const bool is_bare = m.n == 1 && m.power[0] == 1 && !has_coef;
  tg_text_add(out, is_bare ? "" : "(");
  if (has_coef) add_number(e, m.coef, is_size, out);
  add_powers(e, &m, 1, is_size, has_coef, out);
  if (divisors > 0) tg_text_addf(out, divisors > 1 ? "/(%s)" : "/%s", tg_text_string(&below));
  tg_text_add(out, is_bare ? "" : ")");
  const tg_status status = tg_text_status(&below);
  tg_text_fini(&below);
  return status;
}

static const char *name_of(const void *context, int32_t variable)
{
  const tg_export *e = context;
  for (int32_t s = 0; s < e->n_sizes; s++)
    if (strcmp(e->sizes[s].own, tg_dim_name(e->d->graph, variable)) == 0) return e->sizes[s].name;
  return "?";
}

tg_status tg_export_dim(const tg_export *e, tg_dim dim, tg_text *out)
{
  tg_size_form_print(tg_dim_form(e->d->graph, dim), name_of, e, out);
  return tg_text_status(out);
}

tg_status tg_export_name_sums(tg_export *e)
{
  tg_status status = TG_OK;
  tg_text text;
  tg_text_init(&text);
  for (int32_t k = 0; status == TG_OK && k < e->n_sums; k++) {
    tg_text_clear(&text);
    tg_text_add(&text, "(");
    tg_size_form_print(&e->sums[k].form, name_of, e, &text);
    tg_text_add(&text, ")");
    status = tg_text_status(&text);
    if (status == TG_OK) status = tg_arena_string(&e->arena, text.data, text.length, &e->sums[k].name);
  }
  tg_text_fini(&text);
  return status;
}

tg_status tg_export_rest(const tg_export *e, const tg_export_size *size, tg_text *out)
{
  if (!size->is_rest) return TG_OK;
  const bool is_sum = tg_dim_form(e->d->graph, size->less)->n_terms > 1;
  tg_text_add(out, is_sum ? " - (" : " - ");
  TG_TRY(tg_export_dim(e, size->less, out));
  tg_text_add(out, is_sum ? ")" : "");
  return tg_text_status(out);
}

tg_status tg_export_buffer_size(const tg_export *e, int32_t buffer, bool columns, tg_text *out)
{
  const tg_plan_buffer *first = &e->plans[0]->buffers[buffer];
  const tg_plan_buffer *second = &e->plans[1]->buffers[buffer];
  return tg_export_number(e, (double)(columns ? first->cols : first->rows),
                          (double)(columns ? second->cols : second->rows), true, out);
}
