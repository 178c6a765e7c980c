r"""Section 5.2: kernel objective - the minimizer of the mean squared error plus an RKHS penalty.

Section     5.2
Printed     training corresponds to $\min_{f \in H_K} \frac1n \sum_i (f(x_i) - y_i)^2 + \lambda \|f\|_{H_K}^2$ with
            $\lambda \to 0^+$ (Section 5.2, display); by Theorem 5.2 the result has the coefficients $\alpha = (K +
            \lambda I)^{-1} y$, $\lambda \to 0^+$
Reading     The paper attaches $\lambda \to 0^+$ to both displays, so both speak of a limit: training ends at the limit
            of the minimizers (a), and the printed coefficients give that limit as well (b). Training minimizes $\frac12
            \sum_i (f(x_i) - y_i)^2$.
Setting     $K(X, X)$ positive semidefinite, singular or not; $f$ in $H_K$ given by coefficients, $f(X) = K \alpha$,
            $\|f\|_{H_K}^2 = \alpha^\top K \alpha$.
Source      Kimeldorf, Wahba (1971), Some Results on Tchebycheffian Spline Functions, Journal of Mathematical Analysis
            and Applications 33, for the finite sum; Scholkopf, Smola (2002), Learning with Kernels, MIT Press;
            scikit-learn's KernelRidge as oracle, which takes $n \lambda$
"""
