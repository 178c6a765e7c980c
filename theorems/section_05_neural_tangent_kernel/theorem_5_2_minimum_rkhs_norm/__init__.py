r"""Theorem 5.2 - in the kernel regime gradient descent finds the interpolant of least RKHS norm.

Section     5.2
Printed     (Theorem 5.2) On an infinitely wide network gradient descent ends at $f^*(x) = \sum_i \alpha_i K(x, x_i)$
            with $\alpha = (K + \lambda I)^{-1} y$, $\lambda \to 0^+$; no interpolant has a smaller norm in $H_K$
Reading     $\lambda \to 0^+$ is taken in $f^*$, as Theorem 5.2 says of its coefficients. The step is one for which
            descent converges. $f_0 = 0$ is a hypothesis, because the paper does not mention the start.
Setting     Networks linearized at their start, $f_\theta(x) = f_0(x) + \phi(x) \cdot (\theta - \theta_0)$ with
            $\phi(x) \cdot \phi(z) = K(x, z)$; Theorem 5.1 (b) says how near they are to wide networks. $K$ is the
            kernel of one or three hidden layers of ReLU, or of one of erf. Loss $\frac12 \sum_i (f(x_i) - y_i)^2$;
            under the loss with $\frac{1}{2n}$, a step $\eta$ is a step $\eta/n$ here.
Source      Jacot, Gabriel, Hongler (2018), Neural Tangent Kernel: Convergence and Generalization in Neural Networks,
            NeurIPS 31; Du, Zhai, Poczos, Singh (2019), Gradient Descent Provably Optimizes Over-parameterized Neural
            Networks, ICLR, for parallel inputs and ReLU; Du, Lee, Li, Wang, Zhai (2019), Gradient Descent Finds Global
            Minima of Deep Neural Networks, ICML, for analytic activations; Lee, Xiao, Schoenholz, Bahri, Novak,
            Sohl-Dickstein, Pennington (2019), Wide Neural Networks of Any Depth Evolve as Linear Models Under Gradient
            Descent, NeurIPS 32, for what remains of f_0; Chizat, Oyallon, Bach (2019), On Lazy Training in
            Differentiable Programming, NeurIPS 32, for its removal; Kimeldorf, Wahba (1971), Some Results on
            Tchebycheffian Spline Functions, Journal of Mathematical Analysis and Applications 33
"""
