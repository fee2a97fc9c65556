"""A monitoring run of a number: its inputs, its labels, and the champion before."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from driftline.calibration import CalibrationWager
from driftline.dataset import draft_contract, encode_rows, encode_target
from driftline.export import export_onnx
from driftline.findings import Inputs
from driftline.problem import Problem
from driftline.promise import OutOfFold, Promise, Recipe, make_promise
from driftline.regressors import REGRESSORS
from driftline.served import ServedModel, score_served
from driftline.standing import Standing, is_renewal_due
from driftline.verdicts import Cohort, Window
from tasks.watch.cohorts import check_cohort, judge_cohort, judge_shadow
from tasks.watch.inputs import inspect_inputs, rows_to_label
from tests.support import STAY, make_problem, stay_rows

RECIPE = Recipe("ridge", {"alpha": 1.0}, predicts="number")


@cache
def stay() -> Problem:
    return make_problem(STAY)


@cache
def champion(version: str = "3", slope: float = 3.0) -> ServedModel:
    """A ridge regression with what it promised on the reference rows."""
    table = stay_rows(600, slope=slope)
    X, y = encode_rows(table, stay()), encode_target(table, stay())  # noqa: N806
    model = RECIPE.fit(X, y)
    answers = OutOfFold(model.predict(X)[:, None], y)
    use = {"age": 0.0, "level": 0.9, "sex": 0.1}
    return ServedModel(
        version=version,
        onnx=export_onnx(model, X.shape[1]),
        contract=draft_contract(stay()),
        train_digests=frozenset(),
        promise=make_promise(answers, metric="absolute_error", recipe=RECIPE, use=use),
        out_of_fold=answers,
    )


def promise() -> Promise:
    made = champion().promise
    assert made is not None
    return made


def inspect(current: pd.DataFrame) -> Inputs:
    seen: Inputs = inspect_inputs.fn(stay_rows(600), current, stay(), champion())  # type: ignore[attr-defined]
    return seen


def cohort_of(table: pd.DataFrame) -> Cohort:
    scored = score_served(champion(), table, encode_target(table, stay()))
    return Cohort(table, scored.probabilities)


def judge(table: pd.DataFrame) -> Standing:
    none = stay_rows(1).head(0)
    judged: Standing = judge_cohort.fn(  # type: ignore[attr-defined]
        Standing(), stay_rows(600), none, cohort_of(table), stay(), promise()
    )
    return judged


def test_people_as_before_show_nothing_and_nothing_is_estimated_of_a_number() -> None:
    seen = inspect(stay_rows(400, seed=1))

    assert seen.findings({}) == ()
    assert seen.estimated is None


def test_answers_that_have_changed_are_told_as_predictions() -> None:
    current = stay_rows(400, seed=1)
    seen = inspect(current.assign(level=(current["level"] + 2).clip(upper=10)))

    (finding,) = [one for one in seen.findings({}) if one.about == "answers: stay"]

    assert finding.text.startswith("the champion's prediction of 'stay' changed")
    assert seen.used_share(promise().use) > 0.5


def test_rows_are_chosen_to_label_by_how_new_they_are() -> None:
    current = stay_rows(300, seed=1)
    current.loc[:29, "level"] = 9.0

    chosen = rows_to_label.fn(stay_rows(600), current, champion())  # type: ignore[attr-defined]

    assert len(chosen) == 50
    assert len({place for place in chosen if place < 30}) > 5


def test_labels_that_turn_the_relation_round_call_for_a_renewal_and_no_others() -> None:
    alike, turned = judge(stay_rows(300, seed=1)), judge(stay_rows(300, seed=1, slope=-3.0))

    assert is_renewal_due(turned, promise(), stay().drift)
    assert not is_renewal_due(alike, promise(), stay().drift)
    assert turned.recent_lost > 0.5


def test_there_are_no_probabilities_to_bet_against() -> None:
    wager = CalibrationWager()

    cohort = cohort_of(stay_rows(50, seed=1))

    assert check_cohort.fn(wager, cohort, champion(), stay()) is wager  # type: ignore[attr-defined]


def test_a_champion_that_is_worse_than_the_one_before_is_told_in_units_of_its_errors() -> None:
    """The new one has learnt that the relation turned round, which it has not."""
    new, old = champion("4", slope=-3.0), champion("3")
    table = stay_rows(300, seed=1)
    window = Window(table, table, first=1, last=300, last_label=0, seen=0, seen_label=0)
    scored = score_served(new, table, encode_target(table, stay()))
    cohort = Cohort(table, scored.probabilities)

    shadow = judge_shadow.fn(window, new, old, cohort, stay())  # type: ignore[attr-defined]

    assert shadow.is_better(stay().drift)
    assert "absolute error (in units of" in shadow.describe("4")
    assert 0 < shadow.mean < 1


def test_every_regressor_can_be_renewed_from_few_rows() -> None:
    table = stay_rows(30)
    X, y = encode_rows(table, stay()), encode_target(table, stay())  # noqa: N806

    for name, kind in REGRESSORS.items():
        recipe = replace(RECIPE, candidate=name, params=kind.defaults)
        assert np.isfinite(recipe.fit(X, y).predict(X)).all()
