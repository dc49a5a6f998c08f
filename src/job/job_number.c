// Expressions of numbers, evaluated by the calculus itself.
#include "job/job_number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "grad/calculus.h"
#include "grad/text/ast.h"
#include "job/job_values.h"

// A single word is none, but pi: what is expected there is said instead. Nor is what cannot be read and has no
// operator, or a hexadecimal, which would be a product.
static bool is_expression(const tg_yaml_node *node)
{
  tg_arena scratch;
  tg_ast *ast = NULL;
  if (node->kind != TG_YAML_SCALAR || node->style != TG_YAML_PLAIN || strcmp(node->text, "pi") == 0)
    return node->kind == TG_YAML_SCALAR && node->style == TG_YAML_PLAIN;
  const char *digits = node->text + strspn(node->text, "+-");
  if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) return false;
  tg_arena_init(&scratch);
  bool is_one = tg_parse(&scratch, node->text, node->length, NULL, NULL, &ast) == TG_OK;
  if (is_one) {
    while (ast->kind == TG_AST_NEGATIVE) ast = ast->args[0];
    is_one = ast->kind != TG_AST_NAME || strcmp(ast->name, "pi") == 0;
  } else {
    tg_error_clear();
    is_one = strpbrk(node->text, "*/^(") != NULL;
  }
  tg_arena_fini(&scratch);
  return is_one;
}

// The calculus asks for a declaration, which there is none of.
static tg_status reword(const tg_excerpt *excerpt, tg_status status)
{
  const tg_error *error = tg_error_get();
  if (status != TG_NAME || !error->has_span || strncmp(error->message, "unknown name", 12) != 0) return status;
  const tg_span span = error->span;
  return tg_error_set_at(TG_NAME, TG_HERE, span,
                         "unknown name '%.*s': a number is written with numbers, pi and functions, such as sqrt(2)/3",
                         (int)(span.end - span.begin), excerpt->text + span.begin);
}

static tg_status evaluate(const tg_excerpt *excerpt, tg_graph *graph, double *out)
{
  const tg_compile_options options = {0};
  tg_node node = TG_NONE;
  double *value = NULL;
  TG_TRY(tg_error_in_excerpt(excerpt,
                             reword(excerpt, tg_compile(graph, excerpt->text, excerpt->length, &options, &node))));
  if (!tg_node_is_scalar(graph, node))
    TG_FAIL_MARK(TG_SHAPE, excerpt->mark, "'%.80s' is a matrix, expected a number", excerpt->text);
  TG_TRY(tg_sample(graph, node, NULL, &value));
  *out = value[0];
  tg_free(value);
  if (!isfinite(*out)) TG_FAIL_MARK(TG_VALUE, excerpt->mark, "'%.80s' is no finite number", excerpt->text);
  return TG_OK;
}

static tg_status replace(tg_job *job, tg_yaml_node *node, double value)
{
  enum { EXACT_BYTES = 40 };
  char text[EXACT_BYTES];
  const bool is_whole = fabs(value) < 0x1p53 && value == floor(value);
  const int length = snprintf(text, sizeof text, is_whole ? "%.0f" : "%.17g", value + 0.0);
  node->length = (size_t)length;
  return tg_arena_string(&job->arena, text, node->length, &node->text);
}

tg_status tg_job_evaluate(tg_job *job, tg_yaml_node *node)
{
  tg_excerpt excerpt;
  tg_graph *graph = NULL;
  double value = 0;
  if (tg_value_is_decimal(node) || !is_expression(node)) return TG_OK;
  TG_TRY(tg_job_excerpt(job, node, &excerpt));
  TG_TRY(tg_graph_create(&graph));
  const tg_status status = evaluate(&excerpt, graph, &value);
  tg_graph_destroy(&graph);
  TG_TRY(status);
  return replace(job, node, value);
}
