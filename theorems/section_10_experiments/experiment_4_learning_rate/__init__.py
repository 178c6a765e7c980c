r"""Experiment 4 - whether larger learning rates find flatter minima, and whether these have the larger test error.

Section     10.4
Printed     ResNet-18 on CIFAR-10, $\eta \in \{0.001, 0.01, 0.1, 0.5\}$. Larger learning rates find flatter minima, by
            Hessian eigenvalues. Sharpness against test error: strong negative correlation, $\rho = -0.89$. Optimal
            generalization at $\eta = 0.1$, slightly below the edge of stability
Reading     No batch size, seed, stopping rule or interval is printed. Runs that are stopped after equal times differ in
            how well they fit, and $\lambda$ of cross-entropy falls with the loss. So runs are compared at a matched
            training loss, at each of three moments: interpolated between the epochs around this loss, at the first
            epoch at or below it, and at the last epoch above it. Part (d) is about the end of training
Setting     ResNet-18 with cross-entropy, plain SGD, constant $\eta$, no decay. The sharpness $\lambda$ is the largest
            eigenvalue of the Hessian of the training loss on a fixed sample, with batch normalization in training mode.
            A seed fixes images, initialization and order for all learning rates; seeds are 500, 501, .... At the
            smallest scale, smoke: width 4, $B = 32$, 500 images
Source      Wu, Ma, E (2018), How SGD Selects the Global Minima in Over-parameterized Learning: A Dynamical Stability
            Perspective, NeurIPS; Cohen, Kaur, Li, Kolter, Talwalkar (2021), Gradient Descent on Neural Networks
            Typically Occurs at the Edge of Stability, ICLR; Fisher (1921), On the "Probable Error" of a Coefficient of
            Correlation Deduced from a Small Sample, Metron 1
Chance      Each interval misses with probability 5 % if the effects of seeds are normal; six seeds cannot show that
            they are. All seeds draw from one pool of training images and share the test images. Intervals are
            conditional on both: the standard error that is due to the test images is told beside them
"""
