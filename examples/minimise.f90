! Least squares on Fortran arrays: minimises sumsq(A*X - B) + sumsq(X)/10.
!
!     mpif90 tracegrad.f90 minimise.f90 -o minimise $(pkg-config --libs tracegrad)
!     mpirun -n 2 ./minimise
program minimise
  use mpi
  use, intrinsic :: iso_c_binding
  use tracegrad
  implicit none
  integer, parameter :: m = 60, n = 10, k = 2
  real(c_double), target :: a(m, n), b(m, k), x(n, k)
  real(c_double) :: objective, direct
  type(c_ptr) :: p
  integer :: i, j, rank, ierr, exit_status

  call MPI_Init(ierr)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierr)
  a = reshape([((sin(0.3d0 + i + 2.7d0*j + 0.01d0*i*j), i=1, m), j=1, n)], [m, n])
  b = reshape([((cos(0.5d0*i + j), i=1, m), j=1, k)], [m, k])
  call must(tracegrad_create(MPI_COMM_WORLD, p))
  call must(tracegrad_objective(p, 'sumsq(A*X - B) + sumsq(X)/10'))
  call must(tracegrad_variable(p, 'X', n, k))
  call must(tracegrad_data(p, 'A', tracegrad_whole(a)))
  call must(tracegrad_data(p, 'B', tracegrad_whole(b)))
  call must(tracegrad_set(p, 'solver.gradient_tolerance', '1e-10'))
  call must(tracegrad_minimise(p))
  call must(tracegrad_get(p, 'X', tracegrad_whole(x)))
  call must(tracegrad_ending(p, objective, exit_status))
  direct = sum((matmul(a, x) - b)**2) + sum(x**2)/10
  if (rank == 0) print '(a,i0,a,es22.15,a,es22.15)', 'ended with ', exit_status, ', objective ', objective, ', here ', direct
  call tracegrad_destroy(p)
  call MPI_Finalize(ierr)
  if (abs(objective - direct) > 1d-12*direct .or. exit_status /= 0) error stop 1

contains

  subroutine must(exit_class)
    integer(c_int), intent(in) :: exit_class
    if (exit_class == 0) return
    print '(a)', tracegrad_message()
    call MPI_Abort(MPI_COMM_WORLD, 1, ierr)
  end subroutine
end program
