r"""Theorem 3.3 - the expected test error of the min-norm interpolant can exceed the printed bound.

Section     3.2
Printed     $y_i = w_*^\top x_i + \epsilon_i$ with $\|w_*\|_2 \le B$ and independent $\epsilon_i \sim N(0, \sigma^2)$
            implies $E[R(w^*)] \le \|w_*\|_2^2\, E[\|x\|_2^2]\, \operatorname{tr}(X X^\top)^{-1} / n + \sigma^2$
Setting     $\hat w = X^+ y$ is the $w^*$ of the print, with the pseudo-inverse $X^+$ of $X$;
            $\operatorname{rank} X = n$; $\Sigma = E[x x^\top]$; risk $R(w) = (w - w_*)^\top\Sigma(w - w_*) + \sigma^2$,
            or half of it; (A) is the printed bound with the trace of the inverse,
            $\|w_*\|_2^2\, E[\|x\|_2^2]\, \operatorname{tr}((X X^\top)^{-1}) / n + \sigma^2$; (B) has
            $1/\operatorname{tr}(X X^\top)$ in place of $\operatorname{tr}((X X^\top)^{-1})$
Source      Hastie, Montanari, Rosset, Tibshirani (2022), Surprises in High-Dimensional Ridgeless Least Squares
            Interpolation, Annals of Statistics 50; Breiman, Freedman (1983), How Many Variables Should Be Entered in a
            Regression Equation?, Journal of the American Statistical Association 78; Bartlett, Long, Lugosi, Tsigler
            (2020), Benign Overfitting in Linear Regression, PNAS 117; Davidson, Szarek (2001), Local Operator Theory,
            Random Matrices and Banach Spaces, in: Handbook of the Geometry of Banach Spaces, vol. 1; Massart (1990),
            The Tight Constant in the Dvoretzky-Kiefer-Wolfowitz Inequality, Annals of Probability 18
"""
