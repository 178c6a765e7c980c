r"""Section 3.3: stochastic gradient descent - where a linear model interpolates, the noise adds no bias.

Section     3.3, the paragraph on stochastic gradient descent
Printed     Noise from minibatching introduces additional implicit regularization beyond deterministic GD
Setting     $L(w) = \frac1{2n} \|Xw - y\|^2$; $w_{t+1} = w_t - \frac\eta b \sum_{i \in B_t} x_i (x_i^\top w_t - y_i)$,
            minibatches $B_t$ of $b$ rows drawn with replacement, or without it in shuffled epochs; GD takes all rows in
            every step. $e_t = w_t - w_\infty$, $w_\infty$ the interpolant nearest $w_0$; $\ell = \max_i \|x_i\|^2$
Source      Strohmer, Vershynin (2009), A Randomized Kaczmarz Algorithm with Exponential Convergence; Ma, Bassily,
            Belkin (2018), The Power of Interpolation: Understanding the Effectiveness of SGD in Modern
            Over-parametrized Learning; Pesme, Pillaud-Vivien, Flammarion (2021), Implicit Bias of SGD for Diagonal
            Linear Networks: a Provable Benefit of Stochasticity
"""
