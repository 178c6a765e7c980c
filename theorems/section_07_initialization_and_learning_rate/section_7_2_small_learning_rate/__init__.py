r"""Section 7.2: small learning rate - gradient descent follows gradient flow to first order, another flow to second.

Section     7.2
Printed     With a small learning rate, descent approximates the gradient flow $\frac{d\theta}{dt} = -\nabla L(\theta)$.
            So its trajectories are deterministic, and its implicit bias can be predicted
Setting     $\theta_{k+1} = \theta_k - \eta g(\theta_k)$, $g = \nabla L$; $H$ and $T$ are the second and third
            derivatives of $L$. Flows start where descent does. $\tilde\theta$, the corrected flow, is the gradient flow
            of $L + \frac\eta4 \|g\|^2$. For quadratic losses $x = \eta h$, $h$ an eigenvalue of $H$
Source      Barrett, Dherin (2021), Implicit Gradient Regularization, ICLR; Hairer, Lubich, Wanner (2006), Geometric
            Numerical Integration: Structure-Preserving Algorithms for Ordinary Differential Equations, Springer
            (backward error analysis). The constants are derived in the tests and in `modified_flow`
"""
