"""Section 4.2: low rank and generalization - the least nuclear norm lowers the rank, and often the error.

Section     4.2, the paragraph "Implication" after Theorem 4.1
Printed     The nuclear norm promotes solutions of low rank; these often generalize better, as they capture the
            essential pattern and ignore noise
Setting     The completions of least nuclear norm and of least Frobenius norm are compared: each is the least among all
            matrices with the same observed entries. The one of least Frobenius norm is zero elsewhere. Population: a
            pattern of rank 2 in dimension 12 with half of the entries observed, each with Gaussian noise of half the
            size of an entry.
Source      Candes, Recht (2009), Exact Matrix Completion via Convex Optimization, Foundations of Computational
            Mathematics 9; Candes, Plan (2010), Matrix Completion with Noise, Proceedings of the IEEE 98; Roy, Vetterli
            (2007), The Effective Rank: A Measure of Effective Dimensionality, EUSIPCO; Clopper, Pearson (1934), The Use
            of Confidence or Fiducial Limits Illustrated in the Case of the Binomial, Biometrika 26
Chance      40 problems of one seed. The rule was fixed before they were drawn: the interval of Clopper and Pearson at
            level 0.95 for the share of problems in which the least nuclear norm is ahead lies above one half
            (reproduced), below it (not reproduced), or holds it (inconclusive).
"""
