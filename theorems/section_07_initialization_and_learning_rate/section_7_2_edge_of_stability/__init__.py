r"""Section 7.2: edge of stability - where the edge lies is exact; that training is there is measured, by a fixed rule.

Section     7.2
Printed     Recent work is said to show three things. $\eta \lambda_{\max}(H) \approx 2$ is an edge of stability;
            training often takes place there and oscillates; and this has good effects on implicit regularization
Setting     $S$ is the largest eigenvalue of the Hessian of the loss. Networks: two-layer networks of tanh, 10-8-1, with
            weights $N(0, 1/\text{fan-in})$, on 16 of 442 diabetes patients each, the loss $\frac1{2n} \sum r_i^2$,
            $\eta = 0.6$, 1200 steps. Minimal model: $L = \frac12 (uv - 1)^2$, $r = uv - 1$, $D = u^2 - v^2$; at a
            minimum the sharpness is $S = u^2 + v^2$
Source      Cohen, Kaur, Li, Kolter, Talwalkar (2021), Gradient Descent on Neural Networks Typically Occurs at the Edge
            of Stability, ICLR; Wu, Ma, E (2018), How SGD Selects the Global Minima in Over-parameterized Learning: A
            Dynamical Stability Perspective, NeurIPS; Lewkowycz, Bahri, Dyer, Sohl-Dickstein, Gur-Ari (2020), The Large
            Learning Rate Phase of Deep Learning: the Catapult Mechanism, arXiv 2003.02218; Ahn, Zhang, Sra (2022),
            Understanding the Unstable Convergence of Gradient Descent, ICML
Chance      No test can fail by chance. The rule for one run was fixed for the networks of seeds 700 to 707, before
            these were run. The rule for the population, its size and its step were fixed on seeds 0 to 31 and 100 to
            131, before seeds 7200 to 7231 had been run. Which rates are meant was put into words after these runs.
            Other rates were then fixed on seeds 0 to 31, before seeds 7400 to 7463 had been run
"""
