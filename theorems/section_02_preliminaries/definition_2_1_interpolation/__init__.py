r"""Definition 2.1 - interpolation is zero squared loss; a manifold of interpolants needs p > n and a full rank.

Section     2.3, the definition and the sentence after it
Printed     $L(\theta) = 0 \iff f(x_i; \theta) = y_i$ for all $i$; for $p \ge n$ the set
            $M = \{\theta : L(\theta) = 0\}$ is infinite and a manifold
Reading     $L$ is either loss of Section 2.1, as the definition names none. For cross-entropy $f(x_i)$ and $y_i$ are
            the probabilities of the labels, so that $L = 0$ says the same as $f(x_i) = y_i$. "Overparameterized" is
            $p \ge n$, as Section 2.1 defines it. Section 2.2 presupposes several minima. Here their existence is what
            is asserted, so that $p = n$ is a case of it
Source      Cooper (2018), The Loss Landscape of Overparameterized Neural Networks; Ortega, Rheinboldt (1970), Iterative
            Solution of Nonlinear Equations in Several Variables (the Newton-Kantorovich theorem); Johnson (1989), A
            Gersgorin-Type Lower Bound for the Smallest Singular Value
"""
