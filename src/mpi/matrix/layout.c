// Index arithmetic of the block-cyclic distribution.
#include "mpi/matrix/layout.h"

int64_t tg_layout_count(int64_t n, int64_t block, int p, int np)
{
  const int64_t blocks = n / block;
  const int64_t rest = n % block;
  const int64_t extra = blocks % np;
  return blocks / np * block + (p < extra ? block : p == extra ? rest : 0);
}

int64_t tg_layout_global(int64_t local, int64_t block, int p, int np)
{
  return (local / block * np + p) * block + local % block;
}

int tg_layout_owner(int64_t global, int64_t block, int np)
{
  return (int)(global / block % np);
}

int64_t tg_layout_local(int64_t global, int64_t block, int np)
{
  return global / (block * np) * block + global % block;
}
