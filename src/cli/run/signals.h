// Signals that ask a run to stop: noted here, agreed on by the ranks between phases and once an iteration.
#ifndef TG_CLI_SIGNALS_H
#define TG_CLI_SIGNALS_H

#include <stdbool.h>

// Holds the signals below back until tg_signals_watch, through execv too: loading the libraries takes a while.
void tg_signals_block(void);
// From now on, to the end of the process, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP and SIGXCPU are noted instead of
// ending it; a second SIGINT ends it. Signals that the caller ignores stay ignored, and SIGPIPE is.
void tg_signals_watch(void);
// Whether one of them came to this rank.
bool tg_signals_seen(void);
// Its name, "" when none came.
const char *tg_signals_name(void);

#endif
