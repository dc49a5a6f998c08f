// OpenBLAS' own functions by name, and the core that runs in words.
#define _GNU_SOURCE // RTLD_DEFAULT, dladdr
#include "base/blas_loaded.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// Neither a name of a core nor a configuration ends in blanks.
static void copy_line(const char *text, size_t capacity, char *out)
{
  size_t length = strcspn(text, "\n\r");
  while (length > 0 && text[length - 1] == ' ') length--;
  snprintf(out, capacity, "%.*s", (int)length, text);
}

static void ask_text(void *library, const char *symbol, size_t capacity, char *out)
{
  void *found = dlsym(library, symbol);
  char *(*ask)(void) = NULL;
  memcpy(&ask, &found, sizeof ask);
  const char *text = ask != NULL ? ask() : NULL;
  copy_line(text != NULL ? text : "", capacity, out);
}

// ---- which library it is ----

// What a BLAS that is no OpenBLAS says of itself.
static void ask_others(void *library, size_t capacity, char *out)
{
  char text[200] = "";
  void *found = dlsym(library, "mkl_get_version_string");
  void (*fill)(char *buffer, int capacity) = NULL;
  memcpy(&fill, &found, sizeof fill);
  if (fill != NULL) {
    fill(text, sizeof text - 1);
    copy_line(text, capacity, out);
    return;
  }
  ask_text(library, "bli_info_get_version_str", sizeof text, text);
  if (text[0] != '\0') snprintf(out, capacity, "BLIS %.40s", text);
}

// Another BLAS may be in the process as well, brought by ScaLAPACK: asked is the one whose cblas_dgemm is called, with
// what it needs itself. A file that wraps its functions says nothing: then whatever is there is asked.
static void *open_caller(char *file, size_t capacity)
{
  Dl_info info;
  void *product = dlsym(RTLD_DEFAULT, "cblas_dgemm");
  file[0] = '\0';
  if (product == NULL || dladdr(product, &info) == 0 || info.dli_fname == NULL) return NULL;
  char *path = realpath(info.dli_fname, NULL);
  const char *name = path != NULL ? path : info.dli_fname;
  const char *base = strrchr(name, '/');
  snprintf(file, capacity, "%s", base != NULL ? base + 1 : name);
  free(path);
  return dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

static void ask(void *library, tg_blas_loaded *out)
{
  ask_text(library, "openblas_get_corename", sizeof out->core, out->core);
  ask_text(library, "openblas_get_config", sizeof out->config, out->config);
  void *found = dlsym(library, "openblas_get_parallel");
  int (*parallel)(void) = NULL;
  memcpy(&parallel, &found, sizeof parallel);
  if (parallel != NULL) out->parallel = parallel();
  out->can_choose = strstr(out->config, "DYNAMIC_ARCH") != NULL;
  if (out->config[0] == '\0') ask_others(library, sizeof out->config, out->config);
}

void tg_blas_loaded_get(void *library, tg_blas_loaded *out)
{
  char file[sizeof out->config];
  *out = (tg_blas_loaded){.parallel = -1};
  if (library != NULL) {
    ask(library, out);
    return;
  }
  void *caller = open_caller(file, sizeof file);
  if (caller != NULL) {
    ask(caller, out);
    dlclose(caller);
  }
  if (out->config[0] == '\0') ask(RTLD_DEFAULT, out);
  if (out->config[0] == '\0') snprintf(out->config, sizeof out->config, "%s", file);
}

void tg_blas_kernel_get(void *library, tg_blas_kernel *out)
{
  *out = (tg_blas_kernel){.cpu = tg_cpu_get()};
  tg_blas_loaded_get(library, &out->loaded);
  const char *wanted = getenv(TG_BLAS_CORE_VARIABLE);
  if (wanted != NULL) copy_line(wanted, sizeof out->wanted, out->wanted);
  out->has_record = tg_blas_record_parse(getenv(TG_BLAS_RECORD_VARIABLE), &out->record);
  if (out->has_record)
    out->source = TG_BLAS_BY_US;
  else
    out->source = out->wanted[0] != '\0' ? TG_BLAS_BY_USER : TG_BLAS_BY_LIBRARY;
}

tg_blas_step tg_blas_kernel_decide(const tg_blas_kernel *kernel, bool is_wrong, tg_blas_record *record,
                                   const char **core)
{
  const tg_blas_state state = {.cpu = kernel->cpu,
                               .loaded = kernel->loaded.core,
                               .wanted = kernel->wanted[0] != '\0' ? kernel->wanted : NULL,
                               .record = kernel->has_record ? &kernel->record : NULL,
                               .can_choose = kernel->loaded.can_choose,
                               .is_wrong = is_wrong};
  return tg_blas_core_decide(&state, record, core);
}

bool tg_blas_kernel_export(const tg_blas_record *record, const char *core)
{
  tg_text text;
  tg_text_init(&text);
  tg_blas_record_print(record, &text);
  bool done = tg_text_status(&text) == TG_OK && setenv(TG_BLAS_RECORD_VARIABLE, tg_text_string(&text), 1) == 0;
  if (core[0] == '\0')
    done = done && unsetenv(TG_BLAS_CORE_VARIABLE) == 0;
  else
    done = done && setenv(TG_BLAS_CORE_VARIABLE, core, 1) == 0;
  tg_text_fini(&text);
  return done;
}

// ---- in words ----

const char *tg_blas_source_label(tg_blas_source source)
{
  static const char *const labels[] = {"library", "user", "tracegrad"};
  return labels[source];
}

static void add_tried(const tg_blas_kernel *kernel, tg_text *out)
{
  for (int k = 0; kernel->has_record && k < kernel->record.n_tried; k++) {
    const tg_blas_tried *tried = &kernel->record.tried[k];
    tg_text_addf(out, "; %s ", tried->name);
    if (tried->verdict == TG_BLAS_WRONG)
      tg_text_add(out, "computes wrongly here");
    else if (tried->verdict == TG_BLAS_ABSENT)
      tg_text_add(out, "is not in this library");
    else
      tg_text_addf(out, "needs more than this CPU has (%s)", tg_cpu_label(kernel->cpu));
  }
}

void tg_blas_kernel_explain(const tg_blas_kernel *kernel, tg_text *out)
{
  const tg_blas_record *record = &kernel->record;
  if (kernel->loaded.core[0] == '\0') {
    tg_text_add(out, "not known, for this BLAS is no OpenBLAS");
    return;
  }
  switch (kernel->source) {
  case TG_BLAS_BY_LIBRARY:
    tg_text_add(out, "OpenBLAS' own choice");
    break;
  case TG_BLAS_BY_USER:
    tg_text_addf(out, "set by %s=%s", TG_BLAS_CORE_VARIABLE, kernel->wanted);
    break;
  case TG_BLAS_BY_US:
    if (kernel->wanted[0] == '\0')
      tg_text_add(out, "OpenBLAS' own choice");
    else
      tg_text_addf(out, "set for %s", tg_cpu_label(kernel->cpu));
    if (record->is_user)
      tg_text_addf(out, " instead of the user's choice");
    else if (kernel->wanted[0] != '\0')
      tg_text_addf(out, ", OpenBLAS by itself takes %s", record->natural);
    add_tried(kernel, out);
    break;
  }
}

void tg_blas_kernel_advise(const tg_blas_kernel *kernel, tg_text *out)
{
  const tg_blas_loaded *loaded = &kernel->loaded;
  const char *best = tg_blas_core_best(kernel->cpu);
  if (loaded->core[0] == '\0' || best == NULL) return;
  if (kernel->source == TG_BLAS_BY_USER && strcasecmp(kernel->wanted, loaded->core) != 0)
    tg_text_addf(out, "%s=%s names no kernel of this OpenBLAS, which runs %s\n", TG_BLAS_CORE_VARIABLE, kernel->wanted,
                 loaded->core);
  tg_blas_verdict verdict = TG_BLAS_WRONG;
  if (kernel->has_record && tg_blas_record_find(&kernel->record, best, &verdict)) return;
  const int level = tg_blas_core_level(loaded->core);
  if (level < 0 || level >= tg_blas_core_level(best)) return;
  tg_text_addf(out, "OpenBLAS runs its %s kernels on a CPU with %s: ", loaded->core, tg_cpu_label(kernel->cpu));
  if (!loaded->can_choose)
    tg_text_addf(out, "it is built for them alone; install one built with DYNAMIC_ARCH\n");
  else if (kernel->source == TG_BLAS_BY_USER)
    tg_text_addf(out, "unset %s, or set it to %s\n", TG_BLAS_CORE_VARIABLE, best);
  else
    tg_text_addf(out, "set %s=%s before the program starts\n", TG_BLAS_CORE_VARIABLE, best);
}
