// Warnings and notes to the caller's function.
#include "base/message.h"

#include <stdio.h>
#include <string.h>

void tg_message_warn_at(const tg_messages *to, const tg_source *source, tg_span span, const char *format,
                        va_list arguments)
{
  if (to == NULL) return;
  char text[TG_ERROR_MESSAGE_BYTES + 1024];
  vsnprintf(text, sizeof text, format, arguments);
  to->say(to->self, TG_MESSAGE_WARNING, source, span, text);
}

void tg_message_warn(const tg_messages *to, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  tg_message_warn_at(to, NULL, (tg_span){0, 0}, format, arguments);
  va_end(arguments);
}

void tg_message_lines(const tg_messages *to, tg_message_kind kind, const tg_text *lines)
{
  if (to == NULL) return;
  tg_text line;
  tg_text_init(&line);
  for (const char *at = tg_text_string(lines); *at != '\0';) {
    const size_t length = strcspn(at, "\n");
    tg_text_clear(&line);
    tg_text_add_bytes(&line, at, length);
    to->say(to->self, kind, NULL, (tg_span){0, 0}, tg_text_string(&line));
    at += length + (at[length] == '\n');
  }
  tg_text_fini(&line);
}
