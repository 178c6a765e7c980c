r"""Section 2.2: steepest descent - gradient flow goes where the loss falls fastest, and its start decides.

Section     2.2, the two displayed equations and the first two key properties
Printed     $\theta_{t+1} = \theta_t - \eta \nabla L(\theta_t)$ becomes, in continuous time,
            $\dot\theta = -\nabla L(\theta)$; it moves along the direction of steepest descent; its trajectory depends
            critically on $\theta_0$
Source      Nesterov (2004), Introductory Lectures on Convex Optimization; Ali, Kolter, Tibshirani (2019), A
            Continuous-Time View of Early Stopping for Least Squares Regression; the bound in (b) is proved there, in
            the field Idea
"""
