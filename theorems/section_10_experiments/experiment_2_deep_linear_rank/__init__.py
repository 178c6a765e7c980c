r"""Experiment 2 - whether deep linear networks end at least nuclear norm, at a low rank, by decreasing rank.

Section     10.2, the second experiment
Printed     Deep linear networks with $L = 5$ converge to minimum nuclear norm solutions; their rank decreases as
            training progresses, to 8.2 on average in ambient dimension 50
Reading     The paper gives no data, no start, no step and no definition of rank. Tests without a named reading are
            about noiseless completions of a matrix of low rank and about fully observed targets, from
            $W_\ell(0) = \alpha I$ with $\alpha < 1$, the start of the proof of Theorem 4.1
Setting     $W = W_5 \cdots W_1$, gradient descent on half the squared misfit
Source      Theorem 4.1; Arora, Cohen, Hu, Luo (2019), Implicit Regularization in Deep Matrix Factorization, NeurIPS;
            Roy, Vetterli (2007), The Effective Rank: A Measure of Effective Dimensionality, EUSIPCO
Chance      Every sample comes from one fixed seed, and what is asserted is about that sample
"""
