"""Whom the labels of a cohort are asked of, and what the bets are told."""

import numpy as np
import pandas as pd

from driftline.promise import OutOfFold
from driftline.recalibration import Recalibration
from driftline.windows import Cohort
from tasks.watch.cohorts import ask_relation
from tests.support import make_problem
from tests.unit.answered import draw, two_of


def test_rows_that_were_drawn_with_weights_are_not_asked() -> None:
    rng = np.random.default_rng(5)
    known, (told, y) = OutOfFold(*draw(rng, 500)), draw(rng, 50)
    weighted = make_problem(weight="share", ignored=["share"])

    cohort = Cohort(pd.DataFrame(), told, unlabelled=0)
    assert ask_relation(Recalibration(), cohort, y, known, weighted) == Recalibration()
    assert ask_relation(Recalibration(), cohort, y, None, make_problem()) == Recalibration()
    assert ask_relation(Recalibration(), cohort, y, known, make_problem()).cohorts == 1


def test_how_many_are_not_heard_of_is_told_to_the_bets() -> None:
    rng = np.random.default_rng(6)
    known, problem = OutOfFold(*draw(rng, 3000)), make_problem()
    odds = rng.normal(0, 2, 300)
    told, y = two_of(odds), (rng.random(300) < 1 / (1 + np.exp(-odds - 2))).astype(np.int64)

    wealth = [
        ask_relation(
            Recalibration(), Cohort(pd.DataFrame(), told, unlabelled), y, known, problem
        ).log_wealth
        for unlabelled in (0, None)
    ]

    assert wealth[0] > wealth[1] + 1
