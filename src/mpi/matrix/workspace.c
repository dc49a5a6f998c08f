// Scratch memory of repeated distributed operations.
#include "mpi/matrix/workspace.h"

#include "base/memory.h"

tg_status tg_workspace_create(const tg_grid *grid, tg_workspace **out)
{
  TG_TRY(TG_NEW(1, out));
  (*out)->grid = grid;
  return TG_OK;
}

void tg_workspace_destroy(tg_workspace **workspace)
{
  if (*workspace == NULL) return;
  for (int slot = 0; slot < TG_SLOT_COUNT; slot++) tg_free((*workspace)->data[slot]);
  tg_free(*workspace);
  *workspace = NULL;
}

tg_status tg_workspace_reserve(tg_workspace *workspace, tg_workspace_slot slot, int64_t count, double **out)
{
  *out = workspace->data[slot];
  if (count <= workspace->capacity[slot] && *out != NULL) return TG_OK;
  // The old contents are not wanted: freeing first keeps the peak low.
  tg_free(workspace->data[slot]);
  workspace->data[slot] = NULL;
  workspace->capacity[slot] = 0;
  TG_TRY(tg_agree(workspace->grid->comm, tg_alloc_numbers(count, &workspace->data[slot])));
  workspace->capacity[slot] = count;
  *out = workspace->data[slot];
  return TG_OK;
}

int64_t tg_workspace_bytes(const tg_workspace *workspace)
{
  int64_t numbers = 0;
  for (int slot = 0; slot < TG_SLOT_COUNT; slot++) numbers += workspace->capacity[slot];
  return numbers * (int64_t)sizeof(double);
}
