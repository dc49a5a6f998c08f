// Status codes and the error record: what went wrong, where, and who passed it on.
//
// Every fallible function returns tg_status and hands results out through its last parameter.
// The first failure writes the calling thread's error record; callers pass the code on with TG_TRY.
// The record is the one piece of thread-local state in the library, as errno is in libc: it lets a
// fallible function keep its return value and needs no allocation when memory is what ran out.
#ifndef TG_BASE_STATUS_H
#define TG_BASE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// X(name, exit status of the program, label)
#define TG_STATUS_LIST(X)                                                     \
  X(OK, 0, "success")                                                         \
  X(USAGE, 2, "usage")             /* the command line */                     \
  X(SYNTAX, 2, "syntax")           /* text that is not in the grammar */      \
  X(NAME, 2, "name")               /* an unknown or misused name */           \
  X(SHAPE, 2, "shape")             /* sizes that do not agree */              \
  X(VALUE, 2, "value")             /* a number or option out of its range */  \
  X(LIMIT, 2, "limit")             /* a stated limit is exceeded */           \
  X(UNSUPPORTED, 2, "unsupported") /* right, but not executable yet */        \
  X(JOB, 2, "job")                 /* the job file's structure */             \
  X(DATA, 2, "data")               /* an input file: missing, short, wrong */ \
  X(IO, 1, "io")                   /* reading or writing failed */            \
  X(MEMORY, 1, "memory")           /* allocation failed */                    \
  X(MPI, 1, "mpi")                 /* the message passing layer */            \
  X(NUMERIC, 1, "numeric")         /* a factorisation or a value failed */    \
  X(INTERNAL, 1, "internal")       /* our own mistake, found in time */

typedef enum tg_status {
#define TG_STATUS_ENUM(name, exit_status, label) TG_##name,
  TG_STATUS_LIST(TG_STATUS_ENUM)
#undef TG_STATUS_ENUM
      TG_STATUS_COUNT
} tg_status;

// Half-open byte range [begin, end) of a source text.
typedef struct tg_span {
  size_t begin;
  size_t end;
} tg_span;

// A place in one of several texts. source is the id of the text (tg_source), from 1; 0: no place is known.
typedef struct tg_mark {
  int32_t source;
  tg_span span;
} tg_mark;

enum { TG_ERROR_MESSAGE_BYTES = 2048, TG_ERROR_TRAIL_DEPTH = 12 };

typedef struct tg_place {
  const char *file; // of our own source, a literal
  const char *function;
  int line;
} tg_place;

typedef struct tg_error {
  tg_status code;
  bool has_span;  // span points into a text
  int32_t source; // id of that text; 0: the one that was being read
  tg_span span;
  char message[TG_ERROR_MESSAGE_BYTES];
  tg_place origin;
  int trail_count;
  tg_place trail[TG_ERROR_TRAIL_DEPTH];
} tg_error;

// The label ("shape") and the program's exit status (2) of a code.
const char *tg_status_label(tg_status code);
int tg_status_exit(tg_status code);

// The calling thread's error record; valid until the next failure or clear on this thread.
tg_error *tg_error_get(void);
void tg_error_clear(void);

// Records a failure and returns its code; use the macros below.
__attribute__((format(printf, 3, 4))) tg_status tg_error_set(tg_status code, tg_place place, const char *format, ...);
__attribute__((format(printf, 4, 5))) tg_status tg_error_set_at(tg_status code, tg_place place, tg_span span,
                                                                const char *format, ...);
// A mark without a source gives an error without a place.
__attribute__((format(printf, 4, 5))) tg_status tg_error_set_mark(tg_status code, tg_place place, tg_mark mark,
                                                                  const char *format, ...);
// For a status other than TG_OK, which is returned: gives the error the place of the mark, if that has a source.
tg_status tg_error_locate(tg_mark mark, tg_status status);
// The same status: the span of the error, which knows no source yet, is in the text of this id.
tg_status tg_error_within(int32_t source, tg_status status);
// Adds a caller to the trail and returns the code unchanged.
tg_status tg_error_pass(tg_status code, tg_place place);
// Puts "text: " before the recorded message, for a caller who knows the context.
__attribute__((format(printf, 1, 2))) void tg_error_prefix(const char *format, ...);
// Puts text behind it.
__attribute__((format(printf, 1, 2))) void tg_error_append(const char *format, ...);

// Ends the program: an invariant of ours is broken. On in release builds too.
_Noreturn void tg_assert_fail(const char *condition, tg_place place);

#define TG_HERE ((tg_place){.file = __FILE__, .function = __func__, .line = __LINE__})
// The static analyser reads one file at a time and cannot know that these calls return their code, never TG_OK.
#ifdef __clang_analyzer__
#define TG_CODE_OF(code, call) ((void)(call), (code))
#else
#define TG_CODE_OF(code, call) (call)
#endif
#define TG_FAIL(code, ...)          return TG_CODE_OF((code), tg_error_set((code), TG_HERE, __VA_ARGS__))
#define TG_FAIL_AT(code, span, ...) return TG_CODE_OF((code), tg_error_set_at((code), TG_HERE, (span), __VA_ARGS__))
// At a tg_mark.
#define TG_FAIL_MARK(code, mark, ...) return TG_CODE_OF((code), tg_error_set_mark((code), TG_HERE, (mark), __VA_ARGS__))
#define TG_TRY(call)                                                                                        \
  do {                                                                                                      \
    const tg_status tg_try_status_ = (call);                                                                \
    if (tg_try_status_ != TG_OK) return TG_CODE_OF(tg_try_status_, tg_error_pass(tg_try_status_, TG_HERE)); \
  } while (0)
// The same where the function owns something: leaves the code in `status` and jumps to `done:`.
#define TG_TRY_GOTO(call)             \
  do {                                \
    status = (call);                  \
    if (status != TG_OK) {            \
      tg_error_pass(status, TG_HERE); \
      goto done;                      \
    }                                 \
  } while (0)
#define TG_FAIL_GOTO(code, ...)                                              \
  do {                                                                       \
    status = TG_CODE_OF((code), tg_error_set((code), TG_HERE, __VA_ARGS__)); \
    goto done;                                                               \
  } while (0)
#define TG_ASSERT(condition) ((condition) ? (void)0 : tg_assert_fail(#condition, TG_HERE))

#endif
