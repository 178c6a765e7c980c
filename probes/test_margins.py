"""Self-tests: planted steepest descents are named by their norm, and what follows no norm is not named."""

import functools

import numpy as np
import pytest
import torch

from fixtures.problems.batches import stack
from fixtures.problems.margin_geometry import MATRIX_LENGTH, VECTOR_LENGTH, read_signed_matrices, read_signed_vectors
from probes.measures import margins
from probes.measures.margins import conclude, geometry_of, read_run
from probes.profiles.answers import Answering, Status
from probes.profiles.questions import all_questions, ask
from probes.question_3_margins import MATRIX_NORMS, VECTOR_NORMS
from probes.running.candidate import Candidate, gradient_descent
from probes.running.problem import Effort
from probes.running.run import Trained
from properties.certificates import assert_at_most, assert_identical
from properties.linear_models.margins_in_norms import NORMS, largest_margins, margin

pytest.importorskip("cvxpy", reason="needs the extra 'oracles'")
BRIEF = Effort(instances=4, steps=200)


class Planted(torch.optim.Optimizer):
    """Moves every parameter by lr times a function of its gradient, a weight (1, p) or (k, p)."""

    def __init__(self, params, direction, lr=0.1):
        super().__init__(params, {"lr": lr})
        self.direction = direction

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for weight in group["params"]:
                weight -= group["lr"] * self.direction(weight.grad)


def polar(gradient):
    left, _, right = torch.linalg.svd(gradient, full_matrices=False)
    return left @ right


def largest_entry(gradient):
    size = gradient.abs()
    return gradient.sign() * (size == size.max())


def leading_pair(gradient):
    left, _, right = torch.linalg.svd(gradient, full_matrices=False)
    return torch.outer(left[:, 0], right[0])


def turned(gradient):
    """The gradient after a fixed reflection, across (1, ..., 1, 0, ..., 0)."""
    normal = torch.zeros(gradient.shape[-1], dtype=gradient.dtype)
    normal[: gradient.shape[-1] // 2] = (2 / gradient.shape[-1]) ** 0.5
    return gradient - 2 * (gradient @ normal)[..., None] * normal


def planted(direction):
    return Candidate("planted", functools.partial(Planted, direction=direction), has_step=False)


def answer_of(key, candidate, effort=BRIEF):
    return ask(next(question for question in all_questions() if question.key == key), candidate, effort)


def normalized(gradient):
    return gradient / gradient.norm()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "direction", "says"),
    [
        ("vector margin", normalized, "l2"),
        ("vector margin", torch.sign, "l-infinity"),
        ("vector margin", largest_entry, "l1"),
        pytest.param("vector margin", polar, "l2", marks=pytest.mark.slow),
        pytest.param("matrix margin", normalized, "Frobenius", marks=pytest.mark.slow),
        ("matrix margin", torch.sign, "max"),
        ("matrix margin", polar, "spectral"),
        pytest.param("matrix margin", leading_pair, "nuclear", marks=pytest.mark.slow),
        pytest.param("matrix margin", largest_entry, "none named", marks=pytest.mark.slow),
    ],
)
def test_planted_steepest_descents_are_named_by_their_norm(key, direction, says):
    answer = answer_of(key, planted(direction))
    assert_identical((answer.status, answer.says), (Status.ANSWERED, says), why=answer.detail)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["vector margin", pytest.param("matrix margin", marks=pytest.mark.slow)])
def test_a_gradient_that_is_turned_by_a_fixed_rotation_is_not_named(key):
    answer = answer_of(key, planted(turned))
    assert_identical(answer.says in ("", "none named"), True, why=f"{answer.says}: {answer.detail}")


@pytest.mark.slow
@pytest.mark.parametrize("direction", [torch.zeros_like, torch.negative, lambda gradient: gradient / 0])
def test_what_stays_at_zero_or_climbs_or_diverges_is_not_converged(direction):
    answer = answer_of("matrix margin", planted(direction))
    assert_identical(answer.status, Status.NOT_CONVERGED, why="0 of 4 instances are separated")
    assert_identical(np.isnan(answer.measured[0].values).all(), True, why="no ratio where there is no margin")


@pytest.mark.slow
def test_plain_gradient_descent_is_named_and_rises_and_is_its_own_control():
    answer = answer_of("vector margin", gradient_descent())
    by_name = {measured.name: measured for measured in answer.measured}
    ratio = by_name["l2 margin / largest"]
    assert_identical(answer.says, "l2", why=answer.detail)
    assert_identical(ratio.values, ratio.control, why="the same code on the same instances")
    assert_at_most(0.99, ratio.values, why="after 200 steps; a vanishing gradient is not there yet")
    assert_at_most(0.001, by_name["rise from T/10 to T of the nearest"].values, why="it still rises after 20 steps")


@functools.cache
def vectors():
    return geometry_of(stack(BRIEF.draw("vector margin", read_signed_vectors, VECTOR_LENGTH)).Z, VECTOR_NORMS)


@functools.cache
def matrices():
    return geometry_of(stack(BRIEF.draw("matrix margin", read_signed_matrices, MATRIX_LENGTH)).Z, MATRIX_NORMS)


def read(W, early):
    """What is read of a run that ends at W, with these deficits after a tenth of its steps."""
    count = len(W)
    run = Trained((W,), np.zeros(count), np.zeros(count), np.ones(count, bool), 0.1, 4000, {400: early})
    return read_run(vectors(), run, 4000)


def maximizers(name):
    return largest_margins(NORMS[name], vectors().Z).W


def between(share, start="l2", end="l1"):
    """The points of margin 1 that lie this share of the way from the maximizers of one norm to those of another."""
    ends = [maximizers(name) / margin(vectors().Z, maximizers(name))[:, None] for name in (start, end)]
    return (1 - share) * ends[0] + share * ends[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", VECTOR_NORMS)
def test_a_maximizer_is_named_and_lacks_the_separation_in_other_norms(name):
    reading = read(maximizers(name), vectors().deficit(maximizers(name)))
    assert_identical(reading.named, name, why="at its own maximizer")
    others = [k for k, other in enumerate(VECTOR_NORMS) if other != name]
    assert_identical((reading.deficit >= vectors().separation)[others].all(), True, why="least over the other norms")


@pytest.mark.slow
def test_a_point_between_two_maximizers_is_named_only_near_one_of_them():
    named = [read(between(share), vectors().deficit(between(share))).named for share in (0, 0.1, 0.8, 1)]
    assert_identical(named, ["l2", "l2", None, "l1"], why="shares 0, 0.1, 0.8 and 1 of the way to l1")


def test_a_run_that_is_leaving_a_norm_is_not_named():
    W = between(0.1)
    came_nearer, goes_away = np.ones((3, 4)), np.zeros((3, 4))
    goes_away[1] = vectors().deficit(W)[1] - 0.25 * vectors().separation[1]
    assert_identical([read(W, early).named for early in (came_nearer, goes_away)], ["l2", None], why="the last decade")


@pytest.mark.slow
def test_one_instance_that_is_not_near_forbids_the_name():
    W = between(0, "l-infinity")
    W[2] = between(0.7, "l-infinity", "l2")[2]
    reading = read(W, vectors().deficit(W))
    assert_at_most(reading.share[2], 0.25, why="near l-infinity on average, so that the mean alone would name it")
    assert_identical(reading.named, None, why="three of four instances are near")


def test_norms_whose_maximizers_coincide_are_not_identifiable():
    answer, geometry = Answering("vector margin", VECTOR_NORMS), geometry_of(np.ones((4, 1, 5)), VECTOR_NORMS)
    W = np.ones((4, 5))
    run = Trained((W,), np.zeros(4), np.zeros(4), np.ones(4, bool), 0.1, 4000, {400: geometry.deficit(W)})
    conclude(answer, geometry, read_run(geometry, run, 4000))
    assert_identical(answer.outcome[0], Status.NOT_IDENTIFIABLE, why="(1, ..., 1) is a maximizer in every norm")


@pytest.mark.slow
def test_all_instances_of_a_profile_are_identifiable():
    effort = Effort()
    for key, read_one, length, names, least in (
        ("vector margin", read_signed_vectors, VECTOR_LENGTH, VECTOR_NORMS, 0.1),
        ("matrix margin", read_signed_matrices, MATRIX_LENGTH, MATRIX_NORMS, 0.08),
    ):
        geometry = geometry_of(stack(effort.draw(key, read_one, length)).Z, names)
        assert_identical((geometry.separation > least).all(), True, why=f"separation of {key}")
        assert_identical((geometry.gap < margins.GAP).all(), True, why=f"enclosures of {key}")


def test_without_the_extra_the_matrix_question_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    answer = answer_of("matrix margin", planted(polar))
    assert_identical(answer.status, Status.NOT_APPLICABLE, why=answer.detail)
    assert_identical("'oracles'" in answer.detail, True, why=answer.detail)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_maximizers_do_not_jump_when_the_data_move_by_a_hundred_thousandth(seed):
    # given   a norm with several maximizers, of which a solver returns another one for moved data
    rng = np.random.default_rng(seed)
    for geometry in (vectors(), matrices()):
        moved = geometry.Z + 1e-5 * rng.standard_normal(geometry.Z.shape)
        again = geometry_of(moved, geometry.names).separation
        assert_at_most(np.abs(again - geometry.separation), 0.01 * geometry.separation, why="the same maximizers")
