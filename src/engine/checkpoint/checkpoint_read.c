// Reading: which checkpoint to go on from, whether it is intact, and its content into the live state.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "engine/checkpoint/checkpoint_parts.h"
#include "mpi/file/files.h"
#include "mpi/space/space.h"

// ---- manifests ----

// Local, on rank 0. The message names the file.
static tg_status load_text(const tg_checkpoint *c, const char *folder, char **text, size_t *length)
{
  tg_text path;
  tg_text_init(&path);
  tg_status status = tg_checkpoint_path(c, folder, TG_MANIFEST_FILE, &path);
  if (status == TG_OK) status = tg_folder_read(tg_text_string(&path), TG_MANIFEST_BYTES_MAX, text, length);
  tg_text_fini(&path);
  return status;
}

static tg_status load(const tg_checkpoint *c, const char *folder, tg_manifest **out)
{
  char *text = NULL;
  size_t length = 0;
  *out = NULL;
  TG_TRY(load_text(c, folder, &text, &length));
  const tg_status status = tg_manifest_parse(text, length, out);
  tg_free(text);
  if (status != TG_OK) tg_error_prefix("%s/%s/" TG_MANIFEST_FILE, c->directory, folder);
  return status;
}

// What of the job differs; "" where nothing does.
static tg_status compare_jobs(const tg_checkpoint *c, const tg_manifest *m, tg_text *difference)
{
  tg_text_clear(difference);
  tg_identity_equal(json_object_get(m->root, "job"), c->identity, difference);
  return tg_text_status(difference);
}

static tg_status judge(tg_checkpoint *c, tg_generation *g)
{
  tg_manifest *m = NULL;
  tg_text difference;
  tg_text_init(&difference);
  tg_status status = load(c, g->name, &m);
  if (status == TG_OK) status = compare_jobs(c, m, &difference);
  g->is_ours = status == TG_OK && difference.length == 0;
  tg_text_fini(&difference);
  tg_manifest_destroy(&m);
  if (status == TG_MEMORY) return status;
  tg_error_clear(); // whose it is cannot be told: it is left alone
  return TG_OK;
}

tg_status tg_checkpoint_survey(tg_checkpoint *c)
{
  TG_TRY(tg_folder_list(c->directory, &c->n_known, &c->known));
  for (int k = 0; k < c->n_known; k++) TG_TRY(judge(c, &c->known[k]));
  if (c->n_known > 0) c->next_serial = c->known[0].serial + 1;
  return TG_OK;
}

// ---- is it intact? ----

static tg_status verify_file(const tg_checkpoint *c, const char *folder, const tg_manifest_file *file, tg_text *path)
{
  int64_t bytes = 0;
  uint64_t hash = 0;
  TG_TRY(tg_checkpoint_path(c, folder, file->name, path));
  TG_TRY(tg_folder_hash(tg_text_string(path), &bytes, &hash));
  if (bytes != file->bytes)
    TG_FAIL(TG_DATA, "%s: %" PRId64 " bytes, expected %" PRId64, tg_text_string(path), bytes, file->bytes);
  if (hash != file->hash)
    TG_FAIL(TG_DATA, "%s: checksum %016" PRIx64 ", expected %016" PRIx64, tg_text_string(path), hash, file->hash);
  return TG_OK;
}

// A folder that rank 0 sees and another rank does not is no damage: an older checkpoint would be missing there too.
// Collective.
static tg_status require_seen(const tg_checkpoint *c, const char *folder)
{
  tg_text path;
  tg_text_init(&path);
  tg_status status = tg_checkpoint_path(c, folder, TG_MANIFEST_FILE, &path);
  if (status == TG_OK && access(tg_text_string(&path), R_OK) != 0)
    status = tg_error_set(TG_USAGE, TG_HERE,
                          "--resume: rank %d cannot read %s: %s; rank 0 can: is the directory shared by all nodes?",
                          c->rank, tg_text_string(&path), strerror(errno));
  tg_text_fini(&path);
  return tg_agree(c->comm, status);
}

// The files are shared out among the ranks. Collective.
static tg_status verify(const tg_checkpoint *c, const char *folder, const tg_manifest *m)
{
  tg_text path;
  tg_text_init(&path);
  tg_status status = TG_OK;
  for (int k = c->rank; k < m->n_files && status == TG_OK; k += c->ranks)
    status = verify_file(c, folder, &m->files[k], &path);
  tg_text_fini(&path);
  return tg_agree(c->comm, status);
}

// ---- which one? ----

// Rank 0's manifest on every rank. Collective.
static tg_status share(const tg_checkpoint *c, const char *folder, tg_manifest **out)
{
  char *text = NULL;
  size_t length = 0;
  tg_status status = TG_OK;
  *out = NULL;
  TG_TRY_GOTO(tg_agree(c->comm, c->rank == 0 ? load_text(c, folder, &text, &length) : TG_OK));
  int64_t bytes = (int64_t)length;
  TG_TRY_GOTO(tg_mpi_check(MPI_Bcast(&bytes, 1, MPI_INT64_T, 0, c->comm), TG_HERE));
  if (c->rank != 0) status = tg_alloc(bytes + 1, 1, (void **)&text);
  TG_TRY_GOTO(tg_agree(c->comm, status));
  TG_TRY_GOTO(tg_mpi_check(MPI_Bcast(text, (int)bytes, MPI_CHAR, 0, c->comm), TG_HERE));
  status = tg_manifest_parse(text, (size_t)bytes, out);
  if (status != TG_OK) tg_error_prefix("%s/%s/" TG_MANIFEST_FILE, c->directory, folder);
  TG_TRY_GOTO(tg_agree(c->comm, status));
done:
  tg_free(text);
  if (status != TG_OK) tg_manifest_destroy(out);
  return status;
}

// The name of generation k on every rank.
static tg_status share_name(const tg_checkpoint *c, int k, tg_generation *out)
{
  if (c->rank == 0) *out = c->known[k];
  return tg_mpi_check(MPI_Bcast(out, (int)sizeof *out, MPI_BYTE, 0, c->comm), TG_HERE);
}

static bool is_damage(tg_status status)
{
  return status == TG_DATA || status == TG_IO;
}

// Takes it, unless it is damaged or another job's: then *taken is false, and the difference is appended. Collective.
static tg_status consider(tg_checkpoint *c, const tg_generation *g, bool *taken, bool *damaged, tg_text *difference)
{
  tg_manifest *m = NULL;
  *taken = *damaged = false;
  tg_status status = share(c, g->name, &m);
  if (status == TG_OK) status = tg_agree(c->comm, compare_jobs(c, m, difference));
  if (status == TG_OK && difference->length == 0) status = require_seen(c, g->name);
  if (status == TG_OK && difference->length == 0) status = verify(c, g->name, m);
  if (status == TG_OK && difference->length == 0) {
    c->source = m;
    snprintf(c->source_path, sizeof c->source_path, "%s/%s", c->directory, g->name);
    *taken = true;
    return TG_OK;
  }
  tg_manifest_destroy(&m);
  if (!is_damage(status)) return status;
  *damaged = true;
  tg_checkpoint_warn(c, "checkpoint %s/%s is damaged and not used: %s", c->directory, g->name, tg_error_get()->message);
  tg_error_clear();
  return TG_OK;
}

static tg_status refuse(const tg_checkpoint *c, int n_damaged, const char *other, const char *difference)
{
  if (other[0] != '\0')
    TG_FAIL(TG_DATA, "--resume: checkpoint %s/%s is of another job: %s", c->directory, other, difference);
  if (n_damaged > 0)
    TG_FAIL(
        TG_DATA,
        "--resume: no intact checkpoint in %s: all %d are damaged; without --resume the run starts from the beginning",
        c->directory, n_damaged);
  TG_FAIL(TG_DATA, "--resume: no checkpoint in %s; without --resume the run starts from the beginning", c->directory);
}

static tg_status look_through(tg_checkpoint *c, int count, tg_text *difference, tg_text *first)
{
  char other[64] = {0};
  int n_damaged = 0;
  for (int k = 0; k < count; k++) {
    tg_generation g;
    bool taken = false;
    bool damaged = false;
    memset(&g, 0, sizeof g);
    TG_TRY(share_name(c, k, &g));
    TG_TRY(consider(c, &g, &taken, &damaged, difference));
    if (taken) return TG_OK;
    if (damaged && c->rank == 0) c->known[k].is_damaged = true;
    n_damaged += damaged;
    if (damaged || other[0] != '\0') continue;
    memcpy(other, g.name, sizeof other);
    tg_text_add(first, tg_text_string(difference));
  }
  return refuse(c, n_damaged, other, tg_text_string(first));
}

static void take_over(tg_checkpoint *c)
{
  const json_t *planned = json_object_get(c->source->root, "planned_iterations");
  if (json_is_integer(planned)) c->planned_iterations = json_integer_value(planned);
  c->log.iteration = c->source->iteration;
}

tg_status tg_checkpoint_choose(tg_checkpoint *c)
{
  tg_text difference;
  tg_text first;
  int count = c->n_known;
  TG_TRY_MPI(MPI_Bcast(&count, 1, MPI_INT, 0, c->comm));
  tg_text_init(&difference);
  tg_text_init(&first);
  const tg_status status = look_through(c, count, &difference, &first);
  tg_text_fini(&first);
  tg_text_fini(&difference);
  TG_TRY(status);
  take_over(c);
  return TG_OK;
}

// ---- into the live state ----

static tg_status restore_vector(const tg_checkpoint *c, const opt_listed_vector *vector, tg_text *path)
{
  const tg_manifest_vector *saved = tg_manifest_vector_find(c->source, vector->name);
  const int n_blocks = tg_space_blocks(vector->point);
  if (saved == NULL || (saved->n_files != 0 && saved->n_files != n_blocks))
    TG_FAIL(TG_DATA, "%s: %d files of '%s', expected %d: was it written by another method or version?", c->source_path,
            saved != NULL ? saved->n_files : 0, vector->name, n_blocks);
  for (int k = 0; k < saved->n_files; k++) {
    tg_text_clear(path);
    tg_text_addf(path, "%s/%s", c->source_path, saved->files[k].name);
    TG_TRY(tg_agree(c->comm, tg_text_status(path)));
    TG_TRY(tg_file_fill(tg_space_block(vector->point, k), tg_text_string(path), NULL));
  }
  return TG_OK;
}

static tg_status restore_scalar(const tg_checkpoint *c, const opt_listed_scalar *scalar)
{
  const bool found = scalar->count != NULL ? tg_manifest_count(c->source, scalar->name, scalar->count)
                                           : tg_manifest_number(c->source, scalar->name, scalar->number);
  if (found && (scalar->count == NULL || (*scalar->count >= scalar->least && *scalar->count <= scalar->most)))
    return TG_OK;
  if (found)
    TG_FAIL(TG_DATA, "%s: '%s' is %" PRId64 ", expected %" PRId64 " to %" PRId64, c->source_path, scalar->name,
            *scalar->count, scalar->least, scalar->most);
  TG_FAIL(TG_DATA, "%s: no '%s': was it written by another method or version?", c->source_path, scalar->name);
}

tg_status tg_checkpoint_restore(tg_checkpoint *c, const opt_listing *listing, bool *restored)
{
  tg_text path;
  *restored = c->source != NULL;
  if (c->source == NULL) return TG_OK;
  tg_text_init(&path);
  tg_status status = TG_OK;
  for (int k = 0; k < listing->n_vectors && status == TG_OK; k++)
    status = restore_vector(c, &listing->vectors[k], &path);
  for (int k = 0; k < listing->n_scalars && status == TG_OK; k++) status = restore_scalar(c, &listing->scalars[k]);
  tg_text_fini(&path);
  return status;
}
