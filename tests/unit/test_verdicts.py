from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from driftline.closing import close_look
from driftline.drift import ColumnChange
from driftline.problem import DriftPolicy
from driftline.promise import DEFAULT_RECIPE, Promise
from driftline.standing import Standing
from driftline.verdicts import (
    Evidence,
    Finding,
    Window,
    decide_verdict,
    leaves_rows,
    name_of,
    verdict_key,
)

POLICY = DriftPolicy()
PROMISE = Promise("log_loss", 0.3, 0.4, 1000, 0.6, DEFAULT_RECIPE, {"age": 1.0})


def change(effect: float) -> ColumnChange:
    return ColumnChange("age", "Wasserstein / sd", effect, 0.3, 0.1, 0.0)


def finding(strength: float) -> Finding:
    return Finding("age", strength, f"age changed by {strength}")


def judged(*, now: float, renewed: float, rows: int = 400) -> Standing:
    """A champion's standing after labels: its losses, and those of a renewed model."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.05, rows)
    losses = now + noise
    probed = {1: renewed + noise + rng.normal(0, 0.05, rows)}
    return Standing().add(losses, probed, past=1, promise=PROMISE, policy=POLICY)


def evidence(standing: Standing | None = None, **others: object) -> Evidence:
    known = {"promise": PROMISE, "standing": standing, "has_cohort": True} if standing else {}
    return Evidence(rows=500, **{**known, **others})  # type: ignore[arg-type]


def test_broken_data_is_never_trained_on_however_great_the_harm() -> None:
    harmed = evidence(judged(now=0.9, renewed=0.3), faults=("age: stuck at one value",))

    assert decide_verdict(harmed, POLICY).verdict == "quarantine"


def test_a_renewal_that_is_proved_to_be_worth_it_is_called_for() -> None:
    decision = decide_verdict(evidence(judged(now=0.45, renewed=0.3)), POLICY)

    assert decision.verdict == "retrain"
    assert "a model renewed now saves 0.15" in decision.reasons[0]


def test_a_champion_that_no_renewal_would_better_is_kept() -> None:
    """The world has become harder to tell; training anew would not help."""
    decision = decide_verdict(evidence(judged(now=0.5, renewed=0.52)), POLICY)

    assert decision.verdict == "ok"


def test_a_trifling_gain_does_not_pay() -> None:
    decision = decide_verdict(evidence(judged(now=0.305, renewed=0.3)), POLICY)

    assert decision.verdict == "ok"


@pytest.mark.parametrize(("policy", "verdict"), [("ask", "need_labels"), ("retrain", "retrain")])
def test_likely_harm_without_labels_asks_for_them_or_trains_as_the_policy_says(
    policy: str, verdict: str
) -> None:
    drift = DriftPolicy(without_labels=policy)  # type: ignore[arg-type]
    seen = evidence(findings=(finding(4.0),), used_share=0.6)

    assert decide_verdict(seen, drift).verdict == verdict


def test_answers_that_are_estimated_to_be_worse_ask_for_labels() -> None:
    decision = decide_verdict(evidence(estimated=0.4), POLICY)

    assert decision.verdict == "need_labels"
    assert "40% of its skill" in decision.reasons[0]


def test_a_change_of_what_the_model_hardly_uses_is_watched_once() -> None:
    seen = evidence(findings=(finding(2.0),), used_share=0.05)
    first = decide_verdict(seen, POLICY)

    known = close_look(first, seen, POLICY)
    same = decide_verdict(replace(seen, told=known.told), POLICY)
    grown = decide_verdict(replace(seen, told=known.told, findings=(finding(3.5),)), POLICY)

    assert (first.verdict, same.verdict, grown.verdict) == ("watch", "ok", "watch")
    assert same.reasons == ("1 changes that are known went on",)


def test_a_change_that_has_passed_is_told_when_it_comes_back() -> None:
    seen = evidence(findings=(finding(2.0),), used_share=0.05)
    known = close_look(decide_verdict(seen, POLICY), seen, POLICY)

    quiet = replace(seen, told=known.told, findings=())
    passed = close_look(decide_verdict(quiet, POLICY), quiet, POLICY)

    assert decide_verdict(replace(seen, told=passed.told), POLICY).verdict == "watch"


def test_labels_that_show_no_harm_answer_the_call_for_labels() -> None:
    seen = evidence(judged(now=0.3, renewed=0.3), findings=(finding(4.0),), used_share=0.6)

    assert decide_verdict(seen, POLICY).verdict == "watch"


def test_a_training_that_is_paid_for_only_in_a_later_look_is_called_for_once() -> None:
    """A quiet look lowers the price below what labels of before it have shown."""
    seen = evidence(judged(now=0.45, renewed=0.3))
    prices = (POLICY.cost * 1.01**step for step in range(2000))
    dear = next(p for p in prices if decide_verdict(priced(seen, p), POLICY).verdict != "retrain")
    look, verdicts = priced(seen, dear), []
    for _ in range(5):
        decision = decide_verdict(look, POLICY)
        verdicts.append(decision.verdict)
        look = replace(close_look(decision, look, POLICY), has_cohort=False)

    assert verdicts[0] != "retrain"
    assert verdicts.count("retrain") == 1


def priced(seen: Evidence, price: float) -> Evidence:
    return replace(seen, standing=replace(seen.standing, price=price))


def test_labels_that_were_asked_for_are_known_until_the_suspicion_grows_or_comes_back() -> None:
    seen = evidence(findings=(finding(4.0),), used_share=0.4)
    looks = [seen, seen, replace(seen, used_share=0.8), replace(seen, used_share=0.0), seen]
    known: list[bool] = []
    asked = 0.0
    for each in looks:
        look = replace(each, asked=asked)
        closed = close_look(decide_verdict(look, POLICY), look, POLICY)
        known.append(closed.is_known)
        asked = closed.asked

    assert known == [False, True, False, False, False]


def test_suspicion_must_come_back_as_often_as_the_policy_wants() -> None:
    policy = DriftPolicy(confirm=(2, 3))
    seen = evidence(estimated=0.4)

    first = decide_verdict(seen, policy)
    second = decide_verdict(replace(seen, suspicions=(True, False)), policy)

    assert (first.verdict, second.verdict) == ("ok", "need_labels")


def test_few_rows_are_watched() -> None:
    assert decide_verdict(Evidence(rows=3), POLICY).reasons == (
        "only 3 rows, wanted 100 to judge by",
    )


def test_nothing_new_is_ok() -> None:
    assert decide_verdict(Evidence(rows=0), POLICY).reasons == ("nothing new",)


def test_a_look_at_nothing_tells_nothing_and_forgets_nothing() -> None:
    """Else the same finding would be told again after each idle night."""
    idle = Evidence(
        rows=0, told={"age": 2.0}, promise=PROMISE, standing=judged(now=0.3, renewed=0.3)
    )

    decision = decide_verdict(idle, POLICY)

    assert decision.reasons == ("nothing new",)
    assert close_look(decision, idle, POLICY).told == {"age": 2.0}


@pytest.mark.parametrize(
    ("rows", "faults", "is_left"),
    [(40, (), True), (40, ("age: stuck at one value",), False), (POLICY.min_rows, (), False)],
)
def test_rows_too_few_to_be_judged_wait_for_more(
    rows: int, faults: tuple[str, ...], is_left: bool
) -> None:
    """Else a service that is asked rarely would never be judged."""
    seen = replace(evidence(faults=faults, findings=(finding(2.0),)), rows=rows)
    decision = decide_verdict(seen, POLICY)
    window = Window(pd.DataFrame(), pd.DataFrame(), 4, 9, last_label=7, seen=3, seen_label=2)

    assert leaves_rows(decision, seen, POLICY) is is_left
    assert (close_look(decision, seen, POLICY).told == {}) is (rows < POLICY.min_rows)
    assert (window.with_rows_waiting().first, window.with_rows_waiting().last) == (4, 3)
    assert window.with_rows_waiting().last_label == 7


def test_a_verdict_on_other_rows_leaves_the_log_to_be_judged() -> None:
    rows = pd.DataFrame({"age": [1]})
    window = Window(rows, rows, first=4, last=9, last_label=7, seen=3, seen_label=2)

    aside = window.judged_elsewhere()

    assert (aside.first, aside.last, aside.last_label) == (4, 3, 2)
    assert not len(aside.inputs)


def test_a_finding_has_one_name_whatever_its_figures() -> None:
    assert name_of("age: +12% more values missing") == name_of("age: +9.5% more values missing")
    assert name_of("age: stuck at one value") != name_of("sex: stuck at one value")


def test_the_same_evidence_has_one_name() -> None:
    one = verdict_key("p", "1", first=1, last=9, last_label=3)

    assert one == verdict_key("p", "1", first=1, last=9, last_label=3)
    assert one != verdict_key("p", "1", first=1, last=9, last_label=4)


def test_an_estimate_is_not_believed_where_probabilities_do_not_come_true() -> None:
    doubt = "the probabilities no longer come true on 300 labels"

    decision = decide_verdict(evidence(estimated=0.4, doubt=doubt), POLICY)

    assert decision.verdict == "ok"
    assert f"the estimate without labels is not trusted: {doubt}" in decision.reasons


def test_a_training_is_ordered_once_for_one_suspicion_and_again_when_it_has_grown() -> None:
    policy = DriftPolicy(without_labels="retrain")
    seen = evidence(estimated=0.4)
    first = decide_verdict(seen, policy)
    left = close_look(first, seen, policy)

    same = decide_verdict(replace(seen, answered=left.answered), policy)
    grown = decide_verdict(evidence(estimated=0.7, answered=left.answered), policy)

    assert (first.verdict, same.verdict, grown.verdict) == ("retrain", "ok", "retrain")
    assert "was ordered" in same.reasons[1]


def test_a_look_that_orders_nothing_keeps_what_was_answered() -> None:
    quiet = evidence(answered=2.0)

    assert close_look(decide_verdict(quiet, POLICY), quiet, POLICY).answered == 2.0


def test_a_champion_that_is_taken_back_is_not_renewed_in_the_same_look() -> None:
    harmed = evidence(judged(now=0.9, renewed=0.3), taken_back="version 4 is worse than version 3")

    decision = decide_verdict(harmed, POLICY)

    assert decision.verdict == "watch"
    assert decision.reasons == ("version 4 is worse than version 3; a retraining waits",)


def test_a_champion_without_skill_has_none_to_lose() -> None:
    promise = replace(PROMISE, loss=0.5999)
    harmed = evidence(judged(now=0.9, renewed=0.3))

    decision = decide_verdict(replace(harmed, promise=promise), POLICY)

    assert decision.verdict == "retrain"
    assert decision.reasons[0].startswith("the champion has no skill to lose: its log_loss of 0.5")
    assert "%" not in decision.reasons[0]
