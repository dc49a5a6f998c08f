// Divided differences and quotients of two numbers: the weights of derivatives in a basis of eigenvectors or singular
// vectors.
//
// f[a,b] = (f(a) - f(b))/(a - b), with limits where a = b. Each is computed without cancellation.
#ifndef TG_GRAD_DIVIDED_H
#define TG_GRAD_DIVIDED_H

#include <stdbool.h>
#include <stdint.h>

// name, label, whether exchanging a and b changes nothing
#define TG_DIVIDED_LIST(X)                                                                                           \
  X(SQRT, "sqrt[a,b]", true)        /* 1/(sqrt(a) + sqrt(b)) */                                                      \
  X(EXP, "exp[a,b]", true)          /* */                                                                            \
  X(EXP_TWICE, "exp[a,a,b]", false) /* (exp(a) - exp[a,b])/(a - b) */                                                \
  X(EXP_FAR, "1/(a-b)", false)      /* where a and b are apart, else 0: exp[a,c,b] is a difference quotient there */ \
  X(EXP_NEAR, "1/2", true) /* where they are close, else 0: exp[a,c,b] is the mean of exp[a,a,c], exp[b,b,c] */      \
  X(LOG, "log[a,b]", true) /* a, b > 0 */                                                                            \
  X(LOG_TWICE, "log[a,a,b]", false)  /* (1/a - log[a,b])/(a - b) */                                                  \
  X(LOG_FAR, "1/(a-b)", false)       /* as of exp */                                                                 \
  X(LOG_NEAR, "1/2", true)           /* as of exp */                                                                 \
  X(STEP, "sign[a,b]", true)         /* of a, b >= 0: 1/max where one of them is 0, else 0 */                        \
  X(SIGNS, "signs/(a+b)", true)      /* (sign(a) + sign(b))/(a + b), 0 where both are 0 */                           \
  X(TOP, "a/(a^2-b^2)", false)       /* 0 where a = b */                                                             \
  X(BELOW_TOP, "b/(a^2-b^2)", false) /* 0 where a = b */

typedef enum tg_divided {
#define TG_DIVIDED_ENUM(name, label, symmetric) TG_DIVIDED_##name,
  TG_DIVIDED_LIST(TG_DIVIDED_ENUM)
#undef TG_DIVIDED_ENUM
      TG_DIVIDED_COUNT
} tg_divided;

// Where eigenvalues may lie. NONNEGATIVE: those below zero by rounding become zero.
typedef enum tg_domain { TG_DOMAIN_REAL, TG_DOMAIN_NONNEGATIVE, TG_DOMAIN_POSITIVE, TG_DOMAIN_COUNT } tg_domain;

double tg_divided_value(tg_divided which, double a, double b);
const char *tg_divided_label(tg_divided which);
// Its name as a function of the language, NULL where it has none; the other way, TG_DIVIDED_COUNT where there is none.
const char *tg_divided_function(tg_divided which);
tg_divided tg_divided_find(const char *function);
bool tg_divided_is_symmetric(tg_divided which);

#endif
