"""Which changes wait for a person, and how the plan is told."""

import pytest

from driftline.change_plan import (
    await_person,
    describe_changes,
    is_left_to_person,
    name_person,
)
from driftline.promotion import Decision
from driftline.verdicts import DriftDecision
from tests.support import make_problem

BY_PERSON = make_problem(changes={"train": "person", "promote": "person", "roll_back": "person"})
BY_ITSELF = make_problem()


def test_a_promotion_waits_where_it_is_left_to_a_person() -> None:
    passed = Decision("promoted", ("better",))

    waiting = await_person(passed, BY_PERSON)

    assert (waiting.verdict, waiting.is_promoted) == ("waiting", False)
    assert waiting.reasons[0] == "better"
    assert waiting.reasons[1].endswith("python -m flows.approve tiny")
    assert await_person(passed, BY_ITSELF) == passed


@pytest.mark.parametrize("verdict", ["rejected", "need_labels"])
def test_what_is_not_promoted_waits_for_nobody(verdict: str) -> None:
    decision = Decision(verdict, ("why",))  # type: ignore[arg-type]

    assert await_person(decision, BY_PERSON) == decision


@pytest.mark.parametrize(
    ("verdict", "takes_back", "flow"),
    [("retrain", False, "train"), ("watch", True, "rollback"), ("retrain", True, "rollback")],
)
def test_a_verdict_says_what_a_person_is_to_do(verdict: str, takes_back: bool, flow: str) -> None:
    decision = DriftDecision(verdict, ("why",))  # type: ignore[arg-type]

    told = name_person(decision, BY_PERSON, takes_back=takes_back)

    assert told.reasons[1].endswith(f"python -m flows.{flow} tiny")
    assert name_person(decision, BY_ITSELF, takes_back=takes_back) == decision


@pytest.mark.parametrize("verdict", ["ok", "watch", "quarantine", "need_labels"])
def test_other_verdicts_change_no_model(verdict: str) -> None:
    decision = DriftDecision(verdict, ("why",))  # type: ignore[arg-type]

    assert not is_left_to_person(decision, BY_PERSON, takes_back=False)


def test_the_plan_names_who_makes_each_change_and_by_which_bounds() -> None:
    plan = describe_changes(BY_PERSON)

    assert {one["who"] for one in plan["modifications"]} == {"once a person agrees"}
    assert {one["who"] for one in describe_changes(BY_ITSELF)["modifications"]} == {"by itself"}
    gates = plan["protocol"]["evaluation"]["gates"]
    assert gates == [{"metric": "test_roc_auc", "at_least": 0.6}]
    assert "the risk bands" in plan["not_changed_by_itself"]
