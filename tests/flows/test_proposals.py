"""A person is told once of what waits for them."""

import pandas as pd
import pytest

from driftline.verdicts import TAKE_BACK, Window
from flows.monitor import is_proposal_new
from tests.support import make_problem


@pytest.mark.parametrize(
    ("who", "told", "is_new"),
    [
        ("person", {}, True),
        ("person", {"age": 2.0}, True),
        ("person", {TAKE_BACK: 1.0}, False),
        ("itself", {}, False),
    ],
)
def test_a_rollback_is_proposed_once_to_the_person_it_is_left_to(
    who: str, told: dict[str, float], is_new: bool
) -> None:
    problem = make_problem(changes={"roll_back": who})
    none = pd.DataFrame()
    window = Window(none, none, 0, 0, 0, 0, 0, state={"told": told})

    assert is_proposal_new(problem, window) == is_new
