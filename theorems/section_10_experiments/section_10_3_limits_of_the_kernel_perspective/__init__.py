r"""Section 10.3: limits of the kernel perspective - whether practical widths leave the kernel regime and beat it.

Section     10.3
Printed     The observations of Experiment 3 confirm the limits of the NTK perspective for practical networks
Reading     The limits are those that section 5.3 lists and that widths can show: features stay as they are at the start
            in the NTK regime and are learned in practice; and at finite width the approximation by the kernel may fail.
            Practical networks are the narrow ones of the list, $m = 10$ and $100$, and the NTK regime is $m = 1000$ and
            $10000$
Setting     That of Experiment 3, and its runs: two-layer ReLU networks in the standard parameterization, trained to one
            loss and judged at their best step, kernels at their best ridge. Linearizations are of antisymmetric starts.
            Seeds are 500, 501, ...
Source      Chizat, Oyallon, Bach (2019), On Lazy Training in Differentiable Programming, NeurIPS; Lee, Schoenholz,
            Pennington, Adlam, Xiao, Novak, Sohl-Dickstein (2020), Finite Versus Infinite Neural Networks: an Empirical
            Study, NeurIPS
Chance      Each interval misses with probability 5 % if the effects of seeds are normal; five seeds cannot show that
            they are. All seeds share the test images, on which intervals are conditional: their own standard error is
            told beside them
"""
