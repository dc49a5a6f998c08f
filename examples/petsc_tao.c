/* A solver of PETSc's TAO over the library's matrices: TAO decides, tracegrad evaluates.
 *
 *     mpicc petsc_tao.c -o petsc_tao $(pkg-config --cflags --libs tracegrad petsc) -lm
 *     mpirun -n 2 ./petsc_tao [-tao_type lmvm | ntr | nls | cg | bqnls | ...] [-tao_monitor] [-tao_view]
 *
 * PETSc must use the same MPI. Its vectors have the entries of a rank in the order in which the point has them: norms
 * and inner products do not ask which entry is which. */
#include <petsctao.h>
#include <string.h>
#include <tracegrad_solve.h>

typedef struct evaluation {
  tracegrad_problem *problem;
  tracegrad_point *x;
  tracegrad_point *at;  /* where the Hessian is: TAO looks at other points before it asks for another one */
  tracegrad_point *v;   /* a direction */
  tracegrad_point *out; /* a gradient, or H(x)[v] */
} evaluation;

static void must(int exit_class)
{
  if (exit_class == 0) return;
  fprintf(stderr, "%s\n", tracegrad_error());
  MPI_Abort(PETSC_COMM_WORLD, exit_class);
}

/* Copies the local part of X between a point and a vector: into the point, or out of it. */
static PetscErrorCode move(tracegrad_point *point, Vec vector, int into_point)
{
  double *numbers = NULL;
  PetscScalar *entries = NULL;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t leading = 0;
  PetscFunctionBeginUser;
  must(tracegrad_point_local(point, "X", &numbers, &rows, &columns, &leading));
  if (into_point)
    PetscCall(VecGetArrayRead(vector, (const PetscScalar **)&entries));
  else
    PetscCall(VecGetArrayWrite(vector, &entries));
  for (int64_t j = 0; rows > 0 && j < columns; j++) {
    double *column = numbers + j * leading;
    PetscScalar *mine = entries + j * rows;
    memcpy(into_point ? column : mine, into_point ? mine : column, (size_t)rows * sizeof(double));
  }
  if (into_point)
    PetscCall(VecRestoreArrayRead(vector, (const PetscScalar **)&entries));
  else
    PetscCall(VecRestoreArrayWrite(vector, &entries));
  PetscFunctionReturn(0);
}

static PetscErrorCode value_and_gradient(Tao tao, Vec x, PetscReal *f, Vec gradient, void *context)
{
  evaluation *e = context;
  PetscFunctionBeginUser;
  (void)tao;
  PetscCall(move(e->x, x, 1));
  must(tracegrad_problem_evaluate(e->problem, e->x, f, e->out));
  PetscCall(move(e->out, gradient, 0));
  PetscFunctionReturn(0);
}

static PetscErrorCode hessian_at(Tao tao, Vec x, Mat hessian, Mat preconditioner, void *context)
{
  evaluation *e = context;
  PetscFunctionBeginUser;
  (void)tao;
  (void)preconditioner;
  PetscCall(move(e->at, x, 1));
  PetscCall(MatAssemblyBegin(hessian, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(hessian, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

static PetscErrorCode hessian_product(Mat hessian, Vec v, Vec hv)
{
  evaluation *e = NULL;
  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(hessian, &e));
  PetscCall(move(e->v, v, 1));
  must(tracegrad_problem_hessian(e->problem, e->at, e->v, e->out));
  PetscCall(move(e->out, hv, 0));
  PetscFunctionReturn(0);
}

/* Minimises by TAO from zero; returns its last objective. */
static PetscErrorCode by_tao(evaluation *e, PetscReal *f, PetscInt *iterations, TaoType *type)
{
  Vec x = NULL;
  Mat hessian = NULL;
  Tao tao = NULL;
  double *numbers = NULL;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t leading = 0;
  PetscFunctionBeginUser;
  must(tracegrad_point_local(e->x, "X", &numbers, &rows, &columns, &leading));
  const PetscInt here = (PetscInt)(rows * columns);
  PetscCall(VecCreateMPI(PETSC_COMM_WORLD, here, PETSC_DETERMINE, &x));
  PetscCall(MatCreateShell(PETSC_COMM_WORLD, here, here, PETSC_DETERMINE, PETSC_DETERMINE, e, &hessian));
  PetscCall(MatShellSetOperation(hessian, MATOP_MULT, (void (*)(void))hessian_product));
  PetscCall(TaoCreate(PETSC_COMM_WORLD, &tao));
  PetscCall(TaoSetType(tao, TAOLMVM));
  PetscCall(TaoSetSolution(tao, x));
  PetscCall(TaoSetObjectiveAndGradient(tao, NULL, value_and_gradient, e));
  PetscCall(TaoSetHessian(tao, hessian, hessian, hessian_at, e));
  PetscCall(TaoSetTolerances(tao, 1e-8, 0, 0));
  PetscCall(TaoSetFromOptions(tao));
  PetscCall(TaoSolve(tao));
  PetscCall(TaoGetSolutionStatus(tao, iterations, f, NULL, NULL, NULL, NULL));
  PetscCall(TaoGetType(tao, type));
  PetscCall(PetscStrallocpy(*type, (char **)type));
  PetscCall(TaoDestroy(&tao));
  PetscCall(MatDestroy(&hessian));
  PetscCall(VecDestroy(&x));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  evaluation e = {0};
  tracegrad_result r;
  PetscReal f = 0;
  PetscInt iterations = 0;
  TaoType type = NULL;
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  must(tracegrad_problem_create(PETSC_COMM_WORLD, &e.problem));
  must(tracegrad_problem_objective(e.problem, "sum(softplus(-S.*(A*X))) + 0.1*sumsq(X)", 0));
  must(tracegrad_problem_variable(e.problem, "X", 0, 0));
  must(tracegrad_problem_set(e.problem, "data.A", "{generate: normal, rows: 300, columns: 20, seed: 1}"));
  must(tracegrad_problem_set(e.problem, "data.S", "{generate: normal, rows: 300, columns: 4, seed: 2}"));
  must(tracegrad_problem_set(e.problem, "solver.gradient_tolerance", "1e-10"));
  must(tracegrad_point_create(e.problem, &e.x));
  must(tracegrad_point_create(e.problem, &e.at));
  must(tracegrad_point_create(e.problem, &e.v));
  must(tracegrad_point_create(e.problem, &e.out));
  PetscCall(by_tao(&e, &f, &iterations, &type));
  must(tracegrad_problem_minimise(e.problem));
  must(tracegrad_problem_result(e.problem, sizeof r, &r));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "TAO's %s: %d iterations, objective %.14g\ntracegrad: %d iterations by %s, objective %.14g\n",
                        type, (int)iterations, (double)f, (int)r.iterations, r.method, r.objective));
  const int same = PetscAbsReal(f - r.objective) <= 1e-10 * PetscAbsReal(f);
  PetscCall(PetscFree(type));
  tracegrad_point_destroy(&e.x);
  tracegrad_point_destroy(&e.at);
  tracegrad_point_destroy(&e.v);
  tracegrad_point_destroy(&e.out);
  tracegrad_problem_destroy(&e.problem);
  PetscCall(PetscFinalize());
  return same ? 0 : 1;
}
