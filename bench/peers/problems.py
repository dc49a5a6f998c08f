"""The problems of bench/solvers: data, the job for tracegrad, and value and gradient as an expert writes them by hand.

`products` is what one value and gradient by hand costs in matrix products, the larger operands shared and symmetry used;
constants such as X'X are made beforehand and not counted. A job's products are counted in the same unit, one a product.
"""

import dataclasses
import pathlib
import typing

import numpy as np
import scipy.linalg
import scipy.special

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Problem:
    """One problem at one size. Peers that know no constraint skip a problem whose `evaluate` is None."""
    name: str
    title: str
    formula: str  # of value and gradient by hand
    products: int
    n: int  # side of the product that times are divided by
    objective: str
    matrices: dict  # name -> array
    properties: dict  # name -> what the job declares of it
    start: np.ndarray  # of the variable X; None: the constraint's own
    evaluate: typing.Callable = None  # (matrices, x) -> f, gradient
    scalars: dict = dataclasses.field(default_factory=dict)
    constraint: str = ""
    shape: tuple = None  # of X, where start is None
    peer_start: np.ndarray = None  # where peers minimise over another variable
    closed: typing.Callable = None  # matrices -> the minimiser, by LAPACK
    linear: typing.Callable = None  # matrices -> (right-hand side, [(c, L, R)], mask or None) of scalapack_cg
    at_most: int = 0  # products that auto may need; 0: compared with the peers instead
    evaluations_below: int = 0
    ours: tuple = ("auto", "cg", "cg-plain")

    def job(self):
        """The job file, to stand beside the matrices."""
        rows, cols = self.shape or self.start.shape
        start = "feasible, seed: 1" if self.start is None else "{file: start.npy}"
        constraint = f", constraint: {self.constraint}" if self.constraint else ""
        lines = [f"minimize: {self.objective}",
                 f"variables: {{X: {{rows: {rows}, columns: {cols}, start: {start}{constraint}}}}}", "data:"]
        for name in self.matrices:
            declared = self.properties.get(name, "")
            lines.append(f"  {name}: {{file: {name}.npy{', ' + declared if declared else ''}}}")
        lines += [f"  {name}: {value!r}" for name, value in self.scalars.items()]
        return "\n".join(lines) + "\n"

    def write(self, folder):
        """Data, start and job into `folder`; the job's path."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, matrix in self.matrices.items():
            np.save(folder / f"{name}.npy", matrix)
        if self.start is not None:
            np.save(folder / "start.npy", self.start)
        (folder / "job.yaml").write_text(self.job())
        return folder / "job.yaml"


SPD = "spd: true, trust: true"
SYMMETRIC = "symmetric: true, trust: true"


def spd(rng, n, condition):
    """Symmetric positive definite with eigenvalues spaced evenly in their logarithms between 1/condition and 1."""
    q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    matrix = (q * np.logspace(-np.log10(condition), 0, n)) @ q.T
    return (matrix + matrix.T) / 2


def dot(a, b):
    return float(np.vdot(a, b))


# ---- a closed form exists ----

def quadratic(n, condition, name):
    rng = np.random.default_rng(1)
    a, b = spd(rng, n, condition ** 0.5), spd(rng, n, condition ** 0.5)

    def evaluate(m, x):
        q = m["A"] @ x @ m["B"]
        return dot(x, q) - 2 * dot(m["C"], x), 2 * (q - m["C"])

    def closed(m):
        left = scipy.linalg.cho_solve(scipy.linalg.cho_factor(m["A"]), m["C"])
        return scipy.linalg.cho_solve(scipy.linalg.cho_factor(m["B"]), left.T).T

    return Problem(name, f"tr(AXBX') - 2tr(C'X), n = {n}, condition {condition:.0e}", "Q = A X B; f = <X,Q> - 2<C,X>, G = 2(Q - C)", 2,
                   n, "tr(A*X*B*X') - 2*tr(C'*X)", {"A": a, "B": b, "C": rng.standard_normal((n, n))}, {"A": SPD, "B": SPD},
                   np.zeros((n, n)), evaluate, closed=closed, linear=lambda m: (m["C"], [(1, m["A"], m["B"])], None), at_most=5)


def digits():
    data = ROOT / "configs" / "data"
    x, y = (np.load(data / f"digits-{name}.npy").astype(float) for name in "xy")
    return x, y


def ridge():
    x, y = digits()
    ring = 2 * np.eye(10) - np.roll(np.eye(10), 1, 0) - np.roll(np.eye(10), -1, 0)
    gram, right, square = x.T @ x + np.eye(64), x.T @ y, dot(y, y)

    def evaluate(m, w):
        p = gram @ w + 0.1 * (w @ m["L"])
        return square + dot(w, p) - 2 * dot(right, w), 2 * (p - right)

    def closed(m):
        return scipy.linalg.solve_sylvester(gram, 0.1 * m["L"], right)

    return Problem("ridge", "ridge with a Laplacian, digits, 64 x 10",
                   "P = (D'D + I) X + 0.1 X L; f = |Y|^2 + <X,P> - 2<D'Y,X>, G = 2(P - D'Y)",
                   2, 64, "sumsq(Y - D*X) + 0.1*tr(X*L*X') + sumsq(X)", {"D": x, "Y": y, "L": ring}, {"L": SYMMETRIC},
                   np.zeros((64, 10)), evaluate, closed=closed,
                   linear=lambda m: (right, [(1, gram, None), (0.1, None, m["L"])], None), at_most=20)


def sylvester(n):
    rng = np.random.default_rng(2)

    def evaluate(m, x):
        r = m["A"] @ x + x @ m["B"] - m["C"]
        return dot(r, r), 2 * (m["A"] @ r + r @ m["B"])

    def linear(m):
        a, b, c = m["A"], m["B"], m["C"]
        return a @ c + c @ b, [(1, a @ a, None), (2, a, b), (1, None, b @ b)], None

    return Problem("sylvester", f"sumsq(AX + XB - C), n = {n}, condition 50", "R = A X + X B - C; f = |R|^2, G = 2(A R + R B)", 4, n,
                   "sumsq(A*X + X*B - C)", {"A": spd(rng, n, 50), "B": spd(rng, n, 50), "C": rng.standard_normal((n, n))},
                   {"A": SPD, "B": SPD}, np.zeros((n, n)), evaluate,
                   closed=lambda m: scipy.linalg.solve_sylvester(m["A"], m["B"], m["C"]), linear=linear, at_most=35)


def logdet(n):
    rng = np.random.default_rng(3)

    def evaluate(m, f):
        # Over a factor, X = F F': on X itself the peers' steps leave the positive definite matrices.
        sf, (factor, pivots) = m["S"] @ f, scipy.linalg.lu_factor(f)
        inverse = scipy.linalg.lapack.dgetri(factor, pivots)[0]
        return dot(f, sf) - 2 * float(np.sum(np.log(np.abs(np.diag(factor))))), 2 * (sf - inverse.T)

    return Problem("logdet", f"tr(SX) - logdet(X), n = {n}, condition 1e4",
                   "by peers over F, X = F F': f = <F,SF> - 2 log|det F|, G = 2(S F - inv(F)')", 2, n,
                   "tr(S*X) - logdet(X)", {"S": spd(rng, n, 1e4)}, {"S": SPD}, np.eye(n), evaluate, peer_start=np.eye(n),
                   closed=lambda m: scipy.linalg.lapack.dpotri(scipy.linalg.lapack.dpotrf(m["S"])[0])[0], at_most=3,
                   ours=("auto", "l-bfgs"))


def logdet_ridge(n, condition, name):
    """Without a closed form: the metric of -logdet. The answer is that of a quadratic for each eigenvalue of S."""
    rng = np.random.default_rng(3)

    def evaluate(m, f):
        x = f @ f.T
        (factor, pivots), g = scipy.linalg.lu_factor(f), m["S"] + 0.1 * x
        inverse = scipy.linalg.lapack.dgetri(factor, pivots)[0]
        value = dot(m["S"], x) - 2 * float(np.sum(np.log(np.abs(np.diag(factor))))) + 0.05 * dot(x, x)
        return value, 2 * (g @ f - inverse.T)

    def closed(m):
        s, v = np.linalg.eigh(m["S"])
        return (v * ((np.sqrt(s**2 + 0.4) - s) / 0.2)) @ v.T

    return Problem(name, f"tr(SX) - logdet(X) + 0.05 |X|^2, n = {n}, condition {condition:g}",
                   "by peers over F, X = F F': G = 2((S + 0.1 X) F - inv(F)')", 3, n,
                   "tr(S*X) - logdet(X) + 0.05*sumsq(X)", {"S": spd(rng, n, condition)}, {"S": SPD}, np.eye(n), evaluate,
                   peer_start=np.eye(n), closed=closed, at_most=60, ours=("auto",))


def brockett(n, p):
    rng = np.random.default_rng(4)
    return Problem("brockett", f"Brockett tr(X'AXN) on X'X = I, n = {n}, p = {p}", "by LAPACK's eigenvectors only", 1, n,
                   "tr(X'*A*X*N)", {"A": spd(rng, n, 100), "N": np.diag(np.arange(1.0, p + 1))}, {"A": SPD, "N": SYMMETRIC},
                   None, constraint="orthonormal_columns", shape=(n, p),
                   closed=lambda m: scipy.linalg.eigh(m["A"], subset_by_index=[0, p - 1]), at_most=70,
                   ours=("auto", "l-bfgs", "newton-cg"))


# ---- none exists ----

def orbital(folder):
    """The matrices of the libOMM example from `folder`; without one, a band Hamiltonian of the same size and kind.

    All levels lie below zero, the lower half apart from the others: a level above zero would make f unbounded below.
    """
    n, p = 60, 30
    if folder:
        h, s = (np.load(pathlib.Path(folder) / f"omm-{name}.npy") for name in ("hamiltonian", "overlap"))
        source = "libOMM's matrices"
    else:
        rng = np.random.default_rng(5)
        i = np.arange(n)
        s = 0.3 ** np.abs(np.subtract.outer(i, i))
        levels = np.concatenate([np.linspace(-2.4, -1.5, p), np.linspace(-0.7, -0.1, n - p)])
        root = np.linalg.cholesky(s)
        q = np.linalg.qr(rng.standard_normal((n, n)))[0]
        h = root @ (q * levels) @ q.T @ root.T
        h, source = (h + h.T) / 2, "generated"
    h, s = (np.ascontiguousarray(m, dtype=float) for m in (h, s))

    def evaluate(m, x):
        hx, sx = m["H"] @ x, m["S"] @ x
        a, b = x.T @ sx, x.T @ hx
        return 2 * float(np.trace(b)) - dot(a, b), 4 * hx - 2 * (sx @ b + hx @ a)

    return Problem("orbital", f"orbital quartic tr((2I - X'SX)(X'HX)), {n} x {p}, {source}",
                   "HX, SX, a = X'SX, b = X'HX; f = 2 tr b - <a,b>, G = 4 HX - 2(SX b + HX a)", 6, n,
                   f"tr((2*eye({p}) - X'*S*X)*(X'*H*X))", {"H": h, "S": s}, {"H": SYMMETRIC, "S": SPD},
                   0.1 * np.random.default_rng(6).standard_normal((n, p)), evaluate, evaluations_below=107, ours=("auto", "cg"))


def third_term(n):
    rng = np.random.default_rng(7)
    matrices = {name: spd(rng, n, condition) for name, condition in
                (("A", 100), ("B", 100), ("D", 10), ("E", 10), ("F", 10), ("G", 10))}
    matrices["C"] = rng.standard_normal((n, n))

    def evaluate(m, x):
        q = m["A"] @ x @ m["B"] + 0.01 * (m["D"] @ x @ m["E"]) + 0.001 * (m["F"] @ x @ m["G"])
        return dot(x, q) - 2 * dot(m["C"], x), 2 * (q - m["C"])

    def linear(m):
        return m["C"], [(1, m["A"], m["B"]), (0.01, m["D"], m["E"]), (0.001, m["F"], m["G"])], None

    return Problem("third-term", f"three terms c tr(LXRX') - 2tr(C'X), n = {n}",
                   "Q = A X B + D X E/100 + F X G/1000; f = <X,Q> - 2<C,X>, G = 2(Q - C)",
                   6, n, "tr(A*X*B*X') + 0.01*tr(D*X*E*X') + 0.001*tr(F*X*G*X') - 2*tr(C'*X)", matrices,
                   {name: SPD for name in "ABDEFG"}, np.zeros((n, n)), evaluate, linear=linear)


def mask(n):
    rng = np.random.default_rng(8)
    matrices = {"A": spd(rng, n, 30), "B": spd(rng, n, 30), "C": rng.standard_normal((n, n)), "W": rng.uniform(0.3, 1, (n, n))}

    def evaluate(m, x):
        r = m["W"] * (m["A"] @ x @ m["B"] - m["C"])
        return dot(r, r), 2 * (m["A"] @ (m["W"] * r) @ m["B"])

    def linear(m):
        square = m["W"] ** 2
        return m["A"] @ (square * m["C"]) @ m["B"], [(1, m["A"], m["B"])], square

    return Problem("mask", f"weights sumsq(W .* (AXB - C)), n = {n}", "R = W .* (A X B - C); f = |R|^2, G = 2 A (W .* R) B", 4, n,
                   "sumsq(W.*(A*X*B - C))", matrices, {"A": SPD, "B": SPD}, np.zeros((n, n)), evaluate, linear=linear)


def logistic():
    x, y = digits()
    x /= 16

    def evaluate(m, w):
        z = m["D"] @ w
        gradient = m["D"].T @ (scipy.special.expit(z) - m["Y"]) + 0.2 * w
        return float(np.sum(np.logaddexp(0, z))) - dot(m["Y"], z) + 0.1 * dot(w, w), gradient

    return Problem("logistic", "logistic loss, digits, 64 x 10", "Z = D X; G = D'(sigmoid(Z) - Y) + 0.2 X", 2, 64,
                   "sum(softplus(D*X)) - dot(Y, D*X) + 0.1*sumsq(X)", {"D": x, "Y": y}, {}, np.zeros((64, 10)), evaluate,
                   ours=("auto", "cg", "newton-cg"))


def catalogue(scale, omm):
    """Name -> a function that makes the problem with its sizes multiplied by scale; those from data keep theirs."""
    def side(n):
        return max(8, int(np.ceil(scale * n)))

    return {
        "quadratic-1e4": lambda: quadratic(side(1000), 1e4, "quadratic-1e4"),
        "quadratic-1e6": lambda: quadratic(side(1000), 1e6, "quadratic-1e6"),
        "ridge": ridge,
        "sylvester": lambda: sylvester(side(400)),
        "logdet": lambda: logdet(side(500)),
        "logdet-1e4": lambda: logdet_ridge(side(500), 1e4, "logdet-1e4"),
        "logdet-1e6": lambda: logdet_ridge(side(500), 1e6, "logdet-1e6"),
        "brockett": lambda: brockett(side(1000), max(2, side(1000) // 50)),
        "orbital": lambda: orbital(omm),
        "third-term": lambda: third_term(side(400)),
        "mask": lambda: mask(side(400)),
        "logistic": logistic,
    }
