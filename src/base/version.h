// The version of the program and the library: `scripts/version NEW` changes it here and where it is repeated.
#ifndef TG_BASE_VERSION_H
#define TG_BASE_VERSION_H

#define TG_VERSION "0.1.0"

#endif
