r"""Section 4.1: balancedness - gradient flow keeps balanced layers balanced, and gradient descent nearly so.

Section     4.1 and 4.2 (the balanced initialization of Theorem 4.1 and its proof sketch)
Printed     Balanced initialization, of which $W_\ell(0) = \alpha I$ is one, together with gradient flow or gradient
            descent at a small learning rate
Setting     $f(x) = W_L \cdots W_1 x$ with any widths; loss $\mathcal{L} = \frac12 \|WX - Y\|_F^2$, a sum over samples;
            $g_\ell = \partial \mathcal{L} / \partial W_\ell$, $G = \partial \mathcal{L} / \partial W$;
            $D_\ell = W_{\ell+1}^\top W_{\ell+1} - W_\ell W_\ell^\top$.
Source      Arora, Cohen, Hazan (2018), On the Optimization of Deep Networks: Implicit Acceleration by
            Overparameterization, ICML; Du, Hu, Lee (2018), Algorithmic Regularization in Learning Deep Homogeneous
            Models: Layers are Automatically Balanced, NeurIPS
"""
