// Lowered plans against the oracle: every operator, every program, every pass switched off.
//
// Each expression of the table is compiled, lowered and run by the serial executor; its value, gradient, line
// coefficients and Hessian action are compared with tg_sample of the nodes that calculus.h gives.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "grad/calculus.h"
#include "grad/lower/lower.h"
#include "support/entry_text.h"
#include "support/sample_plans.h"
#include "support/serial_exec.h"

// X, Z, x, s are the variables; u, v columns, r a row, c, d scalars (d read as a 1 x 1 matrix).
static const tg_declaration names[] = {
    {.name = "X", .rows = 4, .cols = 3, .is_free = true},
    {.name = "Z", .rows = 3, .cols = 3, .is_free = true},
    {.name = "x", .rows = 3, .cols = 1, .is_free = true},
    {.name = "s", .rows = 1, .cols = 1, .is_free = true},
    {.name = "A", .rows = 4, .cols = 4},
    {.name = "B", .rows = 3, .cols = 3},
    {.name = "C", .rows = 4, .cols = 3},
    {.name = "P", .rows = 4, .cols = 3},
    {.name = "M", .rows = 9, .cols = 4},
    {.name = "Y", .rows = 9, .cols = 3},
    {.name = "F", .rows = 3, .cols = 4},
    {.name = "G", .rows = 12, .cols = 12},
    {.name = "U", .rows = 3, .cols = 3},
    {.name = "S", .rows = 4, .cols = 4, .properties = TG_SYMMETRIC | TG_SPD},
    {.name = "T", .rows = 3, .cols = 3, .properties = TG_SYMMETRIC | TG_SPD},
    {.name = "u", .rows = 4, .cols = 1},
    {.name = "v", .rows = 3, .cols = 1},
    {.name = "r", .rows = 1, .cols = 3},
    {.name = "k", .rows = 12, .cols = 1},
    {.name = "c", .rows = 1, .cols = 1},
    {.name = "d", .rows = 1, .cols = 1},
};

enum { NAME_COUNT = (int)(sizeof names / sizeof names[0]), SYMBOLS_MAX = NAME_COUNT + 8, VARIABLES_MAX = 4 };

static const char *const expressions[] = {
    // constant in every variable
    "sum(X.^0)",
    "2.5*c*sum(X.^0)",
    "c*sum(X.^0) + tr(A*S)",
    // sums over matrices of equal entries
    "sum(exp(s*ones(2,2) + ones(2,2)))",
    "sumsq(softplus(s*ones(3,2)) - 2*ones(3,2))",
    "sum((s*ones(2,3) + c*ones(2,3)).^2 .* tanh(s*ones(2,3)))",
    "sum(exp(s*eye(3) + 2*ones(3,3))) + sum(sin(s*eye(3)))",
    "sum(exp(s*zeros(2,2) + s*ones(2,2)))",
    "tr(exp(s*ones(3,3)) .* exp(c*ones(3,3)))",
    // sums and products
    "tr(C'*X)",
    "tr(Z) + tr(Z') + 3*s*c + s^2*d",
    "sumsq(X)",
    "sumsq(X - C)",
    "sumsq(Y - M*X)",
    "sumsq(Y - M*X) + 0.5*sumsq(X) + c*tr(Z*T*Z')",
    "sumsq(M*X*Z - Y)",
    "tr(A*X*B*X')",
    "tr(S*X*T*X') - 2*tr(C'*X)",
    "tr(S*X*T*X') - 2*tr(C'*X) + sumsq(M*X)",
    "tr(X'*A*X)",
    "tr(Z*B*Z')",
    "tr(X*B*X'*A)",
    "tr(X*T*X'*S)",
    "sumsq(X'*X - T)",
    "sumsq(X*X' - A)",
    "sumsq(X'*A*X)",
    "tr((2*eye(3) - X'*S*X)*(X'*A*X))",
    "tr(X'*A*X*Z*U*Z') - sumsq(X'*C*Z)",
    "sumsq(A*X*B*F*X*B)",
    "tr(X*F*X*F)",
    "tr(X*F*X*F*X*F)",
    "x'*B*x",
    "x'*T*x - 2*v'*x",
    "(x'*B*x)^2 + c*(v'*x)^3",
    "sumsq(x*v' - B)",
    "sumsq(u*x' - C)",
    "(u'*X*v)*(u'*C*x)",
    "s*tr(X'*C) + d*s^2 - c*s",
    "c*d*tr(X'*A*C) + d^2*sumsq(X)",
    "tr(X'*X*Z) + tr(Z*Z)",
    "tr(X'*(A*X + C*Z))",
    "sumsq((X*Z)'*(X*Z))",
    "sumsq(A*X + C*Z*B - P)",
    "tr(2*s*A*X*B*C')",
    "tr((X + 2*C)'*A*(X - C))",
    "sumsq(B*x - v) + sumsq(x)/2",
    "tr(X*(B + B')*X') + tr(X*B*X')",
    // powers
    "tr(Z^2)",
    "tr(Z^3*B)",
    "sumsq(Z^4)",
    "tr(Z^7)",
    "tr((0.5*Z)^13*B) + tr(B^14*Z) + sumsq((0.4*Z)^17*B - T)",
    "sum(P.^c) + sum((P + X.^2).^s)",
    "tr(B^5*Z)",
    "tr(Z^-2*B)",
    "sumsq(X.^3)",
    "sum(P.^c.*X)",
    "sum((X.^2 + ones(4,3)).^0.5)",
    "sum((X.^2 + ones(4,3)).^s)",
    "sum(P.^X)",
    "(s^2 + 1)^0.5 + (s^2+2)^s",
    "norm2(X - C) + norm2(x)",
    "1/(1 + sumsq(X)) + tr(C'*X)/(2 + s^2)",
    "sqrt(1 + x'*T*x)",
    // transposes, constants
    "sumsq(X' - F)",
    "tr(X*F) + tr(F*X)",
    "tr(exp(X)'*C)",
    "sumsq(exp(X)' + F)",
    "sumsq(X + ones(4,3))",
    "sumsq(X + ones(4,3)*Z)",
    "sumsq(Z + eye(3)) + tr((Z - 2*eye(3))'*B*(Z - 2*eye(3)))",
    "sum(X) + sum(X*Z) + sum(A*X*B)",
    "sum(A*X.*C) + sum(X*Z*F)",
    "sumsq(X - u*ones(1,3)) + sumsq(ones(4,1)*x' - X)",
    "sumsq(comm(4,3)*(k.*vec(X)) - k)",
    // inverses and determinants
    "logdet(T + x*x')",
    "logdet(S + X*X') + tr(inv(S + X*X')*A)",
    "det(Z + 3*eye(3))",
    "det(Z'*Z + T)*s",
    "tr(inv(Z + 4*eye(3)))",
    "tr(inv(Z + 4*eye(3))*B)",
    "sumsq(inv(Z + 4*eye(3))*B)",
    "sumsq(C*inv(Z + 4*eye(3)))",
    "sumsq(inv(S)*X)",
    "tr(X'*inv(S)*X) - logdet(X'*inv(A + A' + 9*eye(4))*X + 3*T)",
    "x'*inv(T)*x + x'*inv(U + 5*eye(3))*v",
    "x'*inv(Z + 4*eye(3))*v + v'*inv(Z' + 4*eye(3))*x",
    "tr(inv(Z + 4*eye(3))'*inv(T)*Z)",
    "log(1 + x'*inv(T)*x) + 2*logdet(Z*T*Z' + T)",
    // functions of symmetric matrices
    "tr(expm(Z + Z')) + tr(B*expm(X'*X - T))",
    "sumsq(expm(0.3*T + x*x') - B)",
    "tr(sqrtm(X'*X + T)) + sumsq(sqrtm(X*X' + S) - A)",
    "tr(B*sqrtm(Z*Z' + T)) + sumsq(logm(Z*Z' + T))",
    "tr(T*logm(X'*S*X + T)) + x'*logm(T + x*x')*v",
    "tr(logm(T)*Z) + tr(sqrtm(T)*Z*expm(B + B')) + s*tr(expm(s*T))",
    "sum(dlogm(T, Z).*Z) + sumsq(dsqrtm(T, Z*B)) + tr(dexpm(T, U*Z)*Z) + x'*d2logm(T, Z, B)*v + sum(d2expm(T, Z, Z'))",
    // singular values
    "nuclear_norm(X) + spectral_norm(X)*nuclear_norm(Z*B)",
    "sumsq(A*X - P) + 0.7*nuclear_norm(X'*A) + spectral_norm(M*X - Y)",
    "nuclear_norm(X*Z) + spectral_norm(Z' + B) + nuclear_norm(x) + nuclear_norm(U)*s",
    "tr(polar_factor(C)*Z*F) + sum(dpolar_factor(C, X).*P) + tr(dleading_dyad(B, Z)*Z) + tr(leading_dyad(F)*X)",
    "nuclear_norm(X')^2 + spectral_norm([X, C])",
    // diagonals
    "tr(diag(x)*B*diag(x)*T)",
    "sumsq(diag(x)*F + F*diag(u))",
    "sumsq(C*diag(x) - X)",
    "sumsq(diag(v)*Z*diag(x))",
    "sumsq(diagvec(Z) - v)",
    "sumsq(diagvec(X*F) - u) + x'*diagvec(X'*A*X)",
    "sum(diagvec(Z.*B).^2) + logdet(diag(exp(x)) + T)",
    // Kronecker products and stacking
    "sumsq(kron(X, B)*ones(9,1))",
    "tr(kron(A, Z)*G)",
    "tr(kron(Z, A)'*G)",
    "sumsq(kron(Z, X))",
    "sumsq(kron(A, Z)*k)",
    "vec(X)'*kron(T, S)*vec(X)",
    "vec(X)'*kron(B, A)*vec(X) + k'*vec(X)",
    "k'*kron(B, A)*kron(B, A)*vec(X) + vec(X)'*k",
    "sumsq(kron(T, S)*k) + sumsq(kron(T, S)*(vec(X) - k))",
    "vec(X)'*kron(Z, A)*k*s + vec(C)'*vec(X*Z)",
    "sumsq(vec(X*Z) - k)",
    "sumsq(kron(x, u) - k) + sumsq(kron(x', Z))",
    "tr(kron(exp(Z), A)*kron(B, A))",
    // entrywise functions
    "sum(exp(X))",
    "sum(log(P + X.^2)) + sum(log(P.*P))",
    "sum(sin(X).*cos(X)) + sin(s)*cos(c)",
    "sum(tan(X)) + sum(tanh(X*Z))",
    "sum(abs(X - C)) + norm1(M*X)",
    "sum(sign(C).*X) + sum(sign(X).*X.^2)",
    "sum(sigmoid(M*X)) + sigmoid(s)",
    "sum(relu(M*X - Y)) + relu(s + 3)",
    "sum(softplus(Y.*(M*X)))",
    "sumsq(sqrt(exp(X)) - C)",
    "sumsq(X.*C - P./(P + X.^2))",
    "sum(X.*C.*P.*X)",
    "sumsq((A*X).*(C*Z))",
    "sum(exp(A*X).*(C*Z)) + exp(s)*tr(Z)",
    "sum(exp(sin(cos(tanh(sigmoid(X.*C + P).*X + P).*C + X).*X + P).*C + X))",
    "sum(X.*(C + X.*(C + X.*(C + X.*(C + X.*(C + X.*(C + X.*(C + X.*(C + X)))))))))",
    "sum(exp(-1*X).*(ones(4,3) + exp(-1*X)).^-1)",
    "s^3 + 2*s + sin(s*c)",
    // submatrices and blocks
    "sumsq(X(2:3,:) - C(1:2,:)) + X(4,2)*Z(1,3) + sum(Z(:,2:3))",
    "tr(Z(1:2,2:3)*B(2:3,1:2)) + sumsq(A(2:4,:)*X*T(:,1:2)) + x(2)*x(3)",
    "sumsq([X, C]*[Z; B]) + sum(exp([Z, x; x', s])) + sumsq([Z, x; x', s])",
    "sumsq(exp(X)(2:3,:)*Z) + logdet([T + x*x', 0*x; 0*x', 1 + s^2])",
    "sum(submatrix(X', 2, 3, 1, 0).*F(2:3,:)) + sumsq(X(:,1)*r + A(:,1:3))",
    // the larger and the smaller, sums, log-sum-exp, triangles
    "sum(max(X, C).*P) + sum(min(X, 0.5)) + max(s, c)*min(s, d)",
    "sumsq(max(min(X.*P, C), s)) + sum(max(X', F).*F)",
    "sumsq(sum_rows(X) - u) + sumsq(sum_columns(A*X) - r)",
    "mean(X.^2) + var(X*B) + mean(s) + exp(var(2*s*X + C))",
    "logsumexp(X*B) + logsumexp(x) + 2*logsumexp(s*ones(2,3))",
    "u'*logsumexp_rows(X*Z) + logsumexp_columns(X)*v",
    "sum(softmax_rows(X).*C) + sumsq(softmax_columns(X*Z))",
    "log(sum(exp(x))) - log(2*exp(x)'*ones(3,1)) + sum(log(exp(X)*ones(3,1))) + sum(log(ones(1,4)*exp(X)))",
    "sum(log(ones(4,3) + exp(X))) + log(1 + exp(s)) + sum(log(cosh(X))) + log1p(exp(s))",
    "sumsq(triu(Z) - B) + tr(tril(Z)*T) + sumsq(triu(X)*Z) + sum(tril(X'))",
    "tanh(x'*v)*exp(-1*x'*T*x)",
    "sum(exp(ones(4,1)*x')) + log(sum(exp(x)))",
    "tr(C'*X)*tr(C'*X)*s",
    "sumsq(tr(Z)*X - C)",
    "sumsq(M*X)*sumsq(X*Z)",
    "sumsq(Z*Z'*Z) + sumsq(X*Z*Z')",
};

enum { EXPRESSION_COUNT = (int)(sizeof expressions / sizeof expressions[0]) };

typedef struct fixture {
  tg_graph *graph;
  tg_node f;
  int32_t n;
  int32_t wrt[VARIABLES_MAX];
  int32_t along[VARIABLES_MAX];
  double *values[SYMBOLS_MAX]; // by symbol
  tg_plan *plan;
  serial_exec *exec;
  const double *data[SYMBOLS_MAX];
  const char *text;
  const char *without;
} fixture;

static void succeed(const fixture *f, tg_status status)
{
  if (status != TG_OK) fail_msg("%s, without %s: %s", f->text, f->without, tg_error_get()->message);
}

static int64_t entries(const fixture *f, int32_t symbol)
{
  const tg_symbol *info = tg_symbol_info(f->graph, symbol);
  return tg_dim_value(f->graph, info->rows) * tg_dim_value(f->graph, info->cols);
}

static void fill_symbols(fixture *f)
{
  for (int32_t s = 0; s < tg_symbol_count(f->graph); s++) {
    if (f->values[s] != NULL) continue;
    const tg_symbol *info = tg_symbol_info(f->graph, s);
    assert_true(s < SYMBOLS_MAX);
    assert_int_equal(tg_alloc_numbers(entries(f, s), &f->values[s]), TG_OK);
    // The letters S, U, P give definite, well conditioned, positive contents; T is definite too.
    const char *name = strcmp(info->name, "T") == 0 ? "S" : info->name;
    sample_fill(name, tg_dim_value(f->graph, info->rows), tg_dim_value(f->graph, info->cols), (uint64_t)s + 11,
                f->values[s]);
  }
}

static void compile(fixture *f, const char *text)
{
  *f = (fixture){.text = text, .without = "nothing"};
  const tg_compile_options options = {.n_declarations = NAME_COUNT, .declarations = names, .require_scalar = true};
  succeed(f, tg_graph_create(&f->graph));
  succeed(f, tg_compile(f->graph, text, strlen(text), &options, &f->f));
  for (int k = 0; k < VARIABLES_MAX; k++) {
    const int32_t symbol = tg_symbol_find(f->graph, names[k].name);
    if (symbol >= 0 && tg_node_depends_on(f->graph, f->f, symbol)) f->wrt[f->n++] = symbol;
  }
  // A constant objective is one in X all the same.
  if (f->n == 0) f->wrt[f->n++] = tg_symbol_find(f->graph, "X");
}

static void lower(fixture *f, const tg_lower_options *options)
{
  bool known[SYMBOLS_MAX] = {false};
  double scalars[SYMBOLS_MAX] = {0};
  tg_lower_options full = *options;
  fill_symbols(f);
  const int32_t c = tg_symbol_find(f->graph, "c");
  if (c >= 0) {
    known[c] = true;
    scalars[c] = f->values[c][0];
  }
  full.scalar_values = scalars;
  full.has_scalar_value = known;
  full.want_hessian = true;
  succeed(f, tg_lower(f->graph, f->f, f->n, f->wrt, &full, &f->plan));
  fill_symbols(f);
  for (int32_t k = 0; k < f->n; k++) {
    char name[8];
    snprintf(name, sizeof name, "D_%s", tg_symbol_info(f->graph, f->wrt[k])->name);
    f->along[k] = tg_symbol_find(f->graph, name);
    assert_true(f->along[k] >= 0);
  }
  for (int32_t k = 0; k < f->plan->n_data; k++) f->data[k] = f->values[tg_symbol_find(f->graph, f->plan->data[k].name)];
  succeed(f, serial_exec_create(f->plan, f->data, &f->exec));
  for (int32_t k = 0; k < f->n; k++) {
    serial_exec_bind(f->exec, TG_BUFFER_VARIABLE, k, f->values[f->wrt[k]]);
    serial_exec_bind(f->exec, TG_BUFFER_DIRECTION, k, f->values[f->along[k]]);
  }
}

static void unlower(fixture *f)
{
  serial_exec_destroy(&f->exec);
  tg_plan_destroy(&f->plan);
}

static void unload(fixture *f)
{
  unlower(f);
  for (int s = 0; s < SYMBOLS_MAX; s++) tg_free(f->values[s]);
  tg_graph_destroy(&f->graph);
}

// ---- comparison ----

static void compare(const fixture *f, const char *what, const double *found, tg_node node)
{
  double *expected = NULL;
  const tg_info *info = tg_node_info(f->graph, node);
  const int64_t count = tg_dim_value(f->graph, info->rows) * tg_dim_value(f->graph, info->cols);
  double scale = 1;
  succeed(f, tg_sample(f->graph, node, (const double *const *)f->values, &expected));
  for (int64_t k = 0; k < count; k++) scale = fmax(scale, fabs(expected[k]));
  for (int64_t k = 0; k < count; k++)
    if (!(fabs(found[k] - expected[k]) <= 1e-9 * scale))
      fail_msg("%s, without %s: entry %lld of the %s is %.15g, expected %.15g", f->text, f->without, (long long)k, what,
               found[k], expected[k]);
  tg_free(expected);
}

static void run(const fixture *f, tg_program_id program)
{
  succeed(f, serial_exec_run(f->exec, program));
}

static double *block(const fixture *f, tg_buffer_kind kind, int32_t index)
{
  const int32_t id = tg_plan_find_buffer(f->plan, kind, index);
  assert_true(id >= 0);
  return serial_exec_buffer(f->exec, id);
}

static void check_value(const fixture *f)
{
  run(f, TG_PROGRAM_VALUE);
  const double value = serial_exec_register(f->exec, f->plan->value_register);
  compare(f, "value", &value, f->f);
}

static void check_gradient(const fixture *f)
{
  tg_node gradient[VARIABLES_MAX];
  run(f, TG_PROGRAM_GRADIENT);
  const double value = serial_exec_register(f->exec, f->plan->value_register);
  compare(f, "value with the gradient", &value, f->f);
  succeed(f, tg_gradient(f->graph, f->f, f->n, f->wrt, gradient));
  for (int32_t k = 0; k < f->n; k++) compare(f, "gradient", block(f, TG_BUFFER_GRADIENT, k), gradient[k]);
}

static void direction_nodes(const fixture *f, tg_node *out)
{
  for (int32_t k = 0; k < f->n; k++) succeed(f, tg_make_sym(f->graph, f->along[k], &out[k]));
}

static void check_hessian(const fixture *f)
{
  tg_node gradient[VARIABLES_MAX];
  tg_node along[VARIABLES_MAX];
  direction_nodes(f, along);
  run(f, TG_PROGRAM_HESSIAN);
  succeed(f, tg_gradient(f->graph, f->f, f->n, f->wrt, gradient));
  for (int32_t k = 0; k < f->n; k++) {
    tg_node action = TG_NONE;
    succeed(f, tg_forward(f->graph, gradient[k], f->n, f->wrt, along, &action));
    compare(f, "Hessian action", block(f, TG_BUFFER_HESSIAN, k), action);
  }
}

static void check_direction(const fixture *f)
{
  tg_node along[VARIABLES_MAX];
  tg_node line[TG_LINE_DEGREE_MAX + 1];
  if (f->plan->line_by_hessian) return; // then check_hessian has seen all that a step needs
  direction_nodes(f, along);
  run(f, TG_PROGRAM_DIRECTION);
  succeed(f, tg_line_polynomial(f->graph, f->f, f->n, f->wrt, along, f->plan->degree, line));
  for (int32_t k = 1; k <= f->plan->degree; k++) {
    const double found = serial_exec_register(f->exec, f->plan->line_registers[k]);
    compare(f, "line", &found, line[k]);
  }
}

// One step along the direction: the images that ADVANCE moved must serve the new point.
static void check_step(const fixture *f, double step)
{
  for (int32_t k = 0; k < f->n; k++)
    for (int64_t i = 0; i < entries(f, f->wrt[k]); i++) f->values[f->wrt[k]][i] += step * f->values[f->along[k]][i];
  if (f->plan->has_state) {
    serial_exec_set_register(f->exec, f->plan->step_register, step);
    run(f, TG_PROGRAM_ADVANCE);
  }
  check_value(f);
  check_gradient(f);
  check_hessian(f);
  check_direction(f);
}

// At X = 0 ORIGIN has what GRADIENT has there.
static void check_gradient_at_zero(const fixture *f)
{
  tg_node gradient[VARIABLES_MAX];
  if (f->plan->programs[TG_PROGRAM_GRADIENT_AT_ZERO].n_instrs == 0) return;
  for (int32_t k = 0; k < f->n; k++)
    for (int64_t i = 0; i < entries(f, f->wrt[k]); i++) f->values[f->wrt[k]][i] = 0;
  run(f, TG_PROGRAM_GRADIENT_AT_ZERO);
  const double value = serial_exec_register(f->exec, f->plan->value_register);
  compare(f, "value at the origin", &value, f->f);
  succeed(f, tg_gradient(f->graph, f->f, f->n, f->wrt, gradient));
  for (int32_t k = 0; k < f->n; k++) compare(f, "gradient at the origin", block(f, TG_BUFFER_GRADIENT, k), gradient[k]);
}

static void check_programs(const fixture *f)
{
  run(f, TG_PROGRAM_SETUP);
  run(f, TG_PROGRAM_REFRESH);
  check_value(f);
  check_gradient(f);
  check_hessian(f);
  const int degree = tg_degree(f->graph, f->f, f->n, f->wrt);
  assert_int_equal(f->plan->has_line, degree >= 1 && degree <= TG_LINE_DEGREE_MAX);
  assert_int_equal(f->plan->degree, degree);
  if (!f->plan->has_line) return;
  check_direction(f);
  check_step(f, 0.25);
  check_step(f, -0.125);
  check_gradient_at_zero(f);
}

static void check_text(const tg_lower_options *options, const char *text, const char *without)
{
  fixture f;
  compile(&f, text);
  f.without = without;
  lower(&f, options);
  check_programs(&f);
  unload(&f);
}

static void check_with(const tg_lower_options *options, const char *without)
{
  for (int k = 0; k < EXPRESSION_COUNT; k++) check_text(options, expressions[k], without);
}

// ---- tests ----

static void all_passes(void **state)
{
  (void)state;
  check_with(&(tg_lower_options){.expected_iterations = 0}, "nothing");
}

static void each_entrywise_function(void **state)
{
  (void)state;
  const tg_lower_options options = {.expected_iterations = 0};
  for (int kind = TG_ENTRY_FIRST; kind < TG_ENTRY_END; kind++) {
    char text[ENTRY_TEXT_BYTES];
    entry_text(tg_entry((tg_kind)kind), "X", text);
    check_text(&options, text, "nothing");
    entry_text(tg_entry((tg_kind)kind), "s", text);
    check_text(&options, text, "nothing");
  }
}

// Few iterations make hoisting dear, many make it cheap: other plans, the same numbers.
static void few_iterations_and_many(void **state)
{
  (void)state;
  check_with(&(tg_lower_options){.expected_iterations = 1}, "iterations");
  check_with(&(tg_lower_options){.expected_iterations = 1000000}, "end");
}

static void each_pass_off(void **state)
{
  (void)state;
  for (int p = 0; p < TG_PASS_COUNT; p++) {
    tg_lower_options options = {.expected_iterations = 0};
    options.without[p] = true;
    check_with(&options, tg_pass_label((tg_pass)p));
  }
}

static void no_pass_at_all(void **state)
{
  (void)state;
  tg_lower_options options = {.expected_iterations = 0};
  for (int p = 0; p < TG_PASS_COUNT; p++) options.without[p] = true;
  check_with(&options, "any pass");
}

static void mark_kinds(const tg_graph *graph, tg_node node, bool *kinds)
{
  const tg_info *info = tg_node_info(graph, node);
  kinds[info->kind] = true;
  for (int32_t i = 0; i < info->n_args; i++) mark_kinds(graph, info->args[i], kinds);
}

// Whoever adds an operator adds an expression that uses it: it is lowered by the tests above or they fail.
static void table_covers_every_kind(void **state)
{
  (void)state;
  bool kinds[TG_KIND_COUNT] = {false};
  for (int k = 0; k < EXPRESSION_COUNT; k++) {
    fixture f;
    tg_node gradient[VARIABLES_MAX];
    tg_node along[VARIABLES_MAX];
    compile(&f, expressions[k]);
    lower(&f, &(tg_lower_options){.expected_iterations = 0});
    direction_nodes(&f, along);
    mark_kinds(f.graph, f.f, kinds);
    succeed(&f, tg_gradient(f.graph, f.f, f.n, f.wrt, gradient));
    for (int32_t i = 0; i < f.n; i++) {
      mark_kinds(f.graph, gradient[i], kinds);
      succeed(&f, tg_forward(f.graph, gradient[i], f.n, f.wrt, along, &gradient[i]));
      mark_kinds(f.graph, gradient[i], kinds);
    }
    unload(&f);
  }
  for (int kind = 0; kind < TG_MPOWER; kind++)           // the exponents of a job are numbers
    if (!kinds[kind] && tg_entry((tg_kind)kind) == NULL) // those: each_entrywise_function
      fail_msg("no expression of the table leads to a node of kind %d", kind);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_passes),
      cmocka_unit_test(each_entrywise_function),
      cmocka_unit_test(few_iterations_and_many),
      cmocka_unit_test(each_pass_off),
      cmocka_unit_test(no_pass_at_all),
      cmocka_unit_test(table_covers_every_kind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
