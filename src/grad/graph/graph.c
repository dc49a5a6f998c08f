// The graph's store: interned sizes, symbols, hash-consed nodes and their order.
#include "grad/graph/graph.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "grad/graph/dims.h"
#include "grad/graph/op.h"

// Limits of the distinct nodes and of the arguments that they have together: a second derivative of a long product
// has more arguments than could be printed.
enum { NODES_MAX = 4000000, ARGUMENTS_MAX = 4000000 };

// What tg_node_compare found for two nodes whose arguments it had to go through.
typedef struct order_record {
  tg_node a;
  tg_node b;
  int order;
} order_record;

// A power of two.
enum { ORDERS_KEPT = 16384 };

struct tg_graph {
  tg_arena arena;
  order_record *orders; // the latest for each slot
  tg_info **nodes;      // by id; entry 0 unused
  uint32_t n_nodes;
  uint32_t nodes_max;  // counted without entry 0
  int64_t n_arguments; // of all nodes
  uint32_t nodes_capacity;
  tg_node *table; // open addressing, a power of two
  uint32_t table_size;
  tg_dim_table dims;
  tg_symbol *symbols;
  int32_t n_symbols;
  int32_t symbols_capacity;
};

tg_status tg_graph_create(tg_graph **out)
{
  *out = NULL;
  tg_graph *graph = NULL;
  TG_TRY(TG_NEW(1, &graph));
  tg_arena_init(&graph->arena);
  const tg_status status = TG_NEW(ORDERS_KEPT, &graph->orders);
  if (status != TG_OK) tg_graph_destroy(&graph);
  TG_TRY(status);
  graph->n_nodes = 1; // id 0 is TG_NONE
  graph->nodes_max = NODES_MAX;
  *out = graph;
  return TG_OK;
}

void tg_graph_limit(tg_graph *graph, uint32_t nodes)
{
  graph->nodes_max = nodes < NODES_MAX ? nodes : NODES_MAX;
}

void tg_graph_destroy(tg_graph **graph)
{
  if (*graph == NULL) return;
  tg_arena_fini(&(*graph)->arena);
  tg_free((*graph)->orders);
  tg_free((*graph)->nodes);
  tg_free((*graph)->table);
  tg_dim_table_fini(&(*graph)->dims);
  tg_free((*graph)->symbols);
  tg_free(*graph);
  *graph = NULL;
}

tg_status tg_scratch(tg_graph *g, int64_t count, size_t item_bytes, void **out)
{
  return tg_arena_alloc(&g->arena, (size_t)(count > 0 ? count : 1), item_bytes, out);
}

tg_dim_table *tg_graph_dims(tg_graph *g)
{
  return &g->dims;
}

const tg_dim_table *tg_graph_known_dims(const tg_graph *g)
{
  return &g->dims;
}

// ---- symbols ----

static tg_status append_symbol(tg_graph *graph, const tg_symbol *symbol, int32_t *out)
{
  if (graph->n_symbols == graph->symbols_capacity) {
    const int32_t capacity = graph->symbols_capacity > 0 ? 2 * graph->symbols_capacity : 16;
    TG_TRY(tg_grow(capacity, sizeof(tg_symbol), (void **)&graph->symbols));
    graph->symbols_capacity = capacity;
  }
  graph->symbols[graph->n_symbols] = *symbol;
  *out = graph->n_symbols++;
  return TG_OK;
}

tg_status tg_symbol_add(tg_graph *graph, const char *name, tg_dim rows, tg_dim cols, unsigned properties, bool is_free,
                        int32_t *out)
{
  TG_ASSERT(tg_symbol_find(graph, name) < 0);
  const char *copy = NULL;
  TG_TRY(tg_arena_string(&graph->arena, name, strlen(name), &copy));
  if ((properties & (TG_SPD | TG_PSD | TG_DIAGONAL)) != 0) properties |= TG_SYMMETRIC;
  const tg_symbol symbol = {
      .name = copy, .rows = rows, .cols = cols, .properties = properties, .free = is_free, .twin = -1};
  return append_symbol(graph, &symbol, out);
}

tg_status tg_symbol_hold(tg_graph *graph, int32_t symbol, int32_t *out)
{
  tg_symbol held = *tg_symbol_info(graph, symbol);
  TG_ASSERT(held.free);
  *out = held.twin;
  if (held.twin >= 0) return TG_OK;
  held.free = false;
  held.twin = symbol;
  TG_TRY(append_symbol(graph, &held, out));
  graph->symbols[symbol].twin = *out;
  return TG_OK;
}

const tg_symbol *tg_symbol_info(const tg_graph *graph, int32_t symbol)
{
  TG_ASSERT(symbol >= 0 && symbol < graph->n_symbols);
  return &graph->symbols[symbol];
}

int32_t tg_symbol_find(const tg_graph *graph, const char *name)
{
  for (int32_t i = 0; i < graph->n_symbols; i++)
    if (strcmp(graph->symbols[i].name, name) == 0) return i;
  return -1;
}

int32_t tg_symbol_count(const tg_graph *graph)
{
  return graph->n_symbols;
}

// ---- nodes ----

const tg_info *tg_node_info(const tg_graph *graph, tg_node node)
{
  TG_ASSERT(node != TG_NONE && node < graph->n_nodes);
  return graph->nodes[node];
}

uint32_t tg_graph_node_count(const tg_graph *graph)
{
  return graph->n_nodes;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
  hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
  return hash ^ (hash >> 29);
}

static uint64_t mix_double(uint64_t hash, double value)
{
  uint64_t word = 0;
  memcpy(&word, &value, sizeof word);
  return mix(hash, word);
}

static uint64_t mix_string(uint64_t hash, const char *text)
{
  for (; *text != '\0'; text++) hash = mix(hash, (uint64_t)(unsigned char)*text);
  return hash;
}

// A hash that a node shares with its transpose: products forwards and backwards, sums and entrywise products in any
// order, a transpose as what it transposes.
static uint64_t mirror_hash(const tg_graph *g, const tg_info *info)
{
  uint64_t forwards = mix(UINT64_C(0x2545F491), (uint64_t)info->kind);
  uint64_t backwards = forwards;
  uint64_t unordered = 0;
  if (info->kind == TG_SYM) return mix_string(forwards, g->symbols[info->symbol].name);
  if (info->kind == TG_TRANS) return g->nodes[info->args[0]]->mirror;
  if (info->kind == TG_TRIL) return mix(UINT64_C(0x2545F491), (uint64_t)TG_TRIU);
  if (info->kind == TG_TRIU) return forwards;
  if (info->kind == TG_PICK) return mix(forwards, tg_dim_hash(g, info->dims[0]));
  for (int32_t i = 0; i < info->n_args; i++) {
    const uint64_t arg = g->nodes[info->args[i]]->mirror;
    forwards = mix(forwards, arg);
    backwards = mix(backwards, g->nodes[info->args[info->n_args - 1 - i]]->mirror);
    unordered += info->coefs != NULL ? mix_double(arg, info->coefs[i]) : arg;
  }
  const bool ordered = info->kind != TG_LIN && info->kind != TG_HAD && info->kind != TG_MAX && info->kind != TG_MIN &&
                       info->kind != TG_DIVIDED && !tg_kind_is_matfun(info->kind, 2) && info->kind != TG_D2MPOWER;
  const uint64_t content =
      ordered ? forwards + (info->kind == TG_PROD ? backwards : 0) : unordered + (uint64_t)info->kind;
  return mix_double(mix(content, (uint64_t)info->exponent), info->value);
}

static void fill_hash(const tg_graph *g, tg_info *info)
{
  info->mirror = mirror_hash(g, info);
  uint64_t hash = mix(UINT64_C(0x51ED270B), (uint64_t)info->kind);
  hash = mix(hash, (uint64_t)(uint32_t)info->rows << 32 | (uint32_t)info->cols);
  hash = mix_double(hash, info->value);
  hash = mix(hash, (uint64_t)info->exponent);
  hash = mix(hash, (uint64_t)(uint32_t)info->symbol << 32 | (uint32_t)info->n_scalars);
  hash = mix(hash, (uint64_t)(uint32_t)info->dims[0] << 32 | (uint32_t)info->dims[1]);
  info->n_trans = info->kind == TG_TRANS;
  info->symbols = info->kind == TG_SYM ? UINT64_C(1) << (info->symbol % 64) : 0;
  for (int32_t i = 0; i < info->n_args; i++) {
    const tg_info *arg = g->nodes[info->args[i]];
    hash = mix(hash, arg->hash);
    if (info->coefs != NULL) hash = mix_double(hash, info->coefs[i]);
    info->symbols |= arg->symbols;
    if (__builtin_add_overflow(info->n_trans, arg->n_trans, &info->n_trans)) info->n_trans = UINT32_MAX;
  }
  info->hash = hash;
}

static bool same_node(const tg_info *a, const tg_info *b)
{
  if (a->hash != b->hash || a->kind != b->kind || a->rows != b->rows || a->cols != b->cols || a->n_args != b->n_args ||
      a->n_scalars != b->n_scalars || a->value != b->value || a->exponent != b->exponent || a->symbol != b->symbol ||
      a->dims[0] != b->dims[0] || a->dims[1] != b->dims[1])
    return false;
  for (int32_t i = 0; i < a->n_args; i++)
    if (a->args[i] != b->args[i] || (a->coefs != NULL && a->coefs[i] != b->coefs[i])) return false;
  return true;
}

// The slot of the table where a node of this content is, or would go.
static uint32_t find_slot(const tg_graph *g, const tg_info *info)
{
  const uint32_t mask = g->table_size - 1;
  uint32_t slot = (uint32_t)(info->hash >> 20) & mask;
  while (g->table[slot] != TG_NONE && !same_node(g->nodes[g->table[slot]], info)) slot = (slot + 1) & mask;
  return slot;
}

static tg_status grow_table(tg_graph *g)
{
  if (g->table_size > 0 && 2 * g->n_nodes < g->table_size) return TG_OK;
  const uint32_t size = g->table_size > 0 ? 2 * g->table_size : 1024;
  tg_node *table = NULL;
  TG_TRY(TG_NEW(size, &table));
  tg_free(g->table);
  g->table = table;
  g->table_size = size;
  for (tg_node node = 1; node < g->n_nodes; node++) g->table[find_slot(g, g->nodes[node])] = node;
  return TG_OK;
}

// A node's own copy of everything its draft points to.
static tg_status copy_draft(tg_graph *g, const tg_info *draft, tg_info **out)
{
  tg_info *info = NULL;
  TG_TRY(TG_ARENA_NEW(&g->arena, 1, &info));
  *info = *draft;
  if (draft->n_args > 0) {
    tg_node *args = NULL;
    TG_TRY(TG_ARENA_NEW(&g->arena, (size_t)draft->n_args, &args));
    memcpy(args, draft->args, sizeof(tg_node) * (size_t)draft->n_args);
    info->args = args;
  }
  if (draft->coefs != NULL) {
    double *coefs = NULL;
    TG_TRY(TG_ARENA_NEW(&g->arena, (size_t)draft->n_args, &coefs));
    memcpy(coefs, draft->coefs, sizeof(double) * (size_t)draft->n_args);
    info->coefs = coefs;
  }
  *out = info;
  return TG_OK;
}

tg_status tg_intern(tg_graph *g, const tg_info *draft, tg_node *out)
{
  TG_TRY(grow_table(g));
  tg_info probe = *draft;
  fill_hash(g, &probe);
  const uint32_t slot = find_slot(g, &probe);
  if (g->table[slot] != TG_NONE) {
    *out = g->table[slot];
    return TG_OK;
  }
  if (g->n_nodes > g->nodes_max)
    TG_FAIL(TG_LIMIT, "the expression and its derivatives need more than %" PRIu32 " distinct subexpressions",
            g->nodes_max);
  if (g->n_arguments + draft->n_args > ARGUMENTS_MAX)
    TG_FAIL(TG_LIMIT, "the expression and its derivatives need more than %d operands", ARGUMENTS_MAX);
  g->n_arguments += draft->n_args;
  if (g->n_nodes >= g->nodes_capacity) {
    const uint32_t capacity = g->nodes_capacity > 0 ? 2 * g->nodes_capacity : 512;
    TG_TRY(tg_grow(capacity, sizeof(tg_info *), (void **)&g->nodes));
    g->nodes_capacity = capacity;
  }
  tg_info *info = NULL;
  TG_TRY(copy_draft(g, &probe, &info));
  info->transposed = TG_NONE; // a draft may be made from another node
  g->nodes[g->n_nodes] = info;
  g->table[slot] = g->n_nodes;
  *out = g->n_nodes++;
  return TG_OK;
}

void tg_remember_trans(tg_graph *g, tg_node node, tg_node transposed)
{
  g->nodes[node]->transposed = transposed;
}

tg_status tg_intern_unary(tg_graph *g, tg_kind kind, tg_dim rows, tg_dim cols, tg_node a, tg_node *out)
{
  return tg_intern(g, &(tg_info){.kind = kind, .rows = rows, .cols = cols, .n_args = 1, .args = &a}, out);
}

static bool depends(const tg_graph *g, tg_node node, int32_t symbol, uint8_t *seen)
{
  const tg_info *info = g->nodes[node];
  if ((info->symbols >> (symbol % 64) & 1) == 0) return false;
  if (info->kind == TG_SYM) return info->symbol == symbol;
  if (seen[node] != 0) return false;
  seen[node] = 1;
  for (int32_t i = 0; i < info->n_args; i++)
    if (depends(g, info->args[i], symbol, seen)) return true;
  return false;
}

bool tg_node_depends_on(const tg_graph *graph, tg_node node, int32_t symbol)
{
  // With at most 64 symbols the bit mask is exact.
  if (graph->n_symbols <= 64) return (graph->nodes[node]->symbols >> symbol & 1) != 0;
  uint8_t *seen = NULL;
  if (TG_NEW(graph->n_nodes, &seen) != TG_OK) return true; // a safe answer: nothing is left out
  const bool found = depends(graph, node, symbol, seen);
  tg_free(seen);
  return found;
}

// Arguments have smaller ids than their node, so one pass downwards reaches everything.
void tg_node_mark_below(const tg_graph *graph, tg_node top, uint8_t *below)
{
  for (tg_node node = top; node > TG_NONE; node--) {
    const tg_info *info = graph->nodes[node];
    for (int32_t i = 0; below[node] != 0 && i < info->n_args; i++) below[info->args[i]] = 1;
  }
}

tg_status tg_node_find_below(const tg_graph *graph, tg_node node, uint8_t **out)
{
  TG_TRY(TG_NEW((int64_t)node + 1, out));
  (*out)[node] = 1;
  tg_node_mark_below(graph, node, *out);
  return TG_OK;
}

bool tg_node_is_scalar(const tg_graph *graph, tg_node node)
{
  const tg_info *info = tg_node_info(graph, node);
  return tg_dim_is_one(graph, info->rows) && tg_dim_is_one(graph, info->cols);
}

bool tg_node_is_number(const tg_graph *graph, tg_node node, double *value)
{
  const tg_info *info = tg_node_info(graph, node);
  if (info->kind != TG_NUM) return false;
  if (value != NULL) *value = info->value;
  return true;
}

bool tg_node_is_zero(const tg_graph *graph, tg_node node)
{
  const tg_info *info = tg_node_info(graph, node);
  return info->kind == TG_ZEROS || (info->kind == TG_NUM && info->value == 0.0);
}

tg_status tg_node_is_symmetric(tg_graph *graph, tg_node node, bool *out)
{
  const tg_info *info = tg_node_info(graph, node);
  *out = false;
  if (info->rows != info->cols) return TG_OK;
  tg_node transposed = TG_NONE;
  TG_TRY(tg_make_trans(graph, node, &transposed));
  *out = transposed == node;
  return TG_OK;
}

// ---- order ----

static int compare_ints(int64_t a, int64_t b)
{
  return (a > b) - (a < b);
}

static int compare_names(const char *a, const char *b)
{
  const int order = strcmp(a, b);
  return (order > 0) - (order < 0);
}

// Symbols and what is made of them come before constants, so that a sum ends with its numbers.
static int kind_rank(tg_kind kind)
{
  switch (kind) {
  case TG_SYM:
    return -1;
  case TG_NUM:
    return 2 * TG_KIND_COUNT;
  case TG_EYE:
  case TG_ONES:
  case TG_ZEROS:
  case TG_COMM:
  case TG_TRIU:
  case TG_TRIL:
  case TG_PICK:
    return TG_KIND_COUNT + (int)kind;
  default:
    return (int)kind;
  }
}

static int compare_lists(const tg_graph *g, int32_t n, const tg_node *a, int32_t m, const tg_node *b)
{
  for (int32_t i = 0; i < n && i < m; i++) {
    const int order = tg_node_compare(g, a[i], b[i]);
    if (order != 0) return order;
  }
  return compare_ints(n, m);
}

static int compare_content(const tg_graph *g, const tg_info *x, const tg_info *y)
{
  if (x->kind != y->kind) return compare_ints(kind_rank(x->kind), kind_rank(y->kind));
  if (x->kind == TG_SYM) return compare_names(g->symbols[x->symbol].name, g->symbols[y->symbol].name);
  int order = compare_lists(g, x->n_args, x->args, y->n_args, y->args);
  if (order == 0) order = compare_ints(x->exponent, y->exponent);
  if (order == 0) order = (x->value > y->value) - (x->value < y->value);
  for (int32_t i = 0; order == 0 && x->coefs != NULL && i < x->n_args; i++)
    order = (x->coefs[i] > y->coefs[i]) - (x->coefs[i] < y->coefs[i]);
  if (order == 0) order = tg_dim_compare(g, x->rows, y->rows);
  if (order == 0) order = tg_dim_compare(g, x->cols, y->cols);
  if (order == 0) order = tg_dim_compare(g, x->dims[0], y->dims[0]);
  if (order == 0) order = compare_ints(x->n_scalars, y->n_scalars);
  return order;
}

static int compare_nodes(const tg_graph *g, tg_node a, tg_node b)
{
  const tg_info *x = g->nodes[a];
  const tg_info *y = g->nodes[b];
  // Products compare factor by factor; a factor alone is a product of one.
  if (x->kind == TG_PROD || y->kind == TG_PROD) {
    const int order = compare_lists(g, x->kind == TG_PROD ? x->n_args : 1, x->kind == TG_PROD ? x->args : &a,
                                    y->kind == TG_PROD ? y->n_args : 1, y->kind == TG_PROD ? y->args : &b);
    return order != 0 ? order : compare_content(g, x, y);
  }
  // A transpose sorts directly after what it transposes.
  const tg_node inner_a = x->kind == TG_TRANS ? x->args[0] : a;
  const tg_node inner_b = y->kind == TG_TRANS ? y->args[0] : b;
  if (inner_a == inner_b) return x->kind == TG_TRANS ? 1 : -1;
  if (inner_a != a || inner_b != b) return tg_node_compare(g, inner_a, inner_b);
  return compare_content(g, x, y);
}

// Nodes do not change, nor does their order. Deep expressions that share much are gone through once for two nodes, not
// once for each pair above them.
int tg_node_compare(const tg_graph *g, tg_node a, tg_node b)
{
  if (a == b) return 0;
  if (g->nodes[a]->n_args == 0 || g->nodes[b]->n_args == 0) return compare_nodes(g, a, b);
  order_record *kept = &g->orders[(a * UINT32_C(2654435761) ^ b * UINT32_C(2246822519)) >> 18];
  if (kept->a == a && kept->b == b) return kept->order;
  const int order = compare_nodes(g, a, b);
  *kept = (order_record){a, b, order};
  return order;
}

bool tg_node_reads_better(const tg_graph *g, tg_node a, tg_node b)
{
  const uint32_t x = g->nodes[a]->n_trans;
  const uint32_t y = g->nodes[b]->n_trans;
  return x != y ? x < y : tg_node_compare(g, a, b) < 0;
}
