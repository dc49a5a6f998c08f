// Plans for tests: one for every operation, and a few whole objectives written by hand.
//
// Operands get reproducible contents by their names: S... symmetric positive definite, U... well conditioned,
// P... entries in (0.5, 1.5), all others entries in (-1, 1).
#ifndef TESTS_SUPPORT_SAMPLE_PLANS_H
#define TESTS_SUPPORT_SAMPLE_PLANS_H

#include "support/plan_emit.h"

// A plan whose SETUP runs the operation in all its forms on operands with sizes made of m, n and k.
// TG_INTERNAL for an operation without a sample: whoever adds one adds its sample too.
tg_status sample_plan_of_opcode(tg_opcode op, int64_t m, int64_t n, int64_t k, tg_plan **out);

// f(W) = |Y - X W|^2 + mu |W|^2, X m x n, Y m x p: image X W kept as state, line polynomial, Hessian action.
tg_status sample_plan_ridge(int64_t m, int64_t n, int64_t p, double mu, tg_plan **out);
// f(A) = tr(A B A' C) without state: A m x n, B n x n, C m x m; gradient C' A B' + C A B.
tg_status sample_plan_trace(int64_t m, int64_t n, tg_plan **out);
// f(X) = tr(S X) - logdet X, X n x n: the value is a numeric failure where X is not positive definite.
tg_status sample_plan_logdet(int64_t n, tg_plan **out);

// Column-major content of the operand (seed tells operands of equal name and shape apart).
void sample_fill(const char *name, int64_t rows, int64_t cols, uint64_t seed, double *out);
// A number in (-1, 1) that depends on its arguments only.
double sample_number(uint64_t seed, int64_t i, int64_t j);

#endif
