// Arrays by ScaLAPACK's descriptors.
#ifndef TG_MPI_ARRAY_DESCRIPTOR_H
#define TG_MPI_ARRAY_DESCRIPTOR_H

#include "mpi/matrix/array.h"

// Fills all but numbers and target of a cyclic array from the nine integers and the BLACS context in them, which is
// asked and left alone. places: room for the ranks of comm, to which grid.ranks will point. TG_VALUE, TG_SHAPE or
// TG_LIMIT on all ranks where the descriptor is none of a dense matrix, or the ranks of comm do not hold its process
// grid. Collective.
tg_status tg_array_describe(MPI_Comm comm, const int descriptor[9], const char *name, int *places, tg_array *out);

#endif
