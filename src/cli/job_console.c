// A job on the console: its messages and errors shown in their places.
#include "cli/job_console.h"

#include "cli/console.h"

static void say(void *self, tg_message_kind kind, tg_mark mark, const char *message)
{
  const tg_job *job = self;
  tg_cli_show(kind, mark.source > 0 ? tg_job_source(job, mark.source) : NULL, mark.span, message);
}

tg_messages tg_cli_job_messages(tg_job *job)
{
  return (tg_messages){.say = say, .self = job};
}

void tg_cli_print_job_errors(const tg_job *job, tg_status status)
{
  if (job != NULL && job->errors.count > 0)
    tg_cli_print_errors(&job->errors, job->sources);
  else
    tg_cli_print_error(status, tg_job_error_source(job));
}
