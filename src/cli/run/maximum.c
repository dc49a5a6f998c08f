// The reasons of a minimisation of -f in the words of the maximum of f.
//
// opt/ knows minimisation only: the sign is turned where the job's text becomes its problem (model.c), and turned back
// here. A sentence that holds none of these phrases says nothing about the objective's direction and stays as it is.
#include "cli/run/maximum.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

typedef enum follower { NOTHING, NUMBER, POLYNOMIAL } follower;

typedef struct phrase {
  const char *down; // of opt/
  const char *up;
  follower behind; // what changes its sign
} phrase;

// The longer one first where two begin alike.
static const phrase phrases[] = {
    {"unbounded below", "unbounded above", NOTHING},
    {"it fell to ", "it rose to ", NUMBER},
    {"f(x + t d) - f(x) = ", "f(x + t d) - f(x) = ", POLYNOMIAL},
    {"and slope ", "and slope ", NUMBER},
    {"still falls", "still rises", NOTHING},
    {"cannot be resolved below ", "cannot be resolved above ", NUMBER},
    {"a direction of descent lowers it", "a direction of ascent raises it", NOTHING},
    {"the objective does not fall along -g", "the objective does not rise along g", NOTHING},
    {"the objective does not fall", "the objective does not rise", NOTHING},
    {"the objective is not finite along -g", "the objective is not finite along g", NOTHING},
    {"lowers neither the objective, ", "improves neither the objective, ", NUMBER},
    {"from a point where it is ", "from a point where it is ", NUMBER},
    {"the objective is ", "the objective is ", NUMBER},
    {"but no minimum", "but no maximum", NOTHING},
    {"negative curvature", "positive curvature", NOTHING},
    {"<d, H d> = ", "<d, H d> = ", NUMBER},
};

static const phrase *find_phrase(const char *at)
{
  for (size_t k = 0; k < sizeof phrases / sizeof phrases[0]; k++)
    if (strncmp(at, phrases[k].down, strlen(phrases[k].down)) == 0) return &phrases[k];
  return NULL;
}

// The number at `at` with the other sign, digit by digit; where there is none ("the objective is unbounded"), nothing.
static const char *turn_number(const char *at, tg_text *out)
{
  const char *digits = at + (*at == '-');
  if (isdigit((unsigned char)*digits) == 0 && strncmp(digits, "inf", 3) != 0) return at;
  char *end = NULL;
  const double value = strtod(digits, &end);
  if (*at != '-' && value > 0) tg_text_add(out, "-");
  tg_text_add_bytes(out, digits, (size_t)(end - digits));
  return end;
}

// "-2 t + 3 t^2"
static const char *turn_polynomial(const char *at, tg_text *out)
{
  for (;;) {
    at = turn_number(at, out);
    if (strncmp(at, " t", 2) != 0) return at;
    size_t length = 2;
    if (at[length] == '^') length += 1 + strspn(at + length + 1, "0123456789");
    const bool goes_on = strncmp(at + length, " + ", 3) == 0;
    if (goes_on) length += 3;
    tg_text_add_bytes(out, at, length);
    at += length;
    if (!goes_on) return at;
  }
}

static void turn(const char *at, tg_text *out)
{
  while (*at != '\0') {
    const phrase *found = find_phrase(at);
    if (found == NULL) {
      tg_text_add_bytes(out, at++, 1);
      continue;
    }
    tg_text_add(out, found->up);
    at += strlen(found->down);
    if (found->behind == NUMBER) at = turn_number(at, out);
    if (found->behind == POLYNOMIAL) at = turn_polynomial(at, out);
  }
}

tg_status tg_maximum_reason(char *reason, size_t room)
{
  tg_text text;
  tg_text_init(&text);
  turn(reason, &text);
  const tg_status status = tg_text_status(&text);
  if (status == TG_OK) snprintf(reason, room, "%s", tg_text_string(&text));
  tg_text_fini(&text);
  return status;
}
