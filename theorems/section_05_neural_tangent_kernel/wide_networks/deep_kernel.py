"""The tangent kernel of a network with two hidden layers: its distance from the limit, and its change during training.

A ReLU network of widths (d, m, m, 1) in the NTK parameterization is f(x) = m^(-1/2) a . s(W_2 phi(x)) with the features
phi(x) = m^(-1/2) s(W_1 x). Given W_1 it is a network of one hidden layer on these features. Its kernel is K_1 + K_23.
K_1 is the contribution of W_1. K_23 is that of the layers above it, and equals the kernel of one hidden layer at the
features.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.linalg import norm

from fixtures.kernels.infinite_width import angles, arc_cosine_0, arc_cosine_1, relu_nngp, relu_ntk
from properties.lazy_training import LazyRadius, spectral
from properties.statistics.concentration import Deviations, chernoff, relu_nngp_log_mgf, relu_ntk_deviations
from theorems.section_05_neural_tangent_kernel.wide_networks.deep_network import DeepNetwork
from theorems.section_05_neural_tangent_kernel.wide_networks.network_rounding import share_rounding


@dataclasses.dataclass(frozen=True)
class Share:
    """A computed matrix (n, n), its limit as the width grows, and the distance allowed between them, entry by entry."""

    value: np.ndarray
    limit: np.ndarray
    allowed: np.ndarray


def deep_relu_shares(net: DeepNetwork, X: np.ndarray, false_alarm: float) -> tuple[Share, Share, Share, Share]:
    """Four matrices, each with its limit given the layers below: products of features, K_23, gates, and K_1.

    net: two hidden ReLU layers of one width m, all weights independent standard normal. X (n, d): no row is zero. r and
    r_1: the correlations of the inputs and of the features.

    Limits: |x||x'|k_1(r) for the products; the kernel of one hidden layer at the features for K_23; k_0(r) k_0(r_1) for
    the gates; and x.x' times the gates for K_1. As m grows, r_1 tends to the correlation of the NNGP, so K_23 + K_1
    tends to `relu_ntk` of two hidden layers. All entries of all four matrices are within `allowed` except with
    probability 12 false_alarm.

    Proof. The products and K_23 are means of m independent terms (Chernoff). K_1 = x.x'/m^2 sum_k G_k q_k q'_k, where G
    says which neurons of the first layer are active for both inputs, q = W_2' v, and v = a 1(W_2 phi > 0). Given W_1,
    a, and the values h = W_2 phi and h' = W_2 phi', the matrix W_2 is [h h'] Phi^+ plus an independent Gaussian matrix
    times Pi, the projection off the features. So q = p + Pi N, where p = Phi^+' [h h']'v and (N, N') consists of
    independent normal pairs of covariance v.v'.

    The mean of sum G q q' is p'Gp' + v.v' tr(Pi G), which is m^2 times the gates. The deviation from this mean has
    three terms: two normal variables of deviations |v'||Pi G p| and |v||Pi G p'|, and N'Pi G Pi N' less its mean. The
    eigenvalues of Pi G Pi are at most 1, and at most tr G of them are not 0. So the log moment generating function of
    the third term is at most tr G times that of n n' less its mean, which is -(1/2)log(1 - 2 s
    rho - s^2(1 - rho^2)) - s rho for unit variances.

    Finally v.v'/m and tr G/m are means of independent terms with means k_0(r_1) and k_0(r). Pi takes at most 2 from tr
    G. p'Gp' is of order m, and it is known.
    """
    (_, below, above), (h_1, h_2, _) = net.forward(X)
    m, features = len(net.layers[1]), below / np.sqrt(len(net.layers[1]))
    active, v = (h_1 > 0).astype(float), net.layers[2][0] * (h_2 > 0)
    lengths = norm(X, axis=1)[:, None] * norm(X, axis=1)
    reach = norm(features, axis=1)[:, None] * norm(features, axis=1)
    r, r_1 = np.cos(angles(X)), np.cos(angles(features))
    both, both_1 = arc_cosine_0(r), arc_cosine_0(r_1)

    with np.errstate(divide="ignore"):
        products = _wider(
            chernoff(lambda s: relu_nngp_log_mgf(r, s), arc_cosine_1(r), m, false_alarm, domain=(-np.inf, 1 / (1 + r)))
        )
    one_layer = _wider(relu_ntk_deviations(r_1, m, false_alarm))
    counted = _wider(chernoff(lambda s: np.log1p(both * np.expm1(s)), both, m, false_alarm, domain=(-np.inf, 700.0)))
    weighted = _wider(
        chernoff(
            lambda s: np.log1p(both_1 * ((1 - 2 * s) ** -0.5 - 1)), both_1, m, false_alarm, domain=(-np.inf, 1 / 2)
        )
    )
    gates, known, given = np.zeros_like(r), np.zeros_like(r), np.zeros_like(r)
    for i, j in np.ndindex(r.shape):
        own = features[[i, j]].T, h_2[[i, j]].T, v[[i, j]], active[i] * active[j]
        gates[i, j], known[i, j], given[i, j] = (part / m**2 for part in _given_the_values(*own, false_alarm))

    slack, products_of_X = share_rounding(m, X.shape[1]) * lengths, X @ X.T
    signal = active * (v @ net.layers[1])
    return (
        Share(features @ features.T, relu_nngp(X), lengths * products + slack),
        Share(
            above @ above.T / m + (features @ features.T) * (v @ v.T) / m, relu_ntk(features), reach * one_layer + slack
        ),
        Share(gates, both * both_1, both_1 * counted + both * weighted + counted * weighted + known + slack / lengths),
        Share(products_of_X * (signal @ signal.T) / m**2, products_of_X * gates, np.abs(products_of_X) * given + slack),
    )


def _wider(sides: Deviations) -> np.ndarray:
    return np.maximum(sides.below, sides.above)


def _given_the_values(
    Phi: np.ndarray, H: np.ndarray, v: np.ndarray, G: np.ndarray, false_alarm: float
) -> tuple[float, float, float]:
    """Given W_1, a and W_2 Phi = H (m, 2): the mean of sum_k G_k q_k q'_k, |mean - v.v' tr G|, and the deviation.

    v (2, m), G (m,).
    """
    inverse, sizes, product = np.linalg.pinv(Phi), norm(v, axis=1), v[0] @ v[1]
    scale = sizes[0] * sizes[1]
    if not G.any() or scale == 0:
        return 0.0, 0.0, 0.0
    p = [inverse.T @ (H.T @ own) for own in v]
    lost = np.sum(G * np.sum(Phi * inverse.T, axis=1))
    mean = (p[0] * G) @ p[1] + product * (G.sum() - lost)
    rho = np.clip(product / scale, -1, 1)
    with np.errstate(divide="ignore"):
        ends = (np.float64(-1) / (1 - rho), 1 / (1 + rho))
    found = chernoff(
        lambda s: -0.5 * np.log1p(-2 * s * rho - s**2 * (1 - rho**2)), rho, G.sum(), false_alarm, domain=ends
    )
    off = [norm(G * own - Phi @ (inverse @ (G * own))) for own in p]
    linear = np.sqrt(2 * np.log(2 / false_alarm)) * (sizes[1] * off[0] + sizes[0] * off[1])
    return mean, abs(mean - product * G.sum()), G.sum() * scale * _wider(found) + linear


def deep_turning_rate(start: DeepNetwork, X: np.ndarray, reach: float) -> float:
    """A constant C with |J(theta) - J(theta')|_F <= C |theta - theta'| for all theta, theta' within `reach` of `start`.

    For two hidden layers of one width m and tanh, where |s| <= 1, |s'| <= 1 and |s''| <= L. At standard normal weights
    and a fixed reach, C is of order 1/sqrt(m), up to the root of a logarithm.

    Proof. For one input x let phi = s(W_1 x), h = W_2 phi/sqrt(m), v = a s'(h), q = W_2'v, all at theta'. At a distance
    e from theta',

        |d phi| <= e|x| = e_1,   |dh| <= (e(|phi| + e_1) + |W_2|e_1)/sqrt(m) = e_2,   |dv| <= e + max|a| L e_2 = e_3,
        |dq| <= e(|v| + e_3) + |W_2|e_3 = e_4.

    The blocks of J are (q s'(W_1 x)) x'/m, v phi'/m and s(h)/sqrt(m). They turn by at most
    (e_4 + L max|q| e_1)|x|/m, (e_3(|phi| + e_1) + |v|e_1)/m and e_2/sqrt(m). Each of these bounds, divided by e, grows
    with e <= 2 reach and with the sizes at theta'. The sizes at theta' are at most those at `start` plus the same
    bounds for e = reach.

    Raises ValueError for other activations and depths.
    """
    if start.activation != "tanh" or len(start.layers) != 3:
        raise ValueError(f"no turning rate is known for {len(start.layers)} layers of weights and {start.activation}")
    (_, phi, _), (_, h, _) = start.forward(X)
    W, a = start.layers[1], start.layers[2][0]
    L, m, x, v = start.nonlinearity.curvature, len(W), norm(X, axis=1), a * start.nonlinearity.slope(h)
    at_start = _Sizes(norm(phi, axis=1), norm(v, axis=1), np.abs(v @ W).max(1), spectral(W), np.abs(a).max())
    e_1, _, e_3, e_4 = at_start.changes(reach, x, L, m)
    most = _Sizes(at_start.phi + e_1, at_start.v + e_3, at_start.q + e_4, at_start.W + reach, at_start.a + reach)
    e_1, e_2, e_3, e_4 = most.changes(2 * reach, x, L, m)
    first, second = (e_4 + L * most.q * e_1) * x / m, (e_3 * (most.phi + e_1) + most.v * e_1) / m
    return float(norm(np.concatenate([first, second, e_2 / np.sqrt(m)])) / (2 * reach))


@dataclasses.dataclass(frozen=True)
class _Sizes:
    """|phi|, |v| and max|q| for every input (n,), |W_2| and max|a|."""

    phi: np.ndarray
    v: np.ndarray
    q: np.ndarray
    W: float
    a: float

    def changes(self, e: float, x: np.ndarray, L: float, m: int) -> tuple[np.ndarray, ...]:
        """The bounds e_1, ..., e_4 of `deep_turning_rate`."""
        e_1 = e * x
        e_2 = (e * (self.phi + e_1) + self.W * e_1) / np.sqrt(m)
        e_3 = e + self.a * L * e_2
        return e_1, e_2, e_3, e * (self.v + e_3) + self.W * e_3


def deep_lazy_radius(start: DeepNetwork, X: np.ndarray, y: np.ndarray) -> LazyRadius:
    """The result of `lazy_radius`, for two hidden layers: its proof needs only a turning rate within the radius."""
    least = np.sqrt(np.linalg.eigvalsh(start.kernel(X))[0])
    radius = 4 * norm(start.predict(X) - y) / least
    return LazyRadius(radius, deep_turning_rate(start, X, radius) * radius / (least / 2), least)
