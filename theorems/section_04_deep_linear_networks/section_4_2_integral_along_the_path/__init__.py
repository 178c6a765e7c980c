r"""Section 4.2: integral along the path - the flow minimizes no integral of the norm of its layers.

Section     4.2, the proof sketch of Theorem 4.1
Printed     From $W_\ell(0) = \alpha I$ gradient flow moves $W(t)$ along a path that minimizes an integral of the
            Frobenius norm of the layers; for the end-to-end matrix this becomes the nuclear norm
Setting     $f(x) = W_L \cdots W_1 x$, balanced layers, loss $\frac12 \|WX - Y\|_F^2$; $g_\ell$ its gradient in
            $W_\ell$; for $X = I$ and a diagonal target with the entries $\lambda_j$ all layers are
            $\operatorname{diag}(v)$ for ever, and $\dot v_j = -(v_j^L - \lambda_j) v_j^{L-1}$.
Source      Arora, Cohen, Hu, Luo (2019), Implicit Regularization in Deep Matrix Factorization, NeurIPS (the flow is not
            explained by a norm); Srebro, Rennie, Jaakkola (2005), Maximum-Margin Matrix Factorization, NeurIPS (the
            squares at depth two); Ambrosio, Gigli, Savare (2008), Gradient Flows in Metric Spaces and in the Space of
            Probability Measures, Birkhauser (curves of maximal slope)
"""
