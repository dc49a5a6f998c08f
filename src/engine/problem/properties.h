// Declared properties of data, verified on the numbers.
#ifndef TG_ENGINE_PROPERTIES_H
#define TG_ENGINE_PROPERTIES_H

#include "grad/graph/graph.h"
#include "grad/plan/cost_terms.h"
#include "mpi/matrix/dmat.h"

// Whether the square matrix has the properties (bits of tg_property). Symmetry, zeros outside the diagonal and
// orthogonality are judged entry by entry with the tolerance 1e-12 (orthogonality 1e-10) of the largest entry;
// positive definiteness by a Cholesky factorisation of a copy. TG_DATA names the first offending entry in row-major
// order, counting from 1. Takes up to two copies of the matrix while it runs. Collective.
tg_status tg_properties_verify(const tg_dmat *matrix, const char *name, unsigned properties);
// What that takes on the fullest rank for an n x n matrix: a copy, of definite and orthogonal ones two. Local.
double tg_properties_bytes(const tg_cost_grid *grid, int64_t n, unsigned properties);

#endif
