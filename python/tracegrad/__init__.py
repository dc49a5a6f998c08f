"""Matrix objectives as text: gradients as formulas, values and derivatives in NumPy, minimisation on MPI ranks.

    import numpy as np, tracegrad as tg

    tg.derive("tr(A*X*B*X')", wrt="X")
    r = tg.minimize("sumsq(Y - X*W) + lam*sumsq(W)", X=X, Y=Y, lam=0.1)
    f = tg.function("sumsq(Y - X*W)", wrt="W", X=X, Y=Y)

The language of expressions is docs/language.md, the tutorial docs/python.md.
"""

from ._derive import Claim, Derivation, derive
from ._errors import (Error, ExpressionError, Failure, InvalidInput, NumericError, OutOfMemory, ShapeError, UnknownName,
                      Unsupported)
from ._function import Check, Function, check, function
from ._parts import Cyclic, Part
from ._solve import Iteration, Multiplier, Result, maximize, minimize, run
from ._sweep import Sweep, Tune, sweep, tune

__version__ = "0.1.0"

__all__ = ["Check", "Claim", "Cyclic", "Derivation", "Error", "ExpressionError", "Failure", "Function", "InvalidInput", "Iteration",
           "Multiplier", "NumericError", "OutOfMemory", "Part", "Result", "ShapeError", "Sweep", "Tune", "UnknownName", "Unsupported", "check",
           "derive", "function", "maximize", "minimize", "run", "sweep", "tune"]
