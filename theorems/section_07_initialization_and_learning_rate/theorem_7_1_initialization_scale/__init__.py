r"""Theorem 7.1 - a small initialization learns features and a large one is lazy, not the other way round.

Section     7.1
Printed     $\theta^*(\alpha) = \operatorname{argmin}_\theta R(\theta)\ \text{s.t.}\ L(\theta) = 0$, where $R$ depends
            on the scale $\alpha$ of the initialization. Small $\alpha$: the kernel regime, hardly any feature learning.
            Large $\alpha$: more feature learning, and another $R$
Setting     $L = \frac12 \|Xw - y\|^2$ with $p \ge n$ columns and $y \ne 0$. The network is diagonal, $w = u^D - v^D$
            entrywise, with $u_0 = v_0 = \alpha$; its tangent kernel is $K = D^2 X \operatorname{diag}(u^{2D-2} +
            v^{2D-2}) X^\top$
Source      Woodworth, Gunasekar, Lee, Moroshko, Savarese, Golan, Soudry, Srebro (2020), Kernel and Rich Regimes in
            Overparametrized Models, COLT; Chizat, Oyallon, Bach (2019), On Lazy Training in Differentiable Programming,
            NeurIPS; Vardi, Shamir (2021), Implicit Regularization in ReLU Networks with the Square Loss, COLT (no R for
            one neuron; our witness is simpler). The bounds are proved here
"""
