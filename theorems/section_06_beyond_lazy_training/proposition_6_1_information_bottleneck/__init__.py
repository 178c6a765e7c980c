r"""Proposition 6.1 - noisy gradient descent minimizes a free energy and thereby compresses, if a prior confines it.

Section     6.2
Printed     $\min_{p(z|x)} I(X;Z) - \beta I(Z;Y)$; gradient descent with Gaussian noise implicitly optimizes an
            information-theoretic objective related to this one, and so provides compression-based regularization
Setting     $\theta_{t+1} = \theta_t - \eta \nabla L(\theta_t) + \sqrt{2\eta/\beta}\, \xi_t$. A run has a law $q$ of the
            weights $W$ given the data $D$. The Gibbs law of a prior $\pi$ is $q_D \propto \pi e^{-\beta L}$, its mean
            over data sets is $\bar q = E_D q_D$. Information is in nats
Source      Xu, Raginsky (2017), Information-theoretic analysis of generalization capability of learning algorithms,
            NIPS 30; Achille, Soatto (2018), Emergence of Invariance and Disentanglement in Deep Representations, JMLR
            19 (the bottleneck of the weights)
"""
