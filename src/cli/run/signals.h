// Signals that ask a run to stop: noted here, agreed on by the ranks once an iteration.
#ifndef TG_CLI_SIGNALS_H
#define TG_CLI_SIGNALS_H

#include <stdbool.h>

// From now on SIGUSR1, SIGTERM and SIGINT are noted instead of ending the process. A second SIGINT ends it.
void tg_signals_watch(void);
// The defaults again.
void tg_signals_release(void);
// Whether one of them came to this rank.
bool tg_signals_seen(void);
// Its name, "" when none came.
const char *tg_signals_name(void);

#endif
