r"""Section 3.3: coordinate descent - which coordinate rule has an l1 bias, and under which conditions.

Section     3.3, the paragraph on coordinate descent
Printed     Coordinate descent has an implicit $\ell_1$ regularization under certain conditions, and selects sparse $w$
Setting     $\frac12 \|Xw - y\|^2$ with $p > n$, $\operatorname{rank} X = n$, $w_0 = 0$, the columns $x_j$ of $X$ and
            the residual $r = y - Xw$. Exact: each step minimizes the loss over one coordinate. Cyclic: the coordinates
            are taken in turn. Greedy: the coordinate of the largest $|x_j \cdot r|$. Scaled: that of the largest
            $|x_j \cdot r| / \|x_j\|$. Small steps: the coordinate of the largest $|x_j \cdot r|$ moves by $\epsilon$.
Source      Tropp (2004), Greed is Good: Algorithmic Results for Sparse Approximation; Gribonval, Vandergheynst (2006),
            On the Exponential Convergence of Matching Pursuits in Quasi-Incoherent Dictionaries; Efron, Hastie,
            Johnstone, Tibshirani (2004), Least Angle Regression; Hastie, Taylor, Tibshirani, Walther (2007), Forward
            Stagewise Regression and the Monotone Lasso; Telgarsky (2013), Margins, Shrinkage, and Boosting
"""
