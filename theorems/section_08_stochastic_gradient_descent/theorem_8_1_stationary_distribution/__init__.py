r"""Theorem 8.1 - the noise of SGD has a stationary law, but curvature and noise share in it otherwise than printed.

Section     8.2
Printed     SGD has a stationary distribution of approximately the density $p(\theta) \propto \exp(-\frac2\eta
            \mathcal{L}(\theta) - \mathcal{R}(\theta))$, where $\mathcal{R}$ depends on the local noise covariance; so
            SGD favors regions with low gradient variance (Theorem 8.1)
Setting     $\theta_{t+1} = \theta_t - \eta(\nabla L(\theta_t) + \xi_t)$ with $E\xi = 0$
Source      Mandt, Hoffman, Blei (2017), Stochastic Gradient Descent as Approximate Bayesian Inference, JMLR 18
            (constant noise); Chaudhari, Soatto (2018), Stochastic gradient descent performs variational inference,
            converges to limit cycles for deep networks, ICLR (the current); Hodgkinson, Mahoney (2021), Multiplicative
            Noise and Heavy Tails in Stochastic Optimization, ICML; Kesten (1973), Random difference equations and
            renewal theory for products of random matrices, Acta Mathematica 131; the bound on the total variation and
            the witnesses are ours
"""
