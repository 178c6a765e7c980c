r"""Section 6.3: flat minima - the law of the search decides whether gradient descent is flatter, and flat better.

Section     6.3, empirical observation
Printed     The minima of gradient descent are flatter, that is of lower sharpness, than those of random search or of
            adversarial optimization; and flat minima go together with better generalization
Reading     Compared are minima of one loss: networks of one architecture that fit one data set, found from one law of
            starts
Setting     Measured: 24 ReLU networks of 30 neurons, standard initialization, fitted to $\sin(2x)$ at 4 points of [-1,
            1], inputs $(x, 1)$, $\eta \lambda_{\max}(K_0) = 1/2$ for the tangent kernel $K_0$ of the start; test error
            on 201 points. $L = \frac{1}{2n} \sum_i (f(x_i) - y_i)^2$, $S$ the largest eigenvalue of its Hessian at a
            minimum (Definition 6.1)
Source      Wu, Ma, E (2018), How SGD Selects the Global Minima in Over-parameterized Learning: A Dynamical Stability
            Perspective, NeurIPS 31 (linear stability); Dinh, Pascanu, Bengio, Bengio (2017), Sharp Minima Can
            Generalize for Deep Nets, ICML; Lewkowycz, Bahri, Dyer, Sohl-Dickstein, Gur-Ari (2020), The large learning
            rate phase of deep learning: the catapult mechanism, arXiv:2003.02218 (f = uv); Liu, Papailiopoulos,
            Achlioptas (2020), Bad Global Minima Exist and SGD Can Reach Them, NeurIPS 33 (starts fitted to wrong
            labels); the witnesses are ours
Chance      A share of one half is called reproduced with probability 2.5 % at most. Laws and rule come from runs with
            the seeds 4000 to 4023, 5000 to 5023 and 6000. The seeds that decide are 7000 to 7023 for gradient descent,
            8000 to 8023 for random search and 9000 for random labels, fixed before any of them was run
"""
