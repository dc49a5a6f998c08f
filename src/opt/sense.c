// The words of a minimum and of a maximum.
#include "opt/sense.h"

const opt_sense opt_sense_minimum = {.minimum = "minimum",
                                     .descent = "descent",
                                     .below = "below",
                                     .no_fall = "does not fall",
                                     .falls = "falls",
                                     .fell = "fell",
                                     .lowers = "lowers",
                                     .negative = "negative",
                                     .along_gradient = "along -g",
                                     .sign = 1};

const opt_sense opt_sense_maximum = {.minimum = "maximum",
                                     .descent = "ascent",
                                     .below = "above",
                                     .no_fall = "does not rise",
                                     .falls = "rises",
                                     .fell = "rose",
                                     .lowers = "raises",
                                     .negative = "positive",
                                     .along_gradient = "along g",
                                     .sign = -1};

double opt_sense_value(const opt_sense *sense, double value)
{
  return 0.0 + sense->sign * value;
}
