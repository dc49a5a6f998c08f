// Export to Fortran 2008: a module whose products are those of BLAS.
#include "derive/export/export_parts.h"

// ---- frames ----

static void add_matrix(const char *intent, const char *name, const char *rows, const char *cols, tg_text *out)
{
  tg_text_addf(out, "    real(dp), intent(%s), contiguous :: %s(:, :) ! %s x %s\n", intent, name, rows, cols);
}

static void add_check(const char *name, const char *rows, const char *cols, tg_text *out)
{
  tg_text_addf(out, "    call check_size('%s', shape(%s), %s, %s)\n", name, name, rows, cols);
}

static tg_status add_temporaries(const tg_export *e, bool allocates, tg_text *out)
{
  const tg_plan *plan = e->plans[0];
  for (int32_t b = 0; b < plan->n_buffers; b++) {
    if (plan->buffers[b].kind <= TG_BUFFER_HESSIAN || e->buffers[b] == NULL) continue;
    if (!allocates) {
      tg_text_addf(out, "    real(dp), allocatable :: %s(:, :)\n", e->buffers[b]);
      continue;
    }
    tg_text_addf(out, "    allocate(%s(", e->buffers[b]);
    TG_TRY(tg_export_buffer_size(e, b, false, out));
    tg_text_add(out, ", ");
    TG_TRY(tg_export_buffer_size(e, b, true, out));
    tg_text_add(out, "))\n");
  }
  for (int32_t r = 0; !allocates && r < plan->n_registers; r++)
    if (e->registers[r] != NULL) tg_text_addf(out, "    real(dp) :: %s\n", e->registers[r]);
  for (int32_t k = 0; !allocates && k < plan->n_factors; k++)
    if (e->factors[k] != 0) tg_text_addf(out, "    type(factor) :: F%d\n", (int)e->factors[k]);
  return tg_text_status(out);
}

static void add_declarations(const tg_export *e, bool hessian, tg_text *out)
{
  for (int32_t k = 0; k < e->n_arguments; k++)
    add_matrix("in", e->arguments[k].name, e->arguments[k].rows, e->arguments[k].cols, out);
  for (int32_t k = 0; k < e->d->n_targets; k++) {
    const tg_export_argument *x = tg_export_variable(e, k);
    if (hessian) add_matrix("in", tg_export_direction(e, k), x->rows, x->cols, out);
    add_matrix("out", tg_export_output(e, hessian, k), x->rows, x->cols, out);
  }
  if (!hessian) tg_text_add(out, "    real(dp), intent(out) :: f\n");
  tg_text_add(out, "    integer, intent(out) :: info\n");
  for (int32_t k = 0; k < e->n_sizes; k++) tg_text_addf(out, "    integer :: %s\n", e->sizes[k].name);
  if (add_temporaries(e, false, out) != TG_OK) out->status = TG_MEMORY;
}

static void begin(const tg_export *e, bool hessian, tg_text *out)
{
  tg_text_addf(out, "  ! %s. info: 0, or 1 where a factorisation fails.\n  !\n",
               hessian ? "The Hessian of f times a direction" : "f and its gradient");
  tg_export_describe(e, hessian, "  ! ", out);
  tg_text_addf(out, "  ! A number is a matrix of one entry.\n  subroutine %s(",
               hessian ? "hessian_product" : "value_and_gradient");
  for (int32_t k = 0; k < e->n_arguments; k++) tg_text_addf(out, "%s, ", e->arguments[k].name);
  for (int32_t k = 0; hessian && k < e->d->n_targets; k++) tg_text_addf(out, "%s, ", tg_export_direction(e, k));
  tg_text_add(out, hessian ? "" : "f, ");
  for (int32_t k = 0; k < e->d->n_targets; k++) tg_text_addf(out, "%s, ", tg_export_output(e, hessian, k));
  tg_text_add(out, "info)\n");
  add_declarations(e, hessian, out);
  tg_text_add(out, "    info = 0\n");
  for (int32_t k = 0; k < e->n_sizes; k++) {
    tg_text_addf(out, "    %s = size(%s, %d)", e->sizes[k].name, e->arguments[e->sizes[k].argument].name,
                 e->sizes[k].of_columns + 1);
    if (tg_export_rest(e, &e->sizes[k], out) != TG_OK) out->status = TG_MEMORY;
    tg_text_add(out, "\n");
  }
  for (int32_t k = 0; k < e->n_arguments; k++)
    add_check(e->arguments[k].name, e->arguments[k].rows, e->arguments[k].cols, out);
  for (int32_t k = 0; k < e->d->n_targets; k++) {
    const tg_export_argument *x = tg_export_variable(e, k);
    if (hessian) add_check(tg_export_direction(e, k), x->rows, x->cols, out);
    add_check(tg_export_output(e, hessian, k), x->rows, x->cols, out);
  }
  if (add_temporaries(e, true, out) != TG_OK) out->status = TG_MEMORY;
}

static void end(const tg_export *e, bool hessian, tg_text *out)
{
  if (!hessian) {
    tg_text_add(out, "    f = ");
    if (tg_export_value(e, out) != TG_OK) out->status = TG_MEMORY;
    tg_text_add(out, "\n");
  }
  tg_text_addf(out, "  end subroutine %s\n", hessian ? "hessian_product" : "value_and_gradient");
  if (!hessian && e->d->wants_hessian) tg_text_add(out, "\n");
}

static void head(const tg_export *e, tg_text *out)
{
  tg_text_add(out, "! Build: gfortran -O2 -c objective.f90; link with BLAS and LAPACK, as -lopenblas.\n"
                   "module objective\n"
                   "  implicit none\n"
                   "  private\n");
  tg_text_addf(out, "  public :: value_and_gradient%s\n", e->d->wants_hessian ? ", hessian_product" : "");
  tg_text_add(out, "  integer, parameter :: dp = kind(1.0d0)\n");
  if (e->plans[0]->n_factors > 0)
    tg_text_add(out, "\n  type :: factor ! a has the triangles, the eigenvectors or U; vt has V', values its values\n"
                     "    integer, allocatable :: pivots(:)\n"
                     "    real(dp), allocatable :: a(:, :), vt(:, :), values(:)\n"
                     "  end type factor\n");
  tg_text_add(out, "\ncontains\n\n");
}

static void foot(const tg_export *e, tg_text *out)
{
  (void)e;
  tg_text_add(out, "\nend module objective\n");
}

// ---- tables ----

static const char *const names[] = {
#define TG_ENTRYWISE(KIND, name, ...) #name,
#include "grad/entrywise.def"
};

// Intrinsic functions have these names.
static void entry(int row, tg_text *out)
{
  tg_text_addf(out, "%s(@)", names[row]);
}

static const tg_export_entry entries[] = {{"relu", "max(@, 0.0d0)"},    {"sigmoid", "logistic(@)"},
                                          {"softplus", "soft_plus(@)"}, {"logcosh", "log_cosh(@)"},
                                          {"sign", "sign_of(@)"},       {"log1p", "log_1p(@)"},
                                          {"expm1", "exp_m1(@)"},       {"log2", "(log(@)/log(2.0d0))"}};

static const char *const words[] = {
    "info", "dp",   "factor", "objective", "size", "shape",  "sum",       "max",         "min",      "exp",
    "log",  "sqrt", "abs",    "real",      "int",  "spread", "transpose", "dot_product", "reshape",  "i",
    "j",    "k",    "dgemm",  "if",        "do",   "end",    "call",      "return",      "allocate", "merge",
    "kind", "type", "sin",    "cos",       "tan",  "matmul", "then",      "else"};

static const tg_export_helper helpers[] = {
    {"check_size", "  subroutine check_size(name, found, rows, columns)\n"
                   "    character(len=*), intent(in) :: name\n"
                   "    integer, intent(in) :: found(2), rows, columns\n"
                   "    if (found(1) == rows .and. found(2) == columns) return\n"
                   "    print '(a, a, i0, a, i0, a, i0, a, i0)', name, ' is ', found(1), ' x ', found(2), &\n"
                   "      ', expected ', rows, ' x ', columns\n"
                   "    error stop\n"
                   "  end subroutine check_size\n\n"},
    {"log_1p", "  elemental function log_1p(x) result(y)\n"
               "    real(dp), intent(in) :: x\n"
               "    real(dp) :: y, u\n"
               "    u = 1 + x\n"
               "    y = x\n"
               "    if (u > huge(u)) y = log(u)\n"
               "    if (u /= 1 .and. u <= huge(u)) y = log(u) - ((u - 1) - x)/u ! what rounding took from u\n"
               "  end function log_1p\n\n"},
    {"exp_m1", "  elemental function exp_m1(x) result(y)\n"
               "    real(dp), intent(in) :: x\n"
               "    real(dp) :: y, t\n"
               "    t = tanh(0.5d0*x)\n"
               "    y = 2*t/(1 - t)\n"
               "    if (abs(x) > 1) y = exp(x) - 1\n"
               "  end function exp_m1\n\n"},
    {"sign_of", "  elemental function sign_of(x) result(y)\n"
                "    real(dp), intent(in) :: x\n"
                "    real(dp) :: y\n"
                "    y = merge(sign(1.0d0, x), x, abs(x) > 0)\n"
                "  end function sign_of\n\n"},
    {"logistic", "  elemental function logistic(x) result(y)\n"
                 "    real(dp), intent(in) :: x\n"
                 "    real(dp) :: y, e\n"
                 "    e = exp(-abs(x))\n"
                 "    y = merge(1.0d0, e, x >= 0)/(1 + e)\n"
                 "  end function logistic\n\n"},
    {"soft_plus", "  elemental function soft_plus(x) result(y)\n"
                  "    real(dp), intent(in) :: x\n"
                  "    real(dp) :: y\n"
                  "    y = max(x, 0.0d0) + log_1p(exp(-abs(x)))\n"
                  "  end function soft_plus\n\n"},
    {"log_cosh", "  ! Near 0 by cosh(x) - 1 = 2 sinh(x/2)**2, which does not cancel.\n"
                 "  elemental function log_cosh(x) result(y)\n"
                 "    real(dp), intent(in) :: x\n"
                 "    real(dp) :: y\n"
                 "    if (abs(x) < 1) then\n"
                 "      y = log_1p(2*sinh(0.5d0*x)**2)\n"
                 "    else\n"
                 "      y = abs(x) + log_1p(exp(-2*abs(x))) - log(2.0d0)\n"
                 "    end if\n"
                 "  end function log_cosh\n\n"},
    {"log_sum_exp", "  ! Over columns (1), rows (2) or all entries (0).\n"
                    "  subroutine log_sum_exp(along, x, y)\n"
                    "    integer, intent(in) :: along\n"
                    "    real(dp), intent(in) :: x(:, :)\n"
                    "    real(dp), intent(out) :: y(:, :)\n"
                    "    integer :: k\n"
                    "    if (along == 0) y = maxval(x) + log(sum(exp(x - maxval(x))))\n"
                    "    if (along == 0) return\n"
                    "    do k = 1, size(x, 3 - along)\n"
                    "      if (along == 1) y(1, k) = maxval(x(:, k)) + log(sum(exp(x(:, k) - maxval(x(:, k)))))\n"
                    "      if (along == 2) y(k, 1) = maxval(x(k, :)) + log(sum(exp(x(k, :) - maxval(x(k, :)))))\n"
                    "    end do\n"
                    "  end subroutine log_sum_exp\n\n"},
    {"set_eye", "  subroutine set_eye(shift, a, y)\n"
                "    integer, intent(in) :: shift\n"
                "    real(dp), intent(in) :: a\n"
                "    real(dp), intent(out) :: y(:, :)\n"
                "    integer :: k\n"
                "    y = 0\n"
                "    do k = 1, min(size(y, 1), size(y, 2) - shift)\n"
                "      y(k, k + shift) = a\n"
                "    end do\n"
                "  end subroutine set_eye\n\n"},
    {"set_triangle", "  subroutine set_triangle(upper, y)\n"
                     "    logical, intent(in) :: upper\n"
                     "    real(dp), intent(out) :: y(:, :)\n"
                     "    integer :: i, j\n"
                     "    do j = 1, size(y, 2)\n"
                     "      do i = 1, size(y, 1)\n"
                     "        y(i, j) = merge(1.0d0, 0.0d0, merge(i <= j, i >= j, upper))\n"
                     "      end do\n"
                     "    end do\n"
                     "  end subroutine set_triangle\n\n"},
    {"set_diagonal", "  subroutine set_diagonal(x, y)\n"
                     "    real(dp), intent(in) :: x(:, :)\n"
                     "    real(dp), intent(out) :: y(:, :)\n"
                     "    integer :: k\n"
                     "    y = 0\n"
                     "    do k = 1, size(y, 1)\n"
                     "      y(k, k) = x(min(k, size(x, 1)), min(k, size(x, 2)))\n"
                     "    end do\n"
                     "  end subroutine set_diagonal\n\n"},
    {"diagonal_of", "  function diagonal_of(x) result(y)\n"
                    "    real(dp), intent(in) :: x(:, :)\n"
                    "    real(dp) :: y(size(x, 1), 1)\n"
                    "    integer :: k\n"
                    "    do k = 1, size(x, 1)\n"
                    "      y(k, 1) = x(k, k)\n"
                    "    end do\n"
                    "  end function diagonal_of\n\n"},
    {"window_of", "  ! Entries behind the first top rows and left columns, zeros where x has none.\n"
                  "  subroutine window_of(x, top, left, y)\n"
                  "    real(dp), intent(in) :: x(:, :)\n"
                  "    integer, intent(in) :: top, left\n"
                  "    real(dp), intent(out) :: y(:, :)\n"
                  "    integer :: a, b, c, d\n"
                  "    a = max(1, 1 - top)\n"
                  "    b = min(size(y, 1), size(x, 1) - top)\n"
                  "    c = max(1, 1 - left)\n"
                  "    d = min(size(y, 2), size(x, 2) - left)\n"
                  "    y = 0\n"
                  "    if (a <= b .and. c <= d) y(a:b, c:d) = x(a + top:b + top, c + left:d + left)\n"
                  "  end subroutine window_of\n\n"},
    {"commutation", "  ! K vec(X) = vec(X') of X m x n.\n"
                    "  subroutine commutation(m, n, y)\n"
                    "    integer, intent(in) :: m, n\n"
                    "    real(dp), intent(out) :: y(:, :)\n"
                    "    integer :: i, j\n"
                    "    y = 0\n"
                    "    do j = 1, n\n"
                    "      do i = 1, m\n"
                    "        y(j + (i - 1)*n, i + (j - 1)*m) = 1\n"
                    "      end do\n"
                    "    end do\n"
                    "  end subroutine commutation\n\n"},
    {"kronecker", "  subroutine kronecker(a, b, y)\n"
                  "    real(dp), intent(in) :: a(:, :), b(:, :)\n"
                  "    real(dp), intent(out) :: y(:, :)\n"
                  "    integer :: i, j, p, q\n"
                  "    p = size(b, 1)\n"
                  "    q = size(b, 2)\n"
                  "    do j = 1, size(a, 2)\n"
                  "      do i = 1, size(a, 1)\n"
                  "        y((i - 1)*p + 1:i*p, (j - 1)*q + 1:j*q) = a(i, j)*b\n"
                  "      end do\n"
                  "    end do\n"
                  "  end subroutine kronecker\n\n"},
    {"kron_left", "  subroutine kron_left(big, b, y)\n"
                  "    real(dp), intent(in) :: big(:, :), b(:, :)\n"
                  "    real(dp), intent(out) :: y(:, :)\n"
                  "    integer :: i, j, p, q\n"
                  "    p = size(b, 1)\n"
                  "    q = size(b, 2)\n"
                  "    do j = 1, size(y, 2)\n"
                  "      do i = 1, size(y, 1)\n"
                  "        y(i, j) = sum(big((i - 1)*p + 1:i*p, (j - 1)*q + 1:j*q)*b)\n"
                  "      end do\n"
                  "    end do\n"
                  "  end subroutine kron_left\n\n"},
    {"kron_right", "  subroutine kron_right(big, a, y)\n"
                   "    real(dp), intent(in) :: big(:, :), a(:, :)\n"
                   "    real(dp), intent(out) :: y(:, :)\n"
                   "    integer :: i, j, p, q\n"
                   "    p = size(y, 1)\n"
                   "    q = size(y, 2)\n"
                   "    y = 0\n"
                   "    do j = 1, size(a, 2)\n"
                   "      do i = 1, size(a, 1)\n"
                   "        y = y + a(i, j)*big((i - 1)*p + 1:i*p, (j - 1)*q + 1:j*q)\n"
                   "      end do\n"
                   "    end do\n"
                   "  end subroutine kron_right\n\n"},
    {"lu_factor", "  subroutine lu_factor(x, f, info)\n"
                  "    real(dp), intent(in) :: x(:, :)\n"
                  "    type(factor), intent(out) :: f\n"
                  "    integer, intent(out) :: info\n"
                  "    integer :: n\n"
                  "    external :: dgetrf\n"
                  "    n = size(x, 1)\n"
                  "    f%a = x\n"
                  "    allocate(f%pivots(n))\n"
                  "    call dgetrf(n, n, f%a, n, f%pivots, info)\n"
                  "    info = merge(1, 0, info < 0) ! to solve with a singular matrix gives infinities\n"
                  "  end subroutine lu_factor\n\n"},
    {"cholesky", "  ! The symmetric part is factored; 1 where the rest is not rounding.\n"
                 "  subroutine cholesky(x, f, info)\n"
                 "    real(dp), intent(in) :: x(:, :)\n"
                 "    type(factor), intent(out) :: f\n"
                 "    integer, intent(out) :: info\n"
                 "    external :: dpotrf\n"
                 "    info = 1\n"
                 "    if (maxval(abs(x - transpose(x))) > 2d-9*maxval(abs(x))) return\n"
                 "    f%a = 0.5d0*(x + transpose(x))\n"
                 "    call dpotrf('L', size(x, 1), f%a, size(x, 1), info)\n"
                 "  end subroutine cholesky\n\n"},
    {"swap_lines", "  ! Swaps rows, or columns, of y as the pivots say, forwards or backwards.\n"
                   "  subroutine swap_lines(f, columns, backwards, y)\n"
                   "    type(factor), intent(in) :: f\n"
                   "    logical, intent(in) :: columns, backwards\n"
                   "    real(dp), intent(inout) :: y(:, :)\n"
                   "    integer :: s, k, p\n"
                   "    do s = 1, size(f%pivots)\n"
                   "      k = merge(size(f%pivots) + 1 - s, s, backwards)\n"
                   "      p = f%pivots(k)\n"
                   "      if (p == k) cycle\n"
                   "      if (columns) y(:, [k, p]) = y(:, [p, k])\n"
                   "      if (.not. columns) y([k, p], :) = y([p, k], :)\n"
                   "    end do\n"
                   "  end subroutine swap_lines\n\n"},
    {"triangle_solve", "  subroutine triangle_solve(f, side, uplo, trans, diag, y)\n"
                       "    type(factor), intent(in) :: f\n"
                       "    character, intent(in) :: side, uplo, trans, diag\n"
                       "    real(dp), intent(inout), contiguous :: y(:, :)\n"
                       "    external :: dtrsm\n"
                       "    call dtrsm(side, uplo, trans, diag, size(y, 1), size(y, 2), 1.0d0, f%a, size(f%a, 1), y, "
                       "size(y, 1))\n"
                       "  end subroutine triangle_solve\n\n"},
    {"lu_solve", "  ! y = op(F)**(-1) y, F = P' L U; or from the right.\n"
                 "  subroutine lu_solve(f, right, trans, y)\n"
                 "    type(factor), intent(in) :: f\n"
                 "    logical, intent(in) :: right, trans\n"
                 "    real(dp), intent(inout), contiguous :: y(:, :)\n"
                 "    character :: side, op\n"
                 "    logical :: upper_first\n"
                 "    side = merge('R', 'L', right)\n"
                 "    op = merge('T', 'N', trans)\n"
                 "    upper_first = right .neqv. trans\n"
                 "    if (right .eqv. trans) call swap_lines(f, right, .false., y)\n"
                 "    if (upper_first) call triangle_solve(f, side, 'U', op, 'N', y)\n"
                 "    call triangle_solve(f, side, 'L', op, 'U', y)\n"
                 "    if (.not. upper_first) call triangle_solve(f, side, 'U', op, 'N', y)\n"
                 "    if (right .neqv. trans) call swap_lines(f, right, .true., y)\n"
                 "  end subroutine lu_solve\n\n"},
    {"cholesky_solve", "  ! y = F**(-1) y, F = L L'; or from the right.\n"
                       "  subroutine cholesky_solve(f, right, y)\n"
                       "    type(factor), intent(in) :: f\n"
                       "    logical, intent(in) :: right\n"
                       "    real(dp), intent(inout), contiguous :: y(:, :)\n"
                       "    character :: side\n"
                       "    side = merge('R', 'L', right)\n"
                       "    call triangle_solve(f, side, 'L', merge('T', 'N', right), 'N', y)\n"
                       "    call triangle_solve(f, side, 'L', merge('N', 'T', right), 'N', y)\n"
                       "  end subroutine cholesky_solve\n\n"},
    {"diagonal_of_factor", "  function diagonal_of_factor(f) result(y)\n"
                           "    type(factor), intent(in) :: f\n"
                           "    real(dp) :: y(size(f%a, 1))\n"
                           "    integer :: k\n"
                           "    do k = 1, size(y)\n"
                           "      y(k) = f%a(k, k)\n"
                           "    end do\n"
                           "  end function diagonal_of_factor\n\n"},
    {"log_diagonal", "  function log_diagonal(f) result(y)\n"
                     "    type(factor), intent(in) :: f\n"
                     "    real(dp) :: y\n"
                     "    y = sum(log(abs(diagonal_of_factor(f))))\n"
                     "  end function log_diagonal\n\n"},
    {"lu_determinant", "  function lu_determinant(f) result(y)\n"
                       "    type(factor), intent(in) :: f\n"
                       "    real(dp) :: y\n"
                       "    integer :: k\n"
                       "    y = product(diagonal_of_factor(f))*(-1)**count(f%pivots /= [(k, k = 1, size(f%pivots))])\n"
                       "  end function lu_determinant\n\n"},
    {"eigen", "  subroutine eigen(x, f, info)\n"
              "    real(dp), intent(in) :: x(:, :)\n"
              "    type(factor), intent(out) :: f\n"
              "    integer, intent(out) :: info\n"
              "    real(dp), allocatable :: work(:)\n"
              "    external :: dsyev\n"
              "    f%a = 0.5d0*(x + transpose(x))\n"
              "    allocate(f%values(size(x, 1)), work(8*size(x, 1)))\n"
              "    call dsyev('V', 'L', size(x, 1), f%a, size(x, 1), f%values, work, size(work), info)\n"
              "  end subroutine eigen\n\n"},
    {"svd", "  subroutine svd(x, f, info)\n"
            "    real(dp), intent(in) :: x(:, :)\n"
            "    type(factor), intent(out) :: f\n"
            "    integer, intent(out) :: info\n"
            "    real(dp), allocatable :: work(:), copy(:, :)\n"
            "    integer :: m, n, k\n"
            "    external :: dgesvd\n"
            "    m = size(x, 1)\n"
            "    n = size(x, 2)\n"
            "    k = min(m, n)\n"
            "    copy = x\n"
            "    allocate(f%a(m, k), f%vt(k, n), f%values(k), work(8*max(m, n)))\n"
            "    call dgesvd('S', 'S', m, n, copy, m, f%values, f%a, m, f%vt, k, work, size(work), info)\n"
            "  end subroutine svd\n\n"},
    {"put_values", "  ! Eigenvalues; 1 where one lies outside of the domain: 0 all numbers, 1 from 0 on, 2 above 0.\n"
                   "  subroutine put_values(f, domain, y, info)\n"
                   "    type(factor), intent(in) :: f\n"
                   "    integer, intent(in) :: domain\n"
                   "    real(dp), intent(out) :: y(:, :)\n"
                   "    integer, intent(out) :: info\n"
                   "    info = 0\n"
                   "    if (domain == 1 .and. minval(f%values) < -1d-13*maxval(abs(f%values))) info = 1\n"
                   "    if (domain == 2 .and. .not. minval(f%values) > 0) info = 1\n"
                   "    y(:, 1) = f%values\n"
                   "    if (domain == 1) y = max(y, 0.0d0)\n"
                   "  end subroutine put_values\n\n"},
    {"quotient", "  elemental function quotient(a, b) result(y)\n"
                 "    real(dp), intent(in) :: a, b\n"
                 "    real(dp) :: y\n"
                 "    y = 0\n"
                 "    if (abs(b) > 0) y = a/b\n"
                 "  end function quotient\n\n"},
    {"far_apart", "  elemental function far_apart(d, scale) result(y)\n"
                  "    real(dp), intent(in) :: d, scale\n"
                  "    real(dp) :: y\n"
                  "    y = 0\n"
                  "    if (abs(d) > 1d-5*scale) y = 1/d\n"
                  "  end function far_apart\n\n"},
    {"near_half", "  elemental function near_half(d, scale) result(y)\n"
                  "    real(dp), intent(in) :: d, scale\n"
                  "    real(dp) :: y\n"
                  "    y = merge(0.0d0, 0.5d0, abs(d) > 1d-5*scale)\n"
                  "  end function near_half\n\n"},
    {"step_of", "  elemental function step_of(x) result(y)\n"
                "    real(dp), intent(in) :: x\n"
                "    real(dp) :: y\n"
                "    y = merge(1.0d0, 0.0d0, x > 0)\n"
                "  end function step_of\n\n"},
    {"exp_divided", "  ! (e**a - e**b)/(a - b)\n"
                    "  elemental function exp_divided(a, b) result(y)\n"
                    "    real(dp), intent(in) :: a, b\n"
                    "    real(dp) :: y, d\n"
                    "    d = abs(a - b)\n"
                    "    y = exp(max(a, b))\n"
                    "    if (d > 0) y = -y*exp_m1(-d)/d\n"
                    "  end function exp_divided\n\n"},
    {"exp_twice", "  ! (e**a - exp[a,b])/(a - b), by a series where a and b are close\n"
                  "  elemental function exp_twice(a, b) result(y)\n"
                  "    real(dp), intent(in) :: a, b\n"
                  "    real(dp) :: y, d, term\n"
                  "    integer :: k\n"
                  "    d = b - a\n"
                  "    term = 0.5d0\n"
                  "    y = 0.5d0\n"
                  "    do k = 3, 19\n"
                  "      term = term*d/k\n"
                  "      y = y + term\n"
                  "    end do\n"
                  "    y = exp(a)*y\n"
                  "    if (d > 0.5d0) y = exp(b)*(1 - (1 + d)*exp(-d))/d**2\n"
                  "    if (d < -0.5d0) y = exp(a)*(exp_m1(d) - d)/d**2\n"
                  "  end function exp_twice\n\n"},
    {"log_divided", "  ! (log(a) - log(b))/(a - b)\n"
                    "  elemental function log_divided(a, b) result(y)\n"
                    "    real(dp), intent(in) :: a, b\n"
                    "    real(dp) :: y, t\n"
                    "    t = abs(a - b)/min(a, b)\n"
                    "    y = 1\n"
                    "    if (t > 0) y = log_1p(t)/t\n"
                    "    y = y/min(a, b)\n"
                    "  end function log_divided\n\n"},
    {"log_twice", "  ! (1/a - log[a,b])/(a - b), by a series where a and b are close\n"
                  "  elemental function log_twice(a, b) result(y)\n"
                  "    real(dp), intent(in) :: a, b\n"
                  "    real(dp) :: y, t, power\n"
                  "    integer :: k\n"
                  "    t = (b - a)/a\n"
                  "    power = 1\n"
                  "    y = 0\n"
                  "    do k = 2, 23\n"
                  "      y = y + power/k\n"
                  "      power = -power*t\n"
                  "    end do\n"
                  "    if (abs(t) > 0.1d0) y = (t - log_1p(t))/t**2\n"
                  "    y = -y/a**2\n"
                  "  end function log_twice\n\n"}};

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])
#define OR_RETURN    "\nif (info /= 0) return"

const tg_export_language tg_export_fortran = {
    .title = "Fortran",
    .folds_case = true,
    .width = 126,
    .indent = "    ",
    .comment = "!",
    .plain = "'N'",
    .transposed = "'T'",
    .turn = "",
    .real = "real(@, dp)",
    .power_of_ten = "d",
    .wants_point = true,
    .load = "$0",
    .row = "spread($0(:, 1), 2, $C)",
    .row_turned = "spread($0(1, :), 2, $C)",
    .col = "spread($0(1, :), 1, $R)",
    .col_turned = "spread($0(:, 1), 1, $R)",
    .spread = "$e",
    .add = "(@ + $)",
    .sub = "(@ - $)",
    .mul = "(@*$)",
    .div = "(@/$)",
    .pow = "((@)**($))",
    .max = "max(@, $)",
    .min = "min(@, $)",
    .square = "(@)**2",
    .sqrt = "sqrt(@)",
    .ops = {[TG_EXPORT_GEMM] = "call dgemm($T, $U, $r, $c, $k, $a, $0, $m, $1, $p, 0.0d0, $o, $r)",
            [TG_EXPORT_GEMM_ADD] = "call dgemm($T, $U, $r, $c, $k, $a, $0, $m, $1, $p, 1.0d0, $o, $r)",
            [TG_EXPORT_LINCOMB] = "$o = $e",
            [TG_EXPORT_TRANSPOSE] = "$o = $stranspose($0)",
            [TG_EXPORT_ENTRYWISE] = "$o = $e",
            [TG_EXPORT_EWSUM] = "$o = sum($e)",
            [TG_EXPORT_DOT] = "$o = sum($0*$1)",
            [TG_EXPORT_TRACE] = "$o = sum(diagonal_of($0))",
            [TG_EXPORT_FETCH] = "$o = $0(1, 1)",
            [TG_EXPORT_STORE] = "$o = $a",
            [TG_EXPORT_SCALAR] = "$o = $e",
            [TG_EXPORT_FILL] = "$o = $a",
            [TG_EXPORT_EYE] = "call set_eye(0, $a, $o)",
            [TG_EXPORT_UPPER] = "call set_triangle(.true., $o)",
            [TG_EXPORT_LOWER] = "call set_triangle(.false., $o)",
            [TG_EXPORT_LOGSUMEXP] = "call log_sum_exp(0, $0, $o)",
            [TG_EXPORT_LOGSUMEXP_ROWS] = "call log_sum_exp(2, $0, $o)",
            [TG_EXPORT_LOGSUMEXP_COLS] = "call log_sum_exp(1, $0, $o)",
            [TG_EXPORT_PICK] = "call set_eye($i, 1.0d0, $o)",
            [TG_EXPORT_SLICE] = "call window_of($0, $i, $j, $o)",
            [TG_EXPORT_COMM] = "call commutation($i, $j, $o)",
            [TG_EXPORT_CHOLESKY] = "call cholesky($0, F$f, info)" OR_RETURN,
            [TG_EXPORT_LU] = "call lu_factor($0, F$f, info)" OR_RETURN,
            [TG_EXPORT_EIGEN] = "call eigen($0, F$f, info)" OR_RETURN,
            [TG_EXPORT_SVD] = "call svd($0, F$f, info)" OR_RETURN,
            [TG_EXPORT_EIGENVECTORS] = "$o = F$f%a",
            [TG_EXPORT_LEFT_VECTORS] = "$o = F$f%a",
            [TG_EXPORT_RIGHT_VECTORS] = "$o = F$f%vt",
            [TG_EXPORT_EIGENVALUES] = "call put_values(F$f, 0, $o, info)" OR_RETURN,
            [TG_EXPORT_EIGENVALUES_PSD] = "call put_values(F$f, 1, $o, info)" OR_RETURN,
            [TG_EXPORT_EIGENVALUES_SPD] = "call put_values(F$f, 2, $o, info)" OR_RETURN,
            [TG_EXPORT_SINGULAR_VALUES] = "$o(:, 1) = F$f%values",
            [TG_EXPORT_CHOLESKY_SOLVE] = "$o = $0\ncall cholesky_solve(F$f, .false., $o)",
            [TG_EXPORT_CHOLESKY_RIGHT] = "$o = $0\ncall cholesky_solve(F$f, .true., $o)",
            [TG_EXPORT_CHOLESKY_INVERSE] = "call set_eye(0, 1.0d0, $o)\ncall cholesky_solve(F$f, .false., $o)",
            [TG_EXPORT_CHOLESKY_LOGDET] = "$o = 2*log_diagonal(F$f)",
            [TG_EXPORT_CHOLESKY_DET] = "$o = exp(2*log_diagonal(F$f))",
            [TG_EXPORT_LU_SOLVE] = "$o = $0\ncall lu_solve(F$f, .false., .false., $o)",
            [TG_EXPORT_LU_SOLVE_TRANS] = "$o = $0\ncall lu_solve(F$f, .false., .true., $o)",
            [TG_EXPORT_LU_RIGHT] = "$o = $0\ncall lu_solve(F$f, .true., .false., $o)",
            [TG_EXPORT_LU_RIGHT_TRANS] = "$o = $0\ncall lu_solve(F$f, .true., .true., $o)",
            [TG_EXPORT_LU_INVERSE] = "call set_eye(0, 1.0d0, $o)\ncall lu_solve(F$f, .false., .false., $o)",
            [TG_EXPORT_LU_INVERSE_TRANS] = "call set_eye(0, 1.0d0, $o)\ncall lu_solve(F$f, .false., .true., $o)",
            [TG_EXPORT_LU_DET] = "$o = lu_determinant(F$f)",
            [TG_EXPORT_DIAG] = "call set_diagonal($0, $o)",
            [TG_EXPORT_DIAGVEC] = "$o = diagonal_of($0)",
            [TG_EXPORT_RESHAPE] = "$o = reshape($0, [$r, $c])",
            [TG_EXPORT_KRON] = "call kronecker($0, $1, $o)",
            [TG_EXPORT_KRON_LEFT] = "call kron_left($0, $1, $o)",
            [TG_EXPORT_KRON_RIGHT] = "call kron_right($0, $1, $o)"},
    .divided = {[TG_DIVIDED_SQRT] = "(1/(sqrt(@) + sqrt($)))",
                [TG_DIVIDED_EXP] = "exp_divided(@, $)",
                [TG_DIVIDED_EXP_TWICE] = "exp_twice(@, $)",
                [TG_DIVIDED_EXP_FAR] = "far_apart(@ - $, 1.0d0)",
                [TG_DIVIDED_EXP_NEAR] = "near_half(@ - $, 1.0d0)",
                [TG_DIVIDED_LOG] = "log_divided(@, $)",
                [TG_DIVIDED_LOG_TWICE] = "log_twice(@, $)",
                [TG_DIVIDED_LOG_FAR] = "far_apart(@ - $, min(@, $))",
                [TG_DIVIDED_LOG_NEAR] = "near_half(@ - $, min(@, $))",
                [TG_DIVIDED_STEP] = "quotient(abs(step_of(@) - step_of($)), @ + $)",
                [TG_DIVIDED_SIGNS] = "quotient(step_of(@) + step_of($), @ + $)",
                [TG_DIVIDED_TOP] = "quotient(@, (@ - $)*(@ + $))",
                [TG_DIVIDED_BELOW_TOP] = "quotient($, (@ - $)*(@ + $))"},
    .entries = entries,
    .n_entries = COUNT(entries),
    .entry = entry,
    .helpers = helpers,
    .n_helpers = COUNT(helpers),
    .words = words,
    .n_words = COUNT(words),
    .head = head,
    .begin = begin,
    .end = end,
    .foot = foot};
