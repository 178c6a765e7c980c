r"""Section 1.2: dependence on initialization, learning rate and algorithm - each can select the minimum.

Section     1.2, the paragraph before the numbered list
Printed     Let $L$ have several global minima, $M = \{\theta : L(\theta) = 0\}$. Gradient descent from $\theta_0$
            converges to one $\theta^* \in M$, which depends on the initialization, the learning rate and the algorithm
Reading     "Given a training loss" admits every loss with several global minima, and so the least squares of Section 3.
            The limit depends on an item if it is not constant in this item while the others are fixed. The start is off
            $M$, and descent converges at each learning rate that is compared
Source      Gunasekar, Lee, Soudry, Srebro (2018), Characterizing Implicit Bias in Terms of Optimization Geometry;
            Polyak (1964), Some Methods of Speeding up the Convergence of Iteration Methods; Nesterov (1983), A Method
            of Solving a Convex Programming Problem with Convergence Rate O(1/k^2); Kingma, Ba (2015), Adam: A Method
            for Stochastic Optimization; the laws of both networks are proved here
"""
