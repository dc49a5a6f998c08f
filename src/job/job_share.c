// A job on all ranks of a communicator.
#include "job/job_share.h"

#include "base/memory.h"
#include "mpi/matrix/grid.h"

// Rank 0 has the text; the others get its length, room for it and its bytes.
static tg_status share_text(MPI_Comm comm, int rank, char **text, size_t *length)
{
  int64_t bytes = (int64_t)*length;
  TG_TRY_MPI(MPI_Bcast(&bytes, 1, MPI_INT64_T, 0, comm));
  *length = (size_t)bytes;
  void *memory = *text;
  tg_status status = TG_OK;
  if (rank != 0) status = tg_alloc(bytes + 1, 1, &memory);
  *text = memory;
  TG_TRY(tg_agree(comm, status));
  return tg_mpi_check(MPI_Bcast(*text, (int)bytes, MPI_CHAR, 0, comm), TG_HERE);
}

tg_status tg_job_load_shared(MPI_Comm comm, const char *path, int n_sets, const char *const *sets, tg_job **out)
{
  *out = NULL;
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  char *text = NULL;
  size_t length = 0;
  tg_status status = rank == 0 ? tg_job_load(path, &text, &length) : TG_OK;
  TG_TRY_GOTO(tg_agree(comm, status));
  TG_TRY_GOTO(share_text(comm, rank, &text, &length));
  status = tg_job_create(path, text, length, n_sets, sets, out);
  TG_TRY_GOTO(tg_agree(comm, status));
  // The same bytes give the same outcome everywhere, but memory may end on one rank alone.
  TG_TRY_GOTO(tg_agree(comm, tg_job_read(*out)));
done:
  tg_free(text);
  return status;
}
