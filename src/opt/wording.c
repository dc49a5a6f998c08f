// The words of a minimum and of a maximum.
#include "opt/wording.h"

const opt_wording opt_wording_minimum = {.minimum = "minimum",
                                         .descent = "descent",
                                         .below = "below",
                                         .no_fall = "does not fall",
                                         .falls = "falls",
                                         .fell = "fell",
                                         .lowers = "lowers",
                                         .negative = "negative",
                                         .along_gradient = "along -g",
                                         .sign = 1};

const opt_wording opt_wording_maximum = {.minimum = "maximum",
                                         .descent = "ascent",
                                         .below = "above",
                                         .no_fall = "does not rise",
                                         .falls = "rises",
                                         .fell = "rose",
                                         .lowers = "raises",
                                         .negative = "positive",
                                         .along_gradient = "along g",
                                         .sign = -1};

double opt_wording_value(const opt_wording *wording, double value)
{
  return 0.0 + wording->sign * value;
}
