"""A champion that was made before its problem file was changed."""

from dataclasses import replace

import pytest

from driftline.contract import Contract
from driftline.dataset import draft_contract
from driftline.errors import DataError
from driftline.problem import Problem
from driftline.served import ServedModel
from flows.shared import aliases
from tests.support import TINY, make_problem

PROBLEM = make_problem()


def let_serve(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry and the journal hold a champion of this contract."""
    model = ServedModel("3", b"", contract, frozenset())
    monkeypatch.setattr(aliases, "read_model", lambda _problem, _alias: model)
    monkeypatch.setattr(aliases, "read_champion", lambda _problem: model)
    monkeypatch.setattr(aliases, "insist_on_promoted", lambda _problem, _model: None)


def changed(**columns: dict[str, object] | None) -> Problem:
    """The problem with other columns; None leaves one out."""
    made = {name: spec for name, spec in (TINY["columns"] | columns).items() if spec is not None}
    return make_problem(columns=made)


@pytest.mark.parametrize(
    ("problem", "why"),
    [
        (changed(level=None), "column 'level' is gone or of another kind"),
        (changed(level={"kind": "date"}), "column 'level' is gone or of another kind"),
        (changed(weight={}), "column 'weight' is new"),
    ],
)
def test_a_champion_of_other_columns_is_not_asked(
    problem: Problem, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_serve(draft_contract(PROBLEM), monkeypatch)

    with pytest.raises(DataError) as raised:
        aliases.read_fitting(problem)

    assert str(raised.value) == (
        f"tiny v3 was made for another problem ({why}); wanted the file as it was, or a model of "
        "it as it is (python -m flows.train tiny)"
    )


def test_a_champion_of_the_same_columns_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    let_serve(draft_contract(PROBLEM), monkeypatch)

    wider = changed(age={"kind": "integer", "range": [0, 1000]})

    assert aliases.read_fitting(wider).version == "3"


def test_who_trains_anew_is_told_that_the_champion_was_not_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turned = replace(draft_contract(PROBLEM), classes=("ill", "well"))
    let_serve(turned, monkeypatch)

    rival, why_not = aliases.read_rival(PROBLEM)

    assert rival is None
    assert why_not == (
        "not compared with the champion: it was made for another problem (the target has other "
        "classes)"
    )


def test_a_champion_that_lacks_a_category_is_not_judged_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It still answers records, by its own contract."""
    let_serve(draft_contract(PROBLEM), monkeypatch)
    problem = changed(sex={"kind": "category", "categories": ["F", "M", "X"]})

    assert aliases.read_fitting(problem).version == "3"
    with pytest.raises(DataError, match="'sex=X' differs"):
        aliases.read_judged(problem)


@pytest.mark.parametrize(
    "problem",
    [
        make_problem(columns=dict(reversed(TINY["columns"].items()))),
        make_problem(features={"ratio": "age / level"}),
    ],
)
def test_a_champion_sees_columns_in_its_own_order_and_computes_its_own(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_serve(draft_contract(PROBLEM), monkeypatch)

    assert aliases.read_judged(problem).version == "3"
