r"""Experiment 5 - whether small batches generalize better and find flatter minima, and large ones converge faster.

Section     10.5
Printed     Batch sizes $B \in \{32, 128, 512, 2048, 8192\}$ with learning rate scaled as $\sqrt{B}$. Small batches (32,
            128): better generalization, flatter minima. Large batches (2048, 8192): faster convergence but sharper
            minima. Generalization gap: about 3 % test accuracy between $B = 32$ and $B = 8192$
Reading     The model, the first learning rate and the stopping rule are not printed. From section 10.4 we take
            ResNet-18 on CIFAR-10, and $\eta = 0.05$ at $B = 32$, which is 0.1 at 128. How long a run lasts decides how
            well it fits: after equal epochs a large batch has made few steps
Setting     ResNet-18 with cross-entropy, plain SGD, constant $\eta$. The sharpness $\lambda$ is the largest eigenvalue
            of the Hessian of the training loss on a fixed sample, with batch normalization in training mode, in the
            same groups for every $B$. A seed fixes images, noise and initialization for all batches; seeds are 500,
            501, .... Where $B$ exceeds the training set, the batch is the full one. At the smallest scale, smoke: width
            4, 800 images, so $B$ is 32, 128, 512 and 800. Beside the printed rule: the largest batch at the $\eta$ of
            the smallest, and 20 % label noise
Source      Keskar, Mudigere, Nocedal, Smelyanskiy, Tang (2017), On Large-Batch Training for Deep Learning:
            Generalization Gap and Sharp Minima, ICLR; Hoffer, Hubara, Soudry (2017), Train Longer, Generalize Better:
            Closing the Generalization Gap in Large Batch Training of Neural Networks, NeurIPS; Shallue, Lee, Antognini,
            Sohl-Dickstein, Frostig, Dahl (2019), Measuring the Effects of Data Parallelism on Neural Network Training,
            JMLR 20
Chance      Each interval misses with probability 5 % if the effects of seeds are normal; seven seeds cannot show that
            they are. All seeds draw from one pool of training images and share the test images. Intervals are
            conditional on both: the standard error that is due to the test images is told beside them
"""
