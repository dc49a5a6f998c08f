// Signals that ask a run to stop.
#include "cli/run/signals.h"

#include <signal.h>
#include <string.h>

// A handler can reach nothing but static storage.
static volatile sig_atomic_t seen;

static const int watched[] = {SIGUSR1, SIGTERM, SIGINT};
enum { N_WATCHED = sizeof watched / sizeof watched[0] };

static void note(int number)
{
  seen = number;
}

static void set_all(void (*handler)(int))
{
  for (int k = 0; k < N_WATCHED; k++) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    // Interrupted reads and writes go on. Whoever presses Ctrl-C twice means it; a batch system may well send
    // the other two more than once.
    action.sa_flags = SA_RESTART;
    if (watched[k] == SIGINT) action.sa_flags |= (int)SA_RESETHAND;
    sigaction(watched[k], &action, NULL);
  }
}

void tg_signals_watch(void)
{
  seen = 0;
  set_all(note);
}

void tg_signals_release(void)
{
  set_all(SIG_DFL);
}

bool tg_signals_seen(void)
{
  return seen != 0;
}

const char *tg_signals_name(void)
{
  switch (seen) {
  case SIGUSR1:
    return "SIGUSR1";
  case SIGTERM:
    return "SIGTERM";
  case SIGINT:
    return "SIGINT";
  default:
    return "";
  }
}
