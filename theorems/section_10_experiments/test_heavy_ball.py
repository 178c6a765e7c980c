"""Self-tests: the networks of Experiment 3 beside heavy-ball descent written out in float64."""

import numpy as np
import pytest

from fixtures.precision import rounding
from fixtures.sweeps.memory_context import MemoryContext, StoppedError
from fixtures.sweeps.trials import Trial
from fixtures.training.answers import unpack_answers
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.section_10_experiments.written_out import U32, WrittenOut, trial

pytestmark = pytest.mark.slow


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


def test_an_antisymmetric_start_is_the_function_zero():
    # given  sums of eight products that cancel in pairs, in any order
    written = WrittenOut(trial())
    products = written.k[1] * np.maximum(written.x[0] @ written.W.T, 0) @ np.abs(written.a).T
    assert_at_most(np.abs(written.values(0)), rounding(8, products), why="f_0")
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


def test_full_batch_descent_stops_at_the_first_step_whose_loss_is_small_enough():
    plain = trial(cap=40).run(MemoryContext())
    stopped = trial(cap=40, target=plain["loss"] * 1.5).run(MemoryContext())
    again = trial(cap=stopped["steps"] - 1).run(MemoryContext())
    assert stopped["reached"]
    assert not plain["reached"]
    assert_at_most(
        [stopped["loss"], plain["loss"] * 1.5], [plain["loss"] * 1.5, again["loss"]], why="loss, step before"
    )
