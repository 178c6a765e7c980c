r"""Section 10.5: noise as regularizer - whether the batch sizes support the theory that the noise of SGD regularizes.

Section     10.5
Printed     The findings of Experiment 5 support the theory that the noise of SGD provides implicit regularization
Reading     The theory is that of section 8.2: noise, which grows with $\eta / B$, leads to flatter minima, and that
            explains the generalization gap between large and small batches. The theory is supported where more noise,
            and nothing else, goes with less test error and with less curvature: so the smallest batch is compared with
            the largest at one learning rate, that of the smallest, and at a matched training loss, as in Experiment 5
Setting     That of Experiment 5, and its runs: ResNet-18 with cross-entropy, plain SGD, constant $\eta$; $B = 32$
            against 8192, or against the full batch where there are fewer images, as at smoke scale: it has no noise at
            all. Seeds are 500, 501, ...
Source      Keskar, Mudigere, Nocedal, Smelyanskiy, Tang (2017), On Large-Batch Training for Deep Learning:
            Generalization Gap and Sharp Minima, ICLR; Wu, Ma, E (2018), How SGD Selects the Global Minima in
            Over-parameterized Learning: A Dynamical Stability Perspective, NeurIPS; Geiping, Goldblum, Pope, Moeller,
            Goldstein (2022), Stochastic Training Is Not Necessary for Generalization, ICLR
Chance      Each interval misses with probability 5 % if the effects of seeds are normal; seven seeds cannot show that
            they are. All seeds share the test images, on which intervals are conditional: their own standard error is
            told beside them
"""
