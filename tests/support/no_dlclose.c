// A dlclose that keeps the library: for sanitizer builds only.
//
// Open MPI loads its components as plugins and unloads them in MPI_Finalize. A leak is reported at exit, when
// the addresses of an unloaded plugin have no name any more, so the suppressions of lsan.supp could not match.
#include <dlfcn.h>

int dlclose(void *handle)
{
  (void)handle;
  return 0;
}
