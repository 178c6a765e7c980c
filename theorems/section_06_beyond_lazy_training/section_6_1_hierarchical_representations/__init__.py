r"""Section 6.1: hierarchical representations - upper layers serve their own task; of lower layers nothing is decided.

Section     6.1, item 1 of the implicit bias in feature learning
Printed     Gradient descent in the feature learning regime is biased toward hierarchical representations: lower layers
            learn general features, upper layers task-specific features
Reading     The print has one task and one loss, and "general" speaks of more. The literature measures how well a
            readout for a second task does on the features of a layer (Yosinski and others: transfer; Alain and Bengio:
            linear probes); nothing of the claim is invented by naming it
Setting     Digits; ten classes split at random into two tasks $A$ and $B$ of five; 300 images of each to train on, 500
            others of $B$ for the error. ReLU networks 64-32-32-32-5 without biases, He initialization, 400 full-batch
            steps with $\eta = 0.1$ and momentum 0.9 on the cross-entropy. Probe: linear least squares on a layer's
            features and 1, one column to a class, with a ridge of a thousandth of the mean squared feature
Source      Yosinski, Clune, Bengio, Lipson (2014), How transferable are features in deep neural networks?, NIPS 27;
            Alain, Bengio (2016), Understanding intermediate layers using linear classifier probes, arXiv:1610.01644
Chance      A population without an effect is called reproduced with probability 2.5 % at most, where Student's interval
            keeps its level. The rule was chosen on the splits 0 to 9; those that decide are 100 to 115
"""
