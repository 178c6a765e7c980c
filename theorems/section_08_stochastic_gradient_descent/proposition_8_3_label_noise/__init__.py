r"""Proposition 8.3 - stopped early, descent solves a ridge regression with smaller weights for corrupted samples.

Section     8.3
Printed     Under label noise $\tilde y_i = y_i + \epsilon_i$ with $P(\epsilon_i \ne 0) = \tau$, SGD with early stopping
            gives noisy examples a smaller weight implicitly: it approximates $\min_\theta \sum_i w_i (f(x_i; \theta) -
            \tilde y_i)^2$, where $w_i$ is smaller for samples that are likely to be corrupted (Proposition 8.3)
Setting     Kernel descent on $\frac12 \sum_i (f(x_i) - \tilde y_i)^2$ from $f_0 = 0$:
            $f_{t+1} = f_t + \eta K (\tilde y - f_t)$, $r_t = \tilde y - f_t$. Labels are $-1$ and 1, and a corrupted
            one is flipped. Clusters $c$ have $m_c$ samples with one clean label, of which $j_c = \tau_c m_c$ are
            corrupted; $K = \operatorname{blockdiag}(\mathbf{1}\mathbf{1}^\top) + \epsilon I$.
            $A_t = 1 - (1 - \eta(m_c + \epsilon))^t$, $E_t = 1 - (1 - \eta\epsilon)^t$
Source      Li, Soltanolkotabi, Oymak (2020), Gradient Descent with Early Stopping is Provably Robust to Label Noise for
            Overparameterized Neural Networks, AISTATS (the clusters, and what holds of residuals); the weights, their
            bound and the witnesses are ours
"""
