! tracegrad_solve.h for Fortran 2008: compile this file with your program, and link with tracegrad.
!
! Functions return 0, 1 (a failure while running) or 2 (the input is wrong); tracegrad_message() then says what. Problems
! and points are type(c_ptr). Arrays are Fortran's own: real(c_double), whole on all ranks or on rank 0, or the local part
! of a ScaLAPACK matrix; those that are data must stay where they are while the problem exists (target).
module tracegrad
  use, intrinsic :: iso_c_binding
  implicit none
  private
  public :: tracegrad_create, tracegrad_destroy, tracegrad_message, tracegrad_objective
  public :: tracegrad_variable, tracegrad_number, tracegrad_set, tracegrad_subject_to
  public :: tracegrad_data, tracegrad_start, tracegrad_get, tracegrad_whole, tracegrad_cyclic
  public :: tracegrad_minimise, tracegrad_ending, tracegrad_array

  integer(c_int32_t), parameter, public :: tracegrad_on_all = 0, tracegrad_on_root = 1
  integer(c_int32_t), parameter :: on_grid = 2

  ! As in tracegrad_solve.h; made by tracegrad_whole and tracegrad_cyclic.
  type, bind(c) :: tracegrad_array
    integer(c_size_t) :: size = 0
    type(c_ptr) :: numbers = c_null_ptr
    integer(c_int64_t) :: rows = 0, columns = 0, leading_dimension = 0
    integer(c_int32_t) :: order = 0, place = 0
    type(c_ptr) :: descriptor = c_null_ptr
    integer(c_int64_t) :: row_begin = 0, column_begin = 0, local_rows = 0, local_columns = 0
  end type

  interface
    integer(c_int) function create(comm, p) bind(c, name='tracegrad_problem_create_fortran')
      import
      integer(c_int), value :: comm
      type(c_ptr), intent(out) :: p
    end function
    subroutine tracegrad_destroy(p) bind(c, name='tracegrad_problem_destroy')
      import
      type(c_ptr), intent(inout) :: p
    end subroutine
    type(c_ptr) function message() bind(c, name='tracegrad_error')
      import
    end function
    integer(c_size_t) function length_of(text) bind(c, name='strlen')
      import
      type(c_ptr), value :: text
    end function
    integer(c_int) function give_objective(p, text, maximize) bind(c, name='tracegrad_problem_objective')
      import
      type(c_ptr), value :: p
      character(kind=c_char), intent(in) :: text(*)
      integer(c_int), value :: maximize
    end function
    integer(c_int) function relate(p, text) bind(c, name='tracegrad_problem_subject_to')
      import
      type(c_ptr), value :: p
      character(kind=c_char), intent(in) :: text(*)
    end function
    integer(c_int) function declare(p, name, rows, columns) bind(c, name='tracegrad_problem_variable')
      import
      type(c_ptr), value :: p
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int64_t), value :: rows, columns
    end function
    integer(c_int) function number(p, name, value) bind(c, name='tracegrad_problem_number')
      import
      type(c_ptr), value :: p
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), value :: value
    end function
    integer(c_int) function set(p, key, value) bind(c, name='tracegrad_problem_set')
      import
      type(c_ptr), value :: p
      character(kind=c_char), intent(in) :: key(*), value(*)
    end function
    integer(c_int) function give_data(p, name, array) bind(c, name='tracegrad_problem_data')
      import
      type(c_ptr), value :: p
      character(kind=c_char), intent(in) :: name(*)
      type(tracegrad_array), intent(in) :: array
    end function
    integer(c_int) function give_start(p, name, array) bind(c, name='tracegrad_problem_start')
      import
      type(c_ptr), value :: p
      character(kind=c_char), intent(in) :: name(*)
      type(tracegrad_array), intent(in) :: array
    end function
    integer(c_int) function take(p, name, array) bind(c, name='tracegrad_problem_get')
      import
      type(c_ptr), value :: p
      character(kind=c_char), intent(in) :: name(*)
      type(tracegrad_array), intent(in) :: array
    end function
    ! Collective.
    integer(c_int) function tracegrad_minimise(p) bind(c, name='tracegrad_problem_minimise')
      import
      type(c_ptr), value :: p
    end function
    integer(c_int) function ending(p, objective, exit_status) bind(c, name='tracegrad_problem_ending')
      import
      type(c_ptr), value :: p
      real(c_double), intent(out) :: objective
      integer(c_int), intent(out) :: exit_status
    end function
  end interface

contains

  ! comm: a communicator of mpif.h or `use mpi`; of `use mpi_f08` its component mpi_val. Collective.
  integer(c_int) function tracegrad_create(comm, p)
    integer, intent(in) :: comm
    type(c_ptr), intent(out) :: p
    tracegrad_create = create(int(comm, c_int), p)
  end function

  ! The message of the last failure, of several lines.
  function tracegrad_message() result(out)
    character(len=:), allocatable :: out
    character(kind=c_char), pointer :: bytes(:)
    type(c_ptr) :: text
    integer :: k
    text = message()
    call c_f_pointer(text, bytes, [length_of(text)])
    allocate (character(len=size(bytes)) :: out)
    do k = 1, size(bytes)
      out(k:k) = bytes(k)
    end do
  end function

  ! To be minimised, or with maximize to be maximised.
  integer(c_int) function tracegrad_objective(p, expression, maximize)
    type(c_ptr), intent(in) :: p
    character(len=*), intent(in) :: expression
    logical, intent(in), optional :: maximize
    integer(c_int) :: up
    up = 0
    if (present(maximize)) up = merge(1, 0, maximize)
    tracegrad_objective = give_objective(p, trim(expression)//c_null_char, up)
  end function

  integer(c_int) function tracegrad_subject_to(p, relation)
    type(c_ptr), intent(in) :: p
    character(len=*), intent(in) :: relation
    tracegrad_subject_to = relate(p, trim(relation)//c_null_char)
  end function

  ! A size of 0 follows from the expressions.
  integer(c_int) function tracegrad_variable(p, name, rows, columns)
    type(c_ptr), intent(in) :: p
    character(len=*), intent(in) :: name
    integer, intent(in) :: rows, columns
    tracegrad_variable = declare(p, trim(name)//c_null_char, int(rows, c_int64_t), int(columns, c_int64_t))
  end function

  integer(c_int) function tracegrad_number(p, name, value)
    type(c_ptr), intent(in) :: p
    character(len=*), intent(in) :: name
    real(c_double), intent(in) :: value
    tracegrad_number = number(p, trim(name)//c_null_char, value)
  end function

  ! Any key of a job file.
  integer(c_int) function tracegrad_set(p, key, value)
    type(c_ptr), intent(in) :: p
    character(len=*), intent(in) :: key, value
    tracegrad_set = set(p, trim(key)//c_null_char, trim(value)//c_null_char)
  end function

  ! A matrix that is whole on every rank, or on rank 0. `a` is its first element's rank 2 array with `rows` of the matrix
  ! used; its first dimension may be longer.
  function tracegrad_whole(a, rows, place) result(out)
    real(c_double), target, intent(in) :: a(:, :)
    integer, intent(in), optional :: rows
    integer(c_int32_t), intent(in), optional :: place
    type(tracegrad_array) :: out
    out%size = c_sizeof(out)
    if (size(a) > 0) out%numbers = c_loc(a(1, 1))
    out%rows = size(a, 1)
    out%leading_dimension = size(a, 1)
    if (present(rows)) out%rows = rows
    out%columns = size(a, 2)
    if (present(place)) out%place = place
  end function

  ! The local part of a ScaLAPACK matrix; both must stay where they are.
  function tracegrad_cyclic(a, descriptor) result(out)
    real(c_double), target, intent(in) :: a(*)
    integer(c_int), target, intent(in) :: descriptor(9)
    type(tracegrad_array) :: out
    out%size = c_sizeof(out)
    out%numbers = c_loc(a(1))
    out%place = on_grid
    out%descriptor = c_loc(descriptor)
  end function

  integer(c_int) function tracegrad_data(p, name, array)
    type(c_ptr), intent(in) :: p
    character(len=*), intent(in) :: name
    type(tracegrad_array), intent(in) :: array
    tracegrad_data = give_data(p, trim(name)//c_null_char, array)
  end function

  integer(c_int) function tracegrad_start(p, name, array)
    type(c_ptr), intent(in) :: p
    character(len=*), intent(in) :: name
    type(tracegrad_array), intent(in) :: array
    tracegrad_start = give_start(p, trim(name)//c_null_char, array)
  end function

  ! A variable at the point returned, into the array. Collective.
  integer(c_int) function tracegrad_get(p, name, array)
    type(c_ptr), intent(in) :: p
    character(len=*), intent(in) :: name
    type(tracegrad_array), intent(in) :: array
    tracegrad_get = take(p, trim(name)//c_null_char, array)
  end function

  ! The objective of the last minimisation and how it ended: 0 for converged, 3 for a limit, ...
  integer(c_int) function tracegrad_ending(p, objective, exit_status)
    type(c_ptr), intent(in) :: p
    real(c_double), intent(out) :: objective
    integer, intent(out) :: exit_status
    integer(c_int) :: status
    tracegrad_ending = ending(p, objective, status)
    exit_status = status
  end function
end module
