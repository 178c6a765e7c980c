r"""Theorem 5.1 - in the limit of infinite width training is kernel regression with a fixed kernel.

Section     5.1
Printed     (Theorem 5.1) $K_m \to K^\infty$, which is deterministic, as $m \to \infty$; $K_t \approx K_0$ in training;
            $\frac{df(x_i)}{dt} = -\sum_{j=1}^n K(x_i, x_j)(f(x_j) - y_j)$; and all this is "identical" to kernel ridge
            regression with $K$
Reading     The kernels are those of one network drawn at random. Section 5 assumes an initialization scheme (5.3, item
            3) and names none, so a hypothesis may fix it. The loss is the squared loss of Section 3.1. Section 5.1
            approximates training by a linear model, and for this loss the printed equation needs no factor.
Setting     $f(x) = c \sum_j a_j s(w_j \cdot x)$ with $m$ neurons and a scale $c$, or more hidden layers of one width
            $m$; no biases. Loss $\frac12 \sum_i (f(x_i) - y_i)^2$. $J$ is the Jacobian of $f(X)$ in the trained
            weights. These are all weights, unless a test says that $W$ alone is trained. $K = J J^\top$: $K_m$ is the
            kernel at the start of a network of width $m$, $K_0$ the kernel at the start of a run, $K_t$ the kernel at
            time $t$, and $K^\infty$ the limit of $K_m$.
Source      Jacot, Gabriel, Hongler (2018), Neural Tangent Kernel: Convergence and Generalization in Neural Networks,
            NeurIPS 31; Cho, Saul (2009), Kernel Methods for Deep Learning, NeurIPS 22; Williams (1997), Computing with
            Infinite Networks, NIPS 9; Glorot, Bengio (2010), Understanding the Difficulty of Training Deep Feedforward
            Neural Networks, AISTATS; Lee, Xiao, Schoenholz, Bahri, Novak, Sohl-Dickstein, Pennington (2019), Wide
            Neural Networks of Any Depth Evolve as Linear Models Under Gradient Descent, NeurIPS 32; Chizat, Oyallon,
            Bach (2019), On Lazy Training in Differentiable Programming, NeurIPS 32; Oymak, Soltanolkotabi (2019),
            Overparameterized Nonlinear Learning: Gradient Descent Takes the Shortest Path?, ICML; Du, Zhai, Poczos,
            Singh (2019), Gradient Descent Provably Optimizes Over-parameterized Neural Networks, ICLR, for ReLU; Ali,
            Kolter, Tibshirani (2019), A Continuous-Time View of Early Stopping for Least Squares Regression, AISTATS
Chance      Below $10^{-8}$ for the whole claim, under the profiles `fast` and `thorough`. An instance of (a) makes 30
            comparisons, and each fails by chance with probability $10^{-13}$. All parts together make 730 comparisons
            with fixed seeds, four of them in (b), and each fails by chance with probability $10^{-12}$.
"""
