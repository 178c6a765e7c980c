"""What the self-tests of profiles share: small profiles, made by hand."""

from collections.abc import Callable, Sequence

import pytest

from probes.profiles.answers import Answer, Measured, Status
from probes.profiles.profile import Profile
from probes.running.problem import Effort


@pytest.fixture(scope="session")
def profile_of() -> Callable[..., Profile]:
    """Makes a profile of one question with one number.

    values: of the instances. Other arguments: resolution, says (none is no answer, of this status), seed, name, and
    fields of Profile.
    """

    def make(
        values: Sequence[float] = (),
        *,
        resolution: float = 0.0,
        says: str = "yes",
        status: Status = Status.NOT_CONVERGED,
        seed: int = 0,
        name: str = "torch.optim:SGD",
        **fields: object,
    ) -> Profile:
        measured = Measured("distance", tuple(map(float, values)), resolution, control=(1.0,) * len(values))
        is_answered = Status.ANSWERED if says else status
        answer = Answer("interpolation", is_answered, says, "so it is", 0.1, (measured,), 0.5)
        return Profile(name, "SGD", Effort(seed=seed), (answer,), **fields)

    return make
