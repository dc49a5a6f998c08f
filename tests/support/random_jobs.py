"""Small random jobs of many families: every constraint set, every kind of objective, scales from 1e-8 to 1e8."""

import zlib

import numpy as np

import random_constrained  # noqa: F401 (its families enter the list)
import random_free  # noqa: F401
import random_kernels  # noqa: F401
from random_case import FAMILIES, METHODS

__all__ = ["FAMILIES", "random_case"]


def random_case(make, number):
    """The job of that number of a family: its method, a factor on the objective. It does not depend on the other families."""
    rng = np.random.default_rng([zlib.crc32(make.__name__.encode()), number])
    case = make(rng)
    if not case.starts and rng.random() < 0.2 and case.methods in ("free", "bounds") and not case.implied:
        case.starts = {name: np.zeros(shape) for name, shape in case.shapes.items()}  # asked for, a saddle as it may be
    methods = METHODS[case.methods]
    if methods and rng.random() < 0.5:
        case.solver["method"] = str(rng.choice(methods))
    if rng.random() < 0.3:
        factor = 10 ** rng.uniform(-8, 8)
        case.minimize, case.data["factor"] = f"factor*({case.minimize})", factor
        case.best = None if case.best is None else factor * case.best
    return case
