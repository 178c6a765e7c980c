"""The papers that the expectations rest on, and what an expectation is.

A theorem has its number only where the text of the paper was at hand; elsewhere the abstract says what is proved.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Source:
    """A paper. place: where it was published, with volume and pages or with its number at arXiv."""

    authors: str
    year: int
    title: str
    place: str

    def __str__(self) -> str:
        return f"{self.authors} ({self.year}), {self.title}, {self.place}"


@dataclasses.dataclass(frozen=True)
class Expectation:
    """What a source leads one to expect of an answer.

    families: names of optimizer classes, such as SGD. question: its key. says: the answers that agree with it. source:
    authors, year, title, with the place of publication. proves: what is proved there, and under which hypotheses.
    where: for an answer that is another one, the hypothesis that the profile does not meet, as far as it is known.
    without, uses: settings that are zero or off in the source, and settings that are not.
    """

    families: tuple[str, ...]
    question: str
    says: tuple[str, ...]
    source: str
    proves: str
    where: str = ""
    without: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()


ARORA_2018 = Source(
    "Arora, Cohen, Hazan",
    2018,
    "On the optimization of deep networks: implicit acceleration by overparameterization",
    "ICML, arXiv:1802.06509",
)
BERNSTEIN_2024 = Source("Bernstein, Newhouse", 2024, "Old optimizer, new norm: an anthology", "arXiv:2409.20325")
CHEN_2024 = Source(
    "Chen, Liu, Liang, Liu",
    2024,
    "Lion secretly solves constrained optimization: as Lyapunov predicts",
    "ICLR, arXiv:2310.05898",
)
CHEN_2025 = Source("Chen, Li, Liu", 2025, "Muon optimizes under spectral norm constraints", "arXiv:2506.15054")
COHEN_2021 = Source(
    "Cohen, Kaur, Li, Kolter, Talwalkar",
    2021,
    "Gradient descent on neural networks typically occurs at the edge of stability",
    "ICLR, arXiv:2103.00065",
)
COHEN_2022 = Source("Cohen et al.", 2022, "Adaptive gradient methods at the edge of stability", "arXiv:2207.14484")
DEFAZIO_2024 = Source("Defazio et al.", 2024, "The road less scheduled", "NeurIPS, arXiv:2405.15682")
DU_2018 = Source(
    "Du, Hu, Lee",
    2018,
    "Algorithmic regularization in learning deep homogeneous models: layers are automatically balanced",
    "NeurIPS 31, 384-395",
)
FAN_2025 = Source(
    "Fan, Schmidt, Thrampoulidis",
    2025,
    "Implicit bias of spectral descent and Muon on multiclass separable data",
    "NeurIPS, arXiv:2502.04664",
)
GIDEL_2019 = Source(
    "Gidel, Bach, Lacoste-Julien",
    2019,
    "Implicit regularization of discrete gradient dynamics in linear neural networks",
    "NeurIPS 32, 3202-3211",
)
GOH_2017 = Source("Goh", 2017, "Why momentum really works", "Distill")
GUNASEKAR_2017 = Source(
    "Gunasekar, Woodworth, Bhojanapalli, Neyshabur, Srebro",
    2017,
    "Implicit regularization in matrix factorization",
    "NeurIPS, arXiv:1705.09280",
)
GUNASEKAR_2018 = Source(
    "Gunasekar, Lee, Soudry, Srebro",
    2018,
    "Characterizing implicit bias in terms of optimization geometry",
    "ICML, PMLR 80, 1832-1841",
)
GUPTA_2018 = Source(
    "Gupta, Koren, Singer", 2018, "Shampoo: preconditioned stochastic tensor optimization", "ICML, PMLR 80, 2956-2964"
)
KINGMA_2015 = Source("Kingma, Ba", 2015, "Adam: a method for stochastic optimization", "ICLR, arXiv:1412.6980")
LI_2021 = Source(
    "Li, Luo, Lyu",
    2021,
    "Towards resolving the implicit bias of gradient descent for matrix factorization: greedy low-rank learning",
    "ICLR, arXiv:2012.09839",
)
LOSHCHILOV_2019 = Source("Loshchilov, Hutter", 2019, "Decoupled weight decay regularization", "ICLR, arXiv:1711.05101")
MA_2018 = Source(
    "Ma, Bassily, Belkin",
    2018,
    "The power of interpolation: understanding the effectiveness of SGD in modern over-parametrized learning",
    "ICML, arXiv:1712.06559",
)
MAES_2024 = Source(
    "Maes et al.", 2024, "Understanding Adam requires better rotation dependent assumptions", "arXiv:2410.19964"
)
MALLADI_2022 = Source(
    "Malladi, Lyu, Panigrahi, Arora",
    2022,
    "On the SDEs and scaling rules for adaptive gradient algorithms",
    "NeurIPS 35, arXiv:2205.10287",
)
MANDT_2017 = Source(
    "Mandt, Hoffman, Blei", 2017, "Stochastic gradient descent as approximate Bayesian inference", "JMLR 18, 1-35"
)
POLYAK_1964 = Source(
    "Polyak",
    1964,
    "Some methods of speeding up the convergence of iteration methods",
    "USSR Computational Mathematics and Mathematical Physics, doi:10.1016/0041-5553(64)90137-5",
)
QIAN_2019 = Source("Qian, Qian", 2019, "The implicit bias of AdaGrad on separable data", "NeurIPS 32, arXiv:1906.03559")
SAXE_2014 = Source(
    "Saxe, McClelland, Ganguli",
    2014,
    "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
    "ICLR, arXiv:1312.6120",
)
SHAZEER_2018 = Source(
    "Shazeer, Stern",
    2018,
    "Adafactor: adaptive learning rates with sublinear memory cost",
    "ICML, PMLR 80, 4596-4604",
)
SOUDRY_2018 = Source(
    "Soudry, Hoffer, Nacson, Gunasekar, Srebro",
    2018,
    "The implicit bias of gradient descent on separable data",
    "JMLR 19, 1-57",
)
VYAS_2025 = Source("Vyas et al.", 2025, "SOAP: improving and stabilizing Shampoo using Adam", "ICLR, arXiv:2409.11321")
WANG_2021 = Source(
    "Wang, Meng, Chen, Liu",
    2021,
    "The implicit bias for adaptive optimization algorithms on homogeneous neural networks",
    "ICML, arXiv:2012.06244",
)
WANG_2022 = Source(
    "Wang et al.",
    2022,
    "Does momentum change the implicit regularization on separable data?",
    "NeurIPS, arXiv:2110.03891",
)
WILSON_2017 = Source(
    "Wilson, Roelofs, Stern, Srebro, Recht",
    2017,
    "The marginal value of adaptive gradient methods in machine learning",
    "NeurIPS 30",
)
WOODWORTH_2020 = Source(
    "Woodworth et al.",
    2020,
    "Kernel and rich regimes in overparametrized models",
    "COLT, PMLR 125, 3635-3673, arXiv:1906.05827",
)
XIE_2024 = Source(
    "Xie, Li",
    2024,
    "Implicit bias of AdamW: l-infinity norm constrained optimization",
    "ICML, Theorem 1.1, arXiv:2404.04454",
)
ZHANG_2024 = Source(
    "Zhang, Zou, Cao", 2024, "The implicit bias of Adam on separable data", "NeurIPS 37, arXiv:2406.10650"
)
ZHUANG_2022 = Source(
    "Zhuang, Liu, Cutkosky, Orabona",
    2022,
    "Understanding AdamW through proximal methods and scale-freeness",
    "TMLR, arXiv:2202.00089",
)


def sources() -> list[Source]:
    """All of them, by author and year."""
    return sorted(
        (value for value in globals().values() if isinstance(value, Source)), key=lambda s: (s.authors, s.year)
    )
