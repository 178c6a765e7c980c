r"""Experiment 3 - whether narrow networks learn features, and wide ones are kernels, 5 to 8 points worse.

Section     10.3
Printed     Two-layer networks of width $m = 10, 100, 1000, 10000$. Narrow networks ($m = 10, 100$): substantial
            parameter movement, feature learning regime. Wide networks ($m = 1000, 10000$): parameters close to
            initialization, kernel regime. Feature learning networks outperform the kernel regime by 5-8 % of test
            accuracy on CIFAR-10
Reading     Networks are as they are: the paper nowhere subtracts the random function $f_0$ that they start as
Setting     Two-layer ReLU networks, centered one-hot targets, squared distance, full-batch heavy-ball descent (batches
            beyond smoke scale) to one training loss. Networks are judged at their best step, kernels at their best
            ridge, both on one validation split. Starts without $f_0$ are antisymmetric. A seed fixes images and weights
            for all of them; seeds are 500, 501, .... At the smallest scale, smoke: 200 training images
Source      Chizat, Oyallon, Bach (2019), On Lazy Training in Differentiable Programming, NeurIPS; Lee, Schoenholz,
            Pennington, Adlam, Xiao, Novak, Sohl-Dickstein (2020), Finite Versus Infinite Neural Networks: an Empirical
            Study, NeurIPS; Arora, Du, Hu, Li, Salakhutdinov, Wang (2019), On Exact Computation with an Infinitely Wide
            Neural Net, NeurIPS
Chance      Each interval misses with probability 5 % if the effects of seeds are normal; five seeds cannot show that
            they are. All seeds draw from one pool of training images and share the test images. Intervals are
            conditional on both: the standard error that is due to the test images is told beside them
"""
