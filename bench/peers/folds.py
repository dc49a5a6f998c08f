"""Cross-validation by scikit-learn, in a process of its own: folds.py PROBLEM FOLDER prints scores and seconds as one line of JSON.

FOLDER holds the data as .npy files. Scores are those of the job: the lower the better, one for each weight and fold.
"""

import json
import pathlib
import sys
import time
import warnings

import numpy as np
from sklearn.covariance import GraphicalLassoCV
from sklearn.linear_model import LogisticRegressionCV, Ridge, RidgeCV
from sklearn.model_selection import KFold, cross_val_score

FOLDS = 5


def ridge(X, Y, weights):
    """RidgeCV says the best weight alone; the scores of all of them come from the estimator that it uses, not timed."""
    begin = time.perf_counter()
    RidgeCV(alphas=weights, fit_intercept=False, scoring="neg_mean_squared_error", cv=KFold(FOLDS)).fit(X, Y)
    seconds = time.perf_counter() - begin
    return seconds, [list(-cross_val_score(Ridge(alpha=w, fit_intercept=False), X, Y, scoring="neg_mean_squared_error", cv=KFold(FOLDS)))
                     for w in weights]


def logistic(X, Y, weights):
    """C is one half over the weight of the job, and the score the mean over the fold's rows."""
    begin = time.perf_counter()
    found = LogisticRegressionCV(Cs=[0.5 / w for w in weights], fit_intercept=False, scoring="neg_log_loss", cv=KFold(FOLDS), tol=1e-8,
                                 max_iter=10000).fit(X, Y[:, 0])
    seconds = time.perf_counter() - begin
    scores = found.scores_ if isinstance(found.scores_, np.ndarray) else next(iter(found.scores_.values()))
    return seconds, (-np.asarray(scores).reshape(FOLDS, len(weights))).T.tolist()


def glasso(X, Y, weights):
    """The score is a Gaussian log-likelihood: minus twice it without its constant is the job's."""
    begin = time.perf_counter()
    found = GraphicalLassoCV(alphas=weights, cv=KFold(FOLDS), assume_centered=True, tol=1e-9, enet_tol=1e-9, max_iter=1000).fit(X)
    seconds = time.perf_counter() - begin
    results = found.cv_results_
    by_weight = {}
    for k, alpha in enumerate(results["alphas"]):
        by_weight[float(alpha)] = [-2 * results[f"split{f}_test_score"][k] - X.shape[1] * np.log(2 * np.pi) for f in range(FOLDS)]
    return seconds, [by_weight[min(by_weight, key=lambda a: abs(a - w))] for w in weights]


def main():
    warnings.simplefilter("ignore")
    problem, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    X, Y, weights = (np.load(folder / f"{name}.npy") for name in ("X", "Y", "weights"))
    seconds, scores = {"ridge": ridge, "logistic": logistic, "glasso": glasso}[problem](X, Y, list(weights))
    print(json.dumps({"seconds": seconds, "scores": scores}))


if __name__ == "__main__":
    main()
