r"""Theorem 9.1 - small branches trained from zero stay near the identity: gradual, well conditioned and smooth.

Section     9.1
Printed     In early training a residual network is biased towards maps near the identity. Three consequences are
            listed: 1. the features change more gradually from layer to layer; 2. optimization is better conditioned; 3.
            the function is regularized implicitly towards smooth ones
Reading     "More gradual" and "better" name no alternative. They compare with the plain network $h_{\ell+1} =
            F_\ell(h_\ell)$ that has the same branches and the same start, after as many steps
Setting     $h_{\ell+1} = h_\ell + F_\ell(h_\ell)$ for $\ell < L$; $F_\ell$ is a branch, and $L$ the number of layers.
            Either $F_\ell(h) = c\, U_\ell s(W_\ell h)$, $s$ the identity or tanh, or $F_\ell(h) = c A_\ell h$, with a
            number $c$. Linear branches are trained on $\mathcal{L}(A) = \frac12 \|\prod_\ell (I + c A_\ell) X -
            Y\|_F^2$, with the inputs in the columns of $X$ and the targets in those of $Y$. $\epsilon_\ell$ bounds the
            Lipschitz constant of $F_\ell$, and $\beta_\ell$ its second derivative
Source      Hardt, Ma (2017), Identity Matters in Deep Learning, ICLR (the lower bound of the gradient); Bartlett,
            Helmbold, Long (2018), Gradient Descent with Identity Initialization Efficiently Learns Positive Definite
            Linear Transformations by Deep Residual Networks, ICML (positive definite targets); Newman (1986), The
            Distribution of Lyapunov Exponents: Exact Results for Random Matrices, Communications in Mathematical
            Physics (products of Gaussian layers). The proofs here are short and our own
"""
