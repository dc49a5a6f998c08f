// A dataset of an HDF5 file, found, examined and open for reading. Everything here is local.
//
// MATLAB (since version 7.3) and Octave write the columns of a matrix where HDF5 has rows. They mark what they write,
// so that it is read as it was meant. A dataset whose numbers are in other files is refused: the job does not name
// them.
#ifndef TG_MPI_IO_HDF5_SOURCE_H
#define TG_MPI_IO_HDF5_SOURCE_H

#include "base/text.h"
#include "mpi/file/hdf5_library.h"
#include "mpi/file/slab.h"

// HDF5 prints its errors unless told not to; the setting is put back as the program had it.
typedef struct tg_hdf5_quiet {
  H5E_auto2_t function;
  void *data;
} tg_hdf5_quiet;

tg_hdf5_quiet tg_hdf5_quiet_enter(void);
void tg_hdf5_quiet_leave(tg_hdf5_quiet before);

// What the library says is the root of its last failure.
typedef struct tg_hdf5_reason {
  char text[256];
} tg_hdf5_reason;

tg_hdf5_reason tg_hdf5_last_reason(void);

enum { TG_HDF5_NAME_ROOM = 256 };

typedef struct tg_hdf5_listing {
  tg_text text;
  int count;
  char first[TG_HDF5_NAME_ROOM]; // the name of the first one, cut to the room
  const char *except;            // a dataset's name that is not counted, without the leading '/'
} tg_hdf5_listing;

// The datasets of a file, "/A (3 x 4), /g/B (5)", but `except` (NULL: all). The caller frees out->text.
void tg_hdf5_list(hid_t file, const char *except, tg_hdf5_listing *out);

typedef struct tg_hdf5_source {
  const char *path;
  const char *name; // of the dataset; NULL until the only one is found
  char only[TG_HDF5_NAME_ROOM];
  const char *writer; // "MATLAB" or "Octave", which store columns first; else NULL
  hid_t file;
  hid_t dataset;
  hid_t space;
  hid_t type;
  int dimensions;
  tg_slab_order order;
  int64_t rows;
  int64_t cols;
} tg_hdf5_source;

// Opens a file for reading and tells its size. TG_DATA.
tg_status tg_hdf5_open_file(const char *path, int64_t *file_bytes, hid_t *out);
// Opens the named dataset, or the only one where name is NULL. TG_DATA; tg_hdf5_close either way. *s must not be moved.
tg_status tg_hdf5_open(const char *path, const char *name, int64_t *file_bytes, tg_hdf5_source *s);
void tg_hdf5_close(tg_hdf5_source *s);

// "float64", "int32, big-endian"
void tg_hdf5_describe_type(hid_t type, size_t room, char *out);
// "dataset /A of MATLAB, stored by columns: read as 3 x 2", or "" where nothing needs to be said.
void tg_hdf5_describe_reading(const tg_hdf5_source *s, size_t room, char *out);

#endif
