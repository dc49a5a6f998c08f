// HDF5 through the serial library: every rank reads its slabs; of a new file the library makes all but the numbers.
//
// A library that meets a full disk in H5Fclose keeps the file half closed and may crash when the program ends. So the
// metadata of a new file are made in memory; the numbers' place, which was left open, is filled in; and metadata and
// numbers go to the disk as in every other format, by pwrite with every result checked.
#include <errno.h>
#include <hdf5.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "mpi/file/files.h"
#include "mpi/file/io_posix.h"

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
  hid_t access;
  hid_t file;
  hid_t space;
  hid_t links;
  hid_t creation;
  hid_t dataset;
} new_file;

// A file in memory with the dataset's description, no room allocated for its numbers. The oldest format has no
// checksums over what is filled in later.
static bool create_in_memory(const char *name, const tg_file_target *target, new_file *n)
{
  const hsize_t dims[2] = {(hsize_t)target->rows, (hsize_t)target->cols};
  n->access = H5Pcreate(H5P_FILE_ACCESS);
  if (n->access < 0 || H5Pset_fapl_core(n->access, 4096, false) < 0 ||
      H5Pset_libver_bounds(n->access, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST) < 0)
    return false;
  n->file = H5Fcreate(name, H5F_ACC_TRUNC, H5P_DEFAULT, n->access);
  n->space = H5Screate_simple(2, dims, NULL);
  n->links = H5Pcreate(H5P_LINK_CREATE);
  n->creation = H5Pcreate(H5P_DATASET_CREATE);
  if (n->file < 0 || n->space < 0 || n->links < 0 || n->creation < 0) return false;
  // Without times, so that equal numbers give equal files.
  if (H5Pset_obj_track_times(n->creation, false) < 0 || H5Pset_create_intermediate_group(n->links, 1) < 0 ||
      H5Pset_layout(n->creation, H5D_CONTIGUOUS) < 0 || H5Pset_alloc_time(n->creation, H5D_ALLOC_TIME_LATE) < 0 ||
      H5Pset_fill_time(n->creation, H5D_FILL_TIME_NEVER) < 0)
    return false;
  n->dataset = H5Dcreate2(n->file, target->dataset, H5T_IEEE_F64LE, n->space, n->links, n->creation, H5P_DEFAULT);
  return n->dataset >= 0 && H5Fflush(n->file, H5F_SCOPE_LOCAL) >= 0;
}

static void close_new(new_file *n)
{
  if (n->dataset >= 0) H5Dclose(n->dataset);
  if (n->creation >= 0) H5Pclose(n->creation);
  if (n->links >= 0) H5Pclose(n->links);
  if (n->space >= 0) H5Sclose(n->space);
  if (n->file >= 0) H5Fclose(n->file);
  if (n->access >= 0) H5Pclose(n->access);
}

typedef struct image {
  unsigned char *bytes;
  int64_t count;
} image;

static tg_status make_image(const char *path, const tg_file_target *target, image *out)
{
  new_file n = {H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID};
  tg_status status = TG_OK;
  *out = (image){NULL, 0};
  if (!create_in_memory(path, target, &n))
    TG_FAIL_GOTO(TG_IO, "%s: cannot create the HDF5 dataset '%s': %s", target->final_path, target->dataset,
                 last_reason().text);
  out->count = (int64_t)H5Fget_file_image(n.file, NULL, 0);
  if (out->count <= 0)
    TG_FAIL_GOTO(TG_IO, "%s: the HDF5 library gives no image of the new file: %s", target->final_path,
                 last_reason().text);
  TG_TRY_GOTO(TG_NEW(out->count, &out->bytes));
  if (H5Fget_file_image(n.file, out->bytes, (size_t)out->count) != out->count)
    TG_FAIL_GOTO(TG_IO, "%s: the HDF5 library gives no image of the new file: %s", target->final_path,
                 last_reason().text);
done:
  close_new(&n);
  return status;
}

// Fills in where the numbers are and where the file ends (HDF5 File Format Specification 3.0):
//   superblock version 0: the end-of-file address at byte 40;
//   data layout message version 3, contiguous: bytes 3 and 1, the address (undefined: all ones), the size.
// The message must be there exactly once; the library's own answer is checked afterwards.
static bool place_numbers(const image *file, int64_t data_offset, int64_t data_bytes)
{
  enum { END_OF_FILE_AT = 40, MESSAGE = 18 };
  unsigned char message[MESSAGE];
  unsigned char *found = NULL;
  message[0] = 3;
  message[1] = 1;
  memset(message + 2, 0xff, 8);
  tg_io_store_little((uint64_t)data_bytes, 8, message + 10);
  if (file->count < END_OF_FILE_AT + 8 || file->bytes[8] != 0) return false;
  for (int64_t at = 0; at + MESSAGE <= file->count; at++) {
    if (memcmp(file->bytes + at, message, MESSAGE) != 0) continue;
    if (found != NULL) return false;
    found = file->bytes + at;
  }
  if (found == NULL) return false;
  tg_io_store_little((uint64_t)data_offset, 8, found + 2);
  tg_io_store_little((uint64_t)(data_offset + data_bytes), 8, file->bytes + END_OF_FILE_AT);
  return true;
}

static tg_status compare_placed(const char *path, const tg_file_target *target, int64_t data_offset)
{
  hdf5_source source;
  int64_t file_bytes = 0;
  tg_status status = open_source(path, target->dataset, &file_bytes, &source);
  if (status == TG_OK && (source.rows != target->rows || source.cols != target->cols ||
                          H5Dget_offset(source.dataset) != (haddr_t)data_offset))
    status = tg_error_set(TG_INTERNAL, TG_HERE, "the HDF5 library places the numbers elsewhere than at byte %" PRId64,
                          data_offset);
  if (status != TG_OK) tg_error_prefix("%s: the new file's metadata are not as expected", target->final_path);
  close_source(&source);
  return status;
}

// The library, reading, must find the dataset and its numbers where they will be written. It wants to see a file of
// the full size for that; afterwards the numbers alone shall make it that long, so that its size tells of them.
static tg_status check_placed(const char *path, const tg_file_target *target, const tg_file_layout *layout)
{
  if (truncate(path, layout->file_bytes) != 0)
    return tg_io_write_failed(target->final_path, "reserve the file's size", errno, layout->file_bytes);
  TG_TRY(compare_placed(path, target, layout->data_offset));
  if (truncate(path, layout->data_offset) != 0)
    return tg_io_write_failed(target->final_path, "release the file's size", errno, layout->file_bytes);
  return TG_OK;
}

static tg_status write_metadata(const char *path, const tg_file_target *target, tg_file_layout *out)
{
  enum { ALIGNMENT = 4096 };
  image file;
  tg_status status = make_image(path, target, &file);
  TG_TRY_GOTO(status);
  const int64_t data_bytes = 8 * target->rows * target->cols;
  *out = (tg_file_layout){.order = TG_ROW_MAJOR, .record_bytes = 8};
  out->data_offset = (file.count + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  out->file_bytes = out->data_offset + data_bytes;
  if (!place_numbers(&file, out->data_offset, data_bytes))
    TG_FAIL_GOTO(TG_INTERNAL, "%s: the HDF5 library's metadata are in an unknown format", target->final_path);
  TG_TRY_GOTO(tg_io_write_header(path, target->final_path, file.bytes, file.count, out->file_bytes));
  TG_TRY_GOTO(check_placed(path, target, out));
done:
  tg_free(file.bytes);
  return status;
}

tg_status tg_hdf5_begin_write(const char *path, const tg_file_target *target, tg_file_layout *out)
{
  if (target->dataset == NULL)
    TG_FAIL(TG_DATA, "%s: an HDF5 file needs 'dataset:' to name the matrix in it", target->final_path);
  const quiet before = quiet_enter();
  tg_status status = check_replaced(target);
  if (status == TG_OK) status = write_metadata(path, target, out);
  quiet_leave(before);
  return status;
}

tg_status tg_hdf5_encode(const double *numbers, int64_t count, unsigned char *records)
{
  tg_io_encode_doubles(numbers, count, records);
  return TG_OK;
}
