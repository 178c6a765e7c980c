r"""Section 6.1: aligned features - trained kernels turn towards the target in the mean, and not in every network.

Section     6.1, item 2 of the implicit bias in feature learning
Printed     Even in the feature learning regime ($\|\theta_T - \theta_0\|_2 = \Omega(1)$) gradient descent is biased
            toward aligned features: what is learned aligns with the structure of the target
Source      Cristianini, Shawe-Taylor, Elisseeff, Kandola (2001), On Kernel-Target Alignment, NIPS 14; Shan, Bordelon
            (2021), A Theory of Neural Tangent Kernel Alignment and Its Influence on Training, arXiv:2105.14301;
            Atanasov, Bordelon, Pehlevan (2022), Neural Networks as Kernel Learners: The Silent Alignment Effect, ICLR;
            Chizat, Oyallon, Bach (2019), On Lazy Training in Differentiable Programming, NeurIPS 32
"""
