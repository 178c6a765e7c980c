r"""Section 7.1: variance preservation - in the mean, from the first layer on, with the factor of the activation.

Section     7.1
Printed     Xavier/Glorot: $W_\ell \sim \mathcal{N}(0, 1/m_{\ell-1})$; He: $W_\ell \sim \mathcal{N}(0, 2/m_{\ell-1})$.
            Both keep the variance of the signal the same across the layers
Reading     Let $h_\ell = W_\ell a_{\ell-1}$, $a_0 = x$ and $a_\ell = s(h_\ell)$. The signal variance of layer $\ell$ is
            $E \|h_\ell\|^2/m_\ell$, as entries of $h_\ell$ have mean zero; that of the input is $\|x\|^2/m_0$. It is
            preserved if it is the same in every layer. The mean is over the weights, so that no single network is
            promised anything. No activation is printed: the identity, as in section 4, suits Xavier best, and ReLU
            suits He
Setting     Weights are independent, symmetric about 0, of variance $f/m_{\ell-1}$. Widths are arbitrary. The input
            $x \ne 0$ is fixed
Source      Glorot, Bengio (2010), Understanding the Difficulty of Training Deep Feedforward Neural Networks, AISTATS;
            He, Zhang, Ren, Sun (2015), Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet
            Classification, ICCV; LeCun, Bottou, Orr, Mueller (1998), Efficient BackProp, in Neural Networks: Tricks of
            the Trade, Springer; Hanin, Nica (2020), Products of Many Large Random Matrices and Gradients in Deep Neural
            Networks, Communications in Mathematical Physics 376 (spread)
Chance      $10^{-9}$ an example. There is one two-sided $\chi^2$ comparison of at least 4788 degrees in each of two
            hundred examples, three Chernoff bounds of 20 paths each, and two of Dvoretzky, Kiefer and Wolfowitz. The
            sum is $2.1 \cdot 10^{-7}$ for the fast run, and $2 \cdot 10^{-6}$ for 1,000 examples. Power: a factor of
            5/4 or 4/5 is missed with a probability below $10^{-6}$ (self-tested, planted). Any dof below 510 would pass
            a factor of 2
"""
