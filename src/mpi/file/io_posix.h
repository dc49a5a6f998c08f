// POSIX files with every return value checked: the ground under all matrix formats. Everything here is local.
#ifndef TG_MPI_IO_POSIX_H
#define TG_MPI_IO_POSIX_H

#include <stdint.h>

#include "base/status.h"

// Opens a regular file for reading and tells its size. TG_DATA with the path and the reason.
tg_status tg_io_open_read(const char *path, int *fd, int64_t *bytes);
// Closes and forgets; -1 is fine. For files that were read: nothing can be lost by it.
void tg_io_close(int *fd);

// Exactly `bytes` bytes from `offset`. TG_DATA when the file ends before, TG_IO when the system fails.
tg_status tg_io_read_at(const char *path, int fd, void *buffer, int64_t bytes, int64_t offset);
// As many of `bytes` as the file has from `offset`: for headers.
tg_status tg_io_read_some(const char *path, int fd, void *buffer, int64_t bytes, int64_t offset, int64_t *got);
// A hash of the file's bytes, of all where they are few, else of samples from the first to the last one.
tg_status tg_io_fingerprint(const char *path, int fd, int64_t file_bytes, uint64_t *out);
// When the file was last written, in nanoseconds since 1970; 0 when the system does not say.
int64_t tg_io_changed_ns(int fd);

// Exactly `bytes` bytes at `offset`; returns 0 or the errno, for the caller knows the final name of the file.
int tg_io_write_at(int fd, const void *buffer, int64_t bytes, int64_t offset);

// Brings a folder's entries to the disk; returns 0 or the errno. 0 too where the file system cannot do that for a
// folder and says so: nothing more can be done there.
int tg_io_sync_folder(const char *path);

// Writes the first bytes of the existing file `path`, which will become final_path and need needed_bytes. TG_IO.
tg_status tg_io_write_header(const char *path, const char *final_path, const void *header, int64_t header_bytes,
                             int64_t needed_bytes);

// TG_IO: "PATH: cannot ACTION: REASON; the file needs N, the file system has M free".
tg_status tg_io_write_failed(const char *path, const char *action, int reason, int64_t needed_bytes);
// Bytes an ordinary user may still write on the file system of `path`'s directory, -1 when it does not say.
int64_t tg_io_free_bytes(const char *path);
// The directory of a path: "a/b" -> "a", "b" -> ".", "/b" -> "/". TG_IO when it does not fit.
tg_status tg_io_directory(const char *path, size_t room, char *out);

// Removes the files of a folder whose names begin and end so. What cannot be removed stays.
void tg_io_remove_matching(const char *folder, const char *begins, const char *ends);

// Unsigned integers stored least significant byte first, whatever this machine does.
uint64_t tg_io_load_little(const unsigned char *bytes, int count);
void tg_io_store_little(uint64_t value, int count, unsigned char *bytes);

// Eight bytes a number, IEEE 754, little-endian: the records of npy '<f8' and of our HDF5 files.
void tg_io_encode_doubles(const double *numbers, int64_t count, unsigned char *records);

#endif
