// What the files of checkpoint share.
#ifndef TG_ENGINE_CHECKPOINT_PARTS_H
#define TG_ENGINE_CHECKPOINT_PARTS_H

#include "engine/checkpoint/checkpoint.h"
#include "engine/checkpoint/folder.h"
#include "engine/checkpoint/identity.h"
#include "engine/checkpoint/manifest.h"

struct tg_checkpoint {
  MPI_Comm comm;
  int rank;
  int ranks;
  const tg_spec *spec;
  const char *directory;
  bool speaks;
  json_t *identity; // of the job
  uint64_t owner;   // its hash
  json_t *data;     // identity of the data, once bound
  uint64_t plan;
  int64_t planned_iterations;
  json_t *attempts;    // of the caller; NULL: none
  tg_manifest *source; // NULL: not resumed
  char source_path[4096];
  double last; // when the last attempt ended
  int n_known; // rank 0: the generations there are, newest first
  tg_generation *known;
  int64_t next_serial;
  tg_checkpoint_log log;
};

// directory/folder/name into path. Local.
tg_status tg_checkpoint_path(const tg_checkpoint *c, const char *folder, const char *name, tg_text *path);
// A warning on rank 0, for those who listen.
__attribute__((format(printf, 2, 3))) void tg_checkpoint_warn(const tg_checkpoint *c, const char *format, ...);
// Looks at the generations there are: which are ours. Rank 0, local.
tg_status tg_checkpoint_survey(tg_checkpoint *c);
// Finds the checkpoint to go on from: c->source. Collective.
tg_status tg_checkpoint_choose(tg_checkpoint *c);

#endif
