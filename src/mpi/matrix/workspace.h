// Scratch memory of repeated distributed operations: it grows while a program runs for the first time, and
// from then on nothing is allocated.
#ifndef TG_MPI_WORKSPACE_H
#define TG_MPI_WORKSPACE_H

#include "mpi/matrix/grid.h"

// Slots that one operation uses at the same time are different.
typedef enum tg_workspace_slot {
  TG_SLOT_VECTORS,   // vectors spread along grid rows and columns
  TG_SLOT_CONSTANTS, // of entrywise code
  TG_SLOT_PANEL_A,
  TG_SLOT_PANEL_B,
  TG_SLOT_PANEL_C,
  TG_SLOT_PACK,
  TG_SLOT_TRANSPOSED,
  TG_SLOT_TURNED,
  TG_SLOT_SEND,
  TG_SLOT_RECEIVE,
  TG_SLOT_INDEX,
  TG_SLOT_COUNT
} tg_workspace_slot;

typedef struct tg_workspace {
  const tg_grid *grid; // not owned
  int64_t capacity[TG_SLOT_COUNT];
  double *data[TG_SLOT_COUNT];
} tg_workspace;

// Local.
tg_status tg_workspace_create(const tg_grid *grid, tg_workspace **out);
void tg_workspace_destroy(tg_workspace **workspace);

// Room for `count` numbers in a slot, contents undefined, 64-byte aligned; valid until the slot is reserved again.
// count must be the same on all ranks (a bound over ranks, not the local need): then all ranks grow together,
// and a failure is agreed on. Collective when the slot must grow, else local.
tg_status tg_workspace_reserve(tg_workspace *workspace, tg_workspace_slot slot, int64_t count, double **out);
int64_t tg_workspace_bytes(const tg_workspace *workspace);

#endif
