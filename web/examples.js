// Examples, in groups: [title, expression, names to differentiate by, declarations].
"use strict";

const EXAMPLES = {
  "Traces and squares": [
    ["Linear trace", "tr(A*X*B)", "X"],
    ["Quadratic form", "tr(X'*A*X)", "X"],
    ["Two-sided quadratic", "tr(A*X*B*X')", "X", { symmetric: "A,B" }],
    ["Least squares", "sumsq(A*X - B)", "X"],
    ["Bilinear form", "u'*X*v", "X"],
    ["Ridge regression", "sumsq(Y - X*W) + lambda*sumsq(W)", "W"],
  ],
  "Determinants and inverses": [
    ["Determinant", "det(A*X*B)", "X", { dims: "A=nxn,X=nxn,B=nxn" }],
    ["Gaussian likelihood", "tr(S*X) - logdet(X)", "X", { spd: "X", symmetric: "S" }],
    ["Log-volume", "logdet(X'*A*X)", "X", { spd: "A" }],
    ["Inverse under a trace", "tr(A*inv(X)*B)", "X"],
    ["Kernel likelihood", "y'*inv(K + s*eye)*y + logdet(K + s*eye)", "s", { spd: "K" }],
    ["Mahalanobis distance", "(x - m)'*inv(C)*(x - m)", "C", { spd: "C" }],
  ],
  "Norms and functions of matrices": [
    ["Distance", "norm2(x - a)", "x"],
    ["Sum of absolute values", "norm1(A*X - B)", "X"],
    ["Nuclear norm", "nuclear_norm(X - A)", "X"],
    ["Matrix exponential", "tr(A*expm(S))", "S", { symmetric: "S,A" }],
    ["Rayleigh quotient", "tr(X'*A*X)/tr(X'*B*X)", "X", { symmetric: "A", spd: "B" }],
    ["Kronecker product", "u'*kron(X, A)*v", "X", { dims: "X=2x3,A=4x5,u=8,v=15" }],
  ],
  "Learning": [
    ["Logistic regression", "sum(softplus(-y.*(X*w)))", "w"],
    ["Softmax regression", "sum(logsumexp_rows(X*W)) - tr(Y'*X*W)", "W"],
    ["Matrix completion", "sumsq(M.*(Y - U*V'))", "U,V"],
    ["Two layers", "sumsq(Y - tanh(X*U)*V)", "U,V"],
    ["Poisson regression", "sum(exp(X*w)) - y'*X*w", "w"],
    ["Independent components", "sum(logcosh(W*X)) - log(det(W))", "W"],
  ],
  "Jacobians": [
    ["Linear map", "A*X*B", "X"],
    ["Inverse", "inv(X)", "X"],
    ["Entry by entry", "tanh(A*x + b)", "x"],
    ["Gram matrix", "X'*X", "X"],
  ],
};

if (typeof module !== "undefined") module.exports = EXAMPLES;
