r"""The tangent kernel of two hidden layers: how far its draw may be from its limit, and how little training moves it.

A ReLU network of widths (d, m, m, 1) in the NTK parameterization is f(x) = m^(-1/2) a . s(W_2 phi(x)) with the features
phi(x) = m^(-1/2) s(W_1 x). Given W_1 it is a network of one hidden layer on these features. Its kernel is K_1 + K_23:
the share of W_1, and that of the layers above it, which is the kernel of one hidden layer at the features.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.linalg import norm

from fixtures.kernels.infinite_width import angles, arc_cosine_0, arc_cosine_1, relu_nngp, relu_ntk
from fixtures.models.deep_network import DeepNetwork
from fixtures.precision import UNIT_ROUNDOFF
from properties.concentration import Law, chernoff, relu_nngp_log_mgf, relu_ntk_deviations
from properties.lazy_training import LazyRadius, spectral


@dataclasses.dataclass(frozen=True)
class Share:
    """A computed matrix (n, n), what it tends to with the width, and how far it may be from that, entry by entry."""

    value: np.ndarray
    limit: np.ndarray
    allowed: np.ndarray


def deep_relu_shares(net: DeepNetwork, X: np.ndarray, false_alarm: float) -> tuple[Share, Share, Share]:
    """The products of the features, the share K_23, and the share K_1, each beside the limit given what is below it.

    net: two hidden ReLU layers of one width m, all weights independent standard normal; X (n, d), whose rows are not
    zero. The limits are |x||x'|k_1(r); the kernel of one hidden layer at the features; and x.x' k_0(r) k_0(r_1), with
    the correlations r of the inputs and r_1 of the features. As m grows r_1 tends to that of the NNGP, so that the sum
    of the last two tends to `relu_ntk` of two hidden layers. Every entry is within `allowed` but for 14 false_alarm.

    Proof. Products and K_23 are means of m independent terms (Chernoff). K_1 = x.x'/m^2 sum_k G_k q_k q'_k, where G
    says which neurons of the first layer are active for both, q = W_2' v, and v = a 1(W_2 phi > 0). Given W_1, a, and
    the values h = W_2 phi and h' = W_2 phi', the matrix W_2 is [h h'] Phi^+ plus an independent Gaussian matrix times
    the projection Pi off the features. So q = p + Pi N with p = Phi^+' [h h']'v and independent normal pairs of
    covariance v.v' in (N, N'). Hence sum G q q' is p'Gp' + v.v' tr(Pi G), plus two normal variables of deviations
    |v'||Pi G p| and |v||Pi G p'|, plus N'Pi G Pi N' less its mean. The eigenvalues of Pi G Pi are at most 1, and no
    more than tr G of them are not 0. So the log moment generating function of the last is at most tr G times that of
    n n' less its mean, which is -(1/2)log(1 - 2 s rho - s^2(1 - rho^2)) - s rho for unit variances. Finally v.v'/m and
    tr G/m are means of independent terms of means k_0(r_1) and k_0(r), Pi takes 2 at most from tr G, and given the
    second layer [h h']'v is normal in a.
    """
    (_, below, above), (h_1, h_2, _) = net.forward(X)
    m, a = len(net.layers[1]), net.layers[2][0]
    features, active_1, active_2 = below / np.sqrt(m), (h_1 > 0).astype(float), (h_2 > 0).astype(float)
    lengths = norm(X, axis=1)[:, None] * norm(X, axis=1)
    r, r_1 = np.cos(angles(X)), np.cos(angles(features))

    with np.errstate(divide="ignore"):
        products = lengths * _wider_side(
            lambda s: relu_nngp_log_mgf(r, s), arc_cosine_1(r), m, false_alarm, 1 / (1 + r)
        )
    one_layer = relu_ntk_deviations(r_1, m, false_alarm)
    reach = norm(features, axis=1)[:, None] * norm(features, axis=1)
    upper = reach * np.maximum(one_layer.below, one_layer.above)

    both, both_1 = arc_cosine_0(r), arc_cosine_0(r_1)
    counted = _wider_side(lambda s: np.log1p(both * np.expm1(s)), both, m, false_alarm, 700.0) + 2 / m
    weighted = _wider_side(lambda s: np.log1p(both_1 * ((1 - 2 * s) ** -0.5 - 1)), both_1, m, false_alarm, 1 / 2)
    share = both_1 * counted + both * weighted + counted * weighted
    v, z = a * active_2, np.sqrt(2 * np.log(4 / false_alarm))
    signal = v @ net.layers[1]
    for i, j in np.ndindex(r.shape):
        share[i, j] += (
            _given_the_values(features[[i, j]].T, h_2[[i, j]].T, v[[i, j]], active_1[i] * active_1[j], z, false_alarm)
            / m**2
        )
    slack = 64 * m * UNIT_ROUNDOFF * lengths
    lowest = (X @ X.T) * ((active_1 * signal)[:, None] * (active_1 * signal)[None]).sum(-1) / m**2
    highest = above @ above.T / m + (features @ features.T) * (v @ v.T) / m
    return (
        Share(features @ features.T, relu_nngp(X), products + slack),
        Share(highest, relu_ntk(features), upper + slack),
        Share(lowest, (X @ X.T) * both * both_1, np.abs(X @ X.T) * share + slack),
    )


def _wider_side(log_mgf: Law, mean: np.ndarray, count: int, false_alarm: float, end: float | np.ndarray) -> np.ndarray:
    """The larger of the two deviations of `chernoff`; any end of the domain, infinite or not, gives a valid one."""
    found = chernoff(log_mgf, mean, count, false_alarm, domain=(-np.inf, end))
    return np.maximum(found.below, found.above)


def _given_the_values(
    Phi: np.ndarray, H: np.ndarray, v: np.ndarray, G: np.ndarray, z: float, false_alarm: float
) -> float:
    """How far sum_k G_k q_k q'_k may be from v.v' tr(Pi G), given W_1, W_2 Phi = H (m, 2) and a; v (2, m), G (m,)."""
    inverse = np.linalg.pinv(Phi)
    sizes = norm(v, axis=1)
    scale = sizes[0] * sizes[1]
    if not G.any() or scale == 0:
        return 0.0
    rho = np.clip(v[0] @ v[1] / scale, -1, 1)
    with np.errstate(divide="ignore"):
        ends = (np.float64(-1) / (1 - rho), 1 / (1 + rho))
    found = chernoff(
        lambda s: -0.5 * np.log1p(-2 * s * rho - s**2 * (1 - rho**2)), rho, G.sum(), false_alarm, domain=ends
    )
    quadratic = G.sum() * scale * max(found.below, found.above)
    p = [inverse.T @ (H.T @ own) for own in v]
    off = [norm(G * own - Phi @ (inverse @ (G * own))) for own in p]
    spreads = [np.sqrt(np.sum((own != 0) * np.sum(H**2, axis=1))) for own in v]
    return quadratic + z * (sizes[1] * off[0] + sizes[0] * off[1]) + (norm(inverse, 2) * z) ** 2 * np.prod(spreads)


def deep_turning_rate(start: DeepNetwork, X: np.ndarray, reach: float) -> float:
    """A constant C with |J(theta) - J(theta')|_F <= C |theta - theta'| for all theta, theta' within `reach` of `start`.

    For two hidden layers of one width m and tanh, where |s| <= 1, |s'| <= 1 and |s''| <= L. Of order 1/sqrt(m), up to
    the root of a logarithm. For one input x, with phi = s(W_1 x), h = W_2 phi/sqrt(m), v = a s'(h), q = W_2'v, all at
    theta', a distance e gives

        |d phi| <= e|x| = e_1,   |dh| <= (e(|phi| + e_1) + |W_2|e_1)/sqrt(m) = e_2,   |dv| <= e + max|a| L e_2 = e_3,
        |dq| <= e(|v| + e_3) + |W_2|e_3 = e_4,

    and the blocks of J, (q s'(W_1 x)) x'/m, v phi'/m and s(h)/sqrt(m), turn by at most (e_4 + L max|q| e_1)|x|/m,
    (e_3(|phi| + e_1) + |v|e_1)/m and e_2/sqrt(m). All of it divided by e grows with e <= 2 reach, and with the sizes at
    theta', which are at most those at `start` plus the same bounds for e = reach.

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
    """What `lazy_radius` says of two layers, for two hidden ones: its proof needs only a turning rate within reach."""
    least = np.sqrt(np.linalg.eigvalsh(start.kernel(X))[0])
    radius = 4 * norm(start.predict(X) - y) / least
    return LazyRadius(radius, deep_turning_rate(start, X, radius) * radius / (least / 2), least)
