r"""Proposition 4.3 - width improves the conditioning of training, in probability and up to that of the data.

Section     4.3
Printed     Wider layers improve the conditioning of the optimization problem, which accelerates convergence to the
            implicitly regularized solution
Setting     $f(x) = W_L \cdots W_1 x$ with one output, $n$ samples in the columns of $X$, of rank $n$; $K_{ij} = \langle
            \nabla_\theta f(x_i), \nabla_\theta f(x_j) \rangle$ is the Gram matrix of the gradients. $K = X^\top M X$,
            $M = \sum_\ell \|W_L \cdots W_{\ell+1}\|^2 (W_{\ell-1} \cdots W_1)^\top (W_{\ell-1} \cdots W_1)$, and
            $\operatorname{cond} M$ on the span of the samples, a ratio of eigenvalues.
Source      Horn, Johnson (2013), Matrix Analysis, 2nd edition, Cambridge University Press (Ostrowski's theorem);
            Davidson, Szarek (2001), Local Operator Theory, Random Matrices and Banach Spaces, in: Handbook of the
            Geometry of Banach Spaces, volume 1; Edelman (1988), Eigenvalues and Condition Numbers of Random Matrices,
            SIAM Journal on Matrix Analysis and Applications 9; Massart (1990), The Tight Constant in the
            Dvoretzky-Kiefer-Wolfowitz Inequality, Annals of Probability 18; Du, Hu (2019), Width Provably Matters in
            Optimization for Deep Linear Neural Networks, ICML
Chance      $t = 7.5$: each Gaussian matrix breaks its bound with probability below $2 e^{-t^2/2} = 1.3 \cdot 10^{-12}$,
            and the fast run draws fewer than 600. For one and for two samples the true probability is known, and is
            smaller. At $t = 2$ the share of matrices that break the bound is tested by Hoeffding, and the law of the
            condition number by Dvoretzky-Kiefer-Wolfowitz with Massart's constant, each at $10^{-9}$. Seeds are fixed
            or drawn by Hypothesis.
"""
