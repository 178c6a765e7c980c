"""Section 6.1: incremental learning - low frequencies and strong modes are learned first, from a small start.

Section     6.1, item 3 of the implicit bias in feature learning
Printed     Even in the feature learning regime gradient descent is biased toward incremental learning: simple patterns
            are learned before complex ones
Source      Saxe, McClelland, Ganguli (2014), Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear
            Neural Networks, ICLR; Gissin, Shalev-Shwartz, Daniely (2020), The Implicit Bias of Depth: How Incremental
            Learning Drives Generalization, ICLR; Rahaman, Baratin, Arpit, Draxler, Lin, Hamprecht, Bengio, Courville
            (2019), On the Spectral Bias of Neural Networks, ICML
"""
