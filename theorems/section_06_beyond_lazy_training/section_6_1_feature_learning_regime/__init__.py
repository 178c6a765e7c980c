r"""Section 6.1: feature learning regime - far movement marks the regime in some coordinates, not in others.

Section     6.1, characterization
Printed     A network is in the feature learning regime when $\|\theta_T - \theta_0\|_2 = \Omega(1)$
Source      Chizat, Oyallon, Bach (2019), On Lazy Training in Differentiable Programming, NeurIPS 32; Oymak,
            Soltanolkotabi (2019), Overparameterized Nonlinear Learning: Gradient Descent Takes the Shortest Path?,
            ICML; Yang, Hu (2021), Tensor Programs IV: Feature Learning in Infinite-Width Neural Networks, ICML;
            Daniely, Malach (2020), Learning Parities with Neural Networks, NeurIPS 33
Chance      Nothing that decides the verdict is sampled. The observed tables have fixed seeds
"""
