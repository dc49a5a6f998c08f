// HDF5 through the serial library: every rank reads its slabs; of a new file the library writes all but the numbers.
//
// A new dataset is contiguous and allocated early, so its numbers lie at one known offset of a file whose metadata are
// complete. They then go there as in every other format, by pwrite from all ranks with every result checked, instead
// of through a library stack whose errors on a full disk could be lost.
#include <hdf5.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "mpi/files.h"
#include "mpi/io_posix.h"

// --- the library's errors ----------------------------------------------------------------------------

// HDF5 prints its errors unless told not to; the setting is put back as the program had it.
typedef struct quiet {
  H5E_auto2_t function;
  void *data;
} quiet;

static quiet quiet_enter(void)
{
  quiet before = {NULL, NULL};
  H5Eget_auto2(H5E_DEFAULT, &before.function, &before.data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return before;
}

static void quiet_leave(quiet before)
{
  H5Eset_auto2(H5E_DEFAULT, before.function, before.data);
}

typedef struct reason {
  char text[256];
} reason;

static herr_t take_innermost(unsigned number, const H5E_error2_t *error, void *data)
{
  reason *out = data;
  if (number == 0 && error->desc != NULL) snprintf(out->text, sizeof out->text, "%s", error->desc);
  return 0;
}

// What the library says is the root of its last failure.
static reason last_reason(void)
{
  reason out = {"no reason given"};
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, &out);
  return out;
}

// --- what a file holds -------------------------------------------------------------------------------

static void describe_space(hid_t dataset, tg_text *out)
{
  hsize_t dims[H5S_MAX_RANK];
  const hid_t space = H5Dget_space(dataset);
  const int rank = space >= 0 ? H5Sget_simple_extent_dims(space, dims, NULL) : -1;
  tg_text_add(out, " (");
  for (int d = 0; d < rank; d++) tg_text_addf(out, "%s%llu", d > 0 ? " x " : "", (unsigned long long)dims[d]);
  tg_text_add(out, rank > 0 ? ")" : "scalar)");
  if (space >= 0) H5Sclose(space);
}

enum { LISTED_DATASETS = 12 };

typedef struct listing {
  tg_text text;
  int count;
  const char *except; // a dataset's name that is not counted, without the leading '/'
} listing;

static herr_t list_link(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
  listing *list = data;
  // Soft links repeat what is listed, external ones would open other files.
  if (info->type != H5L_TYPE_HARD || (list->except != NULL && strcmp(name, list->except) == 0)) return 0;
  const hid_t object = H5Oopen(group, name, H5P_DEFAULT);
  if (object >= 0 && H5Iget_type(object) == H5I_DATASET) {
    list->count++;
    if (list->count <= LISTED_DATASETS) {
      tg_text_addf(&list->text, "%s/%s", list->count > 1 ? ", " : "", name);
      describe_space(object, &list->text);
    }
  }
  if (object >= 0) H5Oclose(object);
  return 0;
}

static void list_datasets(hid_t file, const char *except, listing *out)
{
  *out = (listing){.except = except};
  tg_text_init(&out->text);
  H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, list_link, out);
  if (out->count > LISTED_DATASETS) tg_text_addf(&out->text, " and %d more", out->count - LISTED_DATASETS);
  if (out->count == 0) tg_text_add(&out->text, "no dataset");
}

// --- one dataset, open for reading -------------------------------------------------------------------

typedef struct hdf5_source {
  const char *path;
  const char *name;
  hid_t file;
  hid_t dataset;
  hid_t space;
  hid_t type;
  int dimensions;
  int64_t rows;
  int64_t cols;
} hdf5_source;

static void close_source(hdf5_source *s)
{
  if (s->type >= 0) H5Tclose(s->type);
  if (s->space >= 0) H5Sclose(s->space);
  if (s->dataset >= 0) H5Oclose(s->dataset);
  if (s->file >= 0) H5Fclose(s->file);
  s->type = s->space = s->dataset = s->file = H5I_INVALID_HID;
}

// Locks are left alone where the file system has none: reading needs no protection from readers.
static tg_status open_file(const char *path, int64_t *file_bytes, hid_t *out)
{
  int fd = -1;
  TG_TRY(tg_io_open_read(path, &fd, file_bytes));
  tg_io_close(&fd);
  if (H5Fis_hdf5(path) <= 0) TG_FAIL(TG_DATA, "%s: is not an HDF5 file, its signature is missing", path);
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(access, true, true);
#endif
  *out = H5Fopen(path, H5F_ACC_RDONLY, access);
  const reason why = last_reason();
  H5Pclose(access);
  if (*out < 0) TG_FAIL(TG_DATA, "%s: cannot be opened as an HDF5 file: %s", path, why.text);
  return TG_OK;
}

static tg_status open_dataset(hdf5_source *s)
{
  listing list;
  if (s->name != NULL && *s->name != '\0') {
    s->dataset = H5Oopen(s->file, s->name, H5P_DEFAULT);
    if (s->dataset >= 0 && H5Iget_type(s->dataset) == H5I_DATASET) return TG_OK;
  }
  list_datasets(s->file, NULL, &list);
  const char *held = tg_text_string(&list.text);
  if (s->name == NULL)
    tg_error_set(TG_DATA, TG_HERE, "%s: an HDF5 file needs 'dataset:' to say which matrix is meant; it holds %s",
                 s->path, held);
  else
    tg_error_set(TG_DATA, TG_HERE, "%s: '%s' %s; it holds %s", s->path, s->name,
                 s->dataset >= 0 ? "is not a dataset" : "is not in the file", held);
  tg_text_fini(&list.text);
  return TG_DATA;
}

static tg_status read_shape(hdf5_source *s)
{
  hsize_t dims[H5S_MAX_RANK] = {1, 1};
  s->space = H5Dget_space(s->dataset);
  const bool is_null = s->space >= 0 && H5Sget_simple_extent_type(s->space) == H5S_NULL;
  s->dimensions = s->space >= 0 ? H5Sget_simple_extent_dims(s->space, dims, NULL) : -1;
  if (s->dimensions < 0) TG_FAIL(TG_DATA, "%s: '%s' has no readable shape: %s", s->path, s->name, last_reason().text);
  if (s->dimensions > 2)
    TG_FAIL(TG_DATA, "%s: '%s' has %d dimensions, expected a matrix (at most 2)", s->path, s->name, s->dimensions);
  if (s->dimensions < 1) dims[0] = 1;
  if (s->dimensions < 2) dims[1] = 1;
  if (is_null || dims[0] == 0 || dims[1] == 0)
    TG_FAIL(TG_DATA, "%s: '%s' is empty (%llu x %llu), expected at least one entry", s->path, s->name,
            is_null ? 0 : (unsigned long long)dims[0], is_null ? 0 : (unsigned long long)dims[1]);
  int64_t entries = 0;
  int64_t bytes = 0;
  if (__builtin_mul_overflow(dims[0], dims[1], &entries) || __builtin_mul_overflow(entries, 8, &bytes))
    TG_FAIL(TG_DATA, "%s: '%s' is %llu x %llu, whose numbers do not fit in 63 bits of bytes", s->path, s->name,
            (unsigned long long)dims[0], (unsigned long long)dims[1]);
  s->rows = (int64_t)dims[0];
  s->cols = (int64_t)dims[1];
  return TG_OK;
}

// NumPy's booleans arrive as an enumeration of FALSE and TRUE.
static bool is_boolean(hid_t type)
{
  return H5Tget_class(type) == H5T_ENUM && H5Tget_nmembers(type) == 2 && H5Tget_member_index(type, "FALSE") >= 0 &&
         H5Tget_member_index(type, "TRUE") >= 0;
}

static const char *class_name(hid_t type)
{
  switch (H5Tget_class(type)) {
  case H5T_COMPOUND:
    return "compound values (complex numbers or records)";
  case H5T_STRING:
    return "text";
  case H5T_ENUM:
    return "enumeration values";
  case H5T_OPAQUE:
    return "raw bytes";
  case H5T_REFERENCE:
    return "references";
  case H5T_VLEN:
    return "lists of varying length";
  case H5T_ARRAY:
    return "arrays";
  default:
    return "values of another type";
  }
}

static tg_status read_type(hdf5_source *s)
{
  s->type = H5Dget_type(s->dataset);
  if (s->type < 0) TG_FAIL(TG_DATA, "%s: '%s' has no readable type: %s", s->path, s->name, last_reason().text);
  const H5T_class_t class = H5Tget_class(s->type);
  if (class != H5T_FLOAT && class != H5T_INTEGER && !is_boolean(s->type))
    TG_FAIL(TG_DATA, "%s: '%s' holds %s, expected real numbers", s->path, s->name, class_name(s->type));
  return TG_OK;
}

static tg_status open_source(const char *path, const char *name, int64_t *file_bytes, hdf5_source *s)
{
  *s = (hdf5_source){.path = path, .name = name, .file = H5I_INVALID_HID, .dataset = H5I_INVALID_HID};
  s->space = s->type = H5I_INVALID_HID;
  TG_TRY(open_file(path, file_bytes, &s->file));
  TG_TRY(open_dataset(s));
  TG_TRY(read_shape(s));
  return read_type(s);
}

static void describe_type(hid_t type, size_t room, char *out)
{
  const H5T_class_t class = H5Tget_class(type);
  const char *name = class == H5T_FLOAT ? "float" : H5Tget_sign(type) == H5T_SGN_NONE ? "uint" : "int";
  if (class == H5T_ENUM)
    snprintf(out, room, "bool");
  else
    snprintf(out, room, "%s%zu%s", name, 8 * H5Tget_size(type),
             H5Tget_order(type) == H5T_ORDER_BE && H5Tget_size(type) > 1 ? ", big-endian" : "");
}

tg_status tg_hdf5_probe(const char *path, const char *dataset, tg_file_shape *out)
{
  hdf5_source source;
  int64_t file_bytes = 0;
  const quiet before = quiet_enter();
  const tg_status status = open_source(path, dataset, &file_bytes, &source);
  if (status == TG_OK) {
    *out = (tg_file_shape){.rows = source.rows,
                           .cols = source.cols,
                           .entries = source.rows * source.cols,
                           .data_bytes = source.rows * source.cols * (int64_t)H5Tget_size(source.type),
                           .file_bytes = file_bytes};
    describe_type(source.type, sizeof out->dtype, out->dtype);
  }
  close_source(&source);
  quiet_leave(before);
  return status;
}

static tg_status fetch_hdf5(void *context, const tg_slab *slab, double *numbers)
{
  const hdf5_source *s = context;
  const hsize_t start[2] = {(hsize_t)slab->row, (hsize_t)slab->col};
  const hsize_t count[2] = {(hsize_t)slab->rows, (hsize_t)slab->cols};
  const hsize_t total = count[0] * count[1];
  if (total == 0) return TG_OK;
  const hid_t memory = H5Screate_simple(1, &total, NULL);
  const bool selected =
      s->dimensions == 0 || H5Sselect_hyperslab(s->space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0;
  const bool read =
      memory >= 0 && selected && H5Dread(s->dataset, H5T_NATIVE_DOUBLE, memory, s->space, H5P_DEFAULT, numbers) >= 0;
  const reason why = last_reason();
  if (memory >= 0) H5Sclose(memory);
  if (!read)
    TG_FAIL(TG_DATA,
            "%s: '%s': reading %" PRId64 " x %" PRId64 " entries from row %" PRId64 ", column %" PRId64 " failed: %s",
            s->path, s->name, slab->rows, slab->cols, slab->row + 1, slab->col + 1, why.text);
  return TG_OK;
}

static tg_status open_same(const tg_file_source *from, hdf5_source *s)
{
  int64_t file_bytes = 0;
  TG_TRY(open_source(from->path, from->dataset, &file_bytes, s));
  if (s->rows != from->shape->rows || s->cols != from->shape->cols)
    TG_FAIL(TG_DATA, "%s: '%s' changed while it was read: %" PRId64 " x %" PRId64 ", before %" PRId64 " x %" PRId64,
            from->path, from->dataset, s->rows, s->cols, from->shape->rows, from->shape->cols);
  return TG_OK;
}

tg_status tg_hdf5_read(const tg_file_source *from, tg_dmat *matrix)
{
  hdf5_source source;
  tg_slab_plan plan;
  const quiet before = quiet_enter();
  tg_status status = tg_agree(matrix->grid->comm, open_same(from, &source));
  if (status == TG_OK) {
    tg_slab_plan_init(matrix, TG_ROW_MAJOR, from->panel_bytes, &plan);
    status = tg_slab_read(matrix, &plan, fetch_hdf5, &source);
  }
  close_source(&source);
  quiet_leave(before);
  return status;
}

// --- writing -----------------------------------------------------------------------------------------

// Replacing a file that holds other datasets would lose them, and which of them are wanted is not ours to guess.
static tg_status check_replaced(const tg_file_target *target)
{
  const char *name = target->dataset;
  hid_t file = H5I_INVALID_HID;
  int64_t file_bytes = 0;
  listing list;
  while (*name == '/') name++;
  if (open_file(target->final_path, &file_bytes, &file) != TG_OK) {
    tg_error_clear(); // no file yet, or none of HDF5's
    return TG_OK;
  }
  list_datasets(file, name, &list);
  H5Fclose(file);
  if (list.count > 0)
    tg_error_set(
        TG_IO, TG_HERE,
        "%s: cannot be replaced: it also holds %s, which would be lost; expected a new file, or one that holds "
        "'%s' only",
        target->final_path, tg_text_string(&list.text), target->dataset);
  tg_text_fini(&list.text);
  return list.count > 0 ? TG_IO : TG_OK;
}

typedef struct new_file {
  hid_t file;
  hid_t space;
  hid_t links;
  hid_t creation;
  hid_t dataset;
} new_file;

static bool create_dataset(const char *path, const tg_file_target *target, new_file *n, haddr_t *offset)
{
  const hsize_t dims[2] = {(hsize_t)target->rows, (hsize_t)target->cols};
  n->file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  n->space = H5Screate_simple(2, dims, NULL);
  n->links = H5Pcreate(H5P_LINK_CREATE);
  n->creation = H5Pcreate(H5P_DATASET_CREATE);
  if (n->file < 0 || n->space < 0 || n->links < 0 || n->creation < 0) return false;
  if (H5Pset_create_intermediate_group(n->links, 1) < 0 || H5Pset_layout(n->creation, H5D_CONTIGUOUS) < 0 ||
      H5Pset_alloc_time(n->creation, H5D_ALLOC_TIME_EARLY) < 0 ||
      H5Pset_fill_time(n->creation, H5D_FILL_TIME_NEVER) < 0)
    return false;
  n->dataset = H5Dcreate2(n->file, target->dataset, H5T_IEEE_F64LE, n->space, n->links, n->creation, H5P_DEFAULT);
  if (n->dataset < 0) return false;
  *offset = H5Dget_offset(n->dataset);
  return *offset != HADDR_UNDEF;
}

// All handles are closed also after a failure; the file's own close is what writes the metadata.
static bool close_new(new_file *n)
{
  if (n->dataset >= 0) H5Dclose(n->dataset);
  if (n->creation >= 0) H5Pclose(n->creation);
  if (n->links >= 0) H5Pclose(n->links);
  if (n->space >= 0) H5Sclose(n->space);
  return n->file >= 0 && H5Fclose(n->file) >= 0;
}

static tg_status write_metadata(const char *path, const tg_file_target *target, haddr_t *offset)
{
  new_file n = {H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID};
  const bool created = create_dataset(path, target, &n, offset);
  const reason why_create = last_reason();
  const bool closed = close_new(&n);
  const reason why_close = last_reason();
  if (!created)
    TG_FAIL(TG_IO, "%s: cannot create the HDF5 dataset '%s': %s", target->final_path, target->dataset, why_create.text);
  if (!closed) TG_FAIL(TG_IO, "%s: cannot write the HDF5 metadata: %s", target->final_path, why_close.text);
  return TG_OK;
}

tg_status tg_hdf5_begin_write(const char *path, const tg_file_target *target, tg_file_layout *out)
{
  struct stat facts;
  haddr_t offset = 0;
  if (target->dataset == NULL)
    TG_FAIL(TG_DATA, "%s: an HDF5 file needs 'dataset:' to name the matrix in it", target->final_path);
  const quiet before = quiet_enter();
  tg_status status = check_replaced(target);
  if (status == TG_OK) status = write_metadata(path, target, &offset);
  quiet_leave(before);
  TG_TRY(status);
  const int64_t data_bytes = 8 * target->rows * target->cols;
  if (stat(path, &facts) != 0 || (int64_t)facts.st_size < (int64_t)offset + data_bytes)
    TG_FAIL(TG_IO, "%s: the HDF5 library did not reserve the %" PRId64 " bytes of '%s'", target->final_path, data_bytes,
            target->dataset);
  *out = (tg_file_layout){.order = TG_ROW_MAJOR, .data_offset = (int64_t)offset, .record_bytes = 8};
  out->file_bytes = (int64_t)facts.st_size;
  return TG_OK;
}

tg_status tg_hdf5_encode(const double *numbers, int64_t count, unsigned char *records)
{
  tg_io_encode_doubles(numbers, count, records);
  return TG_OK;
}
