// opt_space on plain column-major arrays, for tests.
#ifndef SERIAL_SPACE_H
#define SERIAL_SPACE_H

#include "opt/space.h"

enum { SERIAL_BLOCKS_MAX = 8 };

typedef struct serial_space {
  opt_space base; // base.self points back here
  int64_t rows[SERIAL_BLOCKS_MAX];
  int64_t cols[SERIAL_BLOCKS_MAX];
  int64_t live;    // points created and not destroyed
  int64_t created; // ever
} serial_space;

// Fills the caller's storage, which must not move while points live.
void serial_space_init(serial_space *space, int n_blocks, const int64_t *rows, const int64_t *cols);

// Column q of every block is group q; all have as many columns.
void serial_space_group_columns(serial_space *space);

// The entries of block k, column-major, leading dimension rows[k]. Blocks follow each other without gaps, so that block
// 0 starts the whole point.
double *serial_block(opt_point *point, int k);
const double *serial_block_const(const opt_point *point, int k);

#endif
