#include "support/comma_locale.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

bool comma_locale_set(void)
{
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8"};
  char folder[] = "/tmp/tracegrad-locale-XXXXXX";
  char command[256];
  for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
    if (setlocale(LC_ALL, names[k]) != NULL) return true;
  if (mkdtemp(folder) == NULL) return false;
  snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 > %s/log 2>&1", folder, folder);
  setenv("LOCPATH", folder, 1);
  const bool is_made = system(command) == 0 && setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
  snprintf(command, sizeof command, "rm -r %s", folder);
  return system(command) == 0 && is_made;
}
