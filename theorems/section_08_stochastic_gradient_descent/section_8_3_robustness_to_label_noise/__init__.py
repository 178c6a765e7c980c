r"""Section 8.3: robustness to label noise - stopped in time, descent on clustered data predicts the clean labels.

Section     8.3
Printed     SGD has an implicit robustness to label noise (the sentence before Proposition 8.3)
Setting     Kernel descent on $\frac12 \sum_i (f(x_i) - \tilde y_i)^2$ from $f_0 = 0$:
            $f_{t+1} = f_t + \eta K (\tilde y - f_t)$. Labels are $-1$ and 1, and a corrupted one is flipped. Clusters
            $c$ have $m_c$ samples with one clean label, of which $j_c = \tau_c m_c$ are corrupted; $K =
            \operatorname{blockdiag}(\mathbf{1}\mathbf{1}^\top) + \epsilon I$. $A_t = 1 - (1 - \eta(m_c + \epsilon))^t$,
            $E_t = 1 - (1 - \eta\epsilon)^t$
Source      Li, Soltanolkotabi, Oymak (2020), Gradient Descent with Early Stopping is Provably Robust to Label Noise for
            Overparameterized Neural Networks, AISTATS (the clusters); the exact window and the witnesses are ours
"""
