r"""Section 1.2: maximum margin - on separable data, descent on an exponential-tailed loss maximizes the margin.

Section     1.2, item 2 of the numbered list
Printed     The decision boundary of the $\theta^*$ that gradient descent selects has a large margin
Reading     "Often" and "in appropriate feature spaces" leave the conditions open. H1 to H3 supply them; without them
            the margin need not be large. The scores $w \cdot x$ are linear in a fixed feature space, and the losses are
            those of Section 2.1, squared and cross-entropy. A large margin means: the normalized margin
            $\min_i y_i x_i \cdot w / \|w\|$ tends to its largest value, that of the hard-margin SVM
Source      Soudry, Hoffer, Nacson, Gunasekar, Srebro (2018), The Implicit Bias of Gradient Descent on Separable Data;
            Gunasekar, Lee, Soudry, Srebro (2018), Characterizing Implicit Bias in Terms of Optimization Geometry;
            Telgarsky (2013), Margins, Shrinkage, and Boosting
"""
