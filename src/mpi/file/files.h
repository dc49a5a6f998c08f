// Matrix files: what a file holds, reading it into a distributed matrix, writing one so that nothing is ever lost.
//
// The format follows from the suffix of the name; formats.def lists them. Input problems (missing, short, of another
// shape or type, not finite) are TG_DATA; failures while writing, and of read(2) itself, are TG_IO. Every message
// names the path, what was found and what was expected.
#ifndef TG_MPI_FILES_H
#define TG_MPI_FILES_H

#include "mpi/file/slab.h"
#include "mpi/matrix/dmat.h"

typedef struct tg_file_shape {
  int64_t rows; // a 1-D array of n entries is n x 1, a scalar 1 x 1
  int64_t cols;
  int64_t entries;      // stored in the file: rows * cols, or the number of coordinates of a sparse file
  int64_t data_bytes;   // of the numbers as the header announces them; of a text file, what follows its header
  int64_t file_bytes;   // the file's size as rank 0 sees it
  char dtype[32];       // "float64", "int32, big-endian", "real sparse symmetric": for people
  uint64_t fingerprint; // of samples of its bytes, see tg_io_fingerprint; 0 until it is read
  int64_t changed_ns;   // when the file was last written, as rank 0 sees it; 0 until it is read
  char note[160];       // what a user should know about how the file is read, or ""
} tg_file_shape;

// Reads the header of the file. LOCAL: the caller runs it on rank 0 and broadcasts. `dataset` is the path of an HDF5
// dataset, NULL where the file holds one only, and NULL for the other formats. TG_DATA: a name without a known suffix,
// no regular file, a bad header, a length that does not fit the header, no entries, more than two dimensions, a type
// that is not real numbers.
tg_status tg_file_probe(const char *path, const char *dataset, tg_file_shape *out);

// Reads a matrix onto the grid. COLLECTIVE, the same arguments everywhere. Each rank reads contiguous slabs with
// pread (the serial HDF5 library for .h5); beside the matrix a rank holds about four panels. Finds NaN and infinities
// and names the first in row-major order, counting from 1. A rank that sees another file than rank 0 and a file that is
// written while it is read are TG_DATA, as far as size, time and samples of the bytes tell. Duplicate coordinates of a
// Matrix Market file are summed. One rank's failure becomes every rank's; *out is NULL on failure.
tg_status tg_file_read(const tg_grid *grid, const char *path, const char *dataset, tg_dmat **out);

// The same of bounds, which may be infinite; NaN is refused.
tg_status tg_file_read_bounds(const tg_grid *grid, const char *path, const char *dataset, tg_dmat **out);

// Reads a file of exactly the matrix's shape into it (TG_DATA: another shape), entries that are not finite included:
// for files of our own. Otherwise as above.
tg_status tg_file_fill(tg_dmat *matrix, const char *path, const char *dataset);

// Writes a matrix as float64 in the natural order of the format. COLLECTIVE. The numbers go to a temporary name in
// the same directory, which is synced, checked for its size and renamed: a file under the final name is complete, and
// an old one stays intact when anything fails. TG_IO names the path, the system's reason, the bytes needed and free.
// An .h5 file holds this one dataset afterwards; one that holds other datasets is not overwritten (TG_IO).
tg_status tg_file_write(const tg_dmat *matrix, const char *path, const char *dataset);

// The same of a file that nobody misses: it is not synced, and may be lost, or be something else, where the machine
// fails.
tg_status tg_file_write_passing(const tg_dmat *matrix, const char *path);

// Whether tg_file_write of a matrix of this size could begin: the target is no folder or pipe, its name is not too
// long, its folder is there on every rank and can be written, and has room. Leaves nothing behind, and removes what a
// killed process left beside the target. TG_IO. COLLECTIVE.
tg_status tg_file_write_test(const tg_grid *grid, int64_t rows, int64_t cols, const char *path, const char *dataset);

// The same with another panel size: for tests, and for machines short of memory.
tg_status tg_file_read_panels(const tg_grid *grid, const char *path, const char *dataset, int64_t panel_bytes,
                              tg_dmat **out);
tg_status tg_file_write_panels(const tg_dmat *matrix, const char *path, const char *dataset, int64_t panel_bytes);

// --- one format --------------------------------------------------------------------------------------

typedef struct tg_file_source {
  const char *path;
  const char *dataset;
  const tg_file_shape *shape; // as rank 0 probed it, on every rank
  int64_t panel_bytes;
} tg_file_source;

// Where the numbers of a new file go: `records` of equal length in file order, from data_offset to file_bytes.
typedef struct tg_file_layout {
  tg_slab_order order;
  int64_t data_offset;
  int64_t record_bytes;
  int64_t file_bytes;
} tg_file_layout;

// What there is to write, and where it shall end up.
typedef struct tg_file_target {
  const char *final_path;
  const char *dataset;
  int64_t rows;
  int64_t cols;
} tg_file_target;

typedef struct tg_file_format {
  const char *label;
  const char *suffixes;      // separated by blanks, the first one is preferred
  const char *read_suffixes; // of files that are read, but not written
  bool holds_datasets;
  // LOCAL.
  tg_status (*probe)(const char *path, const char *dataset, tg_file_shape *out);
  // COLLECTIVE: fills the zeroed matrix, which has the probed shape.
  tg_status (*read)(const tg_file_source *source, tg_dmat *matrix);
  // LOCAL, on rank 0: writes all but the numbers into the existing empty file at `path`.
  tg_status (*begin_write)(const char *path, const tg_file_target *target, tg_file_layout *out);
  // Turns numbers into records of layout.record_bytes each.
  tg_status (*encode)(const double *numbers, int64_t count, unsigned char *records);
} tg_file_format;

// The formats, in the order of formats.def.
const tg_file_format *tg_file_formats(int *count);
// The format of a file name by its suffix, in any case. TG_DATA lists the suffixes there are; of a known format that is
// not read it says what to do.
tg_status tg_file_find_format(const char *path, const tg_file_format **out);
// The same of a file to be written.
tg_status tg_file_find_target_format(const char *path, const tg_file_format **out);
// After a probe that failed with TG_DATA: where the first bytes show another known format, the error says that instead.
// Returns TG_DATA. LOCAL.
tg_status tg_file_say_what_it_is(const char *path, const tg_file_format *format);

#define TG_FORMAT(label, suffixes, read_suffixes, holds_datasets, probe, read, begin_write, encode) \
  tg_status probe(const char *path, const char *dataset, tg_file_shape *out);                       \
  tg_status read(const tg_file_source *source, tg_dmat *matrix);                                    \
  tg_status begin_write(const char *path, const tg_file_target *target, tg_file_layout *out);       \
  tg_status encode(const double *numbers, int64_t count, unsigned char *records);
#include "mpi/file/formats.def"
#undef TG_FORMAT

#endif
