"""Self-tests of the trials of Experiment 3: beside descent and kernel regression written out in float64."""

import dataclasses

import numpy as np
import pytest

from fixtures.datasets.images import load_images
from fixtures.kernels.infinite_width import relu_ntk
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.sweeps.memory_context import MemoryContext, StoppedError
from fixtures.sweeps.trials import Trial
from fixtures.training.answers import unpack_answers
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.section_10_experiments.width import InfiniteKernelTrial, NetworkTrial, largest_curvature, split

pytestmark = pytest.mark.slow

U32 = 2.0**-24


def trial(size=20, **changes):
    """Six steps of a network of 64-8-10, on fewer digits than pixels unless size says otherwise."""
    plan = {"parameterization": "ntk", "width": 8, "seed": 3, "target": 0.0, "cap": 6}
    return NetworkTrial("digits", size, 40, 50, **{**plan, **changes})


class WrittenOut:
    """The network of a trial in float64: its weights, its values k_2 a relu(k_1 W x), its Jacobian by the formula."""

    def __init__(self, it):
        self.trial, self.parts = it, split(load_images("digits"), it.size, it.validation, it.test, it.seed, "cpu")
        network = it.network(64, 10)
        self.W, self.a = (layer.weight.detach().double().numpy() for layer in network.layers)
        (self.k, self.rates) = zip(*((scale.multiplier, scale.rate) for scale in network.scales), strict=True)
        self.start = self.W.copy(), self.a.copy()
        scale = 8.0 if it.parameterization == "standard" else 1.0
        self.x = [scale * rows.numpy() for rows in (self.parts.train, self.parts.validation, self.parts.test)]
        self.y = [wanted.numpy() for wanted in self.parts.wanted]

    def values(self, which):
        h = self.k[0] * self.x[which] @ self.W.T
        return self.k[1] * np.maximum(h, 0) @ self.a.T

    def loss(self):
        return ((self.values(0) - self.y[0]) ** 2).sum(1).mean()

    def accuracy(self, which, values=None):
        values = self.values(which) if values is None else values
        return float((values.argmax(1) == self.y[which].argmax(1)).mean())

    def jacobian(self, which):
        """(images, classes, weights), the weights of the first layer first."""
        x = self.x[which]
        h = self.k[0] * x @ self.W.T
        first = self.k[0] * self.k[1] * np.einsum("kj,nj,nd->nkjd", self.a, h > 0, x)
        last = self.k[1] * np.einsum("kl,nj->nklj", np.eye(10), np.maximum(h, 0))
        return np.concatenate([first.reshape(len(x), 10, -1), last.reshape(len(x), 10, -1)], axis=2)

    def kernel(self):
        J = self.jacobian(0)[: self.trial.sample].reshape(-1, self.W.size + self.a.size)
        return J @ J.T

    def descend(self, curvature):
        velocity, it = [np.zeros_like(self.W), np.zeros_like(self.a)], self.trial
        batch = it.batch or it.size
        orders = [np.random.default_rng([it.seed, epoch]).permutation(it.size) for epoch in range(it.cap)]
        for rows in np.concatenate(orders)[: it.cap * batch].reshape(it.cap, batch):
            error = 2 / batch * (self.values(0) - self.y[0])[rows]
            slope = np.einsum("nk,nkp->p", error, self.jacobian(0)[rows])
            slopes = slope[: self.W.size].reshape(self.W.shape), slope[self.W.size :].reshape(self.a.shape)
            velocity = [it.momentum * v + g for v, g in zip(velocity, slopes, strict=True)]
            rates = [it.share / curvature * rate for rate in self.rates]
            self.W, self.a = (w - rate * v for w, rate, v in zip((self.W, self.a), rates, velocity, strict=True))


@pytest.mark.parametrize("antisymmetric", [True, False])
@pytest.mark.parametrize("parameterization", ["standard", "ntk", "mean-field"])
@pytest.mark.parametrize(("size", "batch"), [(20, None), (80, None), (80, 40)])
def test_movement_loss_and_kernel_change_are_those_of_heavy_ball_descent_on_all_pixels(
    size, batch, parameterization, antisymmetric
):
    it = trial(size, parameterization=parameterization, antisymmetric=antisymmetric, batch=batch)
    # when   the trial descends, in the span of its images where these are few
    result = it.run(MemoryContext())
    written = WrittenOut(it)
    looks = [(written.accuracy(1), written.accuracy(2))]
    written.descend(result["curvature"])
    looks.append((written.accuracy(1), written.accuracy(2)))
    best = int(looks[1][0] > looks[0][0])
    moved = np.sqrt(sum(((b - a) ** 2).sum() for a, b in zip(written.start, (written.W, written.a), strict=True)))
    norm = np.sqrt(sum((a**2).sum() for a in written.start))
    K_0, K_t = WrittenOut(it).kernel(), written.kernel()
    change = np.linalg.norm(K_t - K_0, 2) / np.linalg.norm(K_0, 2)
    # then   up to float32: six steps of sums of 80 and fewer products; |theta_0| is rounded in what moved
    pairs = {"moved": (moved, norm), "relative": (moved / norm, 1), "loss": (written.loss(), 0), "kernel": (change, 1)}
    for name, (expected, beside) in pairs.items():
        assert_within(expected, result[name], expected, slack=2**10 * U32 * (expected + beside), why=name)
    # then   a validation image whose two largest values agree to rounding would be a coincidence
    assert_identical((result["validation"], result["test"]), looks[1], why="accuracies at the end")
    assert_identical((result["best_validation"], result["best_test"]), looks[best], why="at the better of two looks")
    assert_identical(result["best_step"], 6 * best, why="the first of the best")
    right = round(50 * result["best_test"])
    assert_identical(
        50 - unpack_answers(result["best_test_wrong"]).sum(), right, why="test images that are answered rightly"
    )


def test_splits_are_apart_of_unit_length_and_centered_by_the_training_images():
    images = load_images("digits")
    parts = split(images, 20, 40, 50, 3, "cpu")
    # then   the rows of some training images less one vector, over their length
    rows = images.train[np.random.default_rng([3, 20]).permutation(1000)[:60]].reshape(60, 64) / 16
    rows = np.concatenate([rows, images.test[:50].reshape(50, 64) / 16]) - rows[:20].mean(0)
    found = np.concatenate([part.numpy() for part in (parts.train, parts.validation, parts.test)])
    error = np.abs(found - rows / np.linalg.norm(rows, axis=1)[:, None])
    assert_at_most(error.max(), 64 * UNIT_ROUNDOFF, why="rows")
    assert_identical(parts.wanted[2].argmax(1).numpy(), images.test_labels[:50], why="targets of the test images")


def test_seeds_draw_other_images_and_other_weights():
    first, second = (WrittenOut(trial(seed=seed)) for seed in (3, 4))
    assert not np.array_equal(first.x[0], second.x[0])
    assert not np.array_equal(first.W, second.W)
    assert not np.array_equal(first.W, WrittenOut(trial(width=16)).W[:8])


def test_an_antisymmetric_start_is_the_function_zero():
    # given  sums of eight products that cancel in pairs, in any order
    written = WrittenOut(trial())
    products = written.k[1] * np.maximum(written.x[0] @ written.W.T, 0) @ np.abs(written.a).T
    assert_at_most(np.abs(written.values(0)), 8 * UNIT_ROUNDOFF * products, why="f_0")
    assert_at_most(1e-3, np.abs(WrittenOut(trial(antisymmetric=False)).values(0)).max(), why="f_0 of another start")


def test_a_network_that_is_killed_at_every_checkpoint_ends_as_one_that_never_was():
    for batch in (None, 20):
        it = trial(size=60, cap=60, batch=batch)
        undisturbed, result, context = it.run(MemoryContext()), None, MemoryContext(stop_after=1)
        while result is None:
            try:
                result = it.run(context)
            except StoppedError:
                context = MemoryContext(stop_after=1, saved=context.saved)
        assert result == undisturbed
        assert Trial.from_json(it.to_json()) == it


@pytest.mark.parametrize("batch", [None, 20])
def test_the_best_step_before_a_checkpoint_is_still_the_best_after_it(batch):
    it = trial(size=60, cap=100, batch=batch, seed=5)
    undisturbed, context = it.run(MemoryContext()), MemoryContext(stop_after=4)
    # given  the last of four checkpoints, after step 80, of a network that was at its best before it
    assert 0 < undisturbed["best_step"] < 80
    with pytest.raises(StoppedError):
        it.run(context)
    assert it.run(MemoryContext(saved=context.saved)) == undisturbed


def test_a_step_far_beyond_the_limit_of_stability_diverges_and_is_a_result():
    result = trial(share=100.0, cap=60).run(MemoryContext())
    assert result["diverged"]
    assert not result["reached"]
    assert_at_most(result["steps"], 59, why="steps, of sixty")
    assert_identical([result[key] for key in ("moved", "relative", "kernel", "loss", "test")], [None] * 5, why="no end")


@pytest.mark.parametrize(("size", "validation", "test"), [(600, 401, 50), (1001, 0, 50), (20, 40, 798)])
def test_more_images_than_there_are_are_refused(size, validation, test):
    with pytest.raises(ValueError, match=rf"^digits has 1000 \+ 797 images, and {size} \+ {validation} \+ {test} are"):
        split(load_images("digits"), size, validation, test, 3, "cpu")


def test_full_batch_descent_stops_at_the_first_step_whose_loss_is_small_enough():
    plain = trial(cap=40).run(MemoryContext())
    stopped = trial(cap=40, target=plain["loss"] * 1.5).run(MemoryContext())
    again = trial(cap=stopped["steps"] - 1).run(MemoryContext())
    assert stopped["reached"]
    assert not plain["reached"]
    assert_at_most(
        [stopped["loss"], plain["loss"] * 1.5], [plain["loss"] * 1.5, again["loss"]], why="loss, step before"
    )


def test_curvature_is_what_twelve_power_steps_find_of_the_tangent_hessian():
    import torch

    it = trial(parameterization="mean-field")
    written = WrittenOut(it)
    inputs = torch.from_numpy(written.x[0]).float()
    found = largest_curvature(it.network(64, 10), inputs)
    J = written.jacobian(0).reshape(200, -1)
    rates = np.repeat(written.rates, [written.W.size, written.a.size])
    M = 2 / 20 * (J * rates) @ J.T
    v = torch.randn(20, 10, generator=torch.Generator().manual_seed(0)).numpy().ravel().astype(float)
    for _ in range(12):
        v = M @ (v / np.linalg.norm(v))
    expected = np.linalg.norm(v)
    assert_within(expected, found, expected, slack=2**10 * U32 * expected, why="2/n |J R J'| by power steps")
    assert_at_most(expected, np.linalg.eigvalsh((M + M.T) / 2)[-1] * (1 + 200 * U32), why="from below")


def ridge_accuracies(K, targets, predictors, written, kept=(0.0, 0.0)):
    """Validation and test accuracy of each ratio of the grid; predictors: kernels at the two splits."""
    found = {}
    for exponent in range(-10, 3):
        ridge = 10.0**exponent * np.trace(K)
        alpha = np.linalg.solve(K + ridge * np.eye(len(K)), targets)
        values = [f_0 + (P @ alpha).reshape(-1, 10) for P, f_0 in zip(predictors, kept, strict=True)]
        found[exponent] = [written.accuracy(which, value) for which, value in enumerate(values, 1)]
    return found


def assert_tuned(told, expected, why):
    """The tuned regression is one of the best on the validation split, and its accuracies are the expected ones."""
    exponents = np.rint(np.log10(told["ratios"])).astype(int)
    assert_identical(told["validation"], [expected[e][0] for e in exponents], why=f"{why}: validation accuracies")
    assert_identical(told["best_validation"], max(told["validation"]), why=f"{why}: the best")
    chosen = round(np.log10(told["ratio"]))
    assert_identical(expected[chosen][0], told["best_validation"], why=f"{why}: the chosen ridge")
    assert_identical(told["test"], expected[chosen][1], why=f"{why}: test accuracy")
    wrong = unpack_answers(told["test_wrong"])
    assert_identical(len(wrong) - wrong.sum(), round(len(wrong) * told["test"]), why=f"{why}: right answers")


@pytest.mark.parametrize("centered", [True, False])
def test_linearizations_are_kernel_regressions_with_the_jacobian_at_the_start(centered):
    it = dataclasses.replace(trial(parameterization="standard", cap=0), antisymmetric=False, linearize=True)
    told = it.run(MemoryContext())["linearization" if centered else "linearization_with_f0"]
    written = WrittenOut(it)
    J, *others = (written.jacobian(which).reshape(-1, 8 * 74) for which in range(3))
    values = [np.zeros_like(y) if centered else written.values(which) for which, y in enumerate(written.y)]
    targets = (written.y[0] - values[0]).ravel()
    expected = ridge_accuracies(J @ J.T, targets, [other @ J.T for other in others], written, values[1:])
    assert_tuned(told, expected, "J J'")


def test_the_infinite_kernel_is_tuned_and_centered():
    it = InfiniteKernelTrial("digits", 60, 40, 50, seed=3)
    told = it.run(MemoryContext())
    written = WrittenOut(trial(60))
    x = written.x
    expected = ridge_accuracies(relu_ntk(x[0], x[0]), written.y[0], [relu_ntk(rows, x[0]) for rows in x[1:]], written)
    assert_tuned(told, expected, "infinite width")
