// history.jsonl: a record per iteration, whole lines only, on rank 0.
//
// The history is no reason to stop a run: records that the disk does not take wait in memory and are tried again with
// each new one.
#ifndef TG_REPORT_HISTORY_H
#define TG_REPORT_HISTORY_H

#include <stdint.h>

#include "base/message.h"

typedef struct tg_history {
  const char *path;
  int fd;                      // -1: not open
  int64_t bytes;               // of whole records in the file
  int64_t records;             // there, those of earlier runs included
  tg_text waiting;             // lines that the disk has not taken yet
  int64_t n_waiting;           // of them
  int64_t n_lost;              // records beyond the room for waiting ones
  const tg_messages *messages; // receives warnings; NULL: nobody does; not owned
  bool has_warned;
} tg_history;

// Creates the file, or opens it to go on: with keeps > 0 behind its first `keeps` records, the last of which is that of
// `iteration`; what follows is cut off. Where the file is another's, or has gone, it begins with the next record, and a
// warning says so. TG_IO.
tg_status tg_history_open(const char *path, int64_t keeps, int64_t iteration, const tg_messages *messages,
                          tg_history *out);
// Adds a line, without its end. TG_MEMORY.
tg_status tg_history_add(tg_history *history, const char *line);
// The records up to here are on the disk, as far as it takes them.
void tg_history_sync(tg_history *history);
// Closes; a warning counts the records that are missing. What was not opened is fine.
void tg_history_close(tg_history *history);

#endif
