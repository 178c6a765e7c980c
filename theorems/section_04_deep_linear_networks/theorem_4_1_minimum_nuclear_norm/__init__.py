r"""Theorem 4.1 - deep linear networks need not find the interpolant of least nuclear norm.

Section     4.2, the theorem and its proof sketch
Printed     Balanced initialization, in the proof $W_\ell(0) = \alpha I$, and a small learning rate imply
            $W_L \cdots W_1 \to W^* = \operatorname{argmin}_W \|W\|_*$ subject to $Wx = y$
Reading     The sentence has three parts: (a) what the printed constraint, fully observed outputs of $n \le d$ inputs,
            leaves to the nuclear norm; (b) the convergence to the least nuclear norm under this constraint; (c) the
            same convergence under linear measurements of $W$, where the nuclear norm matters, as the title and the
            words "low-rank solutions" suggest.
Setting     $W = W_L \cdots W_1$; all layers are $d \times d$ matrices, and descent starts at $W_\ell(0) = \alpha I$ or,
            for $W = U U^\top$, at $U(0) = \alpha I$. Losses $\frac12 \|WX - Y\|_F^2$, with $X$ of shape $(d, n)$ and
            rank $n \le d$, and $\frac12 \sum_i (\langle A_i, W \rangle - y_i)^2$.
Source      Fan (1951), Maximum Properties and Inequalities for the Eigenvalues of Completely Continuous Operators,
            PNAS; Gunasekar, Woodworth, Bhojanapalli, Neyshabur, Srebro (2017), Implicit Regularization in Matrix
            Factorization, NeurIPS (the commuting case, and the conjecture); Arora, Cohen, Hu, Luo (2019), Implicit
            Regularization in Deep Matrix Factorization, NeurIPS (the commuting case of more layers); Razin, Cohen
            (2020), Implicit Regularization in Deep Learning May Not Be Explainable by Norms, NeurIPS (a completion that
            drives every norm to infinity); Li, Luo, Lyu (2021), Towards Resolving the Implicit Bias of Gradient Descent
            for Matrix Factorization: Greedy Low-Rank Learning, ICLR (the conjecture refuted); Bartlett, Helmbold, Long
            (2018), Gradient Descent with Identity Initialization Efficiently Learns Positive Definite Linear
            Transformations by Deep Residual Networks, ICML
"""
