r"""Corollary 8.2 - smaller batches have more noise; which minimum that leads to is up to the step and the start.

Section     8.2
Printed     A smaller batch size increases the noise, and so leads to (1) stronger implicit regularization, (2) flatter
            minima, (3) better generalization, up to a point; this is said to explain the "generalization gap" between
            training with large and with small batches (Corollary 8.2)
Reading     The noise is the covariance of the minibatch gradient. What it leads to compares two batch sizes on one
            problem, with one step, start and number of steps, in the mean over the minibatches. One counterexample
            refutes; all of those here are strict, and persist for data nearby
Setting     $L = \frac1n \sum_i f_i$; minibatches of $B$ samples out of $n$, drawn with or without replacement, with
            $f_B = \frac1B$ or $\frac{n-B}{B(n-1)}$
Source      Wu, Ma, E (2018), How SGD Selects the Global Minima in Over-parameterized Learning: A Dynamical Stability
            Perspective, NeurIPS; Wu, Wang, Su (2022), The Alignment Property of SGD Noise and How It Helps Select Flat
            Minima: A Stability Analysis, NeurIPS; Pesme, Pillaud-Vivien, Flammarion (2021), Implicit Bias of SGD for
            Diagonal Linear Networks: a Provable Benefit of Stochasticity, NeurIPS; Goyal et al. (2017), Accurate, Large
            Minibatch SGD: Training ImageNet in 1 Hour, arXiv:1706.02677 (the rule of linear scaling); O'Cinneide
            (1993), Entrywise Perturbation Theory and Error Analysis for Markov Chains, Numerische Mathematik 65. The
            bound on tr H for rows of any length, and the witnesses, are ours
Chance      None: laws are enumerated or solved for
"""
