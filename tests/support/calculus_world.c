// Names with values of the declared properties, and the graph over them.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/calculus_check.h"

static int32_t find_name(const calculus_world *world, const char *name, size_t length)
{
  for (int32_t i = 0; i < world->n_names; i++)
    if (strlen(world->names[i].name) == length && strncmp(world->names[i].name, name, length) == 0) return i;
  return -1;
}

static tg_status add_name(calculus_world *world, const char *name, size_t length, int64_t rows, int64_t cols)
{
  if (world->n_names == CALCULUS_NAMES_MAX) TG_FAIL(TG_LIMIT, "more than %d names", CALCULUS_NAMES_MAX);
  const int32_t at = world->n_names++;
  text_name *fresh = &world->names[at];
  TG_TRY(tg_arena_string(&world->arena, name, length, &fresh->name));
  fresh->value = (text_value){rows, cols, NULL};
  TG_TRY(TG_ARENA_NEW(&world->arena, (size_t)(rows * cols), &fresh->value.data));
  for (int64_t i = 0; i < rows * cols; i++) fresh->value.data[i] = text_uniform(&world->random);
  world->declarations[at] = (tg_declaration){.name = fresh->name, .rows = rows, .cols = cols};
  return TG_OK;
}

static tg_status read_dims(calculus_world *world, const char *dims)
{
  while (*dims != '\0') {
    const size_t length = strcspn(dims, "=");
    char *end = NULL;
    const int64_t rows = strtoll(dims + length + 1, &end, 10);
    const int64_t cols = *end == 'x' ? strtoll(end + 1, &end, 10) : 1;
    if (rows < 1 || cols < 1 || (*end != ',' && *end != '\0')) TG_FAIL(TG_USAGE, "sizes not understood at '%s'", dims);
    TG_TRY(add_name(world, dims, length, rows, cols));
    dims = *end == ',' ? end + 1 : end;
    while (*dims == ' ') dims++;
  }
  return TG_OK;
}

static void make_symmetric(const text_value *a)
{
  for (int64_t j = 0; j < a->cols; j++)
    for (int64_t i = 0; i < j; i++) a->data[j + i * a->rows] = a->data[i + j * a->rows];
}

// A dominant diagonal makes a symmetric matrix positive definite.
static void make_definite(const text_value *a)
{
  make_symmetric(a);
  for (int64_t i = 0; i < a->rows; i++) a->data[i + i * a->rows] = (double)a->rows + 0.25 * a->data[i + i * a->rows];
}

static void make_diagonal(const text_value *a)
{
  for (int64_t j = 0; j < a->cols; j++)
    for (int64_t i = 0; i < a->rows; i++) a->data[i + j * a->rows] *= i == j;
}

// Gram-Schmidt, twice for orthogonality to rounding.
static void make_orthogonal(const text_value *a)
{
  const int64_t m = a->rows;
  for (int64_t j = 0; j < a->cols; j++)
    for (int round = 0; round < 2; round++) {
      double square = 0.0;
      for (int64_t k = 0; k < j; k++) {
        double inner = 0.0;
        for (int64_t i = 0; i < m; i++) inner += a->data[i + j * m] * a->data[i + k * m];
        for (int64_t i = 0; i < m; i++) a->data[i + j * m] -= inner * a->data[i + k * m];
      }
      for (int64_t i = 0; i < m; i++) square += a->data[i + j * m] * a->data[i + j * m];
      for (int64_t i = 0; i < m; i++) a->data[i + j * m] /= sqrt(square);
    }
}

static bool give_property(calculus_world *world, int32_t name, const char *property, size_t length)
{
  static const struct {
    const char *word;
    unsigned declared;
    void (*make)(const text_value *a);
  } rows[] = {{"symmetric", TG_SYMMETRIC, make_symmetric},
              {"spd", TG_SPD, make_definite},
              {"diagonal", TG_DIAGONAL, make_diagonal},
              {"orthogonal", TG_ORTHOGONAL, make_orthogonal},
              {"definite", 0, make_definite}};
  const text_value *value = &world->names[name].value;
  if (length == strlen("positive") && strncmp(property, "positive", length) == 0) {
    for (int64_t i = 0; i < value->rows * value->cols; i++) value->data[i] = 1.0 + 0.5 * value->data[i];
    return true;
  }
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    if (strlen(rows[k].word) != length || strncmp(rows[k].word, property, length) != 0) continue;
    world->declarations[name].properties |= rows[k].declared;
    rows[k].make(value);
    return true;
  }
  return false;
}

static tg_status read_properties(calculus_world *world, const char *text)
{
  while (*text != '\0') {
    const size_t colon = strcspn(text, ":");
    const int32_t name = find_name(world, text, colon);
    const char *property = text + colon + (text[colon] == ':');
    const size_t length = strcspn(property, ",");
    if (name < 0 || !give_property(world, name, property, length))
      TG_FAIL(TG_USAGE, "properties not understood at '%s'", text);
    text = property + length + (property[length] == ',');
    while (*text == ' ') text++;
  }
  return TG_OK;
}

static tg_status read_wrt(calculus_world *world, const char *text)
{
  while (*text != '\0') {
    const size_t length = strcspn(text, ",");
    const int32_t name = find_name(world, text, length);
    if (name < 0 || world->n_wrt == CALCULUS_WRT_MAX) TG_FAIL(TG_USAGE, "wrt not understood at '%s'", text);
    world->declarations[name].is_free = true;
    world->wrt[world->n_wrt++] = name;
    text += length + (text[length] == ',');
  }
  return TG_OK;
}

// A direction for each variable, as a symbol named D_X.
static tg_status add_directions(calculus_world *world)
{
  for (int32_t k = 0; k < world->n_wrt; k++) {
    const text_name name = world->names[world->wrt[k]];
    char direction[80];
    const int length = snprintf(direction, sizeof direction, "D_%s", name.name);
    world->direction_names[k] = world->n_names;
    TG_TRY(add_name(world, direction, (size_t)length, name.value.rows, name.value.cols));
    TG_TRY(calculus_compile(world, name.name, false, &world->directions[k]));
    world->symbols[k] = tg_symbol_find(world->graph, name.name);
    TG_TRY(calculus_compile(world, direction, false, &world->directions[k]));
  }
  return TG_OK;
}

tg_status calculus_open(calculus_world *world, const char *dims, const char *properties, const char *wrt, uint64_t seed)
{
  *world = (calculus_world){.random = seed};
  tg_arena_init(&world->arena);
  TG_TRY(tg_graph_create(&world->graph));
  TG_TRY(read_dims(world, dims));
  TG_TRY(read_properties(world, properties));
  TG_TRY(read_wrt(world, wrt));
  return add_directions(world);
}

void calculus_close(calculus_world *world)
{
  tg_graph_destroy(&world->graph);
  tg_arena_fini(&world->arena);
}

tg_status calculus_compile(calculus_world *world, const char *text, bool require_scalar, tg_node *out)
{
  const tg_compile_options options = {
      .n_declarations = world->n_names, .declarations = world->declarations, .require_scalar = require_scalar};
  return tg_compile(world->graph, text, strlen(text), &options, out);
}

tg_status calculus_sample(calculus_world *world, tg_node node, double **out)
{
  const double *values[2 * CALCULUS_NAMES_MAX] = {NULL};
  for (int32_t s = 0; s < tg_symbol_count(world->graph); s++) {
    const char *name = tg_symbol_info(world->graph, s)->name;
    const int32_t at = find_name(world, name, strlen(name));
    if (at < 0) TG_FAIL(TG_NAME, "no value for %s", name);
    values[s] = world->names[at].value.data;
  }
  return tg_sample(world->graph, node, values, out);
}
