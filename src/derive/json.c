// derive --format json: the graph, the shapes, the derivatives, the structure and the steps.
#include "derive/print.h"

#include <string.h>

#include "base/json.h"
#include "grad/explain/explain.h"
#include "grad/graph/op.h"
#include "grad/structure/structure.h"

static tg_status set(json_t *object, const char *key, json_t *value)
{
  // jansson takes the reference, also of a NULL that says memory ran out.
  if (json_object_set_new(object, key, value) != 0) TG_FAIL(TG_MEMORY, "cannot allocate the JSON output");
  return TG_OK;
}

static tg_status append(json_t *array, json_t *value)
{
  if (json_array_append_new(array, value) != 0) TG_FAIL(TG_MEMORY, "cannot allocate the JSON output");
  return TG_OK;
}

// A size: a number where it is one, else its name.
static json_t *json_size(const tg_derivation *d, tg_dim dim)
{
  const int64_t value = tg_dim_value(d->graph, dim);
  if (value >= 0) return json_integer(value);
  tg_text text;
  tg_text_init(&text);
  tg_dim_print(d->graph, dim, &text);
  json_t *name = tg_text_status(&text) == TG_OK ? json_string(tg_text_string(&text)) : NULL;
  tg_text_fini(&text);
  return name;
}

static tg_status set_shape(const tg_derivation *d, json_t *object, tg_dim rows, tg_dim cols)
{
  TG_TRY(set(object, "rows", json_size(d, rows)));
  return set(object, "columns", json_size(d, cols));
}

static tg_status set_printed(const tg_derivation *d, json_t *object, const char *key, tg_node node, tg_format format)
{
  tg_text text;
  tg_text_init(&text);
  tg_status status = tg_print(d->graph, node, format, &text);
  if (status == TG_OK) status = set(object, key, json_string(tg_text_string(&text)));
  tg_text_fini(&text);
  return status;
}

static tg_status set_with_parts(const tg_derivation *d, json_t *object, const char *key, tg_node node, size_t bytes,
                                tg_format format)
{
  tg_text text;
  tg_text_init(&text);
  tg_status status = tg_print_with_parts(d->graph, node, format, bytes, &text);
  if (status == TG_OK) status = set(object, key, json_string(tg_text_string(&text)));
  tg_text_fini(&text);
  return status;
}

// The parts that "expr" names, each behind those that use it: {"name", "expr", "rows", "columns", "node"}.
static tg_status add_parts(const tg_derivation *d, json_t *object, const tg_printed *printed)
{
  json_t *array = json_array();
  TG_TRY(set(object, "parts", array));
  for (int32_t k = 0; k < printed->n_parts; k++) {
    const tg_printed_part *part = &printed->parts[k];
    const tg_info *info = tg_node_info(d->graph, part->node);
    json_t *row = json_object();
    TG_TRY(append(array, row));
    TG_TRY(set(row, "name", json_string(part->name)));
    TG_TRY(set(row, "expr", json_string(part->text)));
    TG_TRY(set_shape(d, row, info->rows, info->cols));
    TG_TRY(set(row, "node", json_integer(part->node)));
  }
  return TG_OK;
}

// {"expr", "latex", "rows", "columns", "node"}; with more than so many bytes of text also {"parts"}, where it has any.
static tg_status add_expression(const tg_derivation *d, json_t *parent, const char *key, tg_node node, size_t bytes)
{
  json_t *object = json_object();
  TG_TRY(set(parent, key, object));
  const tg_info *info = tg_node_info(d->graph, node);
  TG_TRY(set_with_parts(d, object, "expr", node, bytes, TG_FORMAT_EXPR));
  TG_TRY(set_with_parts(d, object, "latex", node, bytes, TG_FORMAT_LATEX));
  TG_TRY(set_shape(d, object, info->rows, info->cols));
  TG_TRY(set(object, "node", json_integer(node)));
  tg_printed printed;
  TG_TRY(tg_print_shared(d->graph, node, TG_FORMAT_EXPR, bytes, &printed));
  const tg_status status = printed.n_parts > 0 ? add_parts(d, object, &printed) : TG_OK;
  tg_printed_fini(&printed);
  return status;
}

static tg_status add_symbols(const tg_derivation *d, json_t *root)
{
  static const struct {
    tg_property property;
    const char *name;
  } names[] = {{TG_SYMMETRIC, "symmetric"},   {TG_SPD, "spd"}, {TG_DIAGONAL, "diagonal"},
               {TG_ORTHOGONAL, "orthogonal"}, {TG_PSD, "psd"}, {TG_POSITIVE, "positive"}};
  json_t *array = json_array();
  TG_TRY(set(root, "symbols", array));
  for (int32_t s = 0; s < d->n_symbols; s++) {
    const tg_symbol *symbol = tg_symbol_info(d->graph, s);
    if (!symbol->free && symbol->twin >= 0) continue;
    json_t *object = json_object();
    TG_TRY(append(array, object));
    TG_TRY(set(object, "name", json_string(symbol->name)));
    TG_TRY(set_shape(d, object, symbol->rows, symbol->cols));
    json_t *properties = json_array();
    TG_TRY(set(object, "properties", properties));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
      if ((symbol->properties & (unsigned)names[i].property) != 0)
        TG_TRY(append(properties, json_string(names[i].name)));
  }
  return TG_OK;
}

// The last step of --within.
static tg_status add_projection(const tg_derivation *d, const tg_target *target, json_t *steps)
{
  json_t *row = json_object();
  TG_TRY(append(steps, row));
  TG_TRY(set(row, "term", json_integer(-2)));
  TG_TRY(set_printed(d, row, "text", target->derivative, TG_FORMAT_EXPR));
  return set(row, "rule", json_string(d->within->rule));
}

static tg_status add_steps(const tg_derivation *d, const tg_target *target, json_t *object)
{
  tg_explanation explanation;
  json_t *array = json_array();
  TG_TRY(set(object, "steps", array));
  TG_TRY(tg_explain(d->graph, target->f, target->symbol, TG_FORMAT_EXPR, &explanation));
  tg_status status = TG_OK;
  for (int32_t k = 0; k < explanation.n_steps && status == TG_OK; k++) {
    const tg_step *step = &explanation.steps[k];
    json_t *row = json_object();
    TG_TRY_GOTO(append(array, row));
    TG_TRY_GOTO(set(row, "term", json_integer(step->term)));
    TG_TRY_GOTO(set(row, "text", json_string(step->text)));
    if (step->rule != NULL) TG_TRY_GOTO(set(row, "rule", json_string(step->rule)));
  }
  if (d->within != NULL) TG_TRY_GOTO(add_projection(d, target, array));
done:
  tg_explanation_fini(&explanation);
  return status;
}

static tg_status add_structure(const tg_derivation *d, const tg_target *target, json_t *parent)
{
  static const char *const curvatures[] = {"unknown", "affine", "convex", "concave"};
  tg_structure structure;
  json_t *object = json_object();
  TG_TRY(set(parent, "structure", object));
  TG_TRY(tg_structure_find(d->graph, target->f, target->symbol, &structure));
  TG_TRY(set(object, "degree", structure.degree >= 0 ? json_integer(structure.degree) : json_null()));
  TG_TRY(set(object, "homogeneity", structure.homogeneous ? tg_json_number(structure.homogeneity) : json_null()));
  TG_TRY(set(object, "curvature", json_string(curvatures[structure.curvature])));
  if (!structure.has_operator) return TG_OK;
  json_t *terms = json_array();
  TG_TRY(set(object, "operator", terms));
  TG_TRY(set(object, "self_adjoint", json_boolean(structure.self_adjoint)));
  for (int32_t k = 0; k < structure.n_terms; k++) {
    const tg_operator_term *term = &structure.terms[k];
    json_t *row = json_object();
    TG_TRY(append(terms, row));
    TG_TRY(set(row, "coefficient", tg_json_number(term->coef)));
    TG_TRY(set(row, "transposed", json_boolean(term->transposed)));
    if (term->scalars != TG_NONE) TG_TRY(set_printed(d, row, "scalars", term->scalars, TG_FORMAT_EXPR));
    if (term->left != TG_NONE) TG_TRY(set_printed(d, row, "left", term->left, TG_FORMAT_EXPR));
    if (term->right != TG_NONE) TG_TRY(set_printed(d, row, "right", term->right, TG_FORMAT_EXPR));
  }
  return TG_OK;
}

static const char *derivative_key(const tg_derivation *d)
{
  return d->scalar ? "gradient" : "jacobian";
}

static tg_status add_derivatives(const tg_derivation *d, json_t *root)
{
  json_t *array = json_array();
  TG_TRY(set(root, "derivatives", array));
  for (int32_t k = 0; k < d->n_targets; k++) {
    const tg_target *target = &d->targets[k];
    json_t *object = json_object();
    TG_TRY(append(array, object));
    TG_TRY(set(object, "wrt", json_string(target->name)));
    TG_TRY(set(object, "transposed", json_boolean(target->transposed)));
    TG_TRY(add_expression(d, object, derivative_key(d), target->derivative, TG_LONG_DERIVATIVE));
    if (target->hessian != TG_NONE) {
      TG_TRY(set(object, "direction", json_string(target->direction)));
      TG_TRY(add_expression(d, object, "hessian_action", target->hessian, TG_LONG_HESSIAN));
    }
    if (!d->scalar) continue;
    TG_TRY(add_structure(d, target, object));
    TG_TRY(add_steps(d, target, object));
  }
  return TG_OK;
}

// Every node below the marked ones, in order: arguments before what they are arguments of.
static tg_status add_graph(const tg_derivation *d, json_t *root, const uint8_t *below, tg_node top)
{
  json_t *array = json_array();
  TG_TRY(set(root, "graph", array));
  for (tg_node node = 1; node <= top; node++) {
    if (below[node] == 0) continue;
    const tg_info *info = tg_node_info(d->graph, node);
    json_t *object = json_object();
    TG_TRY(append(array, object));
    TG_TRY(set(object, "node", json_integer(node)));
    TG_TRY(set(object, "operator", json_string(tg_kind_name(info->kind))));
    TG_TRY(set_shape(d, object, info->rows, info->cols));
    if (info->kind == TG_SYM) TG_TRY(set(object, "name", json_string(tg_symbol_info(d->graph, info->symbol)->name)));
    if (info->kind == TG_NUM) TG_TRY(set(object, "value", tg_json_number(info->value)));
    if (info->kind == TG_MPOW) TG_TRY(set(object, "exponent", json_integer(info->exponent)));
    if (info->n_args == 0) continue;
    json_t *args = json_array();
    TG_TRY(set(object, "arguments", args));
    for (int32_t i = 0; i < info->n_args; i++) TG_TRY(append(args, json_integer(info->args[i])));
    if (info->coefs == NULL) continue;
    json_t *coefs = json_array();
    TG_TRY(set(object, "coefficients", coefs));
    for (int32_t i = 0; i < info->n_args; i++) TG_TRY(append(coefs, tg_json_number(info->coefs[i])));
  }
  return TG_OK;
}

static tg_status add_reachable_graph(const tg_derivation *d, json_t *root)
{
  const tg_node top = tg_graph_node_count(d->graph) - 1;
  uint8_t *below = calloc((size_t)top + 1, 1);
  if (below == NULL) TG_FAIL(TG_MEMORY, "cannot allocate the JSON output");
  below[d->f] = 1;
  for (int32_t k = 0; k < d->n_targets; k++) {
    below[d->targets[k].derivative] = 1;
    if (d->targets[k].hessian != TG_NONE) below[d->targets[k].hessian] = 1;
  }
  tg_node_mark_below(d->graph, top, below);
  const tg_status status = add_graph(d, root, below, top);
  free(below);
  return status;
}

static tg_status add_domain(const tg_derivation *d, json_t *root)
{
  tg_text text;
  tg_text_init(&text);
  tg_status status = tg_derivation_print_domain(d, TG_FORMAT_EXPR, &text);
  if (status == TG_OK && text.length > 0) status = set(root, "domain", json_string(tg_text_string(&text)));
  tg_text_fini(&text);
  return status;
}

static tg_status build(tg_derivation *d, json_t *root)
{
  TG_TRY(set(root, "expression", json_string(d->expression)));
  TG_TRY(add_expression(d, root, "value", d->f, TG_LONG_DERIVATIVE));
  TG_TRY(add_symbols(d, root));
  TG_TRY(add_domain(d, root));
  if (d->within != NULL) TG_TRY(set(root, "within", json_string(d->within->name)));
  TG_TRY(add_derivatives(d, root));
  return add_reachable_graph(d, root);
}

static tg_status add_error(const tg_derivation *d, const tg_error *error, json_t *array)
{
  json_t *object = json_object();
  TG_TRY(append(array, object));
  TG_TRY(set(object, "code", json_string(tg_status_label(error->code))));
  TG_TRY(set(object, "message", json_string(error->message)));
  if (!error->has_span || error->source == 0) return TG_OK;
  const tg_source *source = &d->sources[error->source - 1];
  int line = 0;
  int column = 0;
  tg_source_locate(source, error->span.begin, &line, &column);
  TG_TRY(set(object, "source", json_string(source->name)));
  TG_TRY(set(object, "line", json_integer(line)));
  TG_TRY(set(object, "column", json_integer(column)));
  TG_TRY(set(object, "begin", json_integer((json_int_t)error->span.begin)));
  return set(object, "end", json_integer((json_int_t)error->span.end));
}

tg_status tg_derivation_print_json_errors(const tg_derivation *d, tg_text *out)
{
  tg_status status = TG_OK;
  json_t *root = json_object();
  json_t *array = json_array();
  TG_TRY_GOTO(set(root, "errors", array));
  for (int k = 0; k < d->errors.count; k++) TG_TRY_GOTO(add_error(d, &d->errors.items[k], array));
  TG_TRY_GOTO(set(root, "more", json_integer(d->errors.more)));
  status = tg_json_print(root, out);
done:
  json_decref(root);
  return status;
}

tg_status tg_derivation_print_json(tg_derivation *d, tg_text *out)
{
  json_t *root = json_object();
  tg_status status = build(d, root);
  if (status == TG_OK) status = tg_json_print(root, out);
  json_decref(root);
  return status;
}

static tg_status build_part(tg_derivation *d, tg_derive_part part, int32_t k, json_t *root, const char **key)
{
  switch (part) {
  case TG_PART_STEPS:
    *key = "steps";
    return add_steps(d, &d->targets[k], root);
  case TG_PART_STRUCTURE:
    *key = "structure";
    return add_structure(d, &d->targets[k], root);
  default:
    *key = part == TG_PART_EXPRESSION ? "value" : part == TG_PART_HESSIAN ? "hessian_action" : derivative_key(d);
    return add_expression(d, root, *key, tg_derivation_node(d, part, k),
                          part == TG_PART_HESSIAN ? TG_LONG_HESSIAN : TG_LONG_DERIVATIVE);
  }
}

tg_status tg_derivation_print_json_part(tg_derivation *d, tg_derive_part part, int32_t k, tg_text *out)
{
  const char *key = NULL;
  json_t *root = json_object();
  tg_status status = build_part(d, part, k, root, &key);
  if (status == TG_OK) status = tg_json_print(json_object_get(root, key), out);
  json_decref(root);
  return status;
}
