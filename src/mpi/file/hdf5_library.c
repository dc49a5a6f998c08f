// The HDF5 library by dlopen.
#define _GNU_SOURCE // RTLD_DEFAULT
#define TG_HDF5_LIBRARY_IMPLEMENTATION
#include "mpi/file/hdf5_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OF(name)          #name
#define EXPANDED_TEXT_OF(name) TEXT_OF(name)

typedef struct symbol {
  const char *name;
  size_t offset; // of the pointer in tg_hdf5
  bool is_id;
} symbol;

static const symbol symbols[] = {
// Some functions are macros that name a version of them.
#define TG_HDF5_FUNCTION(name) {EXPANDED_TEXT_OF(name), offsetof(tg_hdf5, name##_), false},
#define TG_HDF5_ID(name)       {EXPANDED_TEXT_OF(name), offsetof(tg_hdf5, name##_), true},
    TG_HDF5_FUNCTIONS(TG_HDF5_FUNCTION) TG_HDF5_IDS(TG_HDF5_ID)
#undef TG_HDF5_FUNCTION
#undef TG_HDF5_ID
};

enum { N_SYMBOLS = sizeof symbols / sizeof symbols[0], REASON_BYTES = 512 };

// State of the process, as the library is.
static struct {
  pthread_once_t once;
  bool is_loaded;
  const char *name; // of the library that was looked for
  tg_hdf5 library;
  char reason[REASON_BYTES];
} loaded = {.once = PTHREAD_ONCE_INIT};

static bool find(void *library, const char *name, void *pointer)
{
  void *found = dlsym(library, name);
  memcpy(pointer, &found, sizeof found);
  if (found == NULL) snprintf(loaded.reason, sizeof loaded.reason, "it has no %s", name);
  return found != NULL;
}

// In a program that is linked with HDF5 as well, its variables may be the program's, to which the linker copied them,
// and the library's are never set.
static bool find_id(void *library, const char *name, const hid_t **out)
{
  if (!find(library, name, out)) return false;
  if (**out > 0) return true;
  if (!find(RTLD_DEFAULT, name, out)) return false;
  if (**out <= 0) snprintf(loaded.reason, sizeof loaded.reason, "its %s is not set", name);
  return **out > 0;
}

// The structures of another minor version may be other ones.
static bool is_same_version(void *library)
{
  __typeof__(&H5get_libversion) ask = NULL;
  __typeof__(&H5open) open_library = NULL;
  unsigned version[3] = {0};
  if (!find(library, "H5get_libversion", &ask) || !find(library, "H5open", &open_library)) return false;
  open_library();
  ask(&version[0], &version[1], &version[2]);
  if (version[0] == H5_VERS_MAJOR && version[1] == H5_VERS_MINOR) return true;
  snprintf(loaded.reason, sizeof loaded.reason, "it is of version %u.%u.%u, the program was built with %d.%d.%d",
           version[0], version[1], version[2], H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
  return false;
}

static void *open_one(void)
{
  const char *given = getenv("TRACEGRAD_HDF5");
  const char *const names[] = {given != NULL ? given : TG_HDF5_NAME, given != NULL ? given : TG_HDF5_FILE};
  void *library = NULL;
  loaded.name = names[0];
  for (int k = 0; k < 2 && library == NULL; k++) library = dlopen(names[k], RTLD_LAZY | RTLD_LOCAL);
  if (library != NULL) return library;
  const char *why = dlerror();
  snprintf(loaded.reason, sizeof loaded.reason, "%s", why != NULL ? why : "no reason given");
  return NULL;
}

static void load(void)
{
  void *library = open_one();
  if (library == NULL || !is_same_version(library)) return;
  for (int k = 0; k < N_SYMBOLS; k++) {
    void *field = (char *)&loaded.library + symbols[k].offset;
    if (!(symbols[k].is_id ? find_id(library, symbols[k].name, field) : find(library, symbols[k].name, field))) return;
  }
  loaded.is_loaded = true;
}

tg_status tg_hdf5_load(void)
{
  pthread_once(&loaded.once, load);
  if (!loaded.is_loaded) TG_FAIL(TG_UNSUPPORTED, "HDF5 files need the library %s: %s", loaded.name, loaded.reason);
  return TG_OK;
}

const tg_hdf5 *tg_hdf5_get(void)
{
  TG_ASSERT(loaded.is_loaded);
  return &loaded.library;
}
