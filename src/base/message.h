// Warnings and notes: what a library has to say beside its results goes to the caller's function.
#ifndef TG_BASE_MESSAGE_H
#define TG_BASE_MESSAGE_H

#include "base/text.h"

typedef enum tg_message_kind { TG_MESSAGE_WARNING, TG_MESSAGE_NOTE } tg_message_kind;

// The receiver. `say` gets one message without an end of line; the mark has no source where it has no place in a text.
// Every rank may call it: the receiver decides which rank shows it.
typedef struct tg_messages {
  void (*say)(void *self, tg_message_kind kind, tg_mark mark, const char *text);
  void *self;
} tg_messages;

// `to` may be NULL: the message is dropped.
__attribute__((format(printf, 2, 3))) void tg_message_warn(const tg_messages *to, const char *format, ...);
// A warning about a place.
__attribute__((format(printf, 3, 4))) void tg_message_warn_at(const tg_messages *to, tg_mark mark, const char *format,
                                                              ...);
// One message for each line of the text.
void tg_message_lines(const tg_messages *to, tg_message_kind kind, const tg_text *lines);

#endif
