r"""Section 5, and the conventions under which all its claims are read.

Loss    $\frac12 \sum_i (f(x_i) - y_i)^2$, the squared loss of Section 3.1. Section 5.1 approximates training by a
        linear model, and for this loss its equation needs no factor. The loss of Section 2.1 has $\frac{1}{2n}$. Under
        it everything happens $n$ times more slowly: a step $\eta$ there is a step $\eta/n$ here. Paths and limits are
        the same.
Kernel  $K_m$ is the kernel $J J^\top$ of one network of width $m$ at its start, $K_0$ the kernel at the start of a
        run, $K_t$ the kernel at time $t$, and $K^\infty$ the limit of $K_m$. In $f^*(x) = K(x, X) K(X, X)^{-1} y$ any
        of them may stand.
Limit   Section 5.2 attaches $\lambda \to 0^+$ to its objective, and Theorem 5.2 attaches it to its coefficients. We
        take this limit on both sides of a comparison, and $t \to \infty$ with it.
Start   $f_0 = 0$ wherever a trained network is compared with kernel regression, because kernel regression has no start.
        The paper does not say so. It is a hypothesis of the claims that need it.

A statement at one $\lambda > 0$, at one time $t$, or under the loss with $\frac{1}{2n}$ is a reading with a name of its
own: "every penalty", "every time", "mean loss". These readings decide nothing.
"""
