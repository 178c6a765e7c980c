r"""Section 2.2: initialization selects the minimum - different initialization leads to different global minima.

Section     2.2, third of the key properties
Printed     overparameterized and $\theta_0 \ne \theta_0'$ imply
            $\lim_t \theta_t(\theta_0) \ne \lim_t \theta_t(\theta_0')$
Source      Engl, Hanke, Neubauer (1996), Regularization of Inverse Problems (Landweber iteration); Gunasekar, Lee,
            Soudry, Srebro (2018), Characterizing Implicit Bias in Terms of Optimization Geometry
"""
