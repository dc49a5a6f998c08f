// What names without a size are taken for: the gradient printed tells.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "grad/calculus.h"

typedef struct row {
  const char *text;
  const char *by;
  const char *properties; // "spd K,symmetric A" or sizes "X 3x1"
  const char *expected;   // the printed gradient or Jacobian
} row;

static const row rows[] = {
    // The index of a norm behind its exponent.
    {"\\|X\\|^2_F", "X", "", "2*X"},
    {"||X||^2_F", "X", "", "2*X"},
    {"‖X‖²_F", "X", "", "2*X"},
    {"\\|X - Y\\|^{2}_{F} + 1", "X", "", "2*X - 2*Y"},
    {"\\|A x - b\\|^2_2", "x", "", "2*A'*(A*x - b)"},
    {"‖x‖²₂ + λ‖x‖₁", "x", "", "lambda*sign(x) + 2*x"},
    {"\\|X\\|^2_*", "X", "", "2*nuclear_norm(X)*polar_factor(X)"},
    // Arrays with one dimension.
    {"x @ A @ x", "x", "", "(A + A')*x"},
    {"-x @ A @ x + b @ x", "x", "", "b - (A + A')*x"},
    {"lam * w @ w", "w", "", "2*lam*w"},
    {"(y - X @ w) @ (y - X @ w)", "w", "", "2*X'*(X*w - y)"},
    {"mu @ Sigma @ mu", "mu", "", "(Sigma + Sigma')*mu"},
    {"x @ A @ y", "x", "x 1x4,y 3x1", "y'*A'"},
    {"a @ b", "a", "a 3x3,b 3x1", "kron(b', eye(3))"},
    {"np.trace(x @ y.T)", "x", "", "y"},
    {"u @ v.T @ x", "x", "", "u*v'"},
    {"2 @ X", "X", "", NULL},
    // A Greek word behind a row is a column, below tr, det and inv a matrix.
    {"w'*mu/sqrt(w'*Sigma*w)", "mu", "", "w/sqrt(w'*Sigma*w)"},
    {"x'*y*lambda", "x", "", "lambda*y"},
    {"det(sigma)", "sigma", "", "det(sigma)*inv(sigma)'"},
    {"x'*inv(sigma)*x", "x", "", "(inv(sigma) + inv(sigma)')*x"},
    {"det(sigma)", "sigma", "sigma 1", "1"},
    {"inv(A + lambda*eye)*b", "b", "", "inv(A + lambda*eye(m))"},
    // Bars around a capital: a determinant as well as a scalar.
    {"-\\frac{n}{2} \\log |\\Sigma| - \\mathrm{tr}(\\Sigma^{-1} S)", "Sigma", "", NULL},
    {"log|K| + K^2", "K", "K 1", "2*K + sign(K)/abs(K)"},
    // A capital with a property is a matrix.
    {"logdet(s*A)", "s", "spd A", "tr(eye(m))/s"},
    {"tr(s*A)", "s", "symmetric A", "tr(A)"},
    {"tr(s*A)", "A", "symmetric A", "s*eye(m)"},
    {"det(A-s*eye)", "s", "symmetric A", "det(A - s*eye(m))*tr(inv(s*eye(m) - A))"},
    {"tr(inv(s*eye + A))", "s", "spd A", "-tr(inv(A + s*eye(m))^2)"},
    {"y'*inv(K+s*eye)*y", "y", "spd K", "2*inv(K + s*eye(m))*y"},
    {"logdet(K+sigma2*eye)", "sigma2", "spd K", "tr(inv(K + sigma2*eye(m)))"},
    {"tr(X'*(A-s*eye)*X)", "X", "symmetric A", "-2*(s*eye(m) - A)*X"},
    {"sumsq(A-s*B)", "s", "symmetric A,symmetric B", "2*tr(B*(s*B - A))"},
    // A factor ones is a column where nothing gives it columns.
    {"ones'*x", "x", "", "ones(m,1)"},
    {"log(ones'*exp(x))", "x", "", "exp(x - logsumexp(x)*ones(m,1))"},
    {"sumsq(X*ones)", "X", "", "2*X*ones(n,1)*ones(1,n)"},
    {"ones'*(X.*A)*ones", "X", "", "A"},
    {"tr(X*(eye - ones*ones'/n))", "X", "", "eye(m) - ones(m,1)*ones(1,m)/n"},
    {"sum(log(exp(X*W)*ones))", "X", "", "softmax_rows(X*W)*W'"},
    {"sumsq(x*ones' - Y)", "x", "", "2*(x*ones(1,n) - Y)*ones(n,1)"},
    // What subtracts a mean has the sum zero.
    {"sumsq(x - mean(x))", "x", "", "2*x - 2*sum(x)*ones(m,1)/sum(ones(m,1))"},
    {"sumsq(X - mean(X))", "X", "", "2*X - 2*sum(X)*ones(m,n)/sum(ones(m,n))"},
    {"sumsq(x' - mean(x'))", "x", "", "2*x - 2*sum(x)*ones(m,1)/sum(ones(m,1))"},
    {"X + ones", "X", "", "eye(m*n)"},
    // The scalar of a product, by its letter and its place.
    {"u'*X*v*s", "u", "", "s*X*v"},
    {"sumsq(X-s*u*v')", "s", "", "2*u'*(s*u*v' - X)*v"},
    {"tr(s*u*v')", "s", "", "u'*v"},
    {"logdet(A+s*u*v')", "s", "", "v'*inv(A + s*u*v')*u"},
    {"sumsq(s*x-y)", "s", "", "2*x'*(s*x - y)"},
    {"sumsq(x-s*y)", "s", "", "2*y'*(s*y - x)"},
    {"norm2(x-t*g)", "t", "", "(g'*(t*g - x))/norm2(t*g - x)"},
    {"(x+t*d)'*A*(x+t*d)", "t", "symmetric A", "2*d'*A*(t*d + x)"},
    {"sumsq(y - ones*b - X*w)", "b", "", "2*ones(1,m)*(X*w + b*ones(m,1) - y)"},
    {"sumsq(X*w + ones*b - y)", "b", "", "2*ones(1,m)*(X*w + b*ones(m,1) - y)"},
    {"sumsq(y - X*w - b*ones)", "b", "", "2*ones(1,m)*(X*w + b*ones(m,1) - y)"},
    {"sum(softplus(-y.*(X*w+b*ones)))", "b", "", "-ones(1,m)*(y.*sigmoid(-y.*(X*w + b*ones(m,1))))"},
    {"c/(x'*x)", "x", "", "-2*c*x/(x'*x)^2"},
    {"softplus(-y*(w'*x))", "w", "", "-y*sigmoid(-(w'*x)*y)*x"},
    {"tanh(g*x'*y + r)", "x", "", "g*(1 - tanh(g*(x'*y) + r)^2)*y"},
    {"sumsq(y-X*beta)", "beta", "", "2*X'*(X*beta - y)"},
    {"sumsq(Y-X*w)", "w", "", "2*X'*(X*w - Y)"},
    {"X*beta", "beta", "", "X"},
    {"lambda*sumsq(x-mu)", "x", "", "2*lambda*(x - mu)"},
    // A value that is no scalar.
    {"exp(x)/sum(exp(x))", "x", "", "diag(exp(x))/sum(exp(x)) - exp(x)*exp(x)'/sum(exp(x))^2"},
    {"exp(x)./sum(exp(x))", "x", "", "diag(exp(x))/sum(exp(x)) - exp(x)*exp(x)'/sum(exp(x))^2"},
    {"x/norm2(x)", "x", "", "eye(m)/norm2(x) - x*x'/(x'*x)^1.5"},
    {"x*norm2(x)^-1", "x", "", "eye(m)/norm2(x) - x*x'/(x'*x)^1.5"},
    {"x.*y", "x", "", "diag(y)"},
    {"abs(x)", "x", "", "diag(sign(x))"},
    {"2.^x", "x", "", "0.6931471805599453*diag(2.^x)"},
    {"a.*b.*c", "a", "", "diag(b.*c)"},
    {"(a'*X*b)*c", "a", "", "c*b'*X'"},
    {"(x'*A*y)*x", "x", "", "x*y'*A' + (x'*A*y)*eye(m)"},
    // Scalars all over.
    {"x*y'*z", "z", "", "x*y'"},
    {"a*b'*c", "c", "", "a*b'"},
    {"c*x'*A*x", "c", "", "x'*A*x"},
    {"sumsq(X - ones(3,1)*b)", "b", "", "2*ones(1,3)*(ones(3,1)*b - X)"},
    {"x*y", "x", "", "y"},
    {"x*y*z", "y", "", "x*z"},
    {"a*x^2+b*x+c", "x", "", "2*a*x + b"},
    {"tanh(w*x+b)", "x", "", "w*(1 - tanh(b + w*x)^2)"},
    // Matrices in small letters: no scalar is lost in a trace, an inverse or a determinant.
    {"tr(a*b*a'*c)", "a", "", "c*a*b + c'*a*b'"},
    {"tr(x'*a*x*b)", "x", "", "a*x*b + a'*x*b'"},
    {"tr(a*b)", "a", "", "b'"},
    {"tr(inv(a)*b)", "b", "", "inv(a)'"},
    {"logdet(a + b)", "a", "", "inv(a + b)'"},
    {"tr(a*b*a'*c) + d*sumsq(a)", "d", "", "sumsq(a)"},
    {"y'*inv(a*b)*y", "y", "", "(inv(a*b) + inv(a*b)')*y"},
    {"tr(a*b*u*v')", "a", "", "b*(u'*v)"},
    {"tr(c*u*v')", "c", "", "u'*v"},
    {"tr(s*a*b*a')", "s", "", "(a'*a)*b"},
    {"tr(u*s*v')", "s", "", "u'*v"},
    {"a'*b*a + tr(a*b*a')", "a", "", "4*b*a"},
    {"a*tr(X)", "a", "", "tr(X)"},
    {"c*tr(X*a*b')", "a", "", "c*X'*b"},
    // Many names.
    {"c0*sumsq(A0*x)+c1*sumsq(A1*x)+c2*sumsq(A2*x)+c3*sumsq(A3*x)+c4*sumsq(A4*x)+c5*sumsq(A5*x)", "c5", "",
     "sumsq(A5*x)"},
    {"w1*sumsq(A*x-b)+w2*sumsq(C*x-d)", "x", "", "2*w1*A'*(A*x - b) + 2*w2*C'*(C*x - d)"},
    {"a*sumsq(x)+b*sumsq(y)+c*sumsq(z)+d*sumsq(u)", "x", "", "2*a*x"},
    {"a*tr(A)+b*tr(B)+c*tr(C)+d*tr(D)+e*tr(E)+f*tr(F)", "A", "", "a*eye(m)"},
    {"logdet(a*A+b*B+c*C+d*D+e*E+f*eye)", "f", "", "tr(inv(a*A + b*B + c*C + d*D + e*E + f*eye(m)))"},
    {"x'*y + u'*v + norm2(z) + b*norm2(w)", "w", "", "b*w/norm2(w)"},
    {"sumsq(A*x-b)+c*sumsq(x-u)+e*sumsq(x-v)+g*sum(x)", "x", "",
     "2*A'*(A*x - b) + 2*c*(x - u) + 2*e*(x - v) + g*ones(n,1)"},
    {"sumsq(y-X*w)+p*norm1(w)+q*norm1(u)+r*norm1(v)", "w", "", "2*X'*(X*w - y) + p*sign(w)"},
    {"norm2(a)+norm2(b)+norm2(c)+norm2(d)+norm2(e)+f*tr(X)", "a", "", "a/norm2(a)"},
    {"sumsq(a*A+b*B+c*C+d*D+e*E+f*F+g*G-h*H)", "h", "", "-2*tr(H'*(a*A + b*B + c*C + d*D + e*E + f*F + g*G - h*H))"},
    {"a'*X*b*s + c'*X*d*t + e'*X*f*k + u'*X*v*l + w'*X*x*n", "s", "", "a'*X*b"},
    {"a*b*x^2 + c*d*x + e*f + g*h*y*z", "x", "", "2*a*b*x + c*d"},
    // Names of sizes are not those of the text.
    {"tr(X)*m", "X", "", "m*eye(n)"},
    {"0.5*k*sumsq(x) - m*g*sum(x)", "x", "", "k*x - g*m*ones(n,1)"},
    {"tr(X) + sum(A)", "X", "A m", "eye(n)"},
    {"eye(X)*X", "X", "", NULL},
    // A constant of open size beside a scalar.
    {"logdet(X'*X+s*eye)", "X", "X 3", "2*X/(X'*X + s)"},
    {"K + s*eye", "K", "K 1", "1"},
    {"x - mu*ones", "x", "x 1", "1"},
    {"x - mu*ones", "mu", "x 3", "-ones(3,1)"},
    // diag of a capital is a diagonal.
    {"sum(diag(X))", "X", "", "eye(m)"},
    {"sum(diag(X))", "X", "symmetric X", "eye(m)"},
    {"sumsq(X - diag(diag(X)))", "X", "", "2*X - 2*diag(diagvec(X))"},
    {"sum(log(diag(W*C*W')))", "W", "", "diag(1./diagvec(W*C*W'))*W*(C + C')"},
    {"x'*diag(d)*x", "x", "", "2*diag(d)*x"},
    {"sum(diag(A*x))", "x", "", "A'*ones(m,1)"},
    // Capital scalars.
    {"tr(X)/N", "X", "", "eye(m)/N"},
    {"-N/2*log(det(Sigma))", "Sigma", "", "-0.5*N*inv(Sigma)'"},
    {"0.5*w'*w + C*sum(relu(ones - y.*(X*w)))", "C", "", "sum(relu(ones(n,1) - (X*w).*y))"},
    {"sumsq(X*w - y)/(2*N) + C*norm1(w)", "C", "", "norm1(w)"},
    {"x^N", "x", "", "N*x^(N - 1)"},
    {"K*norm1(x) + x'*x", "K", "", "norm1(x)"},
    {"sumsq(A*X - B)/T + C*tr(X)", "T", "", "-sumsq(A*X - B)/T^2"},
    {"X'*X/N", "N", "", "-vec(X'*X)/N^2"},
    {"(N - 1)*logdet(S)", "N", "", "logdet(S)"},
    {"log(det(S))*N/2 + N", "N", "", "0.5*logdet(S) + 1"},
    {"A*tr(X)", "X", "", "vec(A)*vec(eye(p))'"},
    {"C*X", "X", "", "kron(eye(p), C)"},
    {"A/B", "A", "", NULL},
    // A scalar is added to every entry.
    {"sum(log(1 + exp(-y.*(X*w))))", "w", "", "-X'*(y.*sigmoid(-(X*w).*y))"},
    {"sum((1-y).*log(1-p) + y.*log(p))", "p", "", "y./p - (ones(m,1) - y)./(ones(m,1) - p)"},
    {"sumsq(1 - y)", "y", "", "2*y - 2*ones(m,1)"},
    {"log(1 + exp(-x))", "x", "", "-sigmoid(-x)"},
    {"sumsq(X + s)", "s", "", "2*tr((X + s*ones(m,n))*ones(n,m))"},
    {"logdet(X + 2)", "X", "", "inv(X + 2*ones(m,m))'"},
    {"sum(sqrt(X.^2 + 1))", "X", "", "X./sqrt(X.^2 + ones(m,n))"},
    {"x'*x + s*eye", "x", "", "2*x"},
    // Constants without a declaration.
    {"logdet(I + X*X')", "X", "", "2*inv(X*X' + eye(m))*X"},
    {"tr(A*I_n*X)", "X", "", "A'"},
    {"sumsq(X - 2*I)", "X", "", "2*X - 4*eye(m)"},
    {"s*pi", "s", "", "3.141592653589793"},
    {"tr(I*X)", "I", "I m", "X'"},
    {"sum(eye(X))", "X", "X 3", NULL},
    // Products of sizes.
    {"kron(A,B)*vec(X)", "X", "", "kron(A, B)"},
    {"comm(3,4)*vec(X)", "X", "", "comm(3,4)"},
    {"tr(B*X*A') + 0*sum(kron(A,B)*vec(X))", "X", "", "B'*A"},
    {"tr(X*eye(4)*ones(4,3)) + 0*sum(comm(3,4)*vec(X))", "X", "", "ones(3,4)"},
};

enum { DECLARATIONS_MAX = 4 };

// "spd K", "symmetric A", "X 3": a column of three rows, "A m": m x m.
static int32_t declare(char *text, tg_declaration *out)
{
  int32_t n = 0;
  for (char *item = strtok(text, ","); item != NULL && n < DECLARATIONS_MAX; item = strtok(NULL, ",")) {
    char *space = strchr(item, ' ');
    assert_non_null(space);
    *space = '\0';
    const bool spd = strcmp(item, "spd") == 0;
    const bool symmetric = strcmp(item, "symmetric") == 0;
    const char *value = space + 1;
    tg_declaration *d = &out[n++];
    *d = (tg_declaration){.name = spd || symmetric ? value : item};
    if (spd) d->properties = TG_SPD;
    if (symmetric) d->properties = TG_SYMMETRIC;
    if (spd || symmetric) continue;
    if (value[0] >= '1' && value[0] <= '9') {
      d->rows = value[0] - '0';
      d->cols = value[1] == 'x' ? value[2] - '0' : 1;
    } else {
      d->rows_name = d->cols_name = value;
    }
  }
  return n;
}

static tg_status derive(tg_graph *graph, const row *r, tg_text *out)
{
  char text[64];
  tg_declaration declarations[DECLARATIONS_MAX + 1];
  tg_node f = TG_NONE;
  tg_node result = TG_NONE;
  snprintf(text, sizeof text, "%s", r->properties);
  const tg_compile_options options = {
      .n_declarations = declare(text, declarations), .declarations = declarations, .infer_undeclared = true};
  TG_TRY(tg_compile(graph, r->text, strlen(r->text), &options, &f));
  const int32_t symbol = tg_symbol_find(graph, r->by);
  if (tg_node_is_scalar(graph, f))
    TG_TRY(tg_gradient(graph, f, 1, &symbol, &result));
  else
    TG_TRY(tg_jacobian(graph, f, symbol, &result));
  TG_TRY(tg_factor_common(graph, result, &result));
  return tg_print(graph, result, TG_FORMAT_EXPR, out);
}

static bool check_row(const row *r)
{
  tg_graph *graph = NULL;
  tg_text out;
  tg_text_init(&out);
  assert_int_equal(tg_graph_create(&graph), TG_OK);
  const tg_status status = derive(graph, r, &out);
  const bool refused = status == TG_SHAPE;
  const bool good = r->expected == NULL ? refused : status == TG_OK && strcmp(tg_text_string(&out), r->expected) == 0;
  if (!good)
    fprintf(stderr, "%s by %s:\n  found    %s\n  expected %s\n", r->text, r->by,
            status == TG_OK ? tg_text_string(&out) : tg_error_get()->message,
            r->expected != NULL ? r->expected : "a refusal");
  tg_graph_destroy(&graph);
  tg_text_fini(&out);
  return good;
}

static void test_readings(void **unused)
{
  int wrong = 0;
  (void)unused;
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) wrong += !check_row(&rows[k]);
  assert_int_equal(wrong, 0);
}

// What is read against letters or custom is reported, and nothing else.
typedef struct notice_row {
  const char *text;
  const char *properties;
  const char *expected; // of the notices; "": none
} notice_row;

static const notice_row notice_rows[] = {
    {"tr(A*X*B*X') - 2*tr(C'*X) + 0.1*sumsq(X)", "", ""},
    {"lambda*sumsq(x) + sumsq(A*x - b)", "", ""},
    {"c*sumsq(x) + t*x'*y", "", ""},
    {"sum(diag(X)) + x'*diag(d)*x", "", ""},
    {"tr(X)/N", "", "N is read as a scalar; sizes say otherwise: --dims N=mxn\n"},
    {"tr(X)/N", "N 1", ""},
    {"sumsq(Y - X*w)", "", "Y is read as m x 1; sizes say otherwise: --dims Y=mxn\n"},
    {"tr(a*b)", "", "a is read as m x n, b as n x m; sizes say otherwise: --dims a=n\n"},
    {"sum(T*lambda)", "", "lambda is read as n x 1; sizes say otherwise: --dims lambda=1\n"},
    {"logdet(I + X)", "", "I is the identity here; --dims I=mxn makes it a name\n"},
    {"logdet(I + X)", "I m", ""},
    {"pi*tr(X) + pi", "", "pi is the number 3.14159... here; --dims pi=1 makes it a name\n"},
    {"pi*tr(X)", "pi 1", ""},
    {"logdet(X + 2)", "", "2 is added to every entry: 2*ones, not 2*eye\n"},
    {"tr(inv(X - (s + 1)))", "", "s + 1 is added to every entry: (s + 1)*ones, not (s + 1)*eye\n"},
    {"(X + 1)^-1*y", "", "1 is added to every entry, as ones, not as eye\n"},
    {"logdet(X'*diag(1 + exp(X*w))*X)", "", ""},
    {"sumsq(X + 2) + tr(X)", "", ""},
    {"x @ A @ x", "", "x @ y of two columns is their inner product, as of arrays with one dimension\n"},
    {"x @ A @ y", "x 1x4,y 3x1", ""},
    {"det(sigma)", "", "sigma is read as m x m; sizes say otherwise: --dims sigma=1\n"},
};

static void test_notices(void **unused)
{
  (void)unused;
  for (size_t k = 0; k < sizeof notice_rows / sizeof notice_rows[0]; k++) {
    const notice_row *r = &notice_rows[k];
    char text[64];
    tg_declaration declarations[DECLARATIONS_MAX + 1];
    tg_graph *graph = NULL;
    tg_node f = TG_NONE;
    tg_text notices;
    tg_text_init(&notices);
    snprintf(text, sizeof text, "%s", r->properties);
    const tg_compile_options options = {.n_declarations = declare(text, declarations),
                                        .declarations = declarations,
                                        .infer_undeclared = true,
                                        .notices = &notices};
    assert_int_equal(tg_graph_create(&graph), TG_OK);
    assert_int_equal(tg_compile(graph, r->text, strlen(r->text), &options, &f), TG_OK);
    assert_string_equal(tg_text_string(&notices), r->expected);
    tg_text_fini(&notices);
    tg_graph_destroy(&graph);
  }
}

// A thousand names in a thousand terms: the preferred reading fits, or a bounded search mends it.
static void test_many_names(void **unused)
{
  static const char *const terms[] = {"+c%d*sumsq(A%d*x)", "+a%d'*x+0*%d", "+sumsq(A%d*x-s%d*b)", "+u%d'*X*x*s%d"};
  (void)unused;
  for (size_t k = 0; k < sizeof terms / sizeof terms[0]; k++) {
    tg_graph *graph = NULL;
    tg_text text;
    tg_node f = TG_NONE;
    const tg_compile_options options = {.infer_undeclared = true};
    tg_text_init(&text);
    for (int i = 0; i < 1000; i++) tg_text_addf(&text, terms[k], i, i);
    assert_int_equal(tg_graph_create(&graph), TG_OK);
    const clock_t start = clock();
    assert_int_equal(tg_compile(graph, tg_text_string(&text), text.length, &options, &f), TG_OK);
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    print_message("%s, 1000 times: %.3f s\n", terms[k], seconds);
    assert_true(tg_node_is_scalar(graph, f));
    assert_true(seconds < 20.0); // quadratic readings took minutes in a sanitized build
    tg_graph_destroy(&graph);
    tg_text_fini(&text);
  }
}

// Places are looked up in products within products: once for each, not twice.
static void test_deep_products(void **unused)
{
  tg_graph *graph = NULL;
  tg_text text;
  tg_node f = TG_NONE;
  const tg_compile_options options = {.infer_undeclared = true};
  (void)unused;
  tg_text_init(&text);
  for (int i = 0; i < 190; i++) tg_text_add(&text, "(");
  tg_text_add(&text, "2");
  for (int i = 0; i < 190; i++) tg_text_addf(&text, "*tr(X))%s", i % 2 == 0 ? "" : "^2");
  assert_int_equal(tg_graph_create(&graph), TG_OK);
  (void)tg_compile(graph, tg_text_string(&text), text.length, &options, &f); // ends
  tg_graph_destroy(&graph);
  tg_text_fini(&text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_readings),
      cmocka_unit_test(test_notices),
      cmocka_unit_test(test_many_names),
      cmocka_unit_test(test_deep_products),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
