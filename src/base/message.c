// Warnings and notes to the caller's function.
#include "base/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 0))) static void warn(const tg_messages *to, tg_mark mark, const char *format,
                                                       va_list arguments)
{
  if (to == NULL) return;
  char text[TG_ERROR_MESSAGE_BYTES + 1024];
  vsnprintf(text, sizeof text, format, arguments);
  to->say(to->self, TG_MESSAGE_WARNING, mark, text);
}

void tg_message_warn(const tg_messages *to, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  warn(to, (tg_mark){0}, format, arguments);
  va_end(arguments);
}

void tg_message_warn_at(const tg_messages *to, tg_mark mark, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  warn(to, mark, format, arguments);
  va_end(arguments);
}

void tg_message_lines(const tg_messages *to, tg_message_kind kind, const tg_text *lines)
{
  char line[TG_ERROR_MESSAGE_BYTES + 1024]; // a longer one loses its end
  if (to == NULL) return;
  for (const char *at = tg_text_string(lines); *at != '\0';) {
    const size_t length = strcspn(at, "\n");
    snprintf(line, sizeof line, "%.*s", (int)length, at);
    to->say(to->self, kind, (tg_mark){0}, line);
    at += length + (at[length] == '\n');
  }
}
