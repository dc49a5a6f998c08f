// NumPy's .npy: read in every version, order and real type; written as version 1.0, '<f8', C order.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/file/files.h"
#include "mpi/file/io_npy_header.h"
#include "mpi/file/io_posix.h"

// Opens the file and parses its header; *fd stays open on success.
static tg_status open_npy(const char *path, int *fd, int64_t *file_bytes, tg_npy_header *header)
{
  unsigned char *bytes = NULL;
  int64_t got = 0;
  *fd = -1;
  tg_status status = TG_NEW(TG_NPY_HEADER_LIMIT, &bytes);
  if (status == TG_OK) status = tg_io_open_read(path, fd, file_bytes);
  if (status == TG_OK) status = tg_io_read_some(path, *fd, bytes, TG_NPY_HEADER_LIMIT, 0, &got);
  if (status == TG_OK) {
    status = tg_npy_parse_header(bytes, (size_t)got, header);
    if (status != TG_OK) tg_error_prefix("%s", path);
  }
  tg_free(bytes);
  if (status != TG_OK) tg_io_close(fd);
  return status;
}

static tg_status check_length(const char *path, const tg_npy_header *header, int64_t file_bytes)
{
  const int64_t expected = header->data_offset + header->data_bytes;
  if (file_bytes == expected) return TG_OK;
  TG_FAIL(TG_DATA,
          "%s: the file is too %s: found %" PRId64 " bytes, expected %" PRId64 " (a header of %" PRId64 " and %" PRId64
          " x %" PRId64 " items of %d bytes, dtype '%s')",
          path, file_bytes < expected ? "short" : "long", file_bytes, expected, header->data_offset, header->rows,
          header->cols, header->item_bytes, header->descr);
}

// "float64", "int32, big-endian"
static void describe(const tg_npy_header *header, size_t room, char *out)
{
  const char *name = header->kind == 'f' ? "float" : header->kind == 'i' ? "int" : "uint";
  char type[16];
  snprintf(type, sizeof type, "%s%d", name, 8 * header->item_bytes);
  snprintf(out, room, "%s%s", header->kind == 'b' ? "bool" : type,
           header->big_endian && header->item_bytes > 1 ? ", big-endian" : "");
}

tg_status tg_npy_probe(const char *path, const char *dataset, tg_file_shape *out)
{
  (void)dataset;
  int fd = -1;
  int64_t file_bytes = 0;
  tg_npy_header header;
  TG_TRY(open_npy(path, &fd, &file_bytes, &header));
  tg_io_close(&fd);
  TG_TRY(check_length(path, &header, file_bytes));
  *out = (tg_file_shape){.rows = header.rows,
                         .cols = header.cols,
                         .entries = header.rows * header.cols,
                         .data_bytes = header.data_bytes,
                         .file_bytes = file_bytes};
  describe(&header, sizeof out->dtype, out->dtype);
  return TG_OK;
}

typedef struct npy_source {
  const char *path;
  const tg_slab_plan *plan;
  int fd;
  tg_npy_header header;
  unsigned char *items; // piece of a slab as it is stored
} npy_source;

// What is read at a time stays in the cache until it is decoded.
enum { PIECE_ITEMS = 1 << 16 };

static tg_status fetch_npy(void *context, const tg_slab *slab, double *numbers)
{
  npy_source *source = context;
  const tg_npy_header *header = &source->header;
  const int64_t total = slab->rows * slab->cols;
  const int64_t first = tg_slab_position(source->plan, slab);
  for (int64_t done = 0; done < total; done += PIECE_ITEMS) {
    const int64_t count = total - done < PIECE_ITEMS ? total - done : PIECE_ITEMS;
    const int64_t at = header->data_offset + (first + done) * header->item_bytes;
    TG_TRY(tg_io_read_at(source->path, source->fd, source->items, count * header->item_bytes, at));
    tg_npy_decode(header, source->items, count, numbers + done);
  }
  return TG_OK;
}

static tg_status open_source(const tg_file_source *from, npy_source *source)
{
  int64_t file_bytes = 0;
  *source = (npy_source){.path = from->path, .fd = -1};
  TG_TRY(TG_NEW(8 * (int64_t)PIECE_ITEMS, &source->items));
  TG_TRY(open_npy(from->path, &source->fd, &file_bytes, &source->header));
  if (source->header.rows != from->shape->rows || source->header.cols != from->shape->cols)
    TG_FAIL(TG_DATA, "%s: changed while it was read: %" PRId64 " x %" PRId64 ", before %" PRId64 " x %" PRId64,
            from->path, source->header.rows, source->header.cols, from->shape->rows, from->shape->cols);
  return check_length(from->path, &source->header, file_bytes);
}

tg_status tg_npy_read(const tg_file_source *from, tg_dmat *matrix)
{
  npy_source source;
  tg_slab_plan plan;
  tg_status status = tg_agree(matrix->grid->comm, open_source(from, &source));
  if (status == TG_OK) {
    const tg_slab_order order = source.header.column_major ? TG_COLUMN_MAJOR : TG_ROW_MAJOR;
    tg_slab_plan_init(matrix, order, from->panel_bytes, &plan);
    source.plan = &plan;
    status = tg_slab_read(matrix, &plan, fetch_npy, &source);
  }
  tg_io_close(&source.fd);
  tg_free(source.items);
  return status;
}

// --- writing -----------------------------------------------------------------------------------------

// The header ends with a line feed on a multiple of 64 bytes, as the format asks for.
static size_t format_header(const tg_file_target *target, size_t room, unsigned char *out)
{
  static const unsigned char magic[8] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  char text[128];
  const int length =
      snprintf(text, sizeof text, "{'descr': '<f8', 'fortran_order': False, 'shape': (%" PRId64 ", %" PRId64 "), }",
               target->rows, target->cols);
  const size_t total = (10 + (size_t)length + 1 + 63) / 64 * 64;
  TG_ASSERT(length > 0 && (size_t)length < sizeof text && total <= room);
  memset(out, ' ', total);
  memcpy(out, magic, sizeof magic);
  tg_io_store_little(total - 10, 2, out + 8);
  memcpy(out + 10, text, (size_t)length);
  out[total - 1] = '\n';
  return total;
}

tg_status tg_npy_begin_write(const char *path, const tg_file_target *target, tg_file_layout *out)
{
  unsigned char header[192];
  const size_t length = format_header(target, sizeof header, header);
  *out = (tg_file_layout){.order = TG_ROW_MAJOR, .data_offset = (int64_t)length, .record_bytes = 8};
  out->file_bytes = out->data_offset + 8 * target->rows * target->cols;
  return tg_io_write_header(path, target->final_path, header, (int64_t)length, out->file_bytes);
}

tg_status tg_npy_encode(const double *numbers, int64_t count, unsigned char *records)
{
  tg_io_encode_doubles(numbers, count, records);
  return TG_OK;
}
