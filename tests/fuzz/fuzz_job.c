// Any bytes as a job file: YAML, the table of keys, the typed job, and its paths under --confined.
//
// Nothing may crash, hang or leak; what is refused has a place in the text, what is taken is complete.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/confine.h"
#include "job/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
  if (holds) return;
  fprintf(stderr, "%s: %s\n", what, tg_error_get()->message);
  abort();
}

static void check_failure(const tg_job *job, tg_status status, size_t length)
{
  tg_text text;
  tg_text_init(&text);
  require(status != TG_INTERNAL && status != TG_IO && status != TG_MPI, "a failure of our own");
  require(tg_error_get()->message[0] != '\0', "a failure without a message");
  require(!tg_error_get()->has_span || tg_error_get()->span.begin <= length, "a place behind the text");
  tg_job_diagnose(job, status, &text);
  tg_text_fini(&text);
}

static void use(const tg_job *job, size_t length)
{
  const tg_spec *spec = &job->spec;
  require(spec->n_variables > 0 && spec->objective.text != NULL, "a job without an objective");
  for (int k = 0; k < spec->n_variables; k++)
    require(spec->variables[k].rows >= 0 && spec->variables[k].cols >= 0, "a variable of a negative size");
  const tg_status status = tg_job_confine(job, false);
  if (status != TG_OK) check_failure(job, status, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  tg_job *job = NULL;
  if (tg_job_create("job.yaml", (const char *)data, size, 0, NULL, &job) != TG_OK) return 0;
  const tg_status status = tg_job_read(job);
  if (status == TG_OK)
    use(job, size);
  else if (status != TG_MEMORY)
    check_failure(job, status, size);
  tg_job_destroy(&job);
  tg_error_clear();
  return 0;
}
