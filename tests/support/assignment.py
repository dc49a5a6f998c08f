"""The linear assignment problem by dynamic programming over sets of rows: small, and nothing like the program's own way."""

import numpy as np


def least_assignment(cost):
    """min tr(cost' Z) over permutation matrices Z, and the Z; at most some 12 rows."""
    n = len(cost)
    least, last = np.full(1 << n, np.inf), np.zeros(1 << n, int)
    least[0] = 0.0
    for rows in range(1, 1 << n):
        column = bin(rows).count("1") - 1
        members = [i for i in range(n) if rows >> i & 1]
        totals = [least[rows & ~(1 << i)] + cost[i, column] for i in members]
        k = int(np.argmin(totals))
        least[rows], last[rows] = totals[k], members[k]
    Z, rows = np.zeros((n, n)), (1 << n) - 1
    while rows:
        Z[last[rows], bin(rows).count("1") - 1] = 1.0
        rows &= ~(1 << last[rows])
    return least[-1], Z
