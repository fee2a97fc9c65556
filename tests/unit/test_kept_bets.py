"""Bets on whether probabilities come true are kept."""

import json

import numpy as np

from driftline.drift_policy import DriftPolicy
from driftline.promise import OutOfFold
from driftline.recalibration import (
    Recalibration,
    fit_baseline,
    read_baseline,
    read_recalibration,
)
from driftline.standing import Standing, read_standing
from tests.unit.answered import draw


def test_a_number_and_a_model_without_answers_out_of_fold_have_no_baseline() -> None:
    number = OutOfFold(np.zeros((20, 1)), np.arange(20.0))

    assert fit_baseline(number) is None
    assert fit_baseline(None) is None


def test_bets_and_baselines_are_read_as_they_were_written() -> None:
    rng = np.random.default_rng(4)
    base = fit_baseline(OutOfFold(*draw(rng, 3000)))
    assert base is not None
    found = Recalibration().add(*draw(rng, 50), base, DriftPolicy(loss="brier"))

    assert read_recalibration(json.loads(json.dumps(found.to_document()))) == found
    assert read_baseline(json.loads(json.dumps(base.to_document()))) == base
    assert read_recalibration(None) == Recalibration()
    assert read_baseline(None) is None


def test_a_standing_that_was_written_before_this_was_asked_is_read() -> None:
    document = Standing().to_document()
    del document["recalibration"]

    assert read_standing(document) == Standing()
