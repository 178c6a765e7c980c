r"""Proposition 4.2 - depth strengthens the bias towards low rank, but not in proportion to depth.

Section     4.3, the first proposition
Printed     The implicit regularization towards low-rank solutions grows with depth: effective regularization $\propto
            L$
Reading     The print does not say what is regularized, nor by how much. We read (a) as the power of a singular value at
            which it learns: this power makes large singular values run ahead of small ones. We read (b) as: the deeper
            of two networks has the lower effective rank when both have learnt their first singular value equally well.
            A factor $L$ in front of the whole velocity is no regularization towards low rank, because it speeds up all
            modes alike.
Setting     $f(x) = W_L \cdots W_1 x$, balanced layers, gradient flow; $s_r, u_r, v_r$ from the singular value
            decomposition of $W = W_L \cdots W_1$; $\nabla$ is the gradient of the loss in $W$; $p = 2 - 2/L$.
Source      Arora, Cohen, Hu, Luo (2019), Implicit Regularization in Deep Matrix Factorization, NeurIPS (the spectral
            equation); Saxe, McClelland, Ganguli (2014), Exact Solutions to the Nonlinear Dynamics of Learning in Deep
            Linear Neural Networks, ICLR (depth two); the proof of (b) is ours
"""
