"""Bets on whether probabilities come true are kept, and asked of those that can tell."""

import json

import numpy as np
import pandas as pd

from driftline.promise import OutOfFold
from driftline.recalibration import (
    Recalibration,
    fit_baseline,
    read_baseline,
    read_recalibration,
)
from driftline.standing import Standing, read_standing
from driftline.windows import Cohort
from tasks.watch.cohorts import ask_relation
from tests.support import make_problem
from tests.unit.test_recalibration import baseline_of, bet, draw, two_of


def test_a_number_and_a_model_without_answers_out_of_fold_have_no_baseline() -> None:
    number = OutOfFold(np.zeros((20, 1)), np.arange(20.0))

    assert fit_baseline(number) is None
    assert fit_baseline(None) is None


def test_bets_and_baselines_are_read_as_they_were_written() -> None:
    rng = np.random.default_rng(4)
    base = baseline_of(rng)
    found = bet(Recalibration(), draw(rng, 50), base)

    assert read_recalibration(json.loads(json.dumps(found.to_document()))) == found
    assert read_baseline(json.loads(json.dumps(base.to_document()))) == base
    assert read_recalibration(None) == Recalibration()
    assert read_baseline(None) is None


def test_a_standing_that_was_written_before_this_was_asked_is_read() -> None:
    document = Standing().to_document()
    del document["recalibration"]

    assert read_standing(document) == Standing()


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
