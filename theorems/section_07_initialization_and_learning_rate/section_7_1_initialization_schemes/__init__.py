r"""Section 7.1: initialization schemes - from the same draws, He's variance and Xavier's end at different interpolants.

Section     7.1
Printed     The scheme of initialization changes the implicit regularization. Two schemes are named, Xavier's
            $\mathcal{N}(0, 1/m_{\ell-1})$ and He's $\mathcal{N}(0, 2/m_{\ell-1})$. They lead to different optimization
            trajectories
Reading     The two named schemes are compared with everything else equal. Both use the same standard normal draws, so
            that He's start is $\sqrt2$ times Xavier's. Network, data and rate are the same
Source      Glorot, Bengio (2010), Understanding the Difficulty of Training Deep Feedforward Neural Networks, AISTATS;
            He, Zhang, Ren, Sun (2015), Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet
            Classification, ICCV; Du, Hu, Lee (2018), Algorithmic Regularization in Learning Deep Homogeneous Models:
            Layers are Automatically Balanced, NeurIPS (what the flow conserves); Chizat, Oyallon, Bach (2019), On Lazy
            Training in Differentiable Programming, NeurIPS (scale and targets; there the output at the start is 0)
"""
