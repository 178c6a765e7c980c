r"""Section 5, and the one convention under which its four files read it.

Loss    $\frac12 \sum_i (f(x_i) - y_i)^2$, the squared loss of Section 3.1: Section 5.1 approximates training by a
        linear model, and for this loss its equation needs no factor. Under the loss of Section 2.1, with
        $\frac{1}{2n}$, everything happens n times more slowly: a step $\eta$ there is a step $\eta/n$ here. Paths and
        limits are the same.
Kernel  K_m or K_0 is the kernel $J J^\top$ of one network of width m at its start, K_t that at time t, and $K^\infty$
        the limit of K_m. In $f^*(x) = K(x, X) K(X, X)^{-1} y$ any of them may stand.
Limit   $\lambda \to 0^+$, which Section 5.2 attaches to its objective and Theorem 5.2 to its coefficients, is taken on
        both sides of a comparison, and $t \to \infty$ with it.
Start   f_0 = 0 wherever a trained network is compared with kernel regression, which knows no start. The paper does not
        say so: it is a hypothesis of the files that need it.

What is said at one lambda > 0, at one time t, or under the loss with 1/(2n), are readings with names of their own:
"every lambda", "every time", "mean loss". They decide nothing.
"""
