r"""Theorem 6.2 - sharpness alone does not bound the generalization gap.

Section     6.3
Printed     $R(\theta^*) \lesssim L(\theta^*) + \sqrt{S \log(n/\delta)/n}$ at a minimum $\theta^*$ of sharpness $S$
Setting     $L(\theta) = \frac{1}{2n} \sum_i (f(x_i; \theta) - y_i)^2$. $R$ is its mean over a fresh sample. $S$ is the
            largest eigenvalue of the Hessian of $L$
Source      McAllester (1999), PAC-Bayesian Model Averaging, COLT; Maurer (2004), A Note on the PAC Bayesian Theorem,
            arXiv:cs/0411099; Dinh, Pascanu, Bengio, Bengio (2017), Sharp Minima Can Generalize for Deep Nets, ICML; the
            witnesses are ours
"""
