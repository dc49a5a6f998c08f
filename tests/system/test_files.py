"""Matrix files as other programs write and read them: NumPy, SciPy and h5py are the independent opinion.

The copying program of tests/mpi/copy_matrix.c reads a file and writes another one. Parts that need a package that is
not installed are left out, and said so.
"""

import gzip
import importlib
import os
import pathlib
import subprocess
import sys
import tempfile

from tracegrad_run import PROGRAM, ROOT, Checks, environment_of

COPY = pathlib.Path(PROGRAM).parent / "tests" / "mpi_copy_matrix"
RANKS = (1, 3)


def package(name):
    """The package, or None with a line that says what is not tested."""
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"{name} is not installed: its files are not tested")
        return None


numpy = package("numpy")
scipy_io = package("scipy.io")
scipy_sparse = package("scipy.sparse")
h5py = package("h5py")


def call(ranks, arguments):
    """Runs the copying program; ranks = 0 starts it without mpirun."""
    launcher = [ROOT / "scripts" / "mpirun-local", ranks] if ranks > 0 else []
    variables = environment_of(OMPI_MCA_pml="ob1", OMPI_MCA_btl="self,vader")
    return subprocess.run([str(part) for part in [*launcher, COPY, *arguments]], text=True, stdin=subprocess.DEVNULL,
                          timeout=300, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def copy(source, target, ranks, source_set="-", target_set="-"):
    return call(ranks, [source, source_set, target, target_set])


def same(found, expected):
    return found.dtype == numpy.float64 and found.shape == expected.shape and numpy.array_equal(found, expected)


def as_matrix(array):
    """What a file of this array means: a 1-D array is a column, a scalar 1 x 1; numbers become float64."""
    array = numpy.asarray(array)
    return array.reshape(array.shape[0] if array.ndim > 0 else 1, -1).astype(numpy.float64)


class Copies:
    """Files that are read by us and written as .npy, all in one run of the program per number of ranks."""

    def __init__(self, checks, folder):
        self.checks = checks
        self.folder = folder
        self.cases = []

    def path(self, suffix):
        """A new name for the next file."""
        return self.folder / f"{len(self.cases)}{suffix}"

    def add(self, source, expected, what, dataset="-"):
        self.cases.append((source, dataset, self.folder / f"copy-{len(self.cases)}.npy", expected, what))

    def check(self):
        """Every copy is the array that the file's maker meant, in C order."""
        for ranks in RANKS:
            arguments = []
            for source, dataset, target, _, _ in self.cases:
                target.unlink(missing_ok=True)
                arguments += [source, dataset, target, "-"]
            finished = call(ranks, arguments)
            self.checks.check(finished.returncode == 0, f"{ranks}: exit {finished.returncode}: {finished.stderr}")
            for _, _, target, expected, what in self.cases:
                found = numpy.load(target) if target.exists() else numpy.zeros(0)
                self.checks.check(same(found, expected), f"{what} on {ranks}: other numbers")
                self.checks.check(found.flags.c_contiguous, f"{what} on {ranks}: in C order")
        self.cases.clear()


def check_refused(checks, folder, source, text, what, source_set="-", ranks=3):
    finished = copy(source, folder / "refused.npy", ranks, source_set)
    checks.check(finished.returncode == 2, f"{what}: exit {finished.returncode}, expected 2")
    checks.check(finished.stderr.count(text) == 1, f"{what}: '{text}' is not once in: {finished.stderr}")
    checks.check(not (folder / "refused.npy").exists(), f"{what}: no file is left")


def sample(shape, dtype):
    generator = numpy.random.default_rng(5)
    if numpy.dtype(dtype).kind == "f":
        return generator.normal(size=shape).astype(dtype)
    if numpy.dtype(dtype).kind == "b":
        return generator.random(size=shape) < 0.5
    info = numpy.iinfo(dtype)
    return generator.integers(info.min, info.max, size=shape, dtype=numpy.dtype(dtype).newbyteorder("="),
                              endpoint=True).astype(dtype)


def test_npy(checks, folder):
    copies = Copies(checks, folder)
    dtypes = ["<f8", ">f8", "<f4", ">f4", "<f2", "?", "i1", "u1"]
    dtypes += [order + kind + size for order in "<>" for kind in "iu" for size in "248"]
    arrays = [(f"npy {dtype}", sample((13, 6), dtype)) for dtype in dtypes]
    for shape in ((7,), (), (1, 9), (9, 1), (40, 31)):
        arrays += [(f"npy {shape} {order}", numpy.asarray(sample(shape, "<f8"), order=order)) for order in "CF"]
    for what, array in arrays:
        path = copies.path(".npy")
        numpy.save(path, array)
        copies.add(path, as_matrix(array), what)
    for version in ((1, 0), (2, 0), (3, 0)):
        path = copies.path(".npy")
        with open(path, "wb") as stream:
            numpy.lib.format.write_array(stream, sample((5, 4), "<f8"), version=version)
        copies.add(path, sample((5, 4), "<f8"), f"npy version {version}")
    copies.check()


def test_npy_refused(checks, folder):
    path = folder / "bad.npy"
    cases = {
        "holds complex numbers": numpy.ones((2, 2), complex),
        "holds text": numpy.array([["a", "b"]]),
        "structured dtype": numpy.zeros(3, [("x", "f8"), ("y", "i4")]),
        "has 3 dimensions": numpy.zeros((2, 2, 2)),
        "is empty (0 x 4)": numpy.zeros((0, 4)),
        "holds dates or times": numpy.zeros(3, "M8[s]"),
        "'<f16' is not supported": numpy.ones((2, 2), numpy.longdouble),
        "(row 2, column 3), counting from 1, is NaN": numpy.array([[1, 2, 3], [4, 5, numpy.nan], [numpy.inf, 8, 9]]),
    }
    for text, array in cases.items():
        numpy.save(path, array)
        check_refused(checks, folder, path, text, text)
    numpy.save(path, numpy.array([[None, 1]], dtype=object), allow_pickle=True)
    check_refused(checks, folder, path, "holds Python objects", "objects")


def test_matrix_market(checks, folder):
    copies = Copies(checks, folder)

    def add(what, written, expected, **options):
        path = copies.path(".mtx")
        scipy_io.mmwrite(path, written, **options)
        copies.add(path, numpy.asarray(expected, float), f"mtx {what}")

    dense = sample((11, 7), "<f8")
    square = dense[:7]
    whole = numpy.arange(12).reshape(3, 4) - 5
    add("array", dense, dense, precision=17)
    for symmetry, matrix in {"symmetric": square + square.T, "skew-symmetric": square - square.T}.items():
        add(f"array {symmetry}", matrix, matrix, precision=17, symmetry=symmetry)
        add(f"coordinate {symmetry}", scipy_sparse.coo_matrix(matrix), matrix, precision=17, symmetry=symmetry)
    add("integer", scipy_sparse.coo_matrix(whole), whole)
    add("pattern", scipy_sparse.coo_matrix(whole > 0), whole > 0, field="pattern")
    add("duplicates", scipy_sparse.coo_matrix(([1.0, 2.0, 4.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2)), [[0, 3], [4, 0]])
    for what, text in {
            "comments after the size line": "coordinate real general\n2 3 2\n% one\n1 2 4\n  % two\n\n2 3 5 \n%end",
            "indented comments": "coordinate real general\n  % a\n\t%b\n2 3 2\n1 2 4\n2 3 5\n",
            "comments in an array": "array integer general\n%\n2 3\n0\n%x\n0\n 4\n0\n %% y\n0\n5\n",
            "unsigned-integer": "coordinate unsigned-integer general\n2 3 2\n1 2 4\n2 3 +5\n",
            "Windows line ends": "coordinate real general\r\n%\r\n2 3 2\r\n1 2 4\r\n\r\n2 3 5\r\n"}.items():
        path = copies.path(".mtx")
        path.write_bytes(b"%%MatrixMarket matrix " + text.encode())
        copies.add(path, numpy.array([[0, 4, 0], [0, 0, 5.0]]), f"mtx {what}")
    for what, text, expected in (("hermitian", "coordinate real hermitian\n2 2 2\n1 1 3\n2 1 4\n", [[3, 4], [4, 0]]),
                                 ("hermitian array", "array integer hermitian\n2 2\n3\n4\n5\n", [[3, 4], [4, 5]]),
                                 ("hermitian pattern", "coordinate pattern hermitian\n2 2 1\n2 1\n", [[0, 1], [1, 0]]),
                                 ("skew zeros", "coordinate real skew-symmetric\n2 2 3\n1 1 0\n2 1 4\n2 2 -0.0\n", [[0, -4], [4, 0]])):
        path = copies.path(".mtx")
        path.write_bytes(b"\xef\xbb\xbf%%MatrixMarket matrix " + text.encode())  # as some editors begin a file
        copies.add(path, numpy.array(expected, float), f"mtx {what}")
    copies.check()
    scipy_io.mmwrite(folder / "a.mtx", scipy_sparse.coo_matrix(dense * 1j))
    check_refused(checks, folder, folder / "a.mtx", "the entries are complex", "mtx complex")


def test_matrix_market_written(checks, folder):
    array = sample((9, 5), "<f8")
    numpy.save(folder / "b.npy", array)
    for ranks in RANKS:
        finished = copy(folder / "b.npy", folder / "b.mtx", ranks)
        checks.check(finished.returncode == 0, f"mtx written on {ranks}: {finished.stderr}")
        checks.check(same(scipy_io.mmread(folder / "b.mtx"), array), f"mtx written on {ranks}: other numbers")


def test_hdf5(checks, folder):
    path = folder / "a.h5"
    dtypes = ["<f8", ">f8", "<f4", "<f2", "?", "i1", "u1", "<i4", ">i8", "<u2"]
    with h5py.File(path, "w") as file:
        for dtype in dtypes:
            file[f"types/{dtype}"] = sample((12, 5), dtype)
        file["vector"] = sample((8,), "<f8")
        file["scalar"] = 2.5
        file.create_dataset("packed", data=sample((50, 30), "<f8"), chunks=(7, 11), compression="gzip", shuffle=True)
        file["complex"] = numpy.ones((2, 2), complex)
        file["text"] = "hello"
        file["alias"] = h5py.SoftLink("/packed")
    copies = Copies(checks, folder)
    for dtype in dtypes:
        copies.add(path, as_matrix(sample((12, 5), dtype)), f"h5 {dtype}", f"/types/{dtype}")
    copies.add(path, as_matrix(sample((8,), "<f8")), "h5 vector", "vector")
    copies.add(path, numpy.array([[2.5]]), "h5 scalar", "scalar")
    for name in ("packed", "alias"):
        copies.add(path, sample((50, 30), "<f8"), f"h5 {name}", name)
    copies.check()
    check_refused(checks, folder, path, "holds compound values (complex numbers", "h5 complex", "complex")
    check_refused(checks, folder, path, "holds text", "h5 text", "text")
    check_refused(checks, folder, path, "'nothing' is not in the file; it holds /complex (2 x 2), /packed (50 x 30)",
                  "h5 wrong name", "nothing")
    check_refused(checks, folder, path, "needs 'dataset:'", "h5 no name")  # of several, none is guessed


def test_hdf5_written(checks, folder):
    array = sample((31, 17), "<f8")
    numpy.save(folder / "b.npy", array)
    for ranks in RANKS:
        finished = copy(folder / "b.npy", folder / "b.h5", ranks, target_set="/results/W")
        checks.check(finished.returncode == 0, f"h5 written on {ranks}: {finished.stderr}")
        with h5py.File(folder / "b.h5", "r+") as file:
            checks.check(same(file["results/W"][...], array), f"h5 written on {ranks}: other numbers")
            file["results/note"] = numpy.arange(3)  # others can go on writing into our file
        with h5py.File(folder / "b.h5", "r") as file:
            checks.check(same(file["results/W"][...], array), f"h5 written on {ranks}: lost by a later write")
        finished = copy(folder / "b.npy", folder / "b.h5", ranks, target_set="/results/W")
        checks.check(finished.returncode == 1 and "also holds /results/note (3)" in finished.stderr,
                     f"h5 with other datasets on {ranks}: exit {finished.returncode}: {finished.stderr}")
        (folder / "b.h5").unlink()


def put_by_columns(file, name, array, kind="double", **options):
    """A matrix as MATLAB 7.3 writes it: its columns where HDF5 has rows."""
    dataset = file.create_dataset(name, data=numpy.ascontiguousarray(numpy.asarray(array).T), **options)
    dataset.attrs["MATLAB_class"] = numpy.bytes_(kind)
    return dataset


def test_matlab(checks, folder):
    """MATLAB and Octave store the transpose; what they mark is read as it was meant, what is no matrix is refused by name."""
    array = sample((23, 9), "<f8")
    whole, octave = folder / "only.mat", folder / "octave.h5"
    with h5py.File(whole, "w", userblock_size=512) as file:
        put_by_columns(file, "A", array, chunks=(4, 5), compression="gzip")
        file["#refs#/a"] = numpy.ones(3)
    with open(whole, "r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\2IM")
    with h5py.File(octave, "w") as file:
        file["A/type"], file["A/value"] = numpy.bytes_("matrix"), array.T.copy()
        file["A"].attrs["OCTAVE_NEW_FORMAT"] = numpy.uint8(1)
    with h5py.File(folder / "several.mat", "w") as file:
        put_by_columns(file, "row", array[:1])
        put_by_columns(file, "flags", array > 0, "logical").attrs["MATLAB_int_decode"] = numpy.int32(1)
        put_by_columns(file, "text", numpy.array([[65, 66]], "u2"), "char")
        put_by_columns(file, "none", numpy.array([[0, 0]], "u8")).attrs["MATLAB_empty"] = numpy.uint8(1)
        file["S/data"] = numpy.ones(2)
        file["S"].attrs["MATLAB_sparse"] = numpy.uint64(3)
    copies = Copies(checks, folder)
    for path, dataset in ((whole, "A"), (whole, "-"), (octave, "-"), (octave, "A"), (octave, "/A/value")):
        copies.add(path, array, f"{path.name} {dataset}", dataset)
    copies.add(folder / "several.mat", array[:1], "a row of MATLAB", "row")
    copies.add(folder / "several.mat", as_matrix(array > 0), "flags of MATLAB", "flags")
    copies.check()
    for dataset, text in (("text", "MATLAB's class 'char'"), ("none", "'none' is empty"), ("S", "save full(S)"),
                          ("-", "it holds /S/data (2), /flags (23 x 9), /none (1 x 2), /row (1 x 9), /text (1 x 2)")):
        check_refused(checks, folder, folder / "several.mat", text, f"MATLAB {dataset}", dataset, ranks=0)
    if scipy_io is not None:
        scipy_io.savemat(folder / "old.mat", {"A": array})
        check_refused(checks, folder, folder / "old.mat", "is a MATLAB file of version 5, expected HDF5; save it", "old.mat",
                      ranks=0)


def test_hdf5_elsewhere(checks, folder):
    """Filters that are missing are named; numbers in files that nobody named are not read."""
    array, path = sample((6, 4), "<f8"), folder / "elsewhere.h5"
    numpy.save(folder / "o.npy", array)
    with h5py.File(folder / "only.h5", "w") as file:
        file["deep/A"] = array
    with h5py.File(path, "w") as file:
        file.create_dataset("packed", data=array, chunks=(2, 2), compression="lzf")
        file.create_dataset("raw", shape=(6, 4), dtype="f8", external=[("o.npy", 128, 192)])
        file["link"] = h5py.ExternalLink("only.h5", "/deep/A")
        layout = h5py.VirtualLayout((6, 4), "f8")
        layout[...] = h5py.VirtualSource("only.h5", "deep/A", (6, 4))
        file.create_virtual_dataset("virtual", layout)
    copies = Copies(checks, folder)
    copies.add(folder / "only.h5", array, "the only dataset")
    copies.check()
    for dataset, text in (("packed", "with the filter lzf (number 32000"), ("raw", "has its numbers in other files"),
                          ("virtual", "has its numbers in other files"), ("link", "is a link to another file")):
        check_refused(checks, folder, path, text, f"h5 {dataset}", dataset, ranks=0)


def test_other_formats(checks, folder):
    """A file of another format is refused by its name, with what to do: by the suffix, or by what the file begins with."""
    array = sample((3, 2), "<f8")
    numpy.save(folder / "a.npy", array)
    numpy.savez(folder / "a.npz", A=array)
    numpy.savetxt(folder / "a.csv", array, delimiter=",")
    for name, text in (("a.npz", "is an archive of NumPy arrays by its suffix"), ("a.csv", "is a table of text by its suffix"),
                       ("a.npy.GZ", "is compressed by gzip by its suffix"), ("a.dat", "the format follows from the suffix")):
        check_refused(checks, folder, folder / name, text, name, ranks=0)
    begins = {"gz.npy": (gzip.compress(b"x"), "is compressed by gzip, expected npy; unpack it with gunzip"),
              "zip.npy": ((folder / "a.npz").read_bytes(), "is a zip archive, expected npy"),
              "wide.mtx": ("%%MatrixMarket".encode("utf-16"), "is text in UTF-16, expected Matrix Market"),
              "wide.npy": ("%%MatrixMarket".encode("utf-16"), "is text in UTF-16, expected npy"),
              "page.h5": (b"<!DOCTYPE html>", "is a web page, expected HDF5"),
              "pointer.npy": (b"version https://git-lfs.github.com/spec/v1\n", "fetch the file with git lfs pull"),
              "npy.h5": ((folder / "a.npy").read_bytes(), "is an .npy file, expected HDF5; give it the suffix .npy"),
              "npy.mtx": ((folder / "a.npy").read_bytes(), "is an .npy file, expected Matrix Market"),
              "zero.mtx": (b"\0" * 100, "is not a Matrix Market file"), "zero.npy": (b"\0" * 100, "is not a .npy file")}
    for name, (content, text) in begins.items():
        (folder / name).write_bytes(content)
        check_refused(checks, folder, folder / name, text, name, ranks=0)
    finished = copy(folder / "a.npy", folder / "a.mat", 0)
    checks.check(finished.returncode == 2 and "expected one of: .npy .mtx .h5" in finished.stderr, f"a.mat: {finished.stderr}")


def test_hdf5_missing(checks, folder):
    """The library is loaded when a file needs it: one that is missing, or another one, is named, on every number of ranks once."""
    path = folder / "needed.h5"
    with h5py.File(path, "w") as file:
        file["a"] = numpy.ones((3, 2))
    for ranks in RANKS:
        for library, reason in (("/nowhere/libhdf5.so", "cannot open shared object file"), ("libm.so.6", "it has no H5get_libversion")):
            os.environ["TRACEGRAD_HDF5"] = library
            done = copy(path, folder / "needed.npy", ranks, source_set="a")
            del os.environ["TRACEGRAD_HDF5"]
            checks.check(done.returncode != 0 and f"HDF5 files need the library {library}: " in done.stderr and reason in done.stderr,
                         f"HDF5 is {library}, {ranks} ranks: {done.returncode}: {done.stderr}")
            checks.check(not (folder / "needed.npy").exists(), "a file was written")


def main():
    checks = Checks()
    if numpy is None:
        return 0
    if not COPY.exists():
        print(f"{COPY} is not built")
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        test_npy(checks, folder)
        test_npy_refused(checks, folder)
        if scipy_io is not None and scipy_sparse is not None:
            test_matrix_market(checks, folder)
            test_matrix_market_written(checks, folder)
        if h5py is not None:
            test_hdf5(checks, folder)
            test_hdf5_written(checks, folder)
            test_matlab(checks, folder)
            test_hdf5_elsewhere(checks, folder)
            test_hdf5_missing(checks, folder)
        test_other_formats(checks, folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
