r"""Theorem 7.2 - the term with the learning rate is a constant, so its weight has no effect, whatever the rate.

Section     7.2
Printed     On a convex quadratic loss, the limit of descent at the rate $\eta$ is $\theta^*(\eta) =
            \operatorname{argmin}_\theta \|\theta - \theta_0\|_2^2 + \frac\eta2 \theta^\top H \theta \ \text{s.t.}\
            L(\theta) = 0$. The effective strength of the regularization grows with $\eta$
Setting     $L(\theta) = \frac12 \|X\theta - y\|^2$, $H = X^\top X$, $\lambda$ its nonzero eigenvalues
Source      Nacson, Ravichandran, Srebro, Soudry (2022), Implicit Bias of the Step Size in Linear Diagonal Neural
            Networks, ICML; Even, Pesme, Gunasekar, Flammarion (2023), (S)GD over Diagonal Linear Networks: Implicit
            Regularisation, Large Stepsizes and Edge of Stability, NeurIPS (larger steps shrink the scale); the
            two-sided bound is proved here
"""
