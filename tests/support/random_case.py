"""What families of small random jobs are made of: a Case, the list of families, random matrices.

A family is a function of a random generator that returns a Case. `bounded` says what is known of the objective by construction (None:
nothing), `best` is the global minimum where a formula or an enumeration knows it, `convex` that a local minimum is a global one.
"""

import dataclasses

import numpy as np

METHODS = {
    "free": ("gradient-descent", "barzilai-borwein", "nesterov", "conjugate-gradient", "l-bfgs", "newton-cg"),
    "bounds": ("barzilai-borwein", "l-bfgs", "newton-cg"),
    "compact": ("barzilai-borwein", "frank-wolfe"),
    "convex": ("barzilai-borwein",),
    "manifold": ("gradient-descent", "barzilai-borwein", "conjugate-gradient", "l-bfgs", "newton-cg"),
    "auto": (),
}


@dataclasses.dataclass
class Case:
    minimize: str
    shapes: dict
    data: dict
    methods: str = "free"
    constraints: dict = dataclasses.field(default_factory=dict)
    implied: dict = dataclasses.field(default_factory=dict)  # sets that the objective's domain keeps, such as symmetric under logdet
    declared: dict = dataclasses.field(default_factory=dict)
    starts: dict = dataclasses.field(default_factory=dict)
    subject_to: tuple = ()
    solver: dict = dataclasses.field(default_factory=dict)
    convex: bool = False
    bounded: object = None
    best: object = None

    def job(self):
        variables = {}
        for name, (m, n) in self.shapes.items():
            variables[name] = {"rows": m, "columns": n}
            if name in self.constraints:
                variables[name]["constraint"] = self.constraints[name]
            if isinstance(self.starts.get(name), str):
                variables[name].update(start=self.starts[name], seed=self.solver.get("seed", 1))
        job = {"minimize": self.minimize, "variables": variables, "solver": dict(self.solver),
               "data": {**self.declared, **{k: v for k, v in self.data.items() if np.ndim(v) == 0}}}
        if self.subject_to:
            job["subject_to"] = list(self.subject_to)
        return job

    def arrays(self):
        return {k: v for k, v in self.data.items() if np.ndim(v) > 0}

    def start_arrays(self):
        return {k: v for k, v in self.starts.items() if not isinstance(v, str)}


FAMILIES = []


def family(make):
    FAMILIES.append(make)
    return make


def stretch(rng):
    """A factor on data: often 1, else anything from 1e-8 to 1e8."""
    return 1.0 if rng.random() < 0.7 else 10 ** rng.uniform(-8, 8)


def sizes(rng, *ranges):
    return [int(rng.integers(low, high + 1)) for low, high in ranges]


def spd(rng, n, condition=None):
    q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    decades = rng.uniform(0, 4) if condition is None else condition
    values = 10 ** -np.linspace(0, decades, n)
    return symmetric((q * values) @ q.T)


def symmetric(a):
    return (a + a.T) / 2


def indefinite(rng, n):
    return symmetric(rng.standard_normal((n, n)))


def tall(rng, m, n):
    """m x n with a condition up to 1e4 and columns of different lengths."""
    a = rng.standard_normal((m, n))
    return a * 10 ** rng.uniform(-2, 0, n) if rng.random() < 0.4 else a
