from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from driftline.candidates import CANDIDATES
from driftline.dataset import draft_contract, encode_rows, encode_target
from driftline.evidence import Labels, weigh
from driftline.export import export_onnx
from driftline.findings import Inputs
from driftline.problem import Problem
from driftline.promise import DEFAULT_RECIPE, OutOfFold, make_promise
from driftline.refusals import Refusals
from driftline.served import ServedModel
from driftline.standing import Standing
from driftline.verdicts import Cohort, Window, decide_verdict, name_of
from tasks.watch.cohorts import check_cohort
from tasks.watch.inputs import fault_of_refusals, inspect_inputs, rows_to_label
from tests.support import make_problem

USE = {"glucose": 0.5, "insulin": 0.5}


@pytest.fixture(scope="module")
def pair() -> Problem:
    return make_problem(columns={"glucose": {}, "insulin": {}})


def people(rows: int, seed: int, *, turned: bool = False, up: float = 0.0) -> pd.DataFrame:
    """Two columns of which one follows the other, and an outcome that follows from both."""
    rng = np.random.default_rng(seed)
    glucose = rng.normal(up, 1, rows)
    insulin = (-glucose if turned else glucose) + rng.normal(0, 0.15, rows)
    risk = 1 / (1 + np.exp(-(glucose + insulin)))
    outcome = np.where(rng.random(rows) < risk, "ill", "well")
    return pd.DataFrame({"glucose": glucose, "insulin": insulin, "outcome": outcome})


@pytest.fixture(scope="module")
def champion(pair: Problem) -> ServedModel:
    """A logistic regression with what it promised on the reference rows."""
    table = people(1500, 0)
    X, y = encode_rows(table, pair), encode_target(table, pair)  # noqa: N806
    model = CANDIDATES["logistic_regression"].build({}, 0).fit(X, y)
    answers = OutOfFold(model.predict_proba(X), y)
    return ServedModel(
        version="3",
        onnx=export_onnx(model, X.shape[1]),
        contract=replace(draft_contract(pair), threshold=0.5),
        train_digests=frozenset(),
        promise=make_promise(answers, metric="log_loss", recipe=DEFAULT_RECIPE, use=USE),
        out_of_fold=answers,
    )


def inspect(
    current: pd.DataFrame,
    pair: Problem,
    champion: ServedModel,
    accepted: Collection[str] = (),
    season: pd.DataFrame | None = None,
    earlier: pd.DataFrame | None = None,
) -> Inputs:
    seen: Inputs = inspect_inputs.fn(  # type: ignore[attr-defined]
        people(1500, 0), current, pair, champion, accepted=accepted, season=season, earlier=earlier
    )
    return seen


def labels_of(champion: ServedModel, window: Window, **others: object) -> Labels:
    return Labels(window, champion.promise, Standing(), **others)  # type: ignore[arg-type]


def window_of(table: pd.DataFrame) -> Window:
    return Window(table, table, first=1, last=len(table), last_label=0, seen=0, seen_label=0)


def test_a_small_window_is_judged_together_with_the_rows_just_before_it(
    pair: Problem, champion: ServedModel
) -> None:
    """Windows of 50 rows waited for 100, of which half had come before the change."""
    small = people(50, 1, up=1.0)
    earlier = pd.concat([people(300, 2), people(50, 3, up=1.0)], ignore_index=True)

    alone, filled = inspect(small, pair, champion), inspect(small, pair, champion, earlier=earlier)

    verdicts = [
        decide_verdict(
            weigh(seen, labels_of(champion, window_of(small)), pair.drift, champion="3"), pair.drift
        )
        for seen in (alone, filled)
    ]
    assert [verdict.verdict for verdict in verdicts] == ["watch", "need_labels"]
    assert (alone.rows, filled.rows) == (50, 100)


def test_rows_of_before_are_no_part_of_a_fault(pair: Problem, champion: ServedModel) -> None:
    broken = people(50, 3)
    broken["glucose"] = 0.5

    seen = inspect(people(50, 1), pair, champion, earlier=broken)

    assert seen.faults == ()


def test_rows_of_the_same_people_show_nothing(pair: Problem, champion: ServedModel) -> None:
    seen = inspect(people(400, 1), pair, champion)

    assert seen.findings(USE) == ()
    assert seen.used_share(USE) < 0.05


def test_a_champion_sees_rows_as_its_own_contract_has_them(champion: ServedModel) -> None:
    """The problem file computes a feature by now, which the next training will know."""
    features = {"ratio": "glucose / insulin"}
    changed = make_problem(columns={"glucose": {}, "insulin": {}}, features=features)

    seen = inspect(people(400, 1), changed, champion)

    assert seen.joint is not None
    assert seen.answers
    assert seen.estimated is not None


def test_a_computed_feature_is_named_among_what_changed_as_a_whole() -> None:
    columns = {"glucose": {}, "insulin": {}}
    problem = make_problem(columns=columns, features={"gap": "glucose - insulin"})
    table = people(1500, 0)
    X, y = encode_rows(table, problem), encode_target(table, problem)  # noqa: N806
    model = CANDIDATES["logistic_regression"].build({}, 0).fit(X, y)
    contract = replace(draft_contract(problem), threshold=0.5)
    served = ServedModel("3", export_onnx(model, X.shape[1]), contract, frozenset())

    seen = inspect(people(400, 1, turned=True), problem, served)

    assert seen.joint is not None
    assert "gap" in seen.joint.columns


def test_a_relation_turned_round_is_broken_data_and_asks_for_labels_once_a_person_accepts_it(
    pair: Problem, champion: ServedModel
) -> None:
    current = people(400, 1, turned=True)
    broken = inspect(current, pair, champion)
    seen = inspect(current, pair, champion, accepted={name_of(each) for each in broken.faults})

    evidence = weigh(seen, labels_of(champion, window_of(current)), pair.drift, champion="3")
    decision = decide_verdict(evidence, pair.drift)

    assert not any(change.has_drifted for change in seen.changes)
    assert {"relations of glucose", "rows as wholes"} <= {f.about for f in seen.findings(USE)}
    assert broken.faults
    assert decision.verdict == "need_labels"


def test_changed_answers_are_found(pair: Problem, champion: ServedModel) -> None:
    seen = inspect(people(400, 1, up=1.0), pair, champion)

    assert "answers: ill" in {finding.about for finding in seen.findings(USE)}


@pytest.mark.parametrize(("earlier", "is_known"), [(400, True), (50, False)])
def test_what_comes_each_season_is_no_change(
    pair: Problem, champion: ServedModel, earlier: int, is_known: bool
) -> None:
    """Once there are enough rows of the season before, like is compared with like."""
    before = people(earlier, 2, up=1.0)

    seen = inspect(people(400, 1, up=1.0), pair, champion, season=before)

    assert (seen.findings(USE) == ()) is is_known


def test_few_rows_are_looked_at_by_column_alone(pair: Problem, champion: ServedModel) -> None:
    seen = inspect(people(50, 1, turned=True), pair, champion)

    assert (seen.rows, len(seen.changes), seen.relations, seen.joint) == (50, 2, (), None)


def test_labels_that_do_not_come_true_end_the_belief_in_the_estimate(
    pair: Problem, champion: ServedModel
) -> None:
    table = people(300, 2)
    answers = np.full((300, 2), [0.05, 0.95])
    start = labels_of(champion, window_of(table)).calibration

    doubted = check_cohort.fn(start, Cohort(table, answers), champion, pair)  # type: ignore[attr-defined]
    seen = replace(inspect(people(400, 1), pair, champion), estimated=0.9)
    labels = labels_of(champion, window_of(table), doubted=doubted)
    evidence = weigh(seen, labels, pair.drift, champion="3")

    assert "no longer come true on 300 labels" in evidence.doubt
    assert any("not trusted" in why for why in decide_verdict(evidence, pair.drift).reasons)


def test_rows_to_label_are_places_in_the_window(champion: ServedModel) -> None:
    places = rows_to_label.fn(people(300, 0), people(120, 1), champion)  # type: ignore[attr-defined]

    assert len(set(places)) == 50
    assert set(places) <= set(range(120))


def test_a_service_that_refuses_most_of_its_requests_is_broken_data() -> None:
    refused = Refusals(records=180, by_fault={("level", "out_of_range"): 180}, last=9)

    (fault,) = fault_of_refusals(refused, 20, make_problem())

    assert fault == ("the service refused 180 of 200 records (90%): level out_of_range (180)")


def test_a_few_refusals_are_a_clients_mistakes() -> None:
    refused = Refusals(records=5, by_fault={("level", "missing"): 5}, last=9)

    assert fault_of_refusals(refused, 195, make_problem()) == ()
    assert fault_of_refusals(Refusals(records=9), 0, make_problem()) == ()
