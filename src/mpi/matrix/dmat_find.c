// The first offender in row-major order, whatever rank has it.
#include "mpi/matrix/dmat_find.h"

void tg_found_note(const tg_dmat *m, int64_t i, int64_t j, double a, double b, tg_found *first)
{
  const int64_t row = tg_layout_global(i, m->block, m->grid->row, m->grid->rows);
  const int64_t column = tg_layout_global(j, m->block, m->grid->col, m->grid->cols);
  const int64_t place = row * m->cols + column;
  if (place < first->place) *first = (tg_found){.place = place, .values = {a, b}};
}

tg_status tg_found_share(const tg_grid *grid, tg_found *first)
{
  int64_t place = 0;
  TG_TRY_MPI(MPI_Allreduce(&first->place, &place, 1, MPI_INT64_T, MPI_MIN, grid->comm));
  if (place == INT64_MAX) return TG_OK;
  int owner = first->place == place ? grid->rank : 0;
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &owner, 1, MPI_INT, MPI_MAX, grid->comm));
  first->place = place;
  return tg_mpi_check(MPI_Bcast(first->values, 2, MPI_DOUBLE, owner, grid->comm), TG_HERE);
}

tg_status tg_dmat_find_negative(const tg_dmat *m, tg_found *first)
{
  *first = (tg_found){.place = INT64_MAX};
  for (int64_t j = 0; j < m->local_cols; j++) {
    for (int64_t i = 0; i < m->local_rows; i++) {
      const double value = m->data[i + j * m->ld];
      if (!(value >= 0)) tg_found_note(m, i, j, value, 0, first);
    }
  }
  return tg_found_share(m->grid, first);
}
