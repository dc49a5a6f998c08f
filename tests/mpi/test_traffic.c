// What is really handed to MPI against what the model says: a PMPI shim in this program counts bytes and messages.
//
// The shim stands between the program and the library (also between ScaLAPACK and the library) and takes nothing from
// the code that it watches. A collective is counted by what any algorithm must pass on: a broadcast or a sum of b bytes
// over p ranks (p - 1) b, a sum for all ranks twice that, however the library cuts and routes it.
#include "check.h"

#include <string.h>

#include "grad/calculus.h"
#include "grad/lower/lower.h"
#include "grad/plan/cost.h"
#include "mpi/exec/exec.h"
#include "mpi/product/product.h"
#include "support/plan_emit.h"

// ---- the shim ----

typedef struct traffic {
  double bytes;
  double messages;
} traffic;

static traffic sent; // by this rank

static void book(int count, MPI_Datatype type, double copies)
{
  int size = 0;
  PMPI_Type_size(type, &size);
  sent.bytes += (double)count * size * copies;
  sent.messages += copies;
}

static double others_of(MPI_Comm comm)
{
  int size = 0;
  PMPI_Comm_size(comm, &size);
  return size - 1;
}

static bool is_root(int root, MPI_Comm comm)
{
  int rank = 0;
  PMPI_Comm_rank(comm, &rank);
  return rank == root;
}

int MPI_Send(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm)
{
  book(count, type, 1);
  return PMPI_Send(data, count, type, to, tag, comm);
}

int MPI_Rsend(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm)
{
  book(count, type, 1);
  return PMPI_Rsend(data, count, type, to, tag, comm);
}

int MPI_Isend(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request *request)
{
  book(count, type, 1);
  return PMPI_Isend(data, count, type, to, tag, comm, request);
}

int MPI_Sendrecv(const void *out, int n_out, MPI_Datatype out_type, int to, int out_tag, void *in, int n_in,
                 MPI_Datatype in_type, int from, int in_tag, MPI_Comm comm, MPI_Status *status)
{
  book(n_out, out_type, 1);
  return PMPI_Sendrecv(out, n_out, out_type, to, out_tag, in, n_in, in_type, from, in_tag, comm, status);
}

int MPI_Bcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm)
{
  if (is_root(root, comm)) book(count, type, others_of(comm));
  return PMPI_Bcast(data, count, type, root, comm);
}

int MPI_Ibcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm, MPI_Request *request)
{
  if (is_root(root, comm)) book(count, type, others_of(comm));
  return PMPI_Ibcast(data, count, type, root, comm, request);
}

int MPI_Reduce(const void *out, void *in, int count, MPI_Datatype type, MPI_Op op, int root, MPI_Comm comm)
{
  if (!is_root(root, comm)) book(count, type, 1);
  return PMPI_Reduce(out, in, count, type, op, root, comm);
}

int MPI_Ireduce(const void *out, void *in, int count, MPI_Datatype type, MPI_Op op, int root, MPI_Comm comm,
                MPI_Request *request)
{
  if (!is_root(root, comm)) book(count, type, 1);
  return PMPI_Ireduce(out, in, count, type, op, root, comm, request);
}

// Each rank passes on 2 (p - 1) / p of the data in p - 1 pieces each way.
int MPI_Allreduce(const void *out, void *in, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
  int size = 0;
  PMPI_Type_size(type, &size);
  const double others = others_of(comm);
  sent.bytes += 2 * others / (others + 1) * count * size;
  sent.messages += 2 * others;
  return PMPI_Allreduce(out, in, count, type, op, comm);
}

int MPI_Allgather(const void *out, int n_out, MPI_Datatype out_type, void *in, int n_in, MPI_Datatype in_type,
                  MPI_Comm comm)
{
  book(n_in, in_type, others_of(comm));
  return PMPI_Allgather(out, n_out, out_type, in, n_in, in_type, comm);
}

int MPI_Alltoallv(const void *out, const int n_out[], const int at_out[], MPI_Datatype out_type, void *in,
                  const int n_in[], const int at_in[], MPI_Datatype in_type, MPI_Comm comm)
{
  const int ranks = (int)others_of(comm) + 1;
  for (int r = 0; r < ranks; r++)
    if (n_out[r] > 0 && !is_root(r, comm)) book(n_out[r], out_type, 1);
  return PMPI_Alltoallv(out, n_out, at_out, out_type, in, n_in, at_in, in_type, comm);
}

static void start_counting(void)
{
  PMPI_Barrier(MPI_COMM_WORLD);
  sent = (traffic){0};
}

// Sum over all ranks since start_counting.
static traffic traffic_of_all(void)
{
  double total[2] = {sent.bytes, sent.messages};
  PMPI_Allreduce(MPI_IN_PLACE, total, 2, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  return (traffic){total[0], total[1]};
}

// ---- products ----

static const double allowed = 1.2;

static bool is_within(double found, double expected)
{
  return found <= allowed * expected && expected <= allowed * found;
}

typedef struct operands {
  tg_dmat *a;
  tg_dmat *b;
  tg_dmat *c;
  tg_workspace *workspace;
} operands;

static operands create_operands(const tg_grid *grid, int64_t n)
{
  operands o = {check_matrix(grid, n, n, 1), check_matrix(grid, n, n, 2), check_matrix(grid, n, n, 3), NULL};
  REQUIRE_OK(tg_workspace_create(grid, &o.workspace));
  return o;
}

static void destroy_operands(operands *o)
{
  tg_dmat_destroy(&o->a);
  tg_dmat_destroy(&o->b);
  tg_dmat_destroy(&o->c);
  tg_workspace_destroy(&o->workspace);
}

// Run twice: workspaces grow, which is agreed on, in the first run only.
static traffic traffic_of_product(tg_product_kind kind, const operands *o, bool transa, bool transb)
{
  for (int run = 0; run < 2; run++) {
    start_counting();
    REQUIRE_OK(tg_product(kind, transa, transb, 1, o->a, o->b, 0, o->c, o->workspace, NULL));
  }
  return traffic_of_all();
}

// The plan of one product, with its result as the gradient of a made-up objective.
static tg_plan *plan_of_product(int64_t n, bool transa, bool transb)
{
  tg_plan_builder *b = NULL;
  tg_plan *plan = NULL;
  REQUIRE_OK(tg_plan_builder_create(&b));
  const int32_t left = tg_plan_builder_variable(b, "A", n, n);
  const int32_t right = tg_plan_builder_data(b, "B", n, n);
  const int32_t out = tg_plan_builder_block(b, TG_BUFFER_GRADIENT, 0);
  plan_emit_gemm(b, TG_PROGRAM_GRADIENT, out, tg_coef_number(1), left, transa, right, transb, 0);
  tg_plan_builder_set_value(b, tg_plan_builder_constant(b, 0));
  REQUIRE_OK(tg_plan_builder_finish(b, &plan));
  tg_plan_builder_destroy(&b);
  return plan;
}

static void check_product(const tg_grid *grid, int64_t n, bool transa, bool transb)
{
  const tg_cost_grid where = {grid->rows, grid->cols, grid->block, 1};
  const tg_cost_machine machine = tg_cost_machine_default();
  tg_plan *plan = plan_of_product(n, transa, transb);
  tg_cost cost;
  tg_cost_bound bound;
  REQUIRE_OK(tg_plan_cost(plan, TG_PROGRAM_GRADIENT, &where, &machine, &cost));
  REQUIRE_OK(tg_plan_iteration_bound(plan, &where, &bound));
  operands o = create_operands(grid, n);
  const traffic found = traffic_of_product(TG_PRODUCT_AUTO, &o, transa, transb);
  CHECK(is_within(found.bytes, cost.bytes_sent), "%.0f bytes, the model says %.0f: n = %" PRId64 ", %d%d on %d x %d",
        found.bytes, cost.bytes_sent, n, transa, transb, grid->rows, grid->cols);
  CHECK(is_within(found.messages, cost.messages), "%.0f messages, the model says %.0f: n = %" PRId64 " on %d x %d",
        found.messages, cost.messages, n, grid->rows, grid->cols);
  const double least = bound.bytes * grid->size;
  CHECK(found.bytes >= least * (1 - 1e-12), "%.0f bytes, less than the lower bound %.0f", found.bytes, least);
  // Stated for grids as square as their number of ranks allows: 1 x 4 sends half as much again as 2 x 2.
  const bool is_squarish = grid->rows <= 2 * grid->cols && grid->cols <= 2 * grid->rows && grid->size != 2;
  CHECK(!is_squarish || found.bytes <= allowed * least, "%.0f bytes, the lower bound is %.0f on %d x %d", found.bytes,
        least, grid->rows, grid->cols);
  destroy_operands(&o);
  tg_plan_destroy(&plan);
}

static void products(const tg_grid *grid)
{
  static const int64_t sizes[] = {96, 200, 512};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int form = 0; form < 3; form++) check_product(grid, sizes[s], form == 1, form == 2);
}

// ---- the shim itself ----

// pdgemm sends point to point, and on 2 x 2 each rank half of A's part and of B's: the shim must see exactly that.
static void pdgemm_is_seen(const tg_grid *grid)
{
  enum { N = 512 };
  if (grid->rows != 2 || grid->cols != 2) return;
  operands o = create_operands(grid, N);
  const traffic found = traffic_of_product(TG_PRODUCT_SCALAPACK, &o, false, false);
  const double payload = 2.0 * N * N * sizeof(double);
  CHECK(found.bytes >= payload && found.bytes <= 1.01 * payload, "pdgemm sent %.0f bytes, expected %.0f", found.bytes,
        payload);
  CHECK(found.messages >= 4, "pdgemm sent %.0f messages", found.messages);
  destroy_operands(&o);
}

// ---- a whole gradient ----

static tg_plan *gradient_plan(int64_t n)
{
  static const char text[] = "tr(A*B*A'*C)";
  const tg_declaration declarations[3] = {
      {.name = "A", .rows = n, .cols = n, .is_free = true},
      {.name = "B", .rows = n, .cols = n},
      {.name = "C", .rows = n, .cols = n},
  };
  const tg_compile_options options = {.n_declarations = 3, .declarations = declarations, .require_scalar = true};
  const tg_lower_options lowering = {0};
  tg_graph *graph = NULL;
  tg_plan *plan = NULL;
  tg_node f = TG_NONE;
  REQUIRE_OK(tg_graph_create(&graph));
  REQUIRE_OK(tg_compile(graph, text, strlen(text), &options, &f));
  const int32_t symbol = tg_symbol_find(graph, "A");
  REQUIRE_OK(tg_lower(graph, f, 1, &symbol, &lowering, &plan));
  tg_graph_destroy(&graph);
  return plan;
}

// Refresh, value and gradient of tr(A*B*A'*C): what goes over the wires besides the products is small.
static void whole_gradient(const tg_grid *grid)
{
  enum { N = 200 };
  const tg_cost_grid where = {grid->rows, grid->cols, grid->block, 1};
  const tg_cost_machine machine = tg_cost_machine_default();
  static const tg_program_id programs[2] = {TG_PROGRAM_REFRESH, TG_PROGRAM_GRADIENT};
  tg_plan *plan = gradient_plan(N);
  operands o = create_operands(grid, N);
  tg_dmat *x = check_matrix(grid, N, N, 4);
  tg_dmat *data[2] = {o.a, o.b};
  tg_exec *exec = NULL;
  REQUIRE_OK(tg_exec_create(grid, plan, data, NULL, &exec));
  REQUIRE_OK(tg_exec_bind(exec, TG_BUFFER_VARIABLE, 0, x));
  REQUIRE_OK(tg_exec_bind(exec, TG_BUFFER_GRADIENT, 0, o.c));
  REQUIRE_OK(tg_exec_run(exec, TG_PROGRAM_SETUP));
  double expected = 0;
  for (int p = 0; p < 2; p++) {
    tg_cost cost;
    REQUIRE_OK(tg_plan_cost(plan, programs[p], &where, &machine, &cost));
    expected += cost.bytes_sent;
  }
  for (int run = 0; run < 2; run++) {
    start_counting();
    for (int p = 0; p < 2; p++) REQUIRE_OK(tg_exec_run(exec, programs[p]));
  }
  const traffic found = traffic_of_all();
  CHECK(is_within(found.bytes, expected), "a gradient: %.0f bytes, the model says %.0f on %d x %d, block %" PRId64,
        found.bytes, expected, grid->rows, grid->cols, grid->block);
  tg_exec_destroy(&exec);
  tg_dmat_destroy(&x);
  destroy_operands(&o);
  tg_plan_destroy(&plan);
}

static void run(void)
{
  static const int64_t blocks[] = {16, 64, 0};
  check_on_grids(blocks, products);
  check_on_grids(blocks, pdgemm_is_seen);
  check_on_grids(blocks, whole_gradient);
}

CHECK_PROGRAM(program_traffic, run)
