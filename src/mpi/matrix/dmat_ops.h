// The plan's operations on block-cyclic matrices, products and factorisations apart.
//
// Unless a comment says otherwise the matrices of one call live on one grid with one block size, and shapes
// agree: the plan was verified, so a mismatch is TG_INTERNAL. Local operations need no agreement: they cannot
// fail on one rank only. Sums are made in a fixed order (reduce.h). Nothing is allocated in a repeated call.
#ifndef TG_MPI_DMAT_OPS_H
#define TG_MPI_DMAT_OPS_H

#include "grad/plan/plan.h"
#include "mpi/matrix/dmat.h"
#include "mpi/matrix/workspace.h"

// --- entry by entry (dmat_linear.c): local ---

// out = sum_k coefs[k] in[k], one fused pass; out may be any of the inputs. n = 0 fills zeros.
tg_status tg_dmat_lincomb(int n, const double *coefs, const tg_dmat *const *in, tg_dmat *out);
tg_status tg_dmat_copy(const tg_dmat *in, tg_dmat *out);
void tg_dmat_fill(double value, tg_dmat *out);
// out = value * identity, also for a rectangular out.
void tg_dmat_eye(double value, tg_dmat *out);
// out(0,0) = value, out 1 x 1.
tg_status tg_dmat_store(double value, tg_dmat *out);
// out = 1 on and above the diagonal (on and below it if `lower`), 0 elsewhere. Local.
void tg_dmat_triangle(bool lower, tg_dmat *out);
// out(i, i + offset) = 1, 0 elsewhere: rows of an identity. Local.
void tg_dmat_pick(int64_t offset, tg_dmat *out);
// out(i, j) = in(i + down, j + right), 0 where in has no such entry. Collective.
tg_status tg_dmat_slice(tg_workspace *workspace, const tg_dmat *in, int64_t down, int64_t right, tg_dmat *out);
// out = log sum exp of in: of all entries (out 1 x 1), of each row (m x 1) or of each column (1 x n), without
// overflow: the largest is taken out. NaN stays. Collective.
tg_status tg_dmat_logsumexp(tg_workspace *workspace, const tg_dmat *in, tg_dmat *out);
// out = commutation matrix K(m,n), mn x mn: K vec(X) = vec(X') for X m x n.
tg_status tg_dmat_comm(int64_t m, int64_t n, tg_dmat *out);

// --- scalars (dmat_linear.c): give this rank's part, tg_reduce_sum makes totals of a batch ---

// Part of <a, b>. Local.
tg_status tg_dmat_dot_part(const tg_dmat *a, const tg_dmat *b, double *part);
// Part of tr a. Local.
tg_status tg_dmat_trace_part(const tg_dmat *a, double *part);
// The same with the total made at once. Collective.
tg_status tg_dmat_dot(const tg_dmat *a, const tg_dmat *b, double *out);
tg_status tg_dmat_trace(const tg_dmat *a, double *out);
// The entry of a 1 x 1 matrix, on every rank. Collective.
tg_status tg_dmat_fetch(const tg_dmat *a, double *out);

// --- entrywise code (dmat_entrywise.c) ---

// out(i,j) = code(in..., i, j). out may be an input read by LOAD. Collective if the code holds ROW or COL.
tg_status tg_dmat_entrywise(tg_workspace *workspace, int n_in, const tg_dmat *const *in, int n_code,
                            const tg_code *code, const double *registers, tg_dmat *out);
// This rank's part of sum_ij code(in..., i, j) over the shape of in[0]. Collective if the code holds ROW or COL.
tg_status tg_dmat_entrywise_part(tg_workspace *workspace, int n_in, const tg_dmat *const *in, int n_code,
                                 const tg_code *code, const double *registers, double *part);
// Value of code without LOAD, ROW and COL: scalar arithmetic over registers. Local.
// *error bounds what rounding has done to it, to first order, given such bounds of the registers (J. Wilkinson's
// running error analysis; N. Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.3).
tg_status tg_code_scalar(int n_code, const tg_code *code, const double *registers, const double *errors, double *out,
                         double *error);

// --- moving entries (dmat_transpose.c, dmat_move.c, dmat_kron.c): collective ---

// out = alpha in'.
tg_status tg_dmat_transpose(tg_workspace *workspace, double alpha, const tg_dmat *in, tg_dmat *out);
// out = alpha in' + beta out; beta = 0 does not read out.
tg_status tg_dmat_transpose_add(tg_workspace *workspace, double alpha, const tg_dmat *in, double beta, tg_dmat *out);
// m = (m + m')/2 of a square matrix, equal to its transpose bit by bit. Collective.
tg_status tg_dmat_symmetrise(tg_workspace *workspace, tg_dmat *m);
// m(i,j) = m(j,i) above the diagonal of a square matrix, on one rank only. Local.
void tg_dmat_mirror_lower(tg_dmat *m);
// out (n x n) = diagonal matrix of the vector in (n x 1 or 1 x n).
tg_status tg_dmat_diag(tg_workspace *workspace, const tg_dmat *in, tg_dmat *out);
// out (n x 1) = diagonal of in (n x n).
tg_status tg_dmat_diagvec(tg_workspace *workspace, const tg_dmat *in, tg_dmat *out);
// out = in's entries in column-major order in another shape of as many entries. Block sizes may differ.
tg_status tg_dmat_reshape(tg_workspace *workspace, const tg_dmat *in, tg_dmat *out);
// out = in, with another block size or on another grid over the same ranks in the same order.
tg_status tg_dmat_redistribute(tg_workspace *workspace, const tg_dmat *in, tg_dmat *out);
// out(to[i], j) = in(i, j), or of columns out(i, to[j]) = in(i, j); to = -1: nowhere. to grows where it is not -1, and
// covers out; the same on all ranks. Takes memory for a piece while it runs.
tg_status tg_dmat_select(const tg_dmat *in, bool is_columns, const int64_t *to, tg_dmat *out);
// out = kron(a, b): out(i p + k, j q + l) = a(i,j) b(k,l), a m x n, b p x q.
tg_status tg_dmat_kron(tg_workspace *workspace, const tg_dmat *a, const tg_dmat *b, tg_dmat *out);
// out (m x n): out(i,j) = <block (i,j) of g, b>, b p x q, g mp x nq.
tg_status tg_dmat_kron_left(tg_workspace *workspace, const tg_dmat *g, const tg_dmat *b, tg_dmat *out);
// out (p x q) = sum_ij a(i,j) * block (i,j) of g, a m x n, g mp x nq.
tg_status tg_dmat_kron_right(tg_workspace *workspace, const tg_dmat *g, const tg_dmat *a, tg_dmat *out);

// Where entry (i, j) of the one matrix goes in the other; to_i = -1: nowhere.
typedef struct tg_dmat_map {
  void (*place)(const void *self, int64_t i, int64_t j, int64_t *to_i, int64_t *to_j);
  const void *self;
} tg_dmat_map;
// out(map(i, j)) = in(i, j), in bounded rounds of an all-to-all; entries of out that nothing maps to are kept.
// Grids may differ as in tg_dmat_redistribute. Collective.
tg_status tg_dmat_exchange(tg_workspace *workspace, const tg_dmat *in, tg_dmat_map map, tg_dmat *out);

#endif
