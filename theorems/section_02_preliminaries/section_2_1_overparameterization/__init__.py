r"""Section 2.1: overparameterization enables interpolation - as many parameters as samples need not fit them.

Section     2.1, the paragraph on overparameterization
Printed     $f(x; \theta) = W_L \sigma(W_{L-1} \sigma(\cdots \sigma(W_1 x)))$ with $p = \sum_{l=1}^L m_l m_{l-1} \ge n$
            interpolates the training data: $\min_\theta L(\theta) = 0$
Reading     "Enabling": some $\theta$ has $L(\theta) = 0$. The network has no biases, as printed. The activation is
            "nonlinear" and otherwise open; ReLU and tanh are the usual ones. The samples are in general position: the
            refutations on a ray and by one tanh unit hold for an open set of samples
Source      Zhang, Bengio, Hardt, Recht, Vinyals (2017), Understanding Deep Learning Requires Rethinking Generalization;
            Strang (2009), Introduction to Linear Algebra (the four subspaces, for the rank condition)
"""
