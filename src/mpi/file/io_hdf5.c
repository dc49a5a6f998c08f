// HDF5 through the serial library: every rank reads its slabs; of a new file the library makes all but the numbers.
//
// A library that meets a full disk in H5Fclose keeps the file half closed and may crash when the program ends. So the
// metadata of a new file are made in memory; the numbers' place, which was left open, is filled in; and metadata and
// numbers go to the disk as in every other format, by pwrite with every result checked.
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "mpi/file/files.h"
#include "mpi/file/io_hdf5_source.h"
#include "mpi/file/io_posix.h"

tg_status tg_hdf5_probe(const char *path, const char *dataset, tg_file_shape *out)
{
  tg_hdf5_source source;
  int64_t file_bytes = 0;
  TG_TRY(tg_hdf5_load());
  const tg_hdf5_quiet before = tg_hdf5_quiet_enter();
  const tg_status status = tg_hdf5_open(path, dataset, &file_bytes, &source);
  if (status == TG_OK) {
    *out = (tg_file_shape){.rows = source.rows,
                           .cols = source.cols,
                           .entries = source.rows * source.cols,
                           .data_bytes = source.rows * source.cols * (int64_t)H5Tget_size(source.type),
                           .file_bytes = file_bytes};
    tg_hdf5_describe_type(source.type, sizeof out->dtype, out->dtype);
    tg_hdf5_describe_reading(&source, sizeof out->note, out->note);
  }
  tg_hdf5_close(&source);
  tg_hdf5_quiet_leave(before);
  return status;
}

static tg_status fetch_hdf5(void *context, const tg_slab *slab, double *numbers)
{
  const tg_hdf5_source *s = context;
  const bool by_rows = s->order == TG_ROW_MAJOR;
  const hsize_t start[2] = {(hsize_t)(by_rows ? slab->row : slab->col), (hsize_t)(by_rows ? slab->col : slab->row)};
  const hsize_t count[2] = {(hsize_t)(by_rows ? slab->rows : slab->cols), (hsize_t)(by_rows ? slab->cols : slab->rows)};
  const hsize_t total = count[0] * count[1];
  if (total == 0) return TG_OK;
  const hid_t memory = H5Screate_simple(1, &total, NULL);
  const bool selected =
      s->dimensions == 0 || H5Sselect_hyperslab(s->space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0;
  const bool read =
      memory >= 0 && selected && H5Dread(s->dataset, H5T_NATIVE_DOUBLE, memory, s->space, H5P_DEFAULT, numbers) >= 0;
  const tg_hdf5_reason why = tg_hdf5_last_reason();
  if (memory >= 0) H5Sclose(memory);
  if (!read)
    TG_FAIL(TG_DATA,
            "%s: '%s': reading %" PRId64 " x %" PRId64 " entries from row %" PRId64 ", column %" PRId64 " failed: %s",
            s->path, s->name, slab->rows, slab->cols, slab->row + 1, slab->col + 1, why.text);
  return TG_OK;
}

static tg_status open_same(const tg_file_source *from, tg_hdf5_source *s)
{
  int64_t file_bytes = 0;
  TG_TRY(tg_hdf5_open(from->path, from->dataset, &file_bytes, s));
  if (s->rows != from->shape->rows || s->cols != from->shape->cols)
    TG_FAIL(TG_DATA, "%s: '%s' changed while it was read: %" PRId64 " x %" PRId64 ", before %" PRId64 " x %" PRId64,
            from->path, s->name, s->rows, s->cols, from->shape->rows, from->shape->cols);
  return TG_OK;
}

tg_status tg_hdf5_read(const tg_file_source *from, tg_dmat *matrix)
{
  tg_hdf5_source source;
  tg_slab_plan plan;
  TG_TRY(tg_agree(matrix->grid->comm, tg_hdf5_load()));
  const tg_hdf5_quiet before = tg_hdf5_quiet_enter();
  tg_status status = tg_agree(matrix->grid->comm, open_same(from, &source));
  if (status == TG_OK) {
    tg_slab_plan_init(matrix, source.order, from->panel_bytes, &plan);
    status = tg_slab_read(matrix, &plan, fetch_hdf5, &source);
  }
  tg_hdf5_close(&source);
  tg_hdf5_quiet_leave(before);
  return status;
}

// --- writing -----------------------------------------------------------------------------------------

// Replacing a file that holds other datasets would lose them, and which of them are wanted is not ours to guess.
static tg_status check_replaced(const tg_file_target *target)
{
  const char *name = target->dataset;
  hid_t file = H5I_INVALID_HID;
  int64_t file_bytes = 0;
  tg_hdf5_listing list;
  while (*name == '/') name++;
  if (tg_hdf5_open_file(target->final_path, &file_bytes, &file) != TG_OK) {
    tg_error_clear(); // no file yet, or none of HDF5's
    return TG_OK;
  }
  tg_hdf5_list(file, name, &list);
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
                 tg_hdf5_last_reason().text);
  out->count = (int64_t)H5Fget_file_image(n.file, NULL, 0);
  if (out->count <= 0)
    TG_FAIL_GOTO(TG_IO, "%s: the HDF5 library gives no image of the new file: %s", target->final_path,
                 tg_hdf5_last_reason().text);
  TG_TRY_GOTO(TG_NEW(out->count, &out->bytes));
  if (H5Fget_file_image(n.file, out->bytes, (size_t)out->count) != out->count)
    TG_FAIL_GOTO(TG_IO, "%s: the HDF5 library gives no image of the new file: %s", target->final_path,
                 tg_hdf5_last_reason().text);
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
  tg_hdf5_source source;
  int64_t file_bytes = 0;
  tg_status status = tg_hdf5_open(path, target->dataset, &file_bytes, &source);
  if (status == TG_OK && (source.rows != target->rows || source.cols != target->cols ||
                          H5Dget_offset(source.dataset) != (haddr_t)data_offset))
    status = tg_error_set(TG_INTERNAL, TG_HERE, "the HDF5 library places the numbers elsewhere than at byte %" PRId64,
                          data_offset);
  if (status != TG_OK) tg_error_prefix("%s: the new file's metadata are not as expected", target->final_path);
  tg_hdf5_close(&source);
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
  TG_TRY(tg_hdf5_load());
  const tg_hdf5_quiet before = tg_hdf5_quiet_enter();
  tg_status status = check_replaced(target);
  if (status == TG_OK) status = write_metadata(path, target, out);
  tg_hdf5_quiet_leave(before);
  return status;
}

tg_status tg_hdf5_encode(const double *numbers, int64_t count, unsigned char *records)
{
  tg_io_encode_doubles(numbers, count, records);
  return TG_OK;
}
