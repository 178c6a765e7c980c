r"""Proposition 9.2 - descent under batch normalization is descent on spheres, and its statistics select the minimum.

Section     9.2
Printed     Gradient descent with batch normalization optimizes implicitly over the normalized parameter space. This
            induces an adaptive regularizer, which depends on the statistics of the activations
Setting     $z = XW^\top$ is normalized; $\rho_\ell = |\theta_\ell|$; $g$ is the gradient. As in Section 9.2 the print
            states no $\epsilon$ and no penalty, and where a feature is constant it is not normalized
Source      Arora, Li, Lyu (2019), Theoretical Analysis of Auto Rate-Tuning by Batch Normalization, ICLR; Wu, Dobriban,
            Ren, Wu, Li, Gunasekar, Ward, Liu (2020), Implicit Regularization and Convergence for Weight Normalization,
            NeurIPS; Salimans, Kingma (2016), Weight Normalization: A Simple Reparameterization to Accelerate Training
            of Deep Neural Networks, NeurIPS. The limit under batch normalization is ours
"""
