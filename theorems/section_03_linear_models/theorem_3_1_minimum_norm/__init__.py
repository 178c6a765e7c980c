r"""Theorem 3.1 - gradient descent from zero finds the interpolant of least l2 norm.

Section     3.1
Printed     $p > n$, $\operatorname{rank} X = n$, $w_0 = 0$ and a sufficiently small learning rate imply $w_t \to w^* =
            \operatorname{argmin} \|w\|_2^2 \ \text{s.t.}\ Xw = y$, with $w^* = X^\top (X X^\top)^{-1} y$
Setting     $L(w) = \frac12 \|Xw - y\|^2$ without a factor $1/n$; $w_{t+1} = w_t - \eta X^\top (X w_t - y)$;
            $X = U \operatorname{diag}(s) V^\top$, $s_1 \ge \dots \ge s_n > 0$
Source      Engl, Hanke, Neubauer (1996), Regularization of Inverse Problems (Landweber iteration, also for C1);
            Gunasekar, Lee, Soudry, Srebro (2018), Characterizing Implicit Bias in Terms of Optimization Geometry
"""
