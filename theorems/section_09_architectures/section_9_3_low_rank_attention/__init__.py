r"""Section 9.3: low-rank attention - what trained transformers show, and where attention must, or need not, lose rank.

Section     9.3
Printed     Attention matrices converge often to structures of low rank, and so select simpler patterns of interaction
            between tokens implicitly
Setting     Tokens $x_1, \dots, x_T$ are the rows of $X$. The logits are $A_{ij} = x_j^\top W x_i$, and the attention
            weights are $P = \operatorname{softmax}(A)$, row by row
Source      Roy, Vetterli (2007), The Effective Rank: A Measure of Effective Dimensionality, EUSIPCO; Wang, Li, Khabsa,
            Fang, Ma (2020), Linformer: Self-Attention with Linear Complexity, arXiv:2006.04768 (the observation on
            large transformers); Dong, Cordonnier, Loukas (2021), Attention is not all you need: pure attention loses
            rank doubly exponentially with depth, ICML; Dobrushin (1956), Central Limit Theorem for Nonstationary Markov
            Chains, Theory of Probability and its Applications. For the limits of trained attention, which we do not
            certify: Tarzanagh, Li, Thrampoulidis, Oymak (2023), Transformers as Support Vector Machines,
            arXiv:2308.16898; Sheen, Chen, Wang, Zhou (2024), Implicit Regularization of Gradient Flow on One-Layer
            Softmax Attention, arXiv:2403.08699. The two-sided laws are ours
"""
