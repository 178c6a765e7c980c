r"""Section 5.1: neural tangent kernel - the mean inner product of gradients at a random start.

Section     5.1
Printed     $K(x, x') = \mathbb{E}_{\theta_0} \langle \nabla_\theta f(x; \theta_0), \nabla_\theta f(x'; \theta_0)
            \rangle$ (Section 5.1, first display)
Reading     A definition: the expectation is finite, and it is a kernel, symmetric and positive semidefinite. That the
            kernel $K_m$ of one draw of the weights comes near to it is Theorem 5.1 (a).
Setting     Networks of width $m$ in the NTK parameterization, $f = m^{-1/2} \sum_j a_j s(h_j)$ with independent
            weights, standard normal unless said otherwise; for one hidden layer $h_j = w_j \cdot x$, for two
            $h = m^{-1/2} W_2 s(W_1 x)$. $K_m$ is the kernel of one network.
Source      Jacot, Gabriel, Hongler (2018), Neural Tangent Kernel: Convergence and Generalization in Neural Networks,
            NeurIPS 31; Cho, Saul (2009), Kernel Methods for Deep Learning, NeurIPS 22; Hanin, Nica (2020), Finite Depth
            and Width Corrections to the Neural Tangent Kernel, ICLR, who treat the diagonal, which has no bias
Chance      Below $10^{-6}$ for the claim: Chernoff bounds of C1 at $10^{-8}$ for 100 examples and $10^{-7}$ for 1,000,
            and two medians of means for two hidden layers at $10^{-9}$ each.
"""
