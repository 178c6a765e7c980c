r"""Section 3.3: mirror descent - the entropy map leads to the interpolant nearest the start, not of most entropy.

Section     3.3, the paragraph on mirror descent
Printed     Mirror descent with the entropy mirror map leads to
            $w^* = \operatorname{argmax}_w H(w) \ \text{s.t.}\ Xw = y$
Setting     $L(w) = \frac12 \|Xw - y\|^2$; $\nabla\phi(w_{t+1}) = \nabla\phi(w_t) - \eta X^\top (X w_t - y)$ with
            $\phi(w) = \sum_j w_j \ln w_j - w_j$, that is $w_{t+1} = w_t \odot e^{-\eta X^\top (X w_t - y)}$;
            $\mathrm{KL}(v \| w) = \sum_j v_j \ln(v_j/w_j) - v_j + w_j$; $\operatorname{rank} X = n$, and $s_1$ is the
            largest singular value; $\mathbf 1$ is the vector of ones
Source      Gunasekar, Lee, Soudry, Srebro (2018), Characterizing Implicit Bias in Terms of Optimization Geometry; Ghai,
            Hazan, Singer (2020), Exponentiated Gradient Meets Gradient Descent; Woodworth, Gunasekar, Lee, Moroshko,
            Savarese, Golan, Soudry, Srebro (2020), Kernel and Rich Regimes in Overparametrized Models; Kivinen, Warmuth
            (1997), Exponentiated Gradient versus Gradient Descent for Linear Predictors
"""
