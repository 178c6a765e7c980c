r"""Section 9.3: sparse attention - what trained transformers show, and when one token must take all the attention.

Section     9.3
Printed     The parameterization is dense, and learned attention patterns are nevertheless often sparse: they focus on
            relevant tokens, which selects features implicitly
Source      Mei, Xiao, Szepesvari, Schuurmans (2020), On the Global Convergence Rates of Softmax Policy Gradient
            Methods, ICML (the rate 1/t and a lower bound of its order); Tarzanagh, Li, Thrampoulidis, Oymak (2023),
            Transformers as Support Vector Machines, arXiv:2308.16898 (which token is selected). The constants, and that
            no step is too large, are ours
"""
