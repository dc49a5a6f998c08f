// Expression text of any kind: parse, infer shapes, differentiate, print in every format, read back, lower to a plan,
// recognise what its form offers.
//
// Nothing may crash, hang, leak or end in TG_INTERNAL; what is printed reads back as the same node.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grad/calculus.h"
#include "grad/lower/lower.h"
#include "grad/structure/groups.h"
#include "grad/structure/precondition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const tg_declaration declared[] = {
    {.name = "A", .rows = 2, .cols = 3},
    {.name = "B", .rows = 3, .cols = 2},
    {.name = "C", .rows = 3, .cols = 3},
    {.name = "S", .rows = 3, .cols = 3, .properties = TG_SPD},
    {.name = "D", .rows = 3, .cols = 3, .properties = TG_DIAGONAL},
    {.name = "Q", .rows = 3, .cols = 3, .properties = TG_ORTHOGONAL},
    {.name = "v", .rows = 3, .cols = 1},
    {.name = "s", .rows = 1, .cols = 1},
    {.name = "X", .rows = 3, .cols = 3, .is_free = true},
    {.name = "Y", .rows = 2, .cols = 3, .is_free = true},
    {.name = "x", .rows = 3, .cols = 1, .is_free = true},
    {.name = "t", .rows = 1, .cols = 1, .is_free = true},
};
enum { DECLARED_COUNT = sizeof declared / sizeof declared[0] };

// Symbolic sizes: the same names, everything about them to be found out.
static const tg_declaration guessed[] = {
    {.name = "X", .is_free = true}, {.name = "x", .is_free = true}, {.name = "A", .properties = TG_SYMMETRIC}};

static const tg_compile_options modes[2] = {{.n_declarations = DECLARED_COUNT, .declarations = declared},
                                            {.n_declarations = 3, .declarations = guessed, .infer_undeclared = true}};

// A status that a text may end in; our own mistakes end the run.
static bool is_fine(tg_status status)
{
  if (status == TG_OK) return true;
  if (status == TG_INTERNAL || status == TG_IO || status == TG_MPI || tg_error_get()->message[0] == '\0') {
    fprintf(stderr, "%s: %s (%s:%d)\n", tg_status_label(status), tg_error_get()->message, tg_error_get()->origin.file,
            tg_error_get()->origin.line);
    abort();
  }
  return false;
}

// An error in the text has its place in the text.
static void check_place(tg_status status, size_t length)
{
  const tg_error *error = tg_error_get();
  if (status == TG_OK || status == TG_LIMIT || status == TG_MEMORY) return;
  if (!error->has_span || error->span.begin > error->span.end || error->span.end > length) {
    fprintf(stderr, "no place: %s\n", error->message);
    abort();
  }
}

// Adjoints of kron are printed by their definition, not by a name, and need not read back as the same node.
static bool has_kron_adjoint(const tg_graph *graph, tg_node node, uint8_t *seen)
{
  const tg_info *info = tg_node_info(graph, node);
  if (info->kind == TG_KRONL || info->kind == TG_KRONR) return true;
  if (seen[node] != 0) return false;
  seen[node] = 1;
  for (int32_t i = 0; i < info->n_args; i++)
    if (has_kron_adjoint(graph, info->args[i], seen)) return true;
  return false;
}

enum { PRINTED_BYTES_MAX = 100000 };

// In the language itself a text reads back as the same node. The other formats rename names that are words of theirs
// (np becomes np_): here they need only be read without a fault, and test_notation compares the nodes.
static void read_back(tg_graph *graph, tg_node node, const tg_compile_options *options, const tg_text *text,
                      bool spelled)
{
  tg_node again = TG_NONE;
  const tg_status status = tg_compile(graph, text->data, text->length, options, &again);
  // What was printed may be nested deeper than a text may be; nothing else is an excuse.
  if (status == TG_LIMIT || (status == TG_OK && (again == node || spelled))) return;
  fprintf(stderr, "printed: %s\n%s\n", text->data, status != TG_OK ? tg_error_get()->message : "another node");
  abort();
}

static void print_and_read_back(tg_graph *graph, tg_node node, const tg_compile_options *options)
{
  tg_text text;
  tg_text_init(&text);
  uint8_t *seen = calloc(tg_graph_node_count(graph), 1);
  const bool spelled = seen == NULL || has_kron_adjoint(graph, node, seen);
  free(seen);
  for (int format = TG_FORMAT_EXPR; format <= TG_FORMAT_OCTAVE; format++) {
    const bool is_printed =
        is_fine(tg_print(graph, node, (tg_format)format, &text)) && text.length <= PRINTED_BYTES_MAX;
    tg_node again = TG_NONE;
    if (is_printed && format == TG_FORMAT_EXPR)
      read_back(graph, node, options, &text, spelled);
    else if (is_printed && tg_compile(graph, text.data, text.length, options, &again) != TG_OK)
      tg_error_clear();
    tg_text_clear(&text);
  }
  tg_text_fini(&text);
}

// The planner tries several variants of every sum: quadratic in the terms, and X^100 has 100 of them in its gradient
// and 10,000 in its Hessian action. What is small enough is planned; how long the rest takes is a benchmark's question.
enum { PLANNED_NODES_MAX = 400 };

static void lower(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt)
{
  const tg_lower_options options = {.want_hessian = true};
  if (tg_graph_node_count(graph) > PLANNED_NODES_MAX) return;
  tg_plan *plan = NULL;
  is_fine(tg_lower(graph, f, n, wrt, &options, &plan));
  tg_plan_destroy(&plan);
}

// What the symbols reveal: everything that looks at an objective's form.
static void recognise(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt)
{
  tg_structure structure;
  tg_closed_form form;
  tg_node model = TG_NONE;
  int64_t count = 0;
  bool by_rows[4] = {false};
  if (tg_graph_node_count(graph) > PLANNED_NODES_MAX) return;
  is_fine(tg_find_groups(graph, f, n, wrt, &count, by_rows));
  is_fine(tg_closed_form_find(graph, f, n, wrt, &form));
  is_fine(tg_closed_form_find_orthonormal(graph, f, wrt[0], &form));
  for (int32_t k = 0; k < n; k++) is_fine(tg_structure_find(graph, f, wrt[k], &structure));
  if (!is_fine(tg_precondition_model(graph, f, n, wrt, &model)) || model == TG_NONE) return;
  tg_closed_group terms[4];
  tg_node diagonal = TG_NONE;
  int32_t n_terms = 0;
  is_fine(tg_precondition_terms(graph, model, wrt[0], 4, &n_terms, terms));
  is_fine(tg_precondition_diagonal(graph, model, wrt[0], &diagonal));
}

static void differentiate(tg_graph *graph, tg_node f, const tg_compile_options *options, bool plan)
{
  tg_node results[4] = {TG_NONE, TG_NONE, TG_NONE, TG_NONE};
  tg_node along[4];
  int32_t wrt[4];
  int32_t n = 0;
  for (int32_t s = 0; s < tg_symbol_count(graph) && n < 4; s++)
    if (tg_symbol_info(graph, s)->free) wrt[n++] = s;
  if (n == 0) return;
  if (!tg_node_is_scalar(graph, f)) {
    if (is_fine(tg_jacobian(graph, f, wrt[0], &results[0]))) print_and_read_back(graph, results[0], options);
    return;
  }
  if (!is_fine(tg_gradient(graph, f, n, wrt, results))) return;
  for (int32_t k = 0; k < n; k++) {
    print_and_read_back(graph, results[k], options);
    if (is_fine(tg_factor_common(graph, results[k], &along[k]))) print_and_read_back(graph, along[k], options);
  }
  // Along the symbols themselves: no further names are needed.
  for (int32_t k = 0; k < n; k++) is_fine(tg_make_sym(graph, wrt[k], &along[k]));
  if (is_fine(tg_forward(graph, results[0], n, wrt, along, &results[3])))
    print_and_read_back(graph, results[3], options);
  if (plan) lower(graph, f, n, wrt);
  if (plan) recognise(graph, f, n, wrt);
}

// The first byte chooses: odd, names and sizes are guessed; even, they are declared; 2 modulo 4, a plan is made too.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  tg_graph *graph = NULL;
  tg_node node = TG_NONE;
  if (size == 0) return 0;
  const tg_compile_options *options = &modes[data[0] % 2];
  const char *text = (const char *)data + 1;
  if (tg_graph_create(&graph) != TG_OK) return 0;
  const tg_status status = tg_compile(graph, text, size - 1, options, &node);
  check_place(status, size - 1);
  if (is_fine(status)) {
    print_and_read_back(graph, node, options);
    differentiate(graph, node, options, data[0] % 4 == 2);
  }
  tg_graph_destroy(&graph);
  return 0;
}
