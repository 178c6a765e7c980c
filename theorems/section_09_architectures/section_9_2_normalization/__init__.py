r"""Section 9.2: effects of normalization - invariance, a rate for each layer, and flatter minima from long weights.

Section     9.2
Printed     Normalization is said to regularize implicitly in three ways: 1. scale invariance: the loss does not depend
            on the scale of the parameters; 2. gradient rescaling: it modifies the effective learning rate of each
            layer; 3. loss landscape smoothing: it reduces the sharpness of minima
Setting     Batch normalization $\hat z_i = (z_i - \bar z)/\sqrt{s^2 + \epsilon}$ of each neuron over the samples; layer
            normalization of each sample over the neurons; weight normalization $w_j = v_j/|v_j|$. The network is
            $z = XW^\top$, $f = \sum_j a_j \tanh \hat z_j$, the loss $L = \frac1{2n}\|f - y\|^2$, and $g$ and $H$ are
            its gradient and Hessian in $W$
Source      Li, Arora (2020), An Exponential Learning Rate Schedule for Deep Learning, ICLR; Arora, Li, Lyu (2019),
            Theoretical Analysis of Auto Rate-Tuning by Batch Normalization, ICLR; Cai, Li, Shen (2019), A Quantitative
            Analysis of the Effect of Batch Normalization on Gradient Descent, ICML (any rate converges); Dinh, Pascanu,
            Bengio, Bengio (2017), Sharp Minima Can Generalize for Deep Nets, ICML; Santurkar, Tsipras, Ilyas, Madry
            (2018), How Does Batch Normalization Help Optimization?, NeurIPS (smoothing as a property of gradients in
            z); proofs are ours
"""
