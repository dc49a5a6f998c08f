// Matrix Market: every rank parses its share of the lines and sends the entries to their owners.
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/file/files.h"
#include "mpi/file/io_mtx_parse.h"
#include "mpi/file/io_posix.h"

static tg_status open_mtx(const char *path, int *fd, int64_t *file_bytes, tg_mtx_header *header)
{
  char *bytes = NULL;
  int64_t got = 0;
  *fd = -1;
  tg_status status = TG_NEW(TG_MTX_HEADER_LIMIT, &bytes);
  if (status == TG_OK) status = tg_io_open_read(path, fd, file_bytes);
  if (status == TG_OK) status = tg_io_read_some(path, *fd, bytes, TG_MTX_HEADER_LIMIT, 0, &got);
  if (status == TG_OK) {
    status = tg_mtx_parse_header(bytes, (size_t)got, header);
    if (status != TG_OK) tg_error_prefix("%s", path);
  }
  tg_free(bytes);
  if (status != TG_OK) tg_io_close(fd);
  return status;
}

// The shortest line is "1 1 0" ("1 1" in a pattern, "0" in an array), the last one may lack its line feed.
static tg_status check_length(const char *path, const tg_mtx_header *header, int64_t data_bytes)
{
  const int64_t shortest = !header->coordinate ? 2 : header->field == TG_MTX_PATTERN ? 4 : 6;
  if (header->entries <= (data_bytes + 1) / shortest) return TG_OK;
  TG_FAIL(TG_DATA,
          "%s: the file is too short: found %" PRId64 " bytes after the size line, expected %" PRId64 " entries of at "
          "least %" PRId64 " bytes each",
          path, data_bytes, header->entries, shortest);
}

tg_status tg_mtx_probe(const char *path, const char *dataset, tg_file_shape *out)
{
  (void)dataset;
  int fd = -1;
  int64_t file_bytes = 0;
  tg_mtx_header header;
  TG_TRY(open_mtx(path, &fd, &file_bytes, &header));
  tg_io_close(&fd);
  TG_TRY(check_length(path, &header, file_bytes - header.data_offset));
  *out = (tg_file_shape){.rows = header.rows,
                         .cols = header.cols,
                         .entries = header.entries,
                         .data_bytes = file_bytes - header.data_offset,
                         .file_bytes = file_bytes};
  tg_mtx_describe(&header, sizeof out->dtype, out->dtype);
  return TG_OK;
}

// --- lines of a byte range ---------------------------------------------------------------------------

// A line belongs to the rank in whose range [begin, end) its first byte lies.
typedef struct lines {
  const char *path;
  int fd;
  int64_t file_bytes;
  int64_t begin;
  int64_t end;
  char *text; // a window of the file
  int64_t capacity;
  int64_t window; // file offset of text[0]
  int64_t filled;
  int64_t at; // next unread byte, as an index of text
} lines;

// Moves the window on so that it starts at the next unread byte.
static tg_status refill(lines *l)
{
  memmove(l->text, l->text + l->at, (size_t)(l->filled - l->at));
  l->window += l->at;
  l->filled -= l->at;
  l->at = 0;
  const int64_t offset = l->window + l->filled;
  const int64_t room = l->capacity - l->filled;
  const int64_t left = l->file_bytes - offset;
  const int64_t wanted = room < left ? room : left;
  TG_TRY(tg_io_read_at(l->path, l->fd, l->text + l->filled, wanted, offset));
  l->filled += wanted;
  return TG_OK;
}

// How many lines there are before a byte: counted only when an error has to be placed.
static int64_t count_feeds(const lines *l, int64_t from, int64_t to)
{
  char piece[4096];
  int64_t feeds = 0;
  while (from < to) {
    const int64_t wanted = to - from < (int64_t)sizeof piece ? to - from : (int64_t)sizeof piece;
    int64_t got = 0;
    if (tg_io_read_some(l->path, l->fd, piece, wanted, from, &got) != TG_OK || got == 0) break;
    for (int64_t i = 0; i < got; i++) feeds += piece[i] == '\n';
    from += got;
  }
  return feeds;
}

static int64_t line_number(const lines *l, const tg_mtx_header *header, int64_t offset)
{
  return header->data_line + count_feeds(l, header->data_offset, offset);
}

typedef struct line {
  const char *begin; // NULL after the last one
  const char *end;
  int64_t offset; // in the file
} line;

static tg_status next_line(lines *l, line *out)
{
  *out = (line){NULL, NULL, l->window + l->at};
  if (out->offset >= l->end) return TG_OK;
  char *feed = memchr(l->text + l->at, '\n', (size_t)(l->filled - l->at));
  if (feed == NULL && l->window + l->filled < l->file_bytes) {
    TG_TRY(refill(l));
    feed = memchr(l->text, '\n', (size_t)l->filled);
  }
  const char *stop = feed != NULL ? feed : l->text + l->filled;
  out->begin = l->text + l->at;
  out->end = stop;
  if (stop - out->begin > TG_MTX_LINE_LIMIT)
    TG_FAIL(TG_DATA, "%s: the line that starts at byte %" PRId64 " is longer than %d bytes", l->path, out->offset,
            TG_MTX_LINE_LIMIT);
  l->at = stop - l->text + (feed != NULL ? 1 : 0);
  return TG_OK;
}

// Back to the first line of the range. A range that does not start with the data starts one byte early and drops
// the line it finds there: that one began before the range.
static tg_status rewind_lines(lines *l, int64_t data_offset)
{
  line dropped;
  l->filled = 0;
  l->at = 0;
  l->window = l->begin > data_offset ? l->begin - 1 : l->begin;
  if (l->begin == data_offset || l->begin >= l->end) return TG_OK;
  return next_line(l, &dropped);
}

static tg_status count_lines(lines *l, int64_t data_offset, int64_t *out)
{
  line found;
  *out = 0;
  TG_TRY(rewind_lines(l, data_offset));
  for (;;) {
    TG_TRY(next_line(l, &found));
    if (found.begin == NULL) return TG_OK;
    if (!tg_mtx_is_void(found.begin, found.end)) (*out)++;
  }
}

// --- entries to their owners -------------------------------------------------------------------------

typedef struct mtx_source {
  lines lines;
  tg_mtx_header header;
  tg_dmat *matrix;
  int64_t my_entries; // data lines of my range
  int64_t next_entry; // number, in the file, of the one to be parsed next: array files need it
  int64_t batch;      // data lines a round
  tg_mtx_entry *parsed;
  tg_mtx_entry *sent;
  tg_mtx_entry *received;
  int64_t received_capacity;
  int64_t count; // of parsed
  int *send_counts;
  int *send_starts;
  int *receive_counts;
  int *receive_starts;
  MPI_Datatype entry_type;
} mtx_source;

// A round sends at most a panel. Where all entries of a round have one owner it receives ranks times as much, which
// sorted files come near to: so a round gets smaller with the number of ranks, down to 4096 lines.
static int64_t batch_lines(int64_t panel_bytes, int64_t ranks)
{
  enum { FEWEST = 4096, BOTH_TRIANGLES = 2 };
  const int64_t lines_of_panel = panel_bytes / (BOTH_TRIANGLES * (int64_t)sizeof(tg_mtx_entry));
  const int64_t fewest = lines_of_panel < FEWEST ? lines_of_panel : FEWEST;
  const int64_t shared = lines_of_panel / ranks > fewest ? lines_of_panel / ranks : fewest;
  return shared > 0 ? shared : 1;
}

static tg_status open_source(const tg_file_source *from, tg_dmat *matrix, mtx_source *s)
{
  enum { WINDOW = 1 << 22, SMALLEST_WINDOW = 2 * TG_MTX_LINE_LIMIT };
  const tg_grid *grid = matrix->grid;
  const int64_t ranks = grid->size;
  s->lines.path = from->path;
  TG_TRY(open_mtx(from->path, &s->lines.fd, &s->lines.file_bytes, &s->header));
  if (s->header.rows != matrix->rows || s->header.cols != matrix->cols ||
      s->lines.file_bytes != from->shape->file_bytes)
    TG_FAIL(TG_DATA,
            "%s: changed while it was read: %" PRId64 " x %" PRId64 " in %" PRId64 " bytes, before %" PRId64
            " x %" PRId64 " in %" PRId64 " bytes",
            from->path, s->header.rows, s->header.cols, s->lines.file_bytes, matrix->rows, matrix->cols,
            from->shape->file_bytes);
  const int64_t data = s->lines.file_bytes - s->header.data_offset;
  const int64_t share = data / ranks;
  const int64_t rest = data % ranks;
  const int64_t r = grid->rank;
  s->lines.begin = s->header.data_offset + share * r + (r < rest ? r : rest);
  s->lines.end = s->lines.begin + share + (r < rest ? 1 : 0);
  s->lines.capacity = from->panel_bytes < SMALLEST_WINDOW ? SMALLEST_WINDOW
                      : from->panel_bytes < WINDOW        ? from->panel_bytes
                                                          : WINDOW;
  s->batch = batch_lines(from->panel_bytes, ranks);
  TG_TRY(TG_NEW(s->lines.capacity, &s->lines.text));
  TG_TRY(TG_NEW(2 * s->batch, &s->parsed));
  TG_TRY(TG_NEW(2 * s->batch, &s->sent));
  TG_TRY(TG_NEW(4 * ranks, &s->send_counts));
  s->send_starts = s->send_counts + ranks;
  s->receive_counts = s->send_starts + ranks;
  s->receive_starts = s->receive_counts + ranks;
  return count_lines(&s->lines, s->header.data_offset, &s->my_entries);
}

static void close_source(mtx_source *s)
{
  tg_io_close(&s->lines.fd);
  tg_free(s->lines.text);
  tg_free(s->parsed);
  tg_free(s->sent);
  tg_free(s->received);
  tg_free(s->send_counts);
  if (s->entry_type != MPI_DATATYPE_NULL) MPI_Type_free(&s->entry_type);
}

// Which entry of the file is the first of my range, whether there are as many as announced, how many rounds it takes.
static tg_status count_entries(mtx_source *s, int64_t *rounds)
{
  MPI_Comm comm = s->matrix->grid->comm;
  int64_t before = 0;
  int64_t total = 0;
  const int64_t mine = (s->my_entries + s->batch - 1) / s->batch;
  TG_TRY_MPI(MPI_Exscan(&s->my_entries, &before, 1, MPI_INT64_T, MPI_SUM, comm));
  TG_TRY_MPI(MPI_Allreduce(&s->my_entries, &total, 1, MPI_INT64_T, MPI_SUM, comm));
  TG_TRY_MPI(MPI_Allreduce(&mine, rounds, 1, MPI_INT64_T, MPI_MAX, comm));
  s->next_entry = s->matrix->grid->rank == 0 ? 0 : before;
  if (total != s->header.entries)
    TG_FAIL(TG_DATA, "%s: found %" PRId64 " entries, expected %" PRId64 " by the size line (line %" PRId64 ")",
            s->lines.path, total, s->header.entries, s->header.data_line - 1);
  return TG_OK;
}

static tg_status parse_line(mtx_source *s, const line *found, tg_mtx_entry *out)
{
  tg_status status = TG_OK;
  if (s->header.coordinate) {
    status = tg_mtx_parse_coordinate(&s->header, found->begin, found->end, out);
  } else {
    status = tg_mtx_parse_value(&s->header, found->begin, found->end, &out->value);
    tg_mtx_array_place(&s->header, s->next_entry, &out->row, &out->col);
  }
  s->next_entry++;
  if (status != TG_OK)
    tg_error_prefix("%s: line %" PRId64, s->lines.path, line_number(&s->lines, &s->header, found->offset));
  return status;
}

// One round's entries of my range, with their mirror images.
static tg_status parse_round(mtx_source *s)
{
  line found;
  s->count = 0;
  for (int64_t done = 0; done < s->batch;) {
    TG_TRY(next_line(&s->lines, &found));
    if (found.begin == NULL) return TG_OK;
    if (tg_mtx_is_void(found.begin, found.end)) continue;
    tg_mtx_entry *entry = &s->parsed[s->count];
    TG_TRY(parse_line(s, &found, entry));
    s->count++;
    done++;
    if (s->header.symmetry == TG_MTX_GENERAL || entry->row == entry->col) continue;
    const double sign = s->header.symmetry == TG_MTX_SKEW ? -1 : 1;
    s->parsed[s->count++] = (tg_mtx_entry){entry->col, entry->row, sign * entry->value};
  }
  return TG_OK;
}

// strtod and printf follow the locale of the thread; the files do not.
typedef struct c_locale {
  locale_t c;
  locale_t before;
} c_locale;

static tg_status c_locale_enter(c_locale *out)
{
  out->before = (locale_t)0;
  out->c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  if (out->c == (locale_t)0) TG_FAIL(TG_MEMORY, "cannot set the C locale: %s", strerror(errno));
  out->before = uselocale(out->c);
  return TG_OK;
}

static void c_locale_leave(c_locale *locale)
{
  uselocale(locale->before);
  freelocale(locale->c);
}

static tg_status parse_round_in_c(mtx_source *s)
{
  c_locale locale;
  TG_TRY(c_locale_enter(&locale));
  const tg_status status = parse_round(s);
  c_locale_leave(&locale);
  return status;
}

static int owner_of(const tg_dmat *matrix, const tg_mtx_entry *entry)
{
  const tg_grid *grid = matrix->grid;
  return tg_layout_owner(entry->row, matrix->block, grid->rows) * grid->cols +
         tg_layout_owner(entry->col, matrix->block, grid->cols);
}

// Counting sort of the parsed entries by owner.
static void sort_by_owner(mtx_source *s)
{
  const int ranks = s->matrix->grid->size;
  memset(s->send_counts, 0, (size_t)ranks * sizeof(int));
  for (int64_t k = 0; k < s->count; k++) s->send_counts[owner_of(s->matrix, &s->parsed[k])]++;
  int start = 0;
  for (int rank = 0; rank < ranks; rank++) {
    s->send_starts[rank] = start;
    start += s->send_counts[rank];
  }
  for (int64_t k = 0; k < s->count; k++) s->sent[s->send_starts[owner_of(s->matrix, &s->parsed[k])]++] = s->parsed[k];
  for (int rank = 0; rank < ranks; rank++) s->send_starts[rank] -= s->send_counts[rank];
}

static tg_status reserve_received(mtx_source *s, int64_t *total)
{
  *total = 0;
  for (int rank = 0; rank < s->matrix->grid->size; rank++) {
    if (*total > INT32_MAX - s->receive_counts[rank])
      TG_FAIL(TG_LIMIT, "%s: more than %d entries meet on one rank in one round", s->lines.path, INT32_MAX);
    s->receive_starts[rank] = (int)*total;
    *total += s->receive_counts[rank];
  }
  if (*total <= s->received_capacity) return TG_OK;
  TG_TRY(tg_grow(*total, sizeof *s->received, (void **)&s->received));
  s->received_capacity = *total;
  return TG_OK;
}

// The sum of duplicates is what assembled finite element matrices mean by them.
static void add_received(mtx_source *s, int64_t total)
{
  tg_dmat *matrix = s->matrix;
  for (int64_t k = 0; k < total; k++) {
    const int64_t i = tg_layout_local(s->received[k].row, matrix->block, matrix->grid->rows);
    const int64_t j = tg_layout_local(s->received[k].col, matrix->block, matrix->grid->cols);
    matrix->data[i + j * matrix->ld] += s->received[k].value;
  }
}

static tg_status run_round(mtx_source *s)
{
  MPI_Comm comm = s->matrix->grid->comm;
  int64_t total = 0;
  TG_TRY(tg_agree(comm, parse_round_in_c(s)));
  sort_by_owner(s);
  TG_TRY_MPI(MPI_Alltoall(s->send_counts, 1, MPI_INT, s->receive_counts, 1, MPI_INT, comm));
  TG_TRY(tg_agree(comm, reserve_received(s, &total)));
  TG_TRY_MPI(MPI_Alltoallv(s->sent, s->send_counts, s->send_starts, s->entry_type, s->received, s->receive_counts,
                           s->receive_starts, s->entry_type, comm));
  add_received(s, total);
  return TG_OK;
}

tg_status tg_mtx_read(const tg_file_source *from, tg_dmat *matrix)
{
  mtx_source s = {.matrix = matrix, .lines = {.fd = -1}, .entry_type = MPI_DATATYPE_NULL};
  int64_t rounds = 0;
  tg_status status = TG_OK;
  TG_TRY_GOTO(tg_agree(matrix->grid->comm, open_source(from, matrix, &s)));
  TG_TRY_GOTO(count_entries(&s, &rounds));
  TG_TRY_GOTO(tg_mpi_check(MPI_Type_contiguous((int)sizeof(tg_mtx_entry), MPI_BYTE, &s.entry_type), TG_HERE));
  TG_TRY_GOTO(tg_mpi_check(MPI_Type_commit(&s.entry_type), TG_HERE));
  TG_TRY_GOTO(tg_agree(matrix->grid->comm, rewind_lines(&s.lines, s.header.data_offset)));
  for (int64_t round = 0; round < rounds; round++) TG_TRY_GOTO(run_round(&s));
done:
  close_source(&s);
  return status;
}

// --- writing -----------------------------------------------------------------------------------------

// Every number takes the same room, so that each rank knows where its own go: "%24.16e" holds the longest double,
// -2.2250738585072014e-308, and 17 digits read back as the same one.
enum { RECORD_BYTES = 25 };

tg_status tg_mtx_begin_write(const char *path, const tg_file_target *target, tg_file_layout *out)
{
  char header[128];
  const int length =
      snprintf(header, sizeof header, "%%%%MatrixMarket matrix array real general\n%" PRId64 " %" PRId64 "\n",
               target->rows, target->cols);
  TG_ASSERT(length > 0 && (size_t)length < sizeof header);
  *out = (tg_file_layout){.order = TG_COLUMN_MAJOR, .data_offset = length, .record_bytes = RECORD_BYTES};
  out->file_bytes = length + RECORD_BYTES * target->rows * target->cols;
  return tg_io_write_header(path, target->final_path, header, length, out->file_bytes);
}

tg_status tg_mtx_encode(const double *numbers, int64_t count, unsigned char *records)
{
  c_locale locale;
  TG_TRY(c_locale_enter(&locale));
  for (int64_t k = 0; k < count; k++) {
    char record[RECORD_BYTES + 1];
    snprintf(record, sizeof record, "%24.16e\n", numbers[k]);
    memcpy(records + k * RECORD_BYTES, record, RECORD_BYTES);
  }
  c_locale_leave(&locale);
  return TG_OK;
}
