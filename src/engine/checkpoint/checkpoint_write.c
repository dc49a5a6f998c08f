// Writing: under a temporary name, every file synced, read back for its checksum, renamed; then the old ones go.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/version.h"
#include "base/whole_file.h"
#include "engine/checkpoint/checkpoint_parts.h"
#include "mpi/file/files.h"
#include "mpi/file/io_posix.h"
#include "mpi/file/slab.h"
#include "mpi/space/space.h"

// One matrix of the state.
typedef struct piece {
  char name[TG_MANIFEST_NAME_MAX + 1];
  int vector; // position in the listing
  const tg_dmat *matrix;
  int64_t bytes; // as found on the disk
  uint64_t hash;
} piece;

typedef struct writing {
  tg_checkpoint *c;
  const opt_listing *listing;
  const tg_checkpoint_facts *facts;
  tg_generation generation;
  tg_text folder; // temporary
  int n_pieces;
  piece *pieces;
  int64_t needed; // bytes
} writing;

// ---- what there is to write ----

// "x.npy"; of several variables "x.U.npy".
static void name_piece(const writing *w, const opt_listed_vector *vector, int block, int n_blocks, piece *out)
{
  const tg_spec *spec = w->c->spec;
  const char *variable = block < spec->n_variables ? spec->variables[block].name : "";
  if (n_blocks == 1)
    snprintf(out->name, sizeof out->name, "%s.npy", vector->name);
  else if (strlen(variable) <= 100)
    snprintf(out->name, sizeof out->name, "%s.%s.npy", vector->name, variable);
  else
    snprintf(out->name, sizeof out->name, "%s.%d.npy", vector->name, block + 1);
}

static tg_status list_pieces(writing *w)
{
  int64_t count = 0;
  for (int k = 0; k < w->listing->n_vectors; k++) count += tg_space_blocks(w->listing->vectors[k].point);
  TG_TRY(TG_NEW(count, &w->pieces));
  for (int k = 0; k < w->listing->n_vectors; k++) {
    const opt_listed_vector *vector = &w->listing->vectors[k];
    const int n_blocks = tg_space_blocks(vector->point);
    for (int block = 0; block < n_blocks && !vector->is_idle; block++) {
      piece *p = &w->pieces[w->n_pieces++];
      p->vector = k;
      p->matrix = tg_space_block(vector->point, block);
      name_piece(w, vector, block, n_blocks, p);
      w->needed += 128 + 8 * p->matrix->rows * p->matrix->cols; // 128: a header
    }
  }
  return TG_OK;
}

// The serial behind all there are: a run that was killed may have ended after this one had looked.
static tg_status choose_name(writing *w)
{
  tg_checkpoint *c = w->c;
  int count = 0;
  tg_generation *list = NULL;
  TG_TRY(tg_folder_list(c->directory, &count, &list));
  if (count > 0 && list[0].serial >= c->next_serial) c->next_serial = list[0].serial + 1;
  tg_free(list);
  tg_generation_name(c->next_serial, w->facts->iteration, &w->generation);
  w->generation.is_ours = true;
  return TG_OK;
}

// Rank 0. Asking for the room first turns hours of writing into a second.
static tg_status begin(writing *w)
{
  tg_checkpoint *c = w->c;
  TG_TRY(tg_make_folder(c->directory)); // it may have vanished since
  TG_TRY(choose_name(w));
  TG_TRY(tg_folder_begin(c->directory, c->owner, &w->folder));
  const int64_t free_bytes = tg_io_free_bytes(tg_text_string(&w->folder));
  if (free_bytes < 0 || free_bytes >= w->needed) return TG_OK;
  tg_text size;
  tg_text_init(&size);
  tg_text_add_bytes_unit(&size, (double)free_bytes);
  tg_error_set(TG_IO, TG_HERE, "%s: the file system has only %s free", c->directory, tg_text_string(&size));
  tg_text_fini(&size);
  return TG_IO;
}

// The others learn where.
static tg_status share_folder(writing *w)
{
  char path[4096] = {0};
  const tg_checkpoint *c = w->c;
  if (c->rank == 0) snprintf(path, sizeof path, "%s", tg_text_string(&w->folder));
  TG_TRY_MPI(MPI_Bcast(path, (int)sizeof path, MPI_CHAR, 0, c->comm));
  TG_TRY_MPI(MPI_Bcast(&w->generation, (int)sizeof w->generation, MPI_BYTE, 0, c->comm));
  tg_text_clear(&w->folder);
  tg_text_add(&w->folder, path);
  return tg_agree(c->comm, tg_text_status(&w->folder));
}

// ---- numbers ----

static tg_status write_matrices(const writing *w, tg_text *path)
{
  for (int k = 0; k < w->n_pieces; k++) {
    tg_text_clear(path);
    tg_text_addf(path, "%s/%s", tg_text_string(&w->folder), w->pieces[k].name);
    TG_TRY(tg_agree(w->c->comm, tg_text_status(path)));
    TG_TRY(tg_file_write(w->pieces[k].matrix, tg_text_string(path), NULL));
  }
  return TG_OK;
}

// My share of the files, read back.
static tg_status hash_mine(const writing *w, tg_text *path)
{
  for (int k = w->c->rank; k < w->n_pieces; k += w->c->ranks) {
    piece *p = &w->pieces[k];
    tg_text_clear(path);
    tg_text_addf(path, "%s/%s", tg_text_string(&w->folder), p->name);
    TG_TRY(tg_text_status(path));
    TG_TRY(tg_folder_hash(tg_text_string(path), &p->bytes, &p->hash));
  }
  return TG_OK;
}

static tg_status share_hashes(const writing *w)
{
  for (int k = 0; k < w->n_pieces; k++) {
    uint64_t facts[2] = {(uint64_t)w->pieces[k].bytes, w->pieces[k].hash}; // 0 on the ranks that did not look
    TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, facts, 2, MPI_UINT64_T, MPI_SUM, w->c->comm));
    w->pieces[k].bytes = (int64_t)facts[0];
    w->pieces[k].hash = facts[1];
  }
  return TG_OK;
}

// ---- manifest ----

static json_t *pack_vectors(const writing *w)
{
  json_t *out = json_array();
  for (int k = 0, next = 0; k < w->listing->n_vectors && out != NULL; k++) {
    json_t *files = json_array();
    for (; next < w->n_pieces && w->pieces[next].vector == k; next++) {
      const piece *p = &w->pieces[next];
      json_array_append_new(files, json_pack("{s:s, s:I, s:I, s:I, s:o}", "file", p->name, "rows",
                                             (json_int_t)p->matrix->rows, "columns", (json_int_t)p->matrix->cols,
                                             "bytes", (json_int_t)p->bytes, "xxh64", tg_hash_text(p->hash)));
    }
    json_array_append_new(out, json_pack("{s:s, s:o}", "name", w->listing->vectors[k].name, "files", files));
  }
  return out;
}

static json_t *pack_scalars(const writing *w, bool counts)
{
  json_t *out = json_object();
  for (int k = 0; k < w->listing->n_scalars && out != NULL; k++) {
    const opt_listed_scalar *scalar = &w->listing->scalars[k];
    if ((scalar->count != NULL) != counts) continue;
    json_object_set_new(out, scalar->name,
                        counts ? json_integer((json_int_t)*scalar->count) : tg_exact_number(*scalar->number));
  }
  return out;
}

static json_t *pack_run(const tg_checkpoint_facts *f)
{
  return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "products_before", (json_int_t)f->products_before,
                   "outside_products", tg_exact_number(f->outside_products), "setup_seconds",
                   tg_exact_number(f->setup_seconds), "read_seconds", tg_exact_number(f->read_seconds), "solve_seconds",
                   tg_exact_number(f->solve_seconds), "write_seconds", tg_exact_number(f->write_seconds),
                   "total_seconds", tg_exact_number(f->total_seconds));
}

static json_t *pack(const writing *w)
{
  const tg_checkpoint *c = w->c;
  json_t *out =
      json_pack("{s:s, s:i, s:I, s:I, s:I, s:i, s:I, s:o, s:O, s:O, s:o, s:o, s:o, s:o}", "tracegrad", TG_VERSION,
                "format", TG_MANIFEST_FORMAT, "iteration", (json_int_t)w->facts->iteration, "history_records",
                (json_int_t)w->facts->records, "runs", (json_int_t)tg_checkpoint_runs(c), "ranks", c->ranks,
                "planned_iterations", (json_int_t)c->planned_iterations, "plan", tg_hash_text(c->plan), "job",
                c->identity, "data", c->data, "run", pack_run(w->facts), "counts", pack_scalars(w, true), "numbers",
                pack_scalars(w, false), "vectors", pack_vectors(w));
  if (out != NULL && c->attempts != NULL && json_object_set(out, "attempts", c->attempts) != 0) {
    json_decref(out);
    return NULL;
  }
  return out;
}

// Rank 0. Memory that was short inside a list shows when the text does not read back.
static tg_status write_manifest(const writing *w, tg_text *path)
{
  tg_text text;
  tg_manifest *again = NULL;
  tg_text_init(&text);
  json_t *members = pack(w);
  tg_status status = TG_OK;
  if (members == NULL) TG_FAIL_GOTO(TG_MEMORY, "not enough memory for a manifest");
  TG_TRY_GOTO(tg_manifest_print(members, &text));
  TG_TRY_GOTO(tg_manifest_parse(tg_text_string(&text), text.length, &again));
  if (again->n_files != w->n_pieces) TG_FAIL_GOTO(TG_MEMORY, "not enough memory for a manifest");
  tg_text_clear(path);
  tg_text_addf(path, "%s/" TG_MANIFEST_FILE, tg_text_string(&w->folder));
  TG_TRY_GOTO(tg_text_status(path));
  TG_TRY_GOTO(tg_write_whole(tg_text_string(path), tg_text_string(&text), text.length));
done:
  tg_manifest_destroy(&again);
  tg_text_fini(&text);
  json_decref(members);
  return status;
}

// Rank 0: the last two steps.
static tg_status publish(const writing *w, tg_text *path)
{
  TG_TRY(write_manifest(w, path));
  return tg_folder_publish(w->c->directory, tg_text_string(&w->folder), w->generation.name);
}

// ---- old ones ----

// Rank 0. Our own ones beyond `keep` go, the damaged ones first. That one cannot be removed is no reason to stop.
static tg_status retire(tg_checkpoint *c, const tg_generation *newest)
{
  int64_t kept = 1;
  int n = 0;
  for (int k = 0; k < c->n_known; k++) {
    tg_generation *g = &c->known[k];
    const bool stays = !g->is_ours || (!g->is_damaged && ++kept <= c->spec->checkpoint_keep);
    if (!stays && tg_folder_retire(c->directory, c->owner, g->name) != TG_OK) {
      tg_checkpoint_warn(c, "an old checkpoint stays: %s", tg_error_get()->message);
      tg_error_clear();
    }
    if (stays) c->known[n++] = *g;
  }
  c->n_known = n;
  TG_TRY(tg_grow(n + 1, sizeof *c->known, (void **)&c->known));
  memmove(c->known + 1, c->known, (size_t)n * sizeof *c->known);
  c->known[0] = *newest;
  c->n_known++;
  return TG_OK;
}

// ---- the whole ----

static tg_status write_all(writing *w, tg_text *path)
{
  const tg_checkpoint *c = w->c;
  TG_TRY(tg_agree(c->comm, list_pieces(w)));
  TG_TRY(tg_agree(c->comm, c->rank == 0 ? begin(w) : TG_OK));
  TG_TRY(share_folder(w));
  TG_TRY(write_matrices(w, path));
  TG_TRY(tg_agree(c->comm, hash_mine(w, path)));
  TG_TRY(share_hashes(w));
  return tg_agree(c->comm, c->rank == 0 ? publish(w, path) : TG_OK);
}

static void note_success(const writing *w)
{
  tg_checkpoint *c = w->c;
  c->next_serial = w->generation.serial + 1;
  c->log.written++;
  c->log.last_failed = false;
  c->log.iteration = w->facts->iteration;
  c->log.bytes = 0;
  for (int k = 0; k < w->n_pieces; k++) c->log.bytes += w->pieces[k].bytes;
  snprintf(c->log.last, sizeof c->log.last, "%s/%s", c->directory, w->generation.name);
}

// The state that was saved last is still there: the run goes on.
static tg_status note_failure(const writing *w)
{
  tg_checkpoint *c = w->c;
  const char *kept = c->log.last[0] != '\0' ? c->log.last : c->source_path;
  const bool is_there = kept[0] != '\0' && access(kept, F_OK) == 0;
  tg_text size;
  tg_text_init(&size);
  tg_text_add_bytes_unit(&size, (double)w->needed);
  c->log.failed++;
  c->log.last_failed = true;
  snprintf(c->log.failure, sizeof c->log.failure,
           "no checkpoint was written at iteration %" PRId64 ": %.600s; it needs %s in all; %s%.200s",
           w->facts->iteration, tg_error_get()->message, tg_text_string(&size),
           is_there ? "the last one is " : "there is none", is_there ? kept : "");
  tg_text_fini(&size);
  tg_error_clear();
  tg_checkpoint_warn(c, "%s", c->log.failure);
  if (c->rank == 0) tg_folder_discard(tg_text_string(&w->folder));
  return TG_OK;
}

tg_status tg_checkpoint_write(tg_checkpoint *c, const opt_listing *listing, const tg_checkpoint_facts *facts)
{
  const double start = MPI_Wtime();
  writing w = {.c = c, .listing = listing, .facts = facts};
  tg_text path;
  tg_text_init(&path);
  tg_text_init(&w.folder);
  tg_status status = write_all(&w, &path);
  if (status == TG_OK) {
    note_success(&w);
    status = tg_agree(c->comm, c->rank == 0 ? retire(c, &w.generation) : TG_OK);
  } else if (status == TG_IO || status == TG_DATA || status == TG_MEMORY) {
    status = note_failure(&w);
  }
  c->last = MPI_Wtime();
  c->log.seconds += c->last - start;
  tg_free(w.pieces);
  tg_text_fini(&w.folder);
  tg_text_fini(&path);
  return status;
}

double tg_checkpoint_writing_bytes(const tg_task *task, const tg_cost_grid *grid)
{
  double most = 0;
  if (task->spec->checkpoint_directory == NULL) return 0;
  for (int k = 0; k < task->spec->n_variables; k++)
    most = fmax(most, tg_slab_bytes(grid, task->variables[k].rows, task->variables[k].cols));
  return most;
}
